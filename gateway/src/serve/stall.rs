//! Clients that must go on taking what is sent to them: each connection as a whole, and over HTTP/2 each answer. Reading is bounded
//! elsewhere: by the time for a head and for a body.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;

/// A connection that fails once its other end has taken nothing for as long as the patience lasts, though there was something to
/// take. Whoever reads slowly is not cut off; whoever does not read is.
#[derive(Debug)]
pub(super) struct Watched {
    stream: TcpStream,
    patience: Duration,
    /// Since something could not be written; made when that happens first.
    stalled: Option<Pin<Box<Sleep>>>,
    is_stalled: bool,
    /// The end of the time for the first bytes, and how many are still to come. Nobody else bounds it where the
    /// server looks at them to tell HTTP/1.1 from HTTP/2, and only then knows what to wait for.
    opening: Option<(Pin<Box<Sleep>>, usize)>,
}

/// The preface of HTTP/2, with the head of the frame that follows it (RFC 9113, section 3.4). No request over HTTP/1.1 is shorter.
const OPENING: usize = 24 + 9;

impl Watched {
    /// `opening`: for the first bytes to come, where nobody else bounds that; `patience`: for the other end to take something.
    pub(super) fn new(stream: TcpStream, opening: Option<Duration>, patience: Duration) -> Self {
        let opening = opening.map(|opening| (Box::pin(sleep(opening)), OPENING));
        Self { stream, patience, stalled: None, is_stalled: false, opening }
    }

    /// The first bytes did not come in time.
    pub(super) fn silence() -> io::Error {
        io::Error::new(io::ErrorKind::TimedOut, "no request began (`limits.idle_seconds`)")
    }

    /// What came of writing, or that it takes too long.
    fn judge<T>(&mut self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.is_stalled = false;
            return written;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        if !self.is_stalled {
            stalled.as_mut().reset(Instant::now() + patience);
            self.is_stalled = true;
        }
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => {
                let why = format!("the client took nothing for {patience:?} (`limits.stalled_seconds`)");
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, why)))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let Some((until, left)) = &mut self.opening {
            *left = left.saturating_sub(buffer.filled().len() - before);
            if *left == 0 {
                self.opening = None;
            } else if read.is_pending() && until.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(Self::silence()));
            }
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.judge(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// An answer over HTTP/2, whose client must go on taking it though the connection goes on: it comes in pieces, and once none was taken for
/// as long as the patience lasts, it is let go of, and with it what it is made of.
#[derive(Debug)]
pub(super) struct Taken {
    shared: Arc<Mutex<Answer>>,
    _watching: AbortOnDropHandle<()>,
}

#[derive(Debug)]
struct Answer {
    /// Absent once it was let go of.
    body: Option<Body>,
    /// What comes before the next frame of the body.
    rest: Bytes,
    /// Since when a piece waits to be taken.
    given: Option<Instant>,
}

/// Bytes that the connection is given at once: it keeps what it was given until that is taken.
const PIECE: usize = 64 * 1024;

impl Taken {
    pub(super) fn new(body: Body, patience: Duration) -> Self {
        let shared = Arc::new(Mutex::new(Answer { body: Some(body), rest: Bytes::new(), given: None }));
        let watched = Arc::clone(&shared);
        let watching = tokio::spawn(async move {
            loop {
                let given = watched.lock().expect("no holder of this lock panics").given;
                sleep_until(given.unwrap_or_else(Instant::now) + patience).await;
                let mut answer = watched.lock().expect("no holder of this lock panics");
                if answer.given.is_some_and(|given| given.elapsed() >= patience) {
                    tracing::debug!("a client took nothing for {patience:?} (`limits.stalled_seconds`)");
                    let _body = (answer.body.take(), std::mem::take(&mut answer.rest));
                    return;
                }
            }
        });
        Self { shared, _watching: AbortOnDropHandle::new(watching) }
    }
}

impl http_body::Body for Taken {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut answer = self.shared.lock().expect("no holder of this lock panics");
        let answer = &mut *answer;
        // Who asks for more has taken what there was.
        answer.given = None;
        let Some(body) = &mut answer.body else {
            let why = io::Error::new(io::ErrorKind::TimedOut, "the client took nothing for too long");
            return Poll::Ready(Some(Err(axum::Error::new(why))));
        };
        if answer.rest.is_empty() {
            let frame = match ready!(Pin::new(body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                end => return Poll::Ready(end),
            };
            match frame.into_data() {
                Ok(data) => answer.rest = data,
                Err(frame) => return Poll::Ready(Some(Ok(frame))),
            }
        }
        answer.given = Some(Instant::now());
        let piece = answer.rest.split_to(answer.rest.len().min(PIECE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        let answer = self.shared.lock().expect("no holder of this lock panics");
        answer.rest.is_empty() && answer.body.as_ref().is_some_and(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let answer = self.shared.lock().expect("no holder of this lock panics");
        let (rest, body) = (answer.rest.len() as u64, answer.body.as_ref());
        let of_body = body.map(http_body::Body::size_hint).unwrap_or_default();
        let mut hint = SizeHint::new();
        hint.set_lower(of_body.lower() + rest);
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}
