//! Clients that know tasks, of each era's form, and waiting for what becomes of a task. Asserts only that answers are results.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{caller::Caller, harness::Gateway};

/// What does not happen within so long does not happen: better a test that says so than one that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const EXTENSION: &str = "io.modelcontextprotocol/tasks";
pub(crate) const RELATED: &str = "io.modelcontextprotocol/related-task";

/// A modern client that knows the extension and can be asked with forms.
pub(crate) fn knowing(gateway: &Gateway, name: &str) -> Caller {
    let capabilities = json!({"elicitation": {"form": {}}, "extensions": {EXTENSION: {}}});
    gateway.caller(name).declaring(capabilities).modern()
}

/// A legacy client in a session that can be asked with forms.
pub(crate) async fn legacy(gateway: &Gateway, name: &str) -> Caller {
    gateway.caller(name).declaring(json!({"elicitation": {"form": {}}})).in_session().await
}

/// The answer to a request about the task `id`.
pub(crate) async fn about(caller: &Caller, method: &str, id: &str) -> crate::answer::Answer {
    caller.request(method, json!({"taskId": id})).await
}

/// What `tasks/get` says once the task has this status.
pub(crate) async fn until(caller: &Caller, id: &str, status: &str) -> Value {
    let looking = async {
        loop {
            let seen = about(caller, "tasks/get", id).await.result();
            assert_eq!(seen["taskId"], id, "{seen}");
            if seen["status"] == status {
                return seen;
            }
        }
    };
    timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("the task does not become `{status}`"))
}

/// The text of a member.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
