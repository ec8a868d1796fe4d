//! What the audit log keeps of arguments.

use causeway::{config::Redaction, parsers::audited};
use serde_json::Value;

use crate::{input, json};

/// Stands nowhere but where it was put.
const SECRET: &str = "Zq7Zq7Zq7Zq7Zq7Zq7Zq7";
/// What is kept of what cannot be.
const NOTHING: &str = r#""[redacted]""#;

/// A name and a pointer that the operator holds back, each in a line, and then arguments.
///
/// Whatever arguments look like, what stands under a secret name, in JSON or in a text of JSON, is not kept; all that is kept
/// stands where it stood, as it stood there; arguments that are no JSON are not kept at all.
pub fn check(data: &[u8]) {
    let Some(([name, pointer], arguments)) = input::texts(data) else { return };
    let pointers = pointer.starts_with('/').then(|| pointer.to_owned()).into_iter().collect();
    let redaction = Redaction { names: vec![name.to_owned()], pointers, patterns: vec!["^sk-".into()] };
    if !json::is_json(arguments) {
        return assert_eq!(audited(arguments, &redaction), NOTHING, "what cannot be read is kept");
    }
    if [name, arguments].iter().any(|given| given.contains(SECRET)) {
        return;
    }
    let kept = audited(arguments, &redaction);
    assert_eq!(audited(&kept, &redaction), kept, "a second look takes out more");
    if !kept.contains("[redacted]") {
        assert_eq!(kept, without_space(arguments), "something changed that was not taken out");
    }
    let mut sent = numbers(arguments).into_iter();
    assert!(numbers(&kept).iter().all(|kept| sent.any(|sent| sent == *kept)), "a number is written otherwise");
    // Deeper, with larger numbers or half characters: `serde_json` reads no values of those.
    let (Some(value), Some(kept)) = (json::value(arguments), json::value(&kept)) else { return };
    within(&value, &kept);
    let mut filled = value;
    fill(&mut filled, name);
    let nested = Value::from(filled.to_string());
    for arguments in [filled.to_string(), serde_json::json!({"text": nested}).to_string()] {
        let kept = audited(&arguments, &redaction);
        assert!(!kept.contains(SECRET), "{kept}");
    }
}

/// JSON text without what stands between its values.
fn without_space(json: &str) -> String {
    let parts = texts_apart(json).into_iter().enumerate();
    parts.map(|(at, part)| if at % 2 == 0 { part.split_ascii_whitespace().collect() } else { part }).collect()
}

/// A JSON text cut before and behind each text in it: every second part is one of those.
fn texts_apart(json: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut is_text, mut is_escaped) = (false, false);
    for character in json.chars() {
        let is_quote = character == '"' && !is_escaped;
        if is_quote && !is_text {
            parts.push(String::new());
        }
        parts.last_mut().expect("there is one").push(character);
        if is_quote && is_text {
            parts.push(String::new());
        }
        is_text ^= is_quote;
        is_escaped = character == '\\' && !is_escaped;
    }
    parts
}

/// The numbers of a JSON text as they are written, but for those in its texts.
fn numbers(json: &str) -> Vec<String> {
    let parts = texts_apart(json).into_iter().step_by(2);
    let words = parts.flat_map(|part| {
        part.split([',', ':', '[', ']', '{', '}', ' ', '\n', '\r', '\t']).map(str::to_owned).collect::<Vec<_>>()
    });
    words.filter(|word| word.starts_with(|first: char| first == '-' || first.is_ascii_digit())).collect()
}

/// A secret in each object, under each name that holds one.
fn fill(value: &mut Value, name: &str) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(|member| fill(member, name));
            for name in ["client_secret", "apiKey", "AUTHORIZATION", "x-access-token", "Set-Cookie", name] {
                members.insert(name.to_owned(), serde_json::json!([{"deep": SECRET}]));
            }
            members.insert("note".to_owned(), Value::from(["sk-", SECRET].concat()));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| fill(value, name)),
        _ => (),
    }
}

/// Nothing is there that was not, but for the word that stands for what is not.
fn within(before: &Value, after: &Value) {
    match (before, after) {
        (_, Value::String(text)) if text == "[redacted]" => (),
        (Value::Object(before), Value::Object(after)) => {
            assert!(before.keys().eq(after.keys()), "a member came or went");
            before.values().zip(after.values()).for_each(|(before, after)| within(before, after));
        }
        (Value::Array(before), Value::Array(after)) => {
            assert_eq!(before.len(), after.len());
            before.iter().zip(after).for_each(|(before, after)| within(before, after));
        }
        (Value::String(before), Value::String(after)) if before != after => {
            assert!(json::is_json(before) && json::is_json(after), "only JSON within a text changes, and stays JSON");
            if let (Some(before), Some(after)) = (json::value(before), json::value(after)) {
                within(&before, &after);
            }
        }
        (before, after) => assert_eq!(before, after),
    }
}
