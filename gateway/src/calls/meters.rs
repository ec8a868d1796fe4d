//! Counters and histograms of calls, by method, target and tool. A call finds its own with one lookup; names that do not come
//! from the configuration or from a target's list are never a label.

use std::{
    collections::HashMap,
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    CallRecord,
    outcome::{Class, Outcome, WORDS},
};
use crate::metrics::{Family, Histogram};

/// Combinations of method, target and tool that are told apart; tools beyond that are counted together as `other`. More than
/// clients can use of any list of tools, and for a target that names its tools anew each time: each has three histograms, and all of
/// them must still be scraped in one go.
const MOST: usize = 2_000;

/// What is known of all calls so far.
#[derive(Debug, Default)]
pub(super) struct Meters(RwLock<Known>);

type OfTools = HashMap<Arc<str>, Arc<Series>>;

#[derive(Debug, Default)]
struct Known {
    /// By method, target and tool, in steps, so that looking up makes no key.
    series: HashMap<&'static str, HashMap<Arc<str>, OfTools>>,
    count: usize,
}

/// What calls of one kind have in common: a method that [`method`] gives, a target and a tool; empty where there is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct What<'a> {
    pub(super) method: &'static str,
    pub(super) target: &'a str,
    pub(super) tool: &'a str,
}

/// The numbers of one kind of calls.
#[derive(Debug)]
pub(super) struct Series {
    method: &'static str,
    pub(super) target: Arc<str>,
    pub(super) tool: Arc<str>,
    outcomes: [AtomicU64; WORDS],
    throttles: AtomicU64,
    system_errors: AtomicU64,
    user_errors: AtomicU64,
    first_byte: Histogram,
    duration: Histogram,
    execution: Histogram,
}

/// The label `method`: the methods that MCP has, `unknown` for any other.
pub(super) fn method(method: &str) -> &'static str {
    known(method).unwrap_or("unknown")
}

/// `method` where it is one that MCP has, or what stands in the place of one.
pub(super) fn known(method: &str) -> Option<&'static str> {
    const KNOWN: [&str; 29] = [
        "tools/call",
        "tools/list",
        "prompts/get",
        "prompts/list",
        "resources/read",
        "resources/list",
        "resources/templates/list",
        "resources/subscribe",
        "resources/unsubscribe",
        "completion/complete",
        "tasks/get",
        "tasks/result",
        "tasks/update",
        "tasks/cancel",
        "tasks/list",
        "server/discover",
        "subscriptions/listen",
        "initialize",
        "ping",
        "logging/setLevel",
        "notifications/initialized",
        "notifications/cancelled",
        "notifications/progress",
        "notifications/roots/list_changed",
        "response",
        "batch",
        "GET",
        "DELETE",
        "",
    ];
    KNOWN.into_iter().find(|known| *known == method)
}

impl Meters {
    /// The numbers of this kind of calls.
    pub(super) fn of(&self, what: What<'_>) -> Arc<Series> {
        if let Some(series) = self.0.read().expect("no holder of this lock panics").get(what) {
            return Arc::clone(series);
        }
        let mut all = self.0.write().expect("no holder of this lock panics");
        let known = match !what.tool.is_empty() && all.count >= MOST {
            true => What { tool: "other", ..what },
            false => what,
        };
        all.get_or_make(known)
    }

    /// How many calls ended that went to each target.
    pub(super) fn by_target(&self) -> HashMap<Arc<str>, u64> {
        let mut counts: HashMap<Arc<str>, u64> = HashMap::new();
        for series in self.0.read().expect("no holder of this lock panics").all() {
            if !series.target.is_empty() {
                let ended = series.outcomes.iter().map(|count| count.load(Ordering::Relaxed));
                *counts.entry(Arc::clone(&series.target)).or_default() += ended.sum::<u64>();
            }
        }
        counts
    }

    /// What was counted, family by family.
    pub(super) fn families(&self) -> Vec<Family> {
        let all = self.0.read().expect("no holder of this lock panics");
        let mut sorted: Vec<&Series> = all.all().collect();
        sorted.sort_by_key(|series| series.labels().map(|(_, text)| text));
        let mut families = vec![invocations(&sorted)];
        families.extend(faults(&sorted));
        families.extend(durations(&sorted));
        families
    }
}

impl Known {
    fn get(&self, What { method, target, tool }: What<'_>) -> Option<&Arc<Series>> {
        self.series.get(method)?.get(target)?.get(tool)
    }

    fn get_or_make(&mut self, What { method, target, tool }: What<'_>) -> Arc<Series> {
        let tools = self.series.entry(method).or_default().entry(target.into()).or_default();
        if let Some(series) = tools.get(tool) {
            return Arc::clone(series);
        }
        self.count += 1;
        let tool: Arc<str> = tool.into();
        let series = Arc::new(Series::new(method, target.into(), Arc::clone(&tool)));
        tools.insert(tool, Arc::clone(&series));
        series
    }

    fn all(&self) -> impl Iterator<Item = &Series> {
        self.series.values().flat_map(HashMap::values).flat_map(HashMap::values).map(|series| &**series)
    }
}

impl Series {
    fn new(method: &'static str, target: Arc<str>, tool: Arc<str>) -> Self {
        let (outcomes, throttles, system_errors, user_errors) = Default::default();
        let (first_byte, duration, execution) = Default::default();
        Self { method, target, tool, outcomes, throttles, system_errors, user_errors, first_byte, duration, execution }
    }

    fn labels(&self) -> [(&'static str, &str); 3] {
        [("method", self.method), ("target", &self.target), ("tool", &self.tool)]
    }

    /// Counts a call that ended.
    pub(super) fn ended(&self, record: &CallRecord) {
        self.outcomes[record.outcome.index()].fetch_add(1, Ordering::Relaxed);
        let count = match record.outcome.class(record.status) {
            None => None,
            Some(Class::Throttle) => Some(&self.throttles),
            Some(Class::SystemError) => Some(&self.system_errors),
            Some(Class::UserError) => Some(&self.user_errors),
        };
        if let Some(count) = count {
            count.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(first_byte) = record.first_byte {
            self.first_byte.observe(first_byte);
        }
        self.duration.observe(record.duration);
    }

    /// Counts the time that a target took for one attempt.
    pub(super) fn executed(&self, took: Duration) {
        self.execution.observe(took);
    }
}

fn invocations(all: &[&Series]) -> Family {
    const EACH: [Outcome; WORDS] = [
        Outcome::Ok,
        Outcome::InputRequired,
        Outcome::ToolError,
        Outcome::Error(0),
        Outcome::TargetFault(""),
        Outcome::Throttled(""),
        Outcome::Refused(""),
        Outcome::Cancelled,
    ];
    let mut family = Family::counter("causeway_invocations_total", "Requests of clients that ended (Invocations).");
    for series in all {
        for (outcome, count) in EACH.iter().zip(&series.outcomes) {
            let count = count.load(Ordering::Relaxed);
            if count > 0 {
                let [method, target, tool] = series.labels();
                family.add(&[method, target, tool, ("outcome", outcome.word())], count);
            }
        }
    }
    family
}

fn faults(all: &[&Series]) -> [Family; 3] {
    let family = |name, help, of: fn(&Series) -> &AtomicU64| {
        let mut family = Family::counter(name, help);
        for series in all {
            family.add(&series.labels(), of(series).load(Ordering::Relaxed));
        }
        family
    };
    [
        family("causeway_throttles_total", "Requests that met a bound (Throttles).", |series| &series.throttles),
        family(
            "causeway_system_errors_total",
            "Requests that the gateway or a target failed (SystemErrors).",
            |series| &series.system_errors,
        ),
        family("causeway_user_errors_total", "Requests that were wrong or not allowed (UserErrors).", |series| {
            &series.user_errors
        }),
    ]
}

fn durations(all: &[&Series]) -> [Family; 3] {
    let family = |name, help, of: fn(&Series) -> &Histogram| {
        let mut family = Family::histogram(name, help);
        for series in all {
            let read = of(series).read();
            if read.count() > 0 {
                family.add(&series.labels(), read);
            }
        }
        family
    };
    [
        family("causeway_latency_seconds", "From a request to the first byte of its answer (Latency).", |series| {
            &series.first_byte
        }),
        family("causeway_duration_seconds", "From a request to the last byte of its answer (Duration).", |series| {
            &series.duration
        }),
        family(
            "causeway_target_execution_seconds",
            "From a request to a target to the end of its answer (TargetExecutionTime).",
            |series| &series.execution,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_invents_is_no_label() {
        assert_eq!(method("tools/call"), "tools/call");
        assert_eq!(method("tools/steal"), "unknown");
    }

    #[test]
    fn tools_beyond_all_measure_are_counted_together() {
        let meters = Meters::default();
        let of = |tool: &str| meters.of(What { method: "tools/call", target: "a", tool });
        (0..MOST).for_each(|at| drop(of(&at.to_string())));
        let (one, other) = (of("x"), of("y"));
        assert!(Arc::ptr_eq(&one, &other));
        assert!(!Arc::ptr_eq(&one, &of("7")));
    }
}
