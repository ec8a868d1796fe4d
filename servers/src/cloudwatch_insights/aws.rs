//! The client of CloudWatch Logs: made at the first call, from the usual AWS settings. Makes no call to the service.
//!
//! The last of the credential sources, the instance metadata service, is asked once and briefly. With the SDK's
//! defaults a machine without credentials and without that service waits for seconds before it learns so.

use std::{error::Error, time::Duration};

use aws_config::{
    BehaviorVersion,
    default_provider::credentials::DefaultCredentialsChain,
    environment::EnvironmentVariableRegionProvider,
    imds::{self, client::error::ImdsError, region::ImdsRegionProvider},
    meta::region::RegionProviderChain,
    profile::ProfileFileRegionProvider,
    timeout::TimeoutConfig,
};
use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError};
use aws_sdk_cloudwatchlogs::Client;
use tokio::sync::OnceCell;

/// The metadata service is on the same machine: it answers in milliseconds or is not there.
const METADATA_CONNECT: Duration = Duration::from_millis(500);
const METADATA_READ: Duration = Duration::from_secs(1);

/// Connecting to the service; a whole attempt.
const CONNECT: Duration = Duration::from_secs(3);
const ATTEMPT: Duration = Duration::from_secs(30);

/// A lazily made client. Failure is not kept: the next call tries again.
#[derive(Debug, Default)]
pub(super) struct Aws(OnceCell<Client>);

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
    /// A client that has a region and found credentials.
    pub(super) async fn logs(&self) -> Result<Client, NotReady> {
        self.0.get_or_try_init(connect).await.cloned()
    }
}

/// The messages of an error and its causes in one line. What the SDK's errors show in `Debug` is left out.
pub(super) fn chain(error: &dyn Error) -> String {
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

async fn connect() -> Result<Client, NotReady> {
    let metadata =
        imds::Client::builder().connect_timeout(METADATA_CONNECT).read_timeout(METADATA_READ).max_attempts(1).build();
    let region = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new())
        .or_else(ImdsRegionProvider::builder().imds_client(metadata.clone()).build());
    let region = region.region().await;
    let credentials = DefaultCredentialsChain::builder().region(region.clone()).imds_client(metadata).build().await;
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
        .load()
        .await;
    Ok(Client::new(&config))
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
