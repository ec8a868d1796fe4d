//! The authorization endpoint: a client's request is checked, its user asked, and the browser sent to the issuer. Until the place
//! where the login may end is trusted, nobody is sent anywhere.
//!
//! Source: RFC 6749, section 4.1.1; RFC 7636, section 4.3; RFC 8707, section 2; MCP 2026-07-28, basic/authorization.

use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use url::Position;

use super::{
    ErrorCode, Here, OAuthError, Params, Proxy,
    client::Client,
    cookie, page,
    redirect::{RedirectUri, go},
    sealed::{Asked, PATIENCE, nonce, short},
};

/// Of a client's `state`: it rides in that of the issuer.
const LONGEST_STATE: usize = 2048;

/// The cookie of a browser that sees a consent page.
pub(super) const BROWSER: &str = "login";

/// A good request, with who asks and where the answer goes.
pub(super) struct Request {
    pub(super) asked: Asked,
    pub(super) client: Client,
    pub(super) redirect_uri: RedirectUri,
}

impl Proxy {
    /// `GET /login/authorize`: the consent page; the way to the issuer, where this browser has agreed before; or an error, for the user
    /// or for the client.
    pub async fn authorize(&self, here: &Here, headers: &HeaderMap, params: &Params) -> Response {
        let (client, redirect_uri) = match self.trusted(params).await {
            Ok(trusted) => trusted,
            Err(error) => return page::problem(&self.name, &error),
        };
        let state = match state(params) {
            Ok(state) => state,
            Err(error) => return redirect_uri.with_error(here, &error, None),
        };
        let asked = match self.asked(here, params, &redirect_uri, state) {
            Ok(asked) => asked,
            Err(error) => return redirect_uri.with_error(here, &error, state),
        };
        let request = Request { asked, client, redirect_uri };
        match self.has_agreed(here, headers, &request) {
            true => self.to_issuer(here, &request.asked, &request.redirect_uri, StatusCode::FOUND).await,
            false => self.ask_user(here, headers, &request).await,
        }
    }

    /// Who asks, and where the answer may go.
    async fn trusted(&self, params: &Params) -> Result<(Client, RedirectUri), OAuthError> {
        let client = self.client(params.needed("client_id")?).await?;
        let redirect_uri = params.needed("redirect_uri")?;
        Ok((client.clone(), self.redirect_uri(&client, redirect_uri)?))
    }

    /// The place where a login of `client` may end.
    pub(super) fn redirect_uri(&self, client: &Client, text: &str) -> Result<RedirectUri, OAuthError> {
        let refused = |text: &str| OAuthError::new(ErrorCode::InvalidRequest, text);
        let uri = RedirectUri::parse(text, &self.settings.redirect_uris).ok_or_else(|| {
            refused(
                "`redirect_uri` is not one where a login may end here: http on 127.0.0.1, [::1] or localhost, or one that the \
                 operator lists in `login.redirect_uris`",
            )
        })?;
        match client.owns(&uri) {
            true => Ok(uri),
            false => Err(refused("`redirect_uri` does not stand in the document that the client id names")),
        }
    }

    /// The request, once there is somebody to tell what is wrong with it.
    fn asked(
        &self,
        here: &Here,
        params: &Params,
        redirect_uri: &RedirectUri,
        state: Option<&str>,
    ) -> Result<Asked, OAuthError> {
        if params.needed("response_type")? != "code" {
            let text = "`response_type` must be `code`";
            return Err(OAuthError::new(ErrorCode::UnsupportedResponseType, text));
        }
        if params.one("response_mode")?.is_some_and(|mode| mode != "query") {
            return Err(OAuthError::new(ErrorCode::InvalidRequest, "`response_mode` must be `query`"));
        }
        if !params.all("resource").all(|resource| self.is_own(here, resource)) {
            return Err(OAuthError::other_resource());
        }
        Ok(Asked {
            client_id: params.needed("client_id")?.to_owned(),
            redirect_uri: redirect_uri.text.clone(),
            state: state.map(str::to_owned),
            challenge: challenge(params)?.to_owned(),
            scope: self.scopes(params.one("scope")?),
        })
    }

    async fn ask_user(&self, here: &Here, headers: &HeaderMap, request: &Request) -> Response {
        // Where the person will log in is a part of what is agreed to, and without it there is nowhere to go.
        let issuer = match self.authorization_endpoint().await {
            Ok(url) => url,
            Err(error) => {
                return request.redirect_uri.with_error(here, &error, request.asked.state.as_deref());
            }
        };
        let known = cookie::read(headers, here, BROWSER).filter(|nonce| nonce.len() >= 43);
        let browser = known.map_or_else(nonce, str::to_owned);
        let form = self.seal_form(here, &browser, &request.asked);
        let issuer = &issuer[Position::BeforeHost..Position::AfterPort];
        let mut response = page::consent(&self.name, &here.url("/login/consent"), request, issuer, &form);
        response.headers_mut().append(header::SET_COOKIE, cookie::set(here, BROWSER, &browser, PATIENCE));
        response
    }

    /// Sends the browser to the issuer, and marks it as the one that has to come back.
    pub(super) async fn to_issuer(
        &self,
        here: &Here,
        asked: &Asked,
        redirect_uri: &RedirectUri,
        status: StatusCode,
    ) -> Response {
        let mut url = match self.authorization_endpoint().await {
            Ok(url) => url,
            Err(error) => return redirect_uri.with_error(here, &error, asked.state.as_deref()),
        };
        let nonce = nonce();
        let state = self.seal_state(here, &nonce, asked);
        let scope = Some(("scope", asked.scope.as_str())).filter(|(_, scope)| !scope.is_empty());
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &here.callback())
            .append_pair("state", &state)
            .append_pair("code_challenge", &asked.challenge)
            .append_pair("code_challenge_method", "S256")
            .extend_pairs(scope);
        let mut response = go(status, url.as_str());
        response.headers_mut().append(header::SET_COOKIE, cookie::set(here, &flow(&state), &nonce, PATIENCE));
        response
    }
}

/// The cookie of the login that is under way with this `state`: several may be, in one browser.
pub(super) fn flow(state: &str) -> String {
    format!("flow-{}", short(state))
}

fn state(params: &Params) -> Result<Option<&str>, OAuthError> {
    match params.one("state")? {
        Some(state) if state.len() > LONGEST_STATE => {
            let text = format!("`state` is longer than {LONGEST_STATE} bytes");
            Err(OAuthError::new(ErrorCode::InvalidRequest, text))
        }
        state => Ok(state),
    }
}

/// PKCE is asked of everyone, with S256: without it a code would be anybody's who sees it.
fn challenge(params: &Params) -> Result<&str, OAuthError> {
    let refused = |text: &str| OAuthError::new(ErrorCode::InvalidRequest, text);
    let challenge =
        params.one("code_challenge")?.ok_or_else(|| refused("`code_challenge` is missing: PKCE is needed"))?;
    if params.one("code_challenge_method")? != Some("S256") {
        return Err(refused("`code_challenge_method` must be `S256`"));
    }
    let is_digest = challenge.len() == 43 && challenge.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if is_digest { Ok(challenge) } else { Err(refused("`code_challenge` is no base64url of a SHA-256 digest")) }
}
