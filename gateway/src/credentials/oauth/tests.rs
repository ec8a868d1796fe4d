//! Client credentials against token endpoints on real sockets, with time moved by hand and faults injected by the
//! endpoint.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use axum::http::StatusCode;
use base64::{Engine, engine::general_purpose::STANDARD};
use futures::future::join_all;
use http::Request;
use serde_json::json;
use tokio::net::TcpListener;
use url::Url;

use self::issuer::{Behaviour, FakeIssuer, SECRET};
use super::*;
use crate::{
    config::{ClientAuthentication, TokenEndpoint},
    credentials::Credential,
};

mod issuer;

fn request() -> Parts {
    Request::builder().uri("https://target.example/mcp").body(()).unwrap().into_parts().0
}

/// The header that a request gets.
async fn shown(credential: &Credential) -> Result<String, CredentialError> {
    let mut request = request();
    credential.apply(&mut request, b"").await?;
    Ok(request.headers[AUTHORIZATION].to_str().unwrap().to_owned())
}

/// A call as the gateway makes it, to a target that takes the tokens that `takes` says: whether it came through.
async fn call(credential: &Credential, takes: impl Fn(&str) -> bool) -> Result<bool, CredentialError> {
    let mut request = request();
    let refused = credential.apply(&mut request, b"").await?;
    if takes(request.headers[AUTHORIZATION].to_str().unwrap()) {
        return Ok(true);
    }
    Ok(credential.renew(&refused).await? && takes(&shown(credential).await?))
}

/// Shows tokens until it is this one: a refresh in the background has no other sign.
async fn until_shown(credential: &Credential, expected: &str) {
    while shown(credential).await.unwrap() != expected {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_first_calls_make_one_request() {
    let issuer = FakeIssuer::start().await;
    let credential = issuer.credential();
    let calls = (0..1000).map(|_| credential.clone()).map(|it| tokio::spawn(async move { shown(&it).await }));
    for call in join_all(calls).await {
        assert_eq!(call.unwrap().unwrap(), "Bearer token-1");
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_calls_in_an_hour_make_two_requests() {
    let issuer = FakeIssuer::start().await;
    let credential = issuer.credential();
    for call in 0..1000 {
        issuer.at(call * 3600 / 1000);
        shown(&credential).await.unwrap();
    }
    until_shown(&credential, "Bearer token-2").await;
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_refresh() {
    let issuer = FakeIssuer::start().await;
    let credential = issuer.credential();
    shown(&credential).await.unwrap();
    issuer.held.send_replace(true);
    issuer.at(3300);
    for _ in 0..100 {
        assert_eq!(shown(&credential).await.unwrap(), "Bearer token-1");
    }
    issuer.has_been_asked(2).await;
    issuer.held.send_replace(false);
    until_shown(&credential, "Bearer token-2").await;
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn a_slow_endpoint_is_waited_for_together() {
    let issuer = FakeIssuer::start().await;
    let credential = issuer.credential();
    issuer.held.send_replace(true);
    let calls: Vec<_> = (0..50).map(|_| credential.clone()).collect();
    let calls: Vec<_> = calls.into_iter().map(|it| tokio::spawn(async move { shown(&it).await })).collect();
    issuer.has_been_asked(1).await;
    // Whoever began the request goes away, and it goes on for the others.
    calls[0].abort();
    issuer.held.send_replace(false);
    for call in calls.into_iter().skip(1) {
        assert_eq!(call.await.unwrap().unwrap(), "Bearer token-1");
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn an_endpoint_that_hangs_is_given_up() {
    let issuer = FakeIssuer::start().await;
    issuer.held.send_replace(true);
    let after = Duration::from_millis(300);
    let target = "logs".parse().unwrap();
    let oauth = ClientCredentials::with_timeout(&target, &issuer.config(), &issuer.sources(), after);
    let error = shown(&Credential::ClientCredentials(oauth)).await.unwrap_err();
    insta::assert_snapshot!(issuer.text(&error), @"no credential for target `logs`, stage `token`: `http://issuer/token` did not answer within 0.3s: check that the token endpoint is healthy");
}

#[tokio::test]
async fn while_the_endpoint_is_down_the_old_token_serves_to_its_end() {
    let issuer = FakeIssuer::start().await;
    let credential = issuer.credential();
    shown(&credential).await.unwrap();
    issuer.breaks();
    for (attempt, time) in [3300, 3400, 3500, 3599].into_iter().enumerate() {
        issuer.at(time);
        assert_eq!(shown(&credential).await.unwrap(), "Bearer token-1");
        issuer.has_been_asked(2 + attempt).await;
        let Credential::ClientCredentials(oauth) = &credential else { panic!("not OAuth") };
        oauth.token.settled().await;
    }
    issuer.at(3601);
    shown(&credential).await.unwrap_err();
    issuer.becomes(Behaviour::Grant(json!(3600)));
    issuer.at(3610);
    assert!(shown(&credential).await.unwrap().starts_with("Bearer token-"));
}

#[tokio::test]
async fn after_a_failure_the_endpoint_is_left_alone_for_a_while() {
    let issuer = FakeIssuer::start().await;
    let credential = issuer.credential();
    issuer.breaks();
    let first = shown(&credential).await.unwrap_err().to_string();
    for _ in 0..100 {
        assert_eq!(shown(&credential).await.unwrap_err().to_string(), first);
    }
    assert_eq!(issuer.asked(), 1);
    issuer.becomes(Behaviour::Grant(json!(3600)));
    issuer.at(kept::COOL_DOWN.as_secs());
    assert_eq!(shown(&credential).await.unwrap(), "Bearer token-2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_replaced_once_for_all() {
    let issuer = FakeIssuer::start().await;
    let credential = issuer.credential();
    shown(&credential).await.unwrap();
    let calls = (0..100).map(|_| credential.clone());
    let calls = calls.map(|it| tokio::spawn(async move { call(&it, |token| token != "Bearer token-1").await }));
    for came_through in join_all(calls).await {
        assert!(came_through.unwrap().unwrap());
    }
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn a_target_that_always_refuses_costs_few_requests() {
    let issuer = FakeIssuer::start().await;
    let credential = issuer.credential();
    for second in 0..30 {
        issuer.at(second);
        for _ in 0..10 {
            assert!(!call(&credential, |_| false).await.unwrap());
        }
        assert_eq!(issuer.asked(), 2, "second {second}");
    }
    issuer.at(ClientCredentials::FORCE_INTERVAL.as_secs());
    assert!(!call(&credential, |_| false).await.unwrap());
    assert_eq!(issuer.asked(), 3);
}

#[tokio::test]
async fn a_refused_token_without_a_new_one_is_an_error() {
    let issuer = FakeIssuer::start().await;
    let credential = issuer.credential();
    shown(&credential).await.unwrap();
    issuer.breaks();
    let error = call(&credential, |_| false).await.unwrap_err();
    assert!(matches!(*error.failure, crate::credentials::Failure::Unexpected { .. }), "{error}");
}

#[tokio::test]
async fn the_client_proves_itself_as_configured() {
    let issuer = FakeIssuer::start().await;
    let mut config = issuer.config();
    config.client_id = "clïent:1".into();
    config.scopes = vec!["mcp/read".into(), "mcp/write".into()];
    config.custom_parameters =
        [("audience", "https://api.example"), ("resource", "urn:a&b")].map(|(k, v)| (k.into(), v.into())).into();
    shown(&issuer.credential_by(config.clone())).await.unwrap();
    config.client_authentication = ClientAuthentication::Post;
    shown(&issuer.credential_by(config)).await.unwrap();

    let requests = issuer.requests.lock().unwrap().clone();
    // RFC 6749, section 2.3.1 and appendix B: both are form-urlencoded before they are joined.
    let encoded = STANDARD.encode("cl%C3%AFent%3A1:hunter2%3A%2B%2F%25%26%3D%C3%A9+");
    let mut form: BTreeMap<String, String> = [
        ("grant_type", "client_credentials"),
        ("scope", "mcp/read mcp/write"),
        ("audience", "https://api.example"),
        ("resource", "urn:a&b"),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .into();
    assert_eq!(requests[0], (format!("Basic {encoded}"), form.clone()));
    form.insert("client_id".into(), "clïent:1".into());
    form.insert("client_secret".into(), SECRET.into());
    assert_eq!(requests[1], (String::new(), form));
}

/// A client whose secret AWS keeps.
fn kept_by_aws(issuer: &FakeIssuer) -> config::ClientCredentials {
    let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:a";
    let client_secret = config::SecretSource::Aws { reference: arn.parse().unwrap(), json_key: Some("value".into()) };
    config::ClientCredentials { client_secret, client_authentication: ClientAuthentication::Post, ..issuer.config() }
}

#[tokio::test]
async fn a_secret_that_aws_keeps_is_read_when_it_is_needed_and_when_it_is_refused() {
    let issuer = FakeIssuer::start().await;
    *issuer.kept.lock().unwrap() = Some("first");
    let credential = issuer.credential_by(kept_by_aws(&issuer));
    assert_eq!(issuer.read.load(Ordering::SeqCst), 0);
    shown(&credential).await.unwrap();
    issuer.at(100);
    let refused = r#"{"error": "invalid_client"}"#.to_owned();
    issuer.becomes(Behaviour::Answer(StatusCode::UNAUTHORIZED, "application/json", refused));
    *issuer.kept.lock().unwrap() = Some("second");
    assert!(call(&credential, |_| false).await.unwrap_err().to_string().contains("invalid_client"));
    let sent = |at: usize| issuer.requests.lock().unwrap()[at].1["client_secret"].clone();
    assert_eq!([sent(0), sent(1), sent(2)], ["first", "first", "second"]);
    assert_eq!((issuer.read.load(Ordering::SeqCst), issuer.asked()), (2, 3));
}

#[tokio::test]
async fn a_refused_secret_without_another_one_is_shown_once() {
    for kept_then in [Some("first"), None] {
        let issuer = FakeIssuer::start().await;
        *issuer.kept.lock().unwrap() = Some("first");
        let credential = issuer.credential_by(kept_by_aws(&issuer));
        shown(&credential).await.unwrap();
        let refused = r#"{"error": "invalid_client"}"#.to_owned();
        issuer.becomes(Behaviour::Answer(StatusCode::UNAUTHORIZED, "application/json", refused));
        *issuer.kept.lock().unwrap() = kept_then;
        let error = call(&credential, |_| false).await.unwrap_err();
        assert!(error.to_string().contains("invalid_client"), "{error}");
        assert_eq!((issuer.read.load(Ordering::SeqCst), issuer.asked()), (2, 2), "{kept_then:?}");
    }
}

#[tokio::test]
async fn a_secret_that_aws_does_not_give_is_named() {
    let issuer = FakeIssuer::start().await;
    let error = shown(&issuer.credential_by(kept_by_aws(&issuer))).await.unwrap_err();
    insta::assert_snapshot!(error, @"no credential for target `logs`, stage `secret`: the secret `arn:aws:secretsmanager:us-east-1:123456789012:secret:a` cannot be read: `GetSecretValue` was refused by AWS with `ResourceNotFoundException` (400 Bad Request): gone");
    assert_eq!(issuer.asked(), 0);
}

#[tokio::test]
async fn the_token_endpoint_may_come_from_discovery() {
    let issuer = FakeIssuer::start().await;
    let discovery = |path: &str| config::ClientCredentials {
        token_endpoint: TokenEndpoint::Discovery(issuer.url.join(path).unwrap()),
        ..issuer.config()
    };
    let credential = issuer.credential_by(discovery("/.well-known/openid-configuration"));
    assert_eq!(shown(&credential).await.unwrap(), "Bearer token-1");
    let error = shown(&issuer.credential_by(discovery("/nothing"))).await.unwrap_err();
    insta::assert_snapshot!(issuer.text(&error), @"no credential for target `logs`, stage `discovery`: `http://issuer/nothing` answered 404 Not Found: check the URL");
}

#[tokio::test]
async fn a_bad_answer_is_named_without_its_body() {
    let json = "application/json";
    let cases = [
        (StatusCode::OK, "text/html", "<html>hunter2</html>".to_owned()),
        (StatusCode::BAD_GATEWAY, "text/html", "<html>hunter2</html>".into()),
        (StatusCode::OK, json, r#"{"access_token": 7, "secret": "hunter2"}"#.into()),
        (StatusCode::UNAUTHORIZED, json, String::new()),
        (StatusCode::BAD_REQUEST, json, r#"{"error": "invalid_client", "error_description": "hunter2"}"#.into()),
        (StatusCode::BAD_REQUEST, json, r#"{"error": "invalid_scope"}"#.into()),
        (StatusCode::BAD_REQUEST, json, json!({"error": SECRET}).to_string()),
        (StatusCode::OK, json, " ".repeat((256 << 10) + 1)),
    ];
    let mut texts = vec![];
    for (status, content_type, body) in cases {
        let issuer = FakeIssuer::start().await;
        issuer.becomes(Behaviour::Answer(status, content_type, body));
        let error = shown(&issuer.credential()).await.unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        texts.push(issuer.text(&error).replace("no credential for target `logs`, stage `token`: ", ""));
    }
    insta::assert_snapshot!(texts.join("\n"), @"
    `http://issuer/token` answered 200 OK, but no token response: check that it is the token endpoint
    `http://issuer/token` answered 502 Bad Gateway, but no token response: check that it is the token endpoint
    `http://issuer/token` answered 200 OK, but no token response: check that it is the token endpoint
    `http://issuer/token` answered 401 Unauthorized, but no token response: check that it is the token endpoint
    `http://issuer/token` answered 400 Bad Request with the error `invalid_client`: check `client_id`, the secret and `client_authentication`
    `http://issuer/token` answered 400 Bad Request with the error `invalid_scope`: check `scopes`
    `http://issuer/token` answered 400 Bad Request with the error `(not shown)`: check the client's registration and `custom_parameters`
    `http://issuer/token` answered with more than 262144 bytes: check that it is the token endpoint
    ");
}

#[tokio::test]
async fn an_endpoint_that_hangs_up_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}/token", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            drop(connection);
        }
    });
    let issuer = FakeIssuer::start().await;
    let config = config::ClientCredentials { token_endpoint: TokenEndpoint::Url(url), ..issuer.config() };
    let error = shown(&issuer.credential_by(config)).await.unwrap_err();
    assert!(matches!(*error.failure, crate::credentials::Failure::Unreachable { .. }), "{error}");
}

#[test]
fn lifetimes_are_assumed_and_bounded() {
    let check = |lifetime: Option<u64>, asked_at: u64, expected: [u64; 2]| {
        let lifetime = lifetime.map(Duration::from_secs);
        let granted = Granted { header: HeaderValue::from_static("Bearer t"), lifetime };
        let given = granted.given(Duration::from_secs(asked_at));
        assert_eq!([given.refresh_at.as_secs(), given.expires_at.unwrap().as_secs()], expected);
    };
    check(Some(3600), 1000, [4240, 4600]);
    check(None, 0, [270, 300]);
    check(Some(0), 10, [10, 11]);
    check(Some(u64::MAX), 1, [u64::MAX / 10 * 9 + 5, u64::MAX]);
}

#[tokio::test]
async fn debug_shows_no_secret() {
    let issuer = FakeIssuer::start().await;
    let credential = issuer.credential();
    let mut request = request();
    let generation = credential.apply(&mut request, b"").await.unwrap();
    let debug = format!("{credential:?} {generation:?} {request:?}");
    assert!(!debug.contains("hunter2") && !debug.contains("token-1"), "{debug}");
}
