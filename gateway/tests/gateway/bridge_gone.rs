//! Targets that go away or do not listen while a question of theirs waits for its answer: the client hears of it in place of
//! an answer, and the call is not made again.

use serde_json::{Value, json};

use crate::{
    bridge_asking::AskingTarget,
    bridge_fixture::{Fixture, Kind},
    bridge_talk::{Era, able, answer_to, retry},
    fake_target::status,
    harness::Gateway,
};

fn params() -> Value {
    json!({"name": "t___echo", "arguments": {}})
}

fn fault(message: &Value) -> &str {
    let kind = &message["result"]["_meta"]["causeway/error"]["kind"];
    kind.as_str().unwrap_or_else(|| panic!("no fault: {message}"))
}

#[tokio::test]
async fn a_modern_clients_retry_hears_that_its_target_is_gone() {
    let mut asking = AskingTarget::start();
    let gateway = Gateway::start([asking.target()]).await;
    let alice = able(&gateway, Era::Modern).await;
    let asked = alice.request("tools/call", params()).await.result();
    asking.fake.down();
    let answer = alice.request("tools/call", retry(&params(), &asked)).await.message();
    assert_eq!(fault(&answer), "broken_off");
    assert_eq!(asking.fake.asked("tools/call").len(), 1);
}

#[tokio::test]
async fn a_legacy_client_hears_that_its_target_is_gone_before_it_has_answered() {
    let asking = AskingTarget::start();
    let gateway = Gateway::start([asking.target()]).await;
    let alice = able(&gateway, Era::Legacy).await;
    let mut stream = alice.open("tools/call", params()).await;
    let question = stream.next().await;
    asking.break_off();
    assert_eq!(stream.next().await["params"], json!({"requestId": question["id"]}), "its answer is wanted no more");
    let answer = stream.next().await;
    assert_eq!(fault(&answer), "broken_off");
    let late = alice.respond(&question["id"], answer_to(&question)).await;
    assert_eq!(late.refusal(), (400, -32600), "nobody waits for it any more");
}

/// The target refuses the answer and waits on: what its reply says then is what counts.
#[tokio::test]
async fn an_answer_that_the_target_does_not_take_leaves_the_call_to_it() {
    let asking = AskingTarget::start();
    asking.fake.on("", |_| async { status(500) });
    let gateway = Gateway::start([asking.target()]).await;
    let alice = able(&gateway, Era::Legacy).await;
    let mut stream = alice.open("tools/call", params()).await;
    let question = stream.next().await;
    assert_eq!(alice.respond(&question["id"], answer_to(&question)).await.status, 202);
    asking.fake.until_asked(|asked| asked.method.is_empty()).await;
    asking.break_off();
    assert_eq!(fault(&stream.next().await), "broken_off");
}

#[tokio::test]
async fn a_child_that_ends_ends_the_calls_that_wait() {
    let fixture = Fixture::start(Kind::LegacyChild).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let alice = able(&gateway, Era::Modern).await;
    let params = json!({"name": "f___ask_twice", "arguments": {}});
    let asked = alice.request("tools/call", params.clone()).await.result();
    fixture.kill();
    let answer = alice.request("tools/call", retry(&params, &asked)).await.message();
    assert_eq!(fault(&answer), "broken_off");
}
