//! The paths of a login: metadata of the authorization server and the endpoints that it names. Reads requests within bounds and
//! leaves the rest to `login`; there are none where nobody logs in by this gateway.

use std::sync::Arc;

use axum::{
    Extension, Router,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri, header};

use super::{
    Served,
    origin::{self, Allowed},
    read,
};
use crate::login::{ErrorCode, Here, Login, OAuthError, Params, Proxy};

/// Of a form or a registration.
const LONGEST: usize = 64 * 1024;

/// Where clients look for the metadata: RFC 8414, section 3.1, and OpenID Connect Discovery 1.0, section 4. Some append the path of
/// the issuer or of the MCP endpoint.
const METADATA: [&str; 2] = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];

#[derive(Clone)]
struct Endpoints {
    served: Arc<Served>,
    login: Arc<Login>,
}

/// What every handler of an endpoint gives.
type Answer = Result<Response, OAuthError>;

/// What every handler of an endpoint gets.
type Context = (State<Endpoints>, Extension<Arc<Allowed>>);

/// The paths of `served.login`.
pub(super) fn router(served: &Arc<Served>) -> Router<Arc<Served>> {
    let Some(login) = served.login.clone() else { return Router::new() };
    let mut router = Router::new();
    for path in METADATA {
        router = router.route(path, get(metadata)).route(&[path, "/{*resource}"].concat(), get(metadata_below));
    }
    if login.proxy().is_some() {
        router = router
            .route("/login/authorize", get(authorize))
            .route("/login/consent", post(consent))
            .route("/login/callback", get(callback))
            .route("/login/token", post(token))
            .route("/login/revoke", post(revoke))
            .route("/login/register", post(register));
    }
    router.with_state(Endpoints { served: Arc::clone(served), login })
}

impl Endpoints {
    fn here(&self, headers: &HeaderMap) -> Here {
        Here::new(self.served.url(headers, ""))
    }

    /// The authorization server, for whoever may ask it: on loopback no page of a stranger, by whatever name it calls.
    fn proxy(&self, headers: &HeaderMap, allowed: &Allowed) -> Result<&Proxy, OAuthError> {
        origin::check(headers, self.served.local, allowed)
            .map_err(|refused| OAuthError::new(ErrorCode::InvalidRequest, refused.to_string()))?;
        Ok(self.login.proxy().expect("these paths are routed for a proxy only"))
    }

    async fn body(&self, body: Body) -> Result<Bytes, OAuthError> {
        let read = read(body, LONGEST, self.served.limits.request_time).await;
        read.map_err(|refused| OAuthError::new(ErrorCode::InvalidRequest, refused.to_string()))
    }

    async fn form(&self, headers: &HeaderMap, body: Body) -> Result<Params, OAuthError> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            let text = "the body must be a form: application/x-www-form-urlencoded";
            return Err(OAuthError::new(ErrorCode::InvalidRequest, text));
        }
        Ok(Params::parse(&self.body(body).await?))
    }
}

fn query(uri: &Uri) -> Params {
    Params::parse(uri.query().unwrap_or_default().as_bytes())
}

async fn metadata(State(endpoints): State<Endpoints>, headers: HeaderMap) -> Response {
    endpoints.login.metadata(&endpoints.here(&headers)).await
}

/// Below the path of an endpoint whose callers do not log in here there is none: it would lead to tokens that are refused there.
async fn metadata_below(endpoints: State<Endpoints>, Path(resource): Path<String>, headers: HeaderMap) -> Response {
    let endpoint = endpoints.served.endpoint_of(&resource);
    match endpoint.is_some_and(|endpoint| endpoint.shares_login) {
        true => metadata(endpoints, headers).await,
        false => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn authorize((State(endpoints), Extension(allowed)): Context, uri: Uri, headers: HeaderMap) -> Answer {
    let proxy = endpoints.proxy(&headers, &allowed)?;
    Ok(proxy.authorize(&endpoints.here(&headers), &headers, &query(&uri)).await)
}

async fn callback((State(endpoints), Extension(allowed)): Context, uri: Uri, headers: HeaderMap) -> Answer {
    let proxy = endpoints.proxy(&headers, &allowed)?;
    Ok(proxy.callback(&endpoints.here(&headers), &headers, &query(&uri)).await)
}

async fn consent((State(endpoints), Extension(allowed)): Context, headers: HeaderMap, body: Body) -> Answer {
    let proxy = endpoints.proxy(&headers, &allowed)?;
    let form = endpoints.form(&headers, body).await?;
    Ok(proxy.answered(&endpoints.here(&headers), &headers, &form).await)
}

async fn token((State(endpoints), Extension(allowed)): Context, headers: HeaderMap, body: Body) -> Answer {
    let proxy = endpoints.proxy(&headers, &allowed)?;
    let form = endpoints.form(&headers, body).await?;
    proxy.token(&endpoints.here(&headers), &form).await
}

async fn revoke((State(endpoints), Extension(allowed)): Context, headers: HeaderMap, body: Body) -> Answer {
    let proxy = endpoints.proxy(&headers, &allowed)?;
    proxy.revoke(&endpoints.form(&headers, body).await?).await
}

async fn register((State(endpoints), Extension(allowed)): Context, headers: HeaderMap, body: Body) -> Answer {
    let proxy = endpoints.proxy(&headers, &allowed)?;
    proxy.register(&endpoints.body(body).await?)
}
