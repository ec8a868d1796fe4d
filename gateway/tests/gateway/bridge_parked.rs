//! Bounds of calls that wait for a modern client's input: how many, and how long. A call that is given up is cancelled at
//! its target.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    bridge_asking::AskingTarget,
    bridge_talk::{Era, able, retry},
    harness::Gateway,
};

fn params(number: usize) -> Value {
    json!({"name": "t___echo", "arguments": {"n": number}})
}

#[tokio::test]
async fn one_call_more_than_may_wait_is_refused_and_its_target_is_told() {
    let asking = AskingTarget::start();
    let gateway = Gateway::start_with([asking.target()], |config| config.limits.parked_calls = 1).await;
    let alice = able(&gateway, Era::Modern).await;
    let first = alice.request("tools/call", params(1)).await.result();
    let refused = alice.request("tools/call", params(2)).await;
    insta::assert_snapshot!(refused.whole(), @r#"
    200
    content-type: application/json

    {"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"1 calls wait for input already (`limits.parked_calls`): retry in a moment"}}
    "#);
    let told = asking.fake.until_asked(|asked| asked.method == "notifications/cancelled").await;
    let second = asking.fake.asked("tools/call").pop().unwrap();
    assert!(told.params.contains(&format!(r#""requestId":{}"#, second.id)), "{} {}", told.params, second.id);
    // The place is free once the call that had it goes on.
    let done = alice.request("tools/call", retry(&params(1), &first)).await.result();
    assert_eq!(done["resultType"], "complete");
    assert_eq!(alice.request("tools/call", params(3)).await.result()["resultType"], "input_required");
}

#[tokio::test]
async fn a_call_whose_input_does_not_come_is_given_up_and_its_target_is_told() {
    let asking = AskingTarget::start();
    let gateway =
        Gateway::start_with([asking.target()], |config| config.limits.parked = Duration::from_millis(300)).await;
    let alice = able(&gateway, Era::Modern).await;
    let asked = alice.request("tools/call", params(1)).await.result();
    let told = asking.fake.until_asked(|asked| asked.method == "notifications/cancelled").await;
    let call = &asking.fake.asked("tools/call")[0];
    assert!(told.params.contains(&format!(r#""requestId":{}"#, call.id)), "{}", told.params);
    assert_eq!(alice.request("tools/call", retry(&params(1), &asked)).await.refusal(), (200, -32602));
    assert_eq!(asking.fake.asked("tools/call").len(), 1, "the call was not repeated");
}

/// Its deadline is the call's, whoever it waits for.
#[tokio::test]
async fn a_call_that_waits_has_no_more_time_than_others() {
    let asking = AskingTarget::start();
    let gateway = Gateway::start_with([asking.target()], |config| {
        config.limits.call = Duration::from_millis(500);
        config.limits.first_byte = Duration::from_millis(500);
    })
    .await;
    let alice = able(&gateway, Era::Modern).await;
    // Its answer to the question is lost, so that the call waits on.
    asking.fake.on("", |_| async { crate::fake_target::status(202) });
    let asked = alice.request("tools/call", params(1)).await.result();
    let late = alice.request("tools/call", retry(&params(1), &asked)).await.result();
    assert_eq!(late["_meta"]["causeway/error"]["kind"], "timeout", "{late}");
    asking.fake.until_asked(|asked| asked.method == "notifications/cancelled").await;
}

#[tokio::test]
async fn calls_that_wait_do_not_hold_up_the_end() {
    let asking = AskingTarget::start();
    let gateway = Gateway::start([asking.target()]).await;
    let alice = able(&gateway, Era::Modern).await;
    alice.request("tools/call", params(1)).await.result();
    gateway.stop().await.unwrap();
    asking.fake.until_asked(|asked| asked.method == "DELETE").await;
}

#[tokio::test]
async fn a_call_that_waits_takes_nobodys_place_in_its_target() {
    let asking = AskingTarget::start();
    let gateway = Gateway::start_with([asking.target()], |config| config.limits.target_calls = 1).await;
    let alice = able(&gateway, Era::Modern).await;
    let first = alice.request("tools/call", params(1)).await.result();
    let second = alice.request("tools/call", params(2)).await.result();
    assert_eq!([&first["resultType"], &second["resultType"]], [&json!("input_required"); 2]);
    for (number, asked) in [(1, &first), (2, &second)] {
        let done = alice.request("tools/call", retry(&params(number), asked)).await.result();
        assert_eq!(done["resultType"], "complete");
    }
}
