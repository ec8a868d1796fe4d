//! The way back from the issuer: the browser that was sent there comes with a code or an error, and goes on to the client. A browser
//! that was not sent goes nowhere.
//!
//! Source: RFC 6749, sections 4.1.2 and 10.12; RFC 9207, section 2.4.

use axum::response::Response;
use http::{HeaderMap, header};

use super::{
    ErrorCode, Here, OAuthError, Params, Proxy,
    authorize::flow,
    cookie, page,
    redirect::RedirectUri,
    sealed::{Asked, Code},
};

impl Proxy {
    /// `GET /login/callback`: on to the client.
    pub async fn callback(&self, here: &Here, headers: &HeaderMap, params: &Params) -> Response {
        let (asked, redirect_uri, flow) = match self.returned(here, headers, params) {
            Ok(returned) => returned,
            Err(error) => return page::problem(&self.name, &error),
        };
        let mut response = self.onward(here, params, &asked, &redirect_uri).await;
        // It is good once.
        response.headers_mut().append(header::SET_COOKIE, cookie::remove(here, &flow));
        response
    }

    /// What the browser was sent for, if it is the one that was.
    fn returned(
        &self,
        here: &Here,
        headers: &HeaderMap,
        params: &Params,
    ) -> Result<(Asked, RedirectUri, String), OAuthError> {
        let state = params.needed("state").map_err(|_| stranger())?;
        let flow = flow(state);
        let nonce = cookie::read(headers, here, &flow).ok_or_else(stranger)?;
        let asked = self.open_state(here, nonce, state).ok_or_else(stranger)?;
        let redirect_uri = RedirectUri::parse(&asked.redirect_uri, &self.settings.redirect_uris);
        Ok((asked, redirect_uri.ok_or_else(stranger)?, flow))
    }

    async fn onward(&self, here: &Here, params: &Params, asked: &Asked, redirect_uri: &RedirectUri) -> Response {
        let state = asked.state.as_deref();
        if let Err(error) = self.is_of_issuer(params).await {
            return redirect_uri.with_error(here, &error, state);
        }
        if let Ok(Some(error)) = params.one("error") {
            tracing::info!(error, "the issuer let nobody in");
            let text = params.one("error_description").ok().flatten();
            return redirect_uri.with_foreign_error(here, error, text, state);
        }
        match params.needed("code") {
            Err(error) => redirect_uri.with_error(here, &error, state),
            Ok(code) => {
                let code = Code {
                    code: code.to_owned(),
                    client_id: asked.client_id.clone(),
                    redirect_uri: asked.redirect_uri.clone(),
                    challenge: asked.challenge.clone(),
                };
                redirect_uri.with_code(here, &self.seal_code(here, &code), state)
            }
        }
    }

    /// An issuer that says who it is must be the right one, and one that has promised to say so must do it (RFC 9207, section 2.4).
    async fn is_of_issuer(&self, params: &Params) -> Result<(), OAuthError> {
        let iss = params.one("iss")?;
        let document = self.issuer.document().await.map_err(|_| OAuthError::unavailable())?;
        let promised = || document.member("authorization_response_iss_parameter_supported") == Some(true.into());
        let is_right = match iss {
            Some(iss) => document.member("issuer").is_some_and(|issuer| issuer == iss),
            None => !promised(),
        };
        match is_right {
            true => Ok(()),
            false => Err(OAuthError::new(ErrorCode::ServerError, "the answer is of another issuer")),
        }
    }
}

fn stranger() -> OAuthError {
    let text = "this login was not begun in this browser, is over, or took more than 10 minutes: start again from your application, \
                with cookies allowed";
    OAuthError::new(ErrorCode::InvalidRequest, text)
}
