//! A secret as its users need it: the value that came with config.toml, or one that AWS keeps, read at first use and again
//! from time to time. The old value serves while AWS does not answer, but not once AWS says that it is deleted.

use std::{sync::Arc, time::Duration};

use causeway_aws::{Aws, secret::SecretError};
use causeway_oidc::{
    clock::Clock,
    kept::{Given, Interrupted, Kept, Version},
};

use crate::{config::SecretSource, secret::Secret};

/// AWS gives a secret within milliseconds. One that it does not give by then is used as it was.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whom secrets and tokens are had from. Clones share connections.
#[derive(Clone, Debug)]
pub struct Sources {
    /// For issuers and token endpoints. Must not follow redirects: with one, a token endpoint could send the client's secret elsewhere.
    pub http: reqwest::Client,
    /// For secrets that AWS keeps.
    pub aws: Aws,
    /// After so long such a secret is read again.
    pub secret_refresh: Duration,
    pub clock: Clock,
}

/// A secret over time. Clones share it.
#[derive(Clone, Debug)]
pub(crate) enum StoredSecret {
    Here(Secret),
    Kept(Kept<Secret, SecretUnread>),
}

/// A secret that AWS keeps could not be read. Names its ARN, and AWS's word for what is wrong.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SecretUnread {
    #[error(transparent)]
    Secret(Arc<SecretError>),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl SecretUnread {
    fn is_of_a_deleted_one(&self) -> bool {
        matches!(self, Self::Secret(error) if error.is_gone())
    }
}

impl StoredSecret {
    /// Reads nothing yet. A value is read again by whoever uses it after `sources.secret_refresh`.
    pub(crate) fn new(source: &SecretSource, sources: &Sources) -> Self {
        let Sources { aws, secret_refresh: refresh, clock, .. } = sources;
        let (reference, json_key) = match source {
            SecretSource::Here(secret) => return Self::Here(secret.clone()),
            SecretSource::Aws { reference, json_key } => (Arc::new(reference.clone()), json_key.clone()),
        };
        let (aws, now, refresh) = (aws.clone(), clock.clone(), *refresh);
        let fetch = move || {
            let (reference, json_key, aws) = (Arc::clone(&reference), json_key.clone(), aws.clone());
            let refresh_at = now.now().saturating_add(refresh);
            async move {
                let text = reference.read(&aws, json_key.as_deref()).await;
                let text = text.map_err(|error| SecretUnread::Secret(Arc::new(error)))?;
                Ok(Given { value: Secret::new(text.expose()), refresh_at, expires_at: None })
            }
        };
        let kept = Kept::withdrawable(clock.clone(), fetch, SecretUnread::is_of_a_deleted_one);
        Self::Kept(kept.telling(|error| tracing::warn!(%error, "a secret could not be read again")))
    }

    /// The secret. Waits only before it was read for the first time.
    pub(crate) async fn value(&self) -> Result<Version<Secret>, SecretUnread> {
        match self {
            Self::Here(secret) => Ok(Version { value: secret.clone(), generation: 0 }),
            Self::Kept(kept) => kept.value().await,
        }
    }

    /// The secret as it is now: after a rest longer than `sources.secret_refresh` it is read before it is used, unless AWS does
    /// not answer soon. For secrets that others are judged by: nobody refuses one that was withdrawn.
    pub(crate) async fn fresh(&self) -> Result<Version<Secret>, SecretUnread> {
        match self {
            Self::Here(_) => self.value().await,
            Self::Kept(kept) => kept.fresh(PATIENCE).await,
        }
    }

    /// Somebody refused the secret of this `generation`: whether there is another one now.
    pub(crate) async fn renew(&self, generation: u64) -> Result<bool, SecretUnread> {
        match self {
            Self::Here(_) => Ok(false),
            Self::Kept(kept) => kept.renew(generation).await,
        }
    }
}
