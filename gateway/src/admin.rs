//! The admin port: what who runs the gateway wants to see of it, away from where clients call. On loopback nobody is asked who he
//! is, because this machine is trusted; elsewhere the gateway's own authorizer decides. Changes nothing.

mod health;
mod numbers;
mod process;

pub(crate) use self::numbers::Numbers;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use causeway_core::era::Era;
use causeway_oidc::clock::Clock;
use http::{StatusCode, header};
use serde_json::json;

use crate::{
    config, front,
    http::{MCP_PATH, Served, json_response, origin, read, refuse},
    inbound::Caller,
    metrics,
    serve::Connections,
};

/// For whoever only wants to know whether the process lives.
const HEALTH_PATH: &str = "/healthz";
/// For Prometheus.
const METRICS_PATH: &str = "/metrics";

/// What the admin port shows.
#[derive(Debug)]
pub struct Admin {
    pub settings: config::Admin,
    /// Where it listens.
    pub local: SocketAddr,
    /// What clients are served with.
    pub served: Arc<Served>,
    /// Of clients.
    pub connections: Connections,
    pub clock: Clock,
    /// When the gateway started, since the Unix epoch.
    pub started: Duration,
}

/// All paths of the admin port. Every request has passed [`guard`]; its caller is in the request's extensions.
pub fn router(admin: Arc<Admin>) -> Router {
    Router::new()
        .route(METRICS_PATH, get(numbers))
        .route(HEALTH_PATH, get(|| async { json_response(StatusCode::OK, &json!({"status": "ok"})) }))
        .route("/readyz", get(ready))
        .layer(middleware::from_fn_with_state(Arc::clone(&admin), guard))
        .with_state(admin)
}

/// Refuses pages of strangers, and on an address that other machines reach who is not let in.
async fn guard(State(admin): State<Arc<Admin>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    // No page of another origin has any business here, whatever the gateway allows to call it.
    if let Err(refused) = origin::check(&parts.headers, admin.local, &origin::Allowed::default()) {
        return front::face(refused.face(Era::Legacy, "null"));
    }
    if admin.is_open(parts.uri.path()) {
        parts.extensions.insert(Arc::new(Caller::anonymous()));
        return next.run(Request::from_parts(parts, body)).await;
    }
    let served = &admin.served;
    let claim = match served.gateway.inbound.authenticate(&parts).await {
        Ok(claim) => claim,
        Err(refusal) => return refuse(served, MCP_PATH, &refusal, &parts.headers, body).await,
    };
    let body = match read(body, served.limits.request_bytes, served.limits.request_time).await {
        Ok(body) => body,
        Err(refused) => return front::face(refused.face(Era::Legacy, "null")),
    };
    match claim.prove(&parts, &body).await {
        Ok(caller) => {
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, Body::from(body))).await
        }
        Err(refusal) => refuse(served, MCP_PATH, &refusal, &parts.headers, body.into()).await,
    }
}

async fn numbers(State(admin): State<Arc<Admin>>) -> Response {
    let text = metrics::exposition(&admin.numbers().families());
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response()
}

async fn ready(State(admin): State<Arc<Admin>>) -> Response {
    let gateway = &admin.served.gateway.front.gateway;
    let view = gateway.view();
    let status = if view.is_complete() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json_response(status, &health::detail(gateway, &view, admin.clock.now()))
}

impl Admin {
    fn numbers(&self) -> Numbers {
        let (served, connections) = (Arc::clone(&self.served), self.connections.clone());
        Numbers { served, connections, clock: self.clock.clone(), started: self.started }
    }

    fn is_open(&self, path: &str) -> bool {
        let on_loopback = self.local.ip().is_loopback();
        on_loopback || path == HEALTH_PATH || (path == METRICS_PATH && self.settings.open_metrics)
    }
}
