//! Turning what is said about one request into an HTTP response: one JSON message where that is all there is, else an event
//! stream. Knows no eras.
//!
//! Source: MCP 2026-07-28, basic/transports/streamable-http, "Receiving Messages".

use std::{
    future::ready,
    io,
    pin::Pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use causeway_core::{
    canonical::{self, Request},
    era::Era,
    name::PathName,
    wire::{Envelope, ObjectEdit, sse},
};
use futures::{Stream, StreamExt, stream};
use http::{HeaderName, HeaderValue, StatusCode, header};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Front, Post, accepted, face, message};
use crate::{
    calls::{self, Outcome},
    error::{Face, status_of},
    gateway::{Call, CallError, Gateway, Served},
    inbound::Caller,
    targets::{Event, Events, Long, Piece, Reply},
};

/// After so long a silence a comment keeps the connection open on its way.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const SIGN_OF_LIFE: &str = ": keep-alive\n\n";

/// Says on an HTTP answer which path it came by, where there is more than one: `calculator`, or `calculator/2` for the second
/// endpoint of a target. Never an address. Missing where nothing came by any path, or where the answer had to begin before
/// anything came.
pub(crate) const PATH: HeaderName = HeaderName::from_static("x-causeway-path");

/// The path that a call was served by, once that is known.
pub(super) type ServedBy = Arc<OnceLock<PathName>>;

/// What a client is told, message by message.
pub(super) enum Item {
    /// A notification, or a request of the target to the client.
    Between(Bytes),
    /// The answer.
    Last(StatusCode, Bytes),
    /// The answer, a result, while it comes.
    Long(Parts),
    /// There is no answer: the client has cancelled the request.
    Cancelled,
}

/// A long answer in its parts. One that breaks off ends with an error, which says why to nobody: that is in the log by then.
pub(super) type Parts = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// All that a client is told about one request; nothing after an answer or [`Item::Cancelled`].
pub(super) type Items = Pin<Box<dyn Stream<Item = Item> + Send>>;

/// One request of a client, and what is needed to answer it.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) gateway: Arc<Gateway>,
    pub(super) caller: Arc<Caller>,
    pub(super) request: Request,
    pub(super) served_by: ServedBy,
    /// Set when the gateway has no more time for it.
    pub(super) closing: CancellationToken,
    /// What the request is for.
    call: Call,
    /// Errors carry their cause.
    debug: bool,
}

impl Exchange {
    pub(super) fn new(front: &Front, post: &Post, call: Call, request: Request) -> Self {
        let (gateway, caller) = (Arc::clone(&front.gateway), Arc::clone(&post.caller));
        let (closing, debug) = (front.stopping.closing.clone(), front.settings.debug_errors);
        Self { gateway, caller, request, served_by: Arc::default(), closing, call, debug }
    }

    /// Passes `request` on, which is this call's or a retry of it.
    pub(super) fn begin(&self, request: Request) -> Events<CallError> {
        let (gateway, caller, kind) = (Arc::clone(&self.gateway), Arc::clone(&self.caller), self.call);
        let served_by = Arc::clone(&self.served_by);
        let reply = async move {
            let Served { reply, path } = gateway.call(caller, kind, request).await?;
            path.map(|path| served_by.set(path));
            Ok(reply)
        };
        Box::pin(stream::once(reply).flat_map(messages))
    }

    fn era(&self) -> Era {
        self.request.era
    }

    /// A notification as the client gets it, if it does.
    pub(super) fn notification(&self, message: &Envelope) -> Option<Item> {
        self.request.client.logs.allow(message).then(|| Item::Between(message.bytes().clone()))
    }

    /// An answer as the client gets it.
    pub(super) fn answer(&self, answer: &canonical::Response) -> Item {
        calls::note(|call| call.came_to(Outcome::of(answer)));
        Item::Last(status_of(answer.error(), self.era()), answer.for_client(self.era(), &self.request.id))
    }

    /// A long answer as the client gets it.
    pub(super) fn passed_on(&self, long: Long) -> Parts {
        let (call, era, id, debug) = (self.call, self.era(), self.request.id.to_string(), self.debug);
        let parts = long.pieces(&self.request.id).filter_map(move |piece| {
            ready(match piece {
                Ok(Piece::Part(part)) => Some(Ok(part)),
                Ok(Piece::End { is_tool_error }) => {
                    calls::note(|call| call.came_to(if is_tool_error { Outcome::ToolError } else { Outcome::Ok }));
                    None
                }
                Err(error) => {
                    // Its beginning is with the client: no error of ours can take its place.
                    let Face { outcome, .. } = seen(&error.into(), call, era, &id, debug);
                    calls::note(|call| call.came_to(outcome));
                    Some(Err(io::ErrorKind::UnexpectedEof.into()))
                }
            })
        });
        Box::pin(parts)
    }

    /// An error as the client gets it, logged.
    pub(super) fn failed(&self, error: &CallError) -> Item {
        let Face { status, message, outcome } = self.face(error);
        calls::note(|call| call.came_to(outcome));
        Item::Last(status, message.into())
    }

    /// An error as the whole response, logged.
    pub(super) fn refuse(&self, error: &CallError) -> Response {
        face(self.face(error))
    }

    fn face(&self, error: &CallError) -> Face {
        seen(error, self.call, self.era(), &self.request.id, self.debug)
    }
}

/// How the client sees an error, which is logged.
fn seen(error: &CallError, call: Call, era: Era, id: &str, debug: bool) -> Face {
    match error {
        // A fault of a target is ours to tell the operator; a caller's mistake is the caller's.
        CallError::Target(error) => {
            tracing::warn!(target.name = %error.target, kind = error.fault.kind(), "{error}");
        }
        error => tracing::debug!("{error}"),
    }
    error.face(call, era, id, debug)
}

/// The request (its id as JSON text) that a target gives up with this notification, if that is what it does. Clients know
/// questions by other ids, so it is never passed on as it is.
pub(super) fn given_up(message: &Envelope) -> Option<String> {
    let params = message.params().filter(|_| message.method() == "notifications/cancelled")?;
    Some(ObjectEdit::parse(params).ok()?.get("requestId").unwrap_or("null").to_owned())
}

/// The messages of an outcome.
fn messages(outcome: Result<Reply, CallError>) -> Events<CallError> {
    match outcome {
        Ok(Reply::Whole(answer)) => Box::pin(stream::iter([Ok(Event::Last(answer))])),
        Ok(Reply::Stream(events)) => Box::pin(events.map(|event| event.map_err(CallError::from))),
        Err(error) => Box::pin(stream::iter([Err(error)])),
    }
}

/// The response that carries `items`, with the path that they came by.
pub(super) async fn respond(items: Items, events: bool, served_by: ServedBy) -> Response {
    let mut response = carry(items, events).await;
    let path = served_by.get().map(|path| HeaderValue::try_from(path.to_string()));
    response.headers_mut().extend(path.and_then(Result::ok).map(|path| (PATH, path)));
    response
}

/// The response that carries `items`. It becomes an event stream with the first message before the answer, or when nothing
/// came for so long that the connection needs a sign of life; a client that reads no `events` gets the answer alone.
async fn carry(mut items: Items, events: bool) -> Response {
    loop {
        let next = match events {
            true => timeout(KEEP_ALIVE, items.next()).await,
            false => Ok(items.next().await),
        };
        match next {
            Err(_) => return event_stream(SIGN_OF_LIFE.into(), items),
            Ok(Some(Item::Last(status, answer))) => return message(status, answer),
            Ok(Some(Item::Long(parts))) => return message(StatusCode::OK, Body::from_stream(parts)),
            Ok(Some(Item::Between(first))) if events => return event_stream(frame(&first), items),
            Ok(Some(Item::Between(_))) => (),
            // Nobody waits for this response any more; it must say something all the same.
            Ok(Some(Item::Cancelled)) => {
                calls::note(|call| call.came_to(Outcome::Cancelled));
                return accepted();
            }
            // A reply ends with an answer or an error, and nobody reads on after it.
            Ok(None) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

/// Where the bytes of an event stream come from.
enum Source {
    Items(Items),
    /// The answer, as the last event.
    Long(Parts),
}

impl Source {
    /// The next bytes, and where those after them come from.
    async fn next(self) -> Option<(io::Result<Bytes>, Option<Self>)> {
        let mut items = match self {
            Self::Items(items) => items,
            Self::Long(mut parts) => {
                return Some(match parts.next().await {
                    Some(Ok(part)) => (Ok(sse::encode_part(&part).into()), Some(Self::Long(parts))),
                    Some(Err(error)) => (Err(error), None),
                    None => (Ok(Bytes::from(sse::BEHIND)), None),
                });
            }
        };
        let (bytes, more) = match timeout(KEEP_ALIVE, items.next()).await {
            Err(_) => (Bytes::from(SIGN_OF_LIFE), Some(Self::Items(items))),
            Ok(Some(Item::Between(message))) => (frame(&message), Some(Self::Items(items))),
            Ok(Some(Item::Last(_, answer))) => (frame(&answer), None),
            Ok(Some(Item::Long(parts))) => (Bytes::from(sse::BEFORE), Some(Self::Long(parts))),
            Ok(Some(Item::Cancelled)) => {
                calls::note(|call| call.came_to(Outcome::Cancelled));
                return None;
            }
            Ok(None) => return None,
        };
        Some((Ok(bytes), more))
    }
}

/// A message as an event.
fn frame(message: &[u8]) -> Bytes {
    // Messages were read as UTF-8 before they came here.
    sse::encode(&String::from_utf8_lossy(message)).into()
}

/// An event stream that starts with the bytes `first` and goes on with `items`.
pub(super) fn event_stream(first: Bytes, items: Items) -> Response {
    let rest = stream::unfold(Some(Source::Items(items)), |source| async move { source?.next().await });
    let body = Body::from_stream(stream::iter([Ok(first)]).chain(rest));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // Proxies such as nginx must pass each event on at once.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (StatusCode::OK, headers, body).into_response()
}
