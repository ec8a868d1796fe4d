//! What is known of one call once it is over. No arguments, no results, no tokens.

use std::{borrow::Cow, sync::Arc, time::Duration};

use aws_smithy_types::date_time::{DateTime, Format};
use serde_json::{Map, Value};

use super::{Outcome, RequestId};
use crate::inbound::Caller;

/// What became of one request of a client.
#[derive(Clone, Debug)]
pub struct CallRecord {
    /// When the head of the request was there, since the Unix epoch.
    pub at: Duration,
    /// The header `x-request-id`, of the client or made here.
    pub request_id: RequestId,
    /// Of the trace that it is part of, if it is: 32 hexadecimal digits.
    pub trace_id: Option<Arc<str>>,
    /// Who was let in; absent where nobody was.
    pub caller: Option<Arc<Caller>>,
    /// The path that was called: `/mcp`.
    pub endpoint: Arc<str>,
    /// As the client wrote it, cut at 128 characters; `GET` or `DELETE` where the request holds no message, `response` for an
    /// answer to a question, `batch` for a message of messages (each of which has a record of its own). Empty where nothing
    /// could be read.
    pub method: Cow<'static, str>,
    /// The tool, prompt, URI or task that the client named, cut at 1,024 characters.
    pub name: Option<Arc<str>>,
    /// The target that was asked last.
    pub target: Option<Arc<str>>,
    /// The tool as that target knows it.
    pub tool: Option<Arc<str>>,
    /// Which path it was: `calculator`, or `calculator/2` for the second of its places.
    pub path: Option<Arc<str>>,
    /// How often targets were asked.
    pub attempts: u32,
    pub outcome: Outcome,
    /// Of the HTTP response; 0 where there was none, because the client went away before.
    pub status: u16,
    /// From the head of the request to the first byte of the answer's body.
    pub first_byte: Option<Duration>,
    /// From the head of the request to the last byte of the answer.
    pub duration: Duration,
    /// What of it was spent waiting for targets.
    pub execution: Duration,
    /// Of the request's body.
    pub bytes_in: u64,
    /// Of the answer's body.
    pub bytes_out: u64,
}

impl CallRecord {
    /// [`CallRecord::at`] as RFC 3339 has it, with milliseconds, in UTC.
    pub fn time(&self) -> String {
        rfc3339(self.at)
    }

    /// One JSON object; members that say nothing are left out.
    pub fn json(&self) -> Map<String, Value> {
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| {
            if !value.is_null() {
                object.insert(key.to_owned(), value);
            }
        };
        let text = |text: &Option<Arc<str>>| text.as_deref().map_or(Value::Null, Value::from);
        let millis = |duration: Duration| Value::from((duration.as_secs_f64() * 1e6).round() / 1e3);
        put("time", self.time().into());
        put("request_id", (*self.request_id).into());
        put("trace_id", text(&self.trace_id));
        if let Some(caller) = &self.caller {
            put("caller", caller.id.as_str().into());
            put("client", caller.client().map_or(Value::Null, Value::from));
            put("issuer", caller.issuer().map_or(Value::Null, Value::from));
        }
        put("endpoint", (*self.endpoint).into());
        put("method", (*self.method).into());
        put("name", text(&self.name));
        put("target", text(&self.target));
        put("tool", text(&self.tool));
        put("path", text(&self.path));
        put("outcome", self.outcome.word().into());
        put("detail", self.outcome.detail().map_or(Value::Null, Value::from));
        put("status", self.status.into());
        put("attempts", self.attempts.into());
        put("first_byte_ms", self.first_byte.map_or(Value::Null, millis));
        put("duration_ms", millis(self.duration));
        put("execution_ms", millis(self.execution));
        put("bytes_in", self.bytes_in.into());
        put("bytes_out", self.bytes_out.into());
        object
    }
}

/// A time since the Unix epoch as RFC 3339 has it, with milliseconds, in UTC.
pub(super) fn rfc3339(at: Duration) -> String {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    let whole = DateTime::from_secs(seconds).fmt(Format::DateTime).unwrap_or_default();
    // Always as many digits, so that lines sort as texts.
    format!("{}.{:03}Z", whole.trim_end_matches('Z'), at.subsec_millis())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    pub(super) fn record(at: Duration) -> CallRecord {
        CallRecord {
            at,
            request_id: RequestId::given(&HeaderValue::from_static("r-1")).unwrap(),
            trace_id: None,
            caller: None,
            endpoint: "/mcp".into(),
            method: "tools/call".into(),
            name: Some("calculator___add".into()),
            target: Some("calculator".into()),
            tool: Some("add".into()),
            path: None,
            attempts: 1,
            outcome: Outcome::Error(-32602),
            status: 200,
            first_byte: None,
            duration: Duration::from_micros(1500),
            execution: Duration::ZERO,
            bytes_in: 7,
            bytes_out: 9,
        }
    }

    #[test]
    fn a_record_as_json() {
        let json = Value::from(record(Duration::from_millis(1_785_240_000_050)).json()).to_string();
        insta::assert_snapshot!(json, @r#"{"time":"2026-07-28T12:00:00.050Z","request_id":"r-1","endpoint":"/mcp","method":"tools/call","name":"calculator___add","target":"calculator","tool":"add","outcome":"error","detail":"-32602","status":200,"attempts":1,"duration_ms":1.5,"execution_ms":0.0,"bytes_in":7,"bytes_out":9}"#);
    }
}
