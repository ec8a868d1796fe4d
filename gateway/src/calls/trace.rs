//! Where a call stands in a trace: what came with the request, what goes on to targets, and which part is recorded here. Where
//! nothing is exported, what came goes on as it is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use causeway_core::{
    trace::{BAGGAGE, PARENT, STATE, TraceParent},
    wire::Object,
};
use http::{HeaderMap, HeaderName};
use tokio::sync::mpsc;

const PARENT_HEADER: HeaderName = HeaderName::from_static(PARENT);
const BAGGAGE_HEADER: HeaderName = HeaderName::from_static(BAGGAGE);
/// Spans that wait to be exported; more are dropped and counted.
const QUEUE: usize = 4096;

/// Makes spans of calls and hands them on to be exported.
#[derive(Debug)]
pub(crate) struct Tracer {
    /// Of 2^64, how many traces that begin here are recorded.
    threshold: u64,
    spans: mpsc::Sender<Span>,
    /// Spans that were not exported.
    pub(crate) dropped: Arc<AtomicU64>,
    /// The name of the gateway.
    pub(super) gateway: Arc<str>,
}

/// A part of a trace that is over. Times are since the Unix epoch.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) trace_id: u128,
    pub(crate) span_id: u64,
    pub(crate) parent: Option<u64>,
    pub(crate) state: Option<Arc<str>>,
    pub(crate) name: String,
    pub(crate) is_server: bool,
    pub(crate) start: Duration,
    pub(crate) end: Duration,
    pub(crate) attributes: Vec<(&'static str, Attribute)>,
    /// What went wrong, if it did.
    pub(crate) error: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Attribute {
    Text(String),
    Number(i64),
    Fraction(f64),
}

/// What came with a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Incoming {
    parent: Option<TraceParent>,
    state: Option<Arc<str>>,
    baggage: Option<Arc<str>>,
    /// It is in the request's `_meta` already.
    in_meta: bool,
}

/// A call's own part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own {
    pub(super) trace_id: u128,
    pub(super) span_id: u64,
    pub(super) parent: Option<u64>,
    pub(super) sampled: bool,
}

/// What goes to a target.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outgoing {
    /// Names and values of headers, or of members of `_meta`.
    pub(super) texts: Vec<(&'static str, Arc<str>)>,
    /// The request's `_meta` has them already.
    pub(super) in_meta: bool,
}

impl Tracer {
    /// Records the `ratio` (0 to 1) of the traces that begin here, and of others those that are recorded by who called.
    pub(crate) fn new(ratio: f64, gateway: &str) -> (Self, mpsc::Receiver<Span>) {
        let (spans, waiting) = mpsc::channel(QUEUE);
        // A float turned into a whole number stops at the largest one.
        let threshold = (ratio * 2_f64.powi(64)) as u64;
        (Self { threshold, spans, dropped: Arc::default(), gateway: gateway.into() }, waiting)
    }

    /// A part of the trace that `incoming` comes from, or of a new one.
    pub(super) fn part(&self, incoming: &Incoming) -> Own {
        let span_id = made_span_id();
        match incoming.parent {
            Some(parent) => {
                Own { trace_id: parent.trace_id, span_id, parent: Some(parent.span_id), sampled: parent.is_sampled() }
            }
            None => {
                let trace_id = fastrand::u128(1..);
                // The lower half of the id decides, as other samplers do by it.
                let sampled = self.threshold == u64::MAX || (trace_id as u64) < self.threshold;
                Own { trace_id, span_id, parent: None, sampled }
            }
        }
    }

    /// Hands a span on. An exporter that cannot keep up costs spans, never time.
    pub(super) fn record(&self, span: Span) {
        if self.spans.try_send(span).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Incoming {
    /// Of the headers of a request.
    pub(super) fn of_headers(headers: &HeaderMap) -> Self {
        // Nothing counts without a parent, and most requests have none.
        if !headers.contains_key(PARENT_HEADER) && !headers.contains_key(BAGGAGE_HEADER) {
            return Self::default();
        }
        let joined = |name: &str| -> Option<Arc<str>> {
            let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
            (!values.is_empty()).then(|| values.join(",").into())
        };
        Self::of(joined(PARENT).as_deref(), joined(STATE), joined(BAGGAGE), false)
    }

    /// Of the `_meta` of a message; `None` where it names no trace.
    pub(super) fn of_meta(meta: &Object) -> Option<Self> {
        let text = |key: &str| -> Option<Arc<str>> {
            let text: String = serde_json::from_str(meta.get(key)?).ok()?;
            Some(text.into())
        };
        let parent = text(PARENT)?;
        Some(Self::of(Some(&parent), text(STATE), text(BAGGAGE), true)).filter(|incoming| incoming.parent.is_some())
    }

    fn of(parent: Option<&str>, state: Option<Arc<str>>, baggage: Option<Arc<str>>, in_meta: bool) -> Self {
        let parent = parent.and_then(|parent| parent.parse().ok());
        // The state belongs to the parent; the baggage stands for itself.
        Self { parent, state: state.filter(|_| parent.is_some()), baggage, in_meta }
    }

    pub(super) fn trace_id(&self) -> Option<u128> {
        self.parent.map(|parent| parent.trace_id)
    }

    pub(super) fn state(&self) -> Option<Arc<str>> {
        self.state.clone()
    }

    /// What goes to a target: `own` is the parent of what it does, or whoever called where nothing is recorded here.
    pub(super) fn outgoing(&self, own: Option<&Own>) -> Outgoing {
        let parent = match own {
            Some(own) => {
                let flags = TraceParent::flags_of(own.sampled);
                Some(TraceParent { trace_id: own.trace_id, span_id: own.span_id, flags })
            }
            None => self.parent,
        };
        let parent = parent.map(|parent| (PARENT, parent.to_string().into()));
        let (state, baggage) = (self.state().map(|it| (STATE, it)), self.baggage.clone().map(|it| (BAGGAGE, it)));
        let texts = parent.into_iter().chain(state).chain(baggage).collect();
        Outgoing { texts, in_meta: self.in_meta && own.is_none() }
    }
}

impl Own {
    /// A part within this one.
    pub(super) fn within(&self) -> Self {
        Self { span_id: made_span_id(), parent: Some(self.span_id), ..*self }
    }
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Attribute {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<f64> for Attribute {
    fn from(fraction: f64) -> Self {
        Self::Fraction(fraction)
    }
}

fn made_span_id() -> u64 {
    fastrand::u64(1..)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT_OF_OTHERS: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn incoming(headers: &[(&'static str, &str)]) -> Incoming {
        let headers = headers.iter().map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap()));
        Incoming::of_headers(&headers.collect())
    }

    fn shown(outgoing: &Outgoing) -> String {
        let texts: Vec<String> = outgoing.texts.iter().map(|(name, text)| format!("{name}: {text}")).collect();
        texts.join("; ")
    }

    #[test]
    fn what_came_goes_on_as_it_is_where_nothing_is_recorded() {
        let came = incoming(&[("traceparent", PARENT_OF_OTHERS), ("tracestate", "a=1"), ("baggage", "b=2")]);
        assert_eq!(
            shown(&came.outgoing(None)),
            format!("traceparent: {PARENT_OF_OTHERS}; tracestate: a=1; baggage: b=2")
        );
        assert_eq!(shown(&incoming(&[]).outgoing(None)), "");
        assert_eq!(shown(&incoming(&[("traceparent", "nonsense"), ("tracestate", "a=1")]).outgoing(None)), "");
    }

    #[test]
    fn the_gateways_part_is_the_parent_of_the_targets() {
        let (tracer, _waiting) = Tracer::new(0.0, "g");
        let came = incoming(&[("traceparent", PARENT_OF_OTHERS), ("tracestate", "a=1")]);
        let own = tracer.part(&came);
        assert!(own.sampled, "who called records");
        let within = own.within();
        let expected =
            format!("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-{:016x}-01; tracestate: a=1", within.span_id);
        assert_eq!((shown(&came.outgoing(Some(&within))), within.parent), (expected, Some(own.span_id)));
        assert!(!tracer.part(&incoming(&[])).sampled);
        let (all, _waiting) = Tracer::new(1.0, "g");
        assert!((0..1000).all(|_| all.part(&incoming(&[])).sampled));
        let (half, _waiting) = Tracer::new(0.5, "g");
        let recorded = (0..10_000).filter(|_| half.part(&incoming(&[])).sampled).count();
        assert!((4_000..6_000).contains(&recorded), "{recorded}");
    }
}
