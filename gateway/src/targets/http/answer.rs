//! Reading what a target answered over HTTP: one JSON message, or a stream of events that ends with one. Bounded.

use std::time::Duration;

use bytes::Bytes;
use causeway_core::{
    canonical::Response,
    era::Era,
    wire::{Envelope, Kind, sse},
};
use causeway_oidc::wire_log::Exchange;
use http::{HeaderMap, StatusCode, header};
use http_body::Body as _;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use serde_json::Value;
use tokio::time::timeout;

use super::{Fault, client::causes, connections::Incoming};

/// The body of a request to a target.
pub(super) type Body = Full<Bytes>;

/// How long a stream may stay open after its answer before its connection is given up.
const REST: Duration = Duration::from_secs(1);
/// Bytes of an error page that are worth reading for a JSON-RPC error.
const ERROR_BYTES: usize = 64 * 1024;

/// A response whose head was read.
#[derive(Debug)]
pub(super) struct Answer {
    head: http::response::Parts,
    body: AnswerBody,
    limit: usize,
}

#[derive(Debug)]
enum AnswerBody {
    Coming(Incoming),
    Read(Bytes),
}

/// What stands in an answer's body.
pub(super) enum Content {
    /// The one answer, whatever its HTTP status.
    Whole(Envelope),
    /// A stream of messages.
    Stream(Messages),
    /// Nothing that is an answer.
    None,
}

/// The messages of an event stream.
#[derive(Debug)]
pub(super) struct Messages {
    /// Absent once the answer was read.
    body: Option<Incoming>,
    decoder: sse::Decoder,
    limit: usize,
    /// The event after which it goes on: a target may send that one again.
    after: Option<String>,
    exchange: Exchange,
}

impl Answer {
    pub(super) fn new(response: http::Response<Incoming>, limit: usize) -> Self {
        let (head, body) = response.into_parts();
        Self { head, body: AnswerBody::Coming(body), limit }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.head.status
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Whether its body is a stream of messages.
    pub(super) fn is_event_stream(&self) -> bool {
        let kind = self.head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        self.head.status.is_success() && kind.eq_ignore_ascii_case("text/event-stream")
    }

    /// Reads the whole body, and keeps it. Not for a stream.
    pub(super) async fn read(self) -> Result<(Self, Bytes), Fault> {
        let Self { head, body, limit } = self;
        let bytes = match (body, head.status.is_success()) {
            (AnswerBody::Read(bytes), _) => bytes,
            (AnswerBody::Coming(body), true) => noted(&head, collect(body, limit).await?),
            // A body that is too long or broken off makes an error page no better.
            (AnswerBody::Coming(body), false) => noted(&head, collect(body, ERROR_BYTES).await.unwrap_or_default()),
        };
        Ok((Self { head, body: AnswerBody::Read(bytes.clone()), limit }, bytes))
    }

    /// Reads the body as far as needed to know what it is.
    pub(super) async fn content(self) -> Result<Content, Fault> {
        let status = self.status();
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            // Whatever else it says: it is the gateway that was not let in, not the caller.
            return Err(no_answer(status));
        }
        let comes_back = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
            && self.headers().contains_key(header::RETRY_AFTER);
        if self.is_event_stream()
            && let AnswerBody::Coming(body) = self.body
        {
            let decoder = sse::Decoder::new(self.limit);
            let (limit, exchange) = (self.limit, exchange_of(&self.head));
            return Ok(Content::Stream(Messages { body: Some(body), decoder, limit, after: None, exchange }));
        }
        let (_, bytes) = self.read().await?;
        if !status.is_success() {
            return match Envelope::parse(bytes).ok().filter(is_error) {
                Some(message) => Ok(Content::Whole(message)),
                None if comes_back => Err(Fault::Unavailable(status.as_u16())),
                None => Ok(Content::None),
            };
        }
        if bytes.trim_ascii().is_empty() {
            return Ok(Content::None);
        }
        Envelope::parse(bytes).map(Content::Whole).map_err(|error| Fault::Garbage(error.to_string()))
    }
}

impl Messages {
    /// Where to go on reading if the stream breaks off: its last event's id, and how long to wait first, in milliseconds.
    pub(super) fn resumption(&self) -> (Option<&str>, Option<u64>) {
        (self.decoder.last_id().or(self.after.as_deref()), self.decoder.retry_ms())
    }

    /// The same stream as one that goes on after the event `id`.
    pub(super) fn after(self, id: Option<&str>) -> Self {
        Self { after: id.map(ToOwned::to_owned), ..self }
    }

    /// The answer; what comes before it is passed over.
    pub(super) async fn response(&mut self) -> Result<Envelope, Fault> {
        loop {
            let message = self.next_message().await?;
            if message.kind() == Kind::Response {
                self.release();
                return Ok(message);
            }
        }
    }

    /// Lets go of a stream whose answer was read. Its end follows the answer, and only a connection that was read to the
    /// end is used again; a server that keeps the stream open loses the connection.
    pub(super) fn release(&mut self) {
        let Some(mut body) = self.body.take().filter(|body| !body.is_end_stream()) else { return };
        // Without a runtime nobody needs the connection any more.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            let rest = async { while let Some(Ok(_)) = body.frame().await {} };
            let _ = timeout(REST, rest).await;
        });
    }

    /// The next message.
    pub(super) async fn next_message(&mut self) -> Result<Envelope, Fault> {
        loop {
            if let Some(event) = self.decoder.next_event() {
                if event.id.is_some() && event.id == self.after {
                    continue;
                }
                self.exchange.event(&event.data);
                return Envelope::parse(event.data.into()).map_err(|error| Fault::Garbage(error.to_string()));
            }
            let frame = match &mut self.body {
                Some(body) => body.frame().await,
                None => None,
            };
            let frame = frame.ok_or_else(|| Fault::BrokenOff("the stream ended before the answer".into()))?;
            let frame = frame.map_err(|error| Fault::BrokenOff(causes(&error)))?;
            if let Some(data) = frame.data_ref() {
                self.decoder.push(data).map_err(|_| Fault::TooLarge(self.limit))?;
            }
        }
    }
}

/// The answer that `message` is to the request `id` (JSON text).
pub(super) fn last(message: Envelope, era: Era, id: &str) -> Result<Response, Fault> {
    if !answers(&message, id) {
        return Err(Fault::Garbage("it answered another request than the one it was sent".into()));
    }
    Response::new(message, era).map_err(|error| Fault::Garbage(error.to_string()))
}

/// Whether the message goes under this id, however it is spelled. An error may have none: its sender could not read it.
fn answers(message: &Envelope, id: &str) -> bool {
    let read = |id: &str| serde_json::from_str::<Value>(id).ok();
    match message.id() {
        None | Some("null") => message.error().is_some(),
        Some(answered) if answered == id => true,
        Some(answered) => match (read(answered), read(id)) {
            (Some(Value::Number(answered)), Some(Value::Number(id))) => answered.as_f64() == id.as_f64(),
            (answered, id) => answered.is_some() && answered == id,
        },
    }
}

/// Why a response without an answer in it is none.
pub(super) fn no_answer(status: StatusCode) -> Fault {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Fault::Unauthorized(status.as_u16()),
        status if status.is_success() => Fault::Garbage(format!("an empty body (HTTP {})", status.as_u16())),
        status => Fault::Status(status.as_u16()),
    }
}

fn is_error(message: &Envelope) -> bool {
    message.error().is_some()
}

/// Shows a body that was read to whoever watches the wire.
fn noted(head: &http::response::Parts, body: Bytes) -> Bytes {
    exchange_of(head).body(&head.headers, &body);
    body
}

fn exchange_of(head: &http::response::Parts) -> Exchange {
    head.extensions.get().copied().unwrap_or_default()
}

async fn collect(body: Incoming, limit: usize) -> Result<Bytes, Fault> {
    let body = Limited::new(body, limit).collect().await;
    body.map(http_body_util::Collected::to_bytes).map_err(|error| match error.is::<LengthLimitError>() {
        true => Fault::TooLarge(limit),
        false => Fault::BrokenOff(causes(error.as_ref())),
    })
}
