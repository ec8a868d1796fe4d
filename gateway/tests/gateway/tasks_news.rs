//! `subscriptions/listen` for tasks: a client hears of its own, under the names that it knows.
//!
//! Source: SEP-2663, "Task Status Notifications".

use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    fake_target::{FakeTarget, Speaks, event_stream, json as answer, success},
    harness::{Gateway, http_target},
    tasks_talk::{EXTENSION, knowing, text},
};

/// A modern target that reports at once on the tasks that it is asked about.
fn reporting(name: &'static str) -> FakeTarget {
    let fake = FakeTarget::start(Speaks::Modern);
    fake.describe(&format!(r#""capabilities":{{"tools":{{}},"extensions":{{"{EXTENSION}":{{}}}}}}"#));
    fake.on("tools/call", move |asked| async move {
        let task = json!({"resultType": "task", "taskId": format!("{name}-{}", asked.earlier), "status": "working"});
        answer(200, success(&asked.id, &task.to_string()))
    });
    fake.on("subscriptions/listen", |asked| async move {
        let params: Value = serde_json::from_str(&asked.params).unwrap();
        let wanted = params["notifications"].clone();
        let meta = json!({"io.modelcontextprotocol/subscriptionId": serde_json::from_str::<Value>(&asked.id).unwrap()});
        let note = |method: &str, mut params: Value| {
            params["_meta"] = meta.clone();
            json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string()
        };
        let mut said = vec![note("notifications/subscriptions/acknowledged", json!({"notifications": wanted}))];
        for id in wanted["taskIds"].as_array().into_iter().flatten() {
            said.push(note("notifications/tasks", json!({"taskId": id, "status": "completed", "result": {"of": id}})));
        }
        event_stream(stream::iter(said.into_iter().map(Ok)).chain(stream::pending()))
    });
    fake
}

async fn begin(caller: &Caller, tool: &str) -> String {
    text(&caller.call(tool, json!({})).await["taskId"])
}

fn wanting(ids: &[&String]) -> Value {
    json!({"notifications": {"taskIds": ids}})
}

#[tokio::test]
async fn a_client_hears_of_its_tasks_under_its_own_names() {
    let (one, two) = (reporting("one"), reporting("two"));
    let targets = [http_target("one", &one.endpoint()), http_target("two", &two.endpoint())];
    let gateway = Gateway::start(targets).await;
    let alice = knowing(&gateway, "alice").under(7);
    let (first, second) = (begin(&alice, "one___echo").await, begin(&alice, "two___echo").await);
    let mut stream = alice.open("subscriptions/listen", wanting(&[&first, &second])).await;
    let acknowledged = stream.next().await;
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(acknowledged["params"]["notifications"], json!({"taskIds": [first, second]}));
    let mut heard = [stream.next().await, stream.next().await];
    heard.sort_by_key(|message| message["params"]["result"]["of"].to_string());
    for (message, (id, own)) in heard.iter().zip([(first, "one-0"), (second, "two-0")]) {
        assert_eq!(message["method"], "notifications/tasks");
        let meta = json!({"io.modelcontextprotocol/subscriptionId": 7});
        let params = json!({"taskId": id, "status": "completed", "result": {"of": own}, "_meta": meta});
        assert_eq!(message["params"], params);
    }
    let asked =
        one.until_asked(|asked| asked.method == "subscriptions/listen" && asked.params.contains("taskIds")).await;
    let asked: Value = serde_json::from_str(&asked.params).unwrap();
    assert_eq!(asked["notifications"], json!({"taskIds": ["one-0"]}));
    let declared = &asked["_meta"]["io.modelcontextprotocol/clientCapabilities"]["extensions"];
    assert_eq!(*declared, json!({EXTENSION: {}}));
}

#[tokio::test]
async fn nobody_hears_of_anothers_tasks() {
    let one = reporting("one");
    let gateway = Gateway::start([http_target("one", &one.endpoint())]).await;
    let (alice, bob) = (knowing(&gateway, "alice"), knowing(&gateway, "bob"));
    let (id, own) = (begin(&alice, "one___echo").await, begin(&bob, "one___echo").await);
    let mut stream = bob.open("subscriptions/listen", wanting(&[&id, &own])).await;
    assert_eq!(stream.next().await["params"]["notifications"], json!({"taskIds": [own]}));
    assert_eq!(stream.next().await["params"]["taskId"], own);
    let mut nothing = bob.open("subscriptions/listen", wanting(&[&id])).await;
    assert_eq!(nothing.next().await["params"]["notifications"], json!({}));
}

#[tokio::test]
async fn only_who_knows_tasks_may_listen_for_them() {
    let one = reporting("one");
    let gateway = Gateway::start([http_target("one", &one.endpoint())]).await;
    let id = begin(&knowing(&gateway, "alice"), "one___echo").await;
    let answer = gateway.caller("alice").modern().request("subscriptions/listen", wanting(&[&id])).await;
    assert_eq!(answer.refusal(), (400, -32021));
    let needed = &answer.json()["error"]["data"]["requiredCapabilities"];
    assert_eq!(*needed, json!({"extensions": {EXTENSION: {}}}));
}
