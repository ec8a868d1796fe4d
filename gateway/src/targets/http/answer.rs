//! Reading what a target answered over HTTP: one JSON message, or a stream of events that ends with one. Bounded.

use std::{mem, time::Duration};

use bytes::{Bytes, BytesMut};
use causeway_core::{
    canonical::{BadRest, Coming, Response},
    era::Era,
    wire::{Envelope, Kind, is_same_id, sse},
};
use causeway_oidc::wire_log::Exchange;
use futures::stream;
use http::{HeaderMap, StatusCode, header};
use http_body::Body as _;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tokio::time::timeout;

use super::{Fault, client::causes, connections::Incoming};
use crate::targets::long::{LONG, Rest};

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

/// What has come of an answer's body.
pub(super) enum Begun {
    Read(Content),
    /// The beginning of the answer that is awaited, which is long, and what is still to come of it.
    Long(Coming, Rest),
}

/// The answer that a client of the target's own era waits for, which may be given to it while it comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Awaited<'a> {
    pub(super) era: Era,
    /// JSON text.
    pub(super) id: &'a str,
}

/// What comes next in an event stream.
pub(super) enum Next {
    Message(Envelope),
    /// The beginning of the answer that is awaited, which is long; [`Messages::rest`] is still to come.
    Long(Box<Coming>),
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
    /// The event that is coming is long, and no answer that may be given while it comes.
    is_whole: bool,
}

impl Awaited<'_> {
    /// What comes of the answer that begins so, if it can be told.
    fn coming(self, begun: impl Into<Bytes>) -> Option<Coming> {
        Coming::new(begun.into(), self.era, self.id)
    }
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

    /// Reads the body as far as needed to know what it is, and no further where it is a long answer that is `awaited`.
    pub(super) async fn content_for(self, awaited: Option<Awaited<'_>>) -> Result<Begun, Fault> {
        let is_message = self.status().is_success() && !self.is_event_stream();
        let may_be_long = is_message && !exchange_of(&self.head).is_watched();
        let Self { head, body, limit } = self;
        let (body, awaited) = match (body, awaited.filter(|_| may_be_long)) {
            (AnswerBody::Coming(body), Some(awaited))
                if body.size_hint().upper().is_none_or(|bytes| bytes >= LONG as u64) =>
            {
                (body, awaited)
            }
            (body, _) => return Self { head, body, limit }.content().await.map(Begun::Read),
        };
        if body.size_hint().lower() > limit as u64 {
            return Err(Fault::TooLarge(limit));
        }
        let mut parts = Parts { source: Source::Body(body), came: 0, limit };
        let mut begun = BytesMut::new();
        while begun.len() < LONG
            && let Some(part) = parts.next().await?
        {
            begun.extend_from_slice(&part);
        }
        let mut begun = begun.freeze();
        if begun.len() >= LONG {
            if let Some(coming) = awaited.coming(begun.clone()) {
                return Ok(Begun::Long(coming, parts.rest()));
            }
            let mut whole = BytesMut::from(begun);
            while let Some(part) = parts.next().await? {
                whole.extend_from_slice(&part);
            }
            begun = whole.freeze();
        }
        Self { head, body: AnswerBody::Read(begun), limit }.content().await.map(Begun::Read)
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
            let body = Some(body);
            return Ok(Content::Stream(Messages { body, decoder, limit, after: None, exchange, is_whole: false }));
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
            if let Some(message) = self.ready()? {
                return Ok(message);
            }
            self.read().await?;
        }
    }

    /// The next message, or the beginning of the answer that is `awaited`, if it is long.
    pub(super) async fn next(&mut self, awaited: Option<Awaited<'_>>) -> Result<Next, Fault> {
        loop {
            if let Some(message) = self.ready()? {
                return Ok(Next::Message(message));
            }
            if let Some(coming) = awaited.and_then(|awaited| self.coming(awaited)) {
                return Ok(Next::Long(coming.into()));
            }
            self.read().await?;
        }
    }

    /// What is still to come of the answer whose beginning was read. Nothing is left to be read here.
    pub(super) fn rest(&mut self, coming: &Coming) -> Rest {
        let (body, decoder) = (self.body.take(), mem::replace(&mut self.decoder, sse::Decoder::new(0)));
        let messages = Self { body, decoder, after: self.after.take(), ..*self };
        Parts { source: Source::Event(messages.into()), came: coming.begun(), limit: self.limit }.rest()
    }

    /// A message that is there.
    fn ready(&mut self) -> Result<Option<Envelope>, Fault> {
        while let Some(event) = self.decoder.next_event() {
            self.is_whole = false;
            if event.id.is_none() || event.id != self.after {
                self.exchange.event(&event.data);
                let message = Envelope::parse(event.data.into());
                return message.map(Some).map_err(|error| Fault::Garbage(error.to_string()));
            }
        }
        Ok(None)
    }

    /// The answer whose beginning is there, if it is long. Of a stream that can go on where it broke off, an answer is held until it is
    /// there: it may have to be read again.
    fn coming(&mut self, awaited: Awaited<'_>) -> Option<Coming> {
        let is_long = !self.is_whole && self.decoder.held() >= LONG;
        if !is_long || self.decoder.has_id() || self.resumption().0.is_some() || self.exchange.is_watched() {
            return None;
        }
        self.is_whole = true;
        let coming = awaited.coming(self.decoder.begun())?;
        self.decoder.skip_begun();
        Some(coming)
    }

    /// More of the event of which the beginning was taken; none after its end.
    async fn more(&mut self) -> Result<Option<Bytes>, Fault> {
        while self.body.is_some() {
            if let Some(event) = self.decoder.next_event() {
                self.release();
                return Ok(Some(event.data.into()));
            }
            let begun = self.decoder.take_begun();
            if !begun.is_empty() {
                return Ok(Some(begun.into()));
            }
            self.read().await?;
        }
        Ok(None)
    }

    /// Reads what comes next.
    async fn read(&mut self) -> Result<(), Fault> {
        let part = match &mut self.body {
            Some(body) => next_part(body).await?,
            None => None,
        };
        let part = part.ok_or_else(|| Fault::BrokenOff("the stream ended before the answer".into()))?;
        self.decoder.push(&part).map_err(|_| Fault::TooLarge(self.limit))
    }
}

/// What is still to come of an answer, and how much of it there may be.
struct Parts {
    source: Source,
    came: usize,
    limit: usize,
}

enum Source {
    Body(Incoming),
    Event(Box<Messages>),
}

impl Parts {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        let part = match &mut self.source {
            Source::Body(body) => next_part(body).await?,
            Source::Event(messages) => messages.more().await?,
        };
        self.came += part.as_ref().map_or(0, Bytes::len);
        if self.came > self.limit { Err(Fault::TooLarge(self.limit)) } else { Ok(part) }
    }

    fn rest(self) -> Rest {
        Box::pin(stream::unfold(Some(self), |parts| async move {
            let mut parts = parts?;
            match parts.next().await.transpose()? {
                Ok(part) => Some((Ok(part), Some(parts))),
                Err(fault) => Some((Err(fault), None)),
            }
        }))
    }
}

/// The next bytes of `body`; none after its end.
async fn next_part(body: &mut Incoming) -> Result<Option<Bytes>, Fault> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Fault::BrokenOff(causes(&error)))?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// The answer that `message` is to the request `id` (JSON text).
pub(super) fn last(message: Envelope, era: Era, id: &str) -> Result<Response, Fault> {
    if !answers(&message, id) {
        return Err(BadRest::AnotherId.into());
    }
    Response::new(message, era).map_err(|error| Fault::Garbage(error.to_string()))
}

/// Whether the message goes under this id, however it is spelled. An error may have none: its sender could not read it.
fn answers(message: &Envelope, id: &str) -> bool {
    match message.id() {
        None | Some("null") => message.error().is_some(),
        Some(answered) => is_same_id(answered, id),
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
