//! Tokens by OAuth 2.0 client credentials: one per target, fetched once for all who wait, renewed in the background.
//! When a token is good is decided in `oauth/slot.rs`, how it is asked for in `oauth/request.rs`.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use causeway_core::name::TargetName;
use causeway_oidc::{clock::Clock, fetch};
use http::{header::AUTHORIZATION, request::Parts};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::{CredentialError, Generation};
use crate::config;

mod answer;
mod request;
mod slot;

use request::TokenSource;
use slot::{Offer, Slot, Token};

/// The token of one target. Clones share it.
#[derive(Clone)]
pub struct ClientCredentials(Arc<Inner>);

struct Inner {
    source: TokenSource,
    clock: Clock,
    /// Never locked across an await.
    slot: Mutex<Slot>,
    /// Held by the one task that asks for a token.
    asking: Arc<AsyncMutex<()>>,
}

impl ClientCredentials {
    /// Between two tokens that are fetched only because the target refused one: a target that always answers 401 must
    /// not make the gateway hammer the token endpoint.
    pub const FORCE_INTERVAL: Duration = slot::FORCE_INTERVAL;

    pub(super) fn new(
        target: &TargetName,
        config: &config::ClientCredentials,
        http: reqwest::Client,
        clock: Clock,
    ) -> Self {
        Self::with_timeout(target, config, http, clock, fetch::TIMEOUT)
    }

    fn with_timeout(
        target: &TargetName,
        config: &config::ClientCredentials,
        http: reqwest::Client,
        clock: Clock,
        timeout: Duration,
    ) -> Self {
        let source = TokenSource::new(target.clone(), config.clone(), http, timeout);
        Self(Arc::new(Inner { source, clock, slot: Mutex::default(), asking: Arc::default() }))
    }

    /// Puts the token on `request` and says which it is.
    pub(super) async fn apply(&self, request: &mut Parts) -> Result<Generation, CredentialError> {
        let token = self.0.token().await?;
        request.headers.insert(AUTHORIZATION, token.header);
        Ok(token.generation)
    }

    /// Whether there is something else to show than the token that the target refused.
    pub(super) async fn renew(&self, refused: Generation) -> Result<bool, CredentialError> {
        let now = self.0.clock.now();
        if !self.0.slot().refuse(refused, now) {
            return Ok(false);
        }
        let token = self.0.token().await?;
        Ok(token.generation != refused)
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentials").field("target", self.0.source.target()).finish_non_exhaustive()
    }
}

impl Inner {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offer(&self) -> Offer {
        self.slot().offer(self.clock.now())
    }

    async fn token(self: &Arc<Self>) -> Result<Token, CredentialError> {
        match self.offer() {
            Offer::Use(token) => Ok(token),
            Offer::UseAndRefresh(token) => {
                self.refresh();
                Ok(token)
            }
            Offer::CoolDown(error) => Err(error),
            Offer::Fetch => self.first().await,
        }
    }

    /// Asks for a token, or waits for whoever does already.
    async fn first(self: &Arc<Self>) -> Result<Token, CredentialError> {
        let turn = self.asking.clone().lock_owned().await;
        match self.offer() {
            Offer::Use(token) | Offer::UseAndRefresh(token) => Ok(token),
            Offer::CoolDown(error) => Err(error),
            Offer::Fetch => {
                // A task of its own, so that a caller who goes away takes nothing from those who wait.
                let asking = tokio::spawn(self.clone().ask(turn));
                asking.await.unwrap_or_else(|_| Err(self.source.interrupted()))
            }
        }
    }

    /// Asks for the next token in the background, unless someone does already.
    fn refresh(self: &Arc<Self>) {
        let Ok(turn) = self.asking.clone().try_lock_owned() else {
            return;
        };
        // Another refresh may have ended between the offer and the turn.
        if let Offer::UseAndRefresh(_) = self.offer() {
            drop(tokio::spawn(self.clone().ask(turn)));
        }
    }

    async fn ask(self: Arc<Self>, _turn: OwnedMutexGuard<()>) -> Result<Token, CredentialError> {
        let asked_at = self.clock.now();
        match self.source.grant().await {
            Ok(granted) => Ok(self.slot().store(granted, asked_at)),
            Err(error) => {
                tracing::warn!(target.name = %error.target, %error, "a token request failed");
                self.slot().fail(error.clone(), self.clock.now());
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests;
