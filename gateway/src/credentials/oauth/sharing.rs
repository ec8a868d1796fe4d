//! The token of one target among replicas: one of them fetches it, the others take what that one was given. Each goes on alone
//! where nothing is shared, or what is shared cannot be reached.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use causeway_core::{name::TargetName, wire::json};
use causeway_oidc::{clock::Clock, kept::Given};
use http::HeaderValue;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::{Granted, Ungranted};
use crate::{
    config::{ClientCredentials, TokenEndpoint},
    opaque::digest_of,
    shared::{Claim, Shared},
};

/// A replica that fetches one is given so long; then another one tries.
const CLAIM: Duration = Duration::from_secs(10);
/// The others wait no longer for it than this, and fetch one themselves.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks whether it is there.
const LOOK: Duration = Duration::from_millis(25);

/// What is known of the token of one target in all replicas.
pub(super) struct Sharing {
    shared: Shared,
    /// Under which the token stands.
    key: String,
    clock: Clock,
    /// The token that this replica has, or had last.
    last: Mutex<Option<String>>,
}

/// A token as replicas share it. Times are since the Unix epoch.
#[derive(Deserialize, Serialize)]
struct Token {
    /// The value of `Authorization`.
    #[serde(rename = "h")]
    header: String,
    #[serde(rename = "r")]
    refresh_at: Duration,
    #[serde(rename = "e")]
    expires_at: Duration,
}

impl Sharing {
    pub(super) fn new(target: &TargetName, config: &ClientCredentials, shared: &Shared, clock: &Clock) -> Self {
        let endpoint = match &config.token_endpoint {
            TokenEndpoint::Url(url) | TokenEndpoint::Discovery(url) => url.as_str(),
        };
        // Whose token it is. With another secret it is the same client's.
        let of = json(&(target.as_str(), endpoint, &config.client_id, &config.scopes, &config.custom_parameters));
        let key = format!("token:{}", digest_of(&of));
        Self { shared: shared.clone(), key, clock: clock.clone(), last: Mutex::default() }
    }

    /// The token that another replica was given, unless this one had it already or it is to be renewed; else what `grant` gives.
    pub(super) async fn token(
        &self,
        grant: impl Future<Output = Result<Granted, Ungranted>>,
    ) -> Result<Given<HeaderValue>, Ungranted> {
        self.shared.settled().await;
        if let Some(token) = self.others().await {
            return Ok(token);
        }
        let claim_key = [&self.key, ":claim"].concat();
        let claim = self.shared.claim(&claim_key, CLAIM).await;
        if let Claim::Theirs = claim {
            let until = Instant::now() + PATIENCE;
            while Instant::now() < until {
                sleep(LOOK).await;
                if let Some(token) = self.others().await {
                    return Ok(token);
                }
            }
        }
        // Its life is counted from when it was asked for.
        let asked_at = self.clock.now();
        let granted = grant.await.map(|granted| granted.given(asked_at));
        if let Ok(given) = &granted {
            self.share(given, asked_at).await;
        }
        if let Claim::Ours(own) = claim {
            self.shared.release(&claim_key, &own).await;
        }
        granted
    }

    async fn others(&self) -> Option<Given<HeaderValue>> {
        let now = self.clock.now();
        let token: Token = self.shared.sealed(&self.key, now).await?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if now >= token.refresh_at || last.as_ref() == Some(&token.header) {
            return None;
        }
        let mut value = HeaderValue::try_from(&token.header).ok()?;
        value.set_sensitive(true);
        *last = Some(token.header);
        Some(Given { value, refresh_at: token.refresh_at, expires_at: Some(token.expires_at) })
    }

    async fn share(&self, given: &Given<HeaderValue>, now: Duration) {
        let (Ok(header), Some(expires_at)) = (given.value.to_str(), given.expires_at) else { return };
        let token = Token { header: header.to_owned(), refresh_at: given.refresh_at, expires_at };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.header.clone());
        self.shared.seal(&self.key, &token, now, expires_at).await;
    }
}
