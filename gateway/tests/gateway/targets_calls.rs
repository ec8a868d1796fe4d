//! Calls under way that a test starts, watches and ends. Asserts nothing.

use tokio::task::JoinHandle;

use crate::targets_client::{Client, Got};

/// Starts a call; dropping or aborting the handle's task ends its connection.
pub(crate) fn start(client: &Client, tool: &str) -> JoinHandle<Got> {
    let (client, tool) = (client.clone(), tool.to_owned());
    tokio::spawn(async move { client.call(&tool, "{}").await })
}

/// Starts `count` calls at once and gives what came of each.
pub(crate) async fn all(client: &Client, tool: &str, count: usize) -> Vec<Got> {
    let calls = (0..count).map(|number| async move { client.call(tool, &format!(r#"{{"n":{number}}}"#)).await });
    futures::future::join_all(calls).await
}
