//! Where the logs are. The tools ask through this, so that they do not know which source answers; what may be asked has
//! been decided before.

use super::{
    allow_list::Lookup,
    aws::{Aws, AwsError},
    call::Call,
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
}

/// Why a source has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum SourceError {
    #[error(transparent)]
    Aws(#[from] AwsError),
}

impl Source {
    pub(super) async fn query(&self, query: &Query, call: &Call) -> Result<Found, SourceError> {
        match self {
            Self::Aws(aws) => Ok(aws.query(query, call).await?),
        }
    }

    /// The log groups that `lookups` lead to, in order, `most` of them.
    pub(super) async fn log_groups(&self, lookups: &[Lookup], most: usize, call: &Call) -> Result<Groups, SourceError> {
        match self {
            Self::Aws(aws) => Ok(aws.log_groups(lookups, most, call).await?),
        }
    }

    /// The fields of recent events of `group`.
    pub(super) async fn fields(&self, group: &str, call: &Call) -> Result<Vec<Field>, SourceError> {
        match self {
            Self::Aws(aws) => Ok(aws.fields(group, call).await?),
        }
    }
}
