//! A scripted target that has tasks as MCP 2025-11-25 defines them, for want of a server that still does. Asserts nothing.

use std::sync::Arc;

use causeway::config::Target;
use causeway_core::wire::ObjectEdit;
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::{
    fake_target::{Asked, FakeTarget, Speaks, error, event_stream, hang, json as answer, success},
    harness::http_target,
    tasks_talk::RELATED,
};

/// One of them. It has the tool `may`, which becomes a task if it is asked to, and `must`, which does nothing else. Its tasks
/// are named after it and counted from 0.
pub(crate) struct OlderTarget {
    pub(crate) fake: FakeTarget,
    name: &'static str,
}

impl OlderTarget {
    pub(crate) fn start(name: &'static str) -> Self {
        let fake = FakeTarget::start(Speaks::Sessions);
        fake.describe(
            r#""capabilities":{"tools":{},"tasks":{"list":{},"cancel":{},"requests":{"tools":{"call":{}}}}}"#,
        );
        fake.offer(
            r#"[{"name":"may","inputSchema":{"type":"object"},"execution":{"taskSupport":"optional"}},
                {"name":"must","inputSchema":{"type":"object"},"execution":{"taskSupport":"required"}}]"#,
        );
        fake.on("tools/call", move |asked| async move { call(&asked, name) });
        fake.on("tasks/get", |asked| async move { status(&asked, "working") });
        fake.on("tasks/cancel", |asked| async move { status(&asked, "cancelled") });
        fake.on("tasks/result", |asked| async move { answer(200, success(&asked.id, &result(&id_of(&asked)))) });
        Self { fake, name }
    }

    /// It as a target of its name.
    pub(crate) fn target(&self) -> Target {
        http_target(self.name, &self.fake.endpoint())
    }

    /// From now on it says much on the way to a task's result: its state, a log message, progress. Then it asks the client,
    /// and gives the result once it was answered.
    pub(crate) fn ask_before_results(&self) {
        let answered = Arc::new(Semaphore::new(0));
        let answers = Arc::clone(&answered);
        self.fake.on("", move |_| {
            answers.add_permits(1);
            async { crate::fake_target::status(202) }
        });
        self.fake.on("tasks/result", move |asked| {
            let answered = Arc::clone(&answered);
            async move {
                let id = id_of(&asked);
                let before = stream::iter(
                    before(&id, asked.params.contains("progressToken")).map(|message| Ok(message.to_string())),
                );
                let last = success(&asked.id, &result(&id));
                let last = stream::once(async move {
                    answered.acquire().await.unwrap().forget();
                    Ok(last)
                });
                event_stream(before.chain(last))
            }
        });
    }

    /// From now on nobody gets a result.
    pub(crate) fn hold_results(&self) {
        self.fake.on("tasks/result", |_| hang());
    }

    /// From now on it lists these tasks, by pages.
    pub(crate) fn list(&self, pages: &'static [&'static [&'static str]]) {
        self.fake.on("tasks/list", move |asked| async move {
            let at = match ObjectEdit::parse(&asked.params).unwrap().get("cursor") {
                None => 0,
                Some(cursor) => match cursor.trim_matches('"').parse() {
                    Ok(at) => at,
                    Err(_) => return error(200, &asked.id, -32602, "no such cursor"),
                },
            };
            let tasks: Vec<Value> = pages[at].iter().map(|id| json!({"taskId": id, "status": "working"})).collect();
            let mut page = json!({"tasks": tasks});
            if at + 1 < pages.len() {
                page["nextCursor"] = json!((at + 1).to_string());
            }
            answer(200, success(&asked.id, &page.to_string()))
        });
    }

    /// The parameters with which it was asked so, JSON.
    pub(crate) fn asked(&self, method: &str) -> Vec<Value> {
        self.fake.asked(method).iter().map(|asked| serde_json::from_str(&asked.params).unwrap()).collect()
    }
}

type Response = axum::http::Response<axum::body::Body>;

fn call(asked: &Asked, name: &str) -> Response {
    let params: Value = serde_json::from_str(&asked.params).unwrap();
    match (params.get("task"), params["name"].as_str()) {
        (Some(_), _) => {
            let task =
                json!({"task": {"taskId": format!("{name}-{}", asked.earlier), "status": "working", "ttl": null}});
            answer(200, success(&asked.id, &task.to_string()))
        }
        (None, Some("must")) => error(200, &asked.id, -32601, "this tool works as a task only"),
        (None, _) => answer(200, success(&asked.id, r#"{"content":[{"type":"text","text":"at once"}]}"#)),
    }
}

fn id_of(asked: &Asked) -> String {
    let params: Value = serde_json::from_str(&asked.params).unwrap();
    params["taskId"].as_str().unwrap_or_default().to_owned()
}

fn status(asked: &Asked, status: &str) -> Response {
    let task = json!({"taskId": id_of(asked), "status": status, "ttl": null, "pollInterval": 1});
    answer(200, success(&asked.id, &task.to_string()))
}

/// The result of the task, which says whose it is.
fn result(id: &str) -> String {
    json!({"content": [{"type": "text", "text": format!("the end of {id}")}], "_meta": {RELATED: {"taskId": id}}})
        .to_string()
}

/// What it says before the result. It goes on with the progress of the call, which was its first request after 0.
fn before(id: &str, progress: bool) -> impl Iterator<Item = Value> + Send + use<> {
    let related = json!({RELATED: {"taskId": id}});
    let form = json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]});
    let note = |method: &str, params: Value| json!({"jsonrpc": "2.0", "method": method, "params": params});
    let said = [
        note("notifications/tasks/status", json!({"taskId": id, "status": "input_required"})),
        note("notifications/message", json!({"level": "error", "data": "on it", "_meta": related})),
    ];
    let progress = progress.then(|| note("notifications/progress", json!({"progressToken": 0, "progress": 1})));
    let params = json!({"mode": "form", "message": "Who?", "requestedSchema": form, "_meta": related});
    let question = json!({"jsonrpc": "2.0", "id": "q", "method": "elicitation/create", "params": params});
    said.into_iter().chain(progress).chain([question])
}
