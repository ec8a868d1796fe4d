//! One command of the program, run to its end with an environment that the test chooses. Asserts nothing.

use std::process::Stdio;

use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command};

use crate::sample::CAUSEWAY;

/// What came of it.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs `causeway` with these arguments and variables, and with `input` as its standard input.
pub(crate) async fn run_with(arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Ended {
    let mut command = Command::new(CAUSEWAY);
    command.args(arguments).env_clear().envs(variables.iter().copied()).kill_on_drop(true);
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It may end without having read it.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The same without variables and input.
pub(crate) async fn run(arguments: &[&str]) -> Ended {
    run_with(arguments, &[], "").await
}
