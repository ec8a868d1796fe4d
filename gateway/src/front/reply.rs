//! Turning a reply into an HTTP response: one JSON message where that is all there is, else an event stream.
//!
//! Source: MCP 2026-07-28, basic/transports/streamable-http, "Receiving Messages".

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use causeway_core::{
    canonical::Request,
    era::Era,
    wire::{Envelope, sse},
};
use futures::{StreamExt, stream};
use http::{HeaderName, HeaderValue, StatusCode, header};
use tokio::time::timeout;

use super::{Front, Post, accepts_events, face, message};
use crate::{
    error::{Face, status_of},
    gateway::{Call, CallError},
    targets::{Event, Events, Reply},
};

/// After so long a silence a comment keeps the connection open on its way.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const SIGN_OF_LIFE: &str = ": keep-alive\n\n";

/// To whom a reply goes, and how.
#[derive(Clone, Debug)]
struct Recipient {
    era: Era,
    call: Call,
    /// JSON text.
    id: String,
    /// Reads server-sent events.
    events: bool,
    /// Gets the target's log messages.
    log: bool,
    /// Errors carry their cause.
    debug: bool,
}

/// Passes a call on and its reply back. `log`: the client gets the target's log messages.
pub(super) async fn call(front: &Front, post: &Post, call: Call, request: Request, log: bool) -> Response {
    let to = Recipient {
        era: request.era,
        call,
        id: request.id.clone(),
        events: front.settings.streaming && accepts_events(&post.headers),
        log,
        debug: front.settings.debug_errors,
    };
    respond(Arc::clone(&front.gateway).call(Arc::clone(&post.caller), call, request), to).await
}

/// The response that carries the outcome of `call`. It becomes an event stream with the first notification, or when nothing
/// came for so long that the connection needs a sign of life; a client that reads no events gets the answer alone.
async fn respond(call: impl Future<Output = Result<Reply, CallError>> + Send + 'static, to: Recipient) -> Response {
    let mut events: Events<CallError> = Box::pin(stream::once(call).flat_map(messages));
    loop {
        let next = match to.events {
            true => timeout(KEEP_ALIVE, events.next()).await,
            false => Ok(events.next().await),
        };
        match next {
            Err(_) => return event_stream(SIGN_OF_LIFE.into(), events, to),
            Ok(Some(Ok(Event::Last(answer)))) => return to.whole(&answer),
            Ok(Some(Ok(Event::Notification(first)))) if to.events && to.wants(&first) => {
                return event_stream(frame(first.bytes()), events, to);
            }
            Ok(Some(Ok(Event::Notification(_)))) => (),
            Ok(Some(Err(error))) => return face(to.failed(&error)),
            // A reply ends with an answer or an error, and nobody reads on after it.
            Ok(None) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

/// The messages of an outcome.
fn messages(outcome: Result<Reply, CallError>) -> Events<CallError> {
    match outcome {
        Ok(Reply::Whole(answer)) => Box::pin(stream::iter([Ok(Event::Last(answer))])),
        Ok(Reply::Stream(events)) => Box::pin(events.map(|event| event.map_err(CallError::from))),
        Err(error) => Box::pin(stream::iter([Err(error)])),
    }
}

impl Recipient {
    /// Whether a notification is for this client: a modern one gets log messages only if it asks for them.
    fn wants(&self, notification: &Envelope) -> bool {
        notification.method() != "notifications/message" || self.log
    }

    fn whole(&self, answer: &causeway_core::canonical::Response) -> Response {
        message(status_of(answer.error(), self.era), answer.for_client(self.era, &self.id))
    }

    fn failed(&self, error: &CallError) -> Face {
        log(error);
        error.face(self.call, self.era, &self.id, self.debug)
    }

    /// One event of a stream as its bytes, and whether it is the last.
    fn event(&self, event: Result<Event, CallError>) -> (Bytes, bool) {
        match event {
            Ok(Event::Notification(message)) if self.wants(&message) => (frame(message.bytes()), false),
            Ok(Event::Notification(_)) => (Bytes::new(), false),
            Ok(Event::Last(answer)) => (frame(&answer.for_client(self.era, &self.id)), true),
            Err(error) => (frame(self.failed(&error).message.as_bytes()), true),
        }
    }
}

/// A message as an event.
fn frame(message: &[u8]) -> Bytes {
    // Messages were read as UTF-8 before they came here.
    sse::encode(&String::from_utf8_lossy(message)).into()
}

/// A fault of a target is ours to tell the operator; a caller's mistake is the caller's.
fn log(error: &CallError) {
    match error {
        CallError::Target(error) => tracing::warn!(target.name = %error.target, kind = error.fault.kind(), "{error}"),
        _ => tracing::debug!("{error}"),
    }
}

fn event_stream(first: Bytes, events: Events<CallError>, to: Recipient) -> Response {
    let rest = stream::unfold(Some((events, to)), |state| async move {
        let (mut events, to) = state?;
        match timeout(KEEP_ALIVE, events.next()).await {
            Err(_) => Some((Bytes::from(SIGN_OF_LIFE), Some((events, to)))),
            Ok(None) => None,
            Ok(Some(event)) => {
                let (bytes, last) = to.event(event);
                Some((bytes, (!last).then_some((events, to))))
            }
        }
    });
    let first = stream::iter([first]);
    let body = Body::from_stream(first.chain(rest).map(Ok::<_, std::convert::Infallible>));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // Proxies such as nginx must pass each event on at once.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (StatusCode::OK, headers, body).into_response()
}
