//! A bearer token that proves an AWS identity: it wraps a presigned URL of STS GetCallerIdentity, as the authenticators of EKS
//! and of Vault do. Whoever holds the token can have AWS say once more who signed it, and can do nothing else with it. Makes
//! such tokens, and takes them apart; asking STS is one GET.
//!
//! Source: the STS API reference, GetCallerIdentity; the IAM user guide, "Authenticating requests: using query parameters".

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign},
    sign::v4,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use causeway_oidc::{
    fetch::{self, BodyError},
    wire_log,
};
use http::StatusCode;
use serde_json::Value;
use tokio::time::timeout;
use url::Url;

use crate::{call, refusal::is_throttling, verify};

/// What such a token begins with.
pub const PREFIX: &str = "causeway-aws-v1.";
/// The signed header that names the gateway for which a token was made: it is good for no other.
pub const AUDIENCE: &str = "x-causeway-gateway-id";
/// Bytes of an answer of STS that are read at most. Real ones have some hundreds.
const MOST_BYTES: usize = 16 << 10;
/// The longest life of a token, as EKS has it.
pub const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The only parameters that such a URL may have, each once.
const PARAMETERS: [&str; 9] = [
    "Action",
    "Version",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
];

/// A token that was taken apart. Who signed it, only STS can say. Its `Debug` shows no signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    url: Url,
    /// When it ends, since the Unix epoch.
    pub expires: Duration,
}

/// Why a text is no token for this gateway.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    #[error("it does not begin with `{PREFIX}`")]
    Foreign,
    #[error("it wraps no URL of GetCallerIdentity at this gateway's STS endpoint")]
    OtherUrl,
    #[error("its URL has unknown, missing or repeated parameters")]
    Parameters,
    #[error("it is not signed for STS in the region `{0}`")]
    OtherScope(String),
    #[error("it was not made for a gateway: the header `{AUDIENCE}` is not signed")]
    NoAudience,
    #[error("it lives longer than {LONGEST:?}")]
    TooLong,
    #[error("it has expired, or is of the future")]
    Expired,
}

/// Whose signature it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// For example `arn:aws:sts::123456789012:assumed-role/developers/alice`.
    pub arn: String,
    pub account: String,
    pub user_id: String,
}

/// Why STS did not say whose signature it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// A signature that AWS does not accept: wrong, expired, or made for another gateway.
    #[error("STS refused the signature (HTTP {0})")]
    Refused(u16),
    #[error("STS cannot be asked: {0}")]
    Unavailable(String),
}

/// A token of the holder of `credentials` for the gateway `audience`, good for `life` (at most [`LONGEST`]) from `now` on.
/// `endpoint` is that of STS in `region`, for example `https://sts.us-east-1.amazonaws.com/`.
///
/// # Errors
/// An audience or an endpoint that cannot be signed.
pub fn present(
    credentials: &Credentials,
    region: &str,
    endpoint: &Url,
    audience: &str,
    life: Duration,
    now: Duration,
) -> Result<String, aws_sigv4::http_request::SigningError> {
    let mut url = endpoint.clone();
    url.set_query(Some("Action=GetCallerIdentity&Version=2011-06-15"));
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(life.min(LONGEST));
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("sts")
        .time(UNIX_EPOCH + now)
        .settings(settings)
        .build()
        .expect("all five are set");
    let headers = [(AUDIENCE, audience)];
    let request = SignableRequest::new("GET", url.as_str(), headers.into_iter(), SignableBody::Bytes(&[]))?;
    let (instructions, _) = sign(request, &params.into())?.into_parts();
    for (name, value) in instructions.params() {
        url.query_pairs_mut().append_pair(name, value);
    }
    Ok([PREFIX, &BASE64_URL_SAFE_NO_PAD.encode(url.as_str())].concat())
}

impl Token {
    /// Takes `text` apart: a URL of `endpoint` and nothing else, so that nobody makes the gateway ask another host or do
    /// another thing.
    ///
    /// # Errors
    /// [`BadToken`].
    pub fn read(text: &str, endpoint: &Url, region: &str, now: Duration, skew: Duration) -> Result<Self, BadToken> {
        let wrapped = text.strip_prefix(PREFIX).ok_or(BadToken::Foreign)?;
        let wrapped = BASE64_URL_SAFE_NO_PAD.decode(wrapped).map_err(|_| BadToken::OtherUrl)?;
        let url = std::str::from_utf8(&wrapped).ok().and_then(|url| Url::parse(url).ok()).ok_or(BadToken::OtherUrl)?;
        let same_place = (url.scheme(), url.host_str(), url.port_or_known_default(), url.path())
            == (endpoint.scheme(), endpoint.host_str(), endpoint.port_or_known_default(), endpoint.path());
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if !same_place || !plain {
            return Err(BadToken::OtherUrl);
        }
        let expires = Self::expires(&url, region, now, skew)?;
        Ok(Self { url, expires })
    }

    /// Checks the parameters of `url`, and says when it ends.
    fn expires(url: &Url, region: &str, now: Duration, skew: Duration) -> Result<Duration, BadToken> {
        let pairs: Vec<_> = url.query_pairs().collect();
        let known = pairs.iter().all(|(name, _)| PARAMETERS.contains(&name.as_ref()));
        let value = |wanted: &str| {
            let mut values = pairs.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_ref());
            values.next().filter(|_| values.next().is_none()).ok_or(BadToken::Parameters)
        };
        let token_once = pairs.iter().filter(|(name, _)| name == "X-Amz-Security-Token").count() <= 1;
        let signature = value("X-Amz-Signature")?;
        let is_signature = signature.len() == 64 && signature.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !known || !token_once || !is_signature {
            return Err(BadToken::Parameters);
        }
        let other_scope = || BadToken::OtherScope(region.to_owned());
        let scope: Vec<&str> = value("X-Amz-Credential")?.split('/').collect();
        let [_, day, of, "sts", "aws4_request"] = scope[..] else { return Err(other_scope()) };
        if of != region || !value("X-Amz-Date")?.starts_with(day) {
            return Err(other_scope());
        }
        if (value("Action")?, value("Version")?) != ("GetCallerIdentity", "2011-06-15") {
            return Err(BadToken::OtherUrl);
        }
        if value("X-Amz-Algorithm")? != "AWS4-HMAC-SHA256" {
            return Err(BadToken::Parameters);
        }
        if !value("X-Amz-SignedHeaders")?.split(';').any(|name| name == AUDIENCE) {
            return Err(BadToken::NoAudience);
        }
        let begin = verify::time(value("X-Amz-Date")?).ok_or(BadToken::Parameters)?;
        let life = value("X-Amz-Expires")?.parse().map(Duration::from_secs).map_err(|_| BadToken::Parameters)?;
        if life > LONGEST {
            return Err(BadToken::TooLong);
        }
        match begin > now + skew || begin + life <= now {
            true => Err(BadToken::Expired),
            false => Ok(begin + life),
        }
    }

    /// Asks STS whose it is, in the name of the gateway `audience`.
    ///
    /// # Errors
    /// [`Unknown`], without the token or its URL.
    pub async fn identity(&self, http: &reqwest::Client, audience: &str) -> Result<Identity, Unknown> {
        let asked = timeout(call::TIMEOUT, self.ask(http, audience)).await;
        let (status, text) = match asked {
            Ok(answer) => answer?,
            Err(_) => return Err(Unknown::Unavailable(format!("no answer within {:?}", call::TIMEOUT))),
        };
        if status.is_success() {
            return Identity::read(&text).ok_or_else(|| Unknown::Unavailable("its answer holds no identity".into()));
        }
        let code = member(&text, "Code").unwrap_or_default();
        // Only what STS says of the token is said of it: not its own troubles, and not those of somebody between.
        match status.as_u16() {
            400 | 401 | 403 if !code.is_empty() && !is_throttling(&code) => Err(Unknown::Refused(status.as_u16())),
            status => Err(Unknown::Unavailable(format!("it answered HTTP {status} {code}"))),
        }
    }

    async fn ask(&self, http: &reqwest::Client, audience: &str) -> Result<(StatusCode, String), Unknown> {
        let unavailable = |error: reqwest::Error| Unknown::Unavailable(fetch::cause(error));
        let request = http.get(self.url.clone()).header(AUDIENCE, audience).header("accept", "application/json");
        let request = request.build().map_err(unavailable)?;
        let answer = wire_log::send(http, request).await.map_err(unavailable)?;
        let status = answer.status();
        let body = fetch::read_bounded(answer, MOST_BYTES).await.map_err(|error| match error {
            BodyError::TooLarge(_) => Unknown::Unavailable(error.to_string()),
            BodyError::Broken(error) => unavailable(error),
        })?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

impl Identity {
    /// From the answer of GetCallerIdentity: JSON, as STS gives it when asked, or XML, as it does else.
    fn read(answer: &str) -> Option<Self> {
        let member = |name| member(answer, name);
        Some(Self { arn: member("Arn")?, account: member("Account")?, user_id: member("UserId")? })
    }
}

/// A text of an answer of STS, which is JSON or XML. None of those that are asked for can hold a letter that XML escapes.
fn member(answer: &str, name: &str) -> Option<String> {
    match serde_json::from_str::<Value>(answer) {
        Ok(json) => {
            let places = [&json["GetCallerIdentityResponse"]["GetCallerIdentityResult"], &json["Error"]];
            places.iter().find_map(|place| place[name].as_str()).map(str::to_owned)
        }
        Err(_) => {
            let (_, after) = answer.split_once(&format!("<{name}>"))?;
            after.split_once('<').map(|(text, _)| text.to_owned())
        }
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("expires", &self.expires).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_769_860_800);
    const SKEW: Duration = Duration::from_secs(30);
    const MINUTE: Duration = Duration::from_secs(60);

    fn endpoint() -> Url {
        "https://sts.us-east-1.amazonaws.com/".parse().unwrap()
    }

    fn token(life: Duration) -> String {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("to/ken+=".into()), None, "test");
        present(&credentials, "us-east-1", &endpoint(), "tools.example.com", life, NOW).unwrap()
    }

    fn read(token: &str, now: Duration) -> Result<Token, BadToken> {
        Token::read(token, &endpoint(), "us-east-1", now, SKEW)
    }

    /// `token` with `from` in its URL replaced.
    fn changed(token: &str, from: &str, to: &str) -> String {
        let url = BASE64_URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX).unwrap()).unwrap();
        let url = String::from_utf8(url).unwrap();
        assert!(url.contains(from), "{url}");
        [PREFIX, &BASE64_URL_SAFE_NO_PAD.encode(url.replacen(from, to, 1))].concat()
    }

    #[test]
    fn a_token_is_good_for_its_life() {
        let made = token(MINUTE);
        assert_eq!(read(&made, NOW).unwrap().expires, NOW + MINUTE);
        assert!(read(&made, NOW - SKEW).is_ok());
        assert_eq!(read(&made, NOW + MINUTE), Err(BadToken::Expired));
        assert_eq!(read(&made, NOW - SKEW - Duration::from_secs(1)), Err(BadToken::Expired));
        assert_eq!(read(&token(10 * LONGEST), NOW).unwrap().expires, NOW + LONGEST);
    }

    #[test]
    fn nothing_but_the_one_question_is_asked() {
        let made = token(MINUTE);
        let check = |from: &str, to: &str, bad: BadToken| assert_eq!(read(&changed(&made, from, to), NOW), Err(bad));
        check("sts.us-east-1.amazonaws.com", "evil.example.com", BadToken::OtherUrl);
        check("https://", "http://", BadToken::OtherUrl);
        check("https://", "https://user@", BadToken::OtherUrl);
        check("amazonaws.com/", "amazonaws.com:444/", BadToken::OtherUrl);
        check("amazonaws.com/", "amazonaws.com/x", BadToken::OtherUrl);
        check("GetCallerIdentity", "AssumeRole", BadToken::OtherUrl);
        check("Version=", "RoleArn=x&Version=", BadToken::Parameters);
        check("Version=", "Action=GetCallerIdentity&Version=", BadToken::Parameters);
        check("X-Amz-Signature=", "X-Amz-Signature=&X-Amz-Signature=", BadToken::Parameters);
        check("X-Amz-Signature=", "X-Amz-Signature=0", BadToken::Parameters);
        let other_scope = || BadToken::OtherScope("us-east-1".into());
        check("us-east-1%2F", "us-west-2%2F", other_scope());
        check("%2Fsts%2F", "%2Fs3%2F", other_scope());
        check("AKIDEXAMPLE%2F2", "AKIDEXAMPLE%2F1", other_scope());
        check("X-Amz-Expires=60", "X-Amz-Expires=901", BadToken::TooLong);
        check("%3Bx-causeway-gateway-id", "", BadToken::NoAudience);
        assert_eq!(read("eyJ.e.s", NOW), Err(BadToken::Foreign));
        assert_eq!(read("causeway-aws-v1.!", NOW), Err(BadToken::OtherUrl));
    }

    #[test]
    fn both_forms_of_the_answer_are_read() {
        let arn = "arn:aws:sts::123456789012:assumed-role/developers/alice@example.com";
        let expected = Identity { arn: arn.into(), account: "123456789012".into(), user_id: "AROA:alice".into() };
        let json = format!(
            r#"{{"GetCallerIdentityResponse":{{"GetCallerIdentityResult":{{"Account":"123456789012","Arn":"{arn}","UserId":"AROA:alice"}},"ResponseMetadata":{{"RequestId":"r"}}}}}}"#
        );
        let xml = format!(
            "<GetCallerIdentityResponse><GetCallerIdentityResult>\n<Arn>{arn}</Arn><UserId>AROA:alice</UserId>\n<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
        );
        assert_eq!(Identity::read(&json), Some(expected.clone()));
        assert_eq!(Identity::read(&xml), Some(expected));
        assert_eq!(Identity::read("<html>"), None);
    }
}
