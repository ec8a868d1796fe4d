//! Tasks of the extension, of the official SDK's server: clients that know them follow and steer them under names that are
//! theirs alone, and others get results.
//!
//! Source: SEP-2663.

use serde_json::{Value, json};

use crate::{
    bridge_fixture::{Fixture, KINDS, Kind},
    bridge_talk::answer_to,
    caller::Caller,
    fake_target::{FakeTarget, Speaks, json as answer, success},
    harness::{Gateway, http_target},
    tasks_talk::{EXTENSION, about, knowing, text, until},
};

/// All but the gateway that is spoken to as in the legacy era, in which the extension means nothing: it waits for the results.
fn giving_tasks() -> impl Iterator<Item = Kind> {
    KINDS.into_iter().filter(|kind| *kind != Kind::LegacyPipe)
}

/// The name of the task that a call became.
async fn begin(caller: &Caller, tool: &str, arguments: Value) -> String {
    let result = caller.call(tool, arguments).await;
    assert_eq!(result["resultType"], "task", "{result}");
    text(&result["taskId"])
}

async fn slow(caller: &Caller, seconds: u32) -> String {
    begin(caller, "f___slow_compute", json!({"seconds": seconds, "label": "x"})).await
}

#[tokio::test]
async fn a_task_is_followed_to_its_end() {
    for kind in giving_tasks() {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        let alice = knowing(&gateway, "alice");
        let id = slow(&alice, 0).await;
        let end = until(&alice, &id, "completed").await;
        assert_eq!(end["result"]["content"][0]["text"], "Computed x.", "{kind:?}");
        let id = begin(&alice, "f___protocol_error_job", json!({})).await;
        assert_eq!(until(&alice, &id, "failed").await["error"]["code"], -32603, "{kind:?}");
        gateway.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_task_gets_the_input_that_it_asks_for() {
    for kind in giving_tasks() {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        let alice = knowing(&gateway, "alice");
        let id = begin(&alice, "f___confirm_delete", json!({"filename": "a.txt"})).await;
        let asking = until(&alice, &id, "input_required").await;
        let responses = json!({"confirm": answer_to(&asking["inputRequests"]["confirm"])});
        alice.request("tasks/update", json!({"taskId": id, "inputResponses": responses})).await.result();
        let end = until(&alice, &id, "completed").await;
        assert_eq!(end["result"]["content"][0]["text"], "Deleted a.txt.", "{kind:?}");
        gateway.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_task_is_cancelled() {
    for kind in giving_tasks() {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        let alice = knowing(&gateway, "alice");
        let id = slow(&alice, 3600).await;
        until(&alice, &id, "working").await;
        let acknowledged = about(&alice, "tasks/cancel", &id).await.result();
        assert_eq!(acknowledged["resultType"], "complete", "{kind:?}");
        until(&alice, &id, "cancelled").await;
        gateway.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_name_opens_for_its_caller_alone() {
    let fixture = Fixture::start(Kind::ModernHttp).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let (alice, bob) = (knowing(&gateway, "alice"), knowing(&gateway, "bob"));
    let id = slow(&alice, 3600).await;
    let steer = async |caller: &Caller, method: &str, id: &str| {
        let answer = caller.request(method, json!({"taskId": id, "inputResponses": {}})).await;
        let message = answer.json();
        (answer.refusal(), text(&message["error"]["message"]))
    };
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let unknown = ((200, -32602), format!("Unknown task: {id}"));
        assert_eq!(steer(&bob, method, &id).await, unknown, "{method}");
        // A sign more or less is another name.
        let (other, unknown) = (format!("{id}A"), ((200, -32602), format!("Unknown task: {id}A")));
        assert_eq!(steer(&alice, method, &other).await, unknown, "{method}");
    }
    until(&alice, &id, "working").await;
    about(&alice, "tasks/cancel", &id).await.result();
}

#[tokio::test]
async fn two_tasks_of_one_tool_have_two_names() {
    let fixture = Fixture::start(Kind::ModernHttp).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let alice = knowing(&gateway, "alice");
    let (one, two) = (slow(&alice, 3600).await, slow(&alice, 0).await);
    assert_ne!(one, two);
    until(&alice, &two, "completed").await;
    until(&alice, &one, "working").await;
}

#[tokio::test]
async fn who_does_not_know_tasks_gets_results_and_may_not_ask_about_tasks() {
    let fixture = Fixture::start(Kind::ModernHttp).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let knowing = knowing(&gateway, "alice");
    let id = slow(&knowing, 3600).await;
    let plain = gateway.caller("alice").modern();
    let result = plain.call("f___slow_compute", json!({"seconds": 0, "label": "x"})).await;
    assert_eq!(result["resultType"], "complete");
    assert_eq!(result["content"][0]["text"], "Computed x.");
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let answer = plain.request(method, json!({"taskId": id, "inputResponses": {}})).await;
        assert_eq!(answer.refusal(), (400, -32021), "{method}");
        let needed = &answer.json()["error"]["data"]["requiredCapabilities"];
        assert_eq!(*needed, json!({"extensions": {EXTENSION: {}}}), "{method}");
    }
    until(&knowing, &id, "working").await;
}

#[tokio::test]
async fn the_older_methods_are_none_of_the_modern_era() {
    let fixture = Fixture::start(Kind::ModernHttp).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let alice = knowing(&gateway, "alice");
    let id = slow(&alice, 0).await;
    for method in ["tasks/result", "tasks/list"] {
        assert_eq!(about(&alice, method, &id).await.refusal(), (404, -32601), "{method}");
    }
}

/// In the legacy era the extension means nothing, whoever declares it.
#[tokio::test]
async fn a_legacy_client_gets_no_task_of_the_extension() {
    for kind in KINDS {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        let alice = gateway.caller("alice").declaring(json!({"extensions": {EXTENSION: {}}})).in_session().await;
        let result = alice.call("f___slow_compute", json!({"seconds": 0, "label": "x"})).await;
        assert_eq!(result["content"][0]["text"], "Computed x.", "{kind:?}");
        gateway.stop().await.unwrap();
    }
}

/// The header that repeats the name says on each side what the body says there.
#[tokio::test]
async fn the_target_hears_its_own_name_in_body_and_header() {
    let fake = FakeTarget::start(Speaks::Modern);
    fake.describe(&format!(r#""capabilities":{{"tools":{{}},"extensions":{{"{EXTENSION}":{{}}}}}}"#));
    fake.on("tools/call", |asked| async move {
        answer(200, success(&asked.id, r#"{"resultType":"task","taskId":"own","status":"working","v":1e400}"#))
    });
    fake.on("tasks/get", |asked| async move {
        answer(200, success(&asked.id, r#"{"resultType":"complete","taskId":"own","status":"working","v":1e400}"#))
    });
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let alice = knowing(&gateway, "alice");
    let called = alice.try_call("t___echo", json!({})).await;
    assert!(called.text().ends_with(r#","status":"working","v":1e400}}"#), "{called:?}");
    let id = called.text().split('"').skip_while(|part| *part != "taskId").nth(2).unwrap().to_owned();
    let seen = about(&alice, "tasks/get", &id).await;
    let same = format!(
        r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"complete","taskId":"{id}","status":"working","v":1e400}}}}"#
    );
    assert_eq!(seen.text(), same);
    let [asked] = &fake.asked("tasks/get")[..] else { panic!("asked more than once") };
    assert_eq!(asked.headers["mcp-name"], "own");
    assert!(asked.params.contains(r#""taskId":"own""#) && !asked.params.contains(&id), "{}", asked.params);
}
