//! The user's answer on the consent page, and what a browser remembers of it. All clients are one to the issuer, which therefore
//! cannot tell a stranger's request from one that its user has agreed to: so the gateway asks, for each client.
//!
//! Source: MCP "Security Best Practices", "Confused Deputy Problem"; RFC 8252, section 8.6: a program on the user's machine cannot be
//! told from another, so consent to one is never remembered.

use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{
    ErrorCode, Here, OAuthError, Params, Proxy,
    authorize::{BROWSER, Request},
    cookie, page,
    redirect::{Kind, RedirectUri},
    sealed::{CONSENT, short},
};

/// The cookie that remembers.
const CONSENTS: &str = "consent";
/// As many are remembered.
const MOST: usize = 16;

impl Proxy {
    /// `POST /login/consent`: to the issuer, or back to the client with a refusal.
    pub async fn answered(&self, here: &Here, headers: &HeaderMap, params: &Params) -> Response {
        let asked = match self.form(here, headers, params) {
            Ok(asked) => asked,
            Err(error) => return page::problem(&self.name, &error),
        };
        // What is sealed was checked, but what is allowed may have changed with a restart.
        let Some(redirect_uri) = RedirectUri::parse(&asked.redirect_uri, &self.settings.redirect_uris) else {
            return page::problem(&self.name, &gone());
        };
        match params.one("answer") {
            Ok(Some("allow")) => {
                tracing::info!(
                    client = asked.client_id,
                    redirect_uri = asked.redirect_uri,
                    "a user lets a client log in"
                );
                let mut response = self.to_issuer(here, &asked, &redirect_uri, StatusCode::SEE_OTHER).await;
                if redirect_uri.kind == Kind::Web {
                    let remembered = self.remember(here, headers, mark(&asked.client_id, &redirect_uri, &asked.scope));
                    response.headers_mut().append(header::SET_COOKIE, remembered);
                }
                response
            }
            _ => {
                let denied = OAuthError::new(ErrorCode::AccessDenied, "the user has not agreed");
                let mut response = redirect_uri.with_error(here, &denied, asked.state.as_deref());
                *response.status_mut() = StatusCode::SEE_OTHER;
                response
            }
        }
    }

    /// The request that this browser was shown.
    fn form(&self, here: &Here, headers: &HeaderMap, params: &Params) -> Result<super::sealed::Asked, OAuthError> {
        let origin = headers.get(header::ORIGIN).map(|origin| String::from_utf8_lossy(origin.as_bytes()));
        let own = url::Url::parse(here.issuer()).map(|url| url.origin().ascii_serialization());
        if origin.is_some_and(|origin| own.as_deref().ok() != Some(&origin)) {
            return Err(gone());
        }
        let browser = cookie::read(headers, here, BROWSER).ok_or_else(gone)?;
        self.open_form(here, browser, params.needed("request")?).ok_or_else(gone)
    }

    /// Whether the user of this browser has agreed to this before.
    pub(super) fn has_agreed(&self, here: &Here, headers: &HeaderMap, request: &Request) -> bool {
        let Request { asked, redirect_uri, .. } = request;
        redirect_uri.kind == Kind::Web
            && self.agreed(here, headers).contains(&mark(&asked.client_id, redirect_uri, &asked.scope))
    }

    fn agreed(&self, here: &Here, headers: &HeaderMap) -> Vec<String> {
        cookie::read(headers, here, CONSENTS).map(|sealed| self.open_consents(here, sealed)).unwrap_or_default()
    }

    fn remember(&self, here: &Here, headers: &HeaderMap, mark: String) -> HeaderValue {
        let mut consents = self.agreed(here, headers);
        consents.retain(|one| *one != mark);
        consents.insert(0, mark);
        consents.truncate(MOST);
        cookie::set(here, CONSENTS, &self.seal_consents(here, &consents), CONSENT)
    }
}

/// What is agreed to: this client, this place, these scopes.
fn mark(client_id: &str, redirect_uri: &RedirectUri, scope: &str) -> String {
    short(&[client_id, &redirect_uri.text, scope].join("\n"))
}

fn gone() -> OAuthError {
    let text = "this page is too old, or was not shown to this browser: start again from your application, with cookies allowed";
    OAuthError::new(ErrorCode::InvalidRequest, text)
}
