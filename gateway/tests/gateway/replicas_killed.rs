//! A replica that is killed while it works on something that came by another one: nothing that it may have begun is made again, and
//! whoever waits is told.

use serde_json::json;

use crate::{
    bridge_asking::AskingTarget,
    bridge_talk::retry,
    controlled_target::ControlledTarget,
    replicas::{Process, url_of},
};

#[tokio::test]
async fn a_call_that_was_passed_on_ends_with_an_error_and_is_not_made_again() {
    let lab = ControlledTarget::start().await;
    let url = url_of(&lab.target("lab"));
    let mut one = Process::start(&[("lab", &url)], "").await;
    let other = Process::start(&[("lab", &url)], "").await;
    let there = one.caller().in_session().await.through(&other.url);
    let watch =
        there.open("tools/call", json!({"name": "lab___watch", "arguments": {}, "_meta": {"progressToken": 1}}));
    let mut watch = watch.await;
    assert_eq!(watch.next().await["method"], "notifications/progress");
    // This one has not answered anything yet.
    let waiting = tokio::spawn({
        let there = there.clone().under(2);
        async move { there.try_call("lab___wait", json!({})).await }
    });
    lab.arrival().await;
    lab.arrival().await;
    one.kill().await;
    let [told] = &watch.rest().await[..] else { panic!("one message") };
    assert_eq!((&told["id"], &told["error"]["code"]), (&json!(1), &json!(-32603)));
    insta::assert_snapshot!(waiting.await.unwrap().whole(), @r#"
    200
    content-type: application/json

    {"jsonrpc":"2.0","id":2,"error":{"code":-32603,"message":"the replica of the gateway that worked on this broke off; the call may or may not have been carried out: check before you repeat it"}}
    "#);
    assert_eq!(lab.seen().len(), 2, "nothing was made again");
    assert_eq!(there.call("lab___echo", json!({"a": 1})).await["echo"]["a"], 1, "the session goes on");
}

#[tokio::test]
async fn a_call_that_waited_in_it_is_lost_and_says_so() {
    let asking = AskingTarget::start();
    let url = url_of(&asking.target());
    let mut one = Process::start(&[("t", &url)], "").await;
    let other = Process::start(&[("t", &url)], "").await;
    let params = json!({"name": "t___echo", "arguments": {}});
    let alice = one.caller().modern();
    let asked = alice.request("tools/call", params.clone()).await.result();
    one.kill().await;
    let lost = alice.through(&other.url).request("tools/call", retry(&params, &asked)).await.message();
    assert!(lost["error"]["message"].as_str().unwrap().contains("is gone, and the call with it"), "{lost}");
    assert_eq!(asking.fake.asked("tools/call").len(), 1, "nothing was made again");
}
