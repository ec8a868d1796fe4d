//! A child process serves all callers at once and does not say about whose call it asks: nobody is asked what may be for
//! another, and whoever can be meant alone is.

use serde_json::{Value, json};

use crate::{
    bridge_fixture::{Fixture, Kind, once, runs_of},
    bridge_talk::{Era, able, everything, retry, talk},
    harness::Gateway,
};

fn params(tool: &str) -> Value {
    json!({"name": format!("f___{tool}"), "arguments": {}})
}

#[tokio::test]
async fn while_calls_of_two_callers_run_nobody_is_asked() {
    let fixture = Fixture::start(Kind::LegacyChild).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let alice = able(&gateway, Era::Modern).await;
    let bob = gateway.caller("bob").modern().declaring(everything());
    let waiting = alice.request("tools/call", params("notes_around_asking")).await.result();
    let refused = talk(&bob, "f___visit_page", json!({})).await;
    assert!(refused.asked.is_empty(), "{refused:?}");
    assert_eq!(refused.answer["error"]["code"], -32603, "the target's own word: {refused:?}");
    let done = alice.request("tools/call", retry(&params("notes_around_asking"), &waiting)).await.result();
    assert_eq!(done["content"][0]["text"], "You like color.");
    assert_eq!(runs_of(&alice, "notes_around_asking").await, once());
    assert_eq!(talk(&bob, "f___visit_page", json!({})).await.text(), "The visit: action=accept");
}

/// One that listens makes no call that could be meant.
#[tokio::test]
async fn a_listener_keeps_nobody_from_being_asked() {
    for kind in [Kind::LegacyChild, Kind::ModernChild] {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        let bob = gateway.caller("bob").modern();
        let wanted = json!({"notifications": {"resourceSubscriptions": ["test://watched-resource"]}});
        let mut listening = bob.open("subscriptions/listen", wanted).await;
        assert_eq!(listening.next().await["method"], "notifications/subscriptions/acknowledged");
        let alice = able(&gateway, Era::Legacy).await;
        let talk = talk(&alice, "f___notes_around_asking", json!({})).await;
        assert_eq!((talk.text(), talk.notes.len()), ("You like color.", 2), "{kind:?} {talk:?}");
    }
}
