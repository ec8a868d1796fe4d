//! The check of callers' tokens, as AgentCore Runtime with a JWT authorizer does it before a request reaches the
//! container. Forwards nothing about the caller to the tools.
//!
//! Source: the pages `runtime-mcp-protocol-contract` (codes and texts) and `runtime-oauth` of the AgentCore guide;
//! RFC 6750 and RFC 9728 for the challenge.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
    routing::get,
};
use causeway_core::authorizer::{Authorizer, Denied};
use causeway_oidc::{TokenError, Verifier, clock::Clock};
use http::{
    HeaderMap, HeaderValue, StatusCode, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER, WWW_AUTHENTICATE},
    uri::Authority,
};
use serde_json::{Value, json};
use url::Url;

use crate::JwtArgs;

/// Where RFC 9728 puts the metadata of a resource; its path may follow.
const METADATA_PATH: &str = "/.well-known/oauth-protected-resource";

/// Difference between the issuer's clock and ours that is tolerated.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// The check of one server.
#[derive(Debug)]
pub(crate) struct JwtCheck {
    verifier: Verifier,
    authorizer: Authorizer,
    mcp_path: String,
}

/// Why a request goes no further.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("there is no bearer token")]
    NoToken,
    #[error(transparent)]
    Token(TokenError),
    #[error(transparent)]
    Claims(Denied),
}

impl JwtCheck {
    /// The check that `args` ask for, if any. Fetches nothing yet: the issuer may start later.
    ///
    /// # Errors
    /// A discovery URL that is none, or rules without one: they would check nothing.
    pub(crate) fn new(args: &JwtArgs, mcp_path: &str) -> anyhow::Result<Option<Self>> {
        let authorizer = Authorizer {
            allowed_clients: set(&args.allowed_clients),
            allowed_audience: set(&args.allowed_audience),
            allowed_scopes: set(&args.allowed_scopes),
            ..Authorizer::default()
        };
        let Some(url) = args.discovery_url.as_deref().map(str::trim).filter(|url| !url.is_empty()) else {
            anyhow::ensure!(
                authorizer == Authorizer::default(),
                "rules for callers are set without an issuer to check their tokens; set `JWT_DISCOVERY_URL`"
            );
            return Ok(None);
        };
        let url = Url::parse(url).ok().filter(|url| ["https", "http"].contains(&url.scheme())).with_context(|| {
            format!("`JWT_DISCOVERY_URL` is `{url}`; write a URL, https://... /.well-known/openid-configuration")
        })?;
        let http = reqwest::Client::builder().build().context("cannot make an HTTP client for the issuer")?;
        let verifier = Verifier::new(url, http, Clock::system(), CLOCK_SKEW);
        Ok(Some(Self { verifier, authorizer, mcp_path: mcp_path.to_owned() }))
    }

    async fn admit(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let token = bearer(headers).ok_or(Refused::NoToken)?;
        let claims = self.verifier.verify(token).await.map_err(Refused::Token)?;
        self.authorizer.check(&claims).map_err(Refused::Claims)
    }
}

/// Middleware: lets a request pass if its token does.
pub(crate) async fn check(State(check): State<Arc<JwtCheck>>, request: Request, next: Next) -> Response {
    match check.admit(request.headers()).await {
        Ok(()) => next.run(request).await,
        Err(refused) => {
            tracing::debug!("a request is refused: {refused}");
            refused.into_response(&origin(request.headers(), request.uri()))
        }
    }
}

/// The metadata that a challenge points at, under both forms of its path.
pub(crate) fn metadata_routes(check: Arc<JwtCheck>) -> Router {
    let suffixed = format!("{METADATA_PATH}{}", check.mcp_path);
    Router::new().route(METADATA_PATH, get(metadata)).route(&suffixed, get(metadata)).with_state(check)
}

async fn metadata(State(check): State<Arc<JwtCheck>>, uri: Uri, headers: HeaderMap) -> Response {
    match check.verifier.issuer().await {
        Ok(issuer) => {
            let mut metadata = json!({
                "resource": format!("{}{}", origin(&headers, &uri), check.mcp_path),
                "authorization_servers": [issuer],
                "bearer_methods_supported": ["header"],
            });
            if !check.authorizer.allowed_scopes.is_empty() {
                metadata["scopes_supported"] = json!(check.authorizer.allowed_scopes);
            }
            answer(StatusCode::OK, &metadata)
        }
        Err(error) => {
            tracing::warn!("the metadata of this resource cannot be told: {error}");
            unavailable(error.retry_after)
        }
    }
}

impl Refused {
    fn into_response(self, origin: &str) -> Response {
        let metadata = format!("resource_metadata=\"{origin}{METADATA_PATH}\"");
        match self {
            Self::Token(TokenError::IssuerUnavailable(error)) => unavailable(error.retry_after),
            Self::Claims(denied) if denied.is_scope() => challenge(
                StatusCode::FORBIDDEN,
                (-32002, "Authorization error - Insufficient permissions"),
                &format!("Bearer error=\"insufficient_scope\", {metadata}"),
            ),
            _ => challenge(
                StatusCode::UNAUTHORIZED,
                (-32001, "Authentication error - Invalid credentials"),
                &format!("Bearer {metadata}"),
            ),
        }
    }
}

fn challenge(status: StatusCode, error: (i32, &str), challenge: &str) -> Response {
    let mut response = answer(status, &rpc_error(error));
    if let Ok(challenge) = HeaderValue::from_str(challenge) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Not the caller's fault: a token that may be good cannot be checked now.
fn unavailable(retry_after: Duration) -> Response {
    let mut response = answer(StatusCode::SERVICE_UNAVAILABLE, &rpc_error((-32603, "Internal error - Server error")));
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after.as_secs().max(1)));
    response
}

fn rpc_error((code, message): (i32, &str)) -> Value {
    json!({"jsonrpc": "2.0", "id": null, "error": {"code": code, "message": message}})
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The token of the one `Authorization` header; the scheme in any case (RFC 9110, section 11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// How the caller reaches this server: the host that it named, and https where a proxy in front says so.
fn origin(headers: &HeaderMap, uri: &Uri) -> String {
    let named = headers.get(HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let host = named.or_else(|| uri.authority().cloned());
    let https = headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
    let scheme = if https { "https" } else { "http" };
    format!("{scheme}://{}", host.as_ref().map_or("localhost", Authority::as_str))
}

fn set(values: &[String]) -> Vec<String> {
    values.iter().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn bearer_tokens() {
        let check = |values: &[&'static str], token| {
            let pairs: Vec<_> = values.iter().map(|value| ("authorization", *value)).collect();
            assert_eq!(bearer(&headers(&pairs)), token, "{values:?}");
        };
        check(&["Bearer a.b.c"], Some("a.b.c"));
        check(&["bearer  a.b.c "], Some("a.b.c"));
        check(&["Basic a"], None);
        check(&["Bearer "], None);
        check(&["Bearer a", "Bearer b"], None);
        check(&[], None);
    }

    #[test]
    fn origins() {
        let check = |pairs: &[(&'static str, &'static str)], expected| {
            assert_eq!(origin(&headers(pairs), &Uri::from_static("/mcp")), expected);
        };
        check(&[("host", "127.0.0.1:8000")], "http://127.0.0.1:8000");
        check(&[("host", "mcp.example"), ("x-forwarded-proto", "https")], "https://mcp.example");
        check(&[("host", "a\" b")], "http://localhost");
    }

    #[test]
    fn rules_without_an_issuer_are_a_mistake() {
        let args = JwtArgs { allowed_clients: vec!["a".into()], ..JwtArgs::default() };
        assert!(JwtCheck::new(&args, "/mcp").is_err());
        let nothing = JwtArgs { discovery_url: Some(String::new()), allowed_scopes: vec![String::new()], ..args };
        let nothing = JwtArgs { allowed_clients: Vec::new(), ..nothing };
        assert!(JwtCheck::new(&nothing, "/mcp").unwrap().is_none());
        let bad = JwtArgs { discovery_url: Some("issuer.example".into()), ..JwtArgs::default() };
        assert!(JwtCheck::new(&bad, "/mcp").is_err());
    }
}
