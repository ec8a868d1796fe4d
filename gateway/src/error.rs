//! Where errors meet MCP: the one place that gives each of them its face toward clients. Public text names the target and
//! the next step, never addresses or other parties' words; those are for the log, and for clients only where the
//! config says `exception_level = "debug"`.

use causeway_core::{
    era::{self, Era},
    wire::{self, BadEnvelope, ObjectEdit, json},
};
use http::StatusCode;

use crate::{
    calls::{self, Outcome},
    gateway::{Call, CallError},
    rates::Exceeded,
    targets::{
        Fault, TargetError,
        fault::{Busy, whole_seconds},
    },
};

/// An answer that the gateway gives instead of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Face {
    pub status: StatusCode,
    /// One JSON-RPC message.
    pub message: String,
    /// What it means for who watches.
    pub outcome: Outcome,
}

/// Why a message from a client gets no further than the front.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error(transparent)]
    Envelope(#[from] BadEnvelope),
    #[error("batches are not part of MCP {0}: send one message a request")]
    Batch(String),
    #[error("the batch holds {count} messages: send at most {most} in one body")]
    LargeBatch { count: usize, most: usize },
    #[error("a web page of `{0}` may not call this gateway")]
    Origin(String),
    #[error("`Host` is `{0}`: call this gateway by its loopback address, or set `gateway.public_url`")]
    Host(String),
    #[error("the body did not come within {0:?} (`limits.request_seconds`)")]
    Slow(std::time::Duration),
    #[error("the body is over {0} bytes (`limits.request_bytes`)")]
    TooLarge(usize),
    #[error("the body broke off")]
    BrokenOff,
    #[error("`Content-Type` must be `application/json`, not `{0}`")]
    ContentType(String),
    #[error("Unsupported protocol version")]
    Version(String),
    #[error("Header mismatch: {0}")]
    Header(String),
    #[error("{0}")]
    Params(String),
    #[error("`cursor` is unknown, or out of date because the list has changed: list anew, without a cursor")]
    Cursor,
    #[error("Method not found: {0}")]
    Method(String),
    #[error("no request of the gateway waits for this response")]
    Unasked,
    #[error("`Mcp-Session-Id` is missing: send the one that `initialize` answered with")]
    NoSession,
    #[error("Missing required client capability: {0}")]
    MissingCapability(&'static str),
    #[error("this is answered with events only: send `Accept: text/event-stream`")]
    NoEvents,
    #[error("a client listens to at most {0} resources and tasks: end a subscription first")]
    TooManySubscriptions(usize),
    #[error("{0} clients listen already (`limits.streams`): try again later")]
    TooManyStreams(usize),
    #[error("the audit log takes no more for now (`audit.on_full`): try again later")]
    Unaudited,
    #[error("no such session: it has expired, or it is not yours; send `initialize` again")]
    UnknownSession,
    #[error(
        "the replica of the gateway that worked on this broke off; the call may or may not have been carried out: check before you repeat it"
    )]
    ReplicaBroken,
    #[error("Rate limit exceeded - Too many requests: {0}")]
    TooOften(Exceeded),
}

impl Face {
    fn new(status: StatusCode, message: String) -> Self {
        let outcome = code(&message).map_or(Outcome::Status(status.as_u16()), Outcome::Error);
        Self { status, message, outcome }
    }
}

impl Refused {
    /// The answer to the request `id` (JSON text; `null` where there was none to read) of a client of `era`.
    pub fn face(&self, era: Era, id: &str) -> Face {
        let (status, code) = match self {
            Self::Envelope(BadEnvelope::NotJson(_)) => (400, wire::PARSE_ERROR),
            Self::Envelope(BadEnvelope::Batch | BadEnvelope::Invalid(_)) => (400, wire::INVALID_REQUEST),
            Self::Batch(_) | Self::BrokenOff | Self::Unasked | Self::NoSession => (400, wire::INVALID_REQUEST),
            Self::LargeBatch { .. } => (400, wire::INVALID_REQUEST),
            Self::Origin(_) | Self::Host(_) => (403, wire::INVALID_REQUEST),
            Self::Slow(_) => (408, wire::INVALID_REQUEST),
            Self::MissingCapability(_) => (400, wire::MISSING_CAPABILITY),
            Self::NoEvents => (406, wire::INVALID_REQUEST),
            Self::TooManyStreams(_) | Self::Unaudited => (503, wire::INTERNAL_ERROR),
            // A client's library must not repeat it by itself, as it may do with a 502 or a 503.
            Self::ReplicaBroken => (200, wire::INTERNAL_ERROR),
            Self::TooOften(_) => (429, wire::THROTTLED),
            Self::TooLarge(_) => (413, wire::INVALID_REQUEST),
            Self::ContentType(_) => (415, wire::INVALID_REQUEST),
            Self::Version(_) => (400, wire::UNSUPPORTED_VERSION),
            Self::Header(_) => (400, wire::HEADER_MISMATCH),
            Self::Params(_) | Self::Cursor | Self::TooManySubscriptions(_) => {
                (if era == Era::Modern { 400 } else { 200 }, wire::INVALID_PARAMS)
            }
            Self::Method(_) => (if era == Era::Modern { 404 } else { 200 }, wire::METHOD_NOT_FOUND),
            Self::UnknownSession => (404, wire::INVALID_REQUEST),
        };
        let data = match self {
            Self::Version(requested) => {
                Some(format!(r#"{{"supported":{},"requested":{}}}"#, json(&era::SUPPORTED), json(requested)))
            }
            Self::MissingCapability(capability) => {
                Some(format!(r#"{{"requiredCapabilities":{}}}"#, required(capability)))
            }
            Self::TooOften(exceeded) => {
                Some(format!(r#"{{"retryAfterMs":{}}}"#, exceeded.retry_after.as_millis().max(1)))
            }
            _ => None,
        };
        let status = StatusCode::from_u16(status).expect("the statuses above are statuses");
        let face = Face::new(status, wire::error_message(id, code, &self.to_string(), data.as_deref()));
        match self {
            Self::TooManyStreams(_) => Face { outcome: Outcome::Throttled("streams"), ..face },
            Self::Unaudited => Face { outcome: Outcome::Throttled("audit"), ..face },
            Self::TooOften(_) => Face { outcome: Outcome::Throttled("rate_limits"), ..face },
            _ => face,
        }
    }
}

impl CallError {
    /// The answer to the `call` with this `id`.
    pub fn face(&self, call: Call, era: Era, id: &str, debug: bool) -> Face {
        let message = match self {
            Self::Nameless(_)
            | Self::NoUri
            | Self::BadReference
            | Self::Unknown(_)
            | Self::Taskless
            | Self::UnknownTask(_)
            | Self::BadCursor
            | Self::UnknownState
            | Self::NotReported { .. }
            | Self::NoSession => wire::error_message(id, wire::INVALID_PARAMS, &self.to_string(), None),
            Self::Target(TargetError { fault: Fault::UnknownState, .. }) => {
                return Self::UnknownState.face(call, era, id, debug);
            }
            Self::Stopping
            | Self::ReplicaGone
            | Self::TooManyParked(_)
            | Self::CannotAsk { .. }
            | Self::TooManyRounds(_)
            | Self::Declined { .. } => wire::error_message(id, wire::INTERNAL_ERROR, &self.to_string(), None),
            Self::NoTasks | Self::NoMethod(_) => {
                let message = wire::error_message(id, wire::METHOD_NOT_FOUND, &self.to_string(), None);
                let status = if era == Era::Modern { StatusCode::NOT_FOUND } else { StatusCode::OK };
                return Face::new(status, message);
            }
            Self::MissingCapability(capability) => {
                let data = format!(r#"{{"requiredCapabilities":{}}}"#, required(capability));
                let message = wire::error_message(id, wire::MISSING_CAPABILITY, &self.to_string(), Some(&data));
                return Face::new(StatusCode::BAD_REQUEST, message);
            }
            Self::NoResource(uri) => {
                let code = if era == Era::Modern { wire::INVALID_PARAMS } else { wire::RESOURCE_NOT_FOUND };
                wire::error_message(id, code, &self.to_string(), Some(&format!(r#"{{"uri":{}}}"#, json(uri))))
            }
            Self::Target(error) if call == Call::Tool => wire::result_message(id, &failed_result(error, era, debug)),
            Self::Target(error) => failed_message(error, id, debug),
        };
        let face = Face::new(StatusCode::OK, message);
        match self {
            Self::TooManyParked(_) => Face { outcome: Outcome::Throttled("parked_calls"), ..face },
            Self::Target(TargetError { fault: Fault::Busy(busy), .. }) => {
                Face { outcome: Outcome::Throttled(bound_of(*busy)), ..face }
            }
            Self::Target(error) => Face { outcome: Outcome::TargetFault(error.fault.kind()), ..face },
            _ => face,
        }
    }
}

/// The setting of `limits` that leaves no place for a call.
fn bound_of(busy: Busy) -> &'static str {
    match busy {
        Busy::Running(_) => "target_calls",
        Busy::Queue(_) | Busy::Share(_) => "target_queue",
        Busy::Waited(_) => "queue_seconds",
    }
}

/// The code of the error in `message`; `None` for a result that says what failed.
fn code(message: &str) -> Option<i64> {
    let message = ObjectEdit::parse(message).ok()?;
    let error = ObjectEdit::parse(message.get("error")?).ok()?;
    error.get("code")?.parse().ok()
}

/// A `ClientCapabilities` object with this capability, or this extension, which has a `/` in its name.
fn required(capability: &str) -> String {
    match capability.contains('/') {
        true => format!(r#"{{"extensions":{{"{capability}":{{}}}}}}"#),
        false => format!(r#"{{"{capability}":{{}}}}"#),
    }
}

/// The member of `_meta` that tells such a result from one in which the tool itself says that it failed.
pub const META: &str = "causeway/error";

/// A tool result with `isError`, as AgentCore answers when a target fails: a model reads it and can act on it.
pub fn failed_result(error: &TargetError, era: Era, debug: bool) -> String {
    let TargetError { target, fault } = error;
    let text = failed_text(error, debug);
    let result_type = if era == Era::Modern { r#""resultType":"complete","# } else { "" };
    let cause = match debug {
        true => format!(r#","debug":{{"type":"text","text":{}}}{}"#, json(&error.to_string()), request_id()),
        false => String::new(),
    };
    format!(
        r#"{{{result_type}"content":[{{"type":"text","text":{}}}],"isError":true,"_meta":{{"{META}":{{"target":{},"kind":"{}"{}}}{cause}}}}}"#,
        json(&text),
        json(&target.as_str()),
        fault.kind(),
        retry_after(fault),
    )
}

/// The answer where no result can say that a target failed.
fn failed_message(error: &TargetError, id: &str, debug: bool) -> String {
    let request_id = if debug { request_id() } else { String::new() };
    let (target, fault) = (json(&error.target.as_str()), &error.fault);
    let data = format!(r#"{{"target":{target},"kind":"{}"{}{request_id}}}"#, fault.kind(), retry_after(fault));
    wire::error_message(id, wire::INTERNAL_ERROR, &failed_text(error, debug), Some(&data))
}

/// A member that says when to retry, where that is known.
fn retry_after(fault: &Fault) -> String {
    let after = fault.retry_after().map(|after| format!(r#","retryAfterSeconds":{}"#, whole_seconds(after)));
    after.unwrap_or_default()
}

/// A member that leads from an error to the lines of the log.
fn request_id() -> String {
    calls::request_id().map(|id| format!(r#","requestId":{}"#, json(&&*id))).unwrap_or_default()
}

fn failed_text(error: &TargetError, debug: bool) -> String {
    let TargetError { target, fault } = error;
    match debug {
        true => format!("{error}; {}", fault.next_step()),
        false => format!("target `{target}` {}; {}", fault.public(), fault.next_step()),
    }
}

/// HTTP status of a JSON-RPC error that a target answered with, toward a client of `era`.
pub fn status_of(error: Option<&str>, era: Era) -> StatusCode {
    #[derive(serde::Deserialize)]
    struct Code {
        code: i64,
    }
    let code = error.filter(|_| era == Era::Modern).and_then(|error| serde_json::from_str::<Code>(error).ok());
    match code.map(|code| code.code) {
        Some(wire::HEADER_MISMATCH | wire::MISSING_CAPABILITY | wire::UNSUPPORTED_VERSION) => StatusCode::BAD_REQUEST,
        Some(wire::METHOD_NOT_FOUND) => StatusCode::NOT_FOUND,
        _ => StatusCode::OK,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::targets::Fault;

    fn unreachable() -> TargetError {
        let fault = Fault::Unreachable("tcp connect error: 10.0.0.7:443".into());
        TargetError { target: "logs".parse().unwrap(), fault }
    }

    #[test]
    fn a_failed_target_is_named_and_its_address_is_not() {
        insta::assert_snapshot!(failed_result(&unreachable(), Era::Legacy, false), @r#"{"content":[{"type":"text","text":"target `logs` could not be reached; retry in a moment; if it stays, the operator must see that the target runs"}],"isError":true,"_meta":{"causeway/error":{"target":"logs","kind":"unreachable"}}}"#);
    }

    #[test]
    fn debug_errors_carry_the_cause() {
        insta::assert_snapshot!(failed_result(&unreachable(), Era::Modern, true), @r#"{"resultType":"complete","content":[{"type":"text","text":"target `logs` could not be reached: tcp connect error: 10.0.0.7:443; retry in a moment; if it stays, the operator must see that the target runs"}],"isError":true,"_meta":{"causeway/error":{"target":"logs","kind":"unreachable"},"debug":{"type":"text","text":"target `logs` could not be reached: tcp connect error: 10.0.0.7:443"}}}"#);
    }

    #[test]
    fn a_call_that_may_have_run_says_so() {
        let error = TargetError { target: "logs".parse().unwrap(), fault: Fault::Silent(Duration::from_secs(10)) };
        let face = CallError::Target(error).face(Call::Tool, Era::Legacy, "7", false);
        insta::assert_snapshot!(face.message, @r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"target `logs` did not answer within 10s; the call may or may not have been carried out: check before you repeat it"}],"isError":true,"_meta":{"causeway/error":{"target":"logs","kind":"timeout"}}}}"#);
    }

    #[test]
    fn a_failed_target_is_an_error_where_no_result_can_say_so() {
        for call in [Call::Prompt, Call::Resource, Call::Completion] {
            let face = CallError::Target(unreachable()).face(call, Era::Modern, "7", false);
            insta::allow_duplicates! {
                insta::assert_snapshot!(face.message, @r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"target `logs` could not be reached; retry in a moment; if it stays, the operator must see that the target runs","data":{"target":"logs","kind":"unreachable"}}}"#);
            }
        }
        let face = CallError::Target(unreachable()).face(Call::Prompt, Era::Modern, "7", true);
        assert!(face.message.contains("10.0.0.7"), "{}", face.message);
    }

    #[test]
    fn each_era_has_its_code_for_a_resource_that_is_not_there() {
        let face = |era| CallError::NoResource("x:y".into()).face(Call::Resource, era, "7", false).message;
        insta::assert_snapshot!(face(Era::Legacy), @r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32002,"message":"Resource not found: x:y","data":{"uri":"x:y"}}}"#);
        insta::assert_snapshot!(face(Era::Modern), @r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"Resource not found: x:y","data":{"uri":"x:y"}}}"#);
    }

    #[test]
    fn an_unsupported_version_comes_with_those_that_are() {
        let face = Refused::Version("1900-01-01".into()).face(Era::Modern, "1");
        insta::assert_snapshot!(face.message, @r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"Unsupported protocol version","data":{"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"requested":"1900-01-01"}}}"#);
    }
}
