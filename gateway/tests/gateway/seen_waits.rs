//! What is recorded of calls that wait for something: for what their client is asked, or for the end of a task. Every request of the
//! client says where it led, and every request to the target which call it is for.

use std::sync::Arc;

use causeway::calls::CallRecord;
use serde_json::json;

use crate::{
    bridge_asking::AskingTarget,
    bridge_talk::{Era, able, retry},
    harness::Gateway,
    tasks_older_target::OlderTarget,
};

fn shown(record: &CallRecord) -> String {
    let text = |text: &Option<Arc<str>>| text.as_deref().unwrap_or("-").to_owned();
    let (name, target, tool) = (text(&record.name), text(&record.target), text(&record.tool));
    format!("{name} {target}/{tool} {} {}", record.outcome.word(), record.attempts)
}

#[tokio::test]
async fn a_retry_that_goes_on_with_a_call_leads_where_that_did() {
    let asking = AskingTarget::start();
    let gateway = Gateway::start([asking.target()]).await;
    let mut records = gateway.calls.follow();
    let alice = able(&gateway, Era::Modern).await;
    let params = json!({"name": "t___echo", "arguments": {"n": 1}});
    let asked = alice.request("tools/call", params.clone()).await.result();
    let done = alice.request("tools/call", retry(&params, &asked)).await.result();
    assert_eq!(done["resultType"], "complete");
    let (first, second) = (records.recv().await.unwrap(), records.recv().await.unwrap());
    assert_eq!(shown(&first), "t___echo t/echo input_required 1");
    assert_eq!(shown(&second), "t___echo t/echo ok 0");
    // The target worked before it asked, and again once it had its answer.
    for record in [&first, &second] {
        assert!(!record.execution.is_zero() && record.execution <= record.duration, "{record:?}");
    }
}

#[tokio::test]
async fn what_is_asked_about_a_task_is_the_calls_own() {
    let older = OlderTarget::start("t");
    let gateway = Gateway::start([older.target()]).await;
    let mut records = gateway.calls.follow();
    let alice = gateway.caller("alice").modern().header("x-request-id", "mine-7");
    let result = alice.request("tools/call", json!({"name": "t___must", "arguments": {}})).await.result();
    assert_eq!(result["content"][0]["text"], "the end of t-0");
    let record = records.recv().await.unwrap();
    assert_eq!(shown(&record), "t___must t/must ok 2");
    let id = |method| older.fake.asked(method)[0].headers["x-request-id"].clone();
    assert_eq!((id("tools/call"), id("tasks/result")), ("mine-7".parse().unwrap(), "mine-7".parse().unwrap()));
}
