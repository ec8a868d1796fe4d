//! The log of what goes over the wire: whatever an exchange looks like, no secret that was put into it comes out.

use std::sync::{Arc, Mutex, PoisonError};

use causeway_oidc::wire_log::{Exchange, redacted, redacted_url};
use reqwest::{
    Method, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde_json::Value;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::{input, json};

/// Stands nowhere but where it was put.
const SECRET: &str = "Zq7Zq7Zq7Zq7Zq7Zq7Zq7";
const NAMES: [&str; 6] =
    ["client_secret", "password", "access_token", "X-Api-Key", "refreshToken", "AWS_SECRET_ACCESS_KEY"];

/// Of a header, and of a text that secrets are put into, so much is tried: each is written down many times over.
const MOST: usize = 16 * 1024;

/// A URL, a header and a text, each in a line, and then a body.
pub fn check(data: &[u8]) {
    let Some(([url, header, text], body)) = input::texts(data) else { return };
    let [url, header, text] = [url, header, text].map(|line| &line[..line.floor_char_boundary(MOST)]);
    let behind = &body[..body.floor_char_boundary(MOST)];
    if data.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()) {
        return;
    }
    let shown = Shown::default();
    let log = Log(shown.clone());
    tracing::subscriber::with_default(log, || {
        exchange(url, header, text, body);
        Exchange::begin(&Method::GET, "https://a.example/", &HeaderMap::new(), b"").failed(&after(text, behind));
    });
    let shown = std::mem::take(&mut *shown.0.lock().unwrap_or_else(PoisonError::into_inner));
    safe(&shown);
    safe(&redacted(&after(text, behind)));
    url::Url::parse(url).iter().for_each(|url| with_secrets(url).iter().for_each(|url| safe(&redacted_url(url))));
}

/// No secret, and nothing that steers a terminal; the log's own line ends are all there are.
fn safe(shown: &str) {
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(!shown.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')), "{shown:?}");
}

/// Secrets behind their names, in a text that says other things before and after; a name that ends the text before would have the
/// next as its value.
fn after(before: &str, behind: &str) -> String {
    let pairs = NAMES.iter().map(|name| format!(" {name}={SECRET} "));
    let quoted = NAMES.iter().map(|name| format!(" \"{name}\": \"{SECRET}\" "));
    let others = [format!(" Bearer {SECRET} "), format!(" https://u:{SECRET}@h.example/ ")];
    pairs
        .chain(quoted)
        .chain(others)
        .map(|secret| [before, ";", &secret, behind].concat())
        .collect::<Vec<_>>()
        .join("\n")
}

fn exchange(url: &str, header: &str, text: &str, body: &str) {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(header) {
        headers.append("x-note", value.clone());
        headers.append(CONTENT_TYPE, value);
    }
    for name in ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-amz-security-token"] {
        headers.append(name, HeaderValue::from_static(SECRET));
        headers.extend(
            HeaderValue::try_from(format!("{header} {SECRET}")).map(|value| (HeaderName::from_static(name), value)),
        );
    }
    for body in bodies(text, body) {
        let exchange = Exchange::begin(&Method::POST, url, &headers, body.as_bytes());
        exchange.head(StatusCode::OK, &headers);
        exchange.body(&headers, body.as_bytes());
        exchange.event(&body);
    }
}

/// The body with a secret in each of its objects, as JSON, as JSON within JSON and as an event; and as a form.
fn bodies(text: &str, body: &str) -> Vec<String> {
    let mut bodies = vec![body.to_owned()];
    if let Some(mut value @ (Value::Object(_) | Value::Array(_))) = json::value(body) {
        fill(&mut value);
        let json = value.to_string();
        bodies.push(serde_json::json!({"message": json, "password": SECRET}).to_string());
        bodies.push(format!("event: message\ndata: {json}\n\n"));
        bodies.push(json);
    }
    let form = NAMES.iter().map(|name| (*name, SECRET)).chain([("note", text), ("code", SECRET)]);
    bodies.push(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish());
    bodies
}

fn fill(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(fill);
            members.extend(NAMES.iter().map(|name| ((*name).to_owned(), Value::from(SECRET))));
        }
        Value::Array(values) => values.iter_mut().for_each(fill),
        _ => (),
    }
}

fn with_secrets(url: &url::Url) -> Vec<String> {
    let mut user = url.clone();
    let has_user = user.set_username("u").is_ok() && user.set_password(Some(SECRET)).is_ok();
    let mut query = url.clone();
    query.query_pairs_mut().extend_pairs(NAMES.iter().map(|name| (name, SECRET))).append_pair("code", SECRET);
    let mut fragment = url.clone();
    fragment.set_fragment(Some(&format!("access_token={SECRET}")));
    [has_user.then_some(user), Some(query), Some(fragment)].into_iter().flatten().map(String::from).collect()
}

/// All that was logged.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<String>>);

struct Log(Shown);

impl Visit for &Shown {
    fn record_debug(&mut self, _: &Field, value: &dyn std::fmt::Debug) {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shown.push_str(&format!("{value:?}\n"));
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut &self.0);
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}
