//! What API Gateway hands to a function, as the HTTP request that it stands for. Reads both of its formats, and nothing of who
//! calls but what an authorizer of API Gateway has said.
//!
//! Source: API Gateway Developer Guide, "Set up Lambda proxy integrations in API Gateway" (format 1.0) and "Create AWS Lambda
//! proxy integrations for HTTP APIs" (formats 1.0 and 2.0).

use std::collections::BTreeMap;

use axum::body::Body;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value};
use url::form_urlencoded::Serializer;

/// How an answer must look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Of REST APIs.
    V1,
    /// Of HTTP APIs and function URLs.
    V2,
}

/// A request, and what is known of it beside.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) format: Format,
    pub(crate) request: Request<Body>,
    /// The body of the request once more.
    pub(crate) body: Bytes,
    /// The claims of the token that a Cognito or JWT authorizer of API Gateway has verified.
    pub(crate) verified: Option<Map<String, Value>>,
}

/// What stands in no part of a URL as it is, and does in what API Gateway has decoded. Whoever asks for such a path is told that there is
/// none, and makes no error of the function.
const DECODED: AsciiSet =
    CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'?').add(b'`').add(b'{').add(b'}');

/// Why an event is no request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadEvent {
    #[error("this function answers requests of API Gateway and of function URLs, and the event is none: {0}")]
    Foreign(#[source] serde_json::Error),
    #[error(
        "this function answers requests of API Gateway and of function URLs, and the event is of a load balancer: put API Gateway before the function, or run the gateway behind the load balancer (`terraform/self-hosted`)"
    )]
    LoadBalanced,
    #[error("the event has no path")]
    Pathless,
    #[error("the event has no HTTP method")]
    Methodless,
    #[error("the event holds what no HTTP request may hold: {0}")]
    Malformed(#[from] http::Error),
    #[error("the body of the event is not base64, as it says")]
    NotBase64,
}

/// The members of both formats that count.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    version: Option<String>,
    http_method: Option<String>,
    path: Option<String>,
    raw_path: Option<String>,
    raw_query_string: Option<String>,
    query_string_parameters: Option<Texts>,
    multi_value_query_string_parameters: Option<Lists>,
    headers: Option<Texts>,
    multi_value_headers: Option<Lists>,
    cookies: Option<Vec<String>>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
    request_context: Context,
}

type Texts = BTreeMap<String, Option<String>>;
type Lists = BTreeMap<String, Option<Vec<String>>>;

#[derive(Deserialize)]
struct Context {
    stage: Option<String>,
    http: Option<Http>,
    authorizer: Option<Authorizer>,
    /// A load balancer says here which it is. What it wants of an answer depends on how it is set up, which it does not say.
    elb: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

/// A REST API has the claims of its Cognito authorizer here, an HTTP API those of its JWT authorizer one step below. What a Lambda
/// authorizer calls so is a text.
#[derive(Deserialize)]
struct Authorizer {
    claims: Option<Value>,
    jwt: Option<Jwt>,
}

#[derive(Deserialize)]
struct Jwt {
    claims: Option<Map<String, Value>>,
}

impl Event {
    /// Reads `document`. Clients know the gateway's paths below `base`, which is empty or begins with `/`.
    pub(crate) fn read(document: &str, base: &str) -> Result<Self, BadEvent> {
        let document: Document = serde_json::from_str(document).map_err(BadEvent::Foreign)?;
        if document.request_context.elb.is_some() {
            return Err(BadEvent::LoadBalanced);
        }
        let format = if document.version.as_deref() == Some("2.0") { Format::V2 } else { Format::V1 };
        let (uri, method) = (document.uri(format, base)?, document.method()?);
        let headers = headers(document.headers, document.multi_value_headers, document.cookies)?;
        let text = document.body.unwrap_or_default();
        let body: Bytes = match document.is_base64_encoded.unwrap_or_default() {
            true => STANDARD.decode(text).map_err(|_| BadEvent::NotBase64)?.into(),
            false => text.into(),
        };
        let mut request = Request::builder().method(method).uri(uri).body(Body::from(body.clone()))?;
        *request.headers_mut() = headers;
        let verified = document.request_context.authorizer;
        let verified = verified.and_then(|it| match it.claims {
            Some(Value::Object(claims)) => Some(claims),
            _ => it.jwt?.claims,
        });
        Ok(Self { format, request, body, verified })
    }
}

impl Document {
    fn method(&self) -> Result<Method, BadEvent> {
        let of_context = self.request_context.http.as_ref().map(|http| &http.method);
        // Who writes events of format 2.0 with the types of format 1.0 has there what no HTTP API says.
        let method = of_context.or(self.http_method.as_ref()).ok_or(BadEvent::Methodless)?;
        Method::from_bytes(method.as_bytes()).map_err(|error| BadEvent::Malformed(error.into()))
    }

    fn uri(&self, format: Format, base: &str) -> Result<Uri, BadEvent> {
        let path = self.raw_path.as_ref().or(self.path.as_ref()).filter(|path| path.starts_with('/'));
        let path = self.own_path(path.ok_or(BadEvent::Pathless)?, format, base);
        let mut uri = utf8_percent_encode(path, &DECODED).to_string();
        let query = self.query();
        if !query.is_empty() {
            uri.push('?');
            uri.extend(utf8_percent_encode(&query, &DECODED));
        }
        uri.parse().map_err(|error: http::uri::InvalidUri| BadEvent::Malformed(error.into()))
    }

    /// `path` without what stands before the gateway's own: the base path of a domain, or the stage, which the path of an HTTP API
    /// begins with and that of a REST API does not.
    fn own_path<'a>(&self, path: &'a str, format: Format, base: &str) -> &'a str {
        let stage = self.request_context.stage.as_deref().filter(|_| format == Format::V2);
        let stage = stage.map(|stage| ["/", stage].concat());
        let below = |prefix: &str| path.strip_prefix(prefix).filter(|rest| rest.starts_with('/'));
        let own =
            stage.and_then(|stage| below(&stage)).or_else(|| Some(base).filter(|it| !it.is_empty()).and_then(below));
        own.unwrap_or(path)
    }

    fn query(&self) -> String {
        if let Some(raw) = &self.raw_query_string {
            return raw.clone();
        }
        let mut query = Serializer::new(String::new());
        let several = self.multi_value_query_string_parameters.iter().flatten();
        let several = several.flat_map(|(name, values)| values.iter().flatten().map(move |value| (name, value)));
        let single = self.query_string_parameters.iter().flatten();
        let single = single.filter_map(|(name, value)| Some((name, value.as_ref()?)));
        match &self.multi_value_query_string_parameters {
            Some(_) => query.extend_pairs(several),
            None => query.extend_pairs(single),
        };
        query.finish()
    }
}

/// All headers with all of their values. `single` has the last value of each, which is also in `several` where that is there.
fn headers(single: Option<Texts>, several: Option<Lists>, cookies: Option<Vec<String>>) -> Result<HeaderMap, BadEvent> {
    let mut headers = HeaderMap::new();
    for (name, values) in several.iter().flatten() {
        for value in values.iter().flatten() {
            headers.append(header_name(name)?, header_value(value)?);
        }
    }
    for (name, value) in single.iter().flatten() {
        let name = header_name(name)?;
        if let Some(value) = value.as_ref().filter(|_| !headers.contains_key(&name)) {
            headers.append(name, header_value(value)?);
        }
    }
    if let Some(cookies) = cookies.filter(|cookies| !cookies.is_empty()) {
        headers.insert(header::COOKIE, header_value(&cookies.join("; "))?);
    }
    Ok(headers)
}

fn header_name(name: &str) -> Result<HeaderName, BadEvent> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|error| BadEvent::Malformed(error.into()))
}

fn header_value(value: &str) -> Result<HeaderValue, BadEvent> {
    HeaderValue::from_str(value).map_err(|error| BadEvent::Malformed(error.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(document: Value, base: &str) -> Result<Event, String> {
        Event::read(&document.to_string(), base).map_err(|error| error.to_string())
    }

    fn path(document: Value, base: &str) -> String {
        read(document, base).unwrap().request.uri().to_string()
    }

    #[test]
    fn the_gateways_own_path_is_found() {
        let rest = |path: &str| json!({"httpMethod": "POST", "path": path, "requestContext": {"stage": "prod"}});
        let http = |path: &str, stage: &str| json!({"version": "2.0", "rawPath": path, "rawQueryString": "", "requestContext": {"stage": stage, "http": {"method": "GET"}}});
        assert_eq!(path(rest("/mcp"), "/prod"), "/mcp");
        assert_eq!(path(rest("/mcp/arithmetic"), ""), "/mcp/arithmetic");
        assert_eq!(path(rest("/tools/mcp"), "/tools"), "/mcp");
        assert_eq!(path(rest("/toolset/mcp"), "/tools"), "/toolset/mcp");
        assert_eq!(path(http("/prod/mcp", "prod"), ""), "/mcp");
        assert_eq!(path(http("/mcp", "$default"), ""), "/mcp");
        assert_eq!(path(http("/production/mcp", "prod"), ""), "/production/mcp");
    }

    #[test]
    fn whatever_somebody_asks_for_is_a_path() {
        let rest = |path: &str| json!({"httpMethod": "GET", "path": path, "requestContext": {}});
        assert_eq!(path(rest("/.well-known/a b"), ""), "/.well-known/a%20b");
        assert_eq!(path(rest("/mcp/a%20b"), ""), "/mcp/a%20b");
        assert_eq!(path(rest("/mcp/{\"ü\"}?#<>`"), ""), "/mcp/%7B%22%C3%BC%22%7D%3F%23%3C%3E%60");
        assert_eq!(path(rest("/mcp\\^|[]"), ""), "/mcp\\^|[]");
        let raw = json!({"version": "2.0", "rawPath": "/login", "rawQueryString": "a=\"b c\"", "requestContext": {"http": {"method": "GET"}}});
        assert_eq!(path(raw, ""), "/login?a=%22b%20c%22");
        for none in ["", "mcp"] {
            assert_eq!(read(rest(none), "").unwrap_err(), "the event has no path");
        }
    }

    #[test]
    fn only_an_object_of_claims_is_a_verified_token() {
        let claims = |authorizer: Value| {
            let document = json!({"httpMethod": "GET", "path": "/mcp", "requestContext": {"authorizer": authorizer}});
            read(document, "").unwrap().verified.map(Value::from)
        };
        assert_eq!(claims(json!({"claims": {"sub": "a"}})), Some(json!({"sub": "a"})));
        assert_eq!(claims(json!({"jwt": {"claims": {"sub": "a"}, "scopes": null}})), Some(json!({"sub": "a"})));
        // Of Lambda authorizers, and of IAM.
        assert_eq!(claims(json!({"principalId": "a", "claims": "{}"})), None);
        assert_eq!(claims(json!({"lambda": {"claims": "{}"}})), None);
        assert_eq!(claims(json!({"iam": {"userArn": "a"}})), None);
        assert_eq!(claims(json!(null)), None);
    }

    #[test]
    fn the_context_says_the_method_where_it_says_one() {
        let document = json!({"version": "2.0", "httpMethod": "GET", "rawPath": "/mcp", "requestContext": {"http": {"method": "POST"}}});
        assert_eq!(read(document, "").unwrap().request.method(), Method::POST);
    }

    #[test]
    fn a_query_is_kept() {
        let raw = json!({"version": "2.0", "rawPath": "/login", "rawQueryString": "a=1%202&a=3", "requestContext": {"http": {"method": "GET"}}});
        assert_eq!(path(raw, ""), "/login?a=1%202&a=3");
        let parsed = json!({"httpMethod": "GET", "path": "/login", "queryStringParameters": {"a": "3"}, "multiValueQueryStringParameters": {"a": ["1 2", "3"]}, "requestContext": {}});
        assert_eq!(path(parsed, ""), "/login?a=1+2&a=3");
    }

    #[test]
    fn a_header_that_stands_twice_does_so_here() {
        let document = json!({
            "httpMethod": "POST", "path": "/mcp", "requestContext": {},
            "headers": {"Accept": "text/event-stream", "Host": "a.example"},
            "multiValueHeaders": {"Accept": ["application/json", "text/event-stream"], "Host": null},
        });
        let event = read(document, "").unwrap();
        let accepted: Vec<_> = event.request.headers().get_all(header::ACCEPT).iter().collect();
        assert_eq!(accepted, ["application/json", "text/event-stream"]);
        assert_eq!(event.request.headers()[header::HOST], "a.example");
    }

    #[test]
    fn a_body_may_be_base64() {
        let document = |body: &str| json!({"httpMethod": "POST", "path": "/mcp", "body": body, "isBase64Encoded": true, "requestContext": {}});
        assert_eq!(read(document("e30="), "").unwrap().body, "{}");
        assert_eq!(read(document("{}"), "").unwrap_err(), "the body of the event is not base64, as it says");
    }

    #[test]
    fn what_is_no_request_is_said() {
        insta::assert_snapshot!(read(json!({"Records": []}), "").unwrap_err(), @"this function answers requests of API Gateway and of function URLs, and the event is none: missing field `requestContext` at line 1 column 14");
        insta::assert_snapshot!(read(json!({"httpMethod": "POST", "path": "/mcp", "requestContext": {"elb": {"targetGroupArn": "arn"}}}), "").unwrap_err(), @"this function answers requests of API Gateway and of function URLs, and the event is of a load balancer: put API Gateway before the function, or run the gateway behind the load balancer (`terraform/self-hosted`)");
        insta::assert_snapshot!(read(json!({"path": "/mcp", "requestContext": {}}), "").unwrap_err(), @"the event has no HTTP method");
        insta::assert_snapshot!(read(json!({"httpMethod": "POST", "path": "/mcp", "requestContext": {}, "headers": {"a b": "c"}}), "").unwrap_err(), @"the event holds what no HTTP request may hold: invalid HTTP header name");
    }
}
