//! What the calls of one child process share: its streams, on which ids and progress tokens keep them apart. Starts and ends
//! no process.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use causeway_core::{
    canonical::{Response, progress_of, with_own_token, with_token},
    era::{self, Era},
    name::TargetName,
    wire::{Envelope, Kind, ObjectEdit, request_message},
};
use tokio::sync::{Notify, broadcast, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::targets::{
    Event, Fault, Question,
    handshake::{cancelled, refusal},
    line::Line,
    listen::is_news,
    owner::{Ended, Meant, Owner},
    reply::EventSource,
};

/// Messages of one call that its reader has not taken yet; more end the call.
const QUEUE: usize = 1024;
/// Messages that a listener may be behind.
const BEHIND: usize = 256;

/// What the calls of a process share.
#[derive(Debug)]
pub(in crate::targets) struct Link {
    name: TargetName,
    lines: mpsc::Sender<Bytes>,
    /// In the order in which they began.
    waiting: Mutex<BTreeMap<u64, Waiting>>,
    ended: Ended,
    next_id: AtomicU64,
    limit: usize,
    changed: Arc<Notify>,
    /// What the process sends that belongs to no call.
    heard: broadcast::Sender<Envelope>,
    /// Why the process ended, or was made to end.
    why: OnceLock<Fault>,
    /// Set when the process is to end, or has ended.
    closed: CancellationToken,
}

/// A call that waits for its messages.
#[derive(Debug)]
struct Waiting {
    messages: mpsc::Sender<Message>,
    owner: Owner,
    /// The client's own progress token, JSON text.
    progress_token: Option<String>,
}

/// What the process wrote for one call.
#[derive(Debug)]
enum Message {
    Notification(Envelope),
    Question(Envelope),
    Answer(Envelope),
}

/// The messages of one call. Dropped before the answer, it tells the process to stop working on it.
#[derive(Debug)]
pub(in crate::targets) struct Call {
    id: u64,
    era: Era,
    answered: bool,
    link: Arc<Link>,
    messages: mpsc::Receiver<Message>,
}

impl Link {
    /// A link with a process of target `name` that gives its lines to the receiver and takes messages of at most `limit` bytes.
    pub(super) fn new(name: &TargetName, limit: usize, changed: Arc<Notify>) -> (Arc<Self>, mpsc::Receiver<Bytes>) {
        let (lines, outgoing) = mpsc::channel(64);
        let (waiting, ended, next_id) = (Mutex::default(), Ended::default(), AtomicU64::new(1));
        let why = OnceLock::new();
        let closed = CancellationToken::new();
        let heard = broadcast::channel(BEHIND).0;
        let name = name.clone();
        (Arc::new(Self { name, lines, waiting, ended, next_id, limit, changed, heard, why, closed }), outgoing)
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
        let _ = self.why.set(fault);
    }

    /// Closes the channels of all who wait: they see that the process has ended.
    pub(super) fn end(&self) {
        self.closed.cancel();
        self.waiting.lock().expect("no holder of this lock panics").clear();
    }

    /// What calls are told that the end of the process cut off.
    pub(super) fn why_ended(&self) -> Fault {
        let ended = || Fault::BrokenOff("its process ended".into());
        self.why.get().cloned().unwrap_or_else(ended)
    }

    /// Ends the process when it is dropped.
    pub(super) fn end_on_drop(&self) -> DropGuard {
        self.closed.clone().drop_guard()
    }

    /// Sends one request and registers who waits for its messages.
    pub(in crate::targets) async fn call(
        self: &Arc<Self>,
        era: Era,
        owner: Owner,
        method: &str,
        params: &str,
    ) -> Result<Call, Fault> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (params, progress_token) =
            with_own_token(params, id).map_err(|error| Fault::Unsendable(error.to_string()))?;
        let (sender, messages) = mpsc::channel(QUEUE);
        self.waiting
            .lock()
            .expect("no holder of this lock panics")
            .insert(id, Waiting { messages: sender, owner, progress_token });
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
    pub(in crate::targets) async fn write(&self, line: Bytes) -> Result<(), Fault> {
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
            Err(error) => {
                let name = &self.name;
                return tracing::warn!(
                    target.name = %name, %error,
                    "target `{name}` wrote a line on standard output that is no message: logs belong on standard error"
                );
            }
        };
        match message.kind() {
            Kind::Response => self.answer(message),
            Kind::Notification => self.notify(&message),
            Kind::Request => self.ask(message),
        }
    }

    /// Gives a request of the process to the call that it is about, as far as can be told.
    fn ask(&self, message: Envelope) {
        let unasked = match message.method() {
            "ping" => Some(message),
            _ => match self.about_call() {
                Meant::Call(call) => {
                    call.try_send(Message::Question(message)).err().map(|unsent| match unsent.into_inner() {
                        Message::Question(message) | Message::Notification(message) | Message::Answer(message) => {
                            message
                        }
                    })
                }
                Meant::Over | Meant::Unclear => Some(message),
            },
        };
        if let Some(message) = unasked {
            // A full queue means that the process does not read: it gets no answer either.
            let _ = self.lines.try_send(refusal(&message).into());
        }
    }

    /// The call that a message is about which does not say so.
    fn about_call(&self) -> Meant<mpsc::Sender<Message>> {
        let waiting = self.waiting.lock().expect("no holder of this lock panics");
        Meant::of(waiting.values().map(|call| (&call.owner, call.messages.clone())))
    }

    /// The same for what may come late.
    fn about_ended_call(&self) -> Meant<mpsc::Sender<Message>> {
        let waiting = self.waiting.lock().expect("no holder of this lock panics");
        Meant::late(waiting.values().map(|call| (&call.owner, call.messages.clone())), &self.ended)
    }

    fn answer(&self, message: Envelope) {
        let waiting = self.waiting_for(&message);
        let Some(waiting) = waiting else { return tracing::debug!("a child process answered what nobody asked") };
        self.ended.note(&waiting.owner);
        // A full queue drops it, and with it the sender: the reader sees the call end.
        let _ = waiting.messages.try_send(Message::Answer(message));
    }

    /// The call that an answer is for, however its id is spelled. An error without one is for the only call that waits.
    fn waiting_for(&self, message: &Envelope) -> Option<Waiting> {
        let mut waiting = self.waiting.lock().expect("no holder of this lock panics");
        let id = match message.id() {
            None | Some("null") => waiting.keys().next().copied().filter(|_| waiting.len() == 1),
            Some(id) => id.trim_matches('"').parse().ok().or_else(|| whole(id)),
        };
        waiting.remove(&id?)
    }

    fn notify(&self, message: &Envelope) {
        match message.method() {
            "notifications/progress" => {
                if self.progress(message).is_none() {
                    tracing::debug!("progress of a child process belongs to no call");
                }
            }
            method if is_news(method) => {
                if method.ends_with("/list_changed") {
                    self.changed.notify_one();
                }
                self.news(message);
            }
            _ => match self.about_ended_call() {
                // Its reader is gone or hopelessly behind.
                Meant::Call(call) => drop(call.try_send(Message::Notification(message.clone()))),
                Meant::Over => self.ended.say(message),
                Meant::Unclear => tracing::debug!(
                    target.name = %self.name,
                    "what target `{}` said could be about a call of several callers, so none of them hears it: {}",
                    self.name, String::from_utf8_lossy(message.bytes())
                ),
            },
        }
    }

    /// Passes on what belongs to no call: to the subscription that it names, else to all who listen.
    fn news(&self, message: &Envelope) {
        let waiting = self.waiting.lock().expect("no holder of this lock panics");
        match subscription_of(message).and_then(|id| waiting.get(&id)) {
            Some(listener) => drop(listener.messages.try_send(Message::Notification(message.clone()))),
            // Nobody may be listening.
            None => drop(self.heard.send(message.clone())),
        }
    }

    /// What is heard from now on that belongs to no call.
    pub(super) fn listen(&self) -> broadcast::Receiver<Envelope> {
        self.heard.subscribe()
    }

    fn progress(&self, message: &Envelope) -> Option<()> {
        let id = progress_of(message)?;
        let mut all = self.waiting.lock().expect("no holder of this lock panics");
        let waiting = all.get(&id)?;
        let whole = with_token(message, waiting.progress_token.as_deref()?)?;
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
            Some(Message::Question(message)) => {
                Ok(Event::Question(Question::new(message, Line::Stdio(Arc::clone(&self.link)))))
            }
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
    pub(in crate::targets) async fn answer(&mut self) -> Result<Envelope, Fault> {
        loop {
            match self.messages.recv().await {
                Some(Message::Notification(_)) => (),
                Some(Message::Question(message)) => self.link.write(refusal(&message).into()).await?,
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

/// A number without a fraction, however it is written.
fn whole(number: &str) -> Option<u64> {
    let number: f64 = number.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "compared with what it came from")]
    let whole = number as u64;
    #[expect(clippy::cast_precision_loss, reason = "an id of the gateway's is far below 2^53")]
    (whole as f64 == number).then_some(whole)
}

/// The call that opened the subscription to which a notification belongs (MCP 2026-07-28, basic/patterns/subscriptions).
fn subscription_of(message: &Envelope) -> Option<u64> {
    let params = ObjectEdit::parse(message.params()?).ok()?;
    ObjectEdit::parse(params.get("_meta")?).ok()?.get(era::META_SUBSCRIPTION)?.parse().ok()
}
