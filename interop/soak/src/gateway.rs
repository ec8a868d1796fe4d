//! The gateway as a process of its own, and what it uses of the machine.

use std::{fmt, fs, path::Path, process::Stdio};

use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::Mutex,
    time::{Duration, Instant, sleep, timeout},
};

use crate::{target::Targets, tokens::Endpoint};

/// A running gateway.
#[derive(Debug)]
pub(crate) struct Gateway {
    /// Where MCP is served.
    pub(crate) url: String,
    admin: String,
    process: Mutex<Child>,
    id: Pid,
    _directory: tempfile::TempDir,
}

/// What a process uses.
#[derive(Clone, Debug)]
pub(crate) struct Usage {
    /// Resident, bytes.
    pub(crate) memory: u64,
    files: usize,
    tasks: u64,
}

/// For the gateway to start, and to end.
const PATIENCE: Duration = Duration::from_secs(60);

impl Gateway {
    /// Starts `program` before the targets.
    pub(crate) async fn start(program: &Path, targets: &Targets, tokens: &Endpoint) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("config.toml");
        fs::write(&path, config(program, targets, tokens))?;
        let mut command = Command::new(program);
        command
            .args(["serve", "--config"])
            .arg(&path)
            .env("SOAK_SECRET", "secret")
            .env("RUST_LOG", "error,causeway=info");
        command.env("XDG_STATE_HOME", directory.path());
        let mut process = command.stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
        let id = Pid::from_raw(process.id().context("it runs")?.try_into()?);
        let mut lines = BufReader::new(process.stderr.take().context("it is piped")?).lines();
        let (mut url, mut admin) = (None, None);
        while url.is_none() || admin.is_none() {
            let line = timeout(PATIENCE, lines.next_line()).await??.context("it ended")?;
            let line: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
            let text = line["message"].as_str().unwrap_or_default();
            let after = |before: &str| text.strip_prefix(before).map(ToOwned::to_owned);
            url = url.or_else(|| after("listening on "));
            admin = admin.or_else(|| after("dashboard, metrics and health on "));
        }
        // Else it could not write on.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let (url, admin) = (url.context("it says so")?, admin.context("it says so")?);
        let gateway = Self { url, admin, process: Mutex::new(process), id, _directory: directory };
        gateway.ready().await?;
        Ok(gateway)
    }

    /// Waits until every target was listed.
    async fn ready(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let ready: Value = serde_json::from_str(&self.get("/readyz").await?)?;
            let targets = ready["targets"].as_array().context("there are targets")?;
            if targets.iter().all(|target| target["state"] == "listed") {
                return Ok(());
            }
            ensure!(began.elapsed() < PATIENCE, "not all targets could be listed: {ready}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// What it uses now.
    pub(crate) async fn usage(&self) -> anyhow::Result<Usage> {
        let metrics = self.get("/metrics").await?;
        let value = |name: &str| {
            let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.with_context(|| format!("it shows `{name}`"))?.parse::<f64>().context("a number")
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts and bytes")]
        let usage = Usage {
            memory: value("process_resident_memory_bytes")? as u64,
            files: value("process_open_fds")? as usize,
            tasks: value("causeway_tasks")? as u64,
        };
        Ok(usage)
    }

    /// The processes that it started.
    pub(crate) fn children(&self) -> Vec<Pid> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.id)).into_iter().flatten().flatten();
        let children = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
        let all: String = children.collect();
        all.split_whitespace().filter_map(|child| Some(Pid::from_raw(child.parse().ok()?))).collect()
    }

    /// Has it end in order.
    pub(crate) async fn stop(&self) -> anyhow::Result<()> {
        let children = self.children();
        kill(self.id, Signal::SIGTERM)?;
        let status = timeout(PATIENCE, self.process.lock().await.wait()).await.context("it ends")??;
        ensure!(status.success(), "it ended with {status}");
        ensure!(children.iter().all(|child| kill(*child, None).is_err()), "it left children behind");
        Ok(())
    }

    async fn get(&self, path: &str) -> anyhow::Result<String> {
        let client: Client<_, Empty<Bytes>> =
            Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
        let response = client.get([&self.admin, path].concat().parse()?).await?;
        Ok(String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec())?)
    }
}

/// Bounds that make it meet them.
fn config(program: &Path, targets: &Targets, tokens: &Endpoint) -> String {
    let http = targets.all().map(|target| {
        let credential = match target.wants_token {
            true => format!(
                "credential.client_credentials = {{ token_endpoint = \"{}\", client_id = \"soak\", client_secret_env = \"SOAK_SECRET\" }}\n",
                tokens.url()
            ),
            false => String::new(),
        };
        format!("[[targets]]\nname = \"{}\"\nhttp.endpoint = \"{}\"\n{credential}", target.name, target.url())
    });
    let http: String = http.collect();
    format!(
        r#"authorizer = "none"
[gateway]
listen = "127.0.0.1:0"
[admin]
listen = "127.0.0.1:0"
[limits]
first_byte_seconds = 1
call_seconds = 5
discovery_seconds = 2
stalled_seconds = 2
target_calls = 8
target_queue = 8
queue_seconds = 2
drain_seconds = 5
{http}
[[targets]]
name = "child"
stdio.command = [{program:?}, "sample", "calculator", "--stdio"]
"#
    )
}

impl Usage {
    /// Whether it is as much as `before` or less, memory aside.
    pub(crate) fn is_no_more_than(&self, before: &Self) -> bool {
        // Discovery and the look itself come and go.
        self.files <= before.files + 4 && self.tasks <= before.tasks + 8
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { memory, files, tasks } = self;
        write!(f, "{:>7} KiB, {files:>4} file descriptors, {tasks:>4} tasks", memory / 1024)
    }
}
