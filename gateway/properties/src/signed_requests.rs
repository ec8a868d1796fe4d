//! Signatures that others present: in the header `Authorization`, and as a bearer token that wraps a presigned URL.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use causeway_aws::{
    Credentials,
    caller_identity::{LONGEST, PREFIX, Token, present},
    verify::Presented,
};
use http::{HeaderMap, HeaderValue, Request};
use url::Url;

use crate::input;

const NOW: Duration = Duration::from_secs(1_440_938_160);
const SKEW: Duration = Duration::from_secs(60);
const REGION: &str = "eu-west-1";
/// Bytes of a session token and of a gateway's name together.
const MOST_OWN: usize = 16 * 1024;

/// A header `Authorization`, a date, and the name of a gateway, each in a line, and then a URL or a bearer token.
///
/// No signature that nobody made is judged good; a token names STS in one region, one operation, and a life that ends; what the
/// gateway makes itself it takes.
pub fn check(data: &[u8]) {
    let Some(([authorization, date, audience], token)) = input::texts(data) else { return };
    presented(authorization, date, token.as_bytes());
    let endpoint: Url = "https://sts.eu-west-1.amazonaws.com/".parse().expect("a URL");
    read(token, &endpoint);
    read(&[PREFIX, &BASE64_URL_SAFE_NO_PAD.encode(token)].concat(), &endpoint);
    // Both come from AWS and from who runs the gateway; what makes URLs of them gives up where one gets longer than HTTP takes.
    if date.len() + audience.len() > MOST_OWN {
        return;
    }
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some(date.to_owned()), None, "fuzz");
    if let Ok(made) = present(&credentials, REGION, &endpoint, audience, Duration::from_secs(60), NOW) {
        let taken = Token::read(&made, &endpoint, REGION, NOW, SKEW).expect("what the gateway makes it does not take");
        assert_eq!(taken.expires, NOW + Duration::from_secs(60));
        assert!(Token::read(&made, &endpoint, "eu-west-2", NOW, SKEW).is_err(), "it is good in another region");
        assert!(Token::read(&made, &endpoint, REGION, NOW + LONGEST, SKEW).is_err(), "it does not end");
        let elsewhere = "https://sts.attacker.example/".parse().expect("a URL");
        assert!(Token::read(&made, &elsewhere, REGION, NOW, SKEW).is_err(), "it leads elsewhere");
    }
}

fn presented(authorization: &str, date: &str, body: &[u8]) {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("a.example"));
    for (name, value) in [("authorization", authorization), ("x-amz-date", date)] {
        headers.extend(HeaderValue::from_str(value).map(|value| (http::HeaderName::from_static(name), value)));
    }
    let Ok(presented) = Presented::read(&headers) else { return };
    assert!([&presented.access_key_id, &presented.region, &presented.service].iter().all(|part| part.len() <= 128));
    let mut parts = Request::builder().method("POST").uri("/mcp?a=b").body(()).expect("a request").into_parts().0;
    parts.headers = headers;
    let _ = presented.check_head(&parts.headers, NOW, SKEW);
    assert!(
        presented.verify(&parts, body, "a secret that nobody knows").is_err(),
        "a signature that nobody made is good"
    );
}

fn read(text: &str, endpoint: &Url) {
    let Ok(token) = Token::read(text, endpoint, REGION, NOW, SKEW) else { return };
    assert!(token.expires > NOW && token.expires <= NOW + SKEW + LONGEST, "it lives too long");
    let wrapped = text.strip_prefix(PREFIX).expect("it has the prefix");
    let url = BASE64_URL_SAFE_NO_PAD.decode(wrapped).expect("it is base64");
    let url = Url::parse(std::str::from_utf8(&url).expect("text")).expect("a URL");
    assert_eq!(url.origin(), endpoint.origin(), "it leads elsewhere");
    assert_eq!(url.query_pairs().filter(|(name, _)| name == "Action").count(), 1);
    assert!(url.query_pairs().any(|(name, value)| name == "Action" && value == "GetCallerIdentity"));
    assert!(!format!("{token:?}").contains("Signature"), "a log shows a signature");
}
