//! JSON-RPC 2.0 as bytes: reading an envelope without touching what it carries. Knows no MCP methods.
//!
//! Source: JSON-RPC 2.0 specification; MCP 2026-07-28, basic/index, section "Messages".

pub mod edit;
pub mod envelope;
mod follow;
pub mod object;
mod scan;
pub mod sse;
pub mod tokens;

pub use edit::ObjectEdit;
pub use envelope::{BadEnvelope, Envelope, Kind};
pub use follow::{Follower, Member};
pub use object::Object;

use std::{borrow::Cow, ops::Range};

/// JSON-RPC: the text is no JSON.
pub const PARSE_ERROR: i64 = -32700;
/// JSON-RPC: the JSON is no message.
pub const INVALID_REQUEST: i64 = -32600;
/// JSON-RPC: nobody here knows this method.
pub const METHOD_NOT_FOUND: i64 = -32601;
/// JSON-RPC: the parameters do not fit the method.
pub const INVALID_PARAMS: i64 = -32602;
/// JSON-RPC: the fault is on the answering side.
pub const INTERNAL_ERROR: i64 = -32603;
/// AgentCore: no token, or a bad one.
pub const UNAUTHORIZED: i64 = -32001;
/// AgentCore: a good token that lacks a permission.
pub const FORBIDDEN: i64 = -32002;
/// AgentCore: too many requests.
pub const THROTTLED: i64 = -32003;
/// MCP 2025-11-25, server/resources: no such resource. Since 2026-07-28 that is [`INVALID_PARAMS`].
pub const RESOURCE_NOT_FOUND: i64 = -32002;
/// MCP 2026-07-28 `HeaderMismatch`.
pub const HEADER_MISMATCH: i64 = -32020;
/// MCP 2026-07-28 `MissingRequiredClientCapability`.
pub const MISSING_CAPABILITY: i64 = -32021;
/// MCP 2026-07-28 `UnsupportedProtocolVersion`.
pub const UNSUPPORTED_VERSION: i64 = -32022;

/// `value` as JSON text. Only for values that always serialize: texts, numbers, `serde_json::Value`.
pub fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("texts, numbers and values serialize")
}

/// The text that `json`, which is JSON, says; `None` where it is no text, or one with half a character in it.
pub fn text(json: &str) -> Option<Cow<'_, str>> {
    let written = json.strip_prefix('"')?.strip_suffix('"')?;
    match written.contains('\\') {
        false => Some(Cow::Borrowed(written)),
        true => serde_json::from_str(json).ok().map(Cow::Owned),
    }
}

/// Whether `version`, JSON text, is the one of JSON-RPC.
pub(crate) fn is_version(version: &str) -> bool {
    text(version).as_deref() == Some("2.0")
}

/// Whether two ids (JSON texts) are the same, however they are spelled.
pub fn is_same_id(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let read = |id: &str| serde_json::from_str::<serde_json::Value>(id).ok();
    match (read(one), read(other)) {
        (Some(serde_json::Value::Number(one)), Some(serde_json::Value::Number(other))) => {
            one.as_f64() == other.as_f64()
        }
        (one, other) => one.is_some() && one == other,
    }
}

/// A request; `id` and `params` are JSON text.
pub fn request_message(id: &str, method: &str, params: &str) -> String {
    [r#"{"jsonrpc":"2.0","id":"#, id, r#","method":"#, &json(&method), r#","params":"#, params, "}"].concat()
}

/// The same with the parameters that `params` becomes.
pub fn request_with(id: &str, method: &str, params: &ObjectEdit<'_>) -> String {
    let method = json(&method);
    let mut message = String::with_capacity(48 + id.len() + method.len() + params.most());
    for part in [r#"{"jsonrpc":"2.0","id":"#, id, r#","method":"#, &method, r#","params":"#] {
        message.push_str(part);
    }
    params.write_to(&mut message);
    message.push('}');
    message
}

/// A success response: `{"jsonrpc":"2.0","id":<id>,"result":<result>}`, both given as JSON text.
pub fn result_message(id: &str, result: &str) -> String {
    [r#"{"jsonrpc":"2.0","id":"#, id, r#","result":"#, result, "}"].concat()
}

/// An error response. `id` and `data` are JSON text; the id of a request that could not be read is `null`.
pub fn error_message(id: &str, code: i64, message: &str, data: Option<&str>) -> String {
    let data = data.map(|data| format!(r#","data":{data}"#)).unwrap_or_default();
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":{}{data}}}}}"#, json(&message))
}

/// Where `part`, a slice of `whole`, stands in it.
fn span(whole: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr() as usize - whole.as_ptr() as usize;
    start..start + part.len()
}
