//! A query that may be run, and the checks that make one of what a caller wrote. Runs nothing.

use std::time::Duration;

use super::{
    allow_list::{AllowList, NotAllowed},
    source_command::{self, SourceCommand},
    time_range::{BadRange, TimeRange},
};

/// Most rows that one call returns: what GetQueryResults gives in one answer.
pub(super) const MAX_LIMIT: u32 = 10_000;

/// A query that may be run.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) text: String,
    pub(super) log_groups: Vec<String>,
    pub(super) range: TimeRange,
    pub(super) limit: u32,
}

/// A query as a caller wrote it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) text: String,
    pub(super) log_groups: Option<Vec<String>>,
    pub(super) start: String,
    pub(super) end: String,
    pub(super) limit: u32,
}

/// Why a query is not run.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadQuery {
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    #[error(transparent)]
    SourceCommand(#[from] SourceCommand),
    #[error(transparent)]
    Range(#[from] BadRange),
    #[error("`limit` is `{0}`; choose 1 to {MAX_LIMIT}")]
    Limit(u32),
    #[error("`query` is empty; for example `fields @timestamp, @message | sort @timestamp desc`")]
    Empty,
}

impl Query {
    /// Everything that can be refused before a source is asked that takes `most_groups`. `now` is the time since the Unix
    /// epoch.
    pub(super) fn checked(
        asked: Asked,
        allowed: &AllowList,
        most_groups: usize,
        now: Duration,
    ) -> Result<Self, BadQuery> {
        let Asked { text, log_groups, start, end, limit } = asked;
        let log_groups = allowed.choose(log_groups, most_groups)?;
        if text.trim().is_empty() {
            return Err(BadQuery::Empty);
        }
        source_command::check(&text)?;
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(BadQuery::Limit(limit));
        }
        let range = TimeRange::parse(&start, &end, now)?;
        Ok(Self { text, log_groups, range, limit })
    }
}
