//! What becomes of each request of a client: the one place where it begins and ends for whoever watches. A request gathers what
//! is found out about it on its way (`OpenCall`); its end makes one [`CallRecord`] of that, for the metrics and for those who
//! follow. Decides nothing, and holds no arguments, results or tokens.

mod attempt;
pub(crate) mod audit;
mod ending;
mod meters;
mod open;
mod outcome;
mod record;
mod request_id;
mod spans;
mod trace;

pub(crate) use self::{
    attempt::{Attempt, attempt},
    ending::Ending,
    open::{Lead, OpenCall, add_headers, carried, labels, lead, note, request_id, watch_part},
    request_id::REQUEST_ID,
    trace::{Attribute, Span, Tracer},
};
pub use self::{
    audit::{Audit, Unaudited},
    outcome::Outcome,
    record::CallRecord,
    request_id::RequestId,
};

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use causeway_oidc::clock::Clock;
use tokio::sync::broadcast;

use self::meters::Meters;
use crate::metrics::Family;

/// Calls that wait for one who follows; who is slower misses the oldest, and is told how many.
const QUEUE: usize = 1024;
/// Calls that are remembered for who comes later.
const RECENT: usize = 200;

/// All calls of one gateway. Clones share them.
#[derive(Clone, Debug)]
pub struct Calls(Arc<Book>);

#[derive(Debug)]
struct Book {
    clock: Clock,
    /// Absent where nothing is exported.
    tracer: OnceLock<Tracer>,
    /// Absent where nothing is to be kept.
    audit: OnceLock<Audit>,
    meters: Meters,
    feed: broadcast::Sender<Arc<CallRecord>>,
    /// The oldest first.
    recent: Mutex<VecDeque<Arc<CallRecord>>>,
    /// Calls under way.
    open: AtomicUsize,
}

impl Calls {
    /// No calls yet.
    pub fn new(clock: Clock) -> Self {
        let (feed, _) = broadcast::channel(QUEUE);
        let (tracer, audit, meters, recent, open) = Default::default();
        Self(Arc::new(Book { clock, tracer, audit, meters, feed, recent, open }))
    }

    /// The audit log, where there is one.
    pub fn audit(&self) -> Option<&Audit> {
        self.0.audit.get()
    }

    /// From now on, a line of each call goes to `audit`.
    pub(crate) fn keep(&self, audit: Audit) {
        assert!(self.0.audit.set(audit).is_ok(), "a gateway runs once, and has one audit log");
    }

    /// From now on, spans of each call go to `tracer`.
    pub(crate) fn trace(&self, tracer: Tracer) {
        assert!(self.0.tracer.set(tracer).is_ok(), "a gateway runs once, and has one tracer");
    }

    /// The records of calls as they end, from now on. The receiver lags behind rather than slow a call down.
    pub fn follow(&self) -> broadcast::Receiver<Arc<CallRecord>> {
        self.0.feed.subscribe()
    }

    /// The records of the last calls that ended, the oldest first, 200 at most.
    pub fn recent(&self) -> Vec<Arc<CallRecord>> {
        self.0.recent.lock().expect("no holder of this lock panics").iter().cloned().collect()
    }

    /// How many calls went to each target.
    pub(crate) fn by_target(&self) -> HashMap<Arc<str>, u64> {
        self.0.meters.by_target()
    }

    /// What was counted of calls since the start.
    pub(crate) fn families(&self) -> Vec<Family> {
        let open = Family::gauge("causeway_calls_open", "Requests of clients under way, streams included.");
        let mut families = self.0.meters.families();
        families.extend(self.audit().into_iter().flat_map(Audit::families));
        if let Some(tracer) = self.0.tracer.get() {
            let dropped = Family::counter("causeway_spans_dropped_total", "Spans that were not exported.");
            families.push(dropped.with(&[], tracer.dropped.load(Ordering::Relaxed)));
        }
        families.push(open.with(&[], self.0.open.load(Ordering::Relaxed)));
        families
    }
}

impl Book {
    /// A call ended, which had these `arguments` if they are kept, and maybe a place in the audit log.
    fn ended(&self, record: CallRecord, arguments: Option<audit::Arguments>, place: Option<audit::Place>) {
        let record = Arc::new(record);
        if let Some(audit) = self.audit.get() {
            audit.take(Arc::clone(&record), arguments, place);
        }
        let mut recent = self.recent.lock().expect("no holder of this lock panics");
        let oldest = if recent.len() == RECENT { recent.pop_front() } else { None };
        recent.push_back(Arc::clone(&record));
        drop(recent);
        drop(oldest);
        // An error means that nobody follows.
        let _ = self.feed.send(record);
    }
}

#[cfg(test)]
mod tests {
    use std::{hint::black_box, time::Instant};

    use axum::response::{IntoResponse, Response};
    use http::HeaderMap;
    use http_body_util::BodyExt;

    use super::*;
    use crate::config::{self, AuditSink, OnFull, Redaction};

    /// One call as the gateway watches it, to one target, with an answer of a few bytes.
    async fn one(calls: &Calls, headers: &HeaderMap) -> Response {
        let target = "calculator".parse().expect("a name");
        let answer = async {
            note(|call| call.is_for("tools/call"));
            note(|call| call.names("calculator___add_numbers"));
            let attempt = attempt(&target, None, Some("\"add_numbers\""), "http");
            let mut sent = HeaderMap::new();
            add_headers(&mut sent);
            black_box(sent);
            drop(attempt);
            note(|call| call.came_to(Outcome::Ok));
            "{}".into_response()
        };
        calls.begin(headers, "/mcp".into()).expect("it may be answered").watch(answer).await
    }

    async fn cost(what: &str, calls: &Calls, headers: &HeaderMap) {
        const CALLS: u32 = 200_000;
        let began = Instant::now();
        for _ in 0..CALLS {
            let body = one(calls, headers).await.into_body().collect().await;
            black_box(body.expect("it is in memory"));
        }
        println!("{what}: {:?} a call", began.elapsed() / CALLS);
    }

    /// `cargo test --release -p causeway --lib -- --ignored what_watching_costs --nocapture`
    #[tokio::test]
    #[ignore = "it measures, and says nothing but numbers"]
    async fn what_watching_costs() {
        let plain = || Calls::new(Clock::system());
        let headers = HeaderMap::new();
        cost("records and metrics", &plain(), &headers).await;
        let traced = plain();
        let (tracer, mut spans) = Tracer::new(1.0, "causeway");
        traced.trace(tracer);
        let taken = tokio::spawn(async move { while spans.recv().await.is_some() {} });
        cost("and spans", &traced, &headers).await;
        taken.abort();
        let kept = plain();
        let sink = AuditSink::File("/dev/null".into());
        let audit = config::Audit {
            sink,
            on_full: OnFull::Drop,
            arguments: false,
            argument_bytes: 0,
            redaction: Redaction::default(),
        };
        kept.keep(Audit::open(&audit, Clock::system()).expect("it is there"));
        cost("and an audit log", &kept, &headers).await;
    }
}
