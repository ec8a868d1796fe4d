//! The admin port: what who runs the gateway wants to see of it, away from where clients call. On loopback nobody is asked who he
//! is, because this machine is trusted; elsewhere the gateway's own authorizer decides. Changes nothing.

mod dashboard;
mod door;
mod health;
mod numbers;
mod process;

pub(crate) use self::numbers::Numbers;

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use causeway_oidc::clock::Clock;
use http::{StatusCode, header};
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::door::Visitor;
use crate::{
    config,
    http::{Served, json_response},
    metrics,
    reload::Standing,
    serve::Connections,
    shared::Shared,
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
    /// What all replicas share.
    pub shared: Shared,
    pub clock: Clock,
    /// When the gateway started, since the Unix epoch.
    pub started: Duration,
    /// How the configuration stands.
    pub standing: watch::Receiver<Standing>,
    /// Whom it lets in.
    pub authorizer: config::Authorizer,
    /// What the file says.
    pub written: config::Written,
    /// What clients call each endpoint, by the name of its toolset; the gateway's own by none.
    pub server_names: HashMap<String, String>,
    /// Set when the gateway is to stop: streams without an end of their own end then.
    pub stopping: CancellationToken,
}

/// All paths of the admin port. Every request has passed the `door`; its `Visitor` is in the request's extensions.
pub fn router(admin: Arc<Admin>) -> Router {
    Router::new()
        .route(METRICS_PATH, get(numbers))
        .route(HEALTH_PATH, get(|| async { json_response(StatusCode::OK, &json!({"status": "ok"})) }))
        .route("/readyz", get(ready))
        .merge(dashboard::router())
        .fallback(dashboard::lost)
        .layer(middleware::from_fn_with_state(Arc::clone(&admin), door::guard))
        .with_state(admin)
}

async fn numbers(State(admin): State<Arc<Admin>>) -> Response {
    let text = metrics::exposition(&admin.numbers().families());
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response()
}

async fn ready(State(admin): State<Arc<Admin>>) -> Response {
    let view = admin.served.gateway.front.gateway.view();
    let status = if view.is_complete() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let now = admin.clock.now();
    let mut said = health::detail(&admin.served, &view, now);
    said["config"] = health::of_configuration(&admin.standing.borrow(), now);
    json_response(status, &said)
}

impl Admin {
    fn numbers(&self) -> Numbers {
        let (served, connections) = (Arc::clone(&self.served), self.connections.clone());
        let (clock, standing) = (self.clock.clone(), self.standing.clone());
        Numbers { served, connections, shared: self.shared.clone(), clock, standing, started: self.started }
    }
}
