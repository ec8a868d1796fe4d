//! What the calls of one child process share: its streams, on which ids and progress tokens keep them apart. Starts and ends
//! no process.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use causeway_core::{
    canonical::Response,
    era::Era,
    wire::{Envelope, Kind, ObjectEdit, request_message},
};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::targets::{
    Event, Fault,
    handshake::{cancelled, refusal},
    reply::EventSource,
};

/// Messages of one call that its reader has not taken yet; more end the call.
const QUEUE: usize = 1024;

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

impl Link {
    /// A link that gives its lines to the receiver and takes messages of at most `limit` bytes.
    pub(super) fn new(limit: usize, changed: Arc<Notify>) -> (Arc<Self>, mpsc::Receiver<Bytes>) {
        let (lines, outgoing) = mpsc::channel(64);
        let (waiting, next_id, broke_rule) = (Mutex::default(), AtomicU64::new(1), OnceLock::new());
        let closed = CancellationToken::new();
        (Arc::new(Self { lines, waiting, next_id, limit, changed, broke_rule, closed }), outgoing)
    }

    /// Bytes of one message.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Set when the process is to end, or has ended.
    pub(super) fn closed(&self) -> &CancellationToken {
        &self.closed
    }

    /// From now on the end of the process is put down to `fault`.
    pub(super) fn blame(&self, fault: Fault) {
        // The first reason is the one that counts.
        let _ = self.broke_rule.set(fault);
    }

    /// Closes the channels of all who wait: they see that the process has ended.
    pub(super) fn end(&self) {
        self.closed.cancel();
        self.waiting.lock().expect("no holder of this lock panics").clear();
    }

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
    pub(super) fn dispatch(&self, line: Vec<u8>) {
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
