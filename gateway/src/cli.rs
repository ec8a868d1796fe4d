//! What the commands of `causeway` do, one file a command. Parses no arguments.

pub mod check;
pub mod schema;
