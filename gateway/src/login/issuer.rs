//! The issuer before which the gateway stands: its discovery document, kept while it is good, and its endpoints. Sends no one there.
//!
//! Source: OpenID Connect Discovery 1.0, section 3; RFC 8414, section 2.

use std::{sync::Arc, time::Duration};

use causeway_oidc::{
    clock::Clock,
    fetch::{self, FetchError},
    kept::{Given, Interrupted, Kept},
};
use serde_json::{Map, Value, value::RawValue};
use url::Url;

use super::{OAuthError, Proxy};
use crate::stored::Sources;

/// After so long the document is read again; the one of before serves while that fails.
const REFRESH: Duration = Duration::from_secs(15 * 60);

/// What an issuer says of itself. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Issuer(Kept<Document, Unread>);

/// A discovery document.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Document(Arc<Text>);

#[derive(Debug, PartialEq)]
struct Text {
    /// As the issuer wrote it.
    text: String,
    members: Map<String, Value>,
}

/// The document could not be read.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Unread {
    #[error(transparent)]
    Fetch(Arc<FetchError>),
    #[error(
        "`{0}` answered with something else than a discovery document: check `authorizer.custom_jwt.discovery_url`"
    )]
    Unexpected(String),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl Issuer {
    pub(super) fn new(discovery_url: Url, sources: &Sources) -> Self {
        let (http, clock) = (sources.http.clone(), sources.clock.clone());
        let fetch = move || read(http.clone(), discovery_url.clone(), clock.clone());
        Self(Kept::new(sources.clock.clone(), fetch))
    }

    pub(super) async fn document(&self) -> Result<Document, Unread> {
        Ok(self.0.value().await?.value)
    }
}

async fn read(http: reqwest::Client, url: Url, clock: Clock) -> Result<Given<Document>, Unread> {
    let expected = "a discovery document (JSON)";
    let text: Result<Box<RawValue>, _> = fetch::document(&http, &url, expected, fetch::TIMEOUT).await;
    let read = text.map_err(|error| Unread::Fetch(Arc::new(error))).and_then(|text| {
        let members = serde_json::from_str(text.get()).map_err(|_| Unread::Unexpected(fetch::shown(&url)))?;
        Ok(Document(Arc::new(Text { text: text.get().to_owned(), members })))
    });
    let value = read.inspect_err(|error| tracing::warn!(%error, "the issuer's endpoints are not known"))?;
    Ok(Given { value, refresh_at: clock.now() + REFRESH, expires_at: None })
}

impl Document {
    /// As the issuer wrote it.
    pub(super) fn text(&self) -> &str {
        &self.0.text
    }

    pub(super) fn member(&self, name: &str) -> Option<Value> {
        self.0.members.get(name).cloned()
    }

    fn url(&self, name: &str) -> Option<Url> {
        let url = Url::parse(self.0.members.get(name)?.as_str()?).ok()?;
        matches!(url.scheme(), "http" | "https").then_some(url)
    }
}

impl Proxy {
    /// Where people log in.
    pub(super) async fn authorization_endpoint(&self) -> Result<Url, OAuthError> {
        self.endpoint(self.settings.authorization_endpoint.as_ref(), "authorization_endpoint").await
    }

    /// Where codes become tokens.
    pub(super) async fn token_endpoint(&self) -> Result<Url, OAuthError> {
        self.endpoint(self.settings.token_endpoint.as_ref(), "token_endpoint").await
    }

    /// Where refresh tokens are given back, if the issuer has that.
    pub(super) async fn revocation_endpoint(&self) -> Option<Url> {
        self.endpoint(self.settings.revocation_endpoint.as_ref(), "revocation_endpoint").await.ok()
    }

    async fn endpoint(&self, configured: Option<&Url>, name: &str) -> Result<Url, OAuthError> {
        if let Some(url) = configured {
            return Ok(url.clone());
        }
        let document = self.issuer.document().await.map_err(|_| OAuthError::unavailable())?;
        document.url(name).ok_or_else(|| {
            if name != "revocation_endpoint" {
                tracing::error!("the issuer's discovery document has no `{name}`; write `login.{name}`");
            }
            OAuthError::unavailable()
        })
    }
}
