//! One token request: where to, with which form, and what its answer means. Keeps no token and does not retry.
//!
//! Source: RFC 6749 sections 2.3.1 (authentication), 4.4 (grant) and 5 (answers).

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use causeway_oidc::{
    discovery::Discovery,
    fetch::{self, BodyError},
    wire_log,
};
use http::{StatusCode, header::CONTENT_TYPE};
use oauth2::{
    AuthType, Client, ClientId, ClientSecret, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    RequestTokenError, Scope, StandardRevocableToken, TokenUrl,
    basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse},
};
use url::Url;

use super::{
    super::{Failure, Stage},
    Granted, Ungranted,
    answer::Answer,
};
use crate::{
    config::{ClientAuthentication, ClientCredentials, TokenEndpoint},
    secret::Secret,
    stored::{Sources, StoredSecret},
};

/// Bytes of a token response at most. Real ones have some thousands.
const MAX_BYTES: usize = 256 << 10;

/// Where the tokens of one target come from.
pub(super) struct TokenSource {
    config: ClientCredentials,
    secret: StoredSecret,
    http: reqwest::Client,
    timeout: Duration,
    /// The token endpoint that the discovery document named; forgotten when it fails, as it may have moved.
    discovered: Mutex<Option<Url>>,
}

type OauthClient = Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Why a request had no answer.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error("not reached")]
    Http(#[from] reqwest::Error),
    #[error("too large")]
    TooLarge,
    #[error("not HTTP")]
    Invalid(#[from] http::Error),
}

type Refusal = RequestTokenError<Unanswered, BasicErrorResponse>;

impl TokenSource {
    pub(super) fn new(config: &ClientCredentials, sources: &Sources, timeout: Duration) -> Self {
        let secret = StoredSecret::new(&config.client_secret, sources);
        Self { config: config.clone(), secret, http: sources.http.clone(), timeout, discovered: Mutex::default() }
    }

    /// Asks for a token. A secret that the endpoint refuses is read again once, if AWS keeps it: it may have changed.
    pub(super) async fn grant(&self) -> Result<Granted, Ungranted> {
        let endpoint = self.endpoint().await.map_err(|failure| Ungranted::new(Stage::Discovery, failure))?;
        let unread = |why| Ungranted::new(Stage::Secret, Failure::Secret(why));
        let secret = self.secret.value().await.map_err(unread)?;
        let mut granted = self.ask(&endpoint, &secret.value).await;
        if let Err(Failure::Refused { code, .. }) = &granted
            && code == "invalid_client"
            // While AWS does not say, the secret that was refused is the one there is.
            && self.secret.renew(secret.generation).await.unwrap_or(false)
        {
            let secret = self.secret.value().await.map_err(unread)?;
            granted = self.ask(&endpoint, &secret.value).await;
        }
        granted.map_err(|failure| {
            self.remember(None);
            Ungranted::new(Stage::Token, failure)
        })
    }

    async fn endpoint(&self) -> Result<Url, Failure> {
        let url = match &self.config.token_endpoint {
            TokenEndpoint::Url(url) => return Ok(url.clone()),
            TokenEndpoint::Discovery(url) => url,
        };
        let known = self.discovered.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known {
            return Ok(known);
        }
        let document = Discovery::fetch(&self.http, url, self.timeout).await?;
        let endpoint = document.token_endpoint.ok_or_else(|| Failure::NoTokenEndpoint { url: fetch::shown(url) })?;
        self.remember(Some(endpoint.clone()));
        Ok(endpoint)
    }

    fn remember(&self, endpoint: Option<Url>) {
        *self.discovered.lock().unwrap_or_else(PoisonError::into_inner) = endpoint;
    }

    async fn ask(&self, endpoint: &Url, secret: &Secret) -> Result<Granted, Failure> {
        let status = Arc::new(OnceLock::new());
        let send = |request| send(self.http.clone(), request, status.clone());
        let client = self.client(endpoint, secret);
        let mut request = client.exchange_client_credentials();
        for scope in &self.config.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        for (name, value) in &self.config.custom_parameters {
            request = request.add_extra_param(name, value);
        }
        let answer = match tokio::time::timeout(self.timeout, request.request_async(&send)).await {
            Ok(answer) => answer,
            Err(_) => {
                return Err(Failure::TimedOut { url: fetch::shown(endpoint), after: self.timeout });
            }
        };
        match answer {
            Ok(answer) => answer.granted(endpoint),
            Err(refusal) => Err(failure(refusal, endpoint, secret, status.get().copied())),
        }
    }

    fn client(&self, endpoint: &Url, secret: &Secret) -> OauthClient {
        Client::new(ClientId::new(self.config.client_id.clone()))
            .set_client_secret(ClientSecret::new(secret.expose().to_owned()))
            .set_auth_type(match self.config.client_authentication {
                ClientAuthentication::Basic => AuthType::BasicAuth,
                ClientAuthentication::Post => AuthType::RequestBody,
            })
            .set_token_uri(TokenUrl::from_url(endpoint.clone()))
    }
}

fn failure(refusal: Refusal, endpoint: &Url, secret: &Secret, status: Option<StatusCode>) -> Failure {
    let url = fetch::shown(endpoint);
    let status = status.unwrap_or_default();
    match refusal {
        Refusal::ServerResponse(answer) => {
            let code = harmless(answer.error().as_ref(), secret);
            Failure::Refused { url, status, code }
        }
        Refusal::Request(Unanswered::Http(error)) => Failure::Unreachable { url, cause: fetch::cause(error) },
        Refusal::Request(Unanswered::TooLarge) => Failure::TooLarge { url, limit: MAX_BYTES },
        Refusal::Request(Unanswered::Invalid(_)) => Failure::Unsendable,
        Refusal::Parse(..) | Refusal::Other(_) => Failure::Unexpected { url, status },
    }
}

/// The endpoint's error code, unless it is no code or repeats the secret.
fn harmless(code: &str, secret: &Secret) -> String {
    let is_code = code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_code && !code.contains(secret.expose()) { code.to_owned() } else { "(not shown)".to_owned() }
}

/// Sends the request that the oauth2 crate has made, and notes the status of the answer for errors.
async fn send(
    http: reqwest::Client,
    request: HttpRequest,
    status: Arc<OnceLock<StatusCode>>,
) -> Result<HttpResponse, Unanswered> {
    let response = wire_log::send(&http, request.try_into()?).await?;
    let status = *status.get_or_init(|| response.status());
    let mut answer = http::Response::builder().status(status);
    if let Some(content_type) = response.headers().get(CONTENT_TYPE) {
        answer = answer.header(CONTENT_TYPE, content_type);
    }
    let body = fetch::read_bounded(response, MAX_BYTES).await.map_err(|error| match error {
        BodyError::TooLarge(_) => Unanswered::TooLarge,
        BodyError::Broken(error) => error.into(),
    })?;
    Ok(answer.body(body)?)
}
