//! A modern client that listens with `subscriptions/listen`: what it is promised, what it hears, under which subscription,
//! and how that ends.

use causeway_core::era::META_SUBSCRIPTION;
use serde_json::{Value, json};

use crate::{
    bridge_fixture::{Fixture, KINDS, Kind},
    bridge_talk::{Era, able},
    caller::Caller,
    controlled_target::ControlledTarget,
    harness::Gateway,
    stream::Stream,
};

const WATCHED: &str = "test://watched-resource";

/// Begins to listen and gives what was promised.
async fn listen(caller: &Caller, notifications: Value) -> (Value, Stream) {
    let mut stream = caller.open("subscriptions/listen", json!({"notifications": notifications})).await;
    assert!(stream.is_events(), "{stream:?}");
    let first = stream.next().await;
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged", "{first}");
    (first, stream)
}

fn all_lists() -> Value {
    json!({"toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true})
}

fn changed(list: &str, id: Value) -> Value {
    let method = format!("notifications/{list}/list_changed");
    json!({"jsonrpc": "2.0", "method": method, "params": {"_meta": {META_SUBSCRIPTION: id}}})
}

fn updated(uri: &str, id: Value) -> Value {
    let params = json!({"uri": uri, "_meta": {META_SUBSCRIPTION: id}});
    json!({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": params})
}

async fn touch(caller: &Caller, uri: &str) {
    caller.call("f___touch_resource", json!({"uri": uri})).await;
}

#[tokio::test]
async fn it_hears_of_all_lists_that_it_wanted() {
    // At the same time: after a change the gateway lists a target again a second later at the soonest.
    futures::future::join_all(KINDS.map(hears_of_changes)).await;
}

async fn hears_of_changes(kind: Kind) {
    let fixture = Fixture::start(kind).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let alice = able(&gateway, Era::Modern).await.under("listener");
    let (first, mut stream) = listen(&alice, all_lists()).await;
    let meta = json!({META_SUBSCRIPTION: "listener"});
    assert_eq!(first["params"], json!({"_meta": meta, "notifications": all_lists()}), "{kind:?}");
    for (tool, list) in [
        ("test_trigger_tool_change", "tools"),
        ("test_trigger_prompt_change", "prompts"),
        ("trigger_resource_change", "resources"),
    ] {
        alice.call(&format!("f___{tool}"), json!({})).await;
        assert_eq!(stream.next().await, changed(list, json!("listener")), "{kind:?}");
    }
}

#[tokio::test]
async fn it_hears_of_nothing_else() {
    let fixture = Fixture::start(Kind::ModernHttp).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let alice = able(&gateway, Era::Modern).await;
    let prompts = json!({"promptsListChanged": true, "toolsListChanged": false, "unknown": [1]});
    let (first, mut stream) = listen(&alice.clone().under(3), prompts).await;
    assert_eq!(first["params"]["notifications"], json!({"promptsListChanged": true}));
    let (first, mut tools) = listen(&alice.clone().under(4), json!({"toolsListChanged": true})).await;
    assert_eq!(first["params"]["notifications"], json!({"toolsListChanged": true}));
    alice.call("f___test_trigger_tool_change", json!({})).await;
    // Once the one has heard of it, the other would have.
    assert_eq!(tools.next().await, changed("tools", json!(4)));
    alice.call("f___test_trigger_prompt_change", json!({})).await;
    assert_eq!(stream.next().await, changed("prompts", json!(3)));
}

#[tokio::test]
async fn it_hears_of_resources_of_targets_of_both_eras() {
    for kind in KINDS {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        let alice = able(&gateway, Era::Modern).await.under(5);
        let wanted = json!({"resourceSubscriptions": [WATCHED, "test://notes/monday"]});
        let (first, mut stream) = listen(&alice, wanted.clone()).await;
        assert_eq!(first["params"]["notifications"], wanted, "{kind:?}");
        touch(&alice, "test://static-text").await;
        for uri in [WATCHED, "test://notes/monday", WATCHED] {
            touch(&alice, uri).await;
            assert_eq!(stream.next().await, updated(uri, json!(5)), "{kind:?}");
        }
    }
}

/// Each with its own subscription, whatever they share at the target.
#[tokio::test]
async fn two_that_listen_hear_each_what_it_wanted() {
    for kind in KINDS {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        let alice = able(&gateway, Era::Modern).await;
        let both = json!({"resourceSubscriptions": [WATCHED, "test://static-text"]});
        let (_, mut one) = listen(&alice.clone().under("one"), both).await;
        let watched = json!({"resourceSubscriptions": [WATCHED]});
        let (_, mut two) = listen(&alice.clone().under("two"), watched).await;
        touch(&alice, "test://static-text").await;
        touch(&alice, WATCHED).await;
        assert_eq!(one.next().await, updated("test://static-text", json!("one")), "{kind:?}");
        assert_eq!(one.next().await, updated(WATCHED, json!("one")), "{kind:?}");
        assert_eq!(two.next().await, updated(WATCHED, json!("two")), "{kind:?}");
        drop(one);
        touch(&alice, WATCHED).await;
        assert_eq!(two.next().await, updated(WATCHED, json!("two")), "{kind:?}");
    }
}

#[tokio::test]
async fn what_no_target_reports_on_is_not_promised() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start([lab.target("lab")]).await;
    let alice = able(&gateway, Era::Modern).await;
    let wanted = json!({"resourceSubscriptions": ["x:y"], "toolsListChanged": true});
    let (first, _stream) = listen(&alice, wanted).await;
    assert_eq!(first["params"]["notifications"], json!({"toolsListChanged": true}));
    let fixture = Fixture::start(Kind::LegacyHttp).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let alice = able(&gateway, Era::Modern).await;
    let (first, _stream) = listen(&alice, json!({"resourceSubscriptions": ["test://nowhere"]})).await;
    assert_eq!(first["params"]["notifications"], json!({}), "its target refuses");
}

#[tokio::test]
async fn it_ends_with_a_result_when_the_gateway_stops() {
    let fixture = Fixture::start(Kind::ModernHttp).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let alice = able(&gateway, Era::Modern).await.under("last");
    let (_, stream) = listen(&alice, json!({"resourceSubscriptions": [WATCHED], "toolsListChanged": true})).await;
    let (rest, stopped) = futures::future::join(stream.rest(), gateway.stop()).await;
    stopped.unwrap();
    let result = json!({"resultType": "complete", "_meta": {META_SUBSCRIPTION: "last"}});
    assert_eq!(rest, [json!({"jsonrpc": "2.0", "id": "last", "result": result})]);
}

#[tokio::test]
async fn a_client_that_reads_no_events_cannot_listen() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start([lab.target("lab")]).await;
    let alice = able(&gateway, Era::Modern).await;
    for alice in [alice.clone().header("accept", "application/json"), alice.without("accept")] {
        let refused = alice.request("subscriptions/listen", json!({"notifications": {}})).await;
        assert_eq!(refused.refusal(), (406, -32600));
    }
}

#[tokio::test]
async fn a_filter_that_is_none_is_refused() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start([lab.target("lab")]).await;
    let alice = able(&gateway, Era::Modern).await;
    for filter in [json!(7), json!({"toolsListChanged": "yes"}), json!({"resourceSubscriptions": [7]})] {
        let refused = alice.request("subscriptions/listen", json!({"notifications": filter})).await;
        assert_eq!(refused.refusal(), (400, -32602), "{filter}");
    }
}
