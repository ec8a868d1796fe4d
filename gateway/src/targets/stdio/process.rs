//! One running child process: its start, what moves on its streams, its end. Reads no messages; `link.rs` does.

use std::{io::ErrorKind, process::Stdio, sync::Arc, time::Duration};

use bytes::Bytes;
use causeway_core::{
    canonical::{Client, Request},
    era::Era,
    name::TargetName,
};
use tokio::{
    io::{AsyncBufRead, AsyncRead, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    sync::{Notify, mpsc, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{errors, framing::next_line, link::Link};
use crate::{
    child, config,
    targets::{
        About, Fault, Heard, Reply, Wanted,
        handshake::discover_params,
        line::{Line, Settings},
        owner::Owner,
    },
};

/// What a process wrote before its end is read for so long, where somebody else keeps its output open.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// For a process whose output has ended to end itself, before those who wait for it are told.
const A_MOMENT: Duration = Duration::from_millis(300);
/// Variables of the gateway that a child gets without being named in its `env_from`. The rest of the environment holds
/// the gateway's secrets.
const INHERITED: [&str; 9] = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "TZ", "TMPDIR"];

/// A child process that speaks MCP.
#[derive(Debug)]
pub(super) struct Process {
    settled: Settled,
    settings: Arc<Settings>,
    link: Arc<Link>,
    ended: watch::Receiver<bool>,
}

/// What the handshake with a process found out.
#[derive(Debug)]
pub(super) enum Settled {
    Modern,
    /// It said who it is in its answer to `initialize`.
    Legacy(About),
}

impl Process {
    /// Starts `command`. What it speaks is found out by the handshake.
    pub(super) fn spawn(
        name: &TargetName,
        config: &config::StdioTarget,
        limit: usize,
        changed: &Arc<Notify>,
    ) -> Result<(Arc<Link>, watch::Receiver<bool>), Fault> {
        let mut child = command(config).spawn().map_err(|error| {
            let program = config.command.first().map(String::as_str).unwrap_or_default();
            Fault::NotRunning(format!("`{program}` could not be started: {error}"))
        })?;
        let (link, outgoing) = Link::new(name, limit, Arc::clone(changed));
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (stdin, stdout, stderr) = (
            stdin.expect("the command pipes it"),
            stdout.expect("the command pipes it"),
            stderr.expect("the command pipes it"),
        );
        tokio::spawn(write_lines(stdin, outgoing, link.closed().clone()));
        let errors = tokio::spawn(errors::read(name.clone(), stderr));
        let (ended_tx, ended) = watch::channel(false);
        tokio::spawn(supervise(name.clone(), child, stdout, errors, Arc::clone(&link), ended_tx));
        Ok((link, ended))
    }

    pub(super) fn new(settled: Settled, link: Arc<Link>, ended: watch::Receiver<bool>) -> Self {
        Self { settled, settings: Arc::default(), link, ended }
    }

    pub(super) fn era(&self) -> Era {
        match self.settled {
            Settled::Modern => Era::Modern,
            Settled::Legacy(_) => Era::Legacy,
        }
    }

    /// What it says about itself.
    pub(super) async fn about(&self) -> Result<About, Fault> {
        match &self.settled {
            Settled::Legacy(about) => Ok(about.clone()),
            Settled::Modern => {
                let mut call =
                    self.link.call(Era::Modern, Owner::Gateway, "server/discover", &discover_params()).await?;
                About::discovered(&call.answer().await?)
            }
        }
    }

    pub(super) fn is_alive(&self) -> bool {
        !self.link.closed().is_cancelled()
    }

    /// Why it is not alive any more.
    pub(super) fn why_ended(&self) -> String {
        match self.link.why_ended() {
            Fault::BrokenOff(why) => why,
            fault => format!("its process was ended, because it {fault}"),
        }
    }

    /// Asks the process to end and waits until it has.
    pub(super) async fn stop(&self) {
        self.link.closed().cancel();
        let mut ended = self.ended.clone();
        // An error means that its supervisor is gone, and the process with it.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    /// Sends one request.
    pub(super) async fn call(&self, caller_id: &str, request: &Request, params: &str) -> Result<Reply<Fault>, Fault> {
        if let Settled::Legacy(about) = &self.settled {
            self.settings.set_level(&Line::Stdio(Arc::clone(&self.link)), about, request.client.logs).await;
        }
        let method = &request.method;
        let owner = Owner::of(caller_id, &request.client);
        Ok(Reply::reading(self.link.call(self.era(), owner, method, params).await?))
    }

    /// What the process sends beside its calls.
    pub(super) async fn listen(&self, client: &Client, wanted: Wanted) -> Result<Heard, Fault> {
        if self.era() == Era::Modern {
            let request = wanted.request(client.clone());
            let params = request.modern_params(&[]).finish();
            // What names no subscription is about a call, and this is none.
            let call = self.link.call(Era::Modern, Owner::Gateway, &request.method, &params).await?;
            return Heard::replied(Reply::reading(call)).await;
        }
        let (heard, over) = (self.link.listen(), self.link.closed().clone());
        let mut subscriptions = Vec::with_capacity(wanted.resources.len());
        for uri in &wanted.resources {
            subscriptions.push(self.settings.subscribe(Line::Stdio(Arc::clone(&self.link)), uri).await?);
        }
        Ok(Heard::overheard(heard, wanted, over, subscriptions))
    }
}

fn command(config: &config::StdioTarget) -> Command {
    let (program, arguments) = config.command.split_first().expect("a command is never empty");
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_clear();
    command.envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.envs(config.env.iter().map(|(name, value)| (name, value.expose())));
    if let Some(directory) = &config.working_directory {
        command.current_dir(directory);
    }
    // A group of its own: Ctrl-C at the terminal reaches the gateway alone, which ends its children in order.
    command.process_group(0).kill_on_drop(true);
    command
}

async fn write_lines(mut stdin: ChildStdin, mut lines: mpsc::Receiver<Bytes>, closed: CancellationToken) {
    let written = async {
        while let Some(line) = lines.recv().await {
            stdin.write_all(&line).await?;
            stdin.write_all(b"\n").await?;
            stdin.flush().await?;
        }
        Ok::<_, std::io::Error>(())
    };
    // Returning closes the stream: that is how a process is asked to end.
    tokio::select! {
        outcome = written => if outcome.is_err() { closed.cancel() },
        () = closed.cancelled() => (),
    }
}

async fn read_lines(name: &TargetName, stdout: &mut (impl AsyncBufRead + Unpin), link: &Link) {
    loop {
        match next_line(stdout, link.limit()).await {
            Ok(Some(line)) => link.dispatch(line),
            Ok(None) => break,
            Err(error) => {
                tracing::warn!(target.name = %name, %error, "target `{name}` broke the rules of its stream: stopping it");
                if error.kind() == ErrorKind::FileTooLarge {
                    // Nobody can tell whose message it was.
                    link.blame(Fault::TooLarge(link.limit()));
                }
                break;
            }
        }
    }
}

/// Reads what the process writes until it ends, or until it is to end; then sees to it that it does.
async fn supervise(
    name: TargetName,
    mut child: Child,
    stdout: impl AsyncRead + Unpin,
    errors: JoinHandle<String>,
    link: Arc<Link>,
    ended: watch::Sender<bool>,
) {
    let mut stdout = BufReader::new(stdout);
    {
        let reading = read_lines(&name, &mut stdout, &link);
        tokio::pin!(reading);
        tokio::select! {
            () = &mut reading => (),
            () = link.closed().cancelled() => (),
            // Its descendants may hold its streams open, and what it wrote last is still to be read.
            _ = child::ended(&mut child) => {
                let _ = timeout(LAST_WORDS, reading).await;
            }
        }
    }
    let how = how_it_ended(&mut child, errors).await;
    link.blame(Fault::BrokenOff(format!("its process ended: {how}")));
    link.end();
    let status = child::end(&mut child).await;
    tracing::info!(target.name = %name, "the process of target `{name}` ended: {status}");
    let _ = ended.send(true);
}

/// The status with which it ended, and what it wrote on its standard error before. One that closes its output and lives on, or somebody
/// else who keeps its errors open, is not waited for: those who called it want to know.
async fn how_it_ended(child: &mut Child, errors: JoinHandle<String>) -> String {
    let Ok(status) = timeout(A_MOMENT, child::ended(child)).await else { return "it closed its output".into() };
    let words = timeout(A_MOMENT, errors).await.map(Result::unwrap_or_default).unwrap_or_default();
    match words.is_empty() {
        true => status,
        false => format!("{status}; the last it wrote on standard error: {words}"),
    }
}
