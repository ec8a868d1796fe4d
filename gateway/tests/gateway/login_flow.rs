//! A login as a whole: from the client to the consent page, the issuer, back to the client, and with a token to the tools.

use std::time::Duration;

use causeway::config::SecretSource;
use causeway::secret::Secret;
use serde_json::json;

use crate::{
    harness::Gateway,
    issuer::{CALLBACK, Issuer, PEOPLE, USER},
    login_client::{Client, LOOPBACK, PUBLIC, browser, gateway, gateway_with, log_in_at, register, settings, turn_on},
};

#[tokio::test]
async fn a_person_logs_in_and_the_client_calls() {
    let gateway = gateway().await;
    let id = register(&gateway, &json!({"redirect_uris": [LOOPBACK]})).await.json()["client_id"].clone();
    let client = Client::new(LOOPBACK).with("client_id", id.as_str().unwrap());
    let mut browser = browser(&gateway);
    let back = client.come_back(&mut browser).await;
    let location = back.location();
    assert_eq!(location.as_str().split('?').next(), Some(LOOPBACK));
    assert_eq!(back.parameter("state").as_deref(), Some("the client's & own"));
    assert_eq!(back.parameter("iss").as_deref(), Some(PUBLIC));

    let answer = client.redemption(&back.parameter("code").unwrap()).post(&gateway, "/login/token").await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control").as_str()), (200, "no-store"));
    let tokens: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((tokens["token_type"].as_str(), tokens["expires_in"].as_u64()), (Some("Bearer"), Some(3600)));
    let caller = gateway.with_token(tokens["access_token"].as_str().unwrap());
    assert_eq!(caller.request("ping", json!({})).await.status, 200);
}

/// The issuer is asked by the one client, for its one callback, with the client's own challenge; and with nothing of `resource`.
#[tokio::test]
async fn the_issuer_sees_one_client() {
    let gateway = gateway().await;
    let client = Client::new(LOOPBACK).with("scope", "offline_access gateway/call email");
    let sent = client.consent(&mut browser(&gateway)).await;
    let location = sent.location();
    let names: Vec<String> = location.query_pairs().map(|(name, _)| name.into_owned()).collect();
    let expected = "response_type client_id redirect_uri state code_challenge code_challenge_method scope";
    assert_eq!(names.join(" "), expected);
    let own = |name: &str| client.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    assert_eq!(sent.parameter("client_id").as_deref(), Some(PEOPLE));
    assert_eq!(sent.parameter("redirect_uri").as_deref(), Some(CALLBACK));
    assert_eq!(sent.parameter("scope").as_deref(), Some("gateway/call"));
    assert_eq!(sent.parameter("code_challenge"), own("code_challenge"));
    let state = sent.parameter("state").unwrap();
    assert!(!state.contains("client") && state.len() < 1024, "{state}");
}

#[tokio::test]
async fn a_refresh_token_is_good_once() {
    let gateway = gateway().await;
    let client = Client::new(LOOPBACK);
    let code = client.code(&gateway).await;
    let first = client.redemption(&code).post(&gateway, "/login/token").await;
    let first: serde_json::Value = serde_json::from_slice(&first.body).unwrap();
    let refresh = |token: &serde_json::Value| {
        let form = Client { parameters: Vec::new() }.with("grant_type", "refresh_token").with("client_id", PEOPLE);
        form.with("refresh_token", token.as_str().unwrap()).with("resource", &format!("{PUBLIC}/mcp"))
    };
    let second = refresh(&first["refresh_token"]).post(&gateway, "/login/token").await;
    assert_eq!(second.status, 200);
    let second: serde_json::Value = serde_json::from_slice(&second.body).unwrap();
    let caller = gateway.with_token(second["access_token"].as_str().unwrap());
    assert_eq!(caller.request("ping", json!({})).await.status, 200);
    let again = refresh(&first["refresh_token"]).post(&gateway, "/login/token").await;
    assert_eq!((again.status.as_u16(), again.text()), (400, r#"{"error":"invalid_grant"}"#), "the issuer's own words");

    let revoke = Client { parameters: Vec::new() }.with("client_id", PEOPLE).with("token_type_hint", "refresh_token");
    let revoke = revoke.with("token", second["refresh_token"].as_str().unwrap());
    assert_eq!(revoke.post(&gateway, "/login/revoke").await.status, 200);
    assert_eq!(refresh(&second["refresh_token"]).post(&gateway, "/login/token").await.status, 400);
}

/// The consent page comes each time, though the issuer knows the person by then and would ask nothing.
#[tokio::test]
async fn a_program_on_this_machine_is_asked_about_each_time() {
    let gateway = gateway().await;
    let mut browser = browser(&gateway);
    Client::new(LOOPBACK).come_back(&mut browser).await;
    let page = Client::new("http://127.0.0.1:50000/callback").ask(&mut browser).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("http://127.0.0.1:50000/callback"), "{}", page.text);
    let sent = crate::login_client::answer(&mut browser, &page, "allow").await;
    let back = browser.open(sent.location().as_str()).await;
    assert!(back.parameter("code").is_some(), "the issuer knows {USER}: {back:?}");
}

/// Nothing is kept in a process: any replica with the same keys goes on.
#[tokio::test]
async fn a_login_may_pass_through_several_replicas() {
    let key = || SecretSource::Here(Secret::new("a-key-of-32-bytes-or-more-for-sealing"));
    let with_key = |config: &mut causeway::config::Config| {
        turn_on(config);
        config.sessions.keys = vec![key()];
    };
    let first = Gateway::launch(Issuer::start().await, [], with_key).await;
    // The same issuer by another address.
    let second = Gateway::launch(Issuer::start().await, [], |config| {
        with_key(config);
        let causeway::config::Authorizer::CustomJwt(jwt) = &mut config.authorizer else { panic!("tokens") };
        jwt.discovery_url = first.issuer.discovery_url();
    })
    .await;
    let mut at_first = browser(&first);
    let client = Client::new(LOOPBACK);
    let page = client.ask(&mut at_first).await;
    let mut at_second = browser(&second);
    at_second.cookies = at_first.cookies.clone();
    let sent = crate::login_client::answer(&mut at_second, &page, "allow").await;
    at_first.cookies = at_second.cookies;
    let back = log_in_at(&mut at_first, &sent).await;
    let back = at_first.open(back.location().as_str()).await;
    let answer = client.redemption(&back.parameter("code").unwrap()).post(&second, "/login/token").await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn what_is_configured_wins_over_the_discovery_document() {
    let gateway = gateway_with(|config| {
        let endpoint = "https://login.example.com/oauth2/authorize?identity_provider=Okta".parse().unwrap();
        settings(config).authorization_endpoint = Some(endpoint);
    })
    .await;
    let sent = Client::new(LOOPBACK).consent(&mut browser(&gateway)).await;
    assert_eq!(sent.location().host_str(), Some("login.example.com"));
    assert_eq!(sent.parameter("identity_provider").as_deref(), Some("Okta"));
}

#[tokio::test]
async fn an_issuer_that_is_down_is_told_to_the_client() {
    let issuer = Issuer::start().await;
    issuer.set_down(true);
    let gateway = Gateway::launch(issuer, [], turn_on).await;
    let client = Client::new(LOOPBACK);
    let page = client.ask(&mut browser(&gateway)).await;
    assert_eq!(page.parameter("error").as_deref(), Some("temporarily_unavailable"));
    assert_eq!(page.parameter("iss").as_deref(), Some(PUBLIC));
    gateway.issuer.set_down(false);
    gateway.clock.advance(Duration::from_secs(5));
    let code = client.code(&gateway).await;
    gateway.issuer.set_down(true);
    let answer = client.redemption(&code).post(&gateway, "/login/token").await;
    assert_eq!(answer.status, 502);
}
