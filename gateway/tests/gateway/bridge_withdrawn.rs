//! Questions that nobody wants to have answered any more: the target says so, or the call ends without the answer. A client
//! that was asked is told, under the id that it knows; one that was not yet asked hears nothing of it.

use serde_json::{Value, json};

use crate::{
    bridge_talk::{Era, able},
    fake_target::{FakeTarget, Speaks, event_stream, success},
    harness::{Gateway, http_target},
};

const QUESTION: &str =
    r#"{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"m","requestedSchema":{}}}"#;
const WITHDRAWN: &str = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"q"}}"#;

/// A target that says `before` on each reply, then the answer.
async fn saying(before: &'static [&'static str]) -> (FakeTarget, Gateway) {
    let fake = FakeTarget::start(Speaks::Sessions);
    fake.on("tools/call", move |asked| async move {
        let before = before.iter().map(|message| (*message).to_owned());
        let all = before.chain([success(&asked.id, r#"{"content":[]}"#)]);
        event_stream(futures::stream::iter(all.collect::<Vec<_>>().into_iter().map(Ok)))
    });
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    (fake, gateway)
}

#[tokio::test]
async fn an_older_client_is_told_that_its_answer_is_not_wanted() {
    for before in [&[QUESTION, WITHDRAWN][..], &[QUESTION]] {
        let (_fake, gateway) = saying(before).await;
        let alice = able(&gateway, Era::Legacy).await;
        let stream = alice.open("tools/call", json!({"name": "t___echo", "arguments": {}})).await;
        let messages = stream.rest().await;
        let [question, withdrawn, answer] = &messages[..] else { panic!("{messages:?}") };
        assert_eq!(question["method"], "elicitation/create");
        assert_ne!(question["id"], "q");
        assert_eq!(withdrawn["method"], "notifications/cancelled");
        assert_eq!(withdrawn["params"]["requestId"], question["id"]);
        assert_eq!(answer["result"], json!({"content": []}));
        let late = alice.respond(&question["id"], json!({"action": "cancel"})).await;
        assert_eq!(late.refusal(), (400, -32600), "nobody waits for it");
    }
}

#[tokio::test]
async fn a_modern_client_is_not_asked_what_nobody_wants_to_know() {
    let (_fake, gateway) = saying(&[QUESTION, WITHDRAWN]).await;
    let alice = able(&gateway, Era::Modern).await;
    let answer: Value = alice.try_call("t___echo", json!({})).await.result();
    assert_eq!(answer, json!({"resultType": "complete", "content": []}));
}
