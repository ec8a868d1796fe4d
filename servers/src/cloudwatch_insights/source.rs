//! Where the logs are. The tools ask through this, so that they do not know which source answers; what may be asked has
//! been decided before.

use super::{
    allow_list::Lookup,
    aws::{self, Aws, AwsError},
    call::Call,
    directory::{Directory, DirectoryError},
    fields::Field,
    found::Found,
    groups::Groups,
    query::Query,
};

/// A source of logs.
#[derive(Debug)]
pub(super) enum Source {
    /// CloudWatch Logs.
    Aws(Aws),
    /// Files of this machine.
    Directory(Directory),
}

/// Why a source has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum SourceError {
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

impl Source {
    /// What the logs are, for whoever asks of them.
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Self::Aws(_) => "Queries CloudWatch logs.",
            Self::Directory(directory) if directory.is_samples() => {
                "Queries sample logs in the language of CloudWatch Logs Insights: there is no CloudWatch here."
            }
            Self::Directory(_) => "Queries log files of this machine in the language of CloudWatch Logs Insights.",
        }
    }

    /// Most log groups of one query.
    pub(super) fn most_groups(&self) -> usize {
        match self {
            Self::Aws(_) => aws::MOST_GROUPS,
            Self::Directory(_) => usize::MAX,
        }
    }

    /// Whether it costs nothing to look for the groups that a query does not name.
    pub(super) fn is_local(&self) -> bool {
        matches!(self, Self::Directory(_))
    }

    pub(super) async fn query(&self, query: &Query, call: &Call) -> Result<Found, SourceError> {
        match self {
            Self::Aws(aws) => Ok(aws.query(query, call).await?),
            Self::Directory(directory) => Ok(directory.answer_query(query, call).await?),
        }
    }

    /// The log groups that `lookups` lead to, in order, `most` of them.
    pub(super) async fn log_groups(&self, lookups: &[Lookup], most: usize, call: &Call) -> Result<Groups, SourceError> {
        match self {
            Self::Aws(aws) => Ok(aws.log_groups(lookups, most, call).await?),
            Self::Directory(directory) => Ok(directory.list_groups(lookups, most, call).await?),
        }
    }

    /// The fields of recent events of `group`, and what the source has to say of them.
    pub(super) async fn fields(&self, group: &str, call: &Call) -> Result<(Vec<Field>, Vec<String>), SourceError> {
        match self {
            Self::Aws(aws) => Ok((aws.fields(group, call).await?, Vec::new())),
            Self::Directory(directory) => Ok(directory.list_fields(group, call).await?),
        }
    }
}
