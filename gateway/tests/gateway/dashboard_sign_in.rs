//! The dashboard where other machines reach it: nobody sees it without a token that the gateway accepts, and a token that a browser
//! keeps is worth no more than any other.

use std::time::Duration;

use causeway::config::{Admin, Config};
use causeway_servers::Sample;
use serde_json::json;

use crate::{
    browser::{Browser, Page},
    dashboard_pages::browser,
    harness::Gateway,
    sample::Server,
};

/// As if it listened where other machines reach it.
fn reachable(config: &mut Config) {
    config.admin = Some(Admin { listen: "0.0.0.0:0".parse().unwrap(), open_metrics: false, try_tools: true });
}

async fn gateway() -> (Gateway, Server) {
    let calculator = Server::start(Sample::Calculator).await;
    (Gateway::start_with([calculator.target()], reachable).await, calculator)
}

async fn sign_in(gateway: &Gateway, browser: &mut Browser, token: &str, then: &str) -> Page {
    browser.submit(&format!("{}/sign-in", gateway.admin), &[("token", token), ("then", then)]).await
}

#[tokio::test]
async fn a_token_opens_the_pages_until_it_ends() {
    let (gateway, _calculator) = gateway().await;
    let mut browser = browser(&gateway);
    let catalog = format!("{}/catalog?q=add", gateway.admin);
    let closed = browser.open(&catalog).await;
    assert_eq!((closed.status.as_u16(), closed.field("then").as_str()), (401, "/catalog?q=add"));
    assert!(!closed.text.contains("calculator"), "{}", closed.text);

    let token = gateway.issuer.token("alice");
    let entered = sign_in(&gateway, &mut browser, &format!(" Bearer {token}\n"), "/catalog?q=add").await;
    assert_eq!((entered.status.as_u16(), entered.location().as_str()), (303, catalog.as_str()));
    let cookie = entered.headers["set-cookie"].to_str().unwrap();
    let (life, rest) = cookie.split_once("; Path=/; Max-Age=").unwrap().1.split_once(';').unwrap();
    // The clock shows parts of a second, and the token's end does not.
    assert!(["3599", "3600"].contains(&life) && rest == " HttpOnly; SameSite=Strict", "{cookie}");
    assert!(!cookie.contains(token.split('.').nth(1).unwrap()), "it is sealed: {cookie}");

    let open = browser.open(&catalog).await;
    assert!(open.status == 200 && open.text.contains("calculator___add_numbers"), "{}", open.text);
    assert!(open.text.contains("alice") && !open.text.contains(&token), "{}", open.text);

    gateway.clock.advance(Duration::from_secs(4000));
    assert_eq!(browser.open(&catalog).await.status, 401);
}

#[tokio::test]
async fn who_watches_is_let_out_when_the_token_ends() {
    let (gateway, _calculator) = gateway().await;
    let alice = gateway.caller("alice");
    let request = reqwest::Client::builder().no_proxy().build().unwrap().get(format!("{}/calls/live", gateway.admin));
    let mut watching = request.bearer_auth(gateway.issuer.token("alice")).send().await.unwrap();
    assert_eq!(watching.status(), 200);
    let hello = watching.chunk().await.unwrap().unwrap();
    assert!(hello.starts_with(b"event: ready"), "{hello:?}");
    gateway.clock.advance(Duration::from_secs(4000));
    alice.try_call("calculator___add_numbers", json!({"a": 2, "b": 3})).await;
    assert_eq!(watching.chunk().await.unwrap(), None);
}

#[tokio::test]
async fn signing_out_takes_the_token_away() {
    let (gateway, _calculator) = gateway().await;
    let mut browser = browser(&gateway);
    sign_in(&gateway, &mut browser, &gateway.issuer.token("alice"), "/").await;
    let home = format!("{}/", gateway.admin);
    assert_eq!(browser.open(&home).await.status, 200);
    let out = browser.submit(&format!("{}/sign-out", gateway.admin), &[]).await;
    assert_eq!((out.status.as_u16(), out.location().path()), (303, "/sign-in"));
    assert!(browser.cookies.values().all(|cookies| cookies.is_empty()));
    assert_eq!(browser.open(&home).await.status, 401);
}

#[tokio::test]
async fn a_token_that_the_gateway_refuses_opens_nothing() {
    let (gateway, _calculator) = gateway().await;
    let issuer = &gateway.issuer;
    let tokens = [
        "".into(),
        "nonsense".into(),
        issuer.token("mallory"),
        issuer.token_with("alice", json!({"scope": "other"})),
        issuer.token_with("alice", json!({"exp": 1})),
    ];
    for token in tokens {
        let mut browser = browser(&gateway);
        let refused = sign_in(&gateway, &mut browser, &token, "/").await;
        assert!(refused.status == 401 && refused.text.contains("role=\"alert\""), "{token}: {}", refused.text);
        assert!(browser.cookies.is_empty() && (token.is_empty() || !refused.text.contains(&token)), "{token}");
    }
    let mut forged = browser(&gateway);
    let host = "127.0.0.1".to_owned();
    forged.cookies.entry(host).or_default().insert("causeway-dashboard".into(), issuer.token("alice"));
    assert_eq!(forged.open(&format!("{}/", gateway.admin)).await.status, 401);
}

#[tokio::test]
async fn a_tool_is_called_as_who_has_signed_in() {
    let (gateway, _calculator) = gateway().await;
    let mut browser = browser(&gateway);
    let tool = format!("{}/tools/calculator___add_numbers", gateway.admin);
    let form = [("a.=a", "2"), ("a.=b", "3"), ("do", "call")];
    assert_eq!(browser.submit(&tool, &form).await.status, 401);
    sign_in(&gateway, &mut browser, &gateway.issuer.token("alice"), "/").await;
    let page = browser.submit(&tool, &form).await;
    assert!(page.status == 200 && page.text.contains('5'), "{}", page.text);
    assert_eq!(browser.submit_from("https://evil.example", &tool, &form).await.status, 403);
    let called: Vec<_> = gateway.calls.recent().into_iter().filter(|call| &*call.method == "tools/call").collect();
    let by: Vec<_> = called.iter().map(|call| call.caller.as_ref().unwrap().id.as_str()).collect();
    assert_eq!(by, ["alice"]);
}
