//! A secret as its users need it: the value that came with config.toml, one that AWS keeps, read at first use and again from
//! time to time, or a file that others write anew, read again once its value is refused. The old value serves while AWS does not answer, but not once AWS says that it is deleted.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use causeway_aws::{Aws, secret::SecretError};
use causeway_oidc::{
    clock::Clock,
    kept::{Given, Interrupted, Kept, Version},
};

use crate::{
    config::{
        Environment, SecretSource,
        environment::{Reference as Place, Unavailable},
    },
    secret::Secret,
    shared::Shared,
};

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
    /// What other replicas have fetched already.
    pub shared: Shared,
    pub clock: Clock,
}

/// A secret over time. Clones share it.
#[derive(Clone, Debug)]
pub(crate) enum StoredSecret {
    Here(Secret),
    File(Filed),
    Kept(Kept<Secret, SecretUnread>),
}

/// A secret in a file that others write anew. Clones share what was read.
#[derive(Clone, Debug)]
pub(crate) struct Filed {
    path: Arc<Path>,
    read: Arc<Mutex<Option<Version<Secret>>>>,
}

/// A secret that is kept elsewhere could not be read. Names its ARN, and AWS's word for what is wrong, or its file.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SecretUnread {
    #[error("the file `{}` {why}", path.display())]
    File { path: PathBuf, why: Arc<Unavailable> },
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
            SecretSource::File(path) => return Self::File(Filed::new(path)),
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
            Self::File(file) => file.value(),
            Self::Kept(kept) => kept.value().await,
        }
    }

    /// The secret as it is now: after a rest longer than `sources.secret_refresh` it is read before it is used, unless AWS does
    /// not answer soon. For secrets that others are judged by: nobody refuses one that was withdrawn.
    pub(crate) async fn fresh(&self) -> Result<Version<Secret>, SecretUnread> {
        match self {
            Self::Here(_) | Self::File(_) => self.value().await,
            Self::Kept(kept) => kept.fresh(PATIENCE).await,
        }
    }

    /// Somebody refused the secret of this `generation`: whether there is another one now.
    pub(crate) async fn renew(&self, generation: u64) -> Result<bool, SecretUnread> {
        match self {
            Self::Here(_) => Ok(false),
            Self::File(file) => file.renew(generation),
            Self::Kept(kept) => kept.renew(generation).await,
        }
    }
}

/// The secret that is in a file now.
pub(crate) fn read(path: &Path) -> Result<Secret, SecretUnread> {
    let found = Environment::process().look_up(Place::File(path));
    found.map_err(|why| SecretUnread::File { path: path.to_owned(), why: Arc::new(why) })
}

impl Filed {
    fn new(path: &Path) -> Self {
        Self { path: path.into(), read: Arc::default() }
    }

    fn value(&self) -> Result<Version<Secret>, SecretUnread> {
        let mut known = self.known();
        if let Some(known) = &*known {
            return Ok(known.clone());
        }
        let first = Version { value: read(&self.path)?, generation: 0 };
        Ok(known.insert(first).clone())
    }

    /// A few bytes of this machine are read at each refusal: whoever has just written a new secret need not wait.
    fn renew(&self, generation: u64) -> Result<bool, SecretUnread> {
        let mut known = self.known();
        match &mut *known {
            Some(known) if known.generation == generation => {
                let value = read(&self.path)?;
                let is_new = value != known.value;
                *known = Version { value, generation: generation + u64::from(is_new) };
                Ok(is_new)
            }
            _ => Ok(true),
        }
    }

    fn known(&self) -> MutexGuard<'_, Option<Version<Secret>>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_again_when_its_secret_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let file = Filed::new(&path);
        assert!(
            file.value()
                .unwrap_err()
                .to_string()
                .ends_with("token` cannot be read: No such file or directory (os error 2)")
        );
        std::fs::write(&path, "one\n").unwrap();
        let one = file.value().unwrap();
        assert_eq!((one.value.expose(), one.generation), ("one", 0));
        assert!(!file.renew(0).unwrap(), "it is the same");
        std::fs::write(&path, "two").unwrap();
        assert_eq!(file.value().unwrap().value.expose(), "one", "nobody refused it yet");
        assert!(file.renew(0).unwrap());
        assert!(file.clone().renew(0).unwrap(), "a second one who was refused the first");
        let two = file.value().unwrap();
        assert_eq!((two.value.expose(), two.generation), ("two", 1));
        std::fs::remove_file(&path).unwrap();
        assert!(file.renew(1).is_err());
        assert_eq!(file.value().unwrap().value.expose(), "two", "what was read stays");
    }
}
