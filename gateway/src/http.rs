//! The HTTP side: paths, methods, the order of checks on a request, bodies within bounds. Knows no MCP beyond that a
//! refusal is a JSON-RPC message.

mod cors;
mod login;
pub(crate) mod origin;
mod replica;

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use bytes::Bytes;
use causeway_core::{
    catalog::Kind,
    era::Era,
    wire::{Envelope, ObjectEdit, error_message},
};
use futures::{FutureExt, future::Either};
use http::{HeaderMap, Method, Request, StatusCode, Version, header};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::json;
use tokio::time::timeout;
use tower_service::Service;

use self::origin::Allowed;
use crate::{
    calls::{self, Calls, Outcome, Unaudited},
    config::Limits,
    discovery::{TargetState, View},
    error::Refused,
    front::{self, Front, Post},
    inbound::{Inbound, Refusal},
    login::Login,
    replicas::{self, Replicas},
    targets::{Counts, PathState, Target},
};

/// Where MCP is served.
pub const MCP_PATH: &str = "/mcp";
/// Where the protected resource metadata is (RFC 9728, section 3.1).
pub const METADATA_PATH: &str = "/.well-known/oauth-protected-resource";

/// Bytes that are read of a refused request, to answer under its id.
const REFUSED_BYTES: usize = 64 * 1024;

/// What requests are answered with.
#[derive(Debug)]
pub struct Served {
    /// At [`MCP_PATH`].
    pub gateway: Endpoint,
    /// Below it, by their names.
    pub toolsets: HashMap<String, Endpoint>,
    /// How people log in, if they do.
    pub login: Option<Arc<Login>>,
    pub limits: Limits,
    /// Told of each request of a client.
    pub calls: Calls,
    /// Other replicas of the gateway.
    pub replicas: Replicas,
    /// Where the gateway listens: its address for clients that send no `Host`.
    pub local: SocketAddr,
}

/// Who may call, and what answers.
#[derive(Debug)]
pub struct Endpoint {
    /// Where it is: [`MCP_PATH`], or below it with the name of a toolset.
    pub path: Arc<str>,
    pub inbound: Inbound,
    pub front: Front,
    /// Its authorizer is the gateway's own.
    pub shares_authorizer: bool,
    /// Its callers log in where those of the gateway do.
    pub shares_login: bool,
}

/// Goes with a request whose answer is read whole before anything of it is passed on.
#[derive(Clone, Copy, Debug)]
pub struct InOnePiece;

/// What answers all requests of clients.
#[derive(Clone, Debug)]
pub struct Entrance {
    served: Arc<Served>,
    allowed: Arc<Allowed>,
    /// All paths.
    router: Router,
}

impl Entrance {
    /// To what is `served`.
    pub fn new(served: Arc<Served>) -> Self {
        let allowed = Arc::new(Allowed {
            public: served.gateway.front.settings.public_url.clone(),
            origins: served.gateway.front.settings.allowed_origins.clone(),
        });
        let router = router(Arc::clone(&served), Arc::clone(&allowed));
        Self { served, allowed, router }
    }

    /// The response to `request`.
    pub fn answer(&self, request: Request<Body>) -> impl Future<Output = Response> + Send + use<> {
        // Most requests are no web page's, and are for the gateway's own endpoint: for these there is nothing to be said about pages
        // and nothing to be looked up.
        if request.uri().path() == MCP_PATH && !request.headers().contains_key(header::ORIGIN) {
            let (served, allowed) = (Arc::clone(&self.served), Arc::clone(&self.allowed));
            // In a box: what answers a request is large, and is handed on several times before it runs.
            return Either::Left(Box::pin(async move { call(&served, &served.gateway, &allowed, request).await }));
        }
        let mut router = self.router.clone();
        Either::Right(router.call(request).map(|Ok(response)| response))
    }
}

fn router(served: Arc<Served>, allowed: Arc<Allowed>) -> Router {
    let cors = cors::layer(served.local, Arc::clone(&allowed));
    Router::new()
        .route(MCP_PATH, any(mcp))
        .route(&[MCP_PATH, "/{toolset}"].concat(), any(mcp_of_toolset))
        .route("/healthz", get(|| async { json_response(StatusCode::OK, &json!({"status": "ok"})) }))
        .route("/readyz", get(ready))
        .route(METADATA_PATH, get(metadata))
        // The path of the resource follows; it is `/mcp`, or longer where a proxy in front adds to it.
        .route(&[METADATA_PATH, "/{*resource}"].concat(), get(metadata_below))
        .route(replicas::PATH, post(replica::answer))
        .merge(login::router(&served))
        .layer(cors)
        .layer(Extension(allowed))
        .with_state(served)
}

async fn mcp(
    State(served): State<Arc<Served>>,
    Extension(allowed): Extension<Arc<Allowed>>,
    request: Request<Body>,
) -> Response {
    call(&served, &served.gateway, &allowed, request).await
}

async fn mcp_of_toolset(
    State(served): State<Arc<Served>>,
    Path(toolset): Path<String>,
    Extension(allowed): Extension<Arc<Allowed>>,
    request: Request<Body>,
) -> Response {
    let Some(endpoint) = served.toolsets.get(&toolset) else { return StatusCode::NOT_FOUND.into_response() };
    call(&served, endpoint, &allowed, request).await
}

async fn call(served: &Served, endpoint: &Endpoint, allowed: &Allowed, request: Request<Body>) -> Response {
    match served.calls.begin(request.headers(), Arc::clone(&endpoint.path)) {
        Ok(call) => call.watch(answer(served, endpoint, allowed, request)).await,
        Err(Unaudited) => unaudited(),
    }
}

/// The answer to what could not be kept, before anything of it is read.
fn unaudited() -> Response {
    front::face(Refused::Unaudited.face(Era::Legacy, "null"))
}

/// The answer of `endpoint`.
async fn answer(served: &Served, endpoint: &Endpoint, allowed: &Allowed, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        calls::note(|call| call.is_for(parts.method.as_str()));
    }
    if !matches!(parts.method, Method::POST | Method::GET | Method::DELETE) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST, GET, DELETE")]).into_response();
    }
    if let Err(refused) = origin::check(&parts.headers, served.local, allowed) {
        return front::face(refused.face(Era::Legacy, "null"));
    }
    let claim = match endpoint.inbound.authenticate(&parts).await {
        Ok(claim) => claim,
        Err(refusal) => return refuse(served, &endpoint.path, &refusal, &parts.headers, body).await,
    };
    let checked = match (&parts.method, content_type(&parts.headers)) {
        (&Method::POST, Err(refused)) => Err(refused),
        // What is no message has no body; one that is there all the same is part of what was signed.
        _ => read(body, served.limits.request_bytes, served.limits.request_time).await,
    };
    let body = match checked {
        Ok(body) => body,
        Err(refused) => return front::face(refused.face(Era::Legacy, "null")),
    };
    calls::note(|call| call.took(&body));
    let caller = match claim.prove(&parts, &body).await {
        Ok(caller) => caller,
        Err(refusal) => return refuse(served, &endpoint.path, &refusal, &parts.headers, body.into()).await,
    };
    calls::note(|call| call.called_by(&caller));
    // Before HTTP/1.1 nobody could tell an answer that breaks off from a whole one.
    let in_pieces = parts.version >= Version::HTTP_11 && parts.extensions.get::<InOnePiece>().is_none();
    let post = Post { caller, headers: parts.headers, body, in_pieces, passed_on: false };
    respond(&endpoint.front, &parts.method, post).await
}

async fn respond(front: &Front, method: &Method, post: Post) -> Response {
    match *method {
        Method::POST => front.answer(post).await,
        Method::GET => front.listen(post).await,
        _ => front.end(post).await,
    }
}

/// Only JSON is read. A request without a type is taken at its body's word.
fn content_type(headers: &HeaderMap) -> Result<(), Refused> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let text = String::from_utf8_lossy(value.as_bytes());
    let kind = text.split(';').next().unwrap_or_default().trim();
    match kind.eq_ignore_ascii_case("application/json") {
        true => Ok(()),
        false => Err(Refused::ContentType(kind.to_owned())),
    }
}

pub(crate) async fn read(body: Body, limit: usize, patience: Duration) -> Result<Bytes, Refused> {
    // What is announced as too long is not waited for.
    if body.size_hint().lower() > limit as u64 {
        return Err(Refused::TooLarge(limit));
    }
    let collected = timeout(patience, Limited::new(body, limit).collect()).await;
    let collected = collected.map_err(|_| Refused::Slow(patience))?;
    collected.map(http_body_util::Collected::to_bytes).map_err(|error| {
        // The limit's error is somewhere in the chain, under axum's.
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error.as_ref());
        while let Some(error) = cause {
            if error.is::<LengthLimitError>() {
                return Refused::TooLarge(limit);
            }
            cause = error.source();
        }
        Refused::BrokenOff
    })
}

/// A refusal in AgentCore's form, under the id of the refused request, by the endpoint at `path`.
pub(crate) async fn refuse(
    served: &Served,
    path: &str,
    refusal: &Refusal,
    headers: &HeaderMap,
    body: Body,
) -> Response {
    let body = read(body, REFUSED_BYTES, served.limits.request_time).await.unwrap_or_default();
    let envelope = Envelope::parse(body.clone()).ok();
    calls::note(|call| note_refused(call, refusal, &body, envelope.as_ref()));
    let id = envelope.as_ref().and_then(Envelope::id).unwrap_or("null");
    let debug = served.gateway.front.settings.debug_errors;
    let cause =
        debug.then(|| json!({"cause": refusal.cause(), "requestId": calls::request_id().as_deref()}).to_string());
    let message = error_message(id, refusal.code(), refusal.message(), cause.as_deref());
    let mut response = front::message(refusal.status(), message);
    // Of the gateway's own endpoint it is where AgentCore has it.
    let of_toolset = if path == MCP_PATH { "" } else { path };
    let challenge = refusal.challenge(&served.url(headers, &[METADATA_PATH, of_toolset].concat()));
    let extra = [(header::WWW_AUTHENTICATE, challenge), (header::RETRY_AFTER, refusal.retry_after())];
    response.headers_mut().extend(extra.into_iter().filter_map(|(name, value)| Some((name, value?))));
    response
}

/// What was asked for by who was refused.
fn note_refused(call: &calls::OpenCall, refusal: &Refusal, body: &[u8], message: Option<&Envelope>) {
    call.took(body);
    call.came_to(Outcome::Refused(refusal.word()));
    let Some(message) = message else { return };
    call.holds(message);
    let params = message.params().and_then(|params| ObjectEdit::parse(params).ok());
    let name = params.as_ref().and_then(|params| params.get("name").or_else(|| params.get("uri")));
    if let Some(name) = name.and_then(|name| serde_json::from_str::<String>(name).ok()) {
        call.names(&name);
    }
}

async fn metadata(State(served): State<Arc<Served>>, headers: HeaderMap) -> Response {
    metadata_of(&served, &served.gateway, &headers).await
}

async fn metadata_below(
    State(served): State<Arc<Served>>,
    Path(resource): Path<String>,
    headers: HeaderMap,
) -> Response {
    match served.endpoint_of(&resource) {
        Some(endpoint) => metadata_of(&served, endpoint, &headers).await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn metadata_of(served: &Served, endpoint: &Endpoint, headers: &HeaderMap) -> Response {
    let login = served.login.as_ref().filter(|_| endpoint.shares_login);
    let gateway = login.and_then(|login| login.proxy()).map(|_| served.url(headers, ""));
    match endpoint.inbound.resource_metadata(&served.url(headers, &endpoint.path), gateway).await {
        Some(metadata) => json_response(StatusCode::OK, &metadata),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Ready once every target was asked for its lists, whatever came of it; the body says what did.
async fn ready(State(served): State<Arc<Served>>) -> Response {
    let view = served.gateway.front.gateway.view();
    let targets = view.targets.iter().map(|target| {
        // More of the reason of a failure may name addresses: it is in the log, not here, where anyone may ask.
        let mut said = json!({
            "name": target.name.as_str(),
            "state": target.word(),
            "tools": target.count(Kind::Tools),
            "prompts": target.count(Kind::Prompts),
            "resources": target.count(Kind::Resources),
            "templates": target.count(Kind::Templates),
        });
        if let Some(fault) = &target.error {
            said["error"] = fault.kind().into();
        }
        let paths = served.gateway.front.gateway.paths(&target.name);
        match &paths[..] {
            [only] if only.health().state() == PathState::Up => (),
            [only] => said["path"] = only.health().state().word().into(),
            paths => said["paths"] = paths.iter().map(|path| path_state(path, &view)).collect(),
        }
        said
    });
    let targets: Vec<_> = targets.collect();
    let complete = view.is_complete();
    let status = if complete { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut said = json!({"ready": complete, "targets": targets});
    if !served.toolsets.is_empty() {
        said["toolsets"] = served.toolset_states().into();
    }
    json_response(status, &said)
}

/// How a path is, what came of listing it, and what it did since the start.
fn path_state(path: &Target, view: &View) -> serde_json::Value {
    let Counts { served, passed_on } = path.health().counts();
    let state = path.health().state().word();
    let lists = view.paths.iter().find(|known| known.path == *path.path()).map(TargetState::word);
    let name = path.path().to_string();
    json!({"name": name, "state": state, "lists": lists, "served": served, "passedOn": passed_on})
}

impl Served {
    /// All of them.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        [&self.gateway].into_iter().chain(self.toolsets.values())
    }

    /// The endpoint that the end of a well-known path means: what follows the last `mcp/` names a toolset; without
    /// that it is the gateway, below whatever a proxy puts before it.
    fn endpoint_of(&self, resource: &str) -> Option<&Endpoint> {
        match ["/", resource].concat().rsplit_once("/mcp/") {
            Some((_, toolset)) => self.toolsets.get(toolset),
            None => Some(&self.gateway),
        }
    }

    /// What each toolset shows by now, by their names.
    pub(crate) fn toolset_states(&self) -> Vec<serde_json::Value> {
        let mut names: Vec<&String> = self.toolsets.keys().collect();
        names.sort_unstable();
        let said = names.into_iter().map(|name| {
            let view = self.toolsets[name].front.gateway.view();
            let count = |kind| view.catalog.list(kind).len();
            json!({
                "name": name,
                "tools": count(Kind::Tools),
                "prompts": count(Kind::Prompts),
                "resources": count(Kind::Resources),
                "templates": count(Kind::Templates),
            })
        });
        said.collect()
    }

    /// The URL of `path` as clients know it: by `public_url`, else by the `Host` that they sent.
    fn url(&self, headers: &HeaderMap, path: &str) -> String {
        if let Some(public) = &self.gateway.front.settings.public_url {
            // What stands before the last `/mcp` may hold the prefix under which a proxy shows the gateway.
            let base = public.as_str().strip_suffix(MCP_PATH).expect("the configuration wants `/mcp` at the end");
            return [base, path].concat();
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host.filter(|host| host.parse::<http::uri::Authority>().is_ok());
        match host {
            Some(host) => ["http://", host, path].concat(),
            None => format!("http://{}{path}", self.local),
        }
    }
}

pub(crate) fn json_response(status: StatusCode, value: &serde_json::Value) -> Response {
    front::message(status, value.to_string())
}
