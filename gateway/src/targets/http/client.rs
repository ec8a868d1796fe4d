//! Pooled connections to one target: HTTP/1.1 and HTTP/2, TLS, proxies from the environment. Reads no bodies.

use std::{error::Error, pin::Pin, task::Poll, time::Duration};

use causeway_oidc::wire_log::Exchange;
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{HttpConnector, proxy::Tunnel},
    },
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use tokio::net::TcpStream;

use super::{Fault, answer::Body};
use crate::config::{Limits, Proxies};

/// A client whose pool belongs to one target.
#[derive(Clone, Debug)]
pub(super) struct WireClient(Client<HttpsConnector<Connector>, Body>);

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
        // The certificates that the system trusts, so a company's own as well.
        let tls = HttpsConnectorBuilder::new().try_with_platform_verifier()?;
        let https = tls.https_or_http().enable_http1().enable_http2().wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(60))
            .pool_max_idle_per_host(if limits.keep_connections { usize::MAX } else { 0 })
            .build(https);
        Ok(Self(client))
    }

    /// Sends `request` and waits for the head of the response, which `exchange` goes with.
    pub(super) async fn send(&self, request: Request<Body>, exchange: Exchange) -> Result<Response<Incoming>, Fault> {
        match self.0.request(request).await {
            Ok(mut response) => {
                exchange.head(response.status(), response.headers());
                if exchange.is_watched() {
                    response.extensions_mut().insert(exchange);
                }
                Ok(response)
            }
            Err(error) => {
                let why = causes(&error);
                exchange.failed(&why);
                Err(if error.is_connect() { Fault::Unreachable(why) } else { Fault::BrokenOff(why) })
            }
        }
    }
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Connecting;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Self::Error>> {
        // Both kinds are always ready: they hold no queue.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Uri) -> Connecting {
        match self {
            Self::Direct(http) => {
                let connecting = http.call(target);
                Box::pin(async move { connecting.await.map_err(Into::into) })
            }
            Self::Proxied(tunnel) => {
                let connecting = tunnel.call(target);
                Box::pin(async move { connecting.await.map_err(Into::into) })
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
