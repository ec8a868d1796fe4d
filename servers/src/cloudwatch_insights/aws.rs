//! CloudWatch Logs as a source: its client is made at the first call, for the identity that the settings lead to. What is
//! asked of it stands in the files below.

mod groups;
mod patience;
mod query;
mod refusal;

use std::{error::Error, time::Duration};

use aws_config::{BehaviorVersion, Region, identity::IdentityCache, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_cloudwatchlogs::Client;
use causeway_aws::{Identity, NoCredentials, NoRegion};
use tokio::sync::OnceCell;

pub(super) use self::refusal::AwsError;
use super::{allow_list::Lookup, call::Call, fields::Field, found::Found, groups::Groups, query::Query};

/// Most log groups that StartQuery takes.
pub(super) const MOST_GROUPS: usize = 50;

/// Connecting to the service; a whole attempt.
const CONNECT: Duration = Duration::from_secs(3);
const ATTEMPT: Duration = Duration::from_secs(30);

/// CloudWatch Logs of the account and region that the settings lead to.
#[derive(Debug)]
pub(super) struct Aws {
    settings: AwsSettings,
    /// Failure is not kept: the next call tries again.
    client: OnceCell<Client>,
}

/// What the settings say of AWS.
#[derive(Debug)]
pub(super) struct AwsSettings {
    /// Who the server is there, and in which region.
    pub(super) identity: Identity,
    /// Where to send requests, if neither to AWS's public host nor where the environment says.
    pub(super) endpoint: Option<String>,
}

/// What is not set.
#[derive(Debug, thiserror::Error)]
#[error("CloudWatch cannot be queried yet: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub(super) struct NotReady(Vec<Missing>);

#[derive(Debug, thiserror::Error)]
enum Missing {
    #[error(transparent)]
    Region(#[from] NoRegion),
    #[error(transparent)]
    Credentials(#[from] NoCredentials),
}

impl Aws {
    pub(super) fn new(settings: AwsSettings) -> Self {
        Self { settings, client: OnceCell::new() }
    }

    pub(super) async fn query(&self, query: &Query, call: &Call) -> Result<Found, AwsError> {
        query::run(&call.within(self.client()).await??, query, call).await
    }

    pub(super) async fn log_groups(&self, lookups: &[Lookup], most: usize, call: &Call) -> Result<Groups, AwsError> {
        groups::list(&call.within(self.client()).await??, lookups, most, call).await
    }

    pub(super) async fn fields(&self, group: &str, call: &Call) -> Result<Vec<Field>, AwsError> {
        groups::fields(&call.within(self.client()).await??, group, call).await
    }

    /// A client that has a region and found credentials.
    async fn client(&self) -> Result<Client, NotReady> {
        self.client.get_or_try_init(|| connect(&self.settings)).await.cloned()
    }
}

/// The messages of an error and its causes in one line. What the SDK's errors show in `Debug` is left out.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

async fn connect(settings: &AwsSettings) -> Result<Client, NotReady> {
    let identity = &settings.identity;
    let (region, credentials) = (identity.region().await, identity.credentials().await);
    let region = match (region, credentials) {
        (Ok(region), Ok(_)) => Region::new(region),
        (region, credentials) => {
            let missing_region = region.err().map(Missing::from);
            return Err(NotReady(missing_region.into_iter().chain(credentials.err().map(Missing::from)).collect()));
        }
    };
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).build();
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(region)
        .credentials_provider(identity.clone())
        // The identity keeps them itself.
        .identity_cache(IdentityCache::no_cache())
        .timeout_config(timeouts)
        // What is asked again, and for how long, `patience` decides: it knows how long the call lasts.
        .retry_config(RetryConfig::disabled());
    let config = match &settings.endpoint {
        Some(endpoint) => config.endpoint_url(endpoint),
        None => config,
    };
    Ok(Client::new(&config.load().await))
}
