//! Where the log groups of a directory are: a folder of the file system, or the program itself.

use std::{fmt, io, path::PathBuf, time::Duration};

use super::{
    files::{self, LogFile},
    samples,
};
use crate::cloudwatch_insights::groups::LogGroup;

#[derive(Clone, Debug)]
pub(super) enum Root {
    Folder(PathBuf),
    Samples,
}

impl Root {
    /// Every log group, by name. `now` is the time since the epoch.
    pub(super) fn groups(&self, now: Duration) -> io::Result<Vec<LogGroup>> {
        match self {
            Self::Folder(path) => files::groups(path),
            Self::Samples => Ok(samples::groups(now)),
        }
    }

    /// The files of a group by name; `None` if there is no such group.
    pub(super) fn streams(&self, group: &str, now: Duration) -> io::Result<Option<Vec<LogFile>>> {
        match self {
            Self::Folder(path) => files::streams(path, group),
            Self::Samples => Ok(samples::streams(group, now)),
        }
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::Samples => f.write_str("sample logs"),
        }
    }
}
