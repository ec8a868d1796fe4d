//! A server that `causeway dev` starts for a target: one of the samples or a command of the user's, on a free loopback port.

use std::{
    net::{Ipv4Addr, TcpListener},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use causeway_core::name::TargetName;
use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    process::{Child, ChildStdin, Command},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::identity::Demanded;
use crate::{child, config::Dev};

/// Until a server must serve.
const START: Duration = Duration::from_secs(60);
/// Between two looks at the port of a server that does not say when it is ready.
const LOOK: Duration = Duration::from_millis(50);

/// A running server. It ends with the token that it was started with.
#[derive(Debug)]
pub(super) struct Server {
    url: Url,
    /// Ends when the process has ended.
    watched: JoinHandle<()>,
}

/// A process of which it is not known yet whether it will serve.
type Starting = (Child, ChildStdin);

impl Server {
    /// Starts what `dev` names and waits until it serves. `stop` ends it, now or later.
    pub(super) async fn start(
        name: &TargetName,
        dev: &Dev,
        demanded: Option<Demanded<'_>>,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let (mut child, stdin, port) = match dev {
            Dev::Sample(sample) => spawn_sample(sample, demanded)?,
            Dev::Command { command, .. } => spawn_command(command)?,
        };
        let ready = async {
            match dev {
                Dev::Sample(_) => sample_url(&mut child).await,
                Dev::Command { path, .. } => command_url(&mut child, port, path).await,
            }
        };
        let ready = tokio::select! {
            ready = timeout(START, ready) => ready.unwrap_or_else(|_| Err(anyhow!("it does not serve after {START:?}"))),
            () = stop.cancelled() => Err(anyhow!("it was stopped while it started")),
        };
        match ready {
            Ok(url) => Ok(Self { url, watched: tokio::spawn(watch(name.clone(), (child, stdin), stop)) }),
            Err(error) => {
                drop(stdin);
                child::end(&mut child).await;
                Err(error)
            }
        }
    }

    /// Where it serves MCP.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Waits until it has ended.
    pub(super) async fn ended(self) {
        // An error means that the watcher is gone, and the process with it.
        let _ = self.watched.await;
    }
}

/// Tells when the process ends by itself; ends it when asked to.
async fn watch(name: TargetName, (mut child, stdin): Starting, stop: CancellationToken) {
    tokio::select! {
        status = child.wait() => {
            let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
            tracing::error!("the server of target `{name}` ended by itself: {status}");
        }
        () = stop.cancelled() => {
            // The end of its input is how a sample is asked to end.
            drop(stdin);
            child::end(&mut child).await;
        }
    }
}

/// This program again, as the sample server: a process of its own, that ends when this one does, however that ends.
fn spawn_sample(sample: &str, demanded: Option<Demanded<'_>>) -> anyhow::Result<(Child, ChildStdin, u16)> {
    let program = std::env::current_exe().context("this program does not know where it is")?;
    let mut command = Command::new(program);
    command.args(["sample", sample, "--listen", "127.0.0.1:0", "--ready-json", "--exit-with-stdin"]);
    if let Some(Demanded { discovery_url, client }) = demanded {
        command.args(["--jwt-discovery-url", discovery_url.as_str(), "--jwt-allowed-clients", &client.id]);
        if !client.scopes.is_empty() {
            command.args(["--jwt-allowed-scopes", &client.scopes.join(",")]);
        }
    }
    // What is set already wins: whoever starts this program chooses.
    for (name, value) in [("RUST_LOG", "warn,aws_config=error"), ("DEFAULT_LOG_SOURCE", "samples")] {
        if std::env::var_os(name).is_none() {
            command.env(name, value);
        }
    }
    let (child, stdin) = spawn(command.stdout(Stdio::piped()))?;
    Ok((child, stdin, 0))
}

/// What the sample says on its first line, once it serves.
async fn sample_url(child: &mut Child) -> anyhow::Result<Url> {
    #[derive(Deserialize)]
    struct Ready {
        url: Url,
    }
    let stdout = child.stdout.take().context("its output is not piped")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).await.context("its output cannot be read")?;
    let ready = serde_json::from_str::<Ready>(&line);
    Ok(ready.context("it ended before it served; its last words are above")?.url)
}

/// A server of the user's, told its port in `PORT`. A port that is free now may be taken a moment later; then the server
/// says so and ends, and so does this start.
fn spawn_command(command: &[String]) -> anyhow::Result<(Child, ChildStdin, u16)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no loopback port is free")?;
    let address = listener.local_addr().context("the listener has no address")?;
    drop(listener);
    let (program, arguments) = command.split_first().context("`dev.command` is empty")?;
    let mut command = Command::new(program);
    command.args(arguments).env("PORT", address.port().to_string()).env("HOST", address.ip().to_string());
    // Standard output is this program's: with `--json` it holds one line and nothing else.
    let spawned = spawn(command.stdout(Stdio::from(std::io::stderr())));
    let (child, stdin) = spawned.with_context(|| format!("`{program}`"))?;
    Ok((child, stdin, address.port()))
}

/// Its address, once it accepts connections.
async fn command_url(child: &mut Child, port: u16, path: &str) -> anyhow::Result<Url> {
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
        if let Some(status) = child.try_wait().context("its state is unknown")? {
            bail!("it ended before it served on port {port} (`PORT`): {status}");
        }
        sleep(LOOK).await;
    }
    Url::parse(&format!("http://127.0.0.1:{port}{path}")).context("`dev.path` makes no URL")
}

fn spawn(command: &mut Command) -> anyhow::Result<(Child, ChildStdin)> {
    // A group of its own: Ctrl-C reaches this program alone, which ends its children in order.
    let command = command.stdin(Stdio::piped()).process_group(0).kill_on_drop(true);
    let mut child = command.spawn().context("it cannot be started")?;
    let stdin = child.stdin.take().expect("the command pipes it");
    Ok((child, stdin))
}
