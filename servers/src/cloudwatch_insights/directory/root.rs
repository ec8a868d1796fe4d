//! Where the log groups of a directory are: a folder of the file system, or the program itself.

use std::{io, path::PathBuf, time::Duration};

use super::{
    files::{self, LogFile},
    samples,
    skipped::Skipped,
};
use crate::cloudwatch_insights::groups::LogGroup;

#[derive(Clone, Debug)]
pub(super) enum Root {
    /// By its real name, without links.
    Folder(PathBuf),
    Samples,
}

impl Root {
    /// Every log group, by name, and what was left out. `now` is the time since the epoch.
    pub(super) fn groups(&self, now: Duration) -> io::Result<(Vec<LogGroup>, Skipped)> {
        match self {
            Self::Folder(path) => files::groups(path),
            Self::Samples => Ok((samples::groups(now), Skipped::default())),
        }
    }

    /// The files of a group by name; `None` if there is no such group.
    pub(super) fn streams(&self, group: &str, now: Duration) -> io::Result<Option<(Vec<LogFile>, Skipped)>> {
        match self {
            Self::Folder(path) => files::streams(path, group),
            Self::Samples => Ok(samples::streams(group, now).map(|files| (files, Skipped::default()))),
        }
    }
}
