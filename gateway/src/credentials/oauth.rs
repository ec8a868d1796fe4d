//! Tokens by OAuth 2.0 client credentials: one per target, fetched once for all who wait, renewed in the background. How a
//! token is asked for is in `oauth/request.rs`; when, `causeway_oidc::kept` decides.

use std::{fmt, sync::Arc, time::Duration};

use causeway_core::name::TargetName;
use causeway_oidc::{
    fetch,
    kept::{self, Given, Interrupted, Kept, Standing},
};
use http::{HeaderValue, header::AUTHORIZATION, request::Parts};

use super::{CredentialError, Failure, Generation, Stage};
use crate::{config, stored::Sources};

mod answer;
mod request;
mod sharing;

use request::TokenSource;
use sharing::Sharing;

/// Assumed when a token response has no `expires_in`, which RFC 6749 only recommends.
const ASSUMED_LIFETIME: Duration = Duration::from_secs(300);

/// A token that lives shorter is used this long all the same, or those who wait for it would each fetch one.
const SHORTEST_LIFETIME: Duration = Duration::from_secs(1);

/// The token of one target. Clones share it.
#[derive(Clone)]
pub struct ClientCredentials {
    target: TargetName,
    /// `Bearer ...`, marked sensitive.
    token: Kept<HeaderValue, Ungranted>,
}

/// A token as it was given.
struct Granted {
    header: HeaderValue,
    lifetime: Option<Duration>,
}

/// There is no token.
#[derive(Clone, Debug)]
struct Ungranted {
    stage: Stage,
    failure: Arc<Failure>,
}

impl ClientCredentials {
    /// Between two tokens that are fetched only because the target refused one: a target that always answers 401 must
    /// not make the gateway hammer the token endpoint.
    pub const FORCE_INTERVAL: Duration = kept::FORCE_INTERVAL;

    pub(super) fn new(target: &TargetName, config: &config::ClientCredentials, sources: &Sources) -> Self {
        Self::with_timeout(target, config, sources, fetch::TIMEOUT)
    }

    fn with_timeout(
        target: &TargetName,
        config: &config::ClientCredentials,
        sources: &Sources,
        timeout: Duration,
    ) -> Self {
        let source = Arc::new(TokenSource::new(config, sources, timeout));
        let name = target.clone();
        let sharing = Arc::new(Sharing::new(target, config, &sources.shared, &sources.clock));
        let token = Kept::new(sources.clock.clone(), move || {
            let (source, sharing) = (Arc::clone(&source), Arc::clone(&sharing));
            async move { sharing.token(source.grant()).await }
        });
        let token = token.telling(move |why: &Ungranted| {
            let error = why.of(&name);
            tracing::warn!(target.name = %name, %error, "a token request failed; the token of before serves on");
        });
        Self { target: target.clone(), token }
    }

    /// How the token stands.
    pub(super) fn standing(&self) -> Standing {
        self.token.standing()
    }

    /// Puts the token on `request` and says which it is.
    pub(super) async fn apply(&self, request: &mut Parts) -> Result<Generation, CredentialError> {
        let token = self.token.value().await.map_err(|why| why.of(&self.target))?;
        request.headers.insert(AUTHORIZATION, token.value);
        Ok(token.generation)
    }

    /// Whether there is something else to show than the token that the target refused.
    pub(super) async fn renew(&self, refused: Generation) -> Result<bool, CredentialError> {
        self.token.renew(refused).await.map_err(|why| why.of(&self.target))
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentials").field("target", &self.target).finish_non_exhaustive()
    }
}

impl Granted {
    fn given(self, asked_at: Duration) -> Given<HeaderValue> {
        let lifetime = self.lifetime.unwrap_or(ASSUMED_LIFETIME).max(SHORTEST_LIFETIME);
        Given {
            value: self.header,
            refresh_at: asked_at.saturating_add(lifetime / 10 * 9),
            expires_at: Some(asked_at.saturating_add(lifetime)),
        }
    }
}

impl Ungranted {
    fn new(stage: Stage, failure: Failure) -> Self {
        Self { stage, failure: Arc::new(failure) }
    }

    fn of(&self, target: &TargetName) -> CredentialError {
        CredentialError { target: target.clone(), stage: self.stage, failure: Arc::clone(&self.failure) }
    }
}

impl From<Interrupted> for Ungranted {
    fn from(interrupted: Interrupted) -> Self {
        Self::new(Stage::Token, interrupted.into())
    }
}

#[cfg(test)]
mod tests;
