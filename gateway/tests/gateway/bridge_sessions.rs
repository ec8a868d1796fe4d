//! The end of a client's session: with DELETE, with its time, with the gateway. What runs in it ends, and nothing is served
//! in it any more.

use std::time::Duration;

use causeway::config::SessionMode;
use causeway_core::era::headers::SESSION;
use http::Method;
use serde_json::json;

use crate::{
    bridge_asking::AskingTarget,
    bridge_talk::{Era, able},
    caller::Caller,
    controlled_target::ControlledTarget,
    harness::Gateway,
};

const GONE: (u16, i64) = (404, -32600);

/// Every kind of request in the session gets this status.
async fn all_get(caller: &Caller, status: u16) {
    assert_eq!(caller.request("ping", json!({})).await.status, status);
    assert_eq!(caller.try_call("lab___echo", json!({})).await.status, status);
    assert_eq!(caller.request("resources/subscribe", json!({"uri": "x:y"})).await.status, status);
    assert_eq!(caller.notify("notifications/initialized", json!({})).await.status, status);
    assert_eq!(caller.respond(&json!(1), json!({})).await.status, status);
    assert_eq!(caller.send(Method::GET, "").await.status, status);
    assert_eq!(caller.send(Method::DELETE, "").await.status, status);
}

async fn end(caller: &Caller) {
    let answer = caller.send(Method::DELETE, "").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (204, ""));
}

#[tokio::test]
async fn what_is_ended_is_gone_and_others_stay() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start([lab.target("lab")]).await;
    let (alice, other) = (able(&gateway, Era::Legacy).await, able(&gateway, Era::Legacy).await);
    end(&alice).await;
    all_get(&alice, 404).await;
    assert_eq!(alice.request("ping", json!({})).await.refusal(), GONE);
    assert_eq!(other.request("ping", json!({})).await.result(), json!({}));
}

#[tokio::test]
async fn what_runs_in_it_ends_without_an_answer() {
    let (lab, asking) = (ControlledTarget::start().await, AskingTarget::start());
    let gateway = Gateway::start([lab.target("lab"), asking.target()]).await;
    let alice = able(&gateway, Era::Legacy).await;
    let listening = alice.listen().await;
    let running = alice.open("tools/call", json!({"name": "lab___watch", "arguments": {}})).await;
    let mut asked = alice.open("tools/call", json!({"name": "t___echo", "arguments": {}})).await;
    assert_eq!(asked.next().await["method"], "elicitation/create");
    end(&alice).await;
    assert_eq!(listening.rest().await, [json!(null); 0]);
    let left: Vec<_> = [running.rest().await, asked.rest().await].concat();
    let methods: Vec<_> = left.iter().map(|message| message["method"].as_str().unwrap()).collect();
    assert_eq!(methods, ["notifications/progress", "notifications/cancelled"], "the latter withdraws the question");
    asking.fake.until_asked(|asked| asked.method == "notifications/cancelled").await;
}

#[tokio::test]
async fn nobody_ends_the_session_of_another() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start([lab.target("lab")]).await;
    let alice = able(&gateway, Era::Legacy).await;
    let bob = gateway.caller("bob").header(SESSION, alice.header_value(SESSION));
    all_get(&bob, 404).await;
    assert_eq!(alice.request("ping", json!({})).await.result(), json!({}));
}

#[tokio::test]
async fn a_session_that_has_expired_is_gone() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start([lab.target("lab")]).await;
    let alice = able(&gateway, Era::Legacy).await;
    gateway.clock.advance(Duration::from_secs(3601));
    all_get(&gateway.caller("alice").header(SESSION, alice.header_value(SESSION)), 404).await;
}

#[tokio::test]
async fn its_stream_ends_with_its_time() {
    let lab = ControlledTarget::start().await;
    let gateway =
        Gateway::start_with([lab.target("lab")], |config| config.sessions.timeout = Duration::from_secs(2)).await;
    let listening = able(&gateway, Era::Legacy).await.listen().await;
    assert_eq!(listening.rest().await, [json!(null); 0]);
}

#[tokio::test]
async fn where_sessions_are_required_every_request_names_one() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start_with([lab.target("lab")], |config| config.sessions.mode = SessionMode::Required).await;
    all_get(&gateway.caller("alice"), 400).await;
}

#[tokio::test]
async fn where_there_are_none_there_is_nothing_to_listen_to_or_to_end() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start_with([lab.target("lab")], |config| config.sessions.mode = SessionMode::Off).await;
    for method in [Method::GET, Method::DELETE] {
        let answer = gateway.caller("alice").header(SESSION, "x").send(method, "").await;
        assert_eq!((answer.status.as_u16(), answer.header("allow").as_str()), (405, "POST"));
    }
}
