//! What the gateway answered, whole, with the views of it that tests compare.

use std::fmt::Write;

use bytes::Bytes;
use causeway_core::wire::sse::Decoder;
use http::{HeaderMap, HeaderName, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;

/// A response, read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) async fn read(response: http::Response<Incoming>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self { status: parts.status, headers: parts.headers, body }
    }

    /// The one value of a header.
    pub(crate) fn header(&self, name: &str) -> String {
        let values: Vec<_> = self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
        let [value] = values[..] else { panic!("`{name}` is not there once: {values:?} in {self:?}") };
        value.to_owned()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body, which is one JSON value.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The messages of the body, which is an event stream.
    pub(crate) fn events(&self) -> Vec<Value> {
        assert_eq!(self.header("content-type"), "text/event-stream", "{self:?}");
        let mut decoder = Decoder::new(usize::MAX);
        decoder.push(&self.body).unwrap();
        std::iter::from_fn(|| decoder.next_event()).map(|event| serde_json::from_str(&event.data).unwrap()).collect()
    }

    /// The last message, however it came.
    pub(crate) fn message(&self) -> Value {
        match self.header("content-type").as_str() {
            "text/event-stream" => self.events().pop().expect("a stream ends with an answer"),
            _ => self.json(),
        }
    }

    /// The result, which must be there, with status 200.
    pub(crate) fn result(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{self:?}");
        let mut message = self.message();
        assert!(message.get("result").is_some(), "{message}");
        message["result"].take()
    }

    /// Status and JSON-RPC error code, for a table of refusals.
    pub(crate) fn refusal(&self) -> (u16, i64) {
        let message = self.json();
        let code = message["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {self:?}"));
        (self.status.as_u16(), code)
    }

    /// The whole response as text, in the order of HTTP/1.1: status, headers by name, body. What changes with
    /// the time and with the length of a port number is left out.
    pub(crate) fn whole(&self) -> String {
        let mut out = format!("{}\n", self.status.as_u16());
        // Those that change, and those that are on every answer for browsers.
        let passed_over = [
            header::DATE,
            header::CONTENT_LENGTH,
            header::VARY,
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderName::from_static("x-request-id"),
            HeaderName::from_static("x-amzn-requestid"),
        ];
        let mut headers: Vec<_> = self.headers.iter().filter(|(name, _)| !passed_over.contains(name)).collect();
        headers.sort_by_key(|(name, _)| name.as_str());
        for (name, value) in headers {
            writeln!(out, "{name}: {}", value.to_str().unwrap()).unwrap();
        }
        write!(out, "\n{}", self.text()).unwrap();
        out
    }
}
