//! Takes what is secret out of what is shown of an HTTP exchange: by the names of headers, parameters and members, and by what a
//! text looks like. Rather too much than too little; knows nothing of who sent it.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, PROXY_AUTHORIZATION};
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

/// In the place of a secret.
const REDACTED: &str = "<redacted>";
/// Characters of a body that are shown.
const MOST_BODY: usize = 8_000;
/// Characters of one text in it that are shown.
const MOST_TEXT: usize = 1_000;
/// A larger body is not taken apart, but cut first.
const MOST_BYTES: usize = 4 << 20;
/// JSON within texts of JSON is looked into so deep.
const DEEPEST: usize = 4;

/// Parameters of a URL whose values are shown.
const HARMLESS: [&str; 21] = [
    "accountid",
    "action",
    "audience",
    "clientid",
    "codechallengemethod",
    "cursor",
    "granttype",
    "limit",
    "maxresults",
    "qualifier",
    "redirecturi",
    "resource",
    "responsemode",
    "responsetype",
    "scope",
    "version",
    "xamzalgorithm",
    "xamzcredential",
    "xamzdate",
    "xamzexpires",
    "xamzsignedheaders",
];

/// What is secret under these names, apart from case and what stands between their words.
const SECRET: [&str; 14] = [
    "assertion",
    "authorization",
    "clientassertion",
    "codeverifier",
    "devicecode",
    "jwt",
    "otp",
    "pin",
    "proxyauthorization",
    "samlresponse",
    "samlrequest",
    "session",
    "signature",
    "usercode",
];
const SECRET_PARTS: [&str; 10] = [
    "secret",
    "password",
    "passwd",
    "passphrase",
    "apikey",
    "privatekey",
    "token",
    "credential",
    "cookie",
    "signature",
];
/// Names that only sound so.
const NOT_SECRET: [&str; 10] = [
    "accesskeyid",
    "credentialscope",
    "nexttoken",
    "progresstoken",
    "secretid",
    "secretname",
    "tokentype",
    "tokenuse",
    "xamzcredential",
    "xamzsignedheaders",
];

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
    if sensitive || is_secret(name.as_str()) {
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
        .map(|(name, value)| match HARMLESS.contains(&bare(&name).as_str()) {
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
            _ => whole.lines().map(line).collect::<Vec<_>>().join("\n"),
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
        Value::Array(values) => Value::Array(values.into_iter().map(|value| json(value, depth)).collect()),
        Value::String(string) => Value::String(long(&string, depth)),
        other => other,
    }
}

fn members(object: Map<String, Value>, depth: usize) -> Map<String, Value> {
    // An error has a code; so has an answer to a login.
    let is_error = ["message", "Message"].iter().any(|name| object.contains_key(*name));
    let is_parameter = object.get("Type").and_then(Value::as_str).is_some_and(|kind| kind.contains("String"));
    let redacted = |name: &str, value: &Value| {
        let secret = is_secret(name) || bare(name) == "code" && !is_error || name == "Value" && is_parameter;
        secret && !matches!(value, Value::Null | Value::Bool(_)) && !is_count(name, value)
    };
    let members = object.into_iter().map(|(name, value)| match redacted(&name, &value) {
        true => (name, Value::String(REDACTED.into())),
        false => (name, json(value, depth)),
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
        _ => string.split('\n').map(text).collect::<Vec<_>>().join("\n"),
    };
    match shown.chars().count() {
        many if many > MOST_TEXT => format!("{}… ({many} characters)", cut(&shown, 80)),
        _ => shown,
    }
}

/// Any text: tokens by their looks, values behind names.
pub(super) fn text(text: &str) -> String {
    let text = plain(text);
    if text.contains("PRIVATE KEY-----") {
        return REDACTED.into();
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let word = &rest[..rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())];
        if word.is_empty() {
            shown.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let after = &rest[word.len()..];
        if word.starts_with("eyJ") && word.len() > 16 {
            shown.push_str("eyJ…");
            rest = &after[after.find(|c: char| !is_word(c) && c != '.').unwrap_or(after.len())..];
        } else if let Some((between, value)) = shown_after(word, after) {
            shown.push_str(word);
            shown.push_str(between);
            shown.push_str(REDACTED);
            rest = &after[between.len() + value.len()..];
        } else {
            shown.push_str(word);
            rest = after;
        }
    }
    shown
}

/// What stands between `word` and the secret after it, and the secret.
fn shown_after<'a>(word: &str, after: &'a str) -> Option<(&'a str, &'a str)> {
    if word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic") {
        let value = after.strip_prefix(' ')?;
        let end = value.find(|c: char| !is_word(c) && !"._~+/=".contains(c)).unwrap_or(value.len());
        // A parameter of a challenge is none.
        let is_parameter = value[..end].ends_with('=') && value[end..].starts_with('"');
        return (end >= 8 && !is_parameter).then(|| (&after[..1], &value[..end]));
    }
    let is_code = bare(word) == "code";
    if !is_secret(word) && !is_code {
        return None;
    }
    let start = |text: &'a str, skip: &[char]| text.len() - text.trim_start_matches(skip).len();
    let to_sign = start(after, &['"', '\'', '\\', ' ']);
    let sign = after[to_sign..].chars().next().filter(|sign| *sign == '=' || *sign == ':' && !is_code)?;
    let value_at = to_sign + sign.len_utf8() + start(&after[to_sign + 1..], &['"', '\'', '\\', ' ']);
    let value = &after[value_at..];
    let end = end_of(value, &after[..value_at], bare(word).contains("authorization"));
    (end > 0).then(|| (&after[..value_at], &value[..end]))
}

/// Where the secret ends that `value` begins with, after what stood `before` it.
fn end_of(value: &str, before: &str, has_scheme: bool) -> usize {
    let end = if before.ends_with("\\\"") {
        // JSON in JSON.
        value.find("\\\"")
    } else if let Some(quote) = before.chars().last().filter(|last| matches!(last, '"' | '\'')) {
        let is_end = |at: usize| !value[..at].ends_with('\\');
        value.match_indices(quote).map(|(at, _)| at).find(|at| is_end(*at))
    } else if has_scheme {
        // A scheme stands before the credentials, and they may have several parts.
        value.find('\n')
    } else {
        value.find(|c: char| c.is_whitespace() || "&,;\"'\\}])<>".contains(c))
    };
    end.unwrap_or(value.len())
}

/// Whether what stands under this name is secret.
fn is_secret(name: &str) -> bool {
    let bare = bare(name);
    let harmless =
        NOT_SECRET.contains(&bare.as_str()) || bare.starts_with("tokenendpoint") || bare.starts_with("tokenur");
    !harmless && (SECRET.contains(&bare.as_str()) || SECRET_PARTS.iter().any(|part| bare.contains(part)))
}

/// A name without case and without what stands between its words.
fn bare(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// Without what could steer a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// The first so many characters.
fn cut(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(at, _)| &text[..at])
}

#[cfg(test)]
mod tests;
