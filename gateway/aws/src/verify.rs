//! Judges SigV4 signatures in the header `Authorization` that somebody else made, with the secret of the access key that they
//! name. Knows no access keys and no principals, and reads no presigned URLs: `caller_identity.rs` does.
//!
//! Source: the pages "Elements of an AWS API request signature" and "Create a signed AWS API request" of the IAM user guide.

use std::{
    fmt,
    time::{Duration, UNIX_EPOCH},
};

use aws_credential_types::Credentials;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_types::date_time::{DateTime, Format};
use http::{HeaderMap, HeaderName, header, request::Parts, uri::Authority};

use crate::sign::hex_sha256;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TERMINATOR: &str = "aws4_request";
/// Of an access key's id, by the IAM API reference; a region and a service are shorter.
const LONGEST: usize = 128;
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// What a signed request says of its signature, not yet judged. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Presented {
    pub access_key_id: String,
    pub region: String,
    pub service: String,
    /// When it was signed, since the Unix epoch, by `x-amz-date`.
    pub time: Duration,
    signed_headers: Vec<HeaderName>,
    /// Hex digits.
    signature: String,
}

/// Why a signature is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotVerified {
    #[error("there is no header `Authorization`")]
    Absent,
    #[error("the header `Authorization` is no `{ALGORITHM}` with one `Credential`, `SignedHeaders` and `Signature`")]
    Malformed,
    #[error(
        "the header `x-amz-date` is missing, or is no time such as `20260131T120000Z`, or not the day of the credential"
    )]
    Undated,
    #[error("it was signed at a time that differs from this machine's by more than {0:?}")]
    Skewed(Duration),
    #[error("the header `{0}` must be signed and is not")]
    Unsigned(HeaderName),
    #[error("the signed header `{0}` is not there, or is no text")]
    Missing(HeaderName),
    #[error("the header `x-amz-content-sha256` is not the hash of the body")]
    OtherBody,
    #[error("it carries a session token, and the access key is none of temporary credentials")]
    SessionToken,
    #[error("the signature does not match")]
    Mismatch,
}

impl Presented {
    /// Reads the header `Authorization` and the time of a request.
    ///
    /// # Errors
    /// [`NotVerified::Absent`], [`NotVerified::Malformed`] or [`NotVerified::Undated`].
    pub fn read(headers: &HeaderMap) -> Result<Self, NotVerified> {
        let text = single(headers, &header::AUTHORIZATION)?.ok_or(NotVerified::Absent)?;
        let fields = text.strip_prefix(ALGORITHM).filter(|rest| rest.starts_with(' ')).ok_or(NotVerified::Malformed)?;
        let [mut credential, mut signed, mut signature] = [None; 3];
        for field in fields.split(',') {
            let (name, value) = field.trim().split_once('=').ok_or(NotVerified::Malformed)?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed,
                "Signature" => &mut signature,
                _ => return Err(NotVerified::Malformed),
            };
            if place.replace(value).is_some() {
                return Err(NotVerified::Malformed);
            }
        }
        let (Some(credential), Some(signed), Some(signature)) = (credential, signed, signature) else {
            return Err(NotVerified::Malformed);
        };
        let scope: Vec<&str> = credential.split('/').collect();
        let [access_key_id, day, region, service, TERMINATOR] = scope[..] else { return Err(NotVerified::Malformed) };
        // They stand in messages, and anybody can write them.
        if [access_key_id, region, service].iter().any(|part| part.len() > LONGEST) {
            return Err(NotVerified::Malformed);
        }
        let signed_headers = signed.split(';').map(HeaderName::try_from).collect::<Result<_, _>>();
        let date = single(headers, &DATE)?.filter(|date| date.starts_with(day) && day.len() == 8);
        Ok(Self {
            access_key_id: access_key_id.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            time: date.and_then(time).ok_or(NotVerified::Undated)?,
            signed_headers: signed_headers.map_err(|_| NotVerified::Malformed)?,
            signature: signature.to_owned(),
        })
    }

    /// Judges what the head alone shows: when it was signed, and whether everything is that must be.
    ///
    /// # Errors
    /// [`NotVerified`], but for the signature itself.
    pub fn check_head(&self, headers: &HeaderMap, now: Duration, skew: Duration) -> Result<(), NotVerified> {
        if self.time.abs_diff(now) > skew {
            return Err(NotVerified::Skewed(skew));
        }
        self.covers(headers)?;
        match headers.contains_key(SECURITY_TOKEN) {
            true => Err(NotVerified::SessionToken),
            false => Ok(()),
        }
    }

    /// Judges the signature over the request with this head and body, as the holder of the secret would have made it. The host
    /// is that of [`host`]: a proxy in front must not change it. Whether the head is good, [`Presented::check_head`] says.
    ///
    /// # Errors
    /// [`NotVerified`], without a hint at what would be right.
    pub fn verify(&self, parts: &Parts, body: &[u8], secret_access_key: &str) -> Result<(), NotVerified> {
        if let Some(claimed) = single(&parts.headers, &CONTENT_SHA256)?
            && claimed != hex_sha256(body)
        {
            return Err(NotVerified::OtherBody);
        }
        let expected = self.expected(parts, body, secret_access_key)?;
        verify_slices_are_equal(expected.as_bytes(), self.signature.as_bytes()).map_err(|_| NotVerified::Mismatch)
    }

    /// Whether everything is signed that AWS wants signed: the host and all of AWS's own headers.
    fn covers(&self, headers: &HeaderMap) -> Result<(), NotVerified> {
        let own = headers.keys().filter(|name| name.as_str().starts_with("x-amz-")).cloned();
        let mut wanted = [header::HOST, DATE].into_iter().chain(own);
        match wanted.find(|name| !self.signed_headers.contains(name)) {
            Some(name) => Err(NotVerified::Unsigned(name)),
            None => Ok(()),
        }
    }

    fn expected(&self, parts: &Parts, body: &[u8], secret_access_key: &str) -> Result<String, NotVerified> {
        let host = host(parts)?;
        let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let uri = format!("http://{host}{path}");
        let mut headers = vec![("host", host)];
        for name in self.signed_headers.iter().filter(|name| **name != header::HOST) {
            let values = parts.headers.get_all(name);
            let before = headers.len();
            for value in values {
                headers.push((name.as_str(), value.to_str().map_err(|_| NotVerified::Missing(name.clone()))?));
            }
            if headers.len() == before {
                return Err(NotVerified::Missing(name.clone()));
            }
        }
        let credentials = Credentials::new(&self.access_key_id, secret_access_key, None, None, "of the caller").into();
        // Of the request nothing is left out: what is not in the list was not signed.
        let mut settings = SigningSettings::default();
        settings.excluded_headers = None;
        let params = v4::SigningParams::builder()
            .identity(&credentials)
            .region(&self.region)
            .name(&self.service)
            .time(UNIX_EPOCH + self.time)
            .settings(settings)
            .build()
            .expect("all five are set");
        let body = SignableBody::Bytes(body);
        let request = SignableRequest::new(parts.method.as_str(), uri, headers.into_iter(), body);
        let request = request.map_err(|_| NotVerified::Malformed)?;
        let signed = sign(request, &params.into()).map_err(|_| NotVerified::Malformed)?;
        Ok(signed.into_parts().1)
    }
}

/// To whom a request is addressed: by its header `Host`, or by its URI (HTTP/2).
///
/// # Errors
/// [`NotVerified::Missing`] if neither says it.
pub fn host(head: &Parts) -> Result<&str, NotVerified> {
    match single(&head.headers, &header::HOST)? {
        Some(host) => Ok(host),
        None => head.uri.authority().map(Authority::as_str).ok_or(NotVerified::Missing(header::HOST)),
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// The one value of a header; none if it is not there.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, NotVerified> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| NotVerified::Missing(name.clone())),
        (Some(_), Some(_)) if *name == header::AUTHORIZATION => Err(NotVerified::Malformed),
        (Some(_), Some(_)) => Err(NotVerified::Missing(name.clone())),
    }
}

/// `20260131T120000Z` since the Unix epoch.
pub(crate) fn time(text: &str) -> Option<Duration> {
    let ascii = text.len() == 16 && text.is_ascii();
    let part = |from, to| ascii.then(|| &text[from..to]);
    let (date, clock) = ([part(0, 4)?, part(4, 6)?, part(6, 8)?], [part(9, 11)?, part(11, 13)?, part(13, 15)?]);
    let whole = text.as_bytes()[8] == b'T' && text.ends_with('Z');
    let spelled = format!("{}T{}Z", date.join("-"), clock.join(":"));
    let time = DateTime::from_str(&spelled, Format::DateTime).ok().filter(|_| whole)?;
    u64::try_from(time.secs()).ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    /// The example of the page "Create a signed AWS API request" is of another service; this one is what botocore 1.44.5's
    /// `SigV4Auth` signs: see interop/aws/test_inbound_iam.py for whole requests of botocore and of other signers.
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    const NOW: Duration = Duration::from_secs(1_769_860_800);
    const SKEW: Duration = Duration::from_secs(300);

    fn request(headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::post("/mcp?b=2&a=1");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn authorization(signed: &str, signature: &str) -> String {
        let scope = "20260131/us-east-1/bedrock-agentcore/aws4_request";
        format!("{ALGORITHM} Credential=AKIDEXAMPLE/{scope}, SignedHeaders={signed}, Signature={signature}")
    }

    /// A request that is signed as this module itself would want it.
    fn signed(headers: &[(&str, &str)], names: &str, body: &[u8]) -> Parts {
        let mut parts = request(headers);
        parts.headers.insert(header::AUTHORIZATION, authorization(names, "").parse().unwrap());
        let presented = Presented::read(&parts.headers).unwrap();
        let signature = presented.expected(&parts, body, SECRET).unwrap();
        parts.headers.insert(header::AUTHORIZATION, authorization(names, &signature).parse().unwrap());
        parts
    }

    fn judge(parts: &Parts, body: &[u8]) -> Result<(), NotVerified> {
        let presented = Presented::read(&parts.headers)?;
        presented.check_head(&parts.headers, NOW, SKEW)?;
        presented.verify(parts, body, SECRET)
    }

    const HEADERS: [(&str, &str); 3] =
        [("host", "127.0.0.1:8080"), ("x-amz-date", "20260131T115730Z"), ("content-type", "application/json")];
    const NAMES: &str = "content-type;host;x-amz-date";

    #[test]
    fn any_change_is_noticed() {
        let good = signed(&HEADERS, NAMES, b"{}");
        assert_eq!(judge(&good, b"{}"), Ok(()));
        assert_eq!(judge(&good, b"{ }"), Err(NotVerified::Mismatch));
        let change = |change: fn(&mut Parts)| {
            let mut parts = good.clone();
            change(&mut parts);
            judge(&parts, b"{}")
        };
        assert_eq!(change(|parts| parts.method = http::Method::DELETE), Err(NotVerified::Mismatch));
        assert_eq!(change(|parts| parts.uri = "/mcp?b=2&a=2".parse().unwrap()), Err(NotVerified::Mismatch));
        assert_eq!(change(|parts| parts.uri = "/mcp?a=1&b=2".parse().unwrap()), Ok(()));
        let set = |name: &'static str, value: &'static str| {
            let mut parts = good.clone();
            parts.headers.insert(name, value.parse().unwrap());
            judge(&parts, b"{}")
        };
        assert_eq!(set("host", "127.0.0.1:8081"), Err(NotVerified::Mismatch));
        assert_eq!(set("content-type", "text/json"), Err(NotVerified::Mismatch));
        assert_eq!(set("x-amz-date", "20260131T115731Z"), Err(NotVerified::Mismatch));
        assert_eq!(set("x-amz-date", "20260201T000000Z"), Err(NotVerified::Undated));
        assert_eq!(set("accept", "*/*"), Ok(()));
        let own = HeaderName::from_static("x-amz-target");
        assert_eq!(set("x-amz-target", "x"), Err(NotVerified::Unsigned(own)));
        assert_eq!(change(|parts| drop(parts.headers.remove("host"))), Err(NotVerified::Missing(header::HOST)));
    }

    #[test]
    fn the_hash_of_the_body_must_be_its_hash() {
        let hash = hex_sha256(b"{}");
        let headers = [HEADERS[0], HEADERS[1], ("x-amz-content-sha256", &hash)];
        let names = "host;x-amz-content-sha256;x-amz-date";
        assert_eq!(judge(&signed(&headers, names, b"{}"), b"{}"), Ok(()));
        assert_eq!(judge(&signed(&headers, names, b"{}"), b"[]"), Err(NotVerified::OtherBody));
        let unsigned = [HEADERS[0], HEADERS[1], ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")];
        assert_eq!(judge(&signed(&unsigned, names, b"{}"), b"{}"), Err(NotVerified::OtherBody));
    }

    #[test]
    fn what_must_be_signed_is() {
        let unsigned = |name| Err(NotVerified::Unsigned(name));
        assert_eq!(judge(&signed(&HEADERS, "x-amz-date", b""), b""), unsigned(header::HOST));
        assert_eq!(judge(&signed(&HEADERS, "host", b""), b""), unsigned(DATE));
        let token = [HEADERS[0], HEADERS[1], ("x-amz-security-token", "t")];
        assert_eq!(judge(&signed(&token, "host;x-amz-date", b""), b""), unsigned(SECURITY_TOKEN));
        let names = "host;x-amz-date;x-amz-security-token";
        assert_eq!(judge(&signed(&token, names, b""), b""), Err(NotVerified::SessionToken));
    }

    #[test]
    fn old_and_early_signatures_do_not_count() {
        let at = |date| judge(&signed(&[HEADERS[0], ("x-amz-date", date)], "host;x-amz-date", b""), b"");
        assert_eq!(at("20260131T115500Z"), Ok(()));
        assert_eq!(at("20260131T115459Z"), Err(NotVerified::Skewed(SKEW)));
        assert_eq!(at("20260131T120500Z"), Ok(()));
        assert_eq!(at("20260131T120501Z"), Err(NotVerified::Skewed(SKEW)));
    }

    #[test]
    fn only_one_whole_header_is_read() {
        let read = |authorization: &str| {
            let mut parts = request(&HEADERS);
            parts.headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
            Presented::read(&parts.headers)
        };
        let good = authorization(NAMES, "0f");
        assert_eq!(read(&good).unwrap().access_key_id, "AKIDEXAMPLE");
        assert!(read(&good.replace(", ", ",")).is_ok());
        for bad in [
            "Bearer x".to_owned(),
            "AWS4-HMAC-SHA256".into(),
            good.replace("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256"),
            good.replace("aws4_request", "aws5_request"),
            good.replace("/us-east-1", ""),
            good.replace("AKIDEXAMPLE", &"A".repeat(129)),
            good.replace("Signature=0f", ""),
            format!("{good}, Signature=0e"),
            good.replace("content-type;", "content type;"),
        ] {
            assert_eq!(read(&bad), Err(NotVerified::Malformed), "{bad}");
        }
        assert_eq!(Presented::read(&HeaderMap::new()), Err(NotVerified::Absent));
    }

    #[test]
    fn times() {
        assert_eq!(time("20260131T120000Z"), Some(NOW));
        for bad in
            ["20260131T120000", "2026-01-31T12:00:00Z", "20261331T120000Z", "20260131 120000Z", "2026013éT12000Z"]
        {
            assert_eq!(time(bad), None, "{bad}");
        }
    }
}
