//! Signature Version 4, made and judged.

use std::time::Duration;

use causeway_aws::{
    Credentials,
    sign::{Scope, sign},
    verify::Presented,
};
use http::{HeaderName, HeaderValue, Method, Request, header::HOST, request::Parts};

use crate::input;

const NOW: Duration = Duration::from_secs(1_440_938_160);
const SKEW: Duration = Duration::from_secs(300);
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A method, a path with a query, and a header (`name: value`), each in a line, and then a body.
///
/// What is signed here is judged good, and changed anywhere that a signature covers it is not.
pub fn check(data: &[u8]) {
    let Some(([method, path, header], body)) = input::texts(data) else { return };
    let Some(mut request) = request(method, path, header) else { return };
    let credentials = Credentials::new("AKIDEXAMPLE", SECRET, None, None, "fuzz");
    let scope = Scope { service: "bedrock-agentcore", region: "eu-west-1" };
    if sign(&mut request, body.as_bytes(), &credentials, scope, NOW).is_err() {
        return;
    }
    assert!(judged(&request, body.as_bytes(), SECRET), "what is signed is not judged good");
    assert!(!judged(&request, body.as_bytes(), "another"), "it is good with another secret");
    assert!(!judged(&request, &[body.as_bytes(), b" "].concat(), SECRET), "the body may change");
    let presented = Presented::read(&request.headers).expect("it was read a moment ago");
    for late in [NOW + SKEW + Duration::from_secs(1), NOW - SKEW - Duration::from_secs(1)] {
        assert!(presented.check_head(&request.headers, late, SKEW).is_err(), "it is good at any time");
    }
    for (what, change) in changes(header) {
        let mut other = request.clone();
        if change(&mut other) {
            assert!(!judged(&other, body.as_bytes(), SECRET), "{what} may change: {:?} {:?}", other.uri, other.headers);
        }
    }
}

fn request(method: &str, path: &str, header: &str) -> Option<Parts> {
    let method = Method::from_bytes(method.as_bytes()).ok()?;
    let url = ["https://a.example:8443", path].concat();
    let request = path.starts_with('/').then(|| Request::builder().method(method).uri(url).body(()))?.ok()?;
    let mut parts = request.into_parts().0;
    if let Some((name, value)) = header.split_once(':')
        && let (Ok(name), Ok(value)) = (HeaderName::try_from(name.trim()), HeaderValue::try_from(value.trim()))
    {
        parts.headers.append(name, value);
    }
    // As a client sends it.
    parts.headers.insert(HOST, HeaderValue::from_static("a.example:8443"));
    Some(parts)
}

fn judged(request: &Parts, body: &[u8], secret: &str) -> bool {
    let Ok(presented) = Presented::read(&request.headers) else { return false };
    assert!(!format!("{presented:?}").contains("signature"), "a log shows a signature");
    presented.check_head(&request.headers, NOW, SKEW).is_ok() && presented.verify(request, body, secret).is_ok()
}

type Change<'a> = (&'static str, Box<dyn Fn(&mut Parts) -> bool + 'a>);

/// Changes of what a signature covers; each says whether it changed anything.
fn changes(header: &str) -> Vec<Change<'_>> {
    let target = |parts: &mut Parts, make: &dyn Fn(&str, Option<&str>) -> String| {
        let other = make(parts.uri.path(), parts.uri.query());
        let other = ["https://a.example:8443", &other].concat().parse::<http::Uri>();
        other.map(|uri| parts.uri = uri).is_ok()
    };
    let with =
        |path: &str, query: Option<&str>| query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let set = |name: &'static str, value: &'static str| {
        move |parts: &mut Parts| {
            parts.headers.insert(name, HeaderValue::from_static(value)).is_none_or(|before| before != value)
        }
    };
    let signed = header.split_once(':').and_then(|(name, _)| HeaderName::try_from(name.trim()).ok());
    vec![
        (
            "the method",
            Box::new(|parts: &mut Parts| {
                parts.method = if parts.method == Method::PATCH { Method::PUT } else { Method::PATCH };
                true
            }),
        ),
        ("the path", Box::new(move |parts| target(parts, &|path, query| with(&[path, "x"].concat(), query)))),
        (
            "the query",
            Box::new(move |parts| {
                target(parts, &|path, query| {
                    format!("{path}?{}zz=1", query.map(|query| [query, "&"].concat()).unwrap_or_default())
                })
            }),
        ),
        ("the host", Box::new(set("host", "b.example"))),
        ("the time", Box::new(set("x-amz-date", "20150830T123559Z"))),
        ("the hash of the body", Box::new(set("x-amz-content-sha256", "UNSIGNED-PAYLOAD"))),
        ("one of AWS's headers", Box::new(set("x-amz-target", "Other.Operation"))),
        (
            "a signed header",
            Box::new(move |parts| {
                let list = parts.headers["authorization"].to_str().unwrap_or_default().to_owned();
                let Some(name) = signed.as_ref().filter(|name| list.contains(&format!(";{name};"))) else {
                    return false;
                };
                let Some(before) = parts.headers.get(name).and_then(|value| value.to_str().ok()) else { return false };
                let other = [before, "x"].concat();
                parts.headers.insert(name.clone(), HeaderValue::try_from(other).expect("a text"));
                true
            }),
        ),
    ]
}
