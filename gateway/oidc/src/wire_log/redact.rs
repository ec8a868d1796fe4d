//! Takes what is secret out of what is shown of an HTTP exchange: by the names of headers, parameters and members, and by what a
//! text looks like. Rather too much than too little; knows nothing of who sent it.

use std::borrow::Cow;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, PROXY_AUTHORIZATION};
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

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
const SECRET: [&str; 16] = [
    "assertion",
    "authorization",
    "clientassertion",
    "codeverifier",
    "devicecode",
    "jwt",
    "otp",
    "pin",
    "proxyauthorization",
    "pwd",
    "samlresponse",
    "samlrequest",
    "session",
    "sig",
    "signature",
    "usercode",
];
const SECRET_PARTS: [&str; 20] = [
    "secret",
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "accesskey",
    "accountkey",
    "apikey",
    "authkey",
    "encryptionkey",
    "privatekey",
    "sharedkey",
    "signingkey",
    "subscriptionkey",
    "token",
    "credential",
    "cookie",
    "signature",
    "mfacode",
    "otpcode",
];
/// Tokens of GitHub, OpenAI, Slack and GitLab begin so, and nothing else of their length does.
pub(super) const TOKEN_STARTS: [&str; 9] =
    ["ghp_", "gho_", "ghu_", "ghs_", "github_pat_", "sk-", "xoxb-", "xoxp-", "glpat-"];
/// Names that only sound so.
const NOT_SECRET: [&str; 11] = [
    "accesskeyid",
    "awsaccesskeyid",
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

/// A text of several lines, each as `shown` has it. A secret may stand below its name, and a private key has many lines.
fn lines(whole: &str, shown: fn(&str) -> String) -> String {
    let whole = without_private_keys(whole);
    let indent = |line: &str| line.len() - line.trim_start().len();
    // How far the name is indented below which a secret stands, and whether anything of it was there yet.
    let mut below: Option<(usize, bool)> = None;
    let each = whole.split('\n').map(|line| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        below = below.filter(|(of_name, begun)| !begun || line.trim().is_empty() || indent(line) > *of_name);
        match &mut below {
            Some(_) if line.trim().is_empty() => String::new(),
            Some((_, begun)) => {
                *begun = true;
                [&plain(&line[..indent(line)]), REDACTED].concat()
            }
            None => {
                below = ends_with_a_name(line).then(|| (indent(line), false));
                shown(line)
            }
        }
    });
    each.collect::<Vec<_>>().join("\n")
}

/// Whether nothing follows the name of a secret: `password:`, as in YAML also `password: |`, or `"password":`.
fn ends_with_a_name(line: &str) -> bool {
    let line = line.trim_end().trim_end_matches(['|', '>', '-']).trim_end();
    let Some(name) = line.strip_suffix([':', '=']) else { return false };
    let name = name.trim_end_matches(['"', '\'', ' ']);
    let start = name.rfind(|c: char| !is_word(c)).map_or(0, |at| at + 1);
    name.get(start..).is_some_and(is_secret)
}

/// A line that cannot be one of base64 stands at either end of a key (RFC 7468).
fn without_private_keys(text: &str) -> Cow<'_, str> {
    const BEGIN: &str = "-----BEGIN ";
    if !text.contains("PRIVATE KEY") {
        return text.into();
    }
    let (mut shown, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(BEGIN) {
        let (before, block) = rest.split_at(at);
        let (label, body) = block[BEGIN.len()..].split_once("-----").unwrap_or((&block[BEGIN.len()..], ""));
        shown.push_str(before);
        if label.contains("PRIVATE KEY") {
            shown.push_str(REDACTED);
            let end = body.split_once("-----END ").and_then(|(_, end)| end.split_once("-----"));
            rest = end.map_or("", |(_, after)| after);
        } else {
            shown.push_str(BEGIN);
            rest = &block[BEGIN.len()..];
        }
    }
    (shown + rest).into()
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
        _ => lines(string, text),
    };
    match shown.chars().count() {
        many if many > MOST_TEXT => format!("{}… ({many} characters)", cut(&shown, 80)),
        _ => shown,
    }
}

/// Any text: tokens by their looks, values behind names, users of URLs.
pub(super) fn text(text: &str) -> String {
    let text = plain(&without_private_keys(text));
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let word = &rest[..rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())];
        if let Some(after) = word.is_empty().then(|| after_user(rest)).flatten() {
            shown.push_str("://");
            shown.push_str(REDACTED);
            rest = after;
            continue;
        }
        if word.is_empty() {
            shown.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let after = &rest[word.len()..];
        let before = shown.chars().last();
        if word.starts_with("eyJ") && word.len() > 16 {
            shown.push_str("eyJ…");
            rest = &after[after.find(|c: char| !is_word(c) && !".+/=".contains(c)).unwrap_or(after.len())..];
        } else if word.len() >= 16 && TOKEN_STARTS.iter().any(|start| word.starts_with(start)) {
            shown.push_str(REDACTED);
            rest = after;
        } else if let Some((between, value)) =
            in_element(before, word, after).or_else(|| shown_after(before, word, after))
        {
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

/// What follows the user and password of a URL whose `://` is the start of `rest`: `@` and the host.
fn after_user(rest: &str) -> Option<&str> {
    let authority = rest.strip_prefix("://")?;
    let end = authority.find(|c: char| c.is_whitespace() || "/?#\\\"'<>".contains(c)).unwrap_or(authority.len());
    authority[..end].rfind('@').map(|at| &authority[at..])
}

/// The same as [`shown_after`] for the text of an XML element of this name.
fn in_element<'a>(before: Option<char>, word: &str, after: &'a str) -> Option<(&'a str, &'a str)> {
    // Looked for only where one may begin: a long text has many words, and the next `>` may be far from all of them.
    let begins = matches!(before, Some('<' | ':')) && after.starts_with(['>', ' ']) && is_secret(word);
    let value_at = begins.then(|| after.find('>')).flatten().filter(|at| !after[..*at].contains(['<', '/']))? + 1;
    let value = &after[value_at..];
    let value = &value[..value.find('<').unwrap_or(value.len())];
    (!value.trim().is_empty()).then(|| (&after[..value_at], value))
}

/// What stands between `word` and the secret after it, and the secret. `before` is the character before the word.
fn shown_after<'a>(before: Option<char>, word: &str, after: &'a str) -> Option<(&'a str, &'a str)> {
    // Of `%26code`, the first two belong to the sign; `%accessKey` may be one as well, or just behind a percent sign.
    let is_encoded = before == Some('%') && !is_secret(word);
    let word = if is_encoded { word.get(2..).unwrap_or(word) } else { word };
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
    let sign = sign(&after[to_sign..]).filter(|sign| !is_code || *sign != ":")?;
    let value_at = to_sign + sign.len();
    let value_at = value_at + start(&after[value_at..], &['"', '\'', '\\', ' ']);
    let value = &after[value_at..];
    let end =
        end_of(value, &after[..value_at], ["authorization", "cookie"].iter().any(|name| bare(word).contains(name)));
    (end > 0).then(|| (&after[..value_at], &value[..end]))
}

/// What stands between a name and its value; in a URL within a URL `=` is encoded, perhaps twice.
fn sign(text: &str) -> Option<&str> {
    let encoded =
        ["%3d", "%253d"].iter().filter_map(|sign| text.get(..sign.len()).filter(|of| of.eq_ignore_ascii_case(sign)));
    encoded.chain(text.get(..1).filter(|sign| matches!(*sign, "=" | ":"))).next()
}

/// Where the secret ends that `value` begins with, after what stood `before` it.
fn end_of(value: &str, before: &str, to_line_end: bool) -> usize {
    let end = if before.ends_with("\\\"") {
        // JSON in JSON.
        value.find("\\\"")
    } else if let Some(quote) = before.chars().last().filter(|last| matches!(last, '"' | '\'')) {
        let is_end = |at: usize| !value[..at].ends_with('\\');
        value.match_indices(quote).map(|(at, _)| at).find(|at| is_end(*at))
    } else if to_line_end {
        // A scheme stands before credentials; they, and cookies, may have several parts.
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
