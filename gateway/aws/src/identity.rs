//! Who this process is to AWS: credentials, kept until shortly before they expire, and the region. Where they come from is
//! in `chain.rs`; what they are good for, AWS decides.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future},
};
use causeway_oidc::{
    clock::Clock,
    kept::{Given, Kept, Version},
};

use crate::chain;
pub use crate::chain::{NoCredentials, NoRegion, Role, Settings};

/// Temporary credentials are renewed this long before their end, or after half of their life if that is later.
const AHEAD: Duration = Duration::from_secs(5 * 60);

/// Credentials without an end are read again after so long: a file that holds them may have changed.
const RELOAD: Duration = Duration::from_secs(15 * 60);

/// An identity. Clones share the credentials. Nothing is read before somebody asks.
#[derive(Clone, Debug)]
pub struct Identity(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Arc<Source>,
    kept: Kept<Credentials, NoCredentials>,
}

/// Where credentials and region come from.
#[derive(Debug)]
enum Source {
    /// The default chain. The region is read once, by one for all who wait.
    Chain { settings: Settings, region: Kept<String, NoRegion> },
    /// Somebody who was given.
    Provider { provider: SharedCredentialsProvider, region: Option<String> },
}

impl Identity {
    /// The identity that `settings` choose.
    pub fn new(settings: Settings, clock: Clock) -> Self {
        let asked = settings.clone();
        let region = Kept::new(clock.clone(), move || {
            let settings = asked.clone();
            async move {
                let region = chain::region(&settings).await.ok_or(NoRegion)?;
                Ok(Given { value: region, refresh_at: Duration::MAX, expires_at: None })
            }
        });
        Self::from_source(Source::Chain { settings, region }, clock)
    }

    /// An identity whose credentials `provider` gives, in this region.
    pub fn from_provider(provider: impl ProvideCredentials + 'static, region: Option<String>, clock: Clock) -> Self {
        let provider = SharedCredentialsProvider::new(provider);
        Self::from_source(Source::Provider { provider, region }, clock)
    }

    fn from_source(source: Source, clock: Clock) -> Self {
        let source = Arc::new(source);
        let (reading, now) = (Arc::clone(&source), clock.clone());
        let kept = Kept::new(clock, move || {
            let (source, now) = (Arc::clone(&reading), now.clone());
            async move { source.read().await.and_then(|credentials| given(credentials, now.now())) }
        });
        let kept = kept.telling(|error| tracing::warn!(%error, "the AWS credentials could not be read again"));
        Self(Arc::new(Inner { source, kept }))
    }

    /// Living credentials. Waits only if there are none.
    ///
    /// # Errors
    /// [`NoCredentials`] says what to set.
    pub async fn credentials(&self) -> Result<Version<Credentials>, NoCredentials> {
        self.0.kept.value().await
    }

    /// AWS refused the credentials of this `generation`. Reads them again, at most once in
    /// [`FORCE_INTERVAL`](causeway_oidc::kept::FORCE_INTERVAL). True
    /// if there are newer ones, with which one more try is worth it.
    pub async fn renew(&self, generation: u64) -> bool {
        let renewed = self.0.kept.renew(generation).await;
        renewed
            .inspect_err(|error| tracing::warn!(%error, "refused AWS credentials were not replaced"))
            .unwrap_or(false)
    }

    /// The region: of the settings, else of `AWS_REGION` or `AWS_DEFAULT_REGION`, the profile, the metadata service.
    ///
    /// # Errors
    /// [`NoRegion`] if none of them says it.
    pub async fn region(&self) -> Result<String, NoRegion> {
        self.0.source.region().await
    }
}

/// For the clients of AWS's own SDK.
impl ProvideCredentials for Identity {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            match self.credentials().await {
                Ok(version) => Ok(version.value),
                Err(error @ NoCredentials::None) => Err(CredentialsError::not_loaded(error)),
                Err(error) => Err(CredentialsError::provider_error(error)),
            }
        })
    }
}

impl Source {
    async fn read(&self) -> Result<Credentials, NoCredentials> {
        match self {
            Self::Chain { settings, .. } => chain::credentials(settings, self.region().await.ok()).await,
            Self::Provider { provider, .. } => provider.provide_credentials().await.map_err(NoCredentials::from),
        }
    }

    async fn region(&self) -> Result<String, NoRegion> {
        match self {
            Self::Chain { region, .. } => Ok(region.value().await?.value),
            Self::Provider { region, .. } => region.clone().ok_or(NoRegion),
        }
    }
}

/// When `credentials`, read at `now`, are renewed and end.
fn given(credentials: Credentials, now: Duration) -> Result<Given<Credentials>, NoCredentials> {
    let end = credentials.expiry().map(|end| end.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default());
    let Some(end) = end else {
        return Ok(Given { value: credentials, refresh_at: now + RELOAD, expires_at: None });
    };
    if end <= now {
        return Err(NoCredentials::Expired);
    }
    let refresh_at = end.saturating_sub(AHEAD).max(now + (end - now) / 2);
    Ok(Given { value: credentials, refresh_at, expires_at: Some(end) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends_at(seconds: Option<u64>) -> Credentials {
        let end = seconds.map(|end| SystemTime::UNIX_EPOCH + Duration::from_secs(end));
        Credentials::new("AKIDEXAMPLE", "hunter2", None, end, "test")
    }

    /// When credentials that end at `end`, read at 10,000, are renewed.
    fn refreshed(end: Option<u64>) -> Option<u64> {
        given(ends_at(end), Duration::from_secs(10_000)).ok().map(|given| given.refresh_at.as_secs())
    }

    #[test]
    fn credentials_are_renewed_ahead_of_their_end() {
        assert_eq!(refreshed(Some(13_600)), Some(13_300));
        assert_eq!(refreshed(Some(10_100)), Some(10_050), "half of a short life");
        assert_eq!(refreshed(None), Some(10_900));
        assert_eq!(refreshed(Some(10_000)), None, "expired already");
    }

    #[tokio::test]
    async fn an_identity_shows_no_secret() {
        let clock = Clock::from_fn(|| Duration::ZERO);
        let identity = Identity::from_provider(ends_at(Some(10)), None, clock);
        let credentials = identity.credentials().await.unwrap();
        assert_eq!(credentials.value.secret_access_key(), "hunter2");
        assert!(!format!("{identity:?} {credentials:?}").contains("hunter2"));
        assert_eq!(identity.region().await, Err(NoRegion));
    }
}
