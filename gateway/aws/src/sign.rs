//! Signature Version 4 over the exact bytes of a request. Whole bodies only: a body whose bytes are not known yet is not
//! signed, because its signature would say nothing of them. Presigns no URLs (`caller_identity.rs`) and judges nothing (`verify.rs`).
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html>

use std::{
    borrow::Cow,
    time::{Duration, SystemTime},
};

use aws_credential_types::Credentials;
use aws_lc_rs::digest::{SHA256, digest};
use aws_sigv4::{
    http_request::{self, PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings},
    sign::v4,
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Uri,
    header::{AUTHORIZATION, HOST},
    request::Parts,
    uri::PathAndQuery,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

/// Set by a signature, in place of what a request had.
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const BODY_HASH: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// Not signed: what a hop on the way may change or drop.
const CHANGING: [&str; 15] = [
    "authorization",
    "baggage",
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
];

/// All that is percent-encoded in a canonical query: everything but RFC 3986's unreserved characters.
pub(crate) const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a signature is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The service's signing name, such as `bedrock-agentcore`. It may differ from the one in the host name.
    pub service: &'a str,
    /// Such as `us-east-1`.
    pub region: &'a str,
}

/// Why a request cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    #[error("the URL of a request to sign has no host: use an absolute URL")]
    NoHost,
    #[error("the query of a request to sign is not UTF-8 once it is decoded: check its percent-encoding")]
    Query,
    #[error("the query of a request to sign is too long once it is encoded: send less in it")]
    TooLong,
    #[error("the request cannot be signed: {0}")]
    Request(#[from] http_request::SigningError),
    #[error("the AWS credentials hold characters that a request cannot carry: check them for line breaks")]
    Unsendable,
}

/// Signs `request`, whose body is `body`, as of `now` (since the Unix epoch): sets `authorization`, `x-amz-date`,
/// `x-amz-content-sha256` and, for temporary credentials, `x-amz-security-token`, in place of older ones.
///
/// Nothing that is signed may change afterwards. Signed are the path as it stands (encoded once more and with dot
/// segments resolved, as every service but S3 does it), `host` as a client derives it from the URL, every header but
/// those that a hop may change and those that are not ASCII. The query is first brought into the one form that all
/// verifiers agree on, its pairs in their order: a `+` becomes `%20`, `:` becomes `%3A`.
///
/// # Errors
/// [`SignError`] if there is no host, or something that the signature must cover cannot be written into it.
pub fn sign(
    request: &mut Parts,
    body: &[u8],
    credentials: &Credentials,
    scope: Scope<'_>,
    now: Duration,
) -> Result<(), SignError> {
    let mut settings = settings();
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    sign_with(request, body, credentials, scope, now, settings)
}

/// [`sign`], with or without the header of the body's hash.
fn sign_with(
    request: &mut Parts,
    body: &[u8],
    credentials: &Credentials,
    scope: Scope<'_>,
    now: Duration,
    settings: SigningSettings,
) -> Result<(), SignError> {
    if request.uri.host().is_none() {
        return Err(SignError::NoHost);
    }
    for header in [AUTHORIZATION, DATE, TOKEN, BODY_HASH] {
        request.headers.remove(header);
    }
    if let Some(uri) = with_canonical_query(&request.uri)? {
        request.uri = uri;
    }
    let host = host(&request.uri);
    let signable = SignableRequest::new(
        request.method.as_str(),
        request.uri.to_string(),
        signed_headers(&request.headers, &host).into_iter(),
        SignableBody::Precomputed(hex_sha256(body)),
    )?;
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(scope.region)
        .name(scope.service)
        .time(SystemTime::UNIX_EPOCH + now)
        .settings(settings)
        .build()
        .expect("all of its members are set")
        .into();
    let (set, _) = http_request::sign(signable, &params)?.into_parts();
    for header in set.into_parts().0 {
        let mut value = HeaderValue::from_str(header.value()).map_err(|_| SignError::Unsendable)?;
        // Whoever sees a signature can send the same request for some minutes.
        value.set_sensitive(header.sensitive() || header.name() == AUTHORIZATION.as_str());
        request.headers.insert(header.name(), value);
    }
    Ok(())
}

fn settings() -> SigningSettings {
    let mut settings = SigningSettings::default();
    settings.excluded_headers = Some(CHANGING.map(Cow::Borrowed).to_vec());
    settings
}

/// What is signed of `headers`, and the `host` that a client adds unless they have one.
fn signed_headers<'a>(headers: &'a HeaderMap, host: &'a str) -> Vec<(&'a str, &'a str)> {
    let text = |(name, value): (&'a HeaderName, &'a HeaderValue)| Some((name.as_str(), value.to_str().ok()?));
    let mut signed: Vec<_> = headers.iter().filter_map(text).collect();
    if !headers.contains_key(HOST) {
        signed.push((HOST.as_str(), host));
    }
    signed
}

/// `host` as HTTP clients send it: without user, with a port that is not the scheme's own.
fn host(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    let usual = if uri.scheme_str() == Some("http") { 80 } else { 443 };
    match uri.port_u16() {
        Some(port) if port != usual => format!("{host}:{port}"),
        _ => host.to_owned(),
    }
}

/// `uri` with its query encoded as a canonical request has it. None if there is none or it is so already.
fn with_canonical_query(uri: &Uri) -> Result<Option<Uri>, SignError> {
    let Some(query) = uri.query() else {
        return Ok(None);
    };
    let canonical = canonical_query(query)?;
    if canonical == query {
        return Ok(None);
    }
    let mut parts = uri.clone().into_parts();
    let path = uri.path();
    let encoded = if canonical.is_empty() { path.to_owned() } else { format!("{path}?{canonical}") };
    // A path that stood in a URI, and ASCII: nothing but the length can be wrong.
    parts.path_and_query = Some(PathAndQuery::try_from(encoded).map_err(|_| SignError::TooLong)?);
    Ok(Some(Uri::from_parts(parts).expect("only its query changed")))
}

/// Each pair of `query`, in its place, as `name=value` with everything but unreserved characters encoded.
fn canonical_query(query: &str) -> Result<String, SignError> {
    let decoded = percent_encoding::percent_decode_str(query).decode_utf8();
    decoded.map_err(|_| SignError::Query)?;
    let encoded = |text: &str| utf8_percent_encode(text, &RESERVED).to_string();
    let pairs = form_urlencoded::parse(query.as_bytes());
    let pairs: Vec<_> = pairs.map(|(name, value)| format!("{}={}", encoded(&name), encoded(&value))).collect();
    Ok(pairs.join("&"))
}

pub(crate) fn hex_sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
