//! CloudWatch Logs as a source: its client is made at the first call, from the usual AWS settings and those that the
//! server was given otherwise. What is asked of it stands in the files below.
//!
//! The last of the credential sources, the instance metadata service, is asked once and briefly. With the SDK's
//! defaults a machine without credentials and without that service waits for seconds before it learns so.

mod groups;
mod patience;
mod query;
mod refusal;

use std::{error::Error, time::Duration};

use aws_config::{
    BehaviorVersion,
    default_provider::credentials::DefaultCredentialsChain,
    environment::EnvironmentVariableRegionProvider,
    imds::{self, client::error::ImdsError, region::ImdsRegionProvider},
    meta::region::RegionProviderChain,
    profile::ProfileFileRegionProvider,
    retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError},
};
use aws_sdk_cloudwatchlogs::{Client, config::Region};
use tokio::sync::OnceCell;

pub(super) use self::refusal::AwsError;
use super::{allow_list::Lookup, call::Call, fields::Field, found::Found, groups::Groups, query::Query};

/// The metadata service is on the same machine: it answers in milliseconds or is not there.
const METADATA_CONNECT: Duration = Duration::from_millis(500);
const METADATA_READ: Duration = Duration::from_secs(1);

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

/// What the server was told of AWS by other means than the environment. The rest is found as every AWS program finds it.
#[derive(Debug, Default)]
pub(super) struct AwsSettings {
    pub(super) region: Option<String>,
    /// Where to send requests in place of AWS's public host.
    pub(super) endpoint: Option<String>,
    pub(super) identity: Identity,
}

/// Who the server is at AWS. What is in it is not shown.
#[derive(Debug, Default)]
pub(super) enum Identity {
    /// Whom AWS's default chain finds.
    #[default]
    Chain,
    /// The profile with this name, by the same chain.
    Profile(String),
    /// An access key.
    Key(Credentials),
}

/// What is not set.
#[derive(Debug, thiserror::Error)]
#[error("CloudWatch cannot be queried yet: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub(super) struct NotReady(Vec<Missing>);

#[derive(Debug, thiserror::Error)]
enum Missing {
    #[error("there is no AWS region: set `AWS_REGION`, for example `us-east-1`")]
    Region,
    #[error(
        "there are no AWS credentials: set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` (and `AWS_SESSION_TOKEN` \
         with temporary ones) or `AWS_PROFILE`, or give this machine or container a role"
    )]
    Credentials,
    #[error("the AWS credentials cannot be used: {0}; check `AWS_PROFILE` and the variables that start with `AWS_`")]
    BadCredentials(String),
}

impl Aws {
    pub(super) fn new(settings: AwsSettings) -> Self {
        Self { settings, client: OnceCell::new() }
    }

    pub(super) async fn query(&self, query: &Query, call: &Call) -> Result<Found, AwsError> {
        query::run(&self.client().await?, query, call).await
    }

    pub(super) async fn log_groups(&self, lookups: &[Lookup], most: usize, call: &Call) -> Result<Groups, AwsError> {
        groups::list(&self.client().await?, lookups, most, call).await
    }

    pub(super) async fn fields(&self, group: &str, call: &Call) -> Result<Vec<Field>, AwsError> {
        groups::fields(&self.client().await?, group, call).await
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
    let metadata =
        imds::Client::builder().connect_timeout(METADATA_CONNECT).read_timeout(METADATA_READ).max_attempts(1).build();
    let region = region(settings, metadata.clone()).await;
    let credentials = credentials(settings, region.clone(), metadata).await;
    let missing_credentials = credentials.provide_credentials().await.err().map(Missing::from);
    let missing_region = region.is_none().then_some(Missing::Region);
    let missing: Vec<_> = missing_region.into_iter().chain(missing_credentials).collect();
    if !missing.is_empty() {
        return Err(NotReady(missing));
    }
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).build();
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(region)
        .credentials_provider(credentials)
        .timeout_config(timeouts)
        // What is asked again, and for how long, `patience` decides: it knows how long the call lasts.
        .retry_config(RetryConfig::disabled());
    let config = match &settings.endpoint {
        Some(endpoint) => config.endpoint_url(endpoint),
        None => config,
    };
    Ok(Client::new(&config.load().await))
}

async fn region(settings: &AwsSettings, metadata: imds::Client) -> Option<Region> {
    if let Some(region) = &settings.region {
        return Some(Region::new(region.clone()));
    }
    let profile = match &settings.identity {
        Identity::Profile(name) => ProfileFileRegionProvider::builder().profile_name(name).build(),
        Identity::Chain | Identity::Key(_) => ProfileFileRegionProvider::new(),
    };
    let chain = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(profile)
        .or_else(ImdsRegionProvider::builder().imds_client(metadata).build());
    chain.region().await
}

async fn credentials(
    settings: &AwsSettings,
    region: Option<Region>,
    metadata: imds::Client,
) -> SharedCredentialsProvider {
    let chain = DefaultCredentialsChain::builder().region(region).imds_client(metadata);
    match &settings.identity {
        Identity::Key(key) => SharedCredentialsProvider::new(key.clone()),
        Identity::Profile(name) => SharedCredentialsProvider::new(chain.profile_name(name).build().await),
        Identity::Chain => SharedCredentialsProvider::new(chain.build().await),
    }
}

fn comes_from_metadata(error: &CredentialsError) -> bool {
    std::iter::successors(error.source(), |cause| (*cause).source()).any(|cause| cause.is::<ImdsError>())
}

impl From<CredentialsError> for Missing {
    fn from(error: CredentialsError) -> Self {
        // Where the metadata service is not AWS's own, as in a filtered network, the last source fails with its words.
        if matches!(error, CredentialsError::CredentialsNotLoaded(_)) || comes_from_metadata(&error) {
            Self::Credentials
        } else {
            Self::BadCredentials(chain(&error))
        }
    }
}
