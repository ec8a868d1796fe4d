//! What each step of a call costs for itself: `cargo bench -p causeway-bench`. Of bytes in memory, without sockets.

mod envelope;
mod route;
mod seal;
mod sigv4;
mod token;

use criterion::{criterion_group, criterion_main};

criterion_group!(steps, envelope::bench, route::bench, seal::bench, sigv4::bench, token::bench);
criterion_main!(steps);
