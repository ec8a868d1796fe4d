//! A client that wants an answer no longer: its target hears of it in its own way, whatever each of them speaks, and
//! nobody else's call ends.

use std::time::Duration;

use causeway_core::era::headers::SESSION;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    bridge_asking::AskingTarget,
    bridge_fixture::{Fixture, KINDS},
    bridge_talk::{ERAS, Era, able},
    caller::Caller,
    controlled_target::ControlledTarget,
    harness::Gateway,
    stream::Stream,
};

/// What does not happen within so long does not happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A call of the fixture that never ends by itself, once it runs there.
async fn waiting(caller: &Caller) -> Stream {
    let params = json!({"name": "f___wait_until_cancelled", "arguments": {}, "_meta": {"progressToken": 1}});
    let mut stream = caller.open("tools/call", params).await;
    assert_eq!(stream.next().await["method"], "notifications/progress");
    stream
}

/// Waits until as many calls were cancelled as were begun.
async fn until_cancelled(caller: &Caller, count: u64) {
    let wanted = json!({"started": count, "cancelled": count});
    let cancelled =
        async { while caller.call("f___cancelled_calls", json!({})).await["structuredContent"] != wanted {} };
    timeout(PATIENCE, cancelled).await.expect("the target hears of it");
}

async fn cancel(caller: &Caller, id: Value) {
    assert_eq!(caller.notify("notifications/cancelled", json!({"requestId": id})).await.status, 202);
}

#[tokio::test]
async fn a_legacy_client_says_so_in_its_session() {
    for kind in KINDS {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        let alice = able(&gateway, Era::Legacy).await;
        for (count, id) in [(1, json!(7)), (2, json!("seven"))] {
            let stream = waiting(&alice.clone().under(id.clone())).await;
            cancel(&alice, id).await;
            assert_eq!(stream.rest().await, [json!(null); 0], "{kind:?}: there is no answer");
            until_cancelled(&alice, count).await;
        }
    }
}

#[tokio::test]
async fn a_client_says_so_by_going_away() {
    for kind in KINDS {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        for (era, count) in ERAS.into_iter().zip(1..) {
            let alice = able(&gateway, era).await;
            drop(waiting(&alice).await);
            until_cancelled(&alice, count).await;
        }
    }
}

#[tokio::test]
async fn nobody_cancels_calls_of_others() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start([lab.target("lab")]).await;
    let alice = able(&gateway, Era::Legacy).await.under(7);
    let call = alice.open("tools/call", json!({"name": "lab___watch", "arguments": {}}));
    let (mut stream, ()) = futures::future::join(call, lab.arrival()).await;
    assert_eq!(stream.next().await["method"], "notifications/progress");
    let other_session = able(&gateway, Era::Legacy).await;
    cancel(&other_session, json!(7)).await;
    let without_session = gateway.caller("alice");
    cancel(&without_session, json!(7)).await;
    cancel(&alice, json!("7")).await;
    cancel(&alice, json!(8)).await;
    let bob = gateway.caller("bob").header(SESSION, alice.header_value(SESSION));
    let refused = bob.notify("notifications/cancelled", json!({"requestId": 7})).await;
    assert_eq!(refused.refusal(), (404, -32600));
    lab.release();
    assert_eq!(stream.rest().await[0]["result"]["content"][0]["text"], "waited");
}

#[tokio::test]
async fn an_id_that_stands_twice_cancels_both_and_a_finished_one_nothing() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start([lab.target("lab")]).await;
    let alice = able(&gateway, Era::Legacy).await.under(7);
    let call = || alice.open("tools/call", json!({"name": "lab___watch", "arguments": {}}));
    let (one, two) = futures::future::join(call(), call()).await;
    for _ in 0..2 {
        lab.arrival().await;
    }
    cancel(&alice, json!(7)).await;
    for stream in [one, two] {
        let rest = stream.rest().await;
        assert!(rest.iter().all(|message| message["method"] == "notifications/progress"), "{rest:?}");
    }
    lab.release();
    lab.release();
    // The id is free again, and what was cancelled under it does not come back.
    cancel(&alice, json!(7)).await;
    assert_eq!(alice.call("lab___echo", json!({"a": 1})).await["echo"], json!({"a": 1}));
}

/// A call that is answered as JSON has no stream to end: its connection must get something.
#[tokio::test]
async fn a_call_answered_as_json_ends_without_an_answer() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start([lab.target("lab")]).await;
    let alice = able(&gateway, Era::Legacy).await.header("accept", "application/json").under(7);
    let call = alice.try_call("lab___wait", json!({}));
    let cancelling = async {
        lab.arrival().await;
        cancel(&alice, json!(7)).await;
    };
    let (answer, ()) = futures::future::join(call, cancelling).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (202, ""));
}

/// The target waits for its answer then: it is told as well, and the answer comes too late.
#[tokio::test]
async fn a_call_that_waits_for_the_clients_own_answer() {
    let asking = AskingTarget::start();
    let gateway = Gateway::start([asking.target()]).await;
    let alice = able(&gateway, Era::Legacy).await;
    let mut stream = alice.open("tools/call", json!({"name": "t___echo", "arguments": {}})).await;
    let question = stream.next().await;
    cancel(&alice, json!(1)).await;
    let [withdrawn] = &stream.rest().await[..] else { panic!("the question is withdrawn, and nothing more") };
    assert_eq!(withdrawn["params"], json!({"requestId": question["id"]}));
    let told = asking.fake.until_asked(|asked| asked.method == "notifications/cancelled").await;
    let call = &asking.fake.asked("tools/call")[0];
    assert!(told.params.contains(&format!(r#""requestId":{}"#, call.id)), "{}", told.params);
    assert_eq!(told.headers["mcp-session-id"], call.headers["mcp-session-id"]);
    assert_eq!(alice.respond(&question["id"], json!({"action": "cancel"})).await.refusal(), (400, -32600));
}
