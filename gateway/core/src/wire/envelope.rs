//! The envelope of one JSON-RPC message: where its members stand in the bytes. What they hold stays unread.

use std::{borrow::Cow, ops::Range};

use bytes::Bytes;
use bytestring::ByteString;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{Object, scan, span};

/// One JSON-RPC message and where its members stand. Members that JSON-RPC does not know stay in the bytes.
#[derive(Clone, Debug)]
pub struct Envelope {
    text: ByteString,
    kind: Kind,
    id: Option<Range<usize>>,
    method: ByteString,
    params: Option<Range<usize>>,
    result: Option<Range<usize>>,
    error: Option<Range<usize>>,
}

/// The three shapes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `method` and `id`.
    Request,
    /// `method` without `id`.
    Notification,
    /// `result` or `error`.
    Response,
}

/// Why bytes are no message.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadEnvelope {
    /// JSON-RPC `-32700`.
    #[error("the body is no JSON: {0}")]
    NotJson(String),
    /// An array of messages: JSON-RPC's batch, which only MCP 2025-03-26 has.
    #[error("the body is a batch of messages")]
    Batch,
    /// JSON-RPC `-32600`.
    #[error("the body is no JSON-RPC 2.0 message: {0}")]
    Invalid(String),
}

/// Members that JSON-RPC knows, as JSON text.
#[derive(Default, Deserialize)]
struct Members<'a> {
    #[serde(borrow, default, deserialize_with = "not_null")]
    jsonrpc: Option<&'a str>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a str>,
    #[serde(borrow, default, deserialize_with = "not_null")]
    method: Option<&'a str>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a str>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a str>,
    #[serde(borrow, default, deserialize_with = "not_null")]
    error: Option<&'a str>,
}

/// Keeps a `null` apart from an absent member.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de str>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(|value| Some(value.get()))
}

/// Takes a `null` for an absent member.
fn not_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de str>, D::Error> {
    Ok(present(deserializer)?.filter(|value| *value != "null"))
}

impl Envelope {
    /// Reads the envelope of one message.
    pub fn parse(bytes: Bytes) -> Result<Self, BadEnvelope> {
        Self::read(ByteString::try_from(bytes).map_err(|error| BadEnvelope::NotJson(error.to_string()))?)
    }

    /// Reads the envelope of one message that is a text already.
    pub fn read(whole: impl Into<ByteString>) -> Result<Self, BadEnvelope> {
        let whole = whole.into();
        let text: &str = &whole;
        if text.trim_ascii_start().starts_with('[') {
            // A batch is told apart from a text that only starts like one.
            return Err(match serde_json::from_str::<&RawValue>(text) {
                Ok(_) => BadEnvelope::Batch,
                Err(error) => BadEnvelope::NotJson(error.to_string()),
            });
        }
        let members = Members::of(text)?;
        let kind = members.kind()?;
        let at = |member: Option<&str>| member.map(|value| span(text, value));
        let (id, params, result, error) = (at(members.id), at(members.params), at(members.result), at(members.error));
        let method = match members.method.map(super::text) {
            None => ByteString::new(),
            Some(Some(Cow::Borrowed(method))) => whole.slice_ref(method),
            Some(Some(Cow::Owned(method))) => method.into(),
            Some(None) => return Err(BadEnvelope::Invalid("`method` must be a text".into())),
        };
        Ok(Self { kind, id, method, params, result, error, text: whole })
    }

    /// The messages of a batch, in order.
    pub fn parse_batch(bytes: &Bytes) -> Result<Vec<Bytes>, BadEnvelope> {
        let text = std::str::from_utf8(bytes).map_err(|error| BadEnvelope::NotJson(error.to_string()))?;
        let items: Vec<&RawValue> =
            serde_json::from_str(text).map_err(|error| BadEnvelope::NotJson(error.to_string()))?;
        match items.is_empty() {
            true => Err(BadEnvelope::Invalid("the batch is empty".into())),
            false => Ok(items.into_iter().map(|item| bytes.slice(span(text, item.get()))).collect()),
        }
    }

    /// Which shape the message has.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The whole message.
    pub fn text(&self) -> &ByteString {
        &self.text
    }

    /// The same as bytes.
    pub fn bytes(&self) -> &Bytes {
        self.text.as_bytes()
    }

    /// The id as JSON text.
    pub fn id(&self) -> Option<&str> {
        self.id.clone().map(|at| &self.text[at])
    }

    /// The id as JSON text, `null` where there is none; kept where the message is.
    pub fn shared_id(&self) -> ByteString {
        self.id().map_or(ByteString::from_static("null"), |id| self.text.slice_ref(id))
    }

    /// Where the id stands.
    pub fn id_span(&self) -> Option<Range<usize>> {
        self.id.clone()
    }

    /// The method; empty for a response.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The same, kept where the message is.
    pub fn shared_method(&self) -> ByteString {
        self.method.clone()
    }

    /// The parameters as JSON text.
    pub fn params(&self) -> Option<&str> {
        self.params.clone().map(|at| &self.text[at])
    }

    /// The parameters as an object; an empty one where there are none.
    ///
    /// # Errors
    /// They are no object.
    pub fn object(&self) -> Result<Object, serde_json::Error> {
        self.params().map_or_else(|| Ok(Object::empty()), |params| Object::parse(self.text.slice_ref(params)))
    }

    /// The same message with other parameters (JSON text); `None` where it has none.
    pub fn with_params(&self, params: &str) -> Option<Self> {
        let span = self.params.clone()?;
        let parts = [&self.text[..span.start], params, &self.text[span.end..]];
        Self::read(parts.concat()).ok()
    }

    /// The result as JSON text.
    pub fn result(&self) -> Option<&str> {
        self.result.clone().map(|at| &self.text[at])
    }

    /// Where the result stands.
    pub fn result_span(&self) -> Option<Range<usize>> {
        self.result.clone()
    }

    /// The error as JSON text.
    pub fn error(&self) -> Option<&str> {
        self.error.clone().map(|at| &self.text[at])
    }

    /// Where the error stands.
    pub fn error_span(&self) -> Option<Range<usize>> {
        self.error.clone()
    }
}

impl<'a> Members<'a> {
    fn of(text: &'a str) -> Result<Self, BadEnvelope> {
        if let Some(members) = Self::scan(text) {
            return Ok(members);
        }
        serde_json::from_str(text).map_err(|error| match error.classify() {
            _ if error.is_data() && !text.trim_ascii_start().starts_with('{') => {
                BadEnvelope::Invalid("it is no object".into())
            }
            serde_json::error::Category::Data => BadEnvelope::Invalid(error.to_string()),
            _ => BadEnvelope::NotJson(error.to_string()),
        })
    }

    /// Of a text that is written as nearly all are; another one may be a message all the same.
    fn scan(text: &'a str) -> Option<Self> {
        let mut members = Self::default();
        let is_read = scan::members(text, |key, value| {
            let value = &text[value];
            let (member, may_be_null) = match &text[key] {
                r#""jsonrpc""# => (&mut members.jsonrpc, false),
                r#""id""# => (&mut members.id, true),
                r#""method""# => (&mut members.method, false),
                r#""params""# => (&mut members.params, true),
                r#""result""# => (&mut members.result, true),
                r#""error""# => (&mut members.error, false),
                // Written with escapes it may be one of these.
                other => return !other.contains('\\'),
            };
            // Whether one that stands there twice may, or one that is `null` counts, is looked into elsewhere.
            member.replace(value).is_none() && (may_be_null || value != "null")
        });
        is_read.then_some(members)
    }

    fn kind(&self) -> Result<Kind, BadEnvelope> {
        let invalid = |why: &str| Err(BadEnvelope::Invalid(why.into()));
        if !self.jsonrpc.is_some_and(super::is_version) {
            return invalid("`jsonrpc` must be \"2.0\"");
        }
        let answers = self.result.is_some() || self.error.is_some();
        match (self.method, self.id, answers) {
            (Some(_), Some(id), false) if is_id(id) => Ok(Kind::Request),
            (Some(_), Some(_), false) => invalid("`id` must be a text or a number"),
            (Some(_), None, false) => Ok(Kind::Notification),
            (Some(_), _, true) => invalid("a message holds either `method` or `result`/`error`"),
            (None, Some(_), true) => Ok(Kind::Response),
            // An error that answers a request whose id could not be read.
            (None, None, true) if self.result.is_none() => Ok(Kind::Response),
            (None, None, true) => invalid("a result needs an `id`"),
            (None, _, false) => invalid("neither `method` nor `result` nor `error` is there"),
        }
    }
}

fn is_id(id: &str) -> bool {
    id.starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &'static str) -> Result<Envelope, BadEnvelope> {
        Envelope::parse(Bytes::from_static(text.as_bytes()))
    }

    fn check_kind(text: &'static str, kind: Kind) {
        assert_eq!(parse(text).map(|envelope| envelope.kind()), Ok(kind), "{text}");
    }

    fn check_refused(text: &'static str, why: &str) {
        assert_eq!(parse(text).unwrap_err().to_string(), why, "{text}");
    }

    #[test]
    fn members_are_found_and_not_read() {
        let envelope = parse(
            r#" {"jsonrpc":"2.0", "vendor":1, "id": 1e0 ,"method":"tools\/call","params": {"a" : 18446744073709551616} } "#,
        )
        .unwrap();
        assert_eq!(envelope.kind(), Kind::Request);
        assert_eq!(envelope.id(), Some("1e0"));
        assert_eq!(envelope.method(), "tools/call");
        assert_eq!(envelope.params(), Some(r#"{"a" : 18446744073709551616}"#));
        assert_eq!(envelope.result(), None);
    }

    #[test]
    fn kinds() {
        check_kind(r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#, Kind::Request);
        check_kind(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, Kind::Notification);
        check_kind(r#"{"jsonrpc":"2.0","id":1,"result":{},"error":null}"#, Kind::Response);
        check_kind(r#"{"jsonrpc":"2.0","id":1,"result":null}"#, Kind::Response);
        check_kind(r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}"#, Kind::Response);
        check_kind(r#"{"jsonrpc":"2.0","error":{"code":1,"message":"x"}}"#, Kind::Response);
    }

    #[test]
    fn what_is_no_message_is_refused_with_the_reason() {
        check_refused("", "the body is no JSON: EOF while parsing a value at line 1 column 0");
        check_refused("{", "the body is no JSON: EOF while parsing an object at line 1 column 1");
        check_refused("[{}]", "the body is a batch of messages");
        check_refused("[{]", "the body is no JSON: key must be a string at line 1 column 3");
        let invalid = |text, why: &str| check_refused(text, &format!("the body is no JSON-RPC 2.0 message: {why}"));
        invalid("7", "it is no object");
        invalid(r#"{"id":1,"method":"ping"}"#, "`jsonrpc` must be \"2.0\"");
        invalid(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, "`id` must be a text or a number");
        invalid(r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, "`id` must be a text or a number");
        invalid(r#"{"jsonrpc":"2.0","id":1}"#, "neither `method` nor `result` nor `error` is there");
        invalid(
            r#"{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}"#,
            "duplicate field `method` at line 1 column 45",
        );
    }

    #[test]
    fn a_batch_falls_apart_into_its_messages() {
        let batch = Bytes::from_static(br#"[ {"a":1} ,{"b" : 2}]"#);
        let items = Envelope::parse_batch(&batch).unwrap();
        assert_eq!(items, [Bytes::from_static(br#"{"a":1}"#), Bytes::from_static(br#"{"b" : 2}"#)]);
    }
}
