//! Knows an issuer's keys over time: fetched when first needed, renewed by age and for keys it does not know, kept while
//! the issuer is down. Judges no claim itself (`token.rs` does).

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use reqwest::Client;
use tokio::sync::{Mutex, OwnedMutexGuard};
use url::Url;

use crate::{
    clock::Clock,
    discovery::Discovery,
    fetch::{self, FetchError},
    keys::{KeySet, Keys},
    token::{Claims, TokenError, Unverified},
};

/// After a failed fetch, nobody asks the issuer again for this long.
pub const COOL_DOWN: Duration = Duration::from_secs(5);

/// Between two fetches for the sake of keys that are not known: anyone can invent a `kid`.
pub const UNKNOWN_KEY_INTERVAL: Duration = Duration::from_secs(30);

/// Keys older than this are renewed in the background, so that a withdrawn key goes.
pub const MAX_AGE: Duration = Duration::from_secs(15 * 60);

/// Verifies the tokens of one issuer. Clones share what it knows.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    source: Source,
    clock: Clock,
    skew: Duration,
    /// What readers see. Never locked across an await.
    known: RwLock<Option<Arc<Issuer>>>,
    /// Held by the one task that fetches.
    fetching: Arc<Mutex<Attempts>>,
}

struct Source {
    discovery_url: Url,
    http: Client,
    timeout: Duration,
}

/// What is known of the issuer.
struct Issuer {
    name: String,
    keys: Keys,
    fetched: Duration,
}

#[derive(Default)]
struct Attempts {
    /// When the last fetch failed, and why.
    failed: Option<(Duration, IssuerUnavailable)>,
    /// When keys were last fetched because one was unknown. Forgotten by a failure, which has its own, shorter pause.
    unknown_key: Option<Duration>,
}

/// The issuer's discovery document or keys cannot be had: a fault of the issuer or of the network, not of a token, so a
/// 503 and not a 401.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the issuer's keys cannot be had: {cause}")]
pub struct IssuerUnavailable {
    /// After this long the issuer is asked again.
    pub retry_after: Duration,
    cause: Arc<IssuerError>,
}

/// What is wrong with the issuer.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("the discovery document at `{0}` has no `jwks_uri`: check the URL")]
    NoKeysUri(String),
    #[error("the key set at `{0}` holds no usable key: RSA from 2048 bits, P-256, P-384 or Ed25519 for signatures")]
    NoKeys(String),
    #[error("the fetch was interrupted")]
    Interrupted,
}

impl Verifier {
    /// A verifier for the issuer with this discovery document. Nothing is fetched yet. `clock_skew` is tolerated in
    /// `exp` and `nbf`.
    pub fn new(discovery_url: Url, http: Client, clock: Clock, clock_skew: Duration) -> Self {
        Self::with_timeout(discovery_url, http, clock, clock_skew, fetch::TIMEOUT)
    }

    fn with_timeout(url: Url, http: Client, clock: Clock, skew: Duration, timeout: Duration) -> Self {
        // Fails only if it is set already, by another verifier or by the program, and either choice is good.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let source = Source { discovery_url: url, http, timeout };
        let known = RwLock::default();
        Self(Arc::new(Inner { source, clock, skew, known, fetching: Arc::default() }))
    }

    /// Verifies `token` (without `Bearer`).
    ///
    /// # Errors
    /// [`TokenError::IssuerUnavailable`] if the key for it cannot be had now; any other if the token is bad.
    pub async fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        let token = Unverified::parse(token)?;
        let issuer = self.0.issuer().await?;
        match self.judge(&token, &issuer) {
            Err(TokenError::UnknownKey(_)) => self.judge(&token, &*self.0.issuer_after(&issuer).await?),
            judged => judged,
        }
    }

    fn judge(&self, token: &Unverified<'_>, issuer: &Issuer) -> Result<Claims, TokenError> {
        token.verify(&issuer.keys, &issuer.name, self.0.clock.now(), self.0.skew)
    }

    /// The issuer's name as its discovery document says it: the `iss` of its tokens, and what
    /// `authorization_servers` of a resource's metadata names (RFC 9728).
    ///
    /// # Errors
    /// [`IssuerUnavailable`] if it was never reached.
    pub async fn issuer(&self) -> Result<String, IssuerUnavailable> {
        Ok(self.0.issuer().await?.name.clone())
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("discovery_url", &fetch::shown(&self.0.source.discovery_url)).finish()
    }
}

impl Inner {
    fn known(&self) -> Option<Arc<Issuer>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is known; fetched now if that is nothing.
    async fn issuer(self: &Arc<Self>) -> Result<Arc<Issuer>, IssuerUnavailable> {
        if let Some(issuer) = self.known() {
            self.renew_by_age(&issuer);
            return Ok(issuer);
        }
        let attempts = self.fetching.clone().lock_owned().await;
        match self.known() {
            Some(issuer) => Ok(issuer),
            None => self.fetch(attempts).await,
        }
    }

    /// What is known after a look for keys newer than those of `seen`, or `seen` again if it is too early for one.
    async fn issuer_after(self: &Arc<Self>, seen: &Arc<Issuer>) -> Result<Arc<Issuer>, IssuerUnavailable> {
        let mut attempts = self.fetching.clone().lock_owned().await;
        if let Some(newer) = self.known().filter(|known| !Arc::ptr_eq(known, seen)) {
            return Ok(newer);
        }
        let now = self.clock.now();
        if attempts.unknown_key.is_some_and(|last| now.saturating_sub(last) < UNKNOWN_KEY_INTERVAL) {
            return Ok(seen.clone());
        }
        attempts.unknown_key = Some(now);
        self.fetch(attempts).await
    }

    fn renew_by_age(self: &Arc<Self>, issuer: &Issuer) {
        if self.clock.now().saturating_sub(issuer.fetched) < MAX_AGE {
            return;
        }
        if let Ok(attempts) = self.fetching.clone().try_lock_owned() {
            drop(tokio::spawn(self.clone().fetch_now(attempts)));
        }
    }

    /// Fetches in a task of its own, so that a caller who goes away takes nothing from those who wait.
    async fn fetch(self: &Arc<Self>, attempts: OwnedMutexGuard<Attempts>) -> Result<Arc<Issuer>, IssuerUnavailable> {
        let task = tokio::spawn(self.clone().fetch_now(attempts));
        task.await.unwrap_or_else(|_| Err(unavailable(IssuerError::Interrupted)))
    }

    async fn fetch_now(
        self: Arc<Self>,
        mut attempts: OwnedMutexGuard<Attempts>,
    ) -> Result<Arc<Issuer>, IssuerUnavailable> {
        let now = self.clock.now();
        if let Some((failed, error)) = attempts.failed.clone() {
            let left = COOL_DOWN.saturating_sub(now.saturating_sub(failed));
            if !left.is_zero() {
                attempts.unknown_key = None;
                return Err(IssuerUnavailable { retry_after: left, ..error });
            }
        }
        match self.source.fetch().await {
            Ok((name, keys)) => {
                attempts.failed = None;
                let issuer = Arc::new(Issuer { name, keys, fetched: now });
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(issuer.clone());
                Ok(issuer)
            }
            Err(error) => {
                tracing::warn!(%error, "the issuer's keys cannot be had, those known stay in use");
                let error = unavailable(error);
                *attempts = Attempts { failed: Some((now, error.clone())), unknown_key: None };
                Err(error)
            }
        }
    }
}

impl Source {
    async fn fetch(&self) -> Result<(String, Keys), IssuerError> {
        let discovery = Discovery::fetch(&self.http, &self.discovery_url, self.timeout).await?;
        let keys_uri = discovery.jwks_uri.ok_or_else(|| IssuerError::NoKeysUri(fetch::shown(&self.discovery_url)))?;
        let set: KeySet = fetch::document(&self.http, &keys_uri, "a JWK set (JSON with `keys`)", self.timeout).await?;
        let keys = Keys::from(set);
        match keys.is_empty() {
            true => Err(IssuerError::NoKeys(fetch::shown(&keys_uri))),
            false => Ok((discovery.issuer, keys)),
        }
    }
}

fn unavailable(cause: IssuerError) -> IssuerUnavailable {
    IssuerUnavailable { retry_after: COOL_DOWN, cause: Arc::new(cause) }
}

#[cfg(test)]
mod tests;
