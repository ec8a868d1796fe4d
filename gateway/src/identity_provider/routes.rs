//! The pools over HTTP: discovery document, JWK set, token endpoint. Decides nothing about clients and scopes.
//!
//! Source: RFC 6749 sections 2.3.1, 4.4 and 5; the Cognito developer guide, page "Token endpoint".

use std::collections::HashMap;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::{IdentityProvider, PoolClient, issuer, jwks_url, pool::PoolState, token_url};

/// What the handlers share.
#[derive(Clone)]
struct Served {
    provider: IdentityProvider,
    base_url: Url,
}

/// RFC 6749, section 5.2. Cognito answers all of them with 400.
#[derive(Clone, Copy)]
enum TokenRefusal {
    InvalidRequest,
    InvalidClient,
    InvalidScope,
    UnsupportedGrantType,
}

pub(super) fn router(provider: IdentityProvider, base_url: Url) -> Router {
    Router::new()
        .route("/{pool}/.well-known/openid-configuration", get(discovery))
        .route("/{pool}/.well-known/jwks.json", get(jwks))
        .route("/{pool}/oauth2/token", post(token))
        .with_state(Served { provider, base_url })
}

impl Served {
    fn pool(&self, id: &str) -> Result<&PoolState, StatusCode> {
        self.provider.0.pools.get(id).ok_or(StatusCode::NOT_FOUND)
    }
}

/// Cognito's document without the endpoints that are not here.
async fn discovery(State(served): State<Served>, Path(id): Path<String>) -> Result<Response, StatusCode> {
    let pool = served.pool(&id)?;
    Ok(json_response(
        StatusCode::OK,
        &json!({
            "grant_types_supported": ["client_credentials"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "issuer": issuer(&served.base_url, &id),
            "jwks_uri": jwks_url(&served.base_url, &id),
            "response_types_supported": [],
            "scopes_supported": pool.scopes(),
            "subject_types_supported": ["public"],
            "token_endpoint": token_url(&served.base_url, &id),
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }),
    ))
}

async fn jwks(State(served): State<Served>, Path(id): Path<String>) -> Result<Response, StatusCode> {
    Ok(json_response(StatusCode::OK, &served.pool(&id)?.jwks()))
}

async fn token(
    State(served): State<Served>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, StatusCode> {
    let pool = served.pool(&id)?;
    let issuer = issuer(&served.base_url, &id);
    Ok(match answer(&served.provider, pool, &issuer, &headers, &body) {
        Ok(granted) => json_response(StatusCode::OK, &granted),
        Err(refusal) => json_response(StatusCode::BAD_REQUEST, &json!({"error": refusal.code()})),
    })
}

fn answer(
    provider: &IdentityProvider,
    pool: &PoolState,
    issuer: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Value, TokenRefusal> {
    if !is_form(headers) {
        return Err(TokenRefusal::InvalidRequest);
    }
    let form: HashMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
    match form.get("grant_type").map(String::as_str) {
        None => return Err(TokenRefusal::InvalidRequest),
        Some("client_credentials") => {}
        Some(_) => return Err(TokenRefusal::UnsupportedGrantType),
    }
    let client = authenticated(pool, headers, &form).ok_or(TokenRefusal::InvalidClient)?;
    let (now, lifetime) = (provider.0.clock.now(), provider.0.token_lifetime);
    let scope = form.get("scope").map(String::as_str);
    let token = pool.issue(client, scope, issuer, now, lifetime).map_err(|_| TokenRefusal::InvalidScope)?;
    Ok(json!({"access_token": token, "expires_in": lifetime.as_secs(), "token_type": "Bearer"}))
}

impl TokenRefusal {
    fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidScope => "invalid_scope",
            Self::UnsupportedGrantType => "unsupported_grant_type",
        }
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The client, by the header if there is one, else by the form. The header is read as RFC 6749 encodes it and, since
/// `curl -u` does not, also plainly.
fn authenticated<'a>(
    pool: &'a PoolState,
    headers: &HeaderMap,
    form: &HashMap<String, String>,
) -> Option<&'a PoolClient> {
    let Some(header) = headers.get(AUTHORIZATION) else {
        return pool.client(form.get("client_id")?, form.get("client_secret")?);
    };
    let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    pool.client(id, secret).or_else(|| pool.client(&form_decoded(id)?, &form_decoded(secret)?))
}

/// One form-urlencoded value, which has neither `&` nor `=`.
fn form_decoded(text: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    match (text, pairs.next()) {
        ("", _) => Some(String::new()),
        (_, Some((value, rest))) if rest.is_empty() && pairs.next().is_none() => Some(value.into_owned()),
        _ => None,
    }
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    let headers = [(CONTENT_TYPE, "application/json;charset=UTF-8"), (CACHE_CONTROL, "no-cache, no-store")];
    (status, headers, body.to_string()).into_response()
}
