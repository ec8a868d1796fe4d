//! The keys that seal sessions and other tokens: those that came with config.toml, those that AWS keeps, which are read at
//! start and from time to time again, or one that lives as long as the process. Seals nothing itself.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::rand;
use causeway_aws::{
    Aws,
    secret::{Reference, SecretError},
};
use causeway_core::seal::Sealer;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use crate::{
    config::{Config, KEY_BYTES, SecretSource},
    secret::Secret,
    stored::{SecretUnread, read},
};

/// Keys that were in use before and open still: a session lives shorter than so many changes take.
const BEFORE: usize = 3;

/// A sealer whose keys are followed for as long as this lives.
#[derive(Debug)]
pub struct Sealing {
    keys: SessionKeys,
    sealer: Arc<Sealer>,
    /// The one that lives as long as the process, once it was needed. It opens for ever: nobody else has it.
    own: Option<Secret>,
    _following: AbortOnDropHandle<()>,
}

/// Other keys that were read and do not seal yet.
#[derive(Debug)]
pub struct NewKeys {
    keys: SessionKeys,
    read: Vec<Secret>,
}

/// Where the keys are.
#[derive(Clone, Debug)]
struct SessionKeys {
    sources: Vec<SecretSource>,
    aws: Aws,
    /// After so long they are read again.
    refresh: Duration,
}

/// A key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(transparent)]
    Unread(#[from] SecretError),
    #[error(transparent)]
    File(#[from] SecretUnread),
    #[error("the session key in `{0}` is shorter than {KEY_BYTES} bytes: make one with `openssl rand -base64 32`")]
    Short(Reference),
}

impl Sealing {
    /// Seals with these keys.
    ///
    /// # Errors
    /// [`KeyError`] if one that AWS keeps cannot be had. Without it the sessions of other replicas would not open.
    pub async fn begin(config: &Config, aws: &Aws) -> Result<Self, KeyError> {
        let keys = SessionKeys::new(config, aws);
        let (read, mut own) = (keys.read().await?, None);
        let known = all(&read, &mut own);
        let sealer = Arc::new(Sealer::new(bytes(&known)));
        let following = keys.clone().follow(Arc::clone(&sealer), read, known);
        Ok(Self { keys, sealer, own, _following: AbortOnDropHandle::new(tokio::spawn(following)) })
    }

    /// What it seals with: the same for ever.
    pub fn sealer(&self) -> &Arc<Sealer> {
        &self.sealer
    }

    /// The keys of another configuration, which has them from `aws`; none where it changes nothing.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub async fn read(&self, config: &Config, aws: &Aws, asks_the_same: bool) -> Result<Option<NewKeys>, KeyError> {
        let keys = SessionKeys::new(config, aws);
        if keys.sources == self.keys.sources && asks_the_same {
            return Ok(None);
        }
        let read = keys.read().await?;
        Ok(Some(NewKeys { keys, read }))
    }

    /// Seals with `new` keys from now on. A key that the configuration names no more opens nothing any more.
    pub fn take(&mut self, NewKeys { keys, read }: NewKeys) {
        let known = all(&read, &mut self.own);
        self.sealer.replace(bytes(&known));
        let following = keys.clone().follow(Arc::clone(&self.sealer), read, known);
        self._following = AbortOnDropHandle::new(tokio::spawn(following));
        self.keys = keys;
    }
}

/// The keys that were `read`, and behind them the process's own, which is made where there is no other.
fn all(read: &[Secret], own: &mut Option<Secret>) -> Vec<Secret> {
    if read.is_empty() {
        own.get_or_insert_with(random);
    }
    read.iter().chain(&*own).cloned().collect()
}

impl SessionKeys {
    /// Reads nothing yet.
    fn new(config: &Config, aws: &Aws) -> Self {
        Self { sources: config.sessions.keys.clone(), aws: aws.clone(), refresh: config.aws.secret_refresh }
    }

    /// Puts keys that changed into `sealer`, and looks again from time to time. `current` were read last, `known` it has. Ends at
    /// once where nothing can change.
    async fn follow(self, sealer: Arc<Sealer>, mut current: Vec<Secret>, mut known: Vec<Secret>) {
        if self.sources.iter().all(|source| source.here().is_some()) {
            return;
        }
        loop {
            sleep(self.refresh).await;
            match self.read().await {
                Ok(keys) if keys == current => (),
                Ok(keys) => {
                    known = merged(&keys, &known);
                    sealer.replace(bytes(&known));
                    tracing::info!("the session keys have changed");
                    current = keys;
                }
                Err(error) => {
                    tracing::warn!(%error, "the session keys could not be read again; those of before serve on")
                }
            }
        }
    }

    async fn read(&self) -> Result<Vec<Secret>, KeyError> {
        let mut keys = Vec::new();
        for source in &self.sources {
            keys.push(match source {
                SecretSource::Here(key) => key.clone(),
                SecretSource::File(path) => read(path)?,
                SecretSource::Aws { reference, json_key } => {
                    let text = reference.read(&self.aws, json_key.as_deref()).await?;
                    if text.expose().len() < KEY_BYTES {
                        return Err(KeyError::Short(reference.clone()));
                    }
                    Secret::new(text.expose())
                }
            });
        }
        Ok(keys)
    }
}

/// `keys`, and after them those of `before` that are not among them.
fn merged(keys: &[Secret], before: &[Secret]) -> Vec<Secret> {
    let older = before.iter().filter(|key| !keys.contains(key)).take(BEFORE);
    keys.iter().chain(older).cloned().collect()
}

fn random() -> Secret {
    let mut key = [0; KEY_BYTES];
    rand::fill(&mut key).expect("the system gives random bytes");
    Secret::new(key.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

fn bytes(keys: &[Secret]) -> impl Iterator<Item = &[u8]> {
    keys.iter().map(|key| key.expose().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_before_open_for_some_changes() {
        let key = |name: &str| Secret::new(name);
        let mut known = vec![key("a"), key("b")];
        for (now, expected) in [("c", "c a b"), ("a", "a c b"), ("d", "d a c b"), ("e", "e d a c")] {
            known = merged(&[key(now)], &known);
            let names: Vec<_> = known.iter().map(Secret::expose).collect();
            assert_eq!(names.join(" "), expected);
        }
    }
}
