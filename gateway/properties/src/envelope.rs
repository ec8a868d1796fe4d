//! The envelope of a JSON-RPC message, and batches of them.

use bytes::Bytes;
use causeway_core::wire::{Envelope, Kind};
use serde_json::Value;

use crate::json;

/// `data` is a message as it comes off a wire.
///
/// A message that is taken is JSON of one of the three shapes; each member stands where the envelope says, to the byte, and means
/// what another reader sees there; parameters can be replaced without touching a byte beside them.
pub fn check(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    if let Ok(messages) = Envelope::parse_batch(&bytes) {
        assert!(!messages.is_empty(), "an empty batch was taken");
        for message in messages {
            one(&message);
        }
    }
    one(&bytes);
}

fn one(bytes: &Bytes) {
    let Ok(envelope) = Envelope::parse(bytes.clone()) else { return };
    let text = std::str::from_utf8(bytes).expect("a message that is no text was taken");
    assert!(json::is_object(text), "what is no object was taken");
    assert_eq!(envelope.bytes(), bytes);
    let parts = [envelope.id(), envelope.params(), envelope.result(), envelope.error()];
    assert!(parts.iter().flatten().all(|part| json::is_json(part)), "a member is no JSON");
    let spans = [
        (envelope.id_span(), envelope.id()),
        (envelope.result_span(), envelope.result()),
        (envelope.error_span(), envelope.error()),
    ];
    for (span, part) in spans {
        assert_eq!(span.map(|at| &text[at]), part, "a member is not where the envelope says");
    }
    match envelope.kind() {
        Kind::Request => assert!(envelope.id().is_some()),
        Kind::Notification => assert!(envelope.id().is_none()),
        Kind::Response => assert!(envelope.method().is_empty() && envelope.params().is_none_or(json::is_json)),
    }
    if envelope.kind() != Kind::Response {
        assert!(envelope.result().is_none() && envelope.error().is_none(), "it asks and answers at once");
    }
    if let Some(seen) = json::object(text) {
        assert_eq!(seen.get("jsonrpc"), Some(&Value::from("2.0")));
        assert_eq!(seen.get("method").and_then(Value::as_str).unwrap_or_default(), envelope.method());
        let id = envelope.id().and_then(json::value);
        assert_eq!(seen.get("id"), id.as_ref(), "another reader sees another id");
        assert_eq!(seen.get("params"), envelope.params().and_then(json::value).as_ref());
    }
    replaced(&envelope, text);
}

/// With other parameters, what stands before and behind them stays.
fn replaced(envelope: &Envelope, text: &str) {
    const OTHER: &str = r#"{"a":[1,"\n"]}"#;
    let Some(params) = envelope.params() else {
        return assert!(envelope.with_params(OTHER).is_none());
    };
    let at = params.as_ptr() as usize - envelope.bytes().as_ptr() as usize;
    let other = envelope.with_params(OTHER).expect("other parameters make no other message");
    let expected = [&text[..at], OTHER, &text[at + params.len()..]].concat();
    assert_eq!(other.bytes(), expected.as_bytes());
    assert_eq!((other.kind(), other.id(), other.method()), (envelope.kind(), envelope.id(), envelope.method()));
}
