//! A server as a process of its own: the real binary in an empty environment. Killed with the test.

use std::{
    path::Path,
    process::{ExitStatus, Stdio},
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdin, Command},
};

pub(crate) const CALCULATOR: &str = env!("CARGO_BIN_EXE_calculator");
pub(crate) const HELLO: &str = env!("CARGO_BIN_EXE_hello");
pub(crate) const CLOUDWATCH: &str = env!("CARGO_BIN_EXE_cloudwatch-insights");

/// A running process that has said where it serves.
pub(crate) struct Server {
    pub(crate) url: String,
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Server {
    /// Starts `program` on a free port, waits for its ready line and keeps its stdin open.
    pub(crate) async fn start(program: &str, env: &[(&str, &str)]) -> Self {
        Self::start_in(Path::new("."), program, env).await
    }

    /// The same in the working directory `dir`.
    pub(crate) async fn start_in(dir: &Path, program: &str, env: &[(&str, &str)]) -> Self {
        let mut command = command(program, env);
        command.current_dir(dir);
        command.args(["--listen", "127.0.0.1:0", "--ready-json", "--exit-with-stdin"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("a ready line");
        let ready: Value = serde_json::from_str(&line).unwrap();
        Self { url: ready["url"].as_str().unwrap().to_owned(), child, stdin }
    }

    pub(crate) fn id(&self) -> i32 {
        i32::try_from(self.child.id().unwrap()).unwrap()
    }

    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    pub(crate) async fn ended(&mut self) -> ExitStatus {
        self.child.wait().await.unwrap()
    }
}

/// `program` with this environment and no other, so that no AWS setting of the machine gets in. The metadata service of
/// AWS is sought where nothing listens.
pub(crate) fn command(program: &str, env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", "/nonexistent").env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1");
    command.envs(env.iter().copied()).kill_on_drop(true).stderr(Stdio::null());
    command
}
