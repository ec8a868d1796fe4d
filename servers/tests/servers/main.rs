//! The sample servers from outside: real sockets, real processes, the official client in both eras.

#![expect(clippy::unwrap_used, reason = "a test ends at its first surprise, in its helpers too")]

mod child;
mod cloudwatch;
mod directory;
mod fake_logs;
mod http;
mod issuer;
mod jwt;
mod process;
mod running;
mod stdio;
mod tools;
