//! A call under way, and what is found out about it. Whoever works on a request finds its call by [`note`], without being
//! handed it: it is there to be watched, and nothing is decided by it. What runs in a task of its own belongs to no call, but for
//! what is [`carried`] there.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, MutexGuard, atomic::Ordering},
    time::Duration,
};

use axum::response::Response;
use causeway_core::{
    name::{PathName, TargetName},
    wire::{Envelope, Kind, Object, text},
};
use futures::future::Either;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::{task_local, time::Instant};

use super::{
    Book, CallRecord, Calls, Ending, Outcome,
    audit::{Arguments, Place, Unaudited},
    meters::{Series, What, known, method},
    request_id::{REQUEST_ID, RequestId},
    spans,
    trace::{Incoming, Outgoing, Own, Tracer},
};
use crate::inbound::Caller;

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
    request_id: RequestId,
    endpoint: Arc<str>,
    /// In the audit log, kept free for it.
    place: Mutex<Option<Place>>,
    facts: Mutex<Facts>,
}

/// What is known so far.
#[derive(Debug, Default)]
struct Facts {
    caller: Option<Arc<Caller>>,
    method: Option<Cow<'static, str>>,
    name: Option<Arc<str>>,
    lead: Option<Arc<Lead>>,
    attempts: u32,
    execution: Duration,
    outcome: Option<Outcome>,
    bytes_in: u64,
    /// Another replica answers it, and keeps the record.
    elsewhere: bool,
    /// Only where they are kept.
    arguments: Option<Arguments>,
    incoming: Incoming,
    /// Absent where nothing is exported.
    own: Option<Own>,
    /// To the target that is asked now.
    outgoing: Outgoing,
}

/// Where a call leads.
#[derive(Debug)]
pub(crate) struct Lead {
    pub(super) target: Arc<str>,
    /// As the target knows it.
    pub(super) tool: Option<Arc<str>>,
    pub(super) path: Option<Arc<str>>,
    /// Of such calls.
    pub(super) series: Arc<Series>,
}

/// How the answer to a call came to its end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct End {
    pub(super) status: u16,
    pub(super) first_byte: Option<Instant>,
    /// When the last byte was given away; absent for an answer that was cut off.
    pub(super) last_byte: Option<Instant>,
    /// It broke off on its way to the gateway.
    pub(super) broke_off: bool,
    pub(super) bytes: u64,
}

/// The call that is being worked on here.
pub(super) fn current() -> Option<Arc<OpenCall>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// The response that `answer` gives to one of several messages that came in one request: a call of its own.
///
/// # Errors
/// It may not be answered, because it could not be kept.
pub(crate) async fn watch_part(answer: impl Future<Output = Response>) -> Result<Response, Unaudited> {
    match current() {
        Some(whole) => Ok(whole.part()?.watch(answer).await),
        None => Ok(answer.await),
    }
}

/// Adds to the `headers` of a request to a target by what this is known: the id of the request, and the trace.
pub(crate) fn add_headers(headers: &mut HeaderMap) {
    note(|call| {
        headers.insert(REQUEST_ID, call.request_id.header());
        for (name, text) in &call.facts().outgoing.texts {
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    });
}

/// What the request is called that is being worked on here.
pub(crate) fn request_id() -> Option<RequestId> {
    current().map(|call| call.request_id.clone())
}

/// What tells log lines of the call that is being worked on here from those of others: names and texts.
pub(crate) fn labels() -> Vec<(&'static str, Arc<str>)> {
    current().map(|call| call.labels()).unwrap_or_default()
}

/// Takes note of something about the call that is being worked on here, if it is one of a client.
pub(crate) fn note(what: impl FnOnce(&OpenCall)) {
    let _ = CURRENT.try_with(|call| what(call));
}

/// Where the call leads that is being worked on here, for the request of its client that will go on with it.
pub(crate) fn lead() -> Option<Arc<Lead>> {
    current()?.facts().lead.clone()
}

/// `work` as a part of the call that is being worked on here, also in a task of its own.
pub(crate) fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    // Now, and not where it is done.
    let call = current();
    match call {
        Some(call) => Either::Left(CURRENT.scope(call, work)),
        None => Either::Right(work),
    }
}

impl Calls {
    /// A request begins whose head has these `headers`, for the path `endpoint`.
    ///
    /// # Errors
    /// It may not be answered, because it could not be kept.
    pub(crate) fn begin(&self, headers: &HeaderMap, endpoint: Arc<str>) -> Result<Ending, Unaudited> {
        let request_id = headers.get(REQUEST_ID).and_then(RequestId::given).unwrap_or_else(RequestId::made);
        let facts = Facts { incoming: Incoming::of_headers(headers), ..Facts::default() };
        OpenCall::begin(Arc::clone(&self.0), request_id, endpoint, facts)
    }
}

impl OpenCall {
    fn begin(
        book: Arc<Book>,
        request_id: RequestId,
        endpoint: Arc<str>,
        mut facts: Facts,
    ) -> Result<Ending, Unaudited> {
        let place = book.audit.get().map_or(Ok(None), |audit| audit.place())?;
        facts.own = book.tracer.get().map(|tracer| tracer.part(&facts.incoming));
        book.open.fetch_add(1, Ordering::Relaxed);
        let (at, started) = (book.clock.now(), Instant::now());
        let (place, facts) = (Mutex::new(place), Mutex::new(facts));
        Ok(Ending::new(Arc::new(Self { book, at, started, request_id, endpoint, place, facts })))
    }

    /// One of several messages that came in one request.
    fn part(&self) -> Result<Ending, Unaudited> {
        let (caller, incoming) = {
            let whole = self.facts();
            (whole.caller.clone(), whole.incoming.clone())
        };
        let facts = Facts { caller, incoming, ..Facts::default() };
        Self::begin(Arc::clone(&self.book), self.request_id.clone(), Arc::clone(&self.endpoint), facts)
    }

    /// What the request is called in logs, in the answer and toward targets.
    pub(crate) fn request_id(&self) -> &RequestId {
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
        self.facts().method = Some(match known(method) {
            Some(known) => Cow::Borrowed(known),
            None => Cow::Owned((*cut(method, LONGEST_METHOD)).to_owned()),
        });
    }

    /// The client names this tool, prompt, resource or task.
    pub(crate) fn names(&self, name: &str) {
        let mut facts = self.facts();
        if facts.name.as_deref() != Some(name) {
            facts.name = Some(cut(name, LONGEST_NAME));
        }
    }

    /// The request has this `_meta`; a trace that stands there counts for more than one of its headers, which may be a proxy's.
    pub(crate) fn continues(&self, meta: &Object) {
        let Some(incoming) = Incoming::of_meta(meta) else { return };
        let mut facts = self.facts();
        facts.own = self.book.tracer.get().map(|tracer| tracer.part(&incoming));
        facts.incoming = incoming;
    }

    /// The tool or prompt that the client names gets the arguments in `params`.
    pub(crate) fn brings(&self, params: &Object) {
        let Some(most) = self.book.audit.get().and_then(|audit| audit.keeps_arguments()) else { return };
        let arguments = params.get("arguments");
        self.facts().arguments = arguments.map(|arguments| Arguments::of(arguments, most));
    }

    /// It goes on with what another request began, which led there.
    pub(crate) fn goes_on(&self, lead: Option<Arc<Lead>>) {
        self.facts().lead = lead;
    }

    /// It is about this target, if that is asked or not; `path` where the target has several, `tool`, as JSON text, where one of
    /// it is called.
    pub(crate) fn leads_to(&self, target: &TargetName, path: Option<&PathName>, tool: Option<&str>) -> Arc<Lead> {
        let mut facts = self.facts();
        let before = facts.lead.take().filter(|before| *before.target == *target.as_str());
        let tool = tool.and_then(text);
        // What is asked of the target for the sake of a tool's call is that tool's.
        let tool = tool.as_deref().or_else(|| before.as_ref()?.tool.as_deref());
        let method = method(facts.method.as_deref().unwrap_or_default());
        let of_method = tool.filter(|_| method == "tools/call").unwrap_or_default();
        let series = self.book.meters.of(What { method, target: target.as_str(), tool: of_method });
        // Those of many calls are kept once.
        let tool = tool.map(|tool| if *tool == *series.tool { Arc::clone(&series.tool) } else { tool.into() });
        let path = path.map(|path| path.to_string().into());
        let lead = Arc::new(Lead { target: Arc::clone(&series.target), tool, path, series });
        facts.lead = Some(Arc::clone(&lead));
        lead
    }

    /// Another replica answers it: to that one belong its record, its spans and its line in the audit log.
    pub(crate) fn is_elsewhere(&self) {
        self.facts().elsewhere = true;
    }

    /// It ended so, as far as is known by now.
    pub(crate) fn came_to(&self, outcome: Outcome) {
        self.facts().outcome = Some(outcome);
    }

    /// One more attempt begins: its part of the trace, and the state of that.
    pub(super) fn attempted(&self) -> Option<(Own, Option<Arc<str>>)> {
        let mut facts = self.facts();
        facts.attempts += 1;
        let own = facts.own.as_ref().map(Own::within);
        facts.outgoing = facts.incoming.outgoing(own.as_ref());
        own.map(|own| (own, facts.incoming.state()))
    }

    /// A part of an attempt is over, which began then.
    pub(super) fn executed(&self, since: Instant) {
        // What went before was another call's.
        let took = since.max(self.started).elapsed();
        self.facts().execution += took;
    }

    /// What goes to the target that is asked now.
    pub(super) fn outgoing(&self) -> Outgoing {
        self.facts().outgoing.clone()
    }

    /// Where its spans go.
    pub(super) fn tracer(&self) -> Option<&Tracer> {
        self.book.tracer.get()
    }

    /// The method that it is for.
    pub(super) fn method(&self) -> Cow<'static, str> {
        self.facts().method.clone().unwrap_or_default()
    }

    /// When `instant`, which came after its beginning, was since the Unix epoch.
    pub(super) fn time_of(&self, instant: Instant) -> Duration {
        self.at + (instant - self.started)
    }

    fn labels(&self) -> Vec<(&'static str, Arc<str>)> {
        let facts = self.facts();
        let trace_id = facts.trace_id();
        let caller: Option<Arc<str>> = facts.caller.as_ref().map(|caller| caller.id.as_str().into());
        let all = [
            ("request_id", Some((*self.request_id).into())),
            ("trace_id", trace_id),
            ("caller", caller),
            // As in all lines about targets; `target` alone is the module that a line comes from.
            ("target.name", facts.lead.as_ref().map(|lead| Arc::clone(&lead.target))),
            ("tool", facts.lead.as_ref().and_then(|lead| lead.tool.clone())),
        ];
        all.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
    }

    /// It is over.
    pub(super) fn ended(&self, end: End) {
        let now = Instant::now();
        let facts = std::mem::take(&mut *self.facts());
        let place = self.place.lock().expect("no holder of this lock panics").take();
        if facts.elsewhere {
            self.book.open.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let outcome = match (end.last_byte, facts.outcome) {
            (Some(_), Some(outcome)) => outcome,
            (Some(_), None) if end.status < 400 => Outcome::Ok,
            (Some(_), None) => Outcome::Status(end.status),
            (None, Some(outcome)) if end.broke_off => outcome,
            (None, _) => Outcome::Cancelled,
        };
        let lead = facts.lead.as_deref();
        let series = lead.map_or_else(|| self.book.meters.of(facts.nowhere()), |lead| Arc::clone(&lead.series));
        let record = CallRecord {
            at: self.at,
            request_id: self.request_id.clone(),
            trace_id: facts.trace_id(),
            target: lead.map(|lead| Arc::clone(&lead.target)),
            tool: lead.and_then(|lead| lead.tool.clone()),
            path: lead.and_then(|lead| lead.path.clone()),
            caller: facts.caller,
            endpoint: Arc::clone(&self.endpoint),
            method: facts.method.unwrap_or_default(),
            name: facts.name,
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
        if let (Some(own), Some(tracer)) = (facts.own.filter(|own| own.sampled), self.book.tracer.get()) {
            tracer.record(spans::of_call(&own, facts.incoming.state(), &record, &tracer.gateway));
        }
        tracing::debug!(
            request_id = &*record.request_id,
            trace_id = record.trace_id.as_deref(),
            caller = record.caller.as_ref().map(|caller| caller.id.as_str()),
            target.name = record.target.as_deref(),
            tool = record.tool.as_deref(),
            outcome = record.outcome.word(),
            duration = ?record.duration,
            "answered `{}`",
            record.method
        );
        self.book.ended(record, facts.arguments, place);
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().expect("no holder of this lock panics")
    }
}

impl Facts {
    /// What a call is counted under that led to no target. The name in it is the client's own.
    fn nowhere(&self) -> What<'static> {
        let method = method(self.method.as_deref().unwrap_or_default());
        let named = matches!(method, "tools/call" | "prompts/get" | "resources/read");
        let unknown = |wanted: bool| if wanted { "unknown" } else { "" };
        What { target: unknown(named), tool: unknown(method == "tools/call"), method }
    }

    fn trace_id(&self) -> Option<Arc<str>> {
        let id = self.own.map(|own| own.trace_id).or(self.incoming.trace_id())?;
        Some(format!("{id:032x}").into())
    }
}

fn cut(text: &str, most: usize) -> Arc<str> {
    match text.len() <= most {
        true => text.into(),
        false => text.chars().take(most).collect::<String>().into(),
    }
}
