//! The token endpoint and the revocation endpoint. What a client may have is the pool's to say.
//!
//! Source: RFC 6749 sections 2.3.1, 4.1.3, 4.4, 5 and 6; RFC 7636 section 4.6; RFC 7009; the Cognito developer guide, pages
//! "Token endpoint" and "Revoke endpoint".

use std::collections::HashMap;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{
    super::{
        PoolClient, PublicClient,
        grants::Code,
        issuer,
        pool::{Issuing, PoolState},
    },
    Served, json_response,
};
use crate::opaque::digest_of;

type Form = HashMap<String, String>;

/// RFC 6749, section 5.2. Cognito answers all of them with 400.
#[derive(Clone, Copy)]
enum TokenRefusal {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    UnsupportedGrantType,
}

pub(super) async fn token(
    State(served): State<Served>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, StatusCode> {
    let pool = served.pool(&id)?;
    let issuer = issuer(&served.base_url, &id);
    Ok(match answer(pool, served.issuing(&issuer), &headers, &body) {
        Ok(granted) => json_response(StatusCode::OK, &granted),
        Err(refusal) => refused(refusal),
    })
}

/// A refresh token is given back. As RFC 7009 says, one that is not known is no error.
pub(super) async fn revoke(
    State(served): State<Served>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, StatusCode> {
    let pool = served.pool(&id)?;
    let known = form(&headers, &body).and_then(|form| public_client(pool, &form).map(|_| form));
    Ok(match known {
        Ok(form) => {
            pool.grants.refreshes.take(served.now(), form.get("token").map_or("", String::as_str));
            StatusCode::OK.into_response()
        }
        Err(refusal) => refused(refusal),
    })
}

fn answer(pool: &PoolState, with: Issuing<'_>, headers: &HeaderMap, body: &[u8]) -> Result<Value, TokenRefusal> {
    let form = form(headers, body)?;
    if form.contains_key("resource") {
        return Err(TokenRefusal::InvalidRequest);
    }
    match form.get("grant_type").map(String::as_str) {
        None => Err(TokenRefusal::InvalidRequest),
        Some("client_credentials") => client_credentials(pool, with, headers, &form),
        Some("authorization_code") => authorization_code(pool, with, &form),
        Some("refresh_token") => refresh(pool, with, &form),
        Some(_) => Err(TokenRefusal::UnsupportedGrantType),
    }
}

fn client_credentials(
    pool: &PoolState,
    with: Issuing<'_>,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Value, TokenRefusal> {
    let client = authenticated(pool, headers, form).ok_or(TokenRefusal::InvalidClient)?;
    let scope = form.get("scope").map(String::as_str);
    let token = pool.issue(client, scope, with).map_err(|_| TokenRefusal::InvalidScope)?;
    Ok(json!({"access_token": token, "expires_in": with.lifetime.as_secs(), "token_type": "Bearer"}))
}

/// A code is good once, whatever comes of the try.
fn authorization_code(pool: &PoolState, with: Issuing<'_>, form: &Form) -> Result<Value, TokenRefusal> {
    let client = public_client(pool, form)?;
    let code = form.get("code").ok_or(TokenRefusal::InvalidRequest)?;
    let code = pool.grants.codes.take(with.now, code).ok_or(TokenRefusal::InvalidGrant)?;
    let same = code.client_id == client.id && form.get("redirect_uri") == Some(&code.redirect_uri);
    if !same || !proven(&code, form.get("code_verifier")) {
        return Err(TokenRefusal::InvalidGrant);
    }
    Ok(pool.issue_to(code.person, client, &code.scope, with))
}

/// A refresh token is good once too: the answer brings the next one.
fn refresh(pool: &PoolState, with: Issuing<'_>, form: &Form) -> Result<Value, TokenRefusal> {
    let client = public_client(pool, form)?;
    let token = form.get("refresh_token").ok_or(TokenRefusal::InvalidRequest)?;
    let refresh = pool.grants.refreshes.take(with.now, token).ok_or(TokenRefusal::InvalidGrant)?;
    match refresh.client_id == client.id {
        true => Ok(pool.issue_to(refresh.person, client, &refresh.scope, with)),
        false => Err(TokenRefusal::InvalidGrant),
    }
}

fn public_client<'a>(pool: &'a PoolState, form: &Form) -> Result<&'a PublicClient, TokenRefusal> {
    form.get("client_id").and_then(|id| pool.public_client(id)).ok_or(TokenRefusal::InvalidClient)
}

/// Whether `verifier` is what the code's challenge was made of; a verifier without a challenge is not.
fn proven(code: &Code, verifier: Option<&String>) -> bool {
    match (&code.challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => digest_of(verifier) == *challenge,
        _ => false,
    }
}

impl TokenRefusal {
    fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidScope => "invalid_scope",
            Self::UnsupportedGrantType => "unsupported_grant_type",
        }
    }
}

fn refused(refusal: TokenRefusal) -> Response {
    json_response(StatusCode::BAD_REQUEST, &json!({"error": refusal.code()}))
}

fn form(headers: &HeaderMap, body: &[u8]) -> Result<Form, TokenRefusal> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    match media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        true => Ok(form_urlencoded::parse(body).into_owned().collect()),
        false => Err(TokenRefusal::InvalidRequest),
    }
}

/// The client, by the header if there is one, else by the form. The header is read as RFC 6749 encodes it and, since
/// `curl -u` does not, also plainly.
fn authenticated<'a>(pool: &'a PoolState, headers: &HeaderMap, form: &Form) -> Option<&'a PoolClient> {
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
