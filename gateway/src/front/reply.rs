//! Turning a reply into an HTTP response: one JSON message where that is all there is, else an event stream.
//!
//! Source: MCP 2026-07-28, basic/transports/streamable-http, "Receiving Messages".

use std::{pin::Pin, time::Duration};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use causeway_core::{era::Era, wire::sse};
use futures::{Stream, StreamExt, stream};
use http::{HeaderName, HeaderValue, StatusCode, header};
use tokio::time::timeout;

use super::{face, message};
use crate::{
    error::{Face, status_of},
    gateway::CallError,
    targets::{Event, Reply, TargetError},
};

/// A comment after so long a silence keeps the connection open on its way.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// To whom a reply goes, and how.
#[derive(Clone, Debug)]
pub(super) struct Recipient {
    pub(super) era: Era,
    /// JSON text.
    pub(super) id: String,
    /// Reads server-sent events.
    pub(super) events: bool,
    /// Errors carry their cause.
    pub(super) debug: bool,
}

type Events = Pin<Box<dyn Stream<Item = Result<Event, TargetError>> + Send>>;

/// The response that carries `outcome`. A reply becomes an event stream with its first notification; a client that reads
/// no events gets the answer alone.
pub(super) async fn respond(outcome: Result<Reply, CallError>, to: Recipient) -> Response {
    let mut events = match outcome {
        Ok(Reply::Stream(events)) => events,
        Ok(Reply::Whole(answer)) => return to.whole(&answer),
        Err(error) => return face(to.failed(&error)),
    };
    loop {
        match events.next().await {
            Some(Ok(Event::Last(answer))) => return to.whole(&answer),
            Some(Ok(Event::Notification(first))) if to.events => return event_stream(first, events, to),
            Some(Ok(Event::Notification(_))) => (),
            Some(Err(error)) => return face(to.failed(&error.into())),
            // A reply ends with an answer or an error, and nobody reads on after it.
            None => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

impl Recipient {
    fn whole(&self, answer: &causeway_core::canonical::Response) -> Response {
        message(status_of(answer.error(), self.era), answer.for_client(self.era, &self.id))
    }

    fn failed(&self, error: &CallError) -> Face {
        log(error);
        error.face(self.era, &self.id, self.debug)
    }

    /// One event of a stream, and whether it is the last.
    fn event(&self, event: Result<Event, TargetError>) -> (String, bool) {
        match event {
            Ok(Event::Notification(text)) => (sse::encode(&text), false),
            Ok(Event::Last(answer)) => {
                let bytes = answer.for_client(self.era, &self.id);
                (sse::encode(&String::from_utf8_lossy(&bytes)), true)
            }
            Err(error) => (sse::encode(&self.failed(&error.into()).message), true),
        }
    }
}

/// A fault of a target is ours to tell the operator; a caller's mistake is the caller's.
fn log(error: &CallError) {
    match error {
        CallError::Target(error) => tracing::warn!(target.name = %error.target, kind = error.fault.kind(), "{error}"),
        CallError::Nameless | CallError::Unknown(_) => tracing::debug!("{error}"),
    }
}

fn event_stream(first: String, events: Events, to: Recipient) -> Response {
    let rest = stream::unfold(Some((events, to)), |state| async move {
        let (mut events, to) = state?;
        match timeout(KEEP_ALIVE, events.next()).await {
            Err(_) => Some((Bytes::from_static(b": keep-alive\n\n"), Some((events, to)))),
            Ok(None) => None,
            Ok(Some(event)) => {
                let (text, last) = to.event(event);
                Some((Bytes::from(text), (!last).then_some((events, to))))
            }
        }
    });
    let first = stream::once(async move { Bytes::from(sse::encode(&first)) });
    let body = Body::from_stream(first.chain(rest).map(Ok::<_, std::convert::Infallible>));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // Proxies such as nginx must pass each event on at once.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (StatusCode::OK, headers, body).into_response()
}
