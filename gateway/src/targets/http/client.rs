//! Pooled connections to one target: HTTP/1.1 and HTTP/2, TLS, proxies from the environment. Reads no bodies.

use std::{
    error::Error,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use causeway_oidc::wire_log::Exchange;
use http::{Request, Response, Uri};
use hyper::{body::Incoming, rt};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{Connected, Connection, HttpConnector, proxy::Tunnel},
    },
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use tokio::net::TcpStream;

use super::{Fault, answer::Body, trust};
use crate::{
    config::{Limits, Proxies},
    credentials::CredentialError,
};

/// A client whose pool belongs to one target.
#[derive(Clone, Debug)]
pub(super) struct WireClient {
    pooled: Client<HttpsConnector<Connector>, Body>,
    /// Makes a connection for each request.
    fresh: Client<HttpsConnector<Connector>, Body>,
    /// Bytes of the head of an answer.
    header_bytes: usize,
}

/// Which connection a request is sent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// One that is there, if there is one.
    Any,
    /// One that is made for it.
    Fresh,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failed {
    /// A connection that had carried answers before ended without a word about this request: most likely its end was on the way
    /// when the request was sent.
    Gone(Fault),
    Otherwise(Fault),
}

/// Straight to the target, or through the proxy that stands before it: always by `CONNECT`, so that the proxy sees no
/// message.
#[derive(Clone, Debug)]
pub(super) enum Connector {
    Direct(HttpConnector),
    Proxied(Tunnel<HttpConnector>),
}

type Connecting = Pin<Box<dyn Future<Output = Result<Known, Box<dyn Error + Send + Sync>>> + Send>>;

/// A connection that was not used for so long is closed.
const IDLE: Duration = Duration::from_secs(60);

impl WireClient {
    /// A client for `endpoint`; connects when first used.
    ///
    /// # Errors
    /// The system trusts no certificates at all.
    pub(super) fn new(endpoint: &Uri, limits: &Limits, proxies: &Proxies) -> Result<Self, rustls::Error> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(limits.connect));
        let connector = match proxies.matcher().intercept(endpoint) {
            None => Connector::Direct(http),
            Some(proxy) => {
                let tunnel = Tunnel::new(proxy.uri().clone(), http);
                Connector::Proxied(match proxy.basic_auth() {
                    Some(auth) => tunnel.with_auth(auth.clone()),
                    None => tunnel,
                })
            }
        };
        let tls = HttpsConnectorBuilder::new().with_tls_config(trust::for_endpoint(endpoint)?);
        let https = tls.https_or_http().enable_http1().enable_http2().wrap_connector(connector);
        let header_bytes = limits.header_bytes;
        let client = |idle| {
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(idle)
                .http1_max_buf_size(header_bytes)
                .http2_max_header_list_size(u32::try_from(header_bytes).unwrap_or(u32::MAX))
                .build(https.clone())
        };
        Ok(Self {
            pooled: client(if limits.keep_connections { usize::MAX } else { 0 }),
            fresh: client(0),
            header_bytes,
        })
    }

    /// Sends `request` and waits for the head of the response, which `exchange` goes with.
    pub(super) async fn send(
        &self,
        request: Request<Body>,
        over: Over,
        exchange: Exchange,
    ) -> Result<Response<Incoming>, Failed> {
        let client = if over == Over::Fresh { &self.fresh } else { &self.pooled };
        match client.request(request).await {
            Ok(mut response) => {
                if let Some(used) = response.extensions().get::<Used>() {
                    used.0.store(true, Ordering::Relaxed);
                }
                exchange.head(response.status(), response.headers());
                if exchange.is_watched() {
                    response.extensions_mut().insert(exchange);
                }
                Ok(response)
            }
            Err(error) => {
                let why = causes(&error);
                exchange.failed(&why);
                Err(match () {
                    () if error.is_connect() => Failed::Otherwise(Fault::Unreachable(why)),
                    () if is_large_head(&error) => Failed::Otherwise(Fault::LargeHead(self.header_bytes)),
                    () if was_used(&error) && is_end(&error) => Failed::Gone(Fault::BrokenOff(why)),
                    () => Failed::Otherwise(Fault::BrokenOff(why)),
                })
            }
        }
    }
}

impl From<Failed> for Fault {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Gone(fault) | Failed::Otherwise(fault) => fault,
        }
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Otherwise(fault)
    }
}

impl From<CredentialError> for Failed {
    fn from(error: CredentialError) -> Self {
        Self::Otherwise(error.into())
    }
}

/// Whether the connection of a request that failed had carried an answer before.
fn was_used(error: &hyper_util::client::legacy::Error) -> bool {
    let mut extras = http::Extensions::new();
    if let Some(connection) = error.connect_info() {
        connection.get_extras(&mut extras);
    }
    extras.get::<Used>().is_some_and(|used| used.0.load(Ordering::Relaxed))
}

/// Whether a connection just ended, from the other end or on its way, before the head of an answer was there.
fn is_end(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|cause| match cause.downcast_ref::<hyper::Error>() {
        Some(error) => error.is_incomplete_message() || error.is_closed() || error.is_canceled(),
        None => cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)),
    })
}

fn is_large_head(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|cause| cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse_too_large))
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// Whether a connection has carried an answer.
#[derive(Clone, Debug, Default)]
struct Used(Arc<AtomicBool>);

/// A connection that knows that of itself.
#[derive(Debug)]
pub(super) struct Known {
    stream: TokioIo<TcpStream>,
    used: Used,
}

impl Known {
    fn new(stream: TokioIo<TcpStream>) -> Self {
        Self { stream, used: Used::default() }
    }
}

impl Connection for Known {
    fn connected(&self) -> Connected {
        self.stream.connected().extra(self.used.clone())
    }
}

impl rt::Read for Known {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: rt::ReadBufCursor<'_>,
    ) -> Poll<Result<(), io::Error>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl rt::Write for Known {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, io::Error>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<Result<usize, io::Error>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }
}

impl tower_service::Service<Uri> for Connector {
    type Response = Known;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Connecting;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // Both kinds are always ready: they hold no queue.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Uri) -> Connecting {
        match self {
            Self::Direct(http) => {
                let connecting = http.call(target);
                Box::pin(async move { Ok(Known::new(connecting.await?)) })
            }
            Self::Proxied(tunnel) => {
                let connecting = tunnel.call(target);
                Box::pin(async move { Ok(Known::new(connecting.await?)) })
            }
        }
    }
}

/// An error and what caused it, as one text.
pub(super) fn causes(error: &dyn Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
        cause = error.source();
    }
    texts.join(": ")
}
