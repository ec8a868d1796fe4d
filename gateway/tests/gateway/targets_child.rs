//! The scripted child process as a target: for faults on standard streams, and to see what reached it. Asserts nothing.

use causeway::{
    config::{Target, Transport},
    secret::Secret,
};
use serde_json::Value;

use crate::{harness::stdio_target, targets_client::Client};

/// A target that runs `targets_child.sh`, with the tools `names`.
pub(crate) fn scripted(name: &str, speaks: &str, names: &[&str]) -> Target {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/gateway/targets_child.sh");
    let target = stdio_target(name, &["sh", script]);
    let tools: Vec<Value> = names.iter().map(|name| serde_json::json!({ "name": name })).collect();
    with_env(with_env(target, "SPEAKS", speaks), "TOOLS", &Value::from(tools).to_string())
}

/// The same with one more variable in its environment.
pub(crate) fn with_env(mut target: Target, name: &str, value: &str) -> Target {
    let Transport::Stdio(stdio) = &mut target.transport else { panic!("it is no child") };
    stdio.env.insert(name.into(), Secret::new(value));
    target
}

/// What the target's child read so far, in order; it must have the tool `seen`.
pub(crate) async fn seen(client: &Client, target: &str) -> Vec<Value> {
    let answer = client.call(&format!("{target}___seen"), "{}").await.ok().answer;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    answer["result"]["seen"].as_array().unwrap()[1..].to_vec()
}
