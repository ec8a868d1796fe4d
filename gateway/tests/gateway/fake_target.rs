//! An MCP server over HTTP that does what a test scripts and records what it was asked. Only for faults and for answers that
//! no well-behaved server gives: healthy peers are the sample servers.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, State},
    http::{HeaderMap, Method, Response},
};
use bytes::Bytes;
use causeway_core::wire::Envelope;
use futures::{Stream, StreamExt, future::BoxFuture};
use tokio::{
    net::{TcpListener, TcpSocket},
    runtime::Runtime,
    sync::watch,
    time::timeout,
};

mod connection;
mod scripted;

pub(crate) use scripted::{
    broken, error, event, event_stream, events, hang, json, progress_message, progress_token, status, success, typed,
    written,
};

use self::connection::{Accepting, Peer};

/// What does not happen within so long does not happen: better a test that says so than one that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// How it speaks where no script says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    Modern,
    /// Legacy, with a session from `initialize` on.
    Sessions,
    /// Legacy, each request for itself.
    Stateless,
}

/// A request or notification that reached it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The other end of the connection.
    pub(crate) peer: SocketAddr,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// Empty for an answer; `GET` and `DELETE` for requests without a message.
    pub(crate) method: String,
    /// JSON text; `null` for a notification, the method where there is no message.
    pub(crate) id: String,
    /// JSON text.
    pub(crate) params: String,
    /// How often the method was asked before.
    pub(crate) earlier: usize,
}

type Script = Arc<dyn Fn(Asked) -> BoxFuture<'static, Response<Body>> + Send + Sync>;

/// The running server. Dropped, it is gone, connections included.
pub(crate) struct FakeTarget {
    pub(crate) address: SocketAddr,
    inner: Arc<Inner>,
    /// A runtime of its own: stopping it cuts all connections at once.
    runtime: Option<Runtime>,
    /// What it listens with.
    listener: Option<std::net::TcpListener>,
    /// Holds the port while nobody listens there, or a server of another test could get it, and be taken for this one.
    port: Option<TcpSocket>,
}

struct Inner {
    speaks: Mutex<Speaks>,
    /// Answers events instead of JSON.
    events: bool,
    sessions: Mutex<Vec<String>>,
    tools: Mutex<String>,
    /// Members of its answer to `initialize` or `server/discover`, JSON text.
    about: Mutex<String>,
    scripts: Mutex<HashMap<String, Script>>,
    asked: watch::Sender<Vec<Asked>>,
    /// Ids of requests whose asker went away before the answer ended.
    dropped: watch::Sender<Vec<String>>,
}

impl FakeTarget {
    /// Answers JSON; has one tool, `echo`, whose result holds its parameters.
    pub(crate) fn start(speaks: Speaks) -> Self {
        Self::with(speaks, false)
    }

    /// Answers each request with a stream of events.
    pub(crate) fn streaming(speaks: Speaks) -> Self {
        Self::with(speaks, true)
    }

    fn with(speaks: Speaks, events: bool) -> Self {
        let inner = Inner {
            speaks: Mutex::new(speaks),
            events,
            sessions: Mutex::default(),
            tools: Mutex::new(r#"[{"name":"echo","inputSchema":{"type":"object"}}]"#.into()),
            about: Mutex::new(r#""capabilities":{"tools":{}}"#.into()),
            scripts: Mutex::default(),
            asked: watch::channel(Vec::new()).0,
            dropped: watch::channel(Vec::new()).0,
        };
        let mut fake = Self {
            address: ([127, 0, 0, 1], 0).into(),
            inner: Arc::new(inner),
            runtime: None,
            listener: None,
            port: None,
        };
        fake.hold();
        fake.up();
        fake
    }

    /// Serves (again), at the address of before.
    pub(crate) fn up(&mut self) {
        let port = self.port.take().expect("it is down");
        self.serve(port.listen(1024).unwrap().into_std().unwrap());
    }

    fn hold(&mut self) {
        let port = TcpSocket::new_v4().unwrap();
        // There are connections of before.
        port.set_reuseaddr(true).unwrap();
        let until = Instant::now() + PATIENCE;
        // A process that another test starts at this moment listens too, until it has become another program.
        while let Err(error) = port.bind(self.address) {
            assert!(error.kind() == io::ErrorKind::AddrInUse && Instant::now() < until, "{error}");
            std::thread::yield_now();
        }
        self.address = port.local_addr().unwrap();
        self.port = Some(port);
    }

    /// Cuts all connections and forgets all sessions, and serves on.
    pub(crate) fn restart(&mut self) {
        let listener = self.listener.take().expect("it is up");
        self.cut();
        self.serve(listener);
    }

    fn serve(&mut self, listener: std::net::TcpListener) {
        self.listener = Some(listener.try_clone().unwrap());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&self.inner));
        let router = router.into_make_service_with_connect_info::<Peer>();
        runtime.spawn(async move { axum::serve(Accepting(TcpListener::from_std(listener).unwrap()), router).await });
        self.runtime = Some(runtime);
    }

    /// Gone, with all its connections and sessions.
    pub(crate) fn down(&mut self) {
        self.cut();
        if self.listener.take().is_some() {
            self.hold();
        }
    }

    fn cut(&mut self) {
        self.inner.sessions.lock().unwrap().clear();
        if let Some(runtime) = self.runtime.take() {
            // Waits until its sockets are closed, on a thread that may wait.
            std::thread::spawn(move || drop(runtime)).join().unwrap();
        }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// From now on it speaks so, and knows no session.
    pub(crate) fn become_one_that_speaks(&self, speaks: Speaks) {
        *self.inner.speaks.lock().unwrap() = speaks;
        self.forget_sessions();
    }

    /// Knows no session any more.
    pub(crate) fn forget_sessions(&self) {
        self.inner.sessions.lock().unwrap().clear();
    }

    /// From now on its list is `tools`, a JSON array.
    pub(crate) fn offer(&self, tools: &str) {
        *self.inner.tools.lock().unwrap() = tools.into();
    }

    /// From now on it says this about itself: members of an object, JSON text.
    pub(crate) fn describe(&self, about: &str) {
        *self.inner.about.lock().unwrap() = about.into();
    }

    /// From now on `script` answers `method`; `*` answers every message.
    pub(crate) fn on<F>(&self, method: &str, script: impl Fn(Asked) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let script: Script = Arc::new(move |asked| Box::pin(script(asked)));
        self.inner.scripts.lock().unwrap().insert(method.into(), script);
    }

    /// From now on `method` is answered as usual.
    pub(crate) fn usual(&self, method: &str) {
        self.inner.scripts.lock().unwrap().remove(method);
    }

    /// Everything that it was asked by `method`.
    pub(crate) fn asked(&self, method: &str) -> Vec<Asked> {
        self.inner.asked.borrow().iter().filter(|asked| asked.method == method).cloned().collect()
    }

    /// Takes what it was asked so far as not asked.
    pub(crate) fn forget(&self) {
        self.inner.asked.send_modify(Vec::clear);
    }

    /// Waits until it was asked so, and says how.
    pub(crate) async fn until_asked(&self, matches: impl Fn(&Asked) -> bool) -> Asked {
        let mut asked = self.inner.asked.subscribe();
        let all = timeout(PATIENCE, asked.wait_for(|all| all.iter().any(&matches))).await;
        let all = all.unwrap_or_else(|_| panic!("it was not asked so, but: {:?}", self.inner.asked.borrow())).unwrap();
        all.iter().find(|asked| matches(asked)).unwrap().clone()
    }

    /// Waits until the asker of the request `id` went away.
    pub(crate) async fn until_dropped(&self, id: &str) {
        let mut dropped = self.inner.dropped.subscribe();
        let gone = timeout(PATIENCE, dropped.wait_for(|ids| ids.iter().any(|gone| gone == id))).await;
        let (asked, dropped) = (&self.inner.asked, &self.inner.dropped);
        gone.unwrap_or_else(|_| panic!("`{id}` is still waited for: {:?} of {:?}", dropped.borrow(), asked.borrow()))
            .unwrap();
    }
}

impl Drop for FakeTarget {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let mut asked = read(peer, &method, headers, &body);
    let method = asked.method.clone();
    // Before anybody knows that it was asked, and tells it to answer the next one otherwise.
    let script = {
        let scripts = inner.scripts.lock().unwrap();
        scripts.get(&method).or_else(|| scripts.get("*").filter(|_| !asked.body.is_empty())).cloned()
    };
    inner.asked.send_modify(|all| {
        asked.earlier = all.iter().filter(|before| before.method == method).count();
        all.push(asked.clone());
    });
    let gone = Gone { id: Some(asked.id.clone()), inner: Arc::clone(&inner) };
    let response = match script {
        Some(script) => script(asked).await,
        None => inner.usual(&asked),
    };
    response.map(|body| Body::from_stream(Watched { body: body.into_data_stream(), gone }))
}

/// What was asked: a message, or a bare GET or DELETE.
fn read(peer: SocketAddr, method: &Method, headers: HeaderMap, body: &Bytes) -> Asked {
    let bare = |method: String| Asked {
        peer,
        headers: headers.clone(),
        body: String::new(),
        id: method.clone(),
        params: "{}".into(),
        earlier: 0,
        method,
    };
    if body.is_empty() {
        return bare(method.to_string());
    }
    let envelope = Envelope::parse(body.clone()).unwrap();
    Asked {
        id: envelope.id().unwrap_or("null").into(),
        params: envelope.params().unwrap_or("{}").into(),
        body: String::from_utf8(body.to_vec()).unwrap(),
        ..bare(envelope.method().to_owned())
    }
}

impl Inner {
    fn usual(&self, asked: &Asked) -> Response<Body> {
        let speaks = *self.speaks.lock().unwrap();
        if asked.body.is_empty() {
            return status(405);
        }
        if speaks == Speaks::Modern {
            return self.modern(asked);
        }
        let session = asked.headers.get("mcp-session-id").map(|id| id.to_str().unwrap().to_owned());
        let known = session.as_ref().is_some_and(|id| self.sessions.lock().unwrap().contains(id));
        match (asked.method.as_str(), speaks) {
            ("initialize", _) => self.initialize(asked, speaks),
            (_, Speaks::Sessions) if session.is_none() => {
                error(400, "null", -32000, "Bad Request: no session, send initialize first")
            }
            (_, Speaks::Sessions) if !known => error(404, "null", -32001, "Session not found"),
            // An answer has no method.
            ("", _) => status(202),
            (method, _) if method.starts_with("notifications/") => status(202),
            ("tools/list", _) => self.reply(asked, &format!(r#"{{"tools":{}}}"#, self.tools.lock().unwrap())),
            ("tools/call", _) => self.reply(asked, &echo(asked, "")),
            (method, _) => error(200, &asked.id, -32601, &format!("Method not found: {method}")),
        }
    }

    fn modern(&self, asked: &Asked) -> Response<Body> {
        let version = asked.headers.get("mcp-protocol-version").map(|version| version.to_str().unwrap());
        if version != Some("2026-07-28") || !asked.params.contains("io.modelcontextprotocol/protocolVersion") {
            return error(400, &asked.id, -32602, "_meta is missing");
        }
        match asked.method.as_str() {
            "server/discover" => {
                let about = self.about.lock().unwrap().clone();
                self.reply(asked, &format!(r#"{{"resultType":"complete","supportedVersions":["2026-07-28"],{about}}}"#))
            }
            "tools/list" => {
                let tools = self.tools.lock().unwrap().clone();
                self.reply(asked, &format!(r#"{{"resultType":"complete","tools":{tools},"ttlMs":300000}}"#))
            }
            "tools/call" => self.reply(asked, &echo(asked, r#""resultType":"complete","#)),
            method => error(404, &asked.id, -32601, &format!("Method not found: {method}")),
        }
    }

    fn initialize(&self, asked: &Asked, speaks: Speaks) -> Response<Body> {
        let about = self.about.lock().unwrap().clone();
        let result = format!(r#"{{"protocolVersion":"2025-11-25",{about},"serverInfo":{{"name":"f","version":"1"}}}}"#);
        let mut response = self.reply(asked, &result);
        if speaks == Speaks::Sessions {
            let id = format!("session-{}", asked.earlier);
            self.sessions.lock().unwrap().push(id.clone());
            response.headers_mut().insert("mcp-session-id", id.parse().unwrap());
        }
        response
    }

    /// The answer, after progress where a call asked for it and events can carry it.
    fn reply(&self, asked: &Asked, result: &str) -> Response<Body> {
        let message = success(&asked.id, result);
        if !self.events {
            return json(200, message);
        }
        let progress = progress_token(&asked.params).filter(|_| asked.method == "tools/call");
        let progress = progress.into_iter().flat_map(|token| (1..=3).map(move |step| progress_message(&token, step)));
        events(progress.chain([message]).map(Ok))
    }
}

/// Says that a body was not read to its end.
struct Gone {
    id: Option<String>,
    inner: Arc<Inner>,
}

impl Drop for Gone {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            self.inner.dropped.send_modify(|ids| ids.push(id));
        }
    }
}

struct Watched {
    body: axum::body::BodyDataStream,
    gone: Gone,
}

impl Stream for Watched {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Option<Self::Item>> {
        let next = self.body.poll_next_unpin(cx);
        if matches!(next, std::task::Poll::Ready(None)) {
            self.gone.id = None;
        }
        next
    }
}

/// The result of `echo`.
fn echo(asked: &Asked, result_type: &str) -> String {
    format!(r#"{{{result_type}"content":[],"asked":{}}}"#, asked.params)
}
