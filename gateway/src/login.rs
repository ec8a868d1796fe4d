//! How people log in: the gateway as the authorization server that clients find, in front of an issuer that lacks metadata or
//! registration, as Amazon Cognito does. It knows no password and keeps nothing: what has to come back rides sealed in the
//! browser and in the issuer's `state`. Lets nobody in; `inbound` verifies the tokens that come of it as any others.
//!
//! Source: RFC 6749, 7591, 7636, 8252, 8414, 8707, 9207; OAuth Client ID Metadata Document (draft-ietf-oauth-client-id-metadata-
//! document-02); MCP 2026-07-28, basic/authorization, and "Security Best Practices", "Confused Deputy Problem".

use std::{fmt, sync::Arc};

use axum::response::{IntoResponse, Response};
use causeway_core::{name::ToolsetName, seal::Sealer};
use causeway_oidc::clock::Clock;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use url::Url;

use crate::{
    config::{self, CustomJwt, LoginProxy},
    stored::Sources,
};

mod address;
mod authorize;
mod callback;
mod client;
mod consent;
mod cookie;
mod documents;
mod issuer;
mod page;
mod params;
pub(crate) mod redirect;
mod refusal;
mod register;
mod relay;
mod sealed;

use documents::Documents;
use issuer::Issuer;
pub use params::Params;
pub use refusal::{ErrorCode, OAuthError};

/// Requests to the issuer at once; more are told to come back.
const RELAYS: usize = 64;

/// Which authorization server clients find.
#[derive(Debug)]
pub struct Login(Kind);

#[derive(Debug)]
enum Kind {
    Proxy(Box<Proxy>),
    PassThrough(Issuer),
}

/// The gateway as an authorization server.
pub struct Proxy {
    settings: LoginProxy,
    /// What the gateway is called toward people.
    name: String,
    /// Those whose callers log in here too.
    toolsets: Vec<ToolsetName>,
    issuer: Issuer,
    documents: Documents,
    http: reqwest::Client,
    relays: Semaphore,
    sealer: Arc<Sealer>,
    clock: Clock,
}

/// Where the gateway is for its clients: a URL without a slash at its end, and without `/mcp`. The name of the authorization server
/// that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Here(String);

impl Login {
    /// What `config` asks for, before the issuer of `jwt`, for the gateway called `name` and these toolsets. Nothing is fetched yet.
    ///
    /// # Errors
    /// The system's certificates cannot be used.
    pub fn new(
        config: &config::Login,
        jwt: &CustomJwt,
        (name, toolsets): (&str, Vec<ToolsetName>),
        sources: &Sources,
        sealer: Arc<Sealer>,
    ) -> Result<Self, reqwest::Error> {
        let issuer = Issuer::new(jwt.discovery_url.clone(), sources);
        let settings = match config {
            config::Login::PassThrough => return Ok(Self(Kind::PassThrough(issuer))),
            config::Login::Proxy(settings) => LoginProxy::clone(settings),
        };
        Ok(Self(Kind::Proxy(Box::new(Proxy {
            name: name.to_owned(),
            toolsets,
            issuer,
            documents: Documents::new(settings.client_documents)?,
            http: sources.http.clone(),
            relays: Semaphore::new(RELAYS),
            sealer,
            clock: sources.clock.clone(),
            settings,
        }))))
    }

    /// The authorization server, if it is the gateway.
    pub fn proxy(&self) -> Option<&Proxy> {
        match &self.0 {
            Kind::Proxy(proxy) => Some(proxy),
            Kind::PassThrough(_) => None,
        }
    }

    /// The metadata of the authorization server (RFC 8414) for clients that ask the gateway `here` for it: its own, or the issuer's,
    /// byte for byte.
    pub async fn metadata(&self, here: &Here) -> Response {
        match &self.0 {
            Kind::Proxy(proxy) => refusal::json(StatusCode::OK, &proxy.metadata(here).await),
            Kind::PassThrough(issuer) => match issuer.document().await {
                Ok(document) => refusal::json_text(StatusCode::OK, document.text().to_owned()),
                Err(_) => OAuthError::unavailable().into_response(),
            },
        }
    }
}

impl Proxy {
    /// RFC 8414, section 2. What a client needs to read id tokens is the issuer's, whose they are.
    async fn metadata(&self, here: &Here) -> Value {
        let mut metadata = json!({
            "issuer": here.issuer(),
            "authorization_endpoint": here.url("/login/authorize"),
            "token_endpoint": here.url("/login/token"),
            "registration_endpoint": here.url("/login/register"),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "authorization_response_iss_parameter_supported": true,
            "client_id_metadata_document_supported": self.documents.are_read(),
        });
        if !self.settings.scopes.is_empty() {
            metadata["scopes_supported"] = self.settings.scopes.clone().into();
        }
        if self.revocation_endpoint().await.is_some() {
            metadata["revocation_endpoint"] = here.url("/login/revoke").into();
            metadata["revocation_endpoint_auth_methods_supported"] = json!(["none"]);
        }
        let document = self.issuer.document().await.ok();
        for member in ["jwks_uri", "subject_types_supported", "id_token_signing_alg_values_supported"] {
            if let Some(value) = document.as_ref().and_then(|document| document.member(member)) {
                metadata[member] = value;
            }
        }
        metadata
    }

    /// Those of the space-separated `wanted` that clients may get. A client that names none of them, as one that asks for
    /// `offline_access` alone, gets what it would get without naming any (RFC 6749, section 3.3).
    fn scopes(&self, wanted: Option<&str>) -> String {
        let known = self.known_scopes(wanted.unwrap_or_default());
        if known.is_empty() { self.settings.scopes.join(" ") } else { known }
    }

    /// Those of the space-separated `wanted` that clients may get.
    fn known_scopes(&self, wanted: &str) -> String {
        let known = wanted.split(' ').filter(|one| self.settings.scopes.iter().any(|it| it == one));
        known.collect::<Vec<_>>().join(" ")
    }

    /// Whether a `resource` (RFC 8707) is what tokens of this login are for: the gateway's MCP endpoint, what stands above that, or a
    /// toolset whose callers log in here.
    fn is_own(&self, here: &Here, resource: &str) -> bool {
        here.path_below(resource).is_some_and(|path| match path.strip_prefix("/mcp/") {
            Some(toolset) => self.toolsets.iter().any(|own| own.as_str() == toolset),
            None => matches!(path.as_str(), "" | "/mcp"),
        })
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Here {
    /// `base` is an absolute URL over http or https with nothing behind its path.
    pub fn new(base: impl Into<String>) -> Self {
        Self(base.into().trim_end_matches('/').to_owned())
    }

    /// The `issuer` of RFC 8414, and the `iss` of RFC 9207.
    pub fn issuer(&self) -> &str {
        &self.0
    }

    /// The URL of `path`.
    pub fn url(&self, path: &str) -> String {
        [&self.0, path].concat()
    }

    /// Where the issuer sends people back to: the one callback URL that is registered there.
    pub fn callback(&self) -> String {
        self.url("/login/callback")
    }

    fn is_secure(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// What stands behind this in `url`, without a slash at its end; none where it leads elsewhere, or says more than a place.
    fn path_below(&self, url: &str) -> Option<String> {
        let (url, own) = (Url::parse(url).ok()?, Url::parse(&self.0).ok()?);
        let bare = url.query().is_none() && url.fragment().is_none();
        let path = url.path().strip_prefix(own.path().trim_end_matches('/'))?.trim_end_matches('/');
        let whole = path.is_empty() || path.starts_with('/');
        (bare && whole && url.origin() == own.origin()).then(|| path.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_a_place() {
        let check = |here: &str, url: &str, below: Option<&str>| {
            assert_eq!(Here::new(here).path_below(url).as_deref(), below, "{url} at {here}");
        };
        for (path, below) in [("", ""), ("/", ""), ("/mcp", "/mcp"), ("/mcp/", "/mcp"), ("/mcp/small", "/mcp/small")] {
            check("https://example.com", &format!("https://example.com{path}"), Some(below));
            check("https://example.com/tools", &format!("https://example.com/tools{path}"), Some(below));
            check("https://example.com/mcp", &format!("https://example.com/mcp{path}"), Some(below));
        }
        check("https://example.com", "https://EXAMPLE.com:443/mcp", Some("/mcp"));
        check("https://example.com", "https://example.com/mcp/small/../../other", Some("/other"));
        for other in ["http://example.com/mcp", "https://example.com:8443/mcp", "https://other.example/mcp", "mcp", ""]
        {
            check("https://example.com", other, None);
        }
        for other in ["https://example.com/mcp?a=b", "https://example.com/mcp#a"] {
            check("https://example.com", other, None);
        }
        for other in ["https://example.com/mcp", "https://example.com/toolsx", "https://example.com/"] {
            check("https://example.com/tools", other, None);
        }
    }
}
