//! Parsers of foreign bytes that this program keeps to itself, opened for `gateway/properties`, which tries what breaks them. Nothing
//! else uses this, and nothing of its own is in it.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use crate::{calls::audit::redact, config, stdio::line};

/// `arguments` (JSON text) as the audit log may keep them, as JSON text.
pub fn audited(arguments: &str, redaction: &config::Redaction) -> String {
    redact::Redaction::new(redaction).redacted(arguments).get().to_owned()
}

/// The request that an event of API Gateway stands for, with the claims that came with it; `None` where it is none.
#[cfg(feature = "lambda")]
pub fn invoked(document: &str, base: &str) -> Option<(http::Request<bytes::Bytes>, bool)> {
    let event = crate::lambda::event::Event::read(document, base).ok()?;
    let is_verified = event.verified.is_some();
    let body = event.body;
    Some((event.request.map(|_| body), is_verified))
}

/// The lines of a client on standard input that come in these pieces; `None` for one that is over the limit.
pub fn lines(pieces: &[&[u8]], limit: usize) -> Vec<Option<Vec<u8>>> {
    let mut pieces = Pieces(pieces.iter().copied().filter(|piece| !piece.is_empty()).collect());
    let mut lines = Vec::new();
    while let Some(Ok(Some(line))) = futures::FutureExt::now_or_never(line::next(&mut pieces, limit)) {
        lines.push(match line {
            line::Line::Whole(line) => Some(line),
            line::Line::TooLong => None,
        });
    }
    lines
}

/// Where a login may end that asks for `text`, if it may end there.
pub fn login_end(text: &str, listed: &[String]) -> Option<url::Url> {
    crate::login::redirect::RedirectUri::parse(text, listed).map(|end| end.url)
}

/// Bytes that are there, piece by piece.
struct Pieces<'a>(std::collections::VecDeque<&'a [u8]>);

impl AsyncBufRead for Pieces<'_> {
    fn poll_fill_buf(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        Poll::Ready(Ok(self.get_mut().0.front().copied().unwrap_or_default()))
    }

    fn consume(self: Pin<&mut Self>, used: usize) {
        let pieces = &mut self.get_mut().0;
        match pieces.pop_front() {
            Some(piece) if used < piece.len() => pieces.push_front(&piece[used..]),
            _ => (),
        }
    }
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // Whoever reads lines takes what is buffered.
        Poll::Ready(Ok(()))
    }
}
