//! The token endpoint and the revocation endpoint: what a client sends is checked, changed into what the issuer takes, and the
//! issuer's answer is handed on as it is. Tokens are not looked at and not kept.
//!
//! Source: RFC 6749, sections 4.1.3, 5 and 6; RFC 7636, section 4.6; RFC 7009; RFC 8707, section 2.2.

use std::time::Duration;

use axum::response::Response;
use causeway_oidc::fetch;
use http::{HeaderValue, StatusCode, header};
use url::{Url, form_urlencoded};

use super::{ErrorCode, Here, OAuthError, Params, Proxy, refusal, sealed::challenge_of};

/// For the issuer to answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Of its answer.
const LONGEST: usize = 256 * 1024;

/// What goes to the issuer.
type Form<'a> = Vec<(&'static str, &'a str)>;

impl Proxy {
    /// `POST /login/token`: tokens for a code or a refresh token.
    pub async fn token(&self, here: &Here, params: &Params) -> Result<Response, OAuthError> {
        if !params.all("resource").all(|resource| self.is_own(here, resource)) {
            return Err(OAuthError::other_resource());
        }
        let client_id = self.client_id(params)?;
        match params.needed("grant_type")? {
            "authorization_code" => self.redeem(here, params, client_id).await,
            "refresh_token" => {
                // Without any it is what was granted before (RFC 6749, section 6).
                let scope =
                    params.one("scope")?.map(|scope| self.known_scopes(scope)).filter(|scope| !scope.is_empty());
                let mut form: Form =
                    vec![("grant_type", "refresh_token"), ("refresh_token", params.needed("refresh_token")?)];
                form.extend(scope.as_deref().map(|scope| ("scope", scope)));
                self.relay(&self.token_endpoint().await?, form).await
            }
            _ => {
                let text = "`grant_type` must be `authorization_code` or `refresh_token`";
                Err(OAuthError::new(ErrorCode::UnsupportedGrantType, text))
            }
        }
    }

    /// A code is good for the client, the place and the verifier that it was asked for with. The issuer checks the last of them too,
    /// and that it is used once.
    async fn redeem(&self, here: &Here, params: &Params, client_id: &str) -> Result<Response, OAuthError> {
        let refused = |text: &str| OAuthError::new(ErrorCode::InvalidGrant, text);
        let code = self.open_code(here, params.needed("code")?);
        let code = code.ok_or_else(|| refused("the code is not one of this gateway, or has expired: log in again"))?;
        if code.client_id != client_id {
            return Err(refused("the code was given to another client"));
        }
        if params.one("redirect_uri")?.is_some_and(|uri| uri != code.redirect_uri) {
            return Err(refused("`redirect_uri` is another than the one that the code went to"));
        }
        let verifier = params.needed("code_verifier")?;
        if challenge_of(verifier) != code.challenge {
            return Err(refused("`code_verifier` does not fit `code_challenge`"));
        }
        let callback = here.callback();
        let form = vec![
            ("grant_type", "authorization_code"),
            ("code", code.code.as_str()),
            ("redirect_uri", callback.as_str()),
            ("code_verifier", verifier),
        ];
        self.relay(&self.token_endpoint().await?, form).await
    }

    /// `POST /login/revoke`: a refresh token is given back.
    pub async fn revoke(&self, params: &Params) -> Result<Response, OAuthError> {
        self.client_id(params)?;
        let url = self.revocation_endpoint().await.ok_or_else(OAuthError::unavailable)?;
        let mut form: Form = vec![("token", params.needed("token")?)];
        form.extend(params.one("token_type_hint")?.map(|hint| ("token_type_hint", hint)));
        self.relay(&url, form).await
    }

    fn client_id<'a>(&self, params: &'a Params) -> Result<&'a str, OAuthError> {
        let id = params.needed("client_id")?;
        match self.may_be_client(id) {
            true => Ok(id),
            false => {
                Err(OAuthError::new(ErrorCode::InvalidClient, "the client is not known here: let it register again"))
            }
        }
    }

    /// The issuer's answer to `form`, sent by the one client that it knows.
    async fn relay(&self, url: &Url, form: Form<'_>) -> Result<Response, OAuthError> {
        let _permit = self.relays.try_acquire().map_err(|_| OAuthError::unavailable())?;
        let form = form.into_iter().chain([("client_id", self.settings.client_id.as_str())]);
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let answer = tokio::time::timeout(TIMEOUT, self.ask(url, body)).await;
        let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {TIMEOUT:?}")));
        answer.map_err(|cause| {
            tracing::warn!(url = fetch::shown(url), cause, "the issuer's endpoint did not answer a client");
            OAuthError::unavailable()
        })
    }

    async fn ask(&self, url: &Url, body: String) -> Result<Response, String> {
        let request = self.http.post(url.clone()).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.header(header::ACCEPT, "application/json").body(body);
        let answer = request.send().await.map_err(fetch::cause)?;
        let status = answer.status();
        let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        // What is no JSON is shown by no browser as a page of the gateway.
        let is_json = kind.is_empty() || kind.to_ascii_lowercase().starts_with("application/json");
        // A redirect, or a page of something between, is no answer of the issuer.
        if status.is_redirection() || status.is_informational() {
            return Err(format!("it answered {status}"));
        }
        let body = fetch::read_bounded(answer, LONGEST).await.map_err(|error| error.to_string())?;
        let status = if status.is_server_error() { StatusCode::BAD_GATEWAY } else { status };
        let mut response = refusal::json_text(status, body);
        let headers = response.headers_mut();
        if !is_json {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        }
        headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
        Ok(response)
    }
}
