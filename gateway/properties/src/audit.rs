//! What the audit log keeps of arguments.

use causeway::{config::Redaction, parsers::audited};
use serde_json::Value;

use crate::{input, json};

/// Stands nowhere but where it was put.
const SECRET: &str = "Zq7Zq7Zq7Zq7Zq7Zq7Zq7";

/// A name and a pointer that the operator holds back, each in a line, and then arguments.
///
/// Whatever arguments look like, what stands under a secret name, in JSON or in a text of JSON, is not kept; all that is kept
/// stands where it stood; arguments that are no JSON are not kept at all.
pub fn check(data: &[u8]) {
    let Some(([name, pointer], arguments)) = input::texts(data) else { return };
    let pointers = pointer.starts_with('/').then(|| pointer.to_owned()).into_iter().collect();
    let redaction = Redaction { names: vec![name.to_owned()], pointers, patterns: vec!["^sk-".into()] };
    let Some(value) = json::value(arguments) else {
        return assert_eq!(audited(arguments, &redaction), "[redacted]", "what cannot be read is kept");
    };
    if arguments.contains(SECRET) {
        return;
    }
    let kept = audited(arguments, &redaction);
    within(&value, &kept);
    assert_eq!(audited(&kept.to_string(), &redaction), kept, "a second look takes out more");
    let mut filled = value;
    fill(&mut filled, name);
    let nested = Value::from(filled.to_string());
    for arguments in [filled.to_string(), serde_json::json!({"text": nested}).to_string()] {
        let kept = audited(&arguments, &redaction).to_string();
        assert!(!kept.contains(SECRET), "{kept}");
    }
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
            within(
                &json::value(before).expect("only JSON within a text changes"),
                &json::value(after).expect("it stays JSON"),
            );
        }
        (before, after) => assert_eq!(before, after),
    }
}
