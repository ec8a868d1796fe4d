//! The issuer over time: keys change, the issuer goes down and comes back, and callers notice as little as can be.

use std::time::Duration;

use causeway_oidc::verifier::{COOL_DOWN, MAX_AGE, UNKNOWN_KEY_INTERVAL};
use serde_json::json;

use crate::{harness::Gateway, issuer::Issuer};

const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;

async fn gateway(issuer: Issuer) -> Gateway {
    Gateway::launch(issuer, [], |_| ()).await
}

#[tokio::test]
async fn keys_are_fetched_once_for_many_callers() {
    let gateway = gateway(Issuer::start().await).await;
    let callers: Vec<_> = (0..50).map(|n| gateway.issuer.token_with("alice", json!({"jti": n}))).collect();
    let lists = callers.iter().map(|token| async { gateway.with_token(token).post(LIST).await.result() });
    futures::future::join_all(lists).await;
    assert_eq!(gateway.issuer.requests(), 2, "one discovery document, one key set");
}

#[tokio::test]
async fn tokens_of_a_new_key_open_at_once_and_old_ones_go_on() {
    let gateway = gateway(Issuer::with_own_keys().await).await;
    let old = gateway.caller("alice");
    old.post(LIST).await.result();
    gateway.issuer.rotate();
    gateway.caller("alice").post(LIST).await.result();
    old.post(LIST).await.result();
    assert_eq!(gateway.issuer.requests(), 4, "fetched again for the new key, and not for the old one");
}

#[tokio::test]
async fn invented_keys_do_not_make_the_gateway_fetch_at_will() {
    let gateway = gateway(Issuer::with_own_keys().await).await;
    gateway.caller("alice").post(LIST).await.result();
    let stranger = Issuer::with_own_keys().await;
    let claims = gateway.issuer.claims("alice", json!({}));
    for n in 0..20 {
        let mut claims = claims.clone();
        claims["jti"] = n.into();
        let answer = gateway.with_token(&stranger.sign(&claims)).post(LIST).await;
        assert_eq!(answer.refusal(), (401, -32001));
    }
    assert_eq!(gateway.issuer.requests(), 4, "fetched once for the first invented key");
    gateway.issuer.rotate();
    let new = gateway.caller("alice");
    assert_eq!(new.post(LIST).await.refusal(), (401, -32001), "too early to look again");
    gateway.clock.advance(UNKNOWN_KEY_INTERVAL);
    new.post(LIST).await.result();
}

#[tokio::test]
async fn withdrawn_keys_go_in_time() {
    let gateway = gateway(Issuer::with_own_keys().await).await;
    gateway.caller("alice").post(LIST).await.result();
    let of_the_old_key = gateway.issuer.token("bob");
    gateway.issuer.rotate();
    gateway.issuer.drop_old_keys();
    gateway.caller("alice").post(LIST).await.result();
    assert_eq!(gateway.with_token(&of_the_old_key).post(LIST).await.refusal(), (401, -32001));
}

#[tokio::test]
async fn an_issuer_that_is_down_at_the_start_is_asked_again() {
    let issuer = Issuer::start().await;
    issuer.set_down(true);
    let gateway = gateway(issuer).await;
    let alice = gateway.caller("alice");
    let answer = alice.post(LIST).await;
    insta::assert_snapshot!(gateway.masked(&answer.whole()), @r#"
    503
    content-type: application/json
    retry-after: 5

    {"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"Internal error - Callers cannot be verified for now, try again later"}}
    "#);
    alice.post(LIST).await;
    assert_eq!(gateway.issuer.requests(), 1, "not asked while it cools down");
    gateway.issuer.set_down(false);
    gateway.clock.advance(COOL_DOWN);
    alice.post(LIST).await.result();
}

#[tokio::test]
async fn known_keys_go_on_while_the_issuer_is_down() {
    let gateway = gateway(Issuer::with_own_keys().await).await;
    gateway.caller("alice").post(LIST).await.result();
    gateway.issuer.set_down(true);
    gateway.caller("bob").post(LIST).await.result();
    gateway.clock.advance(MAX_AGE + Duration::from_secs(1));
    gateway.caller("bob").post(LIST).await.result();
    gateway.issuer.rotate();
    let of_a_new_key = gateway.caller("alice");
    assert_eq!(of_a_new_key.post(LIST).await.refusal(), (503, -32603), "nobody can tell whether it is good");
    gateway.issuer.set_down(false);
    gateway.clock.advance(COOL_DOWN);
    of_a_new_key.post(LIST).await.result();
}

#[tokio::test]
async fn tokens_that_are_bad_in_themselves_are_refused_while_the_issuer_is_down() {
    let issuer = Issuer::start().await;
    issuer.set_down(true);
    let gateway = gateway(issuer).await;
    assert_eq!(gateway.anonymous().post(LIST).await.refusal(), (401, -32001));
    assert_eq!(gateway.with_token("nonsense").post(LIST).await.refusal(), (401, -32001));
}
