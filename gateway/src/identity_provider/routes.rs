//! The pools over HTTP: discovery document, JWK set, and in files of their own tokens, logins and the API. Decides nothing about
//! clients and scopes.

use axum::{
    Router,
    extract::{Path, State},
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use url::Url;

use super::{
    IdentityProvider, authorization_url, issuer, jwks_url,
    pool::{Issuing, PoolState},
    revocation_url, token_url,
};

mod api;
mod login;
mod token;

/// What the handlers share.
#[derive(Clone)]
struct Served {
    provider: IdentityProvider,
    base_url: Url,
}

pub(super) fn router(provider: IdentityProvider, base_url: Url) -> Router {
    Router::new()
        .route("/", post(api::answer))
        .route("/{pool}/.well-known/openid-configuration", get(discovery))
        .route("/{pool}/.well-known/jwks.json", get(jwks))
        .route("/{pool}/oauth2/authorize", get(login::authorize))
        .route("/{pool}/login", get(login::page).post(login::submit))
        .route("/{pool}/oauth2/token", post(token::token))
        .route("/{pool}/oauth2/revoke", post(token::revoke))
        .with_state(Served { provider, base_url })
}

impl Served {
    fn pool(&self, id: &str) -> Result<&PoolState, StatusCode> {
        self.provider.0.pools.get(id).ok_or(StatusCode::NOT_FOUND)
    }

    fn now(&self) -> std::time::Duration {
        self.provider.0.clock.now()
    }

    fn issuing<'a>(&self, issuer: &'a str) -> Issuing<'a> {
        Issuing { issuer, now: self.now(), lifetime: self.provider.0.token_lifetime }
    }
}

/// Cognito's document, but for the endpoint of user attributes, which is not here.
async fn discovery(State(served): State<Served>, Path(id): Path<String>) -> Result<Response, StatusCode> {
    let pool = served.pool(&id)?;
    Ok(json_response(
        StatusCode::OK,
        &json!({
            "authorization_endpoint": authorization_url(&served.base_url, &id),
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "issuer": issuer(&served.base_url, &id),
            "jwks_uri": jwks_url(&served.base_url, &id),
            "response_types_supported": ["code"],
            "revocation_endpoint": revocation_url(&served.base_url, &id),
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

fn json_response(status: StatusCode, body: &Value) -> Response {
    let headers = [(CONTENT_TYPE, "application/json;charset=UTF-8"), (CACHE_CONTROL, "no-cache, no-store")];
    (status, headers, body.to_string()).into_response()
}
