//! The first bytes of a connection, which must come in time: until they tell one HTTP from the other the server would wait for ever,
//! and whoever connects and says nothing would hold a place that others need. Judges nothing of what follows.
//!
//! Source: RFC 9113, section 3.4 (the preface).

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// What a client of HTTP/2 says first, and none of HTTP/1.1.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection that fails to be read once its first bytes are late.
#[derive(Debug)]
pub(super) struct Opening<S> {
    stream: S,
    /// Until it is known which HTTP this is.
    late: Option<Pin<Box<Sleep>>>,
    /// Bytes of the preface that came.
    came: usize,
}

impl<S> Opening<S> {
    /// `stream`, whose client has `patience` to say which HTTP it speaks.
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        Self { stream, late: Some(Box::pin(sleep(patience))), came: 0 }
    }

    /// These bytes came.
    fn read(&mut self, bytes: &[u8]) {
        let same = bytes.iter().zip(&PREFACE[self.came..]).take_while(|(byte, expected)| byte == expected).count();
        self.came += same;
        if same < bytes.len() || self.came == PREFACE.len() {
            self.late = None;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Opening<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(cx, buf) {
            if this.late.is_some() {
                this.read(&buf.filled()[before..]);
            }
            return Poll::Ready(read);
        }
        let Some(late) = &mut this.late else { return Poll::Pending };
        ready!(late.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Opening<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
