//! Signing in a user of a Cognito user pool with a password (`InitiateAuth`, `USER_PASSWORD_AUTH`). Answers no challenges
//! and keeps no tokens.
//!
//! Source: <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html>,
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html#cognito-user-pools-computing-secret-hash>

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use causeway_oidc::{
    fetch::{self, BodyError},
    wire_log,
};
use http::{StatusCode, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;
use url::Url;

use crate::{
    call::{self, CallError},
    refusal::Refusal,
    secret::SecretText,
};

const OPERATION: &str = "InitiateAuth";
/// Bytes of an answer that are read at most. Real ones have some thousands.
const MOST_BYTES: usize = 256 << 10;

/// Who signs in, at which client of the pool.
#[derive(Clone, Copy)]
pub struct SignIn<'a> {
    pub client_id: &'a str,
    /// Only a client that was made with one has it.
    pub client_secret: Option<&'a str>,
    pub username: &'a str,
    pub password: &'a str,
}

/// What a pool gives a user who signed in.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tokens {
    /// For a gateway: it holds `client_id` and `scope`.
    pub access_token: SecretText,
    /// For a client: it says who the user is.
    pub id_token: Option<SecretText>,
}

/// Nobody was signed in. No text of it holds a password or a token.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SignInError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(
        "the user must choose a new password first (`NEW_PASSWORD_REQUIRED`): sign in once in a browser, or have one set \
         with `aws cognito-idp admin-set-user-password --permanent`"
    )]
    NewPassword,
    #[error(
        "the pool wants a second factor (`{0}`), which cannot be given here: sign in in a browser, or use a user without one"
    )]
    SecondFactor(String),
    #[error("the pool wants `{0}`, which cannot be answered here: allow the client `ALLOW_USER_PASSWORD_AUTH`")]
    OtherChallenge(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    authentication_result: Option<Tokens>,
    challenge_name: Option<String>,
}

/// Asks the pool at `endpoint` (`https://cognito-idp.{region}.amazonaws.com/`), which finds itself by the client's id.
///
/// # Errors
/// [`SignInError`].
pub async fn sign_in(http: &reqwest::Client, endpoint: &Url, who: SignIn<'_>) -> Result<Tokens, SignInError> {
    let url = fetch::shown(endpoint);
    let after = call::TIMEOUT;
    match timeout(after, ask(http, endpoint, &who)).await {
        Ok(answer) => judged(answer?, &url),
        Err(_) => Err(CallError::TimedOut { operation: OPERATION.into(), url, after }.into()),
    }
}

async fn ask(http: &reqwest::Client, endpoint: &Url, who: &SignIn<'_>) -> Result<(StatusCode, Vec<u8>), CallError> {
    let (operation, url) = (OPERATION.to_owned(), fetch::shown(endpoint));
    let unreachable = |error: reqwest::Error| CallError::Unreachable {
        operation: OPERATION.into(),
        url: fetch::shown(endpoint),
        cause: fetch::cause(error),
    };
    let request = http
        .post(endpoint.clone())
        .header(CONTENT_TYPE, "application/x-amz-json-1.1")
        .header("x-amz-target", "AWSCognitoIdentityProviderService.InitiateAuth")
        .body(who.input().to_string());
    let request = request.build().map_err(unreachable)?;
    let answer = wire_log::send(http, request).await.map_err(unreachable)?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = fetch::read_bounded(answer, MOST_BYTES).await.map_err(|error| match error {
        BodyError::TooLarge(limit) => CallError::TooLarge { operation: operation.clone(), url: url.clone(), limit },
        BodyError::Broken(error) => unreachable(error),
    })?;
    if status.is_success() {
        return Ok((status, body));
    }
    match Refusal::read(OPERATION, status, &headers, &body) {
        Some(refusal) => Err(refusal.into()),
        None => Err(CallError::Unexpected { operation, url, status }),
    }
}

fn judged((status, body): (StatusCode, Vec<u8>), url: &str) -> Result<Tokens, SignInError> {
    let unexpected = || CallError::Unexpected { operation: OPERATION.into(), url: url.into(), status };
    let answer: Answer = serde_json::from_slice(&body).map_err(|_| unexpected())?;
    match (answer.authentication_result, answer.challenge_name.as_deref()) {
        (Some(tokens), _) => Ok(tokens),
        (None, Some("NEW_PASSWORD_REQUIRED")) => Err(SignInError::NewPassword),
        (None, Some(name)) if name.contains("MFA") || name.ends_with("_OTP") => {
            Err(SignInError::SecondFactor(name.to_owned()))
        }
        (None, Some(name)) => Err(SignInError::OtherChallenge(name.chars().take(64).collect())),
        (None, None) => Err(unexpected().into()),
    }
}

impl SignIn<'_> {
    fn input(&self) -> Value {
        let mut parameters = json!({"USERNAME": self.username, "PASSWORD": self.password});
        if let Some(secret) = self.client_secret {
            parameters["SECRET_HASH"] = Value::String(secret_hash(secret, self.username, self.client_id));
        }
        json!({"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": self.client_id, "AuthParameters": parameters})
    }
}

impl std::fmt::Debug for SignIn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Proves that the caller has the client's secret.
fn secret_hash(secret: &str, username: &str, client_id: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, [username, client_id].concat().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(body: &str) -> Result<String, String> {
        let judged = judged((StatusCode::OK, body.into()), "https://cognito-idp.us-east-1.amazonaws.com/");
        judged.map(|tokens| tokens.access_token.expose().to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_answer_is_tokens_or_a_challenge() {
        assert_eq!(judge(r#"{"AuthenticationResult":{"AccessToken":"a","IdToken":"i"}}"#).unwrap(), "a");
        assert!(judge(r#"{"ChallengeName":"NEW_PASSWORD_REQUIRED"}"#).unwrap_err().contains("new password first"));
        assert!(
            judge(r#"{"ChallengeName":"SOFTWARE_TOKEN_MFA"}"#)
                .unwrap_err()
                .contains("second factor (`SOFTWARE_TOKEN_MFA`)")
        );
        assert!(judge(r#"{"ChallengeName":"EMAIL_OTP"}"#).unwrap_err().contains("second factor"));
        assert!(judge(r#"{"ChallengeName":"PASSWORD_VERIFIER"}"#).unwrap_err().contains("ALLOW_USER_PASSWORD_AUTH"));
        assert!(judge("{}").unwrap_err().contains("no answer that it knows"));
    }

    /// The value is that of Python's `hmac.new(b"secret", b"alice" + b"client", "sha256")`.
    #[test]
    fn a_client_with_a_secret_proves_it() {
        assert_eq!(secret_hash("secret", "alice", "client"), "RTsve+FQ659UKyESgvLg9GYmZEL+QjzQsW/OjL77/b0=");
        let who = SignIn { client_id: "client", client_secret: Some("secret"), username: "alice", password: "p" };
        assert_eq!(who.input()["AuthParameters"]["SECRET_HASH"], "RTsve+FQ659UKyESgvLg9GYmZEL+QjzQsW/OjL77/b0=");
        assert!(!format!("{who:?}").contains("secret"));
    }
}
