//! What the gateway shows a target to be let in: puts a configured credential on an outgoing request. Never passes on
//! what a client showed the gateway, and sends no request to a target itself.

use causeway_core::name::TargetName;
use causeway_oidc::kept::Standing;
use http::{HeaderMap, StatusCode, request::Parts};

use crate::{config, stored::Sources};

mod api_key;
mod error;
mod oauth;
mod sigv4;

pub use api_key::ApiKey;
pub use error::{CredentialError, Failure, Stage};
pub use oauth::ClientCredentials;
pub use sigv4::Sigv4;

/// The credential of one target. Clones share the token.
#[derive(Clone, Debug)]
pub enum Credential {
    /// Nothing is shown.
    None,
    /// A key that stands still, or that AWS keeps.
    ApiKey(ApiKey),
    /// A token that is fetched, kept, and renewed ahead of its end.
    ClientCredentials(ClientCredentials),
    /// A signature over each request, with credentials that are read again ahead of their end.
    Sigv4(Sigv4),
}

/// What [`Credential::apply`] put on a request, so that [`Credential::renew`] knows what the target refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown(Option<Generation>);

/// Counts the tokens, keys or AWS credentials of one target.
type Generation = u64;

impl Credential {
    /// The credential of `target` that `config` asks for. Nothing is fetched yet.
    pub fn new(target: &TargetName, config: &config::Credential, sources: &Sources) -> Self {
        match config {
            config::Credential::None => Self::None,
            config::Credential::ApiKey(key) => Self::ApiKey(ApiKey::new(target, key, sources)),
            config::Credential::ClientCredentials(oauth) => {
                Self::ClientCredentials(ClientCredentials::new(target, oauth, sources))
            }
            config::Credential::Sigv4(sigv4) => Self::Sigv4(Sigv4::new(target, sigv4, sources.clock.clone())),
        }
    }

    /// Puts headers or a query parameter on `request`, in place of headers of the same name. Waits only if there is no
    /// living token. A key in the query is part of `request.uri` from now on: that is not to be logged.
    ///
    /// `body` is what will be sent with it, to the byte. After this nothing of the request may change but what hops on the
    /// way change too: it may be signed.
    ///
    /// # Errors
    /// [`CredentialError`] if there is nothing to show.
    pub async fn apply(&self, request: &mut Parts, body: &[u8]) -> Result<Shown, CredentialError> {
        match self {
            Self::None => Ok(Shown(None)),
            Self::ApiKey(key) => key.apply(request).await.map(|key| Shown(Some(key))),
            Self::ClientCredentials(oauth) => oauth.apply(request).await.map(|token| Shown(Some(token))),
            Self::Sigv4(sigv4) => sigv4.apply(request, body).await.map(|signed| Shown(Some(signed))),
        }
    }

    /// How the token stands that is shown; none for what is shown in another way.
    pub fn token_standing(&self) -> Option<Standing> {
        match self {
            Self::ClientCredentials(oauth) => Some(oauth.standing()),
            Self::None | Self::ApiKey(_) | Self::Sigv4(_) => None,
        }
    }

    /// Whether an answer with this status and these headers refuses what was shown, unread: then [`Credential::renew`] may
    /// help.
    pub fn is_refused_by(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        match self {
            Self::Sigv4(_) => sigv4::is_refused_by(status, headers),
            _ => status == StatusCode::UNAUTHORIZED,
        }
    }

    /// The target refused `shown`. True if one retry is worth it: [`Credential::apply`] now shows something
    /// else. False if it would show the same, because there is nothing newer or because a newer token was refused too,
    /// less than [`ClientCredentials::FORCE_INTERVAL`] ago.
    ///
    /// # Errors
    /// [`CredentialError`] if a newer token was asked for and not given.
    pub async fn renew(&self, shown: &Shown) -> Result<bool, CredentialError> {
        match (self, shown.0) {
            (Self::ClientCredentials(oauth), Some(generation)) => oauth.renew(generation).await,
            (Self::ApiKey(key), Some(generation)) => Ok(key.renew(generation).await),
            (Self::Sigv4(sigv4), Some(generation)) => Ok(sigv4.renew(generation).await),
            _ => Ok(false),
        }
    }
}
