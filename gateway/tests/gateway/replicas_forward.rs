//! What belongs to something that lives in one replica and comes to another one: it is answered where that lives, as if it had come
//! there.

use std::sync::{Arc, Mutex};

use causeway_core::{catalog::Kind, era::headers::SESSION};
use http::Method;
use serde_json::{Value, json};

use crate::{
    bridge_asking::AskingTarget,
    bridge_talk::{ERAS, Era, answer_to, retry},
    controlled_target::ControlledTarget,
    fake_target::{self, Speaks, event, success, written},
    harness::toolsets,
    offering::Offering,
    replicas::Pair,
};

fn params(number: usize) -> Value {
    json!({"name": "t___echo", "arguments": {"n": number}})
}

#[tokio::test]
async fn a_parked_call_goes_on_with_input_that_comes_to_another_replica() {
    let asking = AskingTarget::start();
    let pair = Pair::start([asking.target()]).await;
    let (here, there) = pair.alice(Era::Modern).await;
    for (begins, goes_on) in [(&here, &there), (&there, &here)] {
        let asked = begins.request("tools/call", params(1)).await.result();
        assert_eq!(asked["resultType"], "input_required");
        let done = goes_on.request("tools/call", retry(&params(1), &asked)).await.result();
        assert_eq!(done["resultType"], "complete", "{done}");
        assert!(done["content"][0]["text"].as_str().unwrap().contains("accept"), "{done}");
        let again = goes_on.request("tools/call", retry(&params(1), &asked)).await;
        assert_eq!(again.refusal(), (200, -32602), "it waits no more");
    }
    assert_eq!(asking.fake.asked("tools/call").len(), 2, "no call was made twice");
}

#[tokio::test]
async fn nobody_else_goes_on_with_it_there_either() {
    let asking = AskingTarget::start();
    let pair = Pair::start([asking.target()]).await;
    let (here, there) = pair.alice(Era::Modern).await;
    let asked = here.request("tools/call", params(1)).await.result();
    let bob = pair.other.caller("bob").declaring(json!({"elicitation": {"form": {}}})).modern();
    assert_eq!(bob.request("tools/call", retry(&params(1), &asked)).await.refusal(), (200, -32602));
    assert_eq!(there.request("tools/call", retry(&params(2), &asked)).await.refusal(), (200, -32602), "another call");
    assert_eq!(there.request("tools/call", retry(&params(1), &asked)).await.result()["resultType"], "complete");
}

#[tokio::test]
async fn a_toolset_is_the_same_in_all_replicas() {
    let asking = AskingTarget::start();
    let pair = Pair::start_with([asking.target()], |config| {
        config.toolsets = toolsets("[[toolsets]]\nname = \"part\"\ntools.include = [\"t___*\"]\n");
    })
    .await;
    let (here, there) = pair.alice(Era::Modern).await;
    let asked = here.clone().toolset("part").request("tools/call", params(1)).await.result();
    let elsewhere = there.request("tools/call", retry(&params(1), &asked)).await;
    assert_eq!(elsewhere.refusal(), (200, -32602), "the gateway's own endpoint has other callers");
    let done = there.toolset("part").request("tools/call", retry(&params(1), &asked)).await.result();
    assert_eq!(done["resultType"], "complete", "{done}");
}

#[tokio::test]
async fn an_older_clients_answer_finds_the_call_that_asked() {
    let asking = AskingTarget::start();
    let pair = Pair::start([asking.target()]).await;
    let (here, there) = pair.alice(Era::Legacy).await;
    for (calls, answers) in [(&here, &there), (&there, &here), (&there, &there)] {
        let mut call = calls.open("tools/call", params(1)).await;
        let question = call.next().await;
        assert_eq!(question["method"], "elicitation/create");
        assert_eq!(answers.respond(&question["id"], answer_to(&question)).await.status, 202);
        let [done] = &call.rest().await[..] else { panic!("one answer") };
        assert!(done["result"]["content"][0]["text"].as_str().unwrap().contains("accept"), "{done}");
    }
    assert_eq!(asking.fake.asked("tools/call").len(), 3);
}

#[tokio::test]
async fn progress_comes_back_and_a_cancellation_goes_there() {
    let lab = ControlledTarget::start().await;
    let pair = Pair::start([lab.target("lab")]).await;
    let (here, there) = pair.alice(Era::Legacy).await;
    let params = json!({"name": "lab___watch", "arguments": {}, "_meta": {"progressToken": "p"}});
    for (calls, cancels) in [(&here, &there), (&there, &here)] {
        let mut call = calls.clone().under("c").open("tools/call", params.clone()).await;
        assert_eq!(call.next().await["params"]["progressToken"], "p");
        assert_eq!(cancels.notify("notifications/cancelled", json!({"requestId": "c"})).await.status, 202);
        assert_eq!(call.rest().await, [json!(null); 0], "there is no answer");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_is_gone_there_too() {
    let asking = AskingTarget::start();
    let pair = Pair::start([asking.target()]).await;
    let (_, there) = pair.alice(Era::Legacy).await;
    let mut call = there.open("tools/call", params(1)).await;
    call.next().await;
    drop(call);
    asking.fake.until_asked(|asked| asked.method == "notifications/cancelled").await;
}

/// A target with a resource that reports on it at each `resources/subscribe`.
fn reporting() -> Offering {
    let offering = Offering::start("t", Speaks::Sessions, &[(Kind::Resources, r#"[{"uri":"x:one","name":"one"}]"#)]);
    let streams = Arc::new(Mutex::new(Vec::new()));
    let opened = Arc::clone(&streams);
    offering.fake.on("GET", move |_| {
        let (stream, response) = written();
        opened.lock().unwrap().push(stream);
        async { response }
    });
    offering.fake.on("resources/subscribe", move |asked| {
        let news = r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"x:one"}}"#;
        for stream in streams.lock().unwrap().iter() {
            let _ = stream.unbounded_send(event(None, news));
        }
        async move { fake_target::json(200, success(&asked.id, "{}")) }
    });
    offering
}

#[tokio::test]
async fn what_a_client_listens_to_reaches_it_wherever_it_listens() {
    let offering = reporting();
    let pair = Pair::start([offering.target()]).await;
    let (here, there) = pair.alice(Era::Legacy).await;
    let mut stream = there.listen().await;
    assert!(stream.is_events());
    assert_eq!(there.request("resources/subscribe", json!({"uri": "x:one"})).await.result(), json!({}));
    assert_eq!(stream.next().await["params"]["uri"], "x:one");
    let mut replaced = here.listen().await;
    assert_eq!(stream.rest().await, [json!(null); 0], "a client listens once, whichever replica it asks");
    assert_eq!(here.request("resources/unsubscribe", json!({"uri": "x:one"})).await.result(), json!({}));
    assert_eq!(here.request("resources/subscribe", json!({"uri": "x:one"})).await.result(), json!({}));
    assert_eq!(replaced.next().await["params"]["uri"], "x:one");
}

#[tokio::test]
async fn a_session_that_is_ended_in_one_replica_is_ended_in_all() {
    let lab = ControlledTarget::start().await;
    let pair = Pair::start([lab.target("lab")]).await;
    let (here, there) = pair.alice(Era::Legacy).await;
    assert_eq!(there.request("ping", json!({})).await.result(), json!({}));
    assert_eq!(there.send(Method::DELETE, "").await.status, 204);
    for alice in [here, there] {
        assert_eq!(alice.request("ping", json!({})).await.refusal(), (404, -32600));
        assert_eq!(alice.listen().await.status, 404);
    }
    let bob = pair.other.caller("bob").header(SESSION, pair.alice(Era::Legacy).await.0.header_value(SESSION));
    assert_eq!(
        bob.request("ping", json!({})).await.refusal(),
        (404, -32600),
        "a session of somebody else is passed to nobody"
    );
}

#[tokio::test]
async fn a_batch_is_answered_as_a_whole() {
    let lab = ControlledTarget::start().await;
    let pair = Pair::start([lab.target("lab")]).await;
    let alice = pair.one.caller("alice");
    let id = alice.initialize("2025-03-26").await.header(SESSION);
    let there = alice.header(SESSION, &id).through(&pair.other.url);
    let one = |id| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "lab___echo", "arguments": {"id": id}}});
    let answers = there.post(json!([one(1), one(2)]).to_string()).await.json();
    assert_eq!([&answers[0]["result"]["echo"]["id"], &answers[1]["result"]["echo"]["id"]], [&json!(1), &json!(2)]);
}

#[tokio::test]
async fn a_call_has_one_record_and_one_name_in_both_replicas() {
    let lab = ControlledTarget::start().await;
    let pair = Pair::start([lab.target("lab")]).await;
    let (_, there) = pair.alice(Era::Legacy).await;
    let mut ended = pair.one.calls.follow();
    let answer = there.try_call("lab___echo", json!({"a": 1})).await;
    assert_eq!(answer.result()["echo"]["a"], 1);
    let record = ended.recv().await.unwrap();
    assert_eq!((&*record.method, record.caller.as_ref().unwrap().id.as_str()), ("tools/call", "alice"));
    assert_eq!(*record.request_id, *answer.header("x-request-id"));
    let elsewhere = pair.other.calls.recent();
    assert!(elsewhere.iter().all(|record| &*record.method != "tools/call"), "{elsewhere:?}");
}

#[tokio::test]
async fn replicas_without_common_keys_pass_nothing_on() {
    let lab = ControlledTarget::start().await;
    let pair = Pair::start_with([lab.target("lab")], |config| config.sessions.keys.clear()).await;
    let (_, there) = pair.alice(Era::Legacy).await;
    assert_eq!(there.request("ping", json!({})).await.refusal(), (404, -32600));
}

#[tokio::test]
async fn who_is_no_replica_finds_nothing_there() {
    let lab = ControlledTarget::start().await;
    let pair = Pair::start([lab.target("lab")]).await;
    let alice = pair.one.caller("alice").at("/replica");
    for body in ["", "{}", "x\n{}", "\n"] {
        assert_eq!(alice.post(body).await.status, 404, "{body:?}");
    }
    // A session is sealed with the same keys.
    let session = pair.alice(Era::Legacy).await.0;
    let letter = [session.header_value(SESSION), "\n{}"].concat();
    assert_eq!(alice.post(letter).await.status, 404);
}

#[tokio::test]
async fn a_session_goes_on_where_its_replica_is_gone() {
    let asking = AskingTarget::start();
    let pair = Pair::start([asking.target()]).await;
    let (_, legacy) = pair.alice(Era::Legacy).await;
    let (here, modern) = pair.alice(Era::Modern).await;
    let asked = here.request("tools/call", params(1)).await.result();
    pair.one.stop().await.unwrap();
    assert_eq!(legacy.tools().await, ["t___echo"]);
    let mut call = legacy.open("tools/call", params(2)).await;
    let question = call.next().await;
    assert_eq!(legacy.respond(&question["id"], answer_to(&question)).await.status, 202);
    assert_eq!(call.rest().await.len(), 1);
    let lost = modern.request("tools/call", retry(&params(1), &asked)).await;
    insta::assert_snapshot!(lost.whole(), @r#"
    200
    content-type: application/json

    {"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"the replica of the gateway in which this call waited is gone, and the call with it: see what it has done, then send it anew, without `requestState` and `inputResponses`"}}
    "#);
    assert_eq!(asking.fake.asked("tools/call").len(), 2, "nothing was made twice");
}

#[tokio::test]
async fn both_eras_list_alike_everywhere() {
    let lab = ControlledTarget::start().await;
    let pair = Pair::start([lab.target("lab")]).await;
    for era in ERAS {
        let (here, there) = pair.alice(era).await;
        assert_eq!(here.tools().await, there.tools().await, "{era:?}");
    }
}
