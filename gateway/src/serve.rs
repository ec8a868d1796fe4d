//! Accepting connections: bounded in number, each with a bound on how slowly a request may come, and let to end when the
//! gateway stops. Knows no paths.

mod opening;

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body, middleware::map_request};
use http::{HeaderValue, Request, StatusCode, header};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};

use self::opening::Opening;

/// After a failed accept, mostly for want of file descriptors, until the next.
const BREATH: Duration = Duration::from_millis(100);

/// Connections at once; more wait in the listener's queue. Clones share them.
#[derive(Clone, Debug)]
pub struct Connections {
    permits: Arc<Semaphore>,
    most: usize,
}

/// Bounds of serving.
#[derive(Clone, Debug)]
pub struct Bounds {
    pub connections: Connections,
    /// For the first bytes of a connection, and for the head of a request.
    pub head: Duration,
    /// For open requests to end once the gateway is told to stop.
    pub drain: Duration,
}

impl Connections {
    /// None yet, and `most` at once.
    pub fn new(most: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(most)), most }
    }

    /// How many there are; one more than there are clients while the next is waited for.
    pub fn in_use(&self) -> usize {
        self.most - self.permits.available_permits().min(self.most)
    }

    /// How many there may be.
    pub fn most(&self) -> usize {
        self.most
    }
}

/// Serves `router` on `listener` until `shutdown` is ready, then waits for open requests to end.
pub async fn serve(listener: TcpListener, router: Router, bounds: Bounds, shutdown: impl Future<Output = ()>) {
    let router = router.layer(map_request(with_host));
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(bounds.head);
    server.http2().timer(TokioTimer::new()).keep_alive_interval(bounds.head);
    let graceful = GracefulShutdown::new();
    tokio::pin!(shutdown);
    loop {
        let permit = Arc::clone(&bounds.connections.permits).acquire_owned();
        let accepted = async { (permit.await.expect("the semaphore is never closed"), accept(&listener).await) };
        let (permit, stream) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut shutdown => break,
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = server.serve_connection(TokioIo::new(Opening::new(stream, bounds.head)), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a client's connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    if timeout(bounds.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end within {:?}: they are cut off", bounds.drain);
    }
}

/// Over HTTP/2 a client says in the target of a request whom it calls, and need not say it again in `Host`, where all that follows
/// looks (RFC 9113, section 8.3.1). Over HTTP/1.1 the target counts too, where it says so (RFC 9112, section 3.2.2), and a request with
/// two of them is refused (the same section): whoever stands before the gateway may have read the other one.
async fn with_host(mut request: Request<Body>) -> Result<Request<Body>, StatusCode> {
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
            Ok((stream, _)) => {
                // Answers are written whole: waiting for more to send only delays them.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(BREATH).await;
            }
        }
    }
}
