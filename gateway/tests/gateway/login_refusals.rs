//! Logins that are refused: on a page, while it is not known to whom an error could be told; at the client, once it is; and on the
//! way back, for a browser that was not sent.

use std::time::Duration;

use axum::Router;
use causeway::config::Authorizer;
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    browser::{Browser, Page},
    harness::Gateway,
    login_client::{Client, LOOPBACK, PUBLIC, WEB, browser, gateway, gateway_with, log_in_at},
};

/// The request is answered with a page that leads nowhere.
async fn on_a_page(gateway: &Gateway, client: Client, error: &str) {
    shown(&client.ask(&mut browser(gateway)).await, error);
}

fn shown(page: &Page, error: &str) {
    assert!(page.status == 400 && page.text.contains(&format!("<code>{error}</code>")), "{page:?}");
    assert!(!page.headers.contains_key("location"), "{page:?}");
}

#[tokio::test]
async fn nobody_is_sent_where_no_login_may_end() {
    let gateway = gateway().await;
    let elsewhere = [
        "https://evil.example/callback",
        "https://claude.ai/api/mcp/auth_callback/",
        "https://claude.ai.evil.example/api/mcp/auth_callback",
        "https://claude.ai/api/mcp/auth_callback?next=https://evil.example",
        "https://claude.ai@evil.example/api/mcp/auth_callback",
        "http://127.0.0.1:1@evil.example/",
        "http://localhost.evil.example/",
        "//evil.example",
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "cursor://elsewhere",
        "http://localhost/#fragment",
        "/callback",
    ];
    for uri in elsewhere {
        on_a_page(&gateway, Client::new(uri), "invalid_request").await;
    }
    on_a_page(&gateway, Client::new(LOOPBACK).without("redirect_uri"), "invalid_request").await;
    on_a_page(&gateway, Client::new(LOOPBACK).again("redirect_uri", WEB), "invalid_request").await;
}

#[tokio::test]
async fn an_unknown_client_is_told_to_its_user() {
    let gateway = gateway().await;
    for id in ["alice", "PEOPLE", "people ", "urn:people"] {
        on_a_page(&gateway, Client::new(LOOPBACK).with("client_id", id), "invalid_client").await;
    }
    on_a_page(&gateway, Client::new(LOOPBACK).without("client_id"), "invalid_request").await;
    on_a_page(&gateway, Client::new(LOOPBACK).again("client_id", "people"), "invalid_request").await;
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_to_the_client() {
    let gateway = gateway().await;
    let good = || Client::new(LOOPBACK);
    let cases = [
        (good().with("response_type", "token"), "unsupported_response_type"),
        (good().without("response_type"), "invalid_request"),
        (good().with("response_mode", "fragment"), "invalid_request"),
        (good().without("code_challenge"), "invalid_request"),
        (good().without("code_challenge_method"), "invalid_request"),
        (good().with("code_challenge_method", "plain"), "invalid_request"),
        (good().with("code_challenge", "too-short"), "invalid_request"),
        (good().with("code_challenge", &"+".repeat(43)), "invalid_request"),
        (good().with("resource", "https://other.example/mcp"), "invalid_target"),
        (good().again("resource", "https://other.example/mcp"), "invalid_target"),
        (good().with("resource", "not a url"), "invalid_target"),
        (good().again("scope", "gateway/call"), "invalid_request"),
    ];
    for (client, error) in cases {
        let page = client.ask(&mut browser(&gateway)).await;
        assert_eq!(page.location().as_str().split('?').next(), Some(LOOPBACK));
        assert_eq!(page.parameter("error").as_deref(), Some(error), "{:?}", client.parameters);
        assert_eq!(page.parameter("state").as_deref(), Some("the client's & own"));
        assert_eq!(page.parameter("iss").as_deref(), Some(PUBLIC));
        assert_eq!(page.parameter("code"), None);
    }
    let long = good().with("state", &"s".repeat(2049)).ask(&mut browser(&gateway)).await;
    assert_eq!((long.parameter("error").as_deref(), long.parameter("state")), (Some("invalid_request"), None));
}

#[tokio::test]
async fn a_client_may_do_without_state_scope_and_resource() {
    let gateway = gateway().await;
    let client = Client::new("http://localhost:1/?here=1").without("state").without("scope").without("resource");
    let back = client.come_back(&mut browser(&gateway)).await;
    assert_eq!(back.parameter("state"), None);
    assert_eq!(back.parameter("here").as_deref(), Some("1"), "the client's own query stays");
    assert!(back.parameter("code").is_some());
}

/// Where a login is under way, and the issuer has let the person in.
async fn under_way(gateway: &Gateway) -> (Browser, String) {
    let mut browser = browser(gateway);
    let back = Client::new(LOOPBACK).log_in(&mut browser).await;
    (browser, back.location().into())
}

#[tokio::test]
async fn only_the_browser_that_was_sent_comes_back() {
    let gateway = gateway().await;
    let (mut owner, url) = under_way(&gateway).await;
    shown(&browser(&gateway).open(&url).await, "invalid_request");
    let (mut other, _) = under_way(&gateway).await;
    shown(&other.open(&url).await, "invalid_request");
    assert!(owner.open(&url).await.parameter("code").is_some());
    // What was done once is not done again.
    shown(&owner.open(&url).await, "invalid_request");
}

/// Somebody makes another person log in as them, or with their code.
#[tokio::test]
async fn a_code_that_was_not_asked_for_goes_nowhere() {
    let gateway = gateway().await;
    let (_, strangers) = under_way(&gateway).await;
    let (mut victim, own) = under_way(&gateway).await;
    let state_of = |url: &str| url.split("state=").nth(1).unwrap().to_owned();
    let mixed = strangers.replace(&state_of(&strangers), "made-up");
    shown(&victim.open(&mixed).await, "invalid_request");
    shown(&victim.open(&format!("{PUBLIC}/login/callback?code=stolen")).await, "invalid_request");
    shown(&victim.open(&format!("{own}&state=twice")).await, "invalid_request");
    // The victim's own is still good.
    assert!(victim.open(&own).await.parameter("code").is_some());
}

#[tokio::test]
async fn who_takes_too_long_begins_again() {
    let gateway = gateway().await;
    let (mut browser, url) = under_way(&gateway).await;
    gateway.clock.advance(Duration::from_secs(600));
    shown(&browser.open(&url).await, "invalid_request");
}

#[tokio::test]
async fn an_error_of_the_issuer_goes_on_to_the_client() {
    let gateway = gateway().await;
    let callback = format!("{PUBLIC}/login/callback");
    let mut browser = browser(&gateway);
    let sent = Client::new(LOOPBACK).consent(&mut browser).await;
    let state = sent.parameter("state").unwrap();
    let url = format!("{callback}?error=access_denied&error_description=not%20today&state={state}");
    let page = browser.open(&url).await;
    assert_eq!(page.parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(page.parameter("error_description").as_deref(), Some("not today"));
    assert_eq!(page.parameter("state").as_deref(), Some("the client's & own"));
    assert_eq!(page.parameter("iss").as_deref(), Some(PUBLIC));

    let sent = Client::new(LOOPBACK).consent(&mut browser).await;
    let state = sent.parameter("state").unwrap();
    let page = browser.open(&format!("{callback}?code=a&iss=https://other.example&state={state}")).await;
    assert_eq!((page.parameter("error").as_deref(), page.parameter("code")), (Some("server_error"), None));
    let sent = Client::new(LOOPBACK).consent(&mut browser).await;
    let page = browser.open(&format!("{callback}?state={}", sent.parameter("state").unwrap())).await;
    assert_eq!(page.parameter("error").as_deref(), Some("invalid_request"), "neither a code nor an error");
}

/// Who has promised to say who it is does so, or is somebody else (RFC 9207, section 2.4).
#[tokio::test]
async fn an_issuer_that_promises_its_name_gives_it() {
    const ISSUER: &str = "https://issuer.example";
    let document = json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://issuer.example/authorize",
        "authorization_response_iss_parameter_supported": true,
    });
    let router = Router::new().fallback(move || std::future::ready(document.to_string()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/.well-known/openid-configuration", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let gateway = gateway_with(|config| {
        let Authorizer::CustomJwt(jwt) = &mut config.authorizer else { panic!("the harness asks for tokens") };
        jwt.discovery_url = url.parse().unwrap();
    })
    .await;
    for (iss, error) in
        [("", Some("server_error")), ("&iss=https://other.example", Some("server_error")), (ISSUER, None)]
    {
        let iss = if iss == ISSUER { format!("&iss={ISSUER}") } else { iss.to_owned() };
        let mut browser = browser(&gateway);
        let sent = Client::new(LOOPBACK).consent(&mut browser).await;
        let state = sent.parameter("state").unwrap();
        let page = browser.open(&format!("{PUBLIC}/login/callback?code=a&state={state}{iss}")).await;
        assert_eq!(page.parameter("error").as_deref(), error, "{iss}");
        assert_eq!(page.parameter("code").is_some(), error.is_none(), "{iss}");
    }
}

/// Two programs begin at once, in one browser.
#[tokio::test]
async fn logins_do_not_disturb_each_other() {
    let gateway = gateway().await;
    let mut browser = browser(&gateway);
    let first = Client::new(LOOPBACK).consent(&mut browser).await;
    let second = Client::new("http://127.0.0.1:40000/").consent(&mut browser).await;
    for (sent, place) in [(first, LOOPBACK), (second, "http://127.0.0.1:40000/")] {
        let back = log_in_at(&mut browser, &sent).await;
        let page = browser.open(back.location().as_str()).await;
        assert_eq!(page.location().as_str().split('?').next(), Some(place));
        assert!(page.parameter("code").is_some());
    }
}

/// A page that rebinds its name to this machine is no user of the gateway on it.
#[tokio::test]
async fn by_a_strangers_name_nobody_logs_in() {
    let gateway = gateway_with(|config| config.gateway.public_url = None).await;
    let here = gateway.anonymous();
    for path in ["/login/authorize", "/login/callback"] {
        let answer = here.clone().header("host", "evil.example").get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["error"].as_str().unwrap()),
            (400, "invalid_request"),
            "{path}"
        );
    }
    for path in ["/login/register", "/login/token", "/login/revoke", "/login/consent"] {
        let answer = here.clone().at(path).header("origin", "https://evil.example").post("{}").await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["error"].as_str().unwrap()),
            (400, "invalid_request"),
            "{path}"
        );
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
    let inspector = here.at("/login/register").header("origin", "http://localhost:6274");
    let answer = inspector.post(format!(r#"{{"redirect_uris": ["{LOOPBACK}"]}}"#)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("access-control-allow-origin").as_str()),
        (201, "http://localhost:6274")
    );
}
