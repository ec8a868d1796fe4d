//! Tasks as MCP 2025-11-25 has them: a legacy client follows, steers and lists those of its targets under names that are its
//! own, in every place in which a name stands.
//!
//! Source: MCP 2025-11-25, basic/utilities/tasks.

use serde_json::{Value, json};

use crate::{
    caller::Caller,
    fake_target::{FakeTarget, Speaks},
    harness::{Gateway, http_target},
    tasks_older_target::OlderTarget,
    tasks_talk::{RELATED, about, knowing, legacy, text},
};

/// The name of the task that a call with `task` became.
async fn begin(caller: &Caller, tool: &str) -> String {
    let params = json!({"name": tool, "arguments": {}, "task": {"ttl": 60000}});
    let result = caller.request("tools/call", params).await.result();
    assert_eq!(result["task"]["status"], "working", "{result}");
    text(&result["task"]["taskId"])
}

#[tokio::test]
async fn a_task_has_one_name_for_its_caller_and_another_for_its_target() {
    let older = OlderTarget::start("t");
    let gateway = Gateway::start([older.target()]).await;
    let alice = legacy(&gateway, "alice").await;
    for tool in ["t___may", "t___must"] {
        older.fake.forget();
        let id = begin(&alice, tool).await;
        assert_ne!(id, "t-0");
        assert_eq!(older.asked("tools/call")[0]["task"], json!({"ttl": 60000}));
        let seen = about(&alice, "tasks/get", &id).await.result();
        assert_eq!(seen, json!({"taskId": id, "status": "working", "ttl": null, "pollInterval": 1}));
        let end = about(&alice, "tasks/result", &id).await.result();
        assert_eq!(end["content"][0]["text"], "the end of t-0");
        assert_eq!(end["_meta"], json!({RELATED: {"taskId": id}}));
        assert_eq!(about(&alice, "tasks/cancel", &id).await.result()["taskId"], *id);
        for method in ["tasks/get", "tasks/result", "tasks/cancel"] {
            assert_eq!(older.asked(method), [json!({"taskId": "t-0"})], "{method}");
        }
    }
}

#[tokio::test]
async fn a_task_is_nobody_elses() {
    let older = OlderTarget::start("t");
    let gateway = Gateway::start([older.target()]).await;
    let (alice, bob) = (legacy(&gateway, "alice").await, legacy(&gateway, "bob").await);
    let id = begin(&alice, "t___may").await;
    for method in ["tasks/get", "tasks/result", "tasks/cancel"] {
        assert_eq!(about(&bob, method, &id).await.refusal(), (200, -32602), "{method}");
        assert_eq!(about(&alice, method, "t-0").await.refusal(), (200, -32602), "{method}");
        assert_eq!(alice.request(method, json!({})).await.refusal(), (200, -32602), "{method}");
        assert!(older.asked(method).is_empty(), "{method}");
    }
}

#[tokio::test]
async fn a_question_about_a_task_names_it_as_the_client_does() {
    let older = OlderTarget::start("t");
    older.ask_before_results();
    let gateway = Gateway::start([older.target()]).await;
    let alice = legacy(&gateway, "alice").await;
    let id = begin(&alice, "t___may").await;
    let related = json!({RELATED: {"taskId": id}});
    let mut stream = alice.open("tasks/result", json!({"taskId": id})).await;
    let status = stream.next().await;
    assert_eq!(status["method"], "notifications/tasks/status");
    assert_eq!(status["params"], json!({"taskId": id, "status": "input_required"}));
    assert_eq!(stream.next().await["params"]["_meta"], related);
    let question = stream.next().await;
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(question["params"]["_meta"], related);
    let content = json!({"action": "accept", "content": {"name": "Ann"}, "_meta": related});
    assert_eq!(alice.respond(&question["id"], content).await.status, 202);
    let end = stream.next().await;
    assert_eq!(end["result"]["content"][0]["text"], "the end of t-0");
    assert_eq!(end["result"]["_meta"], related);
    let [answered] = &older.fake.asked("")[..] else { panic!("one answer") };
    let answered: Value = serde_json::from_str(&answered.body).unwrap();
    assert_eq!(answered["id"], "q");
    let own = json!({"action": "accept", "content": {"name": "Ann"}, "_meta": {RELATED: {"taskId": "t-0"}}});
    assert_eq!(answered["result"], own);
}

/// All tasks that the caller can list, page by page.
async fn list(caller: &Caller) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut params = json!({});
    loop {
        let page = caller.request("tasks/list", params).await.result();
        let tasks = page["tasks"].as_array().unwrap();
        pages.push(tasks.iter().map(|task| text(&task["taskId"])).collect());
        match page.get("nextCursor") {
            Some(cursor) => params = json!({"cursor": cursor}),
            None => return pages,
        }
        assert!(pages.len() < 10, "the list has no end: {pages:?}");
    }
}

#[tokio::test]
async fn a_caller_lists_its_tasks_of_all_targets_once() {
    let (one, two, none) = (OlderTarget::start("one"), OlderTarget::start("two"), FakeTarget::start(Speaks::Sessions));
    one.list(&[&["one-0", "one-1"], &["one-2", "stranger"]]);
    two.list(&[&["two-0"]]);
    let gateway = Gateway::start([one.target(), http_target("none", &none.endpoint()), two.target()]).await;
    let (alice, bob) = (legacy(&gateway, "alice").await, legacy(&gateway, "bob").await);
    let mut own = Vec::new();
    for (caller, tool) in [(&alice, "one"), (&bob, "one"), (&alice, "one"), (&alice, "two")] {
        own.push(begin(caller, &format!("{tool}___may")).await);
    }
    let bobs = own.remove(1);
    let pages = list(&alice).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 1]);
    assert_eq!(pages.concat(), own, "under the names that they had from the beginning");
    assert_eq!(list(&alice).await, pages);
    assert_eq!(list(&bob).await.concat(), [bobs], "a target lists everybody's, for all are the gateway to it");
    // Each name leads where it came from.
    for (id, (target, own)) in pages.iter().flatten().zip([(&one, "one-0"), (&one, "one-2"), (&two, "two-0")]) {
        target.fake.forget();
        about(&alice, "tasks/get", id).await.result();
        assert_eq!(target.asked("tasks/get"), [json!({"taskId": own})]);
    }
    assert!(none.asked("tasks/list").is_empty());
}

#[tokio::test]
async fn a_list_begins_without_a_cursor_and_goes_on_with_the_targets_own() {
    let one = OlderTarget::start("one");
    one.list(&[&["a"], &["b"]]);
    let gateway = Gateway::start([one.target()]).await;
    let alice = legacy(&gateway, "alice").await;
    list(&alice).await;
    assert_eq!(one.asked("tasks/list"), [json!({}), json!({"cursor": "1"})]);
}

#[tokio::test]
async fn a_cursor_is_its_callers_alone() {
    let one = OlderTarget::start("one");
    one.list(&[&["one-0"], &["one-1"]]);
    let gateway = Gateway::start([one.target()]).await;
    let (alice, bob) = (legacy(&gateway, "alice").await, legacy(&gateway, "bob").await);
    for _ in 0..2 {
        begin(&alice, "one___may").await;
    }
    let page = alice.request("tasks/list", json!({})).await.result();
    let next = json!({"cursor": page["nextCursor"]});
    assert_eq!(bob.request("tasks/list", next.clone()).await.refusal(), (200, -32602));
    assert_eq!(alice.request("tasks/list", json!({"cursor": "1"})).await.refusal(), (200, -32602));
    assert_eq!(alice.request("tasks/list", next).await.result()["tasks"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn where_no_target_lists_tasks_there_is_no_such_method() {
    let fake = FakeTarget::start(Speaks::Sessions);
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let alice = legacy(&gateway, "alice").await;
    assert_eq!(alice.request("tasks/list", json!({})).await.refusal(), (200, -32601));
}

/// A modern client's `task` means nothing (SEP-2663, "Backward Compatibility").
#[tokio::test]
async fn a_modern_client_gets_no_task_of_the_older_form() {
    let older = OlderTarget::start("t");
    let gateway = Gateway::start([older.target()]).await;
    let plain = gateway.caller("alice").modern();
    for caller in [plain, knowing(&gateway, "alice")] {
        for (tool, text) in [("t___may", "at once"), ("t___must", "the end of t-1")] {
            let params = json!({"name": tool, "arguments": {}, "task": {"ttl": 60000}});
            let result = caller.request("tools/call", params).await.result();
            assert_eq!(result["resultType"], "complete");
            assert_eq!(result["content"][0]["text"], text);
        }
        older.fake.forget();
    }
}
