//! A call under way, and what is found out about it. Whoever works on a request finds its call by [`note`], without being
//! handed it: it is there to be watched, and nothing is decided by it. What runs in a task of its own belongs to no call.

use std::{
    sync::{Arc, Mutex, MutexGuard, atomic::Ordering},
    time::Duration,
};

use axum::response::Response;
use causeway_core::{
    name::{PathName, TargetName},
    wire::{Envelope, Kind},
};
use http::HeaderMap;
use tokio::{task_local, time::Instant};

use super::{
    Book, CallRecord, Calls, Ending, Outcome,
    meters::{Series, What, method},
};
use crate::inbound::Caller;

/// What a client or a proxy calls a request, so that both sides' logs can be compared.
pub(super) const REQUEST_ID: &str = "x-request-id";
/// A request id of a client that is longer than this is not taken.
const LONGEST_ID: usize = 128;
/// Of what a client wrote, so much is kept.
const LONGEST_METHOD: usize = 128;
const LONGEST_NAME: usize = 1024;

task_local! {
    pub(super) static CURRENT: Arc<OpenCall>;
}

/// A call under way.
#[derive(Debug)]
pub(crate) struct OpenCall {
    book: Arc<Book>,
    /// Since the Unix epoch.
    at: Duration,
    started: Instant,
    request_id: Arc<str>,
    endpoint: Arc<str>,
    facts: Mutex<Facts>,
}

/// What is known so far.
#[derive(Debug, Default)]
struct Facts {
    caller: Option<Arc<Caller>>,
    method: Option<Arc<str>>,
    name: Option<Arc<str>>,
    target: Option<Arc<str>>,
    tool: Option<Arc<str>>,
    path: Option<Arc<str>>,
    /// Of the target and the tool above.
    series: Option<Arc<Series>>,
    attempts: u32,
    execution: Duration,
    outcome: Option<Outcome>,
    bytes_in: u64,
}

/// One request to a target, for a call of a client. Its drop is its end.
#[derive(Debug)]
pub(crate) struct Attempt {
    call: Arc<OpenCall>,
    series: Arc<Series>,
    /// Absent where nothing was sent.
    started: Option<Instant>,
}

/// How the answer to a call came to its end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct End {
    pub(super) status: u16,
    pub(super) first_byte: Option<Instant>,
    /// When the last byte was given away; absent for an answer that was cut off.
    pub(super) last_byte: Option<Instant>,
    pub(super) bytes: u64,
}

/// The call that is being worked on here.
fn current() -> Option<Arc<OpenCall>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// The response that `answer` gives to one of several messages that came in one request: a call of its own.
pub(crate) async fn watch_part(answer: impl Future<Output = Response>) -> Response {
    match current() {
        Some(whole) => whole.part().watch(answer).await,
        None => answer.await,
    }
}

/// Takes note of something about the call that is being worked on here, if it is one of a client.
pub(crate) fn note(what: impl FnOnce(&OpenCall)) {
    let _ = CURRENT.try_with(|call| what(call));
}

/// Begins an attempt at a target for the call that is being worked on here. `path` where the target has several; `tool`, as
/// JSON text, where one of it is called.
pub(crate) fn attempt(target: &TargetName, path: Option<&PathName>, tool: Option<&str>) -> Option<Attempt> {
    let call = current()?;
    let series = call.goes_to(target, path, tool);
    Some(Attempt { call, series, started: Some(Instant::now()) })
}

impl Calls {
    /// A request begins whose head has these `headers` and asks for the path `endpoint`.
    pub(crate) fn begin(&self, headers: &HeaderMap, endpoint: &str) -> Ending {
        let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(|id| is_sane(id));
        let request_id = given.map_or_else(made_id, Into::into);
        OpenCall::begin(Arc::clone(&self.0), request_id, cut(endpoint, LONGEST_NAME), Facts::default())
    }
}

impl OpenCall {
    fn begin(book: Arc<Book>, request_id: Arc<str>, endpoint: Arc<str>, facts: Facts) -> Ending {
        book.open.fetch_add(1, Ordering::Relaxed);
        let (at, started) = (book.clock.now(), Instant::now());
        Ending::new(Arc::new(Self { book, at, started, request_id, endpoint, facts: Mutex::new(facts) }))
    }

    /// One of several messages that came in one request.
    fn part(&self) -> Ending {
        let facts = Facts { caller: self.facts().caller.clone(), ..Facts::default() };
        Self::begin(Arc::clone(&self.book), Arc::clone(&self.request_id), Arc::clone(&self.endpoint), facts)
    }

    /// What the request is called in logs, in the answer and toward targets.
    pub(crate) fn request_id(&self) -> &Arc<str> {
        &self.request_id
    }

    /// The caller was let in.
    pub(crate) fn called_by(&self, caller: &Arc<Caller>) {
        self.facts().caller = Some(Arc::clone(caller));
    }

    /// The body of the request is there.
    pub(crate) fn took(&self, body: &[u8]) {
        self.facts().bytes_in = body.len() as u64;
    }

    /// The request is this message.
    pub(crate) fn holds(&self, message: &Envelope) {
        self.is_for(match message.kind() {
            Kind::Request | Kind::Notification => message.method(),
            Kind::Response => "response",
        });
    }

    /// The request is for this method, or is what stands in its place in a record.
    pub(crate) fn is_for(&self, method: &str) {
        self.facts().method = Some(cut(method, LONGEST_METHOD));
    }

    /// The client names this tool, prompt, resource or task.
    pub(crate) fn names(&self, name: &str) {
        self.facts().name = Some(cut(name, LONGEST_NAME));
    }

    /// It ended so, as far as is known by now.
    pub(crate) fn came_to(&self, outcome: Outcome) {
        self.facts().outcome = Some(outcome);
    }

    fn goes_to(&self, target: &TargetName, path: Option<&PathName>, tool: Option<&str>) -> Arc<Series> {
        let mut facts = self.facts();
        facts.attempts += 1;
        facts.target = Some(target.as_str().into());
        facts.path = path.map(|path| path.to_string().into());
        if let Some(tool) = tool.and_then(|tool| serde_json::from_str::<String>(tool).ok()) {
            facts.tool = Some(tool.into());
        }
        let series = self.book.meters.of(&facts.what());
        facts.series = Some(Arc::clone(&series));
        series
    }

    /// It is over.
    pub(super) fn ended(&self, end: End) {
        let now = Instant::now();
        let facts = std::mem::take(&mut *self.facts());
        let outcome = match (end.last_byte, facts.outcome) {
            (Some(_), Some(outcome)) => outcome,
            (Some(_), None) if end.status < 400 => Outcome::Ok,
            (Some(_), None) => Outcome::Status(end.status),
            (None, _) => Outcome::Cancelled,
        };
        let series = facts.series.clone().unwrap_or_else(|| self.book.meters.of(&facts.what()));
        let record = CallRecord {
            at: self.at,
            request_id: Arc::clone(&self.request_id),
            caller: facts.caller,
            endpoint: Arc::clone(&self.endpoint),
            method: facts.method.unwrap_or_default(),
            name: facts.name,
            target: facts.target,
            tool: facts.tool,
            path: facts.path,
            attempts: facts.attempts,
            outcome,
            status: end.status,
            first_byte: end.first_byte.map(|first| first - self.started),
            duration: end.last_byte.unwrap_or(now) - self.started,
            execution: facts.execution,
            bytes_in: facts.bytes_in,
            bytes_out: end.bytes,
        };
        series.ended(&record);
        self.book.open.fetch_sub(1, Ordering::Relaxed);
        self.book.ended(record);
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().expect("no holder of this lock panics")
    }
}

impl Facts {
    /// What it is counted under. A name that led to no target is the client's own.
    fn what(&self) -> What {
        let method = method(self.method.as_deref().unwrap_or_default());
        let named = matches!(method, "tools/call" | "prompts/get" | "resources/read") && self.target.is_none();
        let unknown = |wanted: bool| wanted.then(|| "unknown".into());
        let tool = self.tool.clone().filter(|_| method == "tools/call");
        What {
            target: self.target.clone().or_else(|| unknown(named)),
            tool: tool.or_else(|| unknown(named && method == "tools/call")),
            method,
        }
    }
}

impl Attempt {
    /// It came to nothing before anything was sent.
    pub(crate) fn not_made(mut self) {
        self.started = None;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let Some(started) = self.started else { return };
        let took = started.elapsed();
        self.series.executed(took);
        self.call.facts().execution += took;
    }
}

/// Whether a request id of a client can stand in a header, a log line and a URL as it is.
fn is_sane(id: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte);
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(fits)
}

/// As many digits as a trace id has. It need not be hard to guess: nothing is to be had for it.
fn made_id() -> Arc<str> {
    format!("{:032x}", fastrand::u128(1..)).into()
}

fn cut(text: &str, most: usize) -> Arc<str> {
    match text.len() <= most {
        true => text.into(),
        false => text.chars().take(most).collect::<String>().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_break_a_log_line_is_not_taken() {
        let check = |id: &str, sane| assert_eq!(is_sane(id), sane, "{id:?}");
        check("4bf92f3577b34da6a3ce929d0e0e4736", true);
        check("Root=1-67891233-abcdef012345678912345678", true);
        check("", false);
        check("a b", false);
        check("a\",\"level\":\"error", false);
        check(&"x".repeat(129), false);
    }
}
