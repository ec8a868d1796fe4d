//! The headers in which the modern era repeats parts of a request's body: writing them and checking them.
//!
//! Source: MCP 2026-07-28, basic/transports/streamable-http, "Request Metadata" and "Value Encoding".

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};

/// The protocol version of a request.
pub const VERSION: &str = "mcp-protocol-version";
/// Repeats `method`.
pub const METHOD: &str = "mcp-method";
/// Repeats `params.name` or `params.uri`.
pub const NAME: &str = "mcp-name";
/// Names the session of a legacy client or target.
pub const SESSION: &str = "mcp-session-id";
/// Starts the headers that repeat arguments of a tool call.
pub const PARAM_PREFIX: &str = "mcp-param-";

const OPEN: &str = "=?base64?";
const CLOSE: &str = "?=";

/// The member of `params` that `Mcp-Name` repeats, for the methods that need it.
pub fn named_by(method: &str) -> Option<&'static str> {
    match method {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        // SEP-2663, "Streamable HTTP: Routing Headers".
        "tasks/get" | "tasks/update" | "tasks/cancel" => Some("taskId"),
        _ => None,
    }
}

/// `value` as the value of `Mcp-Name` or `Mcp-Param-*`: as it is where a header can carry it, else in Base64.
pub fn encode(value: &str) -> Cow<'_, str> {
    let plain = value.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
        && value.trim_matches([' ', '\t']).len() == value.len()
        && !(value.starts_with(OPEN) && value.ends_with(CLOSE));
    match plain {
        true => value.into(),
        false => [OPEN, &STANDARD.encode(value), CLOSE].concat().into(),
    }
}

/// What the value of `Mcp-Name` or `Mcp-Param-*` stands for; `None` where its Base64 is broken.
pub fn decode(value: &str) -> Option<Cow<'_, str>> {
    match value.strip_prefix(OPEN).and_then(|rest| rest.strip_suffix(CLOSE)) {
        None => Some(value.into()),
        Some(encoded) => String::from_utf8(STANDARD.decode(encoded).ok()?).ok().map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(value: &str, encoded: &str) {
        assert_eq!(encode(value), encoded);
    }

    /// The examples of the page.
    #[test]
    fn values_that_a_header_cannot_carry_are_encoded() {
        check("us-west1", "us-west1");
        check("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?=");
        check(" padded ", "=?base64?IHBhZGRlZCA=?=");
        check("line1\nline2", "=?base64?bGluZTEKbGluZTI=?=");
        check("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=");
        assert_eq!(decode("=?base64?%%%?="), None);
    }

    proptest! {
        #[test]
        fn decoding_gives_back_what_was_encoded(value in ".{0,30}") {
            let encoded = encode(&value);
            prop_assert!(encoded.is_ascii());
            let decoded = decode(&encoded);
            prop_assert_eq!(decoded.as_deref(), Some(value.as_str()));
        }
    }
}
