//! Signing in a user of a Cognito user pool with a password (`InitiateAuth`, `USER_PASSWORD_AUTH`), and what a pool asks for on
//! top: a new password, a code. Sets up no second factor and keeps no tokens.
//!
//! Source: <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html>,
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_RespondToAuthChallenge.html>,
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html#cognito-user-pools-computing-secret-hash>

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use causeway_oidc::{
    fetch::{self, BodyError},
    wire_log,
};
use http::{StatusCode, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::timeout;
use url::Url;

use crate::{
    call::{self, CallError},
    refusal::Refusal,
    secret::SecretText,
};

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

/// How a pool answers a step of signing in.
#[derive(Clone, Debug)]
pub enum Step {
    In(Tokens),
    /// It wants to know more first.
    Challenged(Challenge),
}

/// What a pool wants to know, and what it takes the answer with.
#[derive(Clone, Debug)]
pub struct Challenge {
    pub asks_for: AsksFor,
    session: SecretText,
    /// As the pool itself calls the user, who may have signed in by another name.
    username: String,
}

/// What a pool asks a user for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsksFor {
    /// In place of the one that somebody else gave the user.
    NewPassword,
    /// A code of the app that the user has set up for that.
    AppCode,
    /// A code that was sent to the user's phone.
    PhoneCode,
    /// A code that was sent to the user by mail.
    MailCode,
}

/// Nobody was signed in. No text of it holds a password or a token.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SignInError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(
        "the pool wants `{0}`, which cannot be answered here: sign in in a browser, set up a second factor there if it asks for \
         one, and allow the client `ALLOW_USER_PASSWORD_AUTH`"
    )]
    OtherChallenge(String),
}

/// The pool's API, at `https://cognito-idp.{region}.amazonaws.com/`; it finds the pool by the client's id.
#[derive(Clone, Copy, Debug)]
pub struct Cognito<'a> {
    pub http: &'a reqwest::Client,
    pub endpoint: &'a Url,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    authentication_result: Option<Tokens>,
    challenge_name: Option<String>,
    session: Option<SecretText>,
    challenge_parameters: Option<Map<String, Value>>,
}

impl Cognito<'_> {
    /// The first step.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn sign_in(self, who: SignIn<'_>) -> Result<Step, SignInError> {
        let mut parameters = who.proved(who.username);
        parameters["PASSWORD"] = who.password.into();
        let input = json!({"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": who.client_id, "AuthParameters": parameters});
        self.step("InitiateAuth", &input, who.username).await
    }

    /// Gives `answer` to what the pool asked for.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn answer(self, who: SignIn<'_>, challenge: &Challenge, answer: &str) -> Result<Step, SignInError> {
        let (name, member) = challenge.asks_for.names();
        let mut responses = who.proved(&challenge.username);
        responses[member] = answer.into();
        let input = json!({
            "ChallengeName": name, "ClientId": who.client_id, "Session": challenge.session.expose(), "ChallengeResponses": responses,
        });
        self.step("RespondToAuthChallenge", &input, &challenge.username).await
    }

    async fn step(self, operation: &str, input: &Value, username: &str) -> Result<Step, SignInError> {
        let url = fetch::shown(self.endpoint);
        let after = call::TIMEOUT;
        let (status, body) = match timeout(after, self.ask(operation, input)).await {
            Ok(answer) => answer?,
            Err(_) => return Err(CallError::TimedOut { operation: operation.into(), url, after }.into()),
        };
        let unexpected = || CallError::Unexpected { operation: operation.into(), url, status };
        match serde_json::from_slice::<Answer>(&body) {
            Ok(answer) => answer.step(username)?.ok_or_else(|| unexpected().into()),
            Err(_) => Err(unexpected().into()),
        }
    }

    async fn ask(self, operation: &str, input: &Value) -> Result<(StatusCode, Vec<u8>), CallError> {
        let (operation, url) = (operation.to_owned(), fetch::shown(self.endpoint));
        let unreachable = |error: reqwest::Error| CallError::Unreachable {
            operation: operation.clone(),
            url: url.clone(),
            cause: fetch::cause(error),
        };
        let request = self
            .http
            .post(self.endpoint.clone())
            .header(CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{operation}"))
            .body(input.to_string());
        let request = request.build().map_err(unreachable)?;
        let answer = wire_log::send(self.http, request).await.map_err(unreachable)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = fetch::read_bounded(answer, MOST_BYTES).await.map_err(|error| match error {
            BodyError::TooLarge(limit) => CallError::TooLarge { operation: operation.clone(), url: url.clone(), limit },
            BodyError::Broken(error) => unreachable(error),
        })?;
        if status.is_success() {
            return Ok((status, body));
        }
        match Refusal::read(&operation, status, &headers, &body) {
            Some(refusal) => Err(refusal.into()),
            None => Err(CallError::Unexpected { operation, url, status }),
        }
    }
}

impl Answer {
    /// None if it says neither who is in nor what is asked for.
    fn step(self, username: &str) -> Result<Option<Step>, SignInError> {
        let (tokens, name) = (self.authentication_result, self.challenge_name);
        let name = match (tokens, name) {
            (Some(tokens), _) => return Ok(Some(Step::In(tokens))),
            (None, Some(name)) => name,
            (None, None) => return Ok(None),
        };
        let Some(asks_for) = AsksFor::of(&name) else {
            return Err(SignInError::OtherChallenge(name.chars().take(64).collect()));
        };
        let own = self.challenge_parameters.as_ref().and_then(|all| all.get("USER_ID_FOR_SRP")?.as_str());
        let username = own.unwrap_or(username).to_owned();
        Ok(self.session.map(|session| Step::Challenged(Challenge { asks_for, session, username })))
    }
}

impl AsksFor {
    const ALL: [Self; 4] = [Self::NewPassword, Self::AppCode, Self::PhoneCode, Self::MailCode];

    /// The challenge, and the member of the responses that answers it.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::NewPassword => ("NEW_PASSWORD_REQUIRED", "NEW_PASSWORD"),
            Self::AppCode => ("SOFTWARE_TOKEN_MFA", "SOFTWARE_TOKEN_MFA_CODE"),
            Self::PhoneCode => ("SMS_MFA", "SMS_MFA_CODE"),
            Self::MailCode => ("EMAIL_OTP", "EMAIL_OTP_CODE"),
        }
    }

    fn of(challenge: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|asks_for| asks_for.names().0 == challenge)
    }
}

impl SignIn<'_> {
    /// The user of this name, and proof that the client is one.
    fn proved(&self, username: &str) -> Value {
        let mut parameters = json!({"USERNAME": username});
        if let Some(secret) = self.client_secret {
            parameters["SECRET_HASH"] = Value::String(secret_hash(secret, username, self.client_id));
        }
        parameters
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

    fn judge(body: &str) -> String {
        let answer: Answer = serde_json::from_str(body).unwrap();
        match answer.step("alice@example.com") {
            Ok(Some(Step::In(tokens))) => tokens.access_token.expose().to_owned(),
            Ok(Some(Step::Challenged(challenge))) => {
                format!("{:?} {} {}", challenge.asks_for, challenge.username, challenge.session.expose())
            }
            Ok(None) => "nothing".into(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn an_answer_is_tokens_or_a_challenge() {
        assert_eq!(judge(r#"{"AuthenticationResult":{"AccessToken":"a","IdToken":"i"}}"#), "a");
        let new =
            r#"{"ChallengeName":"NEW_PASSWORD_REQUIRED","Session":"s","ChallengeParameters":{"USER_ID_FOR_SRP":"u"}}"#;
        assert_eq!(judge(new), "NewPassword u s");
        assert_eq!(judge(r#"{"ChallengeName":"SOFTWARE_TOKEN_MFA","Session":"s"}"#), "AppCode alice@example.com s");
        assert_eq!(judge(r#"{"ChallengeName":"EMAIL_OTP","Session":"s"}"#), "MailCode alice@example.com s");
        assert!(judge(r#"{"ChallengeName":"PASSWORD_VERIFIER","Session":"s"}"#).contains("ALLOW_USER_PASSWORD_AUTH"));
        assert!(judge(r#"{"ChallengeName":"MFA_SETUP","Session":"s"}"#).contains("wants `MFA_SETUP`"));
        assert_eq!(judge(r#"{"ChallengeName":"SMS_MFA"}"#), "nothing", "without a session it cannot be answered");
        assert_eq!(judge("{}"), "nothing");
    }

    /// The value is that of Python's `hmac.new(b"secret", b"alice" + b"client", "sha256")`.
    #[test]
    fn a_client_with_a_secret_proves_it() {
        assert_eq!(secret_hash("secret", "alice", "client"), "RTsve+FQ659UKyESgvLg9GYmZEL+QjzQsW/OjL77/b0=");
        let who = SignIn { client_id: "client", client_secret: Some("secret"), username: "alice", password: "p" };
        assert_eq!(who.proved("alice")["SECRET_HASH"], "RTsve+FQ659UKyESgvLg9GYmZEL+QjzQsW/OjL77/b0=");
        assert!(!format!("{who:?}").contains("secret"));
    }
}
