//! Bodies of the upstream: pieces that are shared between answers, so that a megabyte is not copied for each of them.

use std::{
    collections::VecDeque,
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};

use crate::form::Answers;

/// Pieces that follow each other.
#[derive(Debug)]
pub(super) struct Content {
    pieces: VecDeque<Bytes>,
    /// Its length is said beforehand.
    sized: bool,
    gated: Option<Gated>,
}

/// The rest of a content, which waits.
pub(super) struct Gated {
    pub(super) gate: Pin<Box<dyn Future<Output = ()> + Send>>,
    pub(super) rest: VecDeque<Bytes>,
}

impl Content {
    /// An answer that holds one JSON text without line breaks.
    pub(super) fn answer(
        answers: Answers,
        pieces: impl Into<VecDeque<Bytes>>,
        mut gated: Option<Gated>,
    ) -> Response<Self> {
        let mut pieces = pieces.into();
        let kind = match answers {
            Answers::Json => "application/json",
            Answers::Events => {
                pieces.push_front(Bytes::from_static(b"event: message\ndata: "));
                let last = gated.as_mut().map_or(&mut pieces, |gated| &mut gated.rest);
                last.push_back(Bytes::from_static(b"\n\n"));
                "text/event-stream"
            }
        };
        let mut response = Response::new(Self { pieces, sized: answers == Answers::Json, gated });
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }

    /// An answer without a body.
    pub(super) fn empty(status: StatusCode) -> Response<Self> {
        let mut response = Response::new(Self { pieces: VecDeque::new(), sized: true, gated: None });
        *response.status_mut() = status;
        response
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.pieces.is_empty()
            && let Some(gated) = &mut self.gated
        {
            ready!(gated.gate.as_mut().poll(cx));
            self.pieces = self.gated.take().map(|gated| gated.rest).unwrap_or_default();
        }
        Poll::Ready(self.pieces.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && self.gated.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        if !self.sized {
            return SizeHint::default();
        }
        let rest = self.gated.iter().flat_map(|gated| &gated.rest);
        SizeHint::with_exact(self.pieces.iter().chain(rest).map(|piece| piece.len() as u64).sum())
    }
}

impl fmt::Debug for Gated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gated").field("pieces", &self.rest.len()).finish_non_exhaustive()
    }
}
