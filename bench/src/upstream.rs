//! The server behind everything that is measured: hyper and nothing above it, so that it costs little beside a proxy. It speaks
//! every form of MCP, one for each path, and tells of itself only what lists and calls need.

mod body;
mod ready;

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::Context;
use bytes::Bytes;
use causeway_core::era::headers;
use causeway_oidc::Verifier;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{net::TcpListener, sync::watch};

use self::{body::Content, ready::Ready};
use crate::form::{Form, Speaks};

/// A running upstream. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Upstream {
    address: SocketAddr,
    inner: Arc<Inner>,
}

/// One MCP server of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    pub form: Form,
    /// Asks for a token of the issuer.
    pub guarded: bool,
    /// Its tools, in this order: [`crate::form::Size::tool`], [`HALVES`], or any other name, which answers as the small one.
    pub tools: Vec<String>,
}

/// The tool whose result of 1 MB stops in the middle until [`Upstream::go_on`].
pub const HALVES: &str = "halves";

#[derive(Debug)]
struct Inner {
    /// By path.
    servers: Mutex<HashMap<String, Arc<Ready>>>,
    verifier: Verifier,
    /// Values of `Authorization` that were judged and found good.
    good: Mutex<HashSet<HeaderValue>>,
    sessions: Mutex<HashSet<HeaderValue>>,
    opened: AtomicU64,
    /// Counts how often results that stand still were let go on.
    go_on: watch::Sender<u64>,
}

/// What is read of a message.
#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    params: Option<Params<'a>>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow, default)]
    name: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    arguments: Option<Arguments<'a>>,
}

#[derive(Deserialize)]
struct Arguments<'a> {
    #[serde(borrow, default)]
    text: std::borrow::Cow<'a, str>,
}

impl Upstream {
    /// Serves on a free port for as long as the runtime lives. Tokens are good if `verifier` says so.
    pub async fn start(verifier: Verifier) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port for the upstream")?;
        let address = listener.local_addr()?;
        let inner = Inner {
            servers: Mutex::default(),
            verifier,
            good: Mutex::default(),
            sessions: Mutex::default(),
            opened: AtomicU64::new(0),
            go_on: watch::channel(0).0,
        };
        let upstream = Self { address, inner: Arc::new(inner) };
        tokio::spawn(upstream.clone().accept(listener));
        Ok(upstream)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves `server` at `path`, which no other has.
    pub fn serve(&self, path: &str, server: &Server) {
        let mut servers = self.inner.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers.insert(path.to_owned(), Arc::new(Ready::new(server)));
    }

    /// Lets results of [`HALVES`] that stand still go on.
    pub fn go_on(&self) {
        self.inner.go_on.send_modify(|times| *times += 1);
    }

    async fn accept(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let inner = Arc::clone(&self.inner);
            let service = service_fn(move |request| {
                let inner = Arc::clone(&inner);
                async move { Ok::<_, Infallible>(inner.answer(request).await) }
            });
            let connection =
                http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
            // Clients leave when they are done.
            tokio::spawn(async move { drop(connection.await) });
        }
    }
}

impl Inner {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Content> {
        let (head, body) = request.into_parts();
        let server = self.servers.lock().unwrap_or_else(PoisonError::into_inner).get(head.uri.path()).cloned();
        let Some(server) = server else { return Content::empty(StatusCode::NOT_FOUND) };
        if server.guarded && !self.lets_in(&head.headers).await {
            return Content::empty(StatusCode::UNAUTHORIZED);
        }
        match head.method {
            Method::POST => {}
            // Ends a session.
            Method::DELETE => return Content::empty(StatusCode::NO_CONTENT),
            _ => return Content::empty(StatusCode::METHOD_NOT_ALLOWED),
        }
        let Ok(body) = body.collect().await else { return Content::empty(StatusCode::BAD_REQUEST) };
        self.answer_message(&server, &head.headers, &body.to_bytes())
    }

    fn answer_message(&self, server: &Ready, headers: &HeaderMap, body: &Bytes) -> Response<Content> {
        let Ok(asked) = serde_json::from_slice::<Asked>(body) else { return Content::empty(StatusCode::BAD_REQUEST) };
        let Some(id) = asked.id.map(RawValue::get) else { return Content::empty(StatusCode::ACCEPTED) };
        if server.speaks == Speaks::Session && asked.method != "initialize" && !self.is_open(headers) {
            return Content::empty(StatusCode::NOT_FOUND);
        }
        let params = asked.params.as_ref();
        match &*asked.method {
            "initialize" => {
                let mut response = server.initialized(id);
                if server.speaks == Speaks::Session {
                    response.headers_mut().insert(headers::SESSION, self.open());
                }
                response
            }
            "server/discover" => server.discovered(id),
            "tools/list" => server.listed(id),
            "ping" => server.pong(id),
            "tools/call" => {
                let name = params.and_then(|params| params.name.as_deref()).unwrap_or_default();
                let text = params.and_then(|params| params.arguments.as_ref()).map_or("", |arguments| &arguments.text);
                match name {
                    HALVES if server.has(HALVES) => server.halves(id, text, self.gone_on()),
                    name => server.called(id, name, text),
                }
            }
            method => server.unknown(id, method),
        }
    }

    /// Ready once what stands still from now on is let go on.
    fn gone_on(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut times = self.go_on.subscribe();
        // An upstream that is gone lets nothing stand still.
        async move { drop(times.changed().await) }
    }

    fn open(&self) -> HeaderValue {
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        let id = HeaderValue::from_str(&format!("session-{number:08}")).expect("letters and digits");
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
        id
    }

    fn is_open(&self, headers: &HeaderMap) -> bool {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        headers.get(headers::SESSION).is_some_and(|id| sessions.contains(id))
    }

    /// A token is judged once: what is measured is not the upstream.
    async fn lets_in(&self, headers: &HeaderMap) -> bool {
        let Some(shown) = headers.get(header::AUTHORIZATION) else { return false };
        if self.good.lock().unwrap_or_else(PoisonError::into_inner).contains(shown) {
            return true;
        }
        let token = shown.to_str().ok().and_then(|shown| shown.strip_prefix("Bearer "));
        let Some(token) = token else { return false };
        let good = self.verifier.verify(token).await.is_ok();
        if good {
            self.good.lock().unwrap_or_else(PoisonError::into_inner).insert(shown.clone());
        }
        good
    }
}
