//! The one form inside the gateway, the modern era's: a request that says everything about itself, and the last message
//! of its reply. Here, and nowhere else, a message changes its era; every byte that need not change stays.
//!
//! A message keeps the form in which it arrived, with a note of its era, until it leaves: between peers of one era it
//! passes untouched. Translation is total in both directions, so N fronts and M target adapters need N + M of them.

mod client;
mod coming;
mod input;
mod progress;
#[cfg(test)]
mod properties;
mod request;
mod response;
pub mod tasks;

pub use self::{
    client::{Aside, Client, Level, Logs, UnknownLevel, asked_of},
    coming::{BadRest, Coming, End},
    input::{InputRequest, InputRequired},
    progress::{progress_of, with_own_token, with_token},
    request::{Repeat, Request},
    response::{NotAResponse, Response},
};
