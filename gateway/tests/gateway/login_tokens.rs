//! Codes and tokens: a code is good for the client, the place and the verifier that it was asked for with, and for nobody who goes
//! around the gateway.

use std::time::Duration;

use axum::Router;
use http::Method;
use tokio::net::TcpListener;

use crate::{
    answer::Answer,
    caller::Caller,
    issuer::PEOPLE,
    login_client::{Client, LOOPBACK, WEB, browser, gateway, gateway_with, settings},
};

fn error(answer: &Answer) -> (u16, String) {
    let body: serde_json::Value =
        serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("no JSON: {answer:?}"));
    (answer.status.as_u16(), body["error"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_code_is_bound_to_what_it_was_asked_for_with() {
    let gateway = gateway().await;
    let client = Client::new(LOOPBACK);
    let code = client.code(&gateway).await;
    let good = client.redemption(&code);
    let cases = [
        (good.clone().with("code_verifier", "another-verifier-that-is-long-enough-for-RFC-7636-00"), "invalid_grant"),
        (good.clone().without("code_verifier"), "invalid_request"),
        (good.clone().with("redirect_uri", WEB), "invalid_grant"),
        (good.clone().with("redirect_uri", "http://127.0.0.1:33419/callback"), "invalid_grant"),
        (good.clone().with("client_id", "https://evil.example/client.json"), "invalid_grant"),
        (good.clone().with("client_id", "alice"), "invalid_client"),
        (good.clone().without("client_id"), "invalid_request"),
        (good.clone().with("resource", "https://other.example/mcp"), "invalid_target"),
        (good.clone().with("code", &code[1..]), "invalid_grant"),
        (good.clone().without("code"), "invalid_request"),
        (good.clone().again("code", &code), "invalid_request"),
        (good.clone().with("grant_type", "client_credentials"), "unsupported_grant_type"),
        (good.clone().without("grant_type"), "invalid_request"),
        (good.clone().with("grant_type", "refresh_token"), "invalid_request"),
    ];
    for (form, expected) in cases {
        let answer = form.post(&gateway, "/login/token").await;
        assert_eq!(error(&answer), (400, expected.to_owned()), "{:?}", form.parameters);
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    // None of these has used the code up.
    assert_eq!(good.post(&gateway, "/login/token").await.status, 200);
    assert_eq!(error(&good.post(&gateway, "/login/token").await), (400, "invalid_grant".into()), "once");
}

/// OAuth 2.1 asks for the verifier alone.
#[tokio::test]
async fn a_client_may_leave_the_redirect_uri_out_of_its_redemption() {
    let gateway = gateway().await;
    let client = Client::new(LOOPBACK);
    let form = client.redemption(&client.code(&gateway).await).without("redirect_uri");
    assert_eq!(form.post(&gateway, "/login/token").await.status, 200);
}

/// What the client holds is no code of the issuer, and what the issuer gave is no code of the gateway.
#[tokio::test]
async fn there_is_no_way_around_the_gateway() {
    let gateway = gateway().await;
    let client = Client::new(LOOPBACK);
    let mut browser = browser(&gateway);
    let back = client.log_in(&mut browser).await;
    let issuers = back.parameter("code").unwrap();
    let gateways = browser.open(back.location().as_str()).await.parameter("code").unwrap();
    assert!(!gateways.contains(&issuers));
    assert_eq!(error(&client.redemption(&issuers).post(&gateway, "/login/token").await), (400, "invalid_grant".into()));

    let url = format!("{}/oauth2/token", gateway.issuer.name());
    let form = client.redemption(&gateways).without("resource").with("redirect_uri", crate::issuer::CALLBACK);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.parameters).finish();
    let request = http.post(url).header("content-type", "application/x-www-form-urlencoded").body(body);
    assert_eq!(request.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn an_old_code_is_refused() {
    let gateway = gateway().await;
    let client = Client::new(LOOPBACK);
    let code = client.code(&gateway).await;
    gateway.clock.advance(Duration::from_secs(300));
    assert_eq!(error(&client.redemption(&code).post(&gateway, "/login/token").await), (400, "invalid_grant".into()));
}

/// A client that names no scope that it may get keeps those that it has; it is not asked for others in its name.
#[tokio::test]
async fn a_refresh_asks_for_no_more_than_the_client_does() {
    // Its answers are handed on as they are: so the client sees what came there.
    let echo = Router::new().fallback(|form: String| std::future::ready(form));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, echo).await });
    let gateway = gateway_with(|config| {
        let settings = settings(config);
        settings.scopes = vec!["read".into(), "write".into()];
        settings.token_endpoint = Some(url.parse().unwrap());
    })
    .await;
    for (scope, asked) in
        [("read offline_access", "&scope=read"), ("offline_access", ""), ("", ""), ("write read", "&scope=write+read")]
    {
        let form = Client { parameters: Vec::new() }.with("grant_type", "refresh_token").with("client_id", PEOPLE);
        let answer = form.with("refresh_token", "t").with("scope", scope).post(&gateway, "/login/token").await;
        let expected = format!("grant_type=refresh_token&refresh_token=t{asked}&client_id=people");
        assert_eq!((answer.status.as_u16(), answer.text()), (200, expected.as_str()), "{scope}");
    }
}

#[tokio::test]
async fn only_forms_of_some_size_are_read() {
    let gateway = gateway().await;
    let json = Caller::new(&gateway.url).at("/login/token").post("{}").await;
    assert_eq!(error(&json), (400, "invalid_request".into()));
    let long = Client { parameters: Vec::new() }.with("client_id", PEOPLE).with("code", &"x".repeat(70_000));
    assert_eq!(error(&long.post(&gateway, "/login/token").await), (400, "invalid_request".into()));
    for path in ["/login/token", "/login/register", "/login/consent", "/login/revoke"] {
        assert_eq!(gateway.anonymous().at(path).send(Method::GET, "").await.status, 405, "{path}");
    }
    let unknown = Client { parameters: Vec::new() }.with("client_id", "alice").with("token", "x");
    assert_eq!(error(&unknown.post(&gateway, "/login/revoke").await), (400, "invalid_client".into()));
}
