//! `causeway serve` as somebody runs it who changes its files and reads its log. Asserts nothing but that it goes on.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use causeway_core::catalog::Kind;
use http::Method;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStderr, Command},
    time::timeout,
};

use crate::{
    caller::Caller,
    fake_target::Speaks,
    offering::Offering,
    sample::{CAUSEWAY, STATE_HOME},
};

/// What does not happen within so long does not happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running program and its config.toml.
pub(crate) struct Serve {
    process: Child,
    log: tokio::io::Lines<BufReader<ChildStderr>>,
    /// Lines before it said where it serves.
    early: Vec<String>,
    pub(crate) directory: Arc<tempfile::TempDir>,
    pub(crate) url: String,
    pub(crate) admin: String,
}

pub(crate) fn target(name: &str, endpoint: &str) -> String {
    format!("[[targets]]\nname = \"{name}\"\nhttp.endpoint = \"{endpoint}\"\n")
}

/// A configuration with these tables, open to this machine.
pub(crate) fn text(tables: &str) -> String {
    format!("authorizer = \"none\"\ngateway.listen = \"127.0.0.1:0\"\nadmin.listen = \"127.0.0.1:0\"\n{tables}")
}

pub(crate) fn offering(name: &'static str) -> Offering {
    Offering::start(name, Speaks::Modern, &[(Kind::Tools, r#"[{"name":"x"}]"#)])
}

impl Serve {
    /// Serves what `write` has put into a directory; gives the path of the file.
    pub(crate) async fn start(write: impl FnOnce(&Path) -> PathBuf) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let file = write(directory.path());
        Self::serve(directory, &file).await
    }

    /// The same program once more, with the file as it is now.
    pub(crate) async fn again(&self) -> Self {
        Self::serve(Arc::clone(&self.directory), &self.file()).await
    }

    async fn serve(directory: Arc<tempfile::TempDir>, file: &Path) -> Self {
        let mut command = Command::new(CAUSEWAY);
        command.args(["serve", "--config", file.to_str().unwrap()]).env_clear().env("XDG_STATE_HOME", STATE_HOME);
        command.stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let log = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut serve = Self { process, log, early: Vec::new(), directory, url: String::new(), admin: String::new() };
        serve.url = serve.address("listening on ").await;
        serve.admin = serve.address("dashboard, metrics and health on ").await;
        serve
    }

    /// Serves this text.
    pub(crate) async fn of(text: &str) -> Self {
        Self::start(|directory| {
            let file = directory.join("config.toml");
            fs::write(&file, text).unwrap();
            file
        })
        .await
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.directory.path().join("config.toml")
    }

    /// A new file in the place of the old one, as editors do it.
    pub(crate) fn write(&self, text: &str) {
        let new = self.directory.path().join("config.toml.new");
        fs::write(&new, text).unwrap();
        fs::rename(&new, self.file()).unwrap();
    }

    pub(crate) fn hang_up(&self) {
        self.signal(Signal::SIGHUP);
    }

    /// Ends it in order.
    pub(crate) async fn end(&mut self) {
        self.signal(Signal::SIGTERM);
        assert!(self.process.wait().await.unwrap().success());
    }

    fn signal(&self, signal: Signal) {
        let id = self.process.id().unwrap().try_into().unwrap();
        kill(Pid::from_raw(id), signal).unwrap();
    }

    /// The URL that follows `marker` in the log. Lines before it are there for [`Self::line`] still.
    async fn address(&mut self, marker: &str) -> String {
        loop {
            let line = timeout(PATIENCE, self.log.next_line()).await.unwrap().unwrap().expect("it runs");
            if let Some((_, rest)) = line.split_once(marker) {
                return rest.split('"').next().unwrap().to_owned();
            }
            self.early.push(line);
        }
    }

    /// What follows `marker` in the next line of the log that holds it, up to a quote.
    pub(crate) async fn told(&mut self, marker: &str) -> String {
        let line = self.line(marker).await;
        let (_, rest) = line.split_once(marker).unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    /// The next line of the log that holds `marker`.
    pub(crate) async fn line(&mut self, marker: &str) -> String {
        if let Some(at) = self.early.iter().position(|line| line.contains(marker)) {
            return self.early.drain(..=at).next_back().expect("it is one of them");
        }
        let line = async {
            loop {
                let line = self.log.next_line().await.unwrap().expect("it runs");
                if line.contains(marker) {
                    return line;
                }
            }
        };
        timeout(PATIENCE, line).await.unwrap_or_else(|_| panic!("no line holds `{marker}`"))
    }

    /// The tools, once there are any.
    pub(crate) async fn until_listed(&self) -> Vec<String> {
        loop {
            let tools = self.tools().await;
            if !tools.is_empty() {
                return tools;
            }
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn tools(&self) -> Vec<String> {
        Caller::new(&self.url).tools().await
    }

    /// How the configuration stands, as the admin port says.
    pub(crate) async fn standing(&self) -> Value {
        let answer = Caller::new(&format!("{}/readyz", self.admin)).send(Method::GET, "").await;
        answer.json()["config"].clone()
    }

    /// Waits until it stands as is `wanted`.
    pub(crate) async fn until(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let standing = async {
            loop {
                let standing = self.standing().await;
                if wanted(&standing) {
                    return standing;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, standing).await.expect("it comes to stand so")
    }

    pub(crate) async fn generation(&self, generation: u64) -> Value {
        self.until(|standing| standing["generation"] == generation).await
    }

    pub(crate) async fn metrics(&self) -> String {
        Caller::new(&format!("{}/metrics", self.admin)).send(Method::GET, "").await.text().to_owned()
    }
}
