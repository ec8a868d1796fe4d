//! Tools that work as tasks only, called by clients that know no tasks: they get what becomes of the task, and the tool is
//! asked once.

use serde_json::{Value, json};

use crate::{
    bridge_talk::ask,
    caller::Caller,
    fake_target::{FakeTarget, Speaks, error, json as answer, success},
    harness::{Gateway, http_target},
    tasks_older_target::OlderTarget,
    tasks_talk::{EXTENSION, legacy},
};

/// A client of each era that can be asked with forms.
async fn clients(gateway: &Gateway) -> [Caller; 2] {
    let modern = gateway.caller("alice").declaring(json!({"elicitation": {"form": {}}})).modern();
    [legacy(gateway, "alice").await, modern]
}

fn must() -> Value {
    json!({"name": "t___must", "arguments": {"x": 1}, "_meta": {"progressToken": "p"}})
}

#[tokio::test]
async fn the_result_comes_all_the_same() {
    let older = OlderTarget::start("t");
    let gateway = Gateway::start([older.target()]).await;
    for caller in clients(&gateway).await {
        older.fake.forget();
        let result = caller.request("tools/call", must()).await.result();
        assert_eq!(result["content"][0]["text"], "the end of t-0");
        assert!(result.get("task").is_none(), "{result}");
        let [asked] = &older.asked("tools/call")[..] else { panic!("asked more than once") };
        assert_eq!((&asked["task"], &asked["arguments"]), (&json!({}), &json!({"x": 1})));
        assert_eq!(older.asked("tasks/result")[0]["taskId"], "t-0");
        // A target may keep its tasks by sessions.
        let session = |method| older.fake.asked(method)[0].headers["mcp-session-id"].clone();
        assert_eq!(session("tasks/result"), session("tools/call"));
        assert!(older.asked("tasks/cancel").is_empty());
    }
}

#[tokio::test]
async fn a_tool_that_may_do_without_is_not_made_a_task() {
    let older = OlderTarget::start("t");
    let gateway = Gateway::start([older.target()]).await;
    for caller in clients(&gateway).await {
        let result = caller.call("t___may", json!({})).await;
        assert_eq!(result["content"][0]["text"], "at once");
    }
    assert!(older.asked("tools/call").iter().all(|asked| asked.get("task").is_none()));
}

/// MCP 2025-11-25, basic/utilities/tasks, "Tool-Level Negotiation", rule 1.
#[tokio::test]
async fn a_target_that_declares_no_tasks_is_asked_for_none() {
    for capabilities in [r#"{"tools":{}}"#, r#"{"tools":{},"tasks":{"list":{}}}"#] {
        let older = OlderTarget::start("t");
        older.fake.describe(&format!(r#""capabilities":{capabilities}"#));
        let gateway = Gateway::start([older.target()]).await;
        for caller in clients(&gateway).await {
            let error = caller.request("tools/call", must()).await.message()["error"].take();
            assert_eq!(error["message"], "this tool works as a task only");
        }
    }
}

#[tokio::test]
async fn a_question_on_the_way_to_the_result_reaches_the_client() {
    let older = OlderTarget::start("t");
    older.ask_before_results();
    let gateway = Gateway::start([older.target()]).await;
    for caller in clients(&gateway).await {
        older.fake.forget();
        let talk = ask(&caller, "tools/call", must()).await;
        assert_eq!(talk.text(), "the end of t-0");
        assert_eq!(talk.asked.len(), 1, "{talk:?}");
        assert_eq!((older.asked("tools/call").len(), older.asked("tasks/result").len()), (1, 1));
        let answered: Value = serde_json::from_str(&older.fake.asked("")[0].body).unwrap();
        assert_eq!(answered["result"]["content"], json!({"name": "name"}));
        // Of the state of a task that it does not know the client hears nothing.
        assert!(talk.notes.iter().all(|note| note["method"] != "notifications/tasks/status"), "{talk:?}");
        let progress = talk.notes.iter().find(|note| note["method"] == "notifications/progress");
        assert_eq!(progress.unwrap()["params"]["progressToken"], "p");
    }
}

#[tokio::test]
async fn who_leaves_cancels_the_task() {
    let older = OlderTarget::start("t");
    older.hold_results();
    let gateway = Gateway::start([older.target()]).await;
    let [legacy, modern] = clients(&gateway).await;
    for (caller, says_so) in [(legacy, true), (modern, false)] {
        older.fake.forget();
        let leaving = caller.clone();
        let call = tokio::spawn(async move { caller.request("tools/call", must()).await });
        older.fake.until_asked(|asked| asked.method == "tasks/result").await;
        match says_so {
            true => drop(leaving.notify("notifications/cancelled", json!({"requestId": 1})).await),
            false => call.abort(),
        }
        let cancelled = older.fake.until_asked(|asked| asked.method == "tasks/cancel").await;
        assert_eq!(serde_json::from_str::<Value>(&cancelled.params).unwrap()["taskId"], "t-0");
    }
}

#[tokio::test]
async fn a_task_whose_result_cannot_be_had_is_cancelled() {
    let older = OlderTarget::start("t");
    older.fake.on("tasks/result", |_| async { crate::fake_target::status(500) });
    let gateway = Gateway::start([older.target()]).await;
    let result = legacy(&gateway, "alice").await.request("tools/call", must()).await.result();
    assert_eq!(result["isError"], true, "{result}");
    older.fake.until_asked(|asked| asked.method == "tasks/cancel").await;
}

/// A modern target that answers with a task of the extension whoever asks, and lets only those look who know tasks.
fn newer(states: &'static [&'static str]) -> FakeTarget {
    let fake = FakeTarget::start(Speaks::Modern);
    fake.describe(&format!(r#""capabilities":{{"tools":{{}},"extensions":{{"{EXTENSION}":{{}}}}}}"#));
    fake.on("tools/call", |asked| async move {
        answer(200, success(&asked.id, r#"{"resultType":"task","taskId":"own","status":"working","pollIntervalMs":1}"#))
    });
    fake.on("tasks/get", move |asked| async move {
        if !asked.params.contains(EXTENSION) {
            return error(400, &asked.id, -32021, "you know no tasks");
        }
        let state = states[asked.earlier.min(states.len() - 1)];
        let seen = format!(r#"{{"resultType":"complete","taskId":"own","pollIntervalMs":1,{state}}}"#);
        answer(200, success(&asked.id, &seen))
    });
    fake.on("tasks/cancel", |asked| async move { answer(200, success(&asked.id, r#"{"resultType":"complete"}"#)) });
    fake
}

#[tokio::test]
async fn a_task_that_nobody_asked_for_is_waited_for() {
    let fake = newer(&[r#""status":"working""#, r#""status":"completed","result":{"content":[],"end":1}"#]);
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    for caller in clients(&gateway).await {
        fake.forget();
        let result = caller.call("t___echo", json!({})).await;
        assert_eq!((&result["end"], result.get("taskId")), (&json!(1), None), "{result}");
        assert_eq!(result.get("resultType").is_some(), caller.is_modern(), "{result}");
        assert_eq!((fake.asked("tools/call").len(), fake.asked("tasks/get").len()), (1, 2));
        assert!(fake.asked("tasks/cancel").is_empty());
    }
}

#[tokio::test]
async fn a_task_that_nobody_asked_for_fails_as_the_call_would() {
    let fake = newer(&[r#""status":"failed","error":{"code":-32042,"message":"no","data":1e400}"#]);
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    for caller in clients(&gateway).await {
        let failed = caller.try_call("t___echo", json!({})).await;
        assert_eq!(failed.text(), r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32042,"message":"no","data":1e400}}"#);
    }
}

#[tokio::test]
async fn the_client_is_asked_what_a_task_asks_that_nobody_asked_for() {
    const ASKING: &str = r#""status":"input_required","inputRequests":{"q":{"method":"elicitation/create","params":{"mode":"form","requestedSchema":{"properties":{"name":{"type":"string"}}}}}}"#;
    // It shows for a while what was answered.
    let fake = newer(&[ASKING, ASKING, r#""status":"completed","result":{"content":[],"end":1}"#]);
    fake.on("tasks/update", |asked| async move { answer(200, success(&asked.id, r#"{"resultType":"complete"}"#)) });
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    for caller in clients(&gateway).await {
        fake.forget();
        let talk = ask(&caller, "tools/call", json!({"name": "t___echo", "arguments": {}})).await;
        assert_eq!(talk.result()["end"], 1);
        assert_eq!((talk.asked.len(), fake.asked("tools/call").len(), fake.asked("tasks/update").len()), (1, 1, 1));
        let update: Value = serde_json::from_str(&fake.asked("tasks/update")[0].params).unwrap();
        assert_eq!(update["taskId"], "own");
        assert_eq!(update["inputResponses"], json!({"q": {"action": "accept", "content": {"name": "name"}}}));
        assert!(fake.asked("tasks/cancel").is_empty());
    }
}

#[tokio::test]
async fn a_retry_goes_on_with_its_callers_own_task_alone() {
    let fake = newer(&[r#""status":"input_required","inputRequests":{"q":{"method":"elicitation/create"}}"#]);
    let other = newer(&[r#""status":"working""#]);
    let targets = [http_target("t", &fake.endpoint()), http_target("u", &other.endpoint())];
    let gateway = Gateway::start(targets).await;
    let [_, alice] = clients(&gateway).await;
    let asked = alice.call("t___echo", json!({})).await;
    let retry = |tool| json!({"name": tool, "requestState": asked["requestState"], "inputResponses": {}});
    let bob = gateway.caller("bob").modern();
    for (caller, tool) in [(&bob, "t___echo"), (&alice, "u___echo")] {
        assert_eq!(caller.request("tools/call", retry(tool)).await.refusal(), (200, -32602), "{tool}");
    }
    assert!(fake.asked("tasks/update").is_empty() && other.asked("tools/call").is_empty());
}

#[tokio::test]
async fn a_task_that_nobody_can_give_its_input_is_cancelled() {
    let fake = newer(&[r#""status":"input_required","inputRequests":{"r":{"method":"roots/list"}}"#]);
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    for caller in clients(&gateway).await {
        fake.forget();
        assert_eq!(caller.call("t___echo", json!({})).await["isError"], true);
        fake.until_asked(|asked| asked.method == "tasks/cancel" && asked.params.contains(r#""taskId":"own""#)).await;
    }
}
