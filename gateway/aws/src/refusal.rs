//! What AWS says when it refuses a call: the error's name and its message, from header or body. Decides no retries, but
//! knows which names mean what.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// AWS answered with an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{operation}` was refused by AWS with `{code}` ({status}): {message}{}", hint(code))]
pub struct Refusal {
    /// Such as `GetSecretValue`.
    pub operation: String,
    /// AWS's name of the error, such as `ResourceNotFoundException`.
    pub code: String,
    /// AWS's [`words`].
    pub message: String,
    /// The answer's HTTP status.
    pub status: StatusCode,
    /// What the answer asks to wait.
    pub retry_after: Option<Duration>,
}

/// Characters of a message that are kept.
const MESSAGE: usize = 500;

/// What an error body says.
struct Body {
    code: Option<String>,
    message: Option<String>,
}

impl Refusal {
    /// The error in an answer with this status. None if it is not one of AWS's.
    pub(crate) fn read(operation: &str, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let body = match serde_json::from_slice(body) {
            Ok(json) => Body::from_json(&json),
            Err(_) => Body::from_xml(&String::from_utf8_lossy(body)),
        };
        let code = error_name(headers).or_else(|| body.code.map(|code| name(&code)))?;
        let message = words(&body.message.unwrap_or_default());
        Some(Self { operation: operation.to_owned(), code, message, status, retry_after: None })
    }
}

impl Body {
    /// The members are spelled differently by each service, and some send two spellings of one.
    fn from_json(json: &Value) -> Self {
        let first = |names: [&str; 3]| names.iter().find_map(|name| json[name].as_str()).map(str::to_owned);
        Self { code: first(["__type", "code", "Code"]), message: first(["message", "Message", "errorMessage"]) }
    }

    /// Some doors before a service, and some of its doubles, answer in XML whatever the service speaks.
    fn from_xml(text: &str) -> Self {
        let of = |tag: &str| {
            let (_, rest) = text.split_once(&format!("<{tag}>"))?;
            rest.split_once(&format!("</{tag}>")).map(|(value, _)| value.to_owned())
        };
        Self { code: of("Code"), message: of("Message") }
    }
}

/// AWS's name of the error that an answer with these headers is, such as `AccessDeniedException`, where they say it.
pub fn error_name(headers: &HeaderMap) -> Option<String> {
    headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok()).map(name)
}

/// `com.amazon.coral#Name:http://details` is `Name`.
fn name(code: &str) -> String {
    let code = code.split(':').next().unwrap_or(code);
    let code = code.rsplit('#').next().unwrap_or(code);
    one_line(code)
}

/// What AWS says in an error's message: one line, shortened if long, and nothing of the request.
pub fn words(message: &str) -> String {
    one_line(without_request(message))
}

/// `message` up to where it repeats the request, session token and all, as AWS does if a signature does not match.
pub(crate) fn without_request(message: &str) -> &str {
    let repeated = message.to_ascii_lowercase().find("the canonical string");
    repeated.map_or(message, |at| message[..at].trim_end())
}

fn one_line(text: &str) -> String {
    let plain = text.chars().map(|it| if it.is_control() { ' ' } else { it });
    plain.take(MESSAGE).collect()
}

/// Whether this error says that the credentials are not good any more, so that reading them again may help.
pub fn is_stale(code: &str) -> bool {
    [
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "RequestExpired",
        "TokenRefreshRequired",
        "UnrecognizedClientException",
    ]
    .contains(&code)
}

/// Whether this error says that the call was not carried out because there are too many.
///
/// Source: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
pub fn is_throttling(code: &str) -> bool {
    [
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    ]
    .contains(&code)
}

/// What to check, where the name alone does not say it.
fn hint(code: &str) -> &'static str {
    match code {
        "AccessDeniedException" | "AccessDenied" => "; check the policy of the identity that calls",
        "InvalidSignatureException" | "SignatureDoesNotMatch" => {
            "; check the secret access key and this machine's clock"
        }
        "RequestTimeTooSkewed" => "; check this machine's clock",
        code if is_stale(code) => "; check that the credentials still exist, or sign in again",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: Option<&str>, body: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert("x-amzn-errortype", header.parse().unwrap());
        }
        Refusal::read("GetX", StatusCode::BAD_REQUEST, &headers, body.as_bytes()).map(|it| it.to_string())
    }

    #[test]
    fn errors_are_read_as_each_service_writes_them() {
        for (header, body, expected) in [
            (
                None,
                r#"{"__type":"com.amazonaws.x#NotFound","Message":"no such thing"}"#,
                "NotFound` (400 Bad Request): no such thing",
            ),
            (
                Some("NotFound:http://internal.amazon.com/x"),
                r#"{"message":"gone"}"#,
                "NotFound` (400 Bad Request): gone",
            ),
            (None, r#"{"code":"Throttling"}"#, "Throttling` (400 Bad Request): "),
            (None, "<Error><Code>NotFound</Code><Message>gone</Message></Error>", "NotFound` (400 Bad Request): gone"),
            (Some("NotFound"), "<html>", "NotFound` (400 Bad Request): "),
            (None, r#"{"Code":"NotFound","message":"gone","Message":"Gone."}"#, "NotFound` (400 Bad Request): gone"),
            (None, r#"{"__type":"NotFound","code":400,"message":null}"#, "NotFound` (400 Bad Request): "),
            (
                None,
                r#"{"__type":"SignatureDoesNotMatch","message":"a\nb"}"#,
                "SignatureDoesNotMatch` (400 Bad Request): a b; check the secret access key and this machine's clock",
            ),
        ] {
            let expected = format!("`GetX` was refused by AWS with `{expected}");
            assert_eq!(read(header, body), Some(expected));
        }
        assert_eq!(read(None, "<html>bad gateway</html>"), None);
        assert_eq!(read(None, r#"["__type"]"#), None);
    }

    /// In the words in which AWS's services do it.
    #[test]
    fn a_request_that_aws_repeats_is_left_out() {
        let said = "The request signature we calculated does not match the signature you provided.";
        for repeated in ["\n\nThe Canonical String", " The canonical string"] {
            let message =
                format!("{said}{repeated} for this request should have been\n'POST\nx-amz-security-token:TOKEN\n'");
            assert_eq!(words(&message), said);
        }
        assert_eq!(words("a\nb "), "a b ");
    }
}
