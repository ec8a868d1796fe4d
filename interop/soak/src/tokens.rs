//! A token endpoint (RFC 6749, section 4.4) that is down from time to time, and whose tokens live for a short time.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::bail;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, header::CONTENT_TYPE, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::{net::TcpListener, time::sleep};

/// A running one.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    address: SocketAddr,
    is_down: Arc<AtomicBool>,
}

/// Of a token.
const LIFE: u64 = 5;

impl Endpoint {
    /// Starts it.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = Self { address: listener.local_addr()?, is_down: Arc::default() };
        let is_down = Arc::clone(&endpoint.is_down);
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let is_down = Arc::clone(&is_down);
                let service = service_fn(move |_| {
                    let is_down = is_down.load(Ordering::Relaxed);
                    async move {
                        if is_down {
                            bail!("it is down");
                        }
                        let token = json!({"access_token": token(), "token_type": "Bearer", "expires_in": LIFE});
                        let mut response = Response::new(Full::new(Bytes::from(token.to_string())));
                        response.headers_mut().insert(CONTENT_TYPE, "application/json".parse()?);
                        Ok(response)
                    }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(endpoint)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/oauth2/token", self.address)
    }

    /// Is down for so long.
    pub(crate) async fn fails(&self, time: Duration) {
        self.is_down.store(true, Ordering::Relaxed);
        sleep(time).await;
        self.up();
    }

    /// Works from now on.
    pub(crate) fn up(&self) {
        self.is_down.store(false, Ordering::Relaxed);
    }
}

/// A token says until when it is good.
fn token() -> String {
    (now() + LIFE).to_string()
}

/// Whether a header shows a token that is good now.
pub(crate) fn is_good(header: &str) -> bool {
    header.strip_prefix("Bearer ").and_then(|token| token.parse::<u64>().ok()).is_some_and(|until| until >= now())
}

#[expect(clippy::disallowed_methods, reason = "a program of its own, whose tokens end in real time")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs())
}
