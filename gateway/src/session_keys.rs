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

use crate::{
    config::{KEY_BYTES, SecretSource},
    secret::Secret,
    stored::{SecretUnread, read},
};

/// Keys that were in use before and open still: a session lives shorter than so many changes take.
const BEFORE: usize = 3;

/// Where the keys are.
#[derive(Debug)]
pub struct SessionKeys {
    sources: Vec<SecretSource>,
    aws: Aws,
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

impl SessionKeys {
    /// Reads nothing yet.
    pub fn new(sources: &[SecretSource], aws: &Aws) -> Self {
        Self { sources: sources.to_vec(), aws: aws.clone() }
    }

    /// A sealer with these keys.
    ///
    /// # Errors
    /// [`KeyError`] if one that AWS keeps cannot be had. Without it the sessions of other replicas would not open.
    pub async fn sealer(&self) -> Result<(Arc<Sealer>, Vec<Secret>), KeyError> {
        let mut keys = self.read().await?;
        if keys.is_empty() {
            keys.push(random());
        }
        Ok((Arc::new(Sealer::new(bytes(&keys))), keys))
    }

    /// Puts keys that changed into `sealer`, which has `current` now, and looks again each time `refresh` has passed. Ends at
    /// once where nothing can change.
    pub async fn follow(self, sealer: Arc<Sealer>, current: Vec<Secret>, refresh: Duration) {
        if self.sources.iter().all(|source| source.here().is_some()) {
            return;
        }
        let mut known = current.clone();
        let mut current = current;
        loop {
            sleep(refresh).await;
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
