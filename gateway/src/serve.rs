//! Accepting connections: bounded in number, each with a bound on how slowly a request may come, and let to end when the
//! gateway stops. Knows no paths.

mod connections;
mod files;
mod stall;

pub use self::{connections::Connections, files::allow as allow_files};

use std::{
    convert::Infallible,
    io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    response::{IntoResponse, Response},
};
use futures::{
    FutureExt,
    future::{Either, ready},
};
use http::{HeaderValue, Request, StatusCode, Version, header};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulConnection},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use tower_service::Service as _;

use self::{
    connections::Permit,
    stall::{Taken, Watched},
};
use crate::http::Entrance;

/// After a failed accept, mostly for want of file descriptors, until the next.
const BREATH: Duration = Duration::from_millis(100);

/// What is served, as it is at one moment.
#[derive(Clone, Debug)]
pub struct Site {
    pub pages: Pages,
    pub bounds: Bounds,
}

/// What answers requests.
#[derive(Clone, Debug)]
pub enum Pages {
    /// Those of clients.
    Clients(Entrance),
    Others(Router),
}

impl Pages {
    fn answer(&self, request: Request<Incoming>) -> impl Future<Output = Response> + Send + use<> {
        match self {
            Self::Clients(entrance) => Either::Left(entrance.answer(request.map(Body::new))),
            Self::Others(router) => Either::Right(router.clone().call(request).map(|Ok(response)| response)),
        }
    }
}

/// Bounds of serving.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Bytes of the head of a request, 8192 at least.
    pub header_bytes: usize,
    /// For the head of a request, and so between two requests of a connection.
    pub idle: Duration,
    /// For a client to take something of what is sent to it.
    pub stalled: Duration,
    /// For open requests to end once the gateway is told to stop.
    pub drain: Duration,
    /// Told to stop, a connection over HTTP/1.1 stays open for so long although no request is under way: one that is on its way
    /// already is still answered, and then the client is told to close. Nobody can tell whether there is one.
    pub linger: Duration,
    /// Set shortly before that time is over: whoever answers then still does so now, be it with an error.
    pub closing: CancellationToken,
}

/// From [`Bounds::closing`] until what is still open is cut off; half of the drain if that is shorter.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Serves on `listener` what `site` holds at the time of each request until `shutdown` is ready; then takes no more connections and
/// waits for open requests to end.
pub async fn serve(
    listener: TcpListener,
    site: watch::Receiver<Site>,
    connections: Connections,
    shutdown: impl Future<Output = ()>,
) {
    let stopping = CancellationToken::new();
    let server = Server { site: site.clone(), stopping: stopping.clone() };
    let open = TaskTracker::new();
    let end = CancellationToken::new();
    tokio::pin!(shutdown);
    loop {
        let accepted = async { (connections.permit().await, accept(&listener).await) };
        let (permit, stream) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut shutdown => break,
        };
        open.spawn(server.clone().attend_until(end.clone(), stream, Some(permit)));
    }
    for stream in accepted(listener) {
        open.spawn(server.clone().attend_until(end.clone(), stream, None));
    }
    stopping.cancel();
    open.close();
    let bounds = site.borrow().bounds.clone();
    let last_words = LAST_WORDS.min(bounds.drain / 2);
    if timeout(bounds.drain - last_words, open.wait()).await.is_ok() {
        return;
    }
    bounds.closing.cancel();
    if timeout(last_words, open.wait()).await.is_err() {
        tracing::warn!(
            "some requests did not end within {:?} (`limits.drain_seconds`): they are cut off",
            bounds.drain
        );
        end.cancel();
    }
}

/// What each connection is served with.
#[derive(Clone, Debug)]
struct Server {
    site: watch::Receiver<Site>,
    /// Set when the gateway is told to stop.
    stopping: CancellationToken,
}

/// HTTP/1.1 alone.
fn http1(bounds: &Bounds) -> http1::Builder {
    let mut http1 = http1::Builder::new();
    http1.timer(TokioTimer::new()).header_read_timeout(bounds.idle).max_buf_size(bounds.header_bytes);
    http1
}

/// Both, by what a connection begins with.
fn either(bounds: &Bounds) -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(bounds.idle).max_buf_size(bounds.header_bytes);
    let header_bytes = u32::try_from(bounds.header_bytes).unwrap_or(u32::MAX);
    http.http2().timer(TokioTimer::new()).keep_alive_interval(bounds.idle).max_header_list_size(header_bytes);
    http
}

/// Whether what has come shows already that HTTP/1.1 is spoken, as it mostly does: no request of it begins as HTTP/2 does (RFC 9113,
/// section 3.4).
async fn is_http1(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0; 3];
    let read = stream.peek(&mut first).await?;
    Ok(!b"PRI".starts_with(&first[..read]))
}

impl Server {
    /// Serves one connection to its end, or until `end`.
    async fn attend_until(self, end: CancellationToken, stream: TcpStream, permit: Option<Permit>) {
        // In a box: what waits for the end of the one or the other has room for it three times over, as long as the connection lasts.
        end.run_until_cancelled(Box::pin(self.attend(stream, permit))).await;
    }

    /// Serves one connection to its end.
    async fn attend(self, stream: TcpStream, _permit: Option<Permit>) {
        // Answers are written whole: waiting for more to send only delays them.
        let _ = stream.set_nodelay(true);
        // Those of the moment are for the whole connection.
        let bounds = self.site.borrow().bounds.clone();
        let opened = Instant::now();
        let is_http2 = Arc::new(AtomicBool::new(false));
        let service = answering(self.site, self.stopping.clone(), Arc::clone(&is_http2), bounds.stalled);
        let mut leaving = pin!(async {
            self.stopping.cancelled().await;
            // HTTP/2 has a word for it, which loses no request.
            if !is_http2.load(Ordering::Relaxed) {
                sleep(bounds.linger).await;
            }
        });
        let is_http1 = tokio::select! {
            is_http1 = timeout(bounds.idle, is_http1(&stream)) => is_http1.unwrap_or_else(|_| Err(Watched::silence())),
            () = &mut leaving => return,
        };
        let ended = match is_http1 {
            Err(error) => Err(error.into()),
            // Who need not look what is spoken has no room for both, and keeps nothing of what it looked at.
            Ok(true) => {
                let stream = TokioIo::new(Watched::new(stream, None, bounds.stalled));
                let connection = pin!(http1(&bounds).serve_connection(stream, service));
                until_end(connection, leaving).await.map_err(Into::into)
            }
            Ok(false) => {
                let stream = TokioIo::new(Watched::new(
                    stream,
                    Some(bounds.idle.saturating_sub(opened.elapsed())),
                    bounds.stalled,
                ));
                let http = either(&bounds);
                let connection = pin!(http.serve_connection(stream, service));
                until_end(connection, leaving).await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(error = %causes(&*error), "a client's connection ended early");
        }
    }
}

/// Serves until the connection ends, which is asked to do so after its open requests once it is `leaving`.
async fn until_end<C: GracefulConnection>(
    mut connection: Pin<&mut C>,
    leaving: impl Future<Output = ()>,
) -> Result<(), C::Error> {
    tokio::select! {
        ended = connection.as_mut() => ended,
        () = leaving => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}

/// What answers the requests of one connection, and says over HTTP/1.1 with each answer that it is the last one once the gateway is
/// `stopping`. Over HTTP/2 one client may take one answer and not another.
fn answering(
    site: watch::Receiver<Site>,
    stopping: CancellationToken,
    is_http2: Arc<AtomicBool>,
    stalled: Duration,
) -> impl Service<
    Request<Incoming>,
    Response = Response,
    Error = Infallible,
    Future = impl Future<Output = Result<Response, Infallible>> + Send + 'static,
> + Send
+ 'static {
    service_fn(move |request: Request<Incoming>| {
        let is_older = request.version() < Version::HTTP_2;
        is_http2.store(!is_older, Ordering::Relaxed);
        // One configuration answers a request as a whole, whatever comes after it.
        let answering = match with_host(request) {
            Ok(request) => Either::Left(site.borrow().pages.answer(request)),
            Err(refused) => Either::Right(ready(refused.into_response())),
        };
        let stopping = stopping.clone();
        answering.map(move |mut response| {
            if !is_older {
                return Ok(response.map(|body| Body::new(Taken::new(body, stalled))));
            }
            if stopping.is_cancelled() {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response)
        })
    })
}

/// An error and what caused it.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let all = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
    all.collect::<Vec<_>>().join(": ")
}

/// The connections that the system has accepted already: their clients may have sent something. No more are accepted.
fn accepted(listener: TcpListener) -> Vec<TcpStream> {
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    let accepted = std::iter::from_fn(|| listener.accept().ok()).filter_map(|(stream, _)| {
        stream.set_nonblocking(true).ok()?;
        TcpStream::from_std(stream).ok()
    });
    accepted.collect()
}

/// Over HTTP/2 a client says in the target of a request whom it calls, and need not say it again in `Host`, where all that follows
/// looks (RFC 9113, section 8.3.1). Over HTTP/1.1 the target counts too, where it says so (RFC 9112, section 3.2.2), and a request with
/// two of them is refused (the same section): whoever stands before the gateway may have read the other one.
fn with_host<B>(mut request: Request<B>) -> Result<Request<B>, StatusCode> {
    if request.headers().get_all(header::HOST).iter().nth(1).is_some() {
        return Err(StatusCode::BAD_REQUEST);
    }
    let called = request.uri().authority().and_then(|called| HeaderValue::from_str(called.as_str()).ok());
    if let Some(called) = called {
        request.headers_mut().insert(header::HOST, called);
    }
    Ok(request)
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(BREATH).await;
            }
        }
    }
}
