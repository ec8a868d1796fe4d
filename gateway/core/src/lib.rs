//! The parts of Causeway that do no IO: they take bytes, keys and the time, and return values.

pub mod authorizer;
pub mod name;
