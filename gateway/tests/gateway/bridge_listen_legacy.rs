//! A legacy client that listens on the stream of its session: what it hears of lists and resources, and when the stream
//! ends.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    bridge_fixture::{Fixture, KINDS, Kind},
    bridge_talk::{Era, able},
    caller::Caller,
    controlled_target::ControlledTarget,
    harness::Gateway,
    stream::Stream,
};

const PATIENCE: Duration = Duration::from_secs(60);
const WATCHED: &str = "test://watched-resource";

/// A client that listens, and its stream.
async fn listening(gateway: &Gateway) -> (Caller, Stream) {
    let alice = able(gateway, Era::Legacy).await;
    let stream = alice.listen().await;
    assert!(stream.is_events(), "{stream:?}");
    (alice, stream)
}

async fn touch(caller: &Caller, uri: &str) {
    let done = caller.call("f___touch_resource", json!({"uri": uri})).await;
    assert_eq!(done["content"][0]["text"], "Done.", "{done}");
}

async fn subscribe(caller: &Caller, method: &str, uri: &str) {
    assert_eq!(caller.request(method, json!({"uri": uri})).await.result(), json!({}), "{method} {uri}");
}

fn changed(list: &str) -> Value {
    json!({"jsonrpc": "2.0", "method": format!("notifications/{list}/list_changed")})
}

fn updated(uri: &str) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": uri}})
}

#[tokio::test]
async fn it_hears_of_lists_that_changed() {
    // At the same time: after a change the gateway lists a target again a second later at the soonest.
    futures::future::join_all(KINDS.map(hears_of_changes)).await;
}

async fn hears_of_changes(kind: Kind) {
    let fixture = Fixture::start(kind).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let (alice, mut stream) = listening(&gateway).await;
    for (tool, list, extra) in [
        ("test_trigger_tool_change", "tools", "extra_tool"),
        ("test_trigger_prompt_change", "prompts", "extra_prompt"),
        ("trigger_resource_change", "resources", "test://extra"),
    ] {
        for there in [true, false] {
            alice.call(&format!("f___{tool}"), json!({})).await;
            assert_eq!(stream.next().await, changed(list), "{kind:?}");
            let listed = alice.request(&format!("{list}/list"), json!({})).await.result().to_string();
            assert_eq!(listed.contains(extra), there, "{kind:?} {listed}");
        }
    }
}

#[tokio::test]
async fn it_hears_of_the_resources_that_it_subscribed_to_as_long_as_it_does() {
    for kind in KINDS {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        let (alice, mut stream) = listening(&gateway).await;
        touch(&alice, WATCHED).await;
        subscribe(&alice, "resources/subscribe", WATCHED).await;
        subscribe(&alice, "resources/subscribe", WATCHED).await;
        subscribe(&alice, "resources/subscribe", "test://notes/monday").await;
        touch(&alice, "test://static-text").await;
        touch(&alice, WATCHED).await;
        assert_eq!(stream.next().await, updated(WATCHED), "{kind:?}");
        subscribe(&alice, "resources/unsubscribe", WATCHED).await;
        subscribe(&alice, "resources/unsubscribe", "test://static-binary").await;
        touch(&alice, WATCHED).await;
        touch(&alice, "test://notes/monday").await;
        assert_eq!(stream.next().await, updated("test://notes/monday"), "{kind:?}");
        subscribe(&alice, "resources/subscribe", WATCHED).await;
        touch(&alice, WATCHED).await;
        assert_eq!(stream.next().await, updated(WATCHED), "{kind:?}");
    }
}

/// What it subscribed to is kept for it until it listens.
#[tokio::test]
async fn it_may_subscribe_before_it_listens() {
    let fixture = Fixture::start(Kind::LegacyHttp).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let alice = able(&gateway, Era::Legacy).await;
    subscribe(&alice, "resources/subscribe", WATCHED).await;
    touch(&alice, WATCHED).await;
    assert_eq!(alice.listen().await.next().await, updated(WATCHED));
}

#[tokio::test]
async fn nobody_hears_what_others_subscribed_to() {
    let fixture = Fixture::start(Kind::LegacyHttp).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let (alice, mut stream) = listening(&gateway).await;
    let (other, mut others) = listening(&gateway).await;
    subscribe(&other, "resources/subscribe", WATCHED).await;
    subscribe(&alice, "resources/subscribe", "test://static-text").await;
    touch(&alice, WATCHED).await;
    touch(&alice, "test://static-text").await;
    assert_eq!(stream.next().await, updated("test://static-text"));
    assert_eq!(others.next().await, updated(WATCHED));
}

#[tokio::test]
async fn what_cannot_be_subscribed_to_is_refused() {
    let fixture = Fixture::start(Kind::LegacyHttp).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let alice = able(&gateway, Era::Legacy).await;
    let refused = async |caller: &Caller, params| caller.request("resources/subscribe", params).await.message();
    let unknown = refused(&alice, json!({"uri": "test://nowhere"})).await;
    insta::assert_snapshot!(unknown, @r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"target `f` does not report on `test://nowhere`: see with `resources/read` whether it has it"}}"#);
    assert_eq!(refused(&alice, json!({})).await["error"]["code"], -32602);
    let without_session = gateway.caller("alice");
    assert_eq!(refused(&without_session, json!({"uri": WATCHED})).await["error"]["code"], -32602);
}

#[tokio::test]
async fn a_second_stream_takes_the_place_of_the_first() {
    let fixture = Fixture::start(Kind::LegacyHttp).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let (alice, first) = listening(&gateway).await;
    let mut second = alice.listen().await;
    assert_eq!(first.rest().await, [json!(null); 0]);
    alice.call("f___test_trigger_tool_change", json!({})).await;
    assert_eq!(second.next().await, changed("tools"));
}

#[tokio::test]
async fn the_stream_ends_with_the_session() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start([lab.target("lab")]).await;
    let (alice, stream) = listening(&gateway).await;
    let (_other, mut others) = listening(&gateway).await;
    assert_eq!(alice.send(Method::DELETE, "").await.status, 204);
    assert_eq!(stream.rest().await, [json!(null); 0]);
    gateway.ask_to_stop();
    assert_eq!(others.try_next().await, None, "that of another ends with the gateway");
}

/// A stream that was cut off would have no proper end.
#[tokio::test]
async fn streams_do_not_hold_up_the_end_of_the_gateway() {
    let fixture = Fixture::start(Kind::LegacyHttp).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let (alice, stream) = listening(&gateway).await;
    subscribe(&alice, "resources/subscribe", WATCHED).await;
    let (ended, stopped) = futures::future::join(stream.rest(), gateway.stop()).await;
    stopped.unwrap();
    assert_eq!(ended, [json!(null); 0]);
}

#[tokio::test]
async fn a_client_that_reads_no_events_cannot_listen() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start([lab.target("lab")]).await;
    let alice = able(&gateway, Era::Legacy).await;
    for alice in [alice.clone().header("accept", "application/json"), alice.without("accept")] {
        assert_eq!(alice.send(Method::GET, "").await.refusal(), (406, -32600));
    }
}

#[tokio::test]
async fn one_more_than_may_listen_is_refused_and_keeps_what_it_has() {
    let fixture = Fixture::start(Kind::LegacyHttp).await;
    let gateway = Gateway::start_with([fixture.target()], |config| config.limits.streams = 1).await;
    let (alice, mut stream) = listening(&gateway).await;
    for client in [able(&gateway, Era::Legacy).await, alice.clone()] {
        assert_eq!(client.send(Method::GET, "").await.refusal(), (503, -32603));
    }
    let modern = able(&gateway, Era::Modern).await;
    let refused = modern.request("subscriptions/listen", json!({"notifications": {}})).await;
    assert_eq!(refused.refusal(), (503, -32603));
    alice.call("f___test_trigger_tool_change", json!({})).await;
    assert_eq!(stream.next().await, changed("tools"));
    drop(stream);
    let again = async { while !alice.listen().await.is_events() {} };
    timeout(PATIENCE, again).await.expect("its place is free again");
}

#[tokio::test]
async fn the_stream_is_passed_on_by_proxies() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start([lab.target("lab")]).await;
    let (_alice, stream) = listening(&gateway).await;
    assert_eq!((stream.status.as_u16(), &stream.headers["x-accel-buffering"]), (200, &"no".parse().unwrap()));
    assert_eq!(stream.headers["cache-control"], "no-store");
}
