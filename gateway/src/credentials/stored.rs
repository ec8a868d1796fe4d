//! A secret as a credential needs it: the value that came with config.toml, or one that AWS keeps, read at first use and again
//! from time to time. The old value serves while AWS does not answer.

use std::{sync::Arc, time::Duration};

use causeway_aws::{Aws, secret::SecretError};
use causeway_oidc::{
    clock::Clock,
    kept::{Given, Interrupted, Kept, Version},
};

use crate::{config::SecretSource, secret::Secret};

/// A secret over time. Clones share it.
#[derive(Clone, Debug)]
pub(super) enum StoredSecret {
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

impl StoredSecret {
    /// Reads nothing yet. A value is read again by whoever uses it after `refresh`.
    pub(super) fn new(source: &SecretSource, aws: &Aws, refresh: Duration, clock: &Clock) -> Self {
        let (reference, json_key) = match source {
            SecretSource::Here(secret) => return Self::Here(secret.clone()),
            SecretSource::Aws { reference, json_key } => (Arc::new(reference.clone()), json_key.clone()),
        };
        let (aws, now) = (aws.clone(), clock.clone());
        Self::Kept(Kept::new(clock.clone(), move || {
            let (reference, json_key, aws) = (Arc::clone(&reference), json_key.clone(), aws.clone());
            let refresh_at = now.now().saturating_add(refresh);
            async move {
                let text = reference.read(&aws, json_key.as_deref()).await;
                let text = text.inspect_err(|error| tracing::warn!(%error, "a secret could not be read"));
                let text = text.map_err(|error| SecretUnread::Secret(Arc::new(error)))?;
                Ok(Given { value: Secret::new(text.expose()), refresh_at, expires_at: None })
            }
        }))
    }

    /// The secret. Waits only before it was read for the first time.
    pub(super) async fn value(&self) -> Result<Version<Secret>, SecretUnread> {
        match self {
            Self::Here(secret) => Ok(Version { value: secret.clone(), generation: 0 }),
            Self::Kept(kept) => kept.value().await,
        }
    }

    /// Somebody refused the secret of this `generation`: whether there is another one now.
    pub(super) async fn renew(&self, generation: u64) -> Result<bool, SecretUnread> {
        match self {
            Self::Here(_) => Ok(false),
            Self::Kept(kept) => kept.renew(generation).await,
        }
    }
}
