//! Verifies one compact JWS access token with given keys at a given time. Fetches nothing and reads no clock.
//!
//! Source: RFC 7515 (JWS), RFC 7519 section 4.1 (claims), RFC 8725 (best practice).

use std::{fmt, ops::Deref, str::FromStr, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, AlgorithmFamily};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{keys::Keys, verifier::IssuerUnavailable};

/// Bytes of a token at most: what fits a request header of common servers.
pub const MAX_BYTES: usize = 16 << 10;

/// The claims of a verified token. `Debug` shows their names only.
#[derive(Clone, PartialEq)]
pub struct Claims {
    claims: Map<String, Value>,
    expires_at: Duration,
}

/// Why a token is refused. The texts are for logs: they hold nothing of the token but its `kid` and `alg`, shortened.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Longer than [`MAX_BYTES`].
    #[error("the token has {0} bytes, more than {MAX_BYTES}")]
    TooLong(usize),
    /// Not three dots-separated base64url parts of JSON, JSON and a signature.
    #[error("the token is no compact JWS: {0}")]
    Malformed(&'static str),
    /// `none`, an HMAC, or something unknown.
    #[error("the algorithm `{0}` is not accepted: use RS, PS, ES256, ES384 or EdDSA")]
    Algorithm(String),
    /// The header says `crit`: extensions that must be understood, of which none is.
    #[error("the token's header has critical extensions")]
    Critical,
    /// The issuer publishes no such key (or not yet).
    #[error("the issuer publishes no key `{0}` that could have signed the token")]
    UnknownKey(String),
    /// The key is known, but for other algorithms.
    #[error("the algorithm `{0:?}` does not fit the key that the token names")]
    KeyMismatch(Algorithm),
    /// Changed, or signed by someone else.
    #[error("the signature does not match")]
    BadSignature,
    /// A claim that must be there is not, or is of another type.
    #[error("the claim `{0}` is absent or of the wrong type")]
    BadClaim(&'static str),
    /// `iss` is not the issuer that the discovery document names.
    #[error("the claim `iss` is not `{expected}`")]
    WrongIssuer { expected: String },
    /// `exp` is past.
    #[error("the token expired {}s ago", .0.as_secs())]
    Expired(Duration),
    /// `nbf` is still to come.
    #[error("the token is not valid before {}s from now", .0.as_secs())]
    NotYetValid(Duration),
    /// Nothing is known against the token: the issuer's keys could not be had.
    #[error(transparent)]
    IssuerUnavailable(#[from] IssuerUnavailable),
}

/// A token that is parsed but not verified.
pub(crate) struct Unverified<'a> {
    algorithm: Algorithm,
    kid: Option<String>,
    /// Header and payload, as they are signed.
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// Verifies `token`: signature by one of `keys`, `iss` equal to `issuer`, and `exp` and `nbf` at `now` (since the Unix
/// epoch) with `skew` of tolerance. `exp` must be there.
///
/// # Errors
/// The first [`TokenError`] that holds, never [`TokenError::IssuerUnavailable`].
pub fn verify(token: &str, keys: &Keys, issuer: &str, now: Duration, skew: Duration) -> Result<Claims, TokenError> {
    Unverified::parse(token)?.verify(keys, issuer, now, skew)
}

/// The claims of a `token` whose signature somebody has verified whose word is good, such as a gateway in front of this program:
/// `iss`, `exp` and `nbf` are checked as [`verify`] does, the signature is not.
///
/// # Errors
/// The first [`TokenError`] that holds, none of them about keys or signatures.
pub fn vouched(token: &str, issuer: &str, now: Duration, skew: Duration) -> Result<Claims, TokenError> {
    Unverified::parse(token)?.claims(issuer, now, skew)
}

impl<'a> Unverified<'a> {
    /// Refuses what no key can make good.
    pub(crate) fn parse(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > MAX_BYTES {
            return Err(TokenError::TooLong(token.len()));
        }
        let three_parts = || token.rsplit_once('.').filter(|(message, _)| message.matches('.').count() == 1);
        let (message, signature) = three_parts().ok_or(TokenError::Malformed("it has not three parts"))?;
        let (header, payload) = message.split_once('.').expect("it holds one dot");
        let header: Header = part(header).ok_or(TokenError::Malformed("its header is not base64url of JSON"))?;
        if header.crit.is_some() {
            return Err(TokenError::Critical);
        }
        let algorithm = Algorithm::from_str(&header.alg)
            .ok()
            .filter(|algorithm| algorithm.family() != AlgorithmFamily::Hmac)
            .ok_or_else(|| TokenError::Algorithm(shortened(&header.alg)))?;
        Ok(Self { algorithm, kid: header.kid, message, payload, signature })
    }

    pub(crate) fn verify(
        &self,
        keys: &Keys,
        issuer: &str,
        now: Duration,
        skew: Duration,
    ) -> Result<Claims, TokenError> {
        self.check_signature(keys)?;
        self.claims(issuer, now, skew)
    }

    /// Its claims, if they are of `issuer` and hold at `now`.
    fn claims(&self, issuer: &str, now: Duration, skew: Duration) -> Result<Claims, TokenError> {
        let claims: Map<String, Value> =
            part(self.payload).ok_or(TokenError::Malformed("its payload is not base64url of a JSON object"))?;
        if claims.get("iss").and_then(Value::as_str) != Some(issuer) {
            return Err(TokenError::WrongIssuer { expected: issuer.into() });
        }
        let expires_at = date(&claims, "exp")?.ok_or(TokenError::BadClaim("exp"))?;
        if now >= expires_at.saturating_add(skew) {
            return Err(TokenError::Expired(now - expires_at));
        }
        match date(&claims, "nbf")? {
            Some(from) if from > now.saturating_add(skew) => Err(TokenError::NotYetValid(from - now)),
            _ => Ok(Claims { claims, expires_at }),
        }
    }

    fn check_signature(&self, keys: &Keys) -> Result<(), TokenError> {
        let unknown = || TokenError::UnknownKey(self.kid.as_deref().map_or("(unnamed)".into(), shortened));
        let mut candidates = keys.candidates(self.kid.as_deref()).peekable();
        if candidates.peek().is_none() {
            return Err(unknown());
        }
        let mut fitting = candidates.filter(|key| key.fits(self.algorithm)).peekable();
        match (fitting.peek().is_some(), self.kid.is_some()) {
            (_, _) if fitting.any(|key| key.verifies(self.algorithm, self.message, self.signature)) => Ok(()),
            (true, true) => Err(TokenError::BadSignature),
            (false, true) => Err(TokenError::KeyMismatch(self.algorithm)),
            // Without a name, a new key cannot be told from a forged signature.
            (_, false) => Err(unknown()),
        }
    }
}

impl Claims {
    /// When the token expires, since the Unix epoch, without any tolerance.
    pub fn expires_at(&self) -> Duration {
        self.expires_at
    }

    /// The claims themselves.
    pub fn into_map(self) -> Map<String, Value> {
        self.claims
    }
}

impl Deref for Claims {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Self::Target {
        &self.claims
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.claims.keys().collect();
        f.debug_struct("Claims").field("names", &names).field("expires_at", &self.expires_at).finish()
    }
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// A NumericDate (RFC 7519, section 2): seconds since the Unix epoch, perhaps with a fraction.
fn date(claims: &Map<String, Value>, name: &'static str) -> Result<Option<Duration>, TokenError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let whole = value.as_u64().map(Duration::from_secs);
    let date = whole.or_else(|| Duration::try_from_secs_f64(value.as_f64()?).ok());
    date.map(Some).ok_or(TokenError::BadClaim(name))
}

/// The caller's text for a log line: one line, at most 64 characters.
fn shortened(text: &str) -> String {
    text.chars().take(64).flat_map(char::escape_default).collect()
}

#[cfg(test)]
mod tests;
