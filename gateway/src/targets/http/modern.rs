//! The modern era toward a target: one self-contained request, its parts repeated in headers.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use bytes::Bytes;
use bytestring::ByteString;
use causeway_core::{
    canonical::{Repeat, Request},
    era::{self, Era, headers},
    name::TargetName,
    wire::{Envelope, Kind, request_message, request_with, text},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use moka::future::Cache;

use super::{
    Fault, HttpTarget, Outcome,
    answer::{Answer, Awaited, Begun, Content, Messages, Next, last, no_answer},
    header_value,
};
use crate::{
    headers::{METHOD, NAME, SESSION, VERSION},
    targets::{
        About, Event, Long, OWN, Reply,
        handshake::{discover_params, refuses_conversation},
        reply::EventSource,
    },
};

/// The messages of a modern target: notifications, then the answer. It must not ask anything in between.
#[derive(Debug)]
struct Exchange {
    target: TargetName,
    messages: Messages,
    /// Of the request, JSON text.
    id: ByteString,
    /// A long answer may be given while it comes.
    in_pieces: bool,
}

/// `Mcp-Session-Id` that a target gave a caller. The era has no sessions, but AgentCore Runtime gives one to each client and
/// keeps those that send it on the same warm machine; other servers ignore it.
pub(super) struct Affinities {
    given: Cache<String, HeaderValue>,
    /// Most targets never give any: then nobody need look.
    any: AtomicBool,
}

/// Callers whose affinity is remembered, and for how long without a request.
const MOST_AFFINITIES: u64 = 10_000;
const IDLE: Duration = Duration::from_secs(15 * 60);

impl Default for Affinities {
    fn default() -> Self {
        let given = Cache::builder().max_capacity(MOST_AFFINITIES).time_to_idle(IDLE).build();
        Self { given, any: AtomicBool::new(false) }
    }
}

impl Affinities {
    async fn of(&self, caller_id: &str) -> Option<HeaderValue> {
        match self.any.load(Ordering::Relaxed) {
            true => self.given.get(caller_id).await,
            false => None,
        }
    }

    async fn remember(&self, caller_id: &str, affinity: &HeaderValue) {
        self.any.store(true, Ordering::Relaxed);
        self.given.insert(caller_id.to_owned(), affinity.clone()).await;
    }

    /// Forgets one whose machine is gone, unless there is another one by now.
    async fn forget(&self, caller_id: &str, gone: &HeaderValue) {
        if self.given.get(caller_id).await.as_ref() == Some(gone) {
            self.given.invalidate(caller_id).await;
        }
    }
}

/// Sends `request` with `changes` made to its parameters.
pub(super) async fn send(
    target: &HttpTarget,
    caller_id: &str,
    request: &Request,
    changes: &[(&str, &str)],
) -> Result<Outcome, Fault> {
    let params = request.modern_params(changes);
    let headers = request_headers(request, changes)?;
    let message = request_with(&request.id, &request.method, &params);
    let answer = match exchange(target, caller_id, headers, message, request.repeat).await {
        Err(Fault::Runtime(fault)) if fault.problem.may_be_of_the_era() => {
            return Ok(Outcome::OtherEra(Err(fault.into())));
        }
        answer => answer?,
    };
    let status = answer.status();
    let (id, in_pieces) = (request.id.clone(), target.gives_pieces(request, Era::Modern));
    let target = target.name.clone();
    let awaited = in_pieces.then_some(Awaited { era: Era::Modern, id: &id });
    let content = match answer.content_for(awaited).await? {
        Begun::Read(content) => content,
        Begun::Long(coming, rest) => return Ok(Outcome::Done(Reply::long(Long::new(target, coming, rest)))),
    };
    let doubtful = status.is_client_error() && is_doubtful(status, &content);
    let reply = match content {
        Content::Whole(message) => last(message, Era::Modern, &id).map(Reply::Whole),
        Content::Stream(messages) => Ok(Reply::reading(Exchange { target, messages, id, in_pieces })),
        Content::None => Err(no_answer(status)),
    };
    match doubtful {
        true => Ok(Outcome::OtherEra(reply)),
        false => reply.map(Outcome::Done),
    }
}

/// Posts a message with the affinity of the caller, and remembers the one that the target gives. Where the machine behind it
/// is gone, the message goes to another one.
async fn exchange(
    target: &HttpTarget,
    caller_id: &str,
    mut headers: HeaderMap,
    message: String,
    repeat: Repeat,
) -> Result<Answer, Fault> {
    let message = Bytes::from(message);
    let affinity = target.affinities.of(caller_id).await;
    if let Some(affinity) = &affinity {
        headers.insert(SESSION, affinity.clone());
    }
    let mut answer = target.exchange(caller_id, &headers, message.clone(), repeat).await?;
    if let (Some(affinity), StatusCode::NOT_FOUND) = (affinity, answer.status()) {
        let (read, body) = answer.read().await?;
        answer = match is_answered(body) {
            true => read,
            false => {
                target.affinities.forget(caller_id, &affinity).await;
                headers.remove(SESSION);
                target.exchange(caller_id, &headers, message, repeat).await?
            }
        };
    }
    if let Some(affinity) = answer.headers().get(SESSION) {
        target.affinities.remember(caller_id, affinity).await;
    }
    Ok(answer)
}

/// Whether the body of a 404 is a server's answer, which knows the session and not what it was asked for.
fn is_answered(body: Bytes) -> bool {
    Envelope::parse(body).is_ok_and(|message| message.error().is_some() && !refuses_conversation(&message))
}

/// What the target answers to `server/discover`.
pub(super) async fn about(target: &HttpTarget) -> Result<About, Fault> {
    let answer = discover(target).await?;
    let status = answer.status();
    match answer.content().await? {
        Content::Whole(message) => About::discovered(&message),
        Content::Stream(mut messages) => About::discovered(&messages.response().await?),
        Content::None => Err(no_answer(status)),
    }
}

/// Asks `server/discover`.
pub(super) async fn discover(target: &HttpTarget) -> Result<Answer, Fault> {
    let mut map = HeaderMap::with_capacity(2);
    map.insert(VERSION, HeaderValue::from_static(era::MODERN));
    map.insert(METHOD, HeaderValue::from_static("server/discover"));
    let message = request_message(r#""discover""#, "server/discover", &discover_params());
    exchange(target, OWN, map, message, Repeat::Safe).await
}

/// Whether a legacy server may have refused a modern request with this, for want of a session or of a version that it
/// knows. A modern server has codes of its own for what it refuses.
fn is_doubtful(status: StatusCode, content: &Content) -> bool {
    match content {
        Content::Whole(message) => refuses_conversation(message),
        // Nothing else: whoever says more of a request may have carried it out.
        Content::None => matches!(
            status,
            StatusCode::BAD_REQUEST
                | StatusCode::NOT_FOUND
                | StatusCode::METHOD_NOT_ALLOWED
                | StatusCode::NOT_ACCEPTABLE
                | StatusCode::UNSUPPORTED_MEDIA_TYPE
        ),
        Content::Stream(_) => false,
    }
}

fn request_headers(request: &Request, changes: &[(&str, &str)]) -> Result<HeaderMap, Fault> {
    let mut map = HeaderMap::with_capacity(8);
    map.insert(VERSION, HeaderValue::from_static(era::MODERN));
    map.insert(METHOD, header_value(&request.method)?);
    if let Some(member) = headers::named_by(&request.method) {
        let changed = changes.iter().find(|(key, _)| *key == member).map(|(_, name)| *name);
        if let Some(name) = changed.or_else(|| request.params.get(member)).and_then(text) {
            map.insert(NAME, header_value(&headers::encode(&name))?);
        }
    }
    for (name, value) in request.modern_param_headers().iter() {
        if let Ok(name) = HeaderName::try_from(name) {
            map.append(name, header_value(value)?);
        }
    }
    Ok(map)
}

impl fmt::Debug for Affinities {
    /// Without what leads to a caller's machine.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Affinities")
    }
}

impl EventSource for Exchange {
    async fn next_event(&mut self) -> Result<Event, Fault> {
        loop {
            let awaited = self.in_pieces.then_some(Awaited { era: Era::Modern, id: &self.id });
            let message = match self.messages.next(awaited).await? {
                Next::Message(message) => message,
                Next::Long(coming) => {
                    let rest = self.messages.rest(&coming);
                    return Ok(Event::Long(Long::new(self.target.clone(), *coming, rest)));
                }
            };
            match message.kind() {
                Kind::Notification => return Ok(Event::Notification(message)),
                Kind::Response => {
                    self.messages.release();
                    return last(message, Era::Modern, &self.id).map(Event::Last);
                }
                Kind::Request => {
                    tracing::warn!(method = message.method(), "a modern target asked something on a reply");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_leads_to_a_callers_machine_is_not_shown() {
        let affinities = Affinities::default();
        affinities.remember("alice", &HeaderValue::from_static("machine-1")).await;
        assert_eq!(format!("{affinities:?}"), "Affinities");
    }
}
