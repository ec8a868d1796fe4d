//! The part of Cognito's API that logs people in without a browser: `InitiateAuth` with `USER_PASSWORD_AUTH`, and the answer to
//! its challenge for a new password. Every other operation is refused by name.
//!
//! Source: the Amazon Cognito user pools API reference, `InitiateAuth` and `RespondToAuthChallenge`; AWS JSON 1.1.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    super::{
        PublicClient,
        grants::Person,
        issuer,
        pool::{API_SCOPE, PoolState},
        users::Attempt,
    },
    Served,
};

/// Cognito's.
const CHALLENGE: Duration = Duration::from_secs(3 * 60);

type Texts = BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InitiateAuth {
    auth_flow: String,
    #[serde(default)]
    auth_parameters: Texts,
    client_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RespondToAuthChallenge {
    challenge_name: String,
    client_id: String,
    #[serde(default)]
    challenge_responses: Texts,
    #[serde(default)]
    session: String,
}

/// An error by its name, and its text.
struct Fault(&'static str, &'static str);

pub(super) async fn answer(State(served): State<Served>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let outcome = match target.strip_prefix("AWSCognitoIdentityProviderService.") {
        Some("InitiateAuth") => read(&body).and_then(|request| initiate(&served, request)),
        Some("RespondToAuthChallenge") => read(&body).and_then(|request| respond(&served, request)),
        _ => {
            Err(Fault("UnknownOperationException", "This operation is not part of the development identity provider."))
        }
    };
    let (status, body) = match outcome {
        Ok(body) => (StatusCode::OK, body),
        Err(Fault(name, message)) => (StatusCode::BAD_REQUEST, json!({"__type": name, "message": message})),
    };
    (status, [(CONTENT_TYPE, "application/x-amz-json-1.1")], body.to_string()).into_response()
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|_| Fault("InvalidParameterException", "The request lacks a member."))
}

fn initiate(served: &Served, request: InitiateAuth) -> Result<Value, Fault> {
    let (id, pool, client) = client_of(served, &request.client_id)?;
    let text = |name: &str| request.auth_parameters.get(name).map_or("", String::as_str);
    let now = served.now();
    match request.auth_flow.as_str() {
        "USER_PASSWORD_AUTH" => match pool.users.attempt(text("USERNAME"), text("PASSWORD"), now) {
            Attempt::In(person) => Ok(tokens(served, id, pool, client, person)),
            Attempt::Wrong => Err(Fault("NotAuthorizedException", "Incorrect username or password.")),
            Attempt::NewPassword(name) => Ok(challenge(pool, name, now)),
        },
        "REFRESH_TOKEN_AUTH" | "REFRESH_TOKEN" => {
            let refresh = pool.grants.refreshes.take(now, text("REFRESH_TOKEN"));
            let refresh = refresh.filter(|refresh| refresh.client_id == client.id);
            let refresh = refresh.ok_or(Fault("NotAuthorizedException", "Invalid Refresh Token"))?;
            Ok(tokens(served, id, pool, client, refresh.person))
        }
        _ => Err(Fault("InvalidParameterException", "Only USER_PASSWORD_AUTH and REFRESH_TOKEN_AUTH are here.")),
    }
}

fn challenge(pool: &PoolState, name: String, now: Duration) -> Value {
    let parameters = json!({"USER_ID_FOR_SRP": name, "requiredAttributes": "[]", "userAttributes": "{}"});
    let session = pool.grants.challenged.put(now, CHALLENGE, name);
    json!({"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": session, "ChallengeParameters": parameters})
}

fn respond(served: &Served, request: RespondToAuthChallenge) -> Result<Value, Fault> {
    let (id, pool, client) = client_of(served, &request.client_id)?;
    if request.challenge_name != "NEW_PASSWORD_REQUIRED" {
        return Err(Fault("InvalidParameterException", "Only NEW_PASSWORD_REQUIRED is here."));
    }
    let text = |name: &str| request.challenge_responses.get(name).map_or("", String::as_str);
    let name = pool.grants.challenged.take(served.now(), &request.session);
    let name = name.filter(|name| name == text("USERNAME"));
    let name = name.ok_or(Fault("NotAuthorizedException", "Invalid session for the user, session is expired."))?;
    let person = pool.users.choose(&name, text("NEW_PASSWORD"), served.now());
    let weak = "Password does not conform to policy: 8 characters, capital and small letters, digits and signs";
    Ok(tokens(served, id, pool, client, person.map_err(|_| Fault("InvalidPasswordException", weak))?))
}

/// The pool that has this public client.
fn client_of<'a>(served: &'a Served, id: &str) -> Result<(&'a str, &'a PoolState, &'a PublicClient), Fault> {
    let mut pools = served.provider.0.pools.iter();
    let found = pools.find_map(|(name, pool)| Some((name.as_str(), pool, pool.public_client(id)?)));
    let confidential = served.provider.0.pools.values().any(|pool| pool.has_client(id));
    found.ok_or(match confidential {
        true => {
            Fault("NotAuthorizedException", "The client is configured with a secret but SECRET_HASH was not received")
        }
        false => Fault("ResourceNotFoundException", "User pool client does not exist."),
    })
}

fn tokens(served: &Served, id: &str, pool: &PoolState, client: &PublicClient, person: Person) -> Value {
    let issuer = issuer(&served.base_url, id);
    let granted = pool.issue_to(person, client, API_SCOPE, served.issuing(&issuer));
    let member = |name: &str| granted[name].clone();
    json!({"ChallengeParameters": {}, "AuthenticationResult": {
        "AccessToken": member("access_token"), "ExpiresIn": member("expires_in"), "TokenType": "Bearer",
        "RefreshToken": member("refresh_token"), "IdToken": member("id_token"),
    }})
}
