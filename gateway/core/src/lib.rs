//! The parts of Causeway that do no IO: they take bytes, keys and the time, and return values.

pub mod authorizer;
pub mod canonical;
pub mod catalog;
pub mod era;
pub mod name;
pub mod nearest;
pub mod seal;
pub mod trace;
pub mod wire;
