//! What the gateway keeps beyond the end of its process, as config.toml says it.

use std::{path::PathBuf, time::Duration};

/// What is kept, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// `None`: nothing is kept, because the file says so or because nothing says where.
    pub snapshot: Option<Snapshot>,
}

/// What the targets listed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Of the file.
    pub directory: PathBuf,
    /// What is older counts no more.
    pub max_age: Duration,
}
