//! A token endpoint's successful answer. Asks for nothing.
//!
//! Source: RFC 6749, section 5.1.

use std::time::Duration;

use causeway_oidc::fetch;
use http::HeaderValue;
use oauth2::{AccessToken, RefreshToken, Scope, TokenResponse, TokenType};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use url::Url;

use super::{super::Failure, Granted};

/// A successful answer, read leniently: some issuers send `expires_in` as text.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Answer {
    access_token: AccessToken,
    token_type: Type,
    #[serde(default, deserialize_with = "lenient_seconds")]
    expires_in: Option<Duration>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Type(String);

impl Answer {
    /// The token as it will be shown. `endpoint` is where it came from.
    pub(super) fn granted(&self, endpoint: &Url) -> Result<Granted, Failure> {
        if !self.token_type.0.eq_ignore_ascii_case("bearer") {
            return Err(Failure::NotBearer { url: fetch::shown(endpoint) });
        }
        let header = format!("Bearer {}", self.access_token.secret());
        let mut header = HeaderValue::try_from(header).map_err(|_| Failure::Unsendable)?;
        header.set_sensitive(true);
        Ok(Granted { header, lifetime: self.expires_in })
    }
}

fn lenient_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let seconds = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    Ok(seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()))
}

impl TokenType for Type {}

impl TokenResponse for Answer {
    type TokenType = Type;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &Type {
        &self.token_type
    }

    fn expires_in(&self) -> Option<Duration> {
        self.expires_in
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        None
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn granted(answer: Value) -> Result<Granted, String> {
        let answer: Answer = serde_json::from_value(answer).map_err(|error| error.to_string())?;
        let endpoint = "https://issuer.example/token".parse().unwrap();
        answer.granted(&endpoint).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_lifetime_is_a_number_in_any_spelling_or_unknown() {
        let lifetime = |expires_in: Value| {
            let answer = json!({"access_token": "t", "token_type": "bEARER", "expires_in": expires_in});
            granted(answer).unwrap().lifetime.map(|lifetime| lifetime.as_secs())
        };
        assert_eq!(lifetime(json!(3600)), Some(3600));
        assert_eq!(lifetime(json!(3599.5)), Some(3599));
        assert_eq!(lifetime(json!("3600")), Some(3600));
        assert_eq!(lifetime(json!(null)), None);
        assert_eq!(lifetime(json!(-1)), None);
        assert_eq!(lifetime(json!("soon")), None);
        assert_eq!(granted(json!({"access_token": "t", "token_type": "Bearer"})).unwrap().lifetime, None);
    }

    #[test]
    fn only_bearer_tokens_that_a_header_carries_are_taken() {
        let good = granted(json!({"access_token": "t", "token_type": "Bearer", "scope": ["odd"]})).unwrap();
        assert_eq!(good.header, "Bearer t");
        assert!(good.header.is_sensitive());
        let mac = granted(json!({"access_token": "t", "token_type": "mac"})).err().unwrap();
        insta::assert_snapshot!(mac, @"`https://issuer.example/token` gave a token that is no bearer token: only `token_type` `Bearer` can be shown to a target");
        let torn = granted(json!({"access_token": "t\n", "token_type": "Bearer"})).err().unwrap();
        insta::assert_snapshot!(torn, @"the credential holds characters that a request cannot carry: check it for line breaks");
    }
}
