//! What all replicas share through one Redis or Valkey: small values that wear out, each under one key, so that a cluster takes them
//! too. It is never needed: whoever asks gets nothing within a bounded time if it is down, slow, full or lets nobody in, and goes on
//! with what this replica knows. What may be secret is sealed with the session keys before it leaves.

mod link;

use std::{
    fmt,
    sync::{Arc, OnceLock, PoisonError, RwLock},
    time::Duration,
};

use causeway_aws::Identity;
use causeway_core::seal::Sealer;
use causeway_oidc::clock::Clock;
use redis::Script;
use serde::{Serialize, de::DeserializeOwned};

use self::link::Link;
use crate::{opaque::random_text, secret::Secret};

/// Keeps what is shared apart from other sealed texts.
const PURPOSE: &str = "shared";
/// Takes a claim away if it is still this one's.
const RELEASE: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end";

/// What replicas share. Clones are the same.
#[derive(Clone)]
pub struct Shared(Option<Arc<Inner>>);

struct Inner {
    /// Before each key: other gateways may use the same Redis.
    prefix: RwLock<String>,
    link: Link,
    /// Set once the session keys are there.
    sealer: OnceLock<Arc<Sealer>>,
}

/// The URL is none that a Redis can be reached at.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the URL of the Redis cannot be used; write it like `rediss://user:password@redis.example.com:6379/0`")]
pub struct BadUrl;

/// How it stands with what is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// It can be reached.
    pub(crate) up: bool,
    pub(crate) asked: u64,
    /// Of those: not answered in time, or with an error.
    pub(crate) failed: u64,
}

/// A claim to do something for all replicas.
#[derive(Debug)]
pub(crate) enum Claim {
    /// This replica does it. The text takes the claim back.
    Ours(String),
    /// Another one does.
    Theirs,
    /// Nobody knows: it is as if there were no other.
    Unknown,
}

impl Shared {
    /// Nothing is shared.
    pub fn none() -> Self {
        Self(None)
    }

    /// What gateways named `name` share at `url`. `identity` signs in where that says so. Connects to nothing yet, see [`Shared::keep_up`].
    ///
    /// # Errors
    /// [`BadUrl`].
    pub fn new(url: &Secret, name: &str, identity: &Identity, clock: &Clock) -> Result<Self, BadUrl> {
        let link = Link::new(url.expose(), identity, clock)?;
        let prefix = RwLock::new(prefix_of(name));
        Ok(Self(Some(Arc::new(Inner { prefix, link, sealer: OnceLock::new() }))))
    }

    /// From now on the gateway is called `name`, and `identity` signs in the next time. The connection stays.
    pub(crate) fn go_on_as(&self, name: &str, identity: &Identity) {
        if let Some(inner) = &self.0 {
            *inner.prefix.write().unwrap_or_else(PoisonError::into_inner) = prefix_of(name);
            inner.link.sign_in_as(identity);
        }
    }

    /// From now on, what is secret can be shared, and [`Shared::keep_up`] runs.
    pub(crate) fn seal_with(&self, sealer: Arc<Sealer>) {
        if let Some(inner) = &self.0 {
            let _ = inner.sealer.set(sealer);
            inner.link.begin();
        }
    }

    /// Waits, at the start of the process, until it is known whether anything can be shared: a few milliseconds.
    pub(crate) async fn settled(&self) {
        if let Some(inner) = &self.0 {
            inner.link.settled().await;
        }
    }

    /// Keeps the connection for as long as it runs; at once over where nothing is shared.
    pub(crate) async fn keep_up(self) {
        if let Some(inner) = &self.0 {
            inner.link.keep_up().await;
        }
    }

    /// How it stands; none where nothing is shared.
    pub(crate) fn standing(&self) -> Option<Standing> {
        self.0.as_ref().map(|inner| inner.link.standing())
    }

    /// What stands under `key`, if it is living and of this kind. `now` is since the Unix epoch.
    pub(crate) async fn sealed<T: DeserializeOwned>(&self, key: &str, now: Duration) -> Option<T> {
        let inner = self.0.as_ref()?;
        let sealer = inner.sealer.get()?;
        let text: Option<String> = inner.link.ask(redis::cmd("GET").arg(inner.key(key))).await?;
        sealer.open(PURPOSE, key, now, &text?).ok()
    }

    /// Puts `value` under `key` until `expires`; both times are since the Unix epoch.
    pub(crate) async fn seal(&self, key: &str, value: &impl Serialize, now: Duration, expires: Duration) {
        let Some((inner, sealer)) = self.0.as_ref().and_then(|inner| Some((inner, inner.sealer.get()?))) else {
            return;
        };
        let life = expires.saturating_sub(now).as_millis();
        if life == 0 {
            return;
        }
        let sealed = sealer.seal(PURPOSE, key, expires, value);
        let life = u64::try_from(life).unwrap_or(u64::MAX);
        let _: Option<()> = inner.link.ask(redis::cmd("SET").arg(inner.key(key)).arg(sealed).arg("PX").arg(life)).await;
    }

    /// Claims to do what `key` stands for, for at most `life`.
    pub(crate) async fn claim(&self, key: &str, life: Duration) -> Claim {
        let Some(inner) = &self.0 else { return Claim::Unknown };
        let own = random_text::<16>();
        let millis = u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
        let mut set = redis::cmd("SET");
        set.arg(inner.key(key)).arg(&own).arg("NX").arg("PX").arg(millis);
        match inner.link.ask::<Option<String>>(&set).await {
            Some(Some(_)) => Claim::Ours(own),
            Some(None) => Claim::Theirs,
            None => Claim::Unknown,
        }
    }

    /// Takes back the claim `own` to what `key` stands for.
    pub(crate) async fn release(&self, key: &str, own: &str) {
        let Some(inner) = &self.0 else { return };
        let _: Option<i64> = inner.link.run(Script::new(RELEASE).key(inner.key(key)).arg(own)).await;
    }

    /// What `script` makes of the value under `key` and of `arguments`: two whole numbers.
    pub(crate) async fn run(&self, script: &Script, key: &str, arguments: &[f64]) -> Option<(u64, u64)> {
        let inner = self.0.as_ref()?;
        let mut invocation = script.key(inner.key(key));
        arguments.iter().for_each(|argument| {
            invocation.arg(*argument);
        });
        inner.link.run(&invocation).await
    }

    /// Whether anything is shared at all.
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

impl Inner {
    fn key(&self, key: &str) -> String {
        [&*self.prefix.read().unwrap_or_else(PoisonError::into_inner), key].concat()
    }
}

fn prefix_of(name: &str) -> String {
    format!("causeway:{name}:")
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.write_str(if self.is_none() { "Shared(nothing)" } else { "Shared" })
    }
}
