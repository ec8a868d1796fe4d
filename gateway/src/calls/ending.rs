//! Where a call ends: with the last byte of its answer, or when nobody waits for it any more. Counts bytes and reads none.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures::FutureExt;
use http::HeaderName;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::Instant;

use super::{
    open::{CURRENT, End, OpenCall},
    request_id::REQUEST_ID,
};

/// AgentCore's clients look for it there.
const AMAZON_REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// The end of a call, still to come. Its drop ends the call, whether there was an answer or not.
#[derive(Debug)]
pub(crate) struct Ending {
    call: Arc<OpenCall>,
    end: End,
}

/// The body of an answer, on its way out. The body goes first when it is dropped: what ends with it is still part of the call.
#[derive(Debug)]
struct Watched {
    body: Body,
    ending: Ending,
}

impl Ending {
    pub(super) fn new(call: Arc<OpenCall>) -> Self {
        Self { call, end: End::default() }
    }

    /// The response that `answer` gives, as one whose last byte ends the call. All that is done for `answer`, and for the body
    /// of the response, is about this call.
    pub(crate) fn watch(self, answer: impl Future<Output = Response>) -> impl Future<Output = Response> {
        // No `async` block: it would have room for `answer` twice, and answers are large while they are being found.
        CURRENT.scope(Arc::clone(&self.call), answer).map(|response| self.mark(response))
    }

    fn mark(mut self, mut response: Response) -> Response {
        let id = self.call.request_id().header();
        response.headers_mut().insert(REQUEST_ID, id.clone());
        response.headers_mut().insert(AMAZON_REQUEST_ID, id);
        self.end.status = response.status().as_u16();
        response.map(|body| {
            if body.is_end_stream() {
                self.end.last_byte = Some(Instant::now());
            }
            Body::new(Watched { body, ending: self })
        })
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Self { body, ending } = &mut *self;
        let frame = ready!(CURRENT.sync_scope(Arc::clone(&ending.call), || Pin::new(&mut *body).poll_frame(cx)));
        let now = Instant::now();
        if let Some(Ok(data)) = frame.as_ref().map(|frame| frame.as_ref().map(Frame::data_ref)) {
            ending.end.first_byte.get_or_insert(now);
            ending.end.bytes += data.map_or(0, |data| data.len() as u64);
        }
        // Nobody asks a body of known size again once it has given all.
        let is_over = frame.is_none() || body.is_end_stream();
        match &frame {
            Some(Err(_)) => ending.end.broke_off = true,
            _ if is_over => drop(ending.end.last_byte.get_or_insert(now)),
            _ => (),
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

impl Drop for Ending {
    fn drop(&mut self) {
        self.call.ended(self.end);
    }
}
