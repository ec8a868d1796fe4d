//! One running child process: its streams shared by all calls, ids and progress tokens kept apart, its end.

use std::{
    collections::HashMap,
    io::ErrorKind,
    process::Stdio,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use causeway_core::{
    canonical::Response,
    era::Era,
    name::TargetName,
    wire::{Envelope, Kind, ObjectEdit, request_message},
};
use tokio::{
    io::{AsyncBufRead, AsyncRead, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    sync::{Notify, mpsc, watch},
    time::timeout,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::framing::next_line;
use crate::{
    child, config,
    targets::{
        Event, Fault, Reply,
        handshake::{cancelled, refusal},
        reply::EventSource,
    },
};

/// Messages of one call that its reader has not taken yet; more end the call.
const QUEUE: usize = 1024;
/// What a process wrote before its end is read for so long, where somebody else keeps its output open.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Variables of the gateway that a child gets without being named in its `env_from`. The rest of the environment holds
/// the gateway's secrets.
const INHERITED: [&str; 9] = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "TZ", "TMPDIR"];

/// A child process that speaks MCP.
#[derive(Debug)]
pub(super) struct Process {
    era: Era,
    link: Arc<Link>,
    ended: watch::Receiver<bool>,
}

/// What the calls of a process share.
#[derive(Debug)]
pub(super) struct Link {
    lines: mpsc::Sender<Bytes>,
    waiting: Mutex<HashMap<u64, Waiting>>,
    next_id: AtomicU64,
    limit: usize,
    changed: Arc<Notify>,
    /// Why the process was made to end, if it was for something that it wrote.
    broke_rule: OnceLock<Fault>,
    /// Set when the process is to end, or has ended.
    closed: CancellationToken,
}

/// A call that waits for its messages.
#[derive(Debug)]
struct Waiting {
    messages: mpsc::Sender<Message>,
    /// The client's own progress token, JSON text.
    progress_token: Option<String>,
}

/// What the process wrote for one call.
#[derive(Debug)]
enum Message {
    Notification(Envelope),
    Answer(Envelope),
}

/// The messages of one call. Dropped before the answer, it tells the process to stop working on it.
#[derive(Debug)]
pub(super) struct Call {
    id: u64,
    era: Era,
    answered: bool,
    link: Arc<Link>,
    messages: mpsc::Receiver<Message>,
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
        let (lines, outgoing) = mpsc::channel(64);
        let closed = CancellationToken::new();
        let changed = Arc::clone(changed);
        let (waiting, next_id) = (Mutex::default(), AtomicU64::new(1));
        let link = Arc::new(Link { lines, waiting, next_id, limit, changed, broke_rule: OnceLock::new(), closed });
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (stdin, stdout, stderr) = (
            stdin.expect("the command pipes it"),
            stdout.expect("the command pipes it"),
            stderr.expect("the command pipes it"),
        );
        tokio::spawn(write_lines(stdin, outgoing, link.closed.clone()));
        tokio::spawn(log_lines(name.clone(), stderr));
        let (ended_tx, ended) = watch::channel(false);
        tokio::spawn(supervise(name.clone(), child, stdout, Arc::clone(&link), ended_tx));
        Ok((link, ended))
    }

    pub(super) fn new(era: Era, link: Arc<Link>, ended: watch::Receiver<bool>) -> Self {
        Self { era, link, ended }
    }

    pub(super) fn era(&self) -> Era {
        self.era
    }

    pub(super) fn is_alive(&self) -> bool {
        !self.link.closed.is_cancelled()
    }

    /// Asks the process to end and waits until it has.
    pub(super) async fn stop(&self) {
        self.link.closed.cancel();
        let mut ended = self.ended.clone();
        // An error means that its supervisor is gone, and the process with it.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    /// Sends one request.
    pub(super) async fn call(&self, method: &str, params: &str) -> Result<Reply<Fault>, Fault> {
        Ok(Reply::reading(self.link.call(self.era, method, params).await?))
    }
}

impl Link {
    /// What calls are told that the end of the process cut off.
    fn why_ended(&self) -> Fault {
        let ended = || Fault::BrokenOff("its process ended".into());
        self.broke_rule.get().cloned().unwrap_or_else(ended)
    }

    /// Ends the process when it is dropped.
    pub(super) fn end_on_drop(&self) -> DropGuard {
        self.closed.clone().drop_guard()
    }

    /// Sends one request and registers who waits for its messages.
    pub(super) async fn call(self: &Arc<Self>, era: Era, method: &str, params: &str) -> Result<Call, Fault> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (params, progress_token) = with_own_token(params, id)?;
        let (sender, messages) = mpsc::channel(QUEUE);
        self.waiting
            .lock()
            .expect("no holder of this lock panics")
            .insert(id, Waiting { messages: sender, progress_token });
        // From here on a drop of `call` cleans up.
        let call = Call { id, era, answered: false, link: Arc::clone(self), messages };
        self.write(request_message(&id.to_string(), method, &params).into()).await?;
        // A process that ended in between has told all who waited then: this call may not be among them.
        match self.closed.is_cancelled() {
            true => Err(self.why_ended()),
            false => Ok(call),
        }
    }

    /// Sends one message.
    pub(super) async fn write(&self, line: Bytes) -> Result<(), Fault> {
        // JSON text holds line ends only as white space; on this wire they would end the message.
        let line = match line.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
            true => line.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect(),
            false => line,
        };
        tokio::select! {
            sent = self.lines.send(line) => sent.map_err(|_| self.why_ended()),
            () = self.closed.cancelled() => Err(self.why_ended()),
        }
    }

    /// Gives one message of the process to whom it belongs.
    fn dispatch(&self, line: Vec<u8>) {
        if line.trim_ascii().is_empty() {
            return;
        }
        let message = match Envelope::parse(line.into()) {
            Ok(message) => message,
            Err(error) => return tracing::warn!(%error, "a child process wrote a line that is no message"),
        };
        match message.kind() {
            Kind::Response => self.answer(message),
            Kind::Notification => self.notify(&message),
            Kind::Request => {
                // A full queue means that the process does not read: it gets no answer either.
                let _ = self.lines.try_send(refusal(&message).into());
            }
        }
    }

    fn answer(&self, message: Envelope) {
        let id = message.id().and_then(|id| id.parse().ok());
        let waiting = id.and_then(|id: u64| self.waiting.lock().expect("no holder of this lock panics").remove(&id));
        let Some(waiting) = waiting else { return tracing::debug!("a child process answered what nobody asked") };
        // A full queue drops it, and with it the sender: the reader sees the call end.
        let _ = waiting.messages.try_send(Message::Answer(message));
    }

    fn notify(&self, message: &Envelope) {
        match message.method() {
            "notifications/progress" => {
                if self.progress(message).is_none() {
                    tracing::debug!("progress of a child process belongs to no call");
                }
            }
            "notifications/tools/list_changed" => self.changed.notify_one(),
            method => tracing::debug!(method, "a notification of a child process belongs to no call"),
        }
    }

    fn progress(&self, message: &Envelope) -> Option<()> {
        let params = message.params()?;
        let mut edit = ObjectEdit::parse(params).ok()?;
        let id: u64 = edit.get("progressToken")?.parse().ok()?;
        let mut all = self.waiting.lock().expect("no holder of this lock panics");
        let waiting = all.get(&id)?;
        edit.set("progressToken", waiting.progress_token.as_deref()?);
        let restored = edit.finish();
        let mut whole = ObjectEdit::parse(std::str::from_utf8(message.bytes()).ok()?).ok()?;
        whole.set("params", &restored);
        let whole = Envelope::parse(whole.finish().into()).ok()?;
        if waiting.messages.try_send(Message::Notification(whole)).is_err() {
            // Its reader is gone or hopelessly behind: the queue closes, and the reader, if any, sees the call end.
            all.remove(&id);
            let _ = self.lines.try_send(cancelled(id).into());
        }
        Some(())
    }
}

impl EventSource for Call {
    async fn next_event(&mut self) -> Result<Event, Fault> {
        match self.messages.recv().await {
            Some(Message::Notification(message)) => Ok(Event::Notification(message)),
            Some(Message::Answer(message)) => {
                self.answered = true;
                let response = Response::new(message, self.era);
                response.map(Event::Last).map_err(|error| Fault::Garbage(error.to_string()))
            }
            None => {
                self.answered = true;
                match self.link.closed.is_cancelled() {
                    true => Err(self.link.why_ended()),
                    false => Err(Fault::BrokenOff("its messages were not read in time".into())),
                }
            }
        }
    }
}

impl Call {
    /// The answer; notifications before it are passed over.
    pub(super) async fn answer(&mut self) -> Result<Envelope, Fault> {
        loop {
            match self.messages.recv().await {
                Some(Message::Notification(_)) => (),
                Some(Message::Answer(message)) => {
                    self.answered = true;
                    return Ok(message);
                }
                None => {
                    self.answered = true;
                    return Err(self.link.why_ended());
                }
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let waited = self.link.waiting.lock().expect("no holder of this lock panics").remove(&self.id).is_some();
        if waited && !self.answered {
            let _ = self.link.lines.try_send(cancelled(self.id).into());
        }
    }
}

/// `params` with `id` as progress token where they hold one, and the token they held.
fn with_own_token(params: &str, id: u64) -> Result<(String, Option<String>), Fault> {
    let garbage = |error: serde_json::Error| Fault::Garbage(error.to_string());
    let mut edit = ObjectEdit::parse(params).map_err(garbage)?;
    let Some(mut meta) = edit.get("_meta").and_then(|meta| ObjectEdit::parse(meta).ok()) else {
        return Ok((params.to_owned(), None));
    };
    let Some(token) = meta.get("progressToken").map(ToOwned::to_owned) else {
        return Ok((params.to_owned(), None));
    };
    meta.set("progressToken", &id.to_string());
    edit.set("_meta", &meta.finish());
    Ok((edit.finish(), Some(token)))
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

async fn log_lines(name: TargetName, stderr: impl AsyncRead + Unpin) {
    const LONGEST: usize = 64 * 1024;
    let mut stderr = BufReader::new(stderr);
    loop {
        match next_line(&mut stderr, LONGEST).await {
            Ok(Some(line)) => tracing::debug!(target.name = %name, "{}", String::from_utf8_lossy(&line)),
            // Its beginning is lost and its rest comes as lines: a process whose errors nobody reads would stop.
            Err(error) if error.kind() == ErrorKind::FileTooLarge => (),
            Ok(None) | Err(_) => break,
        }
    }
}

async fn read_lines(name: &TargetName, stdout: &mut (impl AsyncBufRead + Unpin), link: &Link) {
    loop {
        match next_line(stdout, link.limit).await {
            Ok(Some(line)) => link.dispatch(line),
            Ok(None) => break,
            Err(error) => {
                tracing::warn!(target.name = %name, %error, "target `{name}` broke the rules of its stream: stopping it");
                if error.kind() == ErrorKind::FileTooLarge {
                    // Nobody can tell whose message it was.
                    let _ = link.broke_rule.set(Fault::TooLarge(link.limit));
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
    link: Arc<Link>,
    ended: watch::Sender<bool>,
) {
    let mut stdout = BufReader::new(stdout);
    {
        let reading = read_lines(&name, &mut stdout, &link);
        tokio::pin!(reading);
        tokio::select! {
            () = &mut reading => (),
            () = link.closed.cancelled() => (),
            // Its descendants may hold its streams open, and what it wrote last is still to be read.
            () = child::ended(&mut child) => {
                let _ = timeout(LAST_WORDS, reading).await;
            }
        }
    }
    link.closed.cancel();
    // Whoever still waits sees its channel close.
    link.waiting.lock().expect("no holder of this lock panics").clear();
    let status = child::end(&mut child).await;
    tracing::info!(target.name = %name, "the process of target `{name}` ended: {status}");
    let _ = ended.send(true);
}
