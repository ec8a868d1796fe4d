//! What is measured, one file each. A measurement takes what runs already or starts what it needs, and adds to the results.

mod calls;
mod catalogs;
mod start;
mod streaming;
mod streams;
mod trial;

pub use self::{
    calls::{Asked, calls, idle},
    catalogs::{Among, catalogs},
    start::starts,
    streaming::streaming,
    streams::streams,
    trial::{Tempo, Trial, interleave},
};
