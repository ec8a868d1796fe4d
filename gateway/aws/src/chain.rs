//! The default chain of AWS's SDKs: environment, profile (with SSO, roles and processes), web identity, container, instance
//! metadata; then a role, if one is to be assumed. Reads once and keeps nothing.
//!
//! The last of the sources, the instance metadata service, is asked once and briefly. With the SDK's defaults a machine
//! without credentials and without that service waits for seconds before it learns so.

use std::{error::Error, fmt, time::Duration};

use aws_config::{
    BehaviorVersion, Region,
    default_provider::credentials::DefaultCredentialsChain,
    environment::EnvironmentVariableRegionProvider,
    imds::{self, client::error::ImdsError, region::ImdsRegionProvider},
    meta::region::RegionProviderChain,
    profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider},
    provider_config::ProviderConfig,
    sts::AssumeRoleProvider,
    timeout::TimeoutConfig,
};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, error::CredentialsError},
};
use causeway_oidc::kept::Interrupted;

use crate::refusal::without_request;

/// The metadata service is on the same machine: it answers in milliseconds or is not there.
const METADATA_CONNECT: Duration = Duration::from_millis(500);
const METADATA_READ: Duration = Duration::from_secs(1);

/// Connecting to a service that gives credentials; a whole attempt; all of it.
const CONNECT: Duration = Duration::from_secs(3);
const ATTEMPT: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_secs(30);

/// Of a role's session, where config.toml gives no other.
const SESSION_NAME: &str = "causeway";

/// Which of the identities that this machine may have. By default the one that AWS's own tools would take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// A profile of `~/.aws/config` and `~/.aws/credentials`. Named, it alone is asked: neither the variables of the
    /// environment nor the metadata service.
    pub profile: Option<String>,
    /// In place of `AWS_REGION`, the profile's and the metadata service's.
    pub region: Option<String>,
    /// Assumed with the credentials that were found.
    pub role: Option<Role>,
}

/// A role to assume (STS `AssumeRole`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    pub arn: String,
    /// What the role's trust policy may ask for.
    pub external_id: Option<String>,
    /// Seen in CloudTrail; `causeway` if not set.
    pub session_name: Option<String>,
}

/// Why there are no credentials. No text of it holds one.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoCredentials {
    #[error(
        "there are no AWS credentials: set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` (and `AWS_SESSION_TOKEN` \
         with temporary ones) or `AWS_PROFILE`, or give this machine or container a role"
    )]
    None,
    #[error("the AWS credentials cannot be used: {0}; check `AWS_PROFILE` and the variables that start with `AWS_`")]
    Unusable(String),
    #[error(
        "the AWS profile `{profile}` gives no credentials: {cause}; check it in `~/.aws/config` and \
         `~/.aws/credentials`, and run `aws sso login --profile {profile}` if it signs in with SSO"
    )]
    Profile { profile: String, cause: String },
    #[error(
        "the role `{role}` cannot be assumed: {cause}; check the role's trust policy, `external_id` and the right to `sts:AssumeRole`"
    )]
    Role { role: String, cause: String },
    #[error("the AWS credentials that were found have expired already: check this machine's clock, or sign in again")]
    Expired,
    #[error("the AWS credentials could not be read within {}s: check the network to the service that gives them", .0.as_secs())]
    TimedOut(Duration),
    #[error(transparent)]
    Region(#[from] NoRegion),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Nobody says which region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no AWS region: set `AWS_REGION`, for example `us-east-1`")]
pub struct NoRegion;

/// The region of the first source that has one.
pub(crate) async fn region(settings: &Settings) -> Option<String> {
    if let Some(region) = &settings.region {
        return Some(region.clone());
    }
    let mut profile = ProfileFileRegionProvider::builder();
    if let Some(name) = &settings.profile {
        profile = profile.profile_name(name);
    }
    let chain = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(profile.build())
        .or_else(ImdsRegionProvider::builder().imds_client(metadata()).build());
    chain.region().await.map(|region| region.to_string())
}

/// Credentials of the first source that has some. `region` is where STS is asked.
pub(crate) async fn credentials(settings: &Settings, region: Option<String>) -> Result<Credentials, NoCredentials> {
    let reading = async {
        let found = match &settings.profile {
            Some(profile) => of_profile(profile, region.clone()).await?,
            None => of_default_chain(region.clone()).await?,
        };
        match &settings.role {
            Some(role) => assume(role, found, region).await,
            None => Ok(found),
        }
    };
    tokio::time::timeout(WHOLE, reading).await.unwrap_or(Err(NoCredentials::TimedOut(WHOLE)))
}

async fn of_default_chain(region: Option<String>) -> Result<Credentials, NoCredentials> {
    let region = region.map(Region::new);
    let chain = DefaultCredentialsChain::builder().region(region.clone()).imds_client(metadata());
    let chain = chain.configure(provider_config(region.clone())).build().await;
    let none = match chain.provide_credentials().await.map_err(NoCredentials::from) {
        Ok(credentials) => return Ok(credentials),
        Err(none) => none,
    };
    // The chain goes on to its next source where the profile that was asked for gives nothing, and in the end says nothing of it.
    match chosen_profile() {
        Some(profile) => of_profile(&profile, region.map(|region| region.to_string())).await,
        None => Err(none),
    }
}

/// The profile that the environment chooses.
#[expect(clippy::disallowed_methods, reason = "AWS's SDK reads this variable itself, and keeps to itself what it read")]
fn chosen_profile() -> Option<String> {
    std::env::var("AWS_PROFILE").ok().filter(|profile| !profile.is_empty())
}

async fn of_profile(name: &str, region: Option<String>) -> Result<Credentials, NoCredentials> {
    let config = provider_config(region.map(Region::new));
    let provider = ProfileFileCredentialsProvider::builder().configure(&config).profile_name(name).build();
    let failed = |error: CredentialsError| NoCredentials::Profile { profile: name.to_owned(), cause: text(&error) };
    provider.provide_credentials().await.map_err(failed)
}

async fn assume(role: &Role, with: Credentials, region: Option<String>) -> Result<Credentials, NoCredentials> {
    let region = region.ok_or(NoRegion)?;
    let config = aws_config::defaults(BehaviorVersion::latest()).region(Region::new(region)).timeout_config(timeouts());
    let config = config.credentials_provider(with.clone()).load().await;
    let session = role.session_name.as_deref().unwrap_or(SESSION_NAME);
    let mut provider = AssumeRoleProvider::builder(&role.arn).configure(&config).session_name(session);
    if let Some(id) = &role.external_id {
        provider = provider.external_id(id);
    }
    let provider = provider.build_from_provider(with).await;
    let failed = |error: CredentialsError| NoCredentials::Role { role: role.arn.clone(), cause: text(&error) };
    provider.provide_credentials().await.map_err(failed)
}

fn provider_config(region: Option<Region>) -> ProviderConfig {
    ProviderConfig::without_region().with_region(region).with_timeout_config(timeouts())
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).build()
}

fn metadata() -> imds::Client {
    imds::Client::builder().connect_timeout(METADATA_CONNECT).read_timeout(METADATA_READ).max_attempts(1).build()
}

impl From<CredentialsError> for NoCredentials {
    fn from(error: CredentialsError) -> Self {
        // Where the metadata service is not AWS's own, as in a filtered network, the last source fails with its words.
        if matches!(error, CredentialsError::CredentialsNotLoaded(_)) || comes_from_metadata(&error) {
            Self::None
        } else {
            Self::Unusable(text(&error))
        }
    }
}

fn comes_from_metadata(error: &CredentialsError) -> bool {
    std::iter::successors(error.source(), |cause| (*cause).source()).any(|cause| cause.is::<ImdsError>())
}

/// The messages of an error and its causes in one line. What the SDK's errors show in `Debug` is left out, and so is a
/// request that AWS repeats.
fn text(error: &dyn Error) -> String {
    let mut text = without_request(&error.to_string()).to_owned();
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    for cause in causes.map(ToString::to_string) {
        let cause = without_request(&cause);
        if !text.ends_with(cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// The process is ending.
impl From<Interrupted> for NoRegion {
    fn from(_: Interrupted) -> Self {
        Self
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.arn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_repeats_the_request_is_cut_short() {
        let cause =
            "SignatureDoesNotMatch: They differ.\n\nThe Canonical String for this request should have been\n'TOKEN'";
        let error = NoCredentials::from(CredentialsError::provider_error(cause)).to_string();
        assert!(error.contains("SignatureDoesNotMatch: They differ.;") && !error.contains("TOKEN"), "{error}");
    }
}
