//! Connections to one target, and which of them carries a request. Over HTTP/1.1 no task of its own stands behind a connection: the
//! request that it carries reads and writes on it, as far as the body of the answer is read, so that a call wakes nobody but itself.

use std::{
    fmt,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, Weak},
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use hyper::{
    body,
    client::conn::{TrySendError, http1, http2},
};
use hyper_rustls::MaybeHttpsStream;
use hyper_util::{
    client::legacy::connect::Connection,
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use tokio::{net::TcpStream, task::coop::unconstrained, time::Instant};

use super::answer::Body;

/// A connection that was not used for so long is closed.
const IDLE: Duration = Duration::from_secs(60);
/// Connections that nobody uses are looked at so often: those that the target closed, or that are idle for too long, are let go of.
const LOOK: Duration = Duration::from_secs(10);

/// Bytes that may be on their way on one connection over HTTP/2 (RFC 9113, section 6.9.1).
const MOST_WINDOW: u32 = (1 << 31) - 1;

/// What connections are made of.
pub(super) type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// The connections to one target that are there. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    kept: Arc<Mutex<Kept>>,
    bounds: Bounds,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Bytes of the head of an answer.
    pub(super) header_bytes: usize,
    /// Connections are used again.
    pub(super) keeps: bool,
}

#[derive(Debug, Default)]
struct Kept {
    /// Those that nobody uses, since when: the one that was used last comes last.
    idle: Vec<(Http1, Instant)>,
    /// The one that all share, and when it was used last.
    http2: Option<(http2::SendRequest<Body>, Instant)>,
    /// Somebody looks after them.
    is_looked_after: bool,
}

/// A connection that one request at a time may use.
pub(super) struct Http1 {
    requests: http1::SendRequest<Body>,
    /// Reads and writes while it is polled, and never else. Absent once it has ended.
    connection: Option<Box<http1::Connection<Stream, Body>>>,
    /// It has carried an answer.
    is_used: bool,
}

/// What a request is sent on.
pub(super) enum Way {
    Http1(Http1),
    /// Whether it has carried an answer, or is about to.
    Http2(http2::SendRequest<Body>, bool),
}

/// Why there is no answer.
pub(super) struct Unanswered {
    pub(super) error: hyper::Error,
    /// The connection had carried an answer before.
    pub(super) was_used: bool,
    /// The request, if nothing of it was sent.
    pub(super) unsent: Option<Box<Request<Body>>>,
}

/// The body of an answer. Read to its end, its connection can be used again; dropped before that, the connection is closed.
pub(super) struct Incoming {
    body: body::Incoming,
    /// What has to be read on; none where something else does that, or where nothing is left to be read.
    by: Option<(Http1, Connections)>,
}

impl Connections {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { kept: Arc::default(), bounds }
    }

    /// One that is there.
    pub(super) fn take(&self) -> Option<Way> {
        loop {
            let mut kept = self.lock();
            if let Some((requests, used)) = kept.http2.as_mut().filter(|(requests, _)| !requests.is_closed()) {
                *used = Instant::now();
                return Some(Way::Http2(requests.clone(), true));
            }
            let (mut http1, _) = kept.idle.pop()?;
            drop(kept);
            if http1.is_idle() {
                return Some(Way::Http1(http1));
            }
        }
    }

    /// Speaks HTTP over a `stream` that was just made.
    pub(super) async fn speak(&self, stream: Stream) -> Result<Way, hyper::Error> {
        if stream.connected().is_negotiated_h2() {
            let header_bytes = u32::try_from(self.bounds.header_bytes).unwrap_or(u32::MAX);
            let mut http2 = http2::Builder::new(TokioExecutor::new());
            http2.timer(TokioTimer::new()).max_header_list_size(header_bytes);
            // Each answer has a window of its own: a client that is slow to take one holds up no other.
            http2.initial_connection_window_size(MOST_WINDOW);
            let (requests, connection) = http2.handshake(stream).await?;
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection to a target ended early");
                }
            });
            if self.bounds.keeps {
                let mut kept = self.lock();
                kept.http2 = Some((requests.clone(), Instant::now()));
                self.look_after(&mut kept);
            }
            return Ok(Way::Http2(requests, false));
        }
        let mut http1 = http1::Builder::new();
        http1.max_buf_size(self.bounds.header_bytes);
        let (requests, connection) = http1.handshake(stream).await?;
        Ok(Way::Http1(Http1 { requests, connection: Some(Box::new(connection)), is_used: false }))
    }

    /// Sends `request` by `way` and waits for the head of the answer.
    pub(super) async fn send(&self, way: Way, request: Request<Body>) -> Result<Response<Incoming>, Unanswered> {
        match way {
            Way::Http1(http1) => {
                let (answer, http1) = http1.send(request).await?;
                Ok(answer.map(|body| Incoming::new(body, http1, self)))
            }
            Way::Http2(mut requests, is_used) => {
                let answer = requests.try_send_request(request).await;
                let answer = answer.map_err(|error| Unanswered::new(error, is_used))?;
                Ok(answer.map(|body| Incoming { body, by: None }))
            }
        }
    }

    /// Keeps a connection for the next request, if it can be used for one.
    fn keep(&self, mut http1: Http1) {
        if !self.bounds.keeps || !(http1.requests.is_ready() || http1.is_idle()) {
            return;
        }
        let mut kept = self.lock();
        kept.idle.push((http1, Instant::now()));
        self.look_after(&mut kept);
    }

    /// Sees to it that what is not used is let go of in time.
    fn look_after(&self, kept: &mut Kept) {
        if std::mem::replace(&mut kept.is_looked_after, true) {
            return;
        }
        let all = Arc::downgrade(&self.kept);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                let Some(all) = Weak::upgrade(&all) else { return };
                let mut kept = lock(&all);
                kept.let_go(Instant::now());
                if kept.idle.is_empty() && kept.http2.is_none() {
                    kept.is_looked_after = false;
                    return;
                }
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        lock(&self.kept)
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().expect("no holder of this lock panics")
}

impl Kept {
    /// Lets go of connections that ended, and of those that were not used for too long.
    fn let_go(&mut self, now: Instant) {
        self.idle.retain_mut(|(http1, since)| now - *since < IDLE && http1.is_idle());
        self.http2.take_if(|(requests, used)| requests.is_closed() || now - *used >= IDLE);
    }
}

impl Http1 {
    /// Reads and writes what can be now.
    fn drive(&mut self, cx: &mut Context<'_>) {
        // How it ended is said to who waits for the answer.
        if self.connection.as_mut().is_some_and(|connection| Pin::new(connection).poll(cx).is_ready()) {
            self.connection = None;
        }
    }

    /// Whether it can take a request: the target has not closed it, as far as is known.
    fn is_idle(&mut self) -> bool {
        self.drive(&mut nobody());
        self.connection.is_some() && self.requests.is_ready()
    }

    async fn send(mut self, request: Request<Body>) -> Result<(Response<body::Incoming>, Self), Unanswered> {
        // Whatever it waits for happens in `drive`, so it need not wake anybody; that includes tokio's budget.
        let mut answer = pin!(unconstrained(self.requests.try_send_request(request)));
        let was_used = self.is_used;
        let answer = std::future::poll_fn(|cx| {
            self.drive(cx);
            answer.as_mut().poll(&mut nobody())
        });
        let answer = answer.await.map_err(|error| Unanswered::new(error, was_used))?;
        self.is_used = true;
        Ok((answer, self))
    }
}

impl Unanswered {
    fn new(mut error: TrySendError<Request<Body>>, was_used: bool) -> Self {
        let unsent = error.take_message().map(Box::new);
        Self { error: error.into_error(), was_used, unsent }
    }
}

impl Incoming {
    fn new(body: body::Incoming, by: Http1, connections: &Connections) -> Self {
        let mut incoming = Self { body, by: Some((by, connections.clone())) };
        if incoming.is_end_stream() {
            incoming.free();
        }
        incoming
    }

    /// Nothing is left to be read: the connection is for the next request.
    fn free(&mut self) {
        if let Some((http1, connections)) = self.by.take() {
            connections.keep(http1);
        }
    }
}

impl http_body::Body for Incoming {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        let Some((http1, _)) = &mut this.by else { return Pin::new(&mut this.body).poll_frame(cx) };
        // Most bodies came with the head.
        let mut frame = Pin::new(&mut this.body).poll_frame(&mut nobody());
        if frame.is_pending() {
            http1.drive(cx);
            frame = Pin::new(&mut this.body).poll_frame(&mut nobody());
        }
        let frame = ready!(frame);
        match &frame {
            Some(Err(_)) => this.by = None,
            Some(Ok(_)) if !this.is_end_stream() => (),
            Some(Ok(_)) | None => this.free(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// For what is looked at again anyway, when its connection was read.
fn nobody() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

impl fmt::Debug for Http1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http1").field("is_used", &self.is_used).finish_non_exhaustive()
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("by", &self.by).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    /// A connection that was just made, and its other end.
    async fn connected(connections: &Connections) -> (Way, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (near, far) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let way = connections.speak(Stream::from(TokioIo::new(near.unwrap()))).await.unwrap();
        (way, far.unwrap().0)
    }

    fn connections(keeps: bool) -> Connections {
        Connections::new(Bounds { header_bytes: 8192, keeps })
    }

    fn request() -> Request<Body> {
        Request::post("/mcp").header("host", "example.com").body(Body::from("{}")).unwrap()
    }

    /// Takes one request off the other end.
    async fn taken(far: &mut TcpStream) {
        let mut read = Vec::new();
        while !read.ends_with(b"\r\n\r\n{}") {
            assert_ne!(far.read_buf(&mut read).await.unwrap(), 0, "the request ended early");
        }
    }

    /// What `answer`, which is written in one piece, is answered with, and its whole body.
    async fn exchange(connections: &Connections, way: Way, far: &mut TcpStream, answer: &str) -> Bytes {
        let served = async {
            taken(far).await;
            far.write_all(answer.as_bytes()).await.unwrap();
        };
        let (answer, ()) = tokio::join!(connections.send(way, request()), served);
        answer.ok().expect("it was answered").into_body().collect().await.unwrap().to_bytes()
    }

    const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

    #[tokio::test]
    async fn a_connection_whose_answer_was_read_is_used_again() {
        let connections = connections(true);
        let (mut way, mut far) = connected(&connections).await;
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n";
        for answer in [ANSWER, chunked, ANSWER, "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"] {
            exchange(&connections, way, &mut far, answer).await;
            way = connections.take().expect("the connection is free");
            assert!(connections.take().is_none(), "there is only one");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_used_again_is_not_kept() {
        let closing = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
        for (keeps, answer) in [(false, ANSWER), (true, closing)] {
            let connections = connections(keeps);
            let (way, mut far) = connected(&connections).await;
            assert_eq!(exchange(&connections, way, &mut far, answer).await, "{}");
            assert!(connections.take().is_none(), "{answer}");
            assert_eq!(far.read(&mut [0]).await.unwrap(), 0, "it was closed");
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_let_go_of_closes_its_connection() {
        let connections = connections(true);
        let (way, mut far) = connected(&connections).await;
        let served = async {
            taken(&mut far).await;
            far.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{}").await.unwrap();
        };
        let (answer, ()) = tokio::join!(connections.send(way, request()), served);
        let mut body = answer.ok().unwrap().into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "{}");
        drop(body);
        assert_eq!(far.read(&mut [0]).await.unwrap(), 0);
        assert!(connections.take().is_none());
    }

    #[tokio::test]
    async fn a_body_that_comes_in_pieces_is_waited_for() {
        let connections = connections(true);
        let (way, mut far) = connected(&connections).await;
        let served = async {
            taken(&mut far).await;
            far.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n").await.unwrap();
        };
        let (answer, ()) = tokio::join!(connections.send(way, request()), served);
        let mut body = answer.ok().unwrap().into_body();
        for piece in ["{ ", " }"] {
            let (frame, written) = tokio::join!(body.frame(), far.write_all(piece.as_bytes()));
            written.unwrap();
            assert_eq!(frame.unwrap().unwrap().into_data().unwrap(), piece);
        }
        assert!(connections.take().is_some());
    }

    #[tokio::test]
    async fn a_connection_that_ends_without_an_answer_says_whether_it_was_used() {
        let connections = connections(true);
        let (way, mut far) = connected(&connections).await;
        exchange(&connections, way, &mut far, ANSWER).await;
        let way = connections.take().unwrap();
        let served = async {
            taken(&mut far).await;
            drop(far);
        };
        let (answer, ()) = tokio::join!(connections.send(way, request()), served);
        let unanswered = answer.expect_err("nobody answered");
        assert!(unanswered.was_used && unanswered.unsent.is_none());
        let (way, far) = connected(&connections).await;
        drop(far);
        assert!(!connections.send(way, request()).await.expect_err("nobody answered").was_used);
    }

    #[tokio::test]
    async fn what_the_target_closed_and_what_is_idle_for_long_is_let_go_of() {
        let connections = connections(true);
        let mut far = Vec::new();
        for _ in 0..2 {
            let (way, mut end) = connected(&connections).await;
            exchange(&connections, way, &mut end, ANSWER).await;
            far.push(end);
        }
        let count = || connections.lock().idle.len();
        assert_eq!(count(), 2);
        drop(far.remove(0));
        while count() == 2 {
            connections.lock().let_go(Instant::now());
            tokio::task::yield_now().await;
        }
        connections.lock().let_go(Instant::now() + IDLE);
        assert_eq!(count(), 0);
        assert_eq!(far.remove(0).read(&mut [0]).await.unwrap(), 0);
    }
}
