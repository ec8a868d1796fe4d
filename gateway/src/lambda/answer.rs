//! An HTTP response as the document that API Gateway makes one of: JSON whole, never events, within what Lambda passes on.
//!
//! Source: as `event.rs`; the bound is that of Lambda's quotas ("Invocation payload", synchronous).

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use causeway_core::wire::{self, Envelope, ObjectEdit};
use http::{HeaderMap, HeaderValue, StatusCode, header, response};
use serde::Serialize;
use serde_json::value::RawValue;

use super::event::Format;

/// Bytes of an answer, as a document, that Lambda passes on at most: 6 MB.
pub(super) const MOST_BYTES: usize = 6 * 1024 * 1024;

/// Of both formats.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<BTreeMap<&'a str, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_value_headers: Option<BTreeMap<&'a str, Vec<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cookies: Option<Vec<String>>,
    body: String,
    is_base64_encoded: bool,
}

/// The document for a response to a request with the body `asked`. One that is too long is an error in its place.
pub(super) fn document(format: Format, head: response::Parts, body: &[u8], asked: &Bytes) -> Box<RawValue> {
    let told = events_folded(&head.headers, body);
    let document = written(format, head.status, &head.headers, told.as_deref().unwrap_or(body), told.is_some());
    if document.get().len() <= MOST_BYTES {
        return document;
    }
    tracing::warn!("an answer of {} bytes, more than Lambda passes on, became an error", document.get().len());
    let text = format!(
        "the answer is longer than Lambda passes on ({MOST_BYTES} bytes, this one has {} as Lambda counts): ask for less at once, or use a gateway that is no Lambda function",
        document.get().len()
    );
    refusal(format, asked, &text)
}

/// The document that says that a request with the body `asked` has no answer, and why.
pub(super) fn refusal(format: Format, asked: &Bytes, text: &str) -> Box<RawValue> {
    let envelope = Envelope::parse(asked.clone()).ok();
    let id = envelope.as_ref().and_then(Envelope::id);
    let message = wire::error_message(id.unwrap_or("null"), wire::INTERNAL_ERROR, text, None);
    // A client reads the error of a request that it made only in an answer that is one.
    let status = if id.is_some() { StatusCode::OK } else { StatusCode::GATEWAY_TIMEOUT };
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    written(format, status, &headers, message.as_bytes(), false)
}

fn written(format: Format, status: StatusCode, headers: &HeaderMap, body: &[u8], folded: bool) -> Box<RawValue> {
    let own = |name: &&str| ![header::CONTENT_LENGTH.as_str(), header::TRANSFER_ENCODING.as_str()].contains(name);
    let value = |name: &str, value: &HeaderValue| match folded && name == header::CONTENT_TYPE.as_str() {
        true => "application/json".to_owned(),
        false => String::from_utf8_lossy(value.as_bytes()).into_owned(),
    };
    let all = |name: &str| headers.get_all(name).iter().map(|it| value(name, it)).collect::<Vec<_>>();
    let names = || headers.keys().map(http::HeaderName::as_str).filter(own);
    let (single, several, cookies) = match format {
        Format::V1 => (None, Some(names().map(|name| (name, all(name))).collect()), None),
        Format::V2 => {
            let single = names().filter(|name| *name != header::SET_COOKIE.as_str());
            (Some(single.map(|name| (name, all(name).join(", "))).collect()), None, Some(all("set-cookie")))
        }
    };
    let (body, is_base64_encoded) = match std::str::from_utf8(body) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (STANDARD.encode(body), true),
    };
    let status_code = status.as_u16();
    let document =
        Document { status_code, headers: single, multi_value_headers: several, cookies, body, is_base64_encoded };
    serde_json::value::to_raw_value(&document).expect("texts and numbers can be written as JSON")
}

/// The one message among `body`'s events that answers the request. API Gateway can pass on no event before the last, and a client
/// that waits for one answer needs no other.
fn events_folded(headers: &HeaderMap, body: &[u8]) -> Option<Vec<u8>> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let text = std::str::from_utf8(body).ok().filter(|_| kind.starts_with("text/event-stream"))?;
    let events = text.replace("\r\n", "\n");
    let data = |event: &str| event.lines().filter_map(|line| line.strip_prefix("data:")).collect::<Vec<_>>().join("\n");
    let answers = |data: &String| {
        ObjectEdit::parse(data).is_ok_and(|message| message.get("result").is_some() || message.get("error").is_some())
    };
    let none = || wire::error_message("null", wire::INTERNAL_ERROR, "the events held no answer", None);
    Some(events.split("\n\n").map(data).filter(answers).last().unwrap_or_else(none).into_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn answered(format: Format, headers: &[(&str, &str)], body: &[u8]) -> Value {
        let mut response = http::Response::builder();
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let (head, ()) = response.body(()).unwrap().into_parts();
        let asked = Bytes::from_static(br#"{"jsonrpc":"2.0","id":"seven","method":"tools/list"}"#);
        serde_json::from_str(document(format, head, body, &asked).get()).unwrap()
    }

    #[test]
    fn each_format_has_its_document() {
        let headers = [
            ("content-type", "application/json"),
            ("content-length", "2"),
            ("vary", "a"),
            ("vary", "b"),
            ("set-cookie", "c=1"),
            ("set-cookie", "d=2"),
        ];
        insta::assert_snapshot!(answered(Format::V1, &headers, b"{}"), @r#"{"statusCode":200,"multiValueHeaders":{"content-type":["application/json"],"set-cookie":["c=1","d=2"],"vary":["a","b"]},"body":"{}","isBase64Encoded":false}"#);
        insta::assert_snapshot!(answered(Format::V2, &headers, b"{}"), @r#"{"statusCode":200,"headers":{"content-type":"application/json","vary":"a, b"},"cookies":["c=1","d=2"],"body":"{}","isBase64Encoded":false}"#);
        insta::assert_snapshot!(answered(Format::V1, &[], b"\xff"), @r#"{"statusCode":200,"multiValueHeaders":{},"body":"/w==","isBase64Encoded":true}"#);
    }

    #[test]
    fn what_is_too_long_is_an_error_under_its_id() {
        // As text of a text every quote counts twice.
        let body = "\"".repeat(MOST_BYTES / 2);
        let answer = answered(Format::V1, &[("content-type", "application/json")], body.as_bytes());
        insta::assert_snapshot!(answer["body"].as_str().unwrap(), @r#"{"jsonrpc":"2.0","id":"seven","error":{"code":-32603,"message":"the answer is longer than Lambda passes on (6291456 bytes, this one has 6291566 as Lambda counts): ask for less at once, or use a gateway that is no Lambda function"}}"#);
        assert_eq!(answer["statusCode"], 200);
        let fits = "\"".repeat(MOST_BYTES / 2 - 1000);
        assert_eq!(answered(Format::V1, &[], fits.as_bytes())["body"], fits);
    }

    #[test]
    fn events_become_the_answer_among_them() {
        let body = "data: {\"method\":\"notifications/progress\"}\n\nid: 1\ndata: {\"id\":1,\ndata: \"result\":{}}\n\n";
        let answer = answered(Format::V1, &[("content-type", "text/event-stream")], body.as_bytes());
        assert_eq!(answer["body"], " {\"id\":1,\n \"result\":{}}");
        assert_eq!(answer["multiValueHeaders"]["content-type"][0], "application/json");
    }

    #[test]
    fn only_a_request_gets_an_answer_that_is_good() {
        let status = |asked: &'static str| {
            let document = refusal(Format::V2, &Bytes::from_static(asked.as_bytes()), "too late");
            serde_json::from_str::<Value>(document.get()).unwrap()["statusCode"].clone()
        };
        assert_eq!(status(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#), 200);
        assert_eq!(status(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#), 504);
        assert_eq!(status(""), 504);
    }
}
