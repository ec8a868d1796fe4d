//! Requests to one target: how it is reached (TLS, proxies from the environment), and what it means that there is no answer. Reads no
//! bodies.

use std::{
    error::Error,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use causeway_oidc::wire_log::Exchange;
use http::{HeaderValue, Request, Response, Uri, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::connect::{HttpConnector, proxy::Tunnel},
    rt::TokioIo,
};
use tokio::net::TcpStream;
use tower_service::Service;

use super::{
    Fault,
    answer::Body,
    connections::{Bounds, Connections, Incoming, Unanswered, Way},
    trust,
};
use crate::{
    config::{Limits, Proxies},
    credentials::CredentialError,
};

/// What sends requests to one target.
#[derive(Clone, Debug)]
pub(super) struct WireClient {
    connector: HttpsConnector<Connector>,
    connections: Connections,
    /// Where it is, as HTTP/2 says it, and its path, as HTTP/1.1 says that (RFC 9112, section 3.2.1), with this as `Host`.
    endpoint: Uri,
    path: Uri,
    host: HeaderValue,
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

type Connecting = Pin<Box<dyn Future<Output = Result<TokioIo<TcpStream>, Box<dyn Error + Send + Sync>>> + Send>>;

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
        let header_bytes = limits.header_bytes;
        Ok(Self {
            connector: tls.https_or_http().enable_http1().enable_http2().wrap_connector(connector),
            connections: Connections::new(Bounds { header_bytes, keeps: limits.keep_connections }),
            endpoint: endpoint.clone(),
            path: endpoint.path_and_query().cloned().map(Uri::from).unwrap_or_default(),
            host: host(endpoint),
            header_bytes,
        })
    }

    /// Sends `request` to where the target is, and waits for the head of the response, which `exchange` goes with.
    pub(super) async fn send(
        &self,
        mut request: Request<Body>,
        over: Over,
        exchange: Exchange,
    ) -> Result<Response<Incoming>, Failed> {
        let mut taken = if over == Over::Any { self.connections.take() } else { None };
        let outcome = loop {
            let (way, is_new) = match taken.take() {
                Some(way) => (way, false),
                None => match Box::pin(self.connect()).await {
                    Ok(way) => (way, true),
                    Err(why) => {
                        exchange.failed(&why);
                        return Err(Failed::Otherwise(Fault::Unreachable(why)));
                    }
                },
            };
            request = self.address(request, &way);
            match self.connections.send(way, request).await {
                // A connection that ended just before it was used.
                Err(Unanswered { unsent: Some(unsent), .. }) if !is_new => {
                    request = *unsent;
                    taken = self.connections.take();
                }
                outcome => break outcome,
            }
        };
        match outcome {
            Ok(mut response) => {
                exchange.head(response.status(), response.headers());
                if exchange.is_watched() {
                    response.extensions_mut().insert(exchange);
                }
                Ok(response)
            }
            Err(Unanswered { error, was_used, .. }) => {
                let why = causes(&error);
                exchange.failed(&why);
                Err(match () {
                    () if error.is_parse_too_large() => Failed::Otherwise(Fault::LargeHead(self.header_bytes)),
                    () if was_used && is_end(&error) => Failed::Gone(Fault::BrokenOff(why)),
                    () => Failed::Otherwise(Fault::BrokenOff(why)),
                })
            }
        }
    }

    /// Makes a connection.
    async fn connect(&self) -> Result<Way, String> {
        let stream = self.connector.clone().call(self.endpoint.clone()).await.map_err(|error| causes(&*error))?;
        self.connections.speak(stream).await.map_err(|error| causes(&error))
    }

    /// A request as it is sent by `way`.
    fn address(&self, mut request: Request<Body>, way: &Way) -> Request<Body> {
        match way {
            Way::Http1(_) => {
                *request.uri_mut() = self.path.clone();
                request.headers_mut().entry(header::HOST).or_insert_with(|| self.host.clone());
            }
            Way::Http2(..) => *request.uri_mut() = self.endpoint.clone(),
        }
        request
    }
}

/// What `Host` says of a server (RFC 9110, section 7.2): its port where that is not its scheme's.
fn host(endpoint: &Uri) -> HeaderValue {
    let of_scheme = if endpoint.scheme_str() == Some("https") { 443 } else { 80 };
    let host = endpoint.host().unwrap_or_default();
    let text = match endpoint.port_u16().filter(|port| *port != of_scheme) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    HeaderValue::try_from(text).expect("a host is visible ASCII")
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

/// Whether a connection just ended, from the other end or on its way, before the head of an answer was there.
fn is_end(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|cause| match cause.downcast_ref::<hyper::Error>() {
        Some(error) => error.is_incomplete_message() || error.is_closed() || error.is_canceled(),
        None => cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)),
    })
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
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
                Box::pin(async move { Ok(connecting.await?) })
            }
            Self::Proxied(tunnel) => {
                let connecting = tunnel.call(target);
                Box::pin(async move { Ok(connecting.await?) })
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
