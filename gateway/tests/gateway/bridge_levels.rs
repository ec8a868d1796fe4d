//! Log levels: a legacy client sets one for its session, a modern one says one with each request; targets of both eras are
//! told in their own way, and each client gets what it wanted, whatever others want of the same target.

use causeway_core::era::META_LOG_LEVEL;
use serde_json::{Value, json};

use crate::{
    bridge_fixture::{Fixture, KINDS},
    bridge_talk::{Era, able},
    caller::Caller,
    fake_target::{FakeTarget, Speaks, events, success},
    harness::{Gateway, http_target},
};

/// A target that logs on its replies at three levels, whatever it was told.
fn logging(speaks: Speaks) -> FakeTarget {
    let fake = FakeTarget::start(speaks);
    fake.describe(r#""capabilities":{"tools":{},"logging":{}}"#);
    fake.on("logging/setLevel", |asked| async move { crate::fake_target::json(200, success(&asked.id, "{}")) });
    fake.on("tools/call", |asked| async move {
        let message =
            |level| json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": level, "data": 1}});
        let messages = ["debug", "warning", "error"].map(|level| message(level).to_string());
        let answer = success(&asked.id, r#"{"resultType":"complete","content":[]}"#);
        events(messages.into_iter().chain([answer]).map(Ok))
    });
    fake
}

/// The levels of what a call logs for this client.
async fn levels(caller: &Caller, meta: Value) -> Vec<String> {
    let stream = caller.open("tools/call", json!({"name": "t___echo", "_meta": meta})).await;
    let mut messages = stream.rest().await;
    assert!(messages.pop().unwrap().get("result").is_some());
    messages.iter().map(|message| message["params"]["level"].as_str().unwrap().to_owned()).collect()
}

async fn set_level(caller: &Caller, level: &str) {
    assert_eq!(caller.request("logging/setLevel", json!({"level": level})).await.result(), json!({}));
}

/// What the target was told, in order.
fn told(fake: &FakeTarget) -> Vec<String> {
    fake.asked("logging/setLevel").into_iter().map(|asked| asked.params).collect()
}

#[tokio::test]
async fn a_session_gets_what_it_set_and_its_legacy_target_is_told() {
    let fake = logging(Speaks::Sessions);
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let (one, two) = (able(&gateway, Era::Legacy).await, able(&gateway, Era::Legacy).await);
    assert_eq!(levels(&one, json!({})).await, ["debug", "warning", "error"], "as the target sends them");
    assert!(told(&fake).is_empty());
    set_level(&one, "warning").await;
    assert_eq!(levels(&one, json!({})).await, ["warning", "error"]);
    assert_eq!(told(&fake), [r#"{"level":"warning"}"#]);
    assert_eq!(levels(&one, json!({})).await, ["warning", "error"]);
    assert_eq!(told(&fake).len(), 1, "it is told once");
    // Two clients share the target's session: it gets the least that one of them wanted.
    set_level(&two, "error").await;
    assert_eq!(levels(&two, json!({})).await, ["error"]);
    assert_eq!(told(&fake).len(), 1);
    set_level(&two, "debug").await;
    assert_eq!(levels(&two, json!({})).await, ["debug", "warning", "error"]);
    assert_eq!(told(&fake), [r#"{"level":"warning"}"#, r#"{"level":"debug"}"#]);
    assert_eq!(levels(&one, json!({})).await, ["warning", "error"]);
}

#[tokio::test]
async fn a_modern_client_gets_what_it_says_with_each_request() {
    for speaks in [Speaks::Sessions, Speaks::Modern] {
        let fake = logging(speaks);
        let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
        let alice = able(&gateway, Era::Modern).await;
        assert_eq!(levels(&alice, json!({})).await, [""; 0], "{speaks:?}: it wanted none");
        assert_eq!(levels(&alice, json!({META_LOG_LEVEL: "error"})).await, ["error"], "{speaks:?}");
        assert_eq!(levels(&alice, json!({META_LOG_LEVEL: "info"})).await, ["warning", "error"], "{speaks:?}");
        assert_eq!(levels(&alice, json!({})).await, [""; 0], "{speaks:?}: it wants none again");
        match speaks {
            Speaks::Modern => assert!(told(&fake).is_empty(), "each request says it"),
            _ => assert_eq!(told(&fake), [r#"{"level":"error"}"#, r#"{"level":"info"}"#]),
        }
    }
}

#[tokio::test]
async fn a_modern_target_is_told_with_each_request() {
    let fake = logging(Speaks::Modern);
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let legacy = able(&gateway, Era::Legacy).await;
    levels(&legacy, json!({})).await;
    set_level(&legacy, "warning").await;
    assert_eq!(levels(&legacy, json!({})).await, ["warning", "error"]);
    levels(&able(&gateway, Era::Modern).await, json!({})).await;
    let said = fake.asked("tools/call").into_iter().map(|asked| {
        let params: Value = serde_json::from_str(&asked.params).unwrap();
        params["_meta"][META_LOG_LEVEL].clone()
    });
    assert_eq!(said.collect::<Vec<_>>(), [json!("info"), json!("warning"), json!(null)]);
}

#[tokio::test]
async fn a_level_that_is_none_is_refused() {
    let fake = logging(Speaks::Sessions);
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let legacy = able(&gateway, Era::Legacy).await;
    for params in [json!({}), json!({"level": "loud"}), json!({"level": 3}), json!({"level": "Warning"})] {
        assert_eq!(legacy.request("logging/setLevel", params.clone()).await.refusal(), (200, -32602), "{params}");
    }
    let modern = able(&gateway, Era::Modern).await;
    for level in [json!("loud"), json!(3)] {
        let params = json!({"name": "t___echo", "_meta": {META_LOG_LEVEL: level}});
        assert_eq!(modern.request("tools/call", params).await.refusal(), (400, -32602), "{level}");
    }
    assert!(fake.asked("tools/call").is_empty());
}

/// Real targets of every kind send less when they are told so.
#[tokio::test]
async fn a_level_reaches_targets_of_every_kind() {
    for kind in KINDS {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        let alice = able(&gateway, Era::Legacy).await;
        let logs = async || {
            let stream = alice.open("tools/call", json!({"name": "f___test_tool_with_logging"})).await;
            let messages = stream.rest().await;
            assert!(messages.last().unwrap().get("result").is_some(), "{kind:?} {messages:?}");
            messages.len() - 1
        };
        set_level(&alice, "emergency").await;
        assert_eq!(logs().await, 0, "{kind:?}");
        set_level(&alice, "debug").await;
        assert!(logs().await > 0, "{kind:?}");
    }
}
