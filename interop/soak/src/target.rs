//! MCP servers over HTTP that fail in every way there is: one keeps its connections and breaks only answers, one dies with all of
//! them, one wants a token, one speaks the older era with sessions. What they do answer says what was asked.

use std::{
    collections::HashSet,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Frame, Incoming},
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::watch,
    task::JoinSet,
    time::sleep,
};

use crate::tokens;

type Body = StreamBody<Pin<Box<dyn Stream<Item = io::Result<Frame<Bytes>>> + Send>>>;

/// All of them.
#[derive(Clone, Debug)]
pub(crate) struct Targets(Arc<[Arc<Target>]>);

/// One of them.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Answers only who shows a token of the token endpoint.
    pub(crate) wants_token: bool,
    has_sessions: bool,
    address: SocketAddr,
    sessions: Mutex<HashSet<String>>,
    next_session: AtomicU64,
    /// It serves; else all its connections are cut and nobody listens.
    is_up: watch::Sender<bool>,
    /// It answers well.
    is_well: AtomicBool,
}

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    Slow,
    Large,
    Progress,
    Status(u16),
    Later,
    Garbage,
    Foreign,
    Closes,
    Breaks,
    BreaksStream,
    Hangs,
}

/// A fault and how often it comes in a thousand calls. The rest is answered at once.
const FAULTS: [(Fault, u32); 11] = [
    (Fault::Slow, 20),
    (Fault::Large, 5),
    (Fault::Progress, 50),
    (Fault::Status(500), 10),
    (Fault::Status(404), 5),
    (Fault::Later, 5),
    (Fault::Garbage, 10),
    (Fault::Foreign, 5),
    (Fault::Closes, 10),
    (Fault::Breaks, 10),
    (Fault::BreaksStream, 10),
];
/// In a hundred thousand: each takes as long as the gateway waits.
const HANGS: u32 = 50;

impl Targets {
    /// Starts them.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let kinds = [("flaky", false, false), ("dying", false, false), ("locked", true, false), ("older", false, true)];
        let mut all = Vec::new();
        for (name, wants_token, has_sessions) in kinds {
            all.push(Target::start(name, wants_token, has_sessions).await?);
        }
        Ok(Self(all.into()))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.0.iter()
    }

    /// All of them work, from now on and without fault.
    pub(crate) fn up(&self) {
        for target in self.all() {
            target.is_well.store(true, Ordering::Relaxed);
            target.is_up.send_replace(true);
        }
    }
}

impl Target {
    async fn start(name: &'static str, wants_token: bool, has_sessions: bool) -> anyhow::Result<Arc<Self>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (sessions, next_session, is_well) = Default::default();
        let is_up = watch::channel(true).0;
        let target = Self { name, wants_token, has_sessions, address, sessions, next_session, is_up, is_well };
        let target = Arc::new(target);
        tokio::spawn(Arc::clone(&target).run(listener));
        Ok(target)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// Dies for so long, with all its connections and sessions.
    pub(crate) async fn dies(&self, time: Duration) {
        self.is_up.send_replace(false);
        sleep(time).await;
        self.is_up.send_replace(true);
    }

    async fn run(self: Arc<Self>, listener: TcpListener) {
        let mut listener = Some(listener);
        let mut is_up = self.is_up.subscribe();
        loop {
            let open = match listener.take() {
                Some(listener) => listener,
                None => self.listens_again().await,
            };
            tokio::select! {
                () = Arc::clone(&self).serve(open) => (),
                _ = is_up.wait_for(|is_up| !is_up) => (),
            }
            self.sessions.lock().expect("no holder of this lock panics").clear();
            // An error means that the run is over.
            let _ = is_up.wait_for(|is_up| *is_up).await;
        }
    }

    async fn listens_again(&self) -> TcpListener {
        loop {
            let socket = TcpSocket::new_v4().and_then(|socket| {
                socket.set_reuseaddr(true)?;
                socket.bind(self.address)?;
                socket.listen(1024)
            });
            match socket {
                Ok(listener) => return listener,
                // A connection of somebody else's may have the port for a moment.
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Serves until it is dropped, and all connections with it.
    async fn serve(self: Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            let target = Arc::clone(&self);
            let service = service_fn(move |request| Arc::clone(&target).answer(request));
            connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            while connections.try_join_next().is_some() {}
        }
    }

    /// The answer; an error ends the connection without one.
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> anyhow::Result<Response<Body>> {
        let (head, body) = request.into_parts();
        let token = head.headers.get(AUTHORIZATION).and_then(|token| token.to_str().ok()).unwrap_or_default();
        if self.wants_token && !tokens::is_good(token) {
            return Ok(status(StatusCode::UNAUTHORIZED));
        }
        let session = head.headers.get("mcp-session-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
        let is_known =
            !self.has_sessions || self.sessions.lock().expect("no holder of this lock panics").contains(&session);
        match head.method {
            Method::POST => (),
            Method::DELETE => {
                self.sessions.lock().expect("no holder of this lock panics").remove(&session);
                return Ok(status(StatusCode::OK));
            }
            _ => return Ok(status(StatusCode::METHOD_NOT_ALLOWED)),
        }
        let message: Value = serde_json::from_slice(&body.collect().await?.to_bytes())?;
        let (id, method) = (&message["id"], message["method"].as_str().unwrap_or_default());
        match method {
            "initialize" if self.has_sessions => Ok(self.initialized(id)?),
            _ if self.has_sessions && head.headers.get("mcp-session-id").is_none() => {
                Ok(error(StatusCode::BAD_REQUEST, id, -32000, "Bad Request: no session"))
            }
            _ if !is_known => Ok(error(StatusCode::NOT_FOUND, id, -32001, "Session not found")),
            _ if id.is_null() => Ok(status(StatusCode::ACCEPTED)),
            "server/discover" if !self.has_sessions => Ok(whole(result(
                id,
                json!({
                    "resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}},
                    "ttlMs": 0, "cacheScope": "public",
                }),
            ))),
            "tools/list" => Ok(whole(result(
                id,
                json!({
                    "resultType": "complete", "ttlMs": 0, "cacheScope": "public",
                    "tools": [
                        {"name": "act", "inputSchema": {"type": "object"}},
                        {"name": "look", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": true}},
                    ],
                }),
            ))),
            "tools/call" => self.call(id, &message["params"]).await,
            _ => Ok(error(StatusCode::OK, id, -32601, "Method not found")),
        }
    }

    fn initialized(&self, id: &Value) -> anyhow::Result<Response<Body>> {
        let session = format!("{}-{}", self.name, self.next_session.fetch_add(1, Ordering::Relaxed));
        self.sessions.lock().expect("no holder of this lock panics").insert(session.clone());
        let about = json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "s", "version": "1"}});
        let mut response = whole(result(id, about));
        response.headers_mut().insert("mcp-session-id", HeaderValue::from_str(&session).context("a session id")?);
        Ok(response)
    }

    async fn call(&self, id: &Value, params: &Value) -> anyhow::Result<Response<Body>> {
        let text = params["arguments"]["text"].as_str().unwrap_or_default();
        let content = |text: &str| json!({"resultType": "complete", "content": [{"type": "text", "text": text}]});
        let good = result(id, content(text));
        let fault = if self.is_well.load(Ordering::Relaxed) { Fault::None } else { Fault::any() };
        match fault {
            Fault::None => Ok(whole(good)),
            Fault::Slow => {
                sleep(Duration::from_millis(fastrand::u64(20..300))).await;
                Ok(whole(good))
            }
            Fault::Large => {
                let mut content = content(text);
                content["padding"] = "x".repeat(200_000).into();
                Ok(whole(result(id, content)))
            }
            Fault::Progress => {
                let token = &params["_meta"]["progressToken"];
                let progress = |step: u32| {
                    let params = json!({"progressToken": token, "progress": step});
                    json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}).to_string()
                };
                Ok(events(vec![Ok(progress(1)), Ok(progress(2)), Ok(good)]))
            }
            Fault::Status(code) => Ok(status(StatusCode::from_u16(code)?)),
            Fault::Later => {
                let mut response = status(StatusCode::SERVICE_UNAVAILABLE);
                response.headers_mut().insert("retry-after", HeaderValue::from_static("1"));
                Ok(response)
            }
            Fault::Garbage => Ok(whole("<html>not here</html>".into())),
            Fault::Foreign => Ok(whole(result(&json!("nobody's"), content(text)))),
            Fault::Closes => anyhow::bail!("it ends the connection"),
            Fault::Breaks => {
                let half = Bytes::from(good[..good.len() / 2].to_owned());
                Ok(response("application/json", vec![Ok(half), Err(broken())]))
            }
            Fault::BreaksStream => Ok(events(vec![Ok(String::new()), Err(broken())])),
            Fault::Hangs => {
                sleep(Duration::from_secs(3600)).await;
                Ok(whole(good))
            }
        }
    }
}

impl Fault {
    fn any() -> Self {
        if fastrand::u32(..100_000) < HANGS {
            return Self::Hangs;
        }
        let mut chance = fastrand::u32(..1000);
        for (fault, share) in FAULTS {
            match chance.checked_sub(share) {
                Some(rest) => chance = rest,
                None => return fault,
            }
        }
        Self::None
    }
}

fn result(id: &Value, result: Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string()
}

fn error(status: StatusCode, id: &Value, code: i64, message: &str) -> Response<Body> {
    let mut response =
        whole(json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}).to_string());
    *response.status_mut() = status;
    response
}

fn whole(message: String) -> Response<Body> {
    response("application/json", vec![Ok(message.into())])
}

fn events(messages: Vec<io::Result<String>>) -> Response<Body> {
    let frames = messages.into_iter().map(|message| message.map(|message| Bytes::from(format!("data: {message}\n\n"))));
    response("text/event-stream", frames.collect())
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = response("text/plain", Vec::new());
    *response.status_mut() = status;
    response
}

fn response(kind: &'static str, pieces: Vec<io::Result<Bytes>>) -> Response<Body> {
    let frames = stream::iter(pieces).map(|piece| piece.map(Frame::data));
    let mut response = Response::new(StreamBody::new(Box::pin(frames) as Pin<Box<_>>));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn broken() -> io::Error {
    io::Error::other("the connection breaks")
}
