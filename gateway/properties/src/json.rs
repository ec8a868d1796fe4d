//! JSON as a reader sees it that shares no code with what is judged here, beside serde_json's own parser.

use serde_json::{Map, Value};

/// `text` as a value; `None` where it is no JSON, or too deep, with too large a number or half a character for serde_json.
pub fn value(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

/// `text` as an object.
pub fn object(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

/// Whether `text` is one JSON text, however deep.
pub fn is_json(text: &str) -> bool {
    serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
}

/// Whether `text` is one JSON object, however deep.
pub fn is_object(text: &str) -> bool {
    is_json(text) && text.trim_ascii_start().starts_with('{')
}
