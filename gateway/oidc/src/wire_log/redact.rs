//! Takes what is secret out of what is shown of an HTTP exchange: by the names of headers, parameters and members, and by what a
//! text looks like. Rather too much than too little; knows nothing of who sent it.

mod names;
mod text;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, PROXY_AUTHORIZATION};
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

pub(super) use self::text::{TOKEN_STARTS, text};
use self::{
    names::{bare, is_harmless, is_secret},
    text::{is_word, lines, plain},
};

/// In the place of a secret.
pub(super) const REDACTED: &str = "<redacted>";
/// Characters of a body that are shown.
const MOST_BODY: usize = 8_000;
/// Characters of one text in it that are shown.
const MOST_TEXT: usize = 1_000;
/// A larger body is not taken apart, but cut first.
const MOST_BYTES: usize = 4 << 20;
/// JSON within texts of JSON is looked into so deep.
const DEEPEST: usize = 4;

/// Each in a line of its own, after a line end.
pub(super) fn headers(headers: &HeaderMap) -> String {
    headers
        .iter()
        .map(|(name, value)| {
            let shown = match value.to_str() {
                Ok(value_text) => header(name, value_text, value.is_sensitive()),
                Err(_) => format!("({} bytes)", value.len()),
            };
            format!("\n    {name}: {shown}")
        })
        .collect()
}

fn header(name: &HeaderName, value: &str, sensitive: bool) -> String {
    if *name == AUTHORIZATION || *name == PROXY_AUTHORIZATION {
        return authorization(value);
    }
    if name.as_str().ends_with("session-id") {
        return shortened(value);
    }
    if sensitive || is_secret(name.as_str()) || name.as_str().ends_with("-key") {
        return REDACTED.into();
    }
    match Url::parse(value) {
        Ok(parsed) if parsed.has_host() => url(value),
        _ => text(value),
    }
}

/// Of a signature, everything but itself: it says what was signed, and for what.
fn authorization(value: &str) -> String {
    let (scheme, rest) = value.split_once(' ').unwrap_or(("", value));
    match (scheme.starts_with("AWS4-"), rest.split_once("Signature=")) {
        (true, Some((before, _))) => format!("{scheme} {before}Signature={REDACTED}"),
        _ if scheme.is_empty() => REDACTED.into(),
        _ => format!("{scheme} {REDACTED}"),
    }
}

/// Enough of an id to tell it from others.
fn shortened(id: &str) -> String {
    let head: String = plain(id).chars().take(8).collect();
    if head.len() == id.len() { REDACTED.into() } else { head + "…" }
}

/// Without user, password and fragment, and without the values of parameters that are not known to be harmless.
pub(super) fn url(address: &str) -> String {
    let Ok(mut parsed) = Url::parse(address) else { return text(address) };
    // Both fail only for URLs that cannot have a user.
    let _ = parsed.set_username("");
    let _ = parsed.set_password(None);
    let pairs: Vec<String> = parsed
        .query_pairs()
        .map(|(name, value)| match is_harmless(&name) {
            true => format!("{}={}", plain(&name), text(&value)),
            false => format!("{}={REDACTED}", plain(&name)),
        })
        .collect();
    parsed.set_query(None);
    parsed.set_fragment(None);
    let path = text(parsed.as_str());
    if pairs.is_empty() { path } else { format!("{path}?{}", pairs.join("&")) }
}

/// After an empty line, or nothing where there is nothing.
pub(super) fn body(kind: &str, bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return String::new();
    }
    let Ok(whole) = std::str::from_utf8(bytes) else { return format!("\n\n    ({} bytes)", bytes.len()) };
    let shown = if kind.contains("x-www-form-urlencoded") {
        form(whole)
    } else if bytes.len() > MOST_BYTES {
        text(cut(whole, MOST_BODY))
    } else {
        match serde_json::from_str::<Value>(whole) {
            Ok(value @ (Value::Object(_) | Value::Array(_))) => {
                serde_json::to_string_pretty(&json(value, DEEPEST)).unwrap_or_default()
            }
            _ => lines(whole, line),
        }
    };
    let rest = shown.chars().count().saturating_sub(MOST_BODY);
    let rest = if rest > 0 { format!(" … ({rest} characters more)") } else { String::new() };
    let lines: Vec<String> = cut(&shown, MOST_BODY).lines().map(|line| format!("\n    {line}")).collect();
    format!("\n{}{rest}", lines.concat())
}

/// A line of a stream of events holds JSON of its own.
fn line(line: &str) -> String {
    match line.strip_prefix("data:").map(|data| serde_json::from_str::<Value>(data.trim())) {
        Some(Ok(value)) => format!("data: {}", json(value, DEEPEST)),
        _ => text(line),
    }
}

fn form(whole: &str) -> String {
    let pairs = form_urlencoded::parse(whole.as_bytes()).map(|(name, value)| {
        let secret = is_secret(&name) || bare(&name) == "code";
        let value = if secret { REDACTED.into() } else { text(&value) };
        format!("{}={value}", plain(&name))
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn json(value: Value, depth: usize) -> Value {
    match value {
        Value::Object(object) => Value::Object(members(object, depth)),
        Value::Array(values) => Value::Array(elements(values, depth)),
        Value::String(string) => Value::String(long(&string, depth)),
        other => other,
    }
}

/// After an option of a command line such as `--password` stands its value.
fn elements(values: Vec<Value>, depth: usize) -> Vec<Value> {
    let mut follows = false;
    let each = values.into_iter().map(|value| {
        let is_value = follows && value.is_string();
        follows =
            value.as_str().is_some_and(|text| text.starts_with('-') && text.chars().all(is_word) && is_secret(text));
        if is_value { Value::String(REDACTED.into()) } else { json(value, depth) }
    });
    each.collect()
}

fn members(object: Map<String, Value>, depth: usize) -> Map<String, Value> {
    // An error has a code; so has an answer to a login.
    let is_error = ["message", "Message"].iter().any(|name| object.contains_key(*name));
    let is_parameter = object.get("Type").and_then(Value::as_str).is_some_and(|kind| kind.contains("String"));
    // A pair of a name and a value, as variables and headers are often written.
    let names = ["name", "Name", "key", "Key"].iter().filter_map(|name| object.get(*name)?.as_str());
    let is_pair = names.clone().any(is_secret);
    let redacted = |name: &str, value: &Value| {
        let is_value = bare(name) == "value" && (is_pair || is_parameter);
        let secret = is_secret(name) || bare(name) == "code" && !is_error || is_value;
        secret && !matches!(value, Value::Null | Value::Bool(_)) && !is_count(name, value)
    };
    let members = object.into_iter().map(|(name, value)| match redacted(&name, &value) {
        true => (plain(&name), Value::String(REDACTED.into())),
        false => (plain(&name), json(value, depth)),
    });
    members.collect()
}

/// A number of tokens, and the numeric code of an error, are no secrets.
fn is_count(name: &str, value: &Value) -> bool {
    value.is_number() && (bare(name).ends_with("tokens") || bare(name) == "code")
}

/// A text of JSON, which may itself be JSON.
fn long(string: &str, depth: usize) -> String {
    let nested = string.trim_start().starts_with(['{', '[']) && depth > 0;
    let shown = match serde_json::from_str::<Value>(string) {
        Ok(value) if nested => json(value, depth - 1).to_string(),
        _ => lines(string, text),
    };
    match shown.chars().count() {
        many if many > MOST_TEXT => format!("{}… ({many} characters)", cut(&shown, 80)),
        _ => shown,
    }
}

/// The first so many characters.
fn cut(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(at, _)| &text[..at])
}

#[cfg(test)]
mod tests;
