//! What a run found out, as it is kept in a file and read again for the document. Measures nothing.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    form::{Form, Size},
    load::Came,
};

/// A whole run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Results {
    pub machine: Machine,
    /// How it was run.
    pub settings: Settings,
    /// Programs that were measured and what they say of themselves.
    pub versions: BTreeMap<String, String>,
    pub cells: Vec<Cell>,
    pub memory: Vec<Memory>,
    pub starts: Vec<Start>,
    pub streaming: Vec<Streaming>,
    /// Calls of the allocator for one relayed call, by what is called.
    pub allocations: BTreeMap<String, Counted>,
    /// What could not be measured, and why.
    pub left_out: Vec<String>,
}

/// Where it ran.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Machine {
    pub processor: String,
    pub processors: usize,
    /// Processors that share a core with the one that the proxies have.
    pub siblings: String,
    pub memory_bytes: u64,
    pub kernel: String,
    /// Seconds since the Unix epoch.
    pub began: u64,
    /// The load average of the last minute when it began: what else the machine did.
    pub load: f64,
}

/// How it was run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Settings {
    pub command: String,
    pub rounds: usize,
    pub seconds: f64,
    pub load_cpu: usize,
    pub proxy_cpu: usize,
}

/// What clients ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Case {
    /// `tools/call`.
    Call { form: Form, size: Size },
    /// A small `tools/call` of the last of `tools` tools of `targets` targets.
    CallAmong { tools: usize, targets: usize },
    /// `tools/list` of them; of nginx, a file with the same bytes.
    List { tools: usize, targets: usize },
}

/// One candidate at one case with so many clients.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cell {
    /// Somebody else's gateway with which it took turns, that one's own cells included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    pub candidate: String,
    pub case: Case,
    pub clients: usize,
    pub rounds: Vec<Round>,
}

/// What came of it once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Round {
    pub calls: u64,
    pub failures: u64,
    pub failure: Option<String>,
    /// Right answers a second.
    pub rate: f64,
    /// Microseconds.
    pub p50: f64,
    /// Microseconds.
    pub p99: f64,
    /// Microseconds of processor time of the proxy for each right answer.
    pub cpu: Option<f64>,
    /// Bytes of memory of the proxy at most.
    pub peak: Option<u64>,
}

/// Memory of a candidate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Memory {
    pub candidate: String,
    /// What it was doing.
    pub doing: Doing,
    pub bytes: u64,
}

/// See [`Memory`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doing {
    /// It has started and answered one call in each form.
    Idle,
    /// So many streams are open, on which nothing comes.
    Streams(usize),
}

/// From the start of a program to its first list that holds all tools.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Start {
    pub candidate: String,
    /// Whether it found what it had kept of the lists of an earlier run.
    pub kept: bool,
    /// Milliseconds, each time.
    pub millis: Vec<f64>,
}

/// Whether the first half of a result of 1 MB comes while the second is not written yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Streaming {
    pub candidate: String,
    pub form: Form,
    /// Bytes that came meanwhile.
    pub came: u64,
}

/// What one relayed call asks of the allocator, on average.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    pub allocations: f64,
    pub bytes: f64,
}

/// One figure of a cell over its rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { form, size } => write!(f, "call {} {}", form.name(), size.tool()),
            Self::CallAmong { tools, targets } => write!(f, "call among {tools}/{targets}"),
            Self::List { tools, targets } => write!(f, "list of {tools}/{targets}"),
        }
    }
}

impl Case {
    /// Tools and targets of a call among them.
    pub fn among(self) -> Option<(usize, usize)> {
        match self {
            Self::CallAmong { tools, targets } => Some((tools, targets)),
            Self::Call { .. } | Self::List { .. } => None,
        }
    }
}

impl Results {
    /// The cell of `candidate`, where nobody else's gateway took part.
    pub fn cell(&self, candidate: &str, case: Case, clients: usize) -> Option<&Cell> {
        self.cell_beside(None, candidate, case, clients)
    }

    /// The cell of `candidate`, in turns with `peer`, if with one.
    pub fn cell_beside(&self, peer: Option<&str>, candidate: &str, case: Case, clients: usize) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.is(peer, candidate, case, clients))
    }

    /// Answers that were wrong or did not come, of all cells.
    pub fn failures(&self) -> impl Iterator<Item = String> {
        self.cells.iter().flat_map(|cell| {
            let failed = cell.rounds.iter().filter(|round| round.failures > 0 || round.calls == 0);
            failed.map(|round| {
                let (candidate, case, clients, why) = (&cell.candidate, cell.case, cell.clients, &round.failure);
                let why = why.as_deref().unwrap_or("no answer in time");
                format!("{candidate}, {case}, {clients} clients: {} failures, the first: {why}", round.failures)
            })
        })
    }

    /// Adds one round of one cell.
    pub fn add(&mut self, candidate: &str, case: Case, clients: usize, round: Round) {
        match self.cells.iter_mut().find(|cell| cell.is(None, candidate, case, clients)) {
            Some(cell) => cell.rounds.push(round),
            None => {
                let candidate = candidate.to_owned();
                self.cells.push(Cell { beside: None, candidate, case, clients, rounds: vec![round] });
            }
        }
    }

    /// Adds cells in which all took turns with `peer`.
    pub fn add_beside(&mut self, peer: &str, calls: Self) {
        self.cells.extend(calls.cells.into_iter().map(|cell| Cell { beside: Some(peer.to_owned()), ..cell }));
        self.left_out.extend(calls.left_out);
    }

    /// Has no figures of a cell, and says why.
    pub fn leave_out(&mut self, candidate: &str, case: Case, clients: usize, why: &str) {
        self.cells.retain(|cell| !cell.is(None, candidate, case, clients));
        self.left_out.push(format!("{candidate}, {case}, {clients} clients: {why}"));
    }
}

impl Cell {
    fn is(&self, beside: Option<&str>, candidate: &str, case: Case, clients: usize) -> bool {
        self.beside.as_deref() == beside && self.candidate == candidate && self.case == case && self.clients == clients
    }

    /// A figure that each round has.
    pub fn figure(&self, of: impl Fn(&Round) -> f64) -> Option<Figure> {
        Figure::of(self.rounds.iter().map(of))
    }

    /// A figure that rounds may lack.
    pub fn figure_if(&self, of: impl Fn(&Round) -> Option<f64>) -> Option<Figure> {
        Figure::of(self.rounds.iter().filter_map(of))
    }
}

impl Round {
    /// `used` by the proxy meanwhile, where there is one.
    pub fn new(came: Came, used: Option<Duration>, peak: Option<u64>) -> Self {
        let micros = |share| came.quantile(share).map_or(0.0, |latency| latency.as_secs_f64() * 1e6);
        Self {
            rate: came.rate(),
            p50: micros(0.5),
            p99: micros(0.99),
            cpu: used.filter(|_| came.calls > 0).map(|used| used.as_secs_f64() * 1e6 / came.calls as f64),
            peak,
            calls: came.calls,
            failures: came.failures,
            failure: came.failure,
        }
    }
}

impl Figure {
    /// Of some values; none of none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            0 => f64::midpoint(values[middle - 1], values[middle]),
            _ => values[middle],
        };
        Some(Self { median, least, most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_stand_in_the_middle() {
        let figure = |values: &[f64]| Figure::of(values.iter().copied()).map(|f| (f.least, f.median, f.most));
        assert_eq!(figure(&[]), None);
        assert_eq!(figure(&[3.0]), Some((3.0, 3.0, 3.0)));
        assert_eq!(figure(&[3.0, 1.0, 8.0]), Some((1.0, 3.0, 8.0)));
        assert_eq!(figure(&[4.0, 1.0, 8.0, 2.0]), Some((1.0, 3.0, 8.0)));
    }

    #[test]
    fn results_are_read_as_they_were_written() {
        let mut results = Results::default();
        let case = Case::Call { form: Form::ALL[0], size: Size::Small };
        let round = Round::new(Came::default(), None, Some(5));
        results.add("nginx", case, 32, round.clone());
        results.add("nginx", case, 32, round);
        results.memory.push(Memory { candidate: "nginx".into(), doing: Doing::Streams(3), bytes: 7 });
        let read: Results = serde_json::from_str(&serde_json::to_string(&results).unwrap()).unwrap();
        assert_eq!(read.cell("nginx", case, 32).unwrap().rounds.len(), 2);
        assert_eq!(read.memory[0].doing, Doing::Streams(3));
        assert_eq!(read.failures().count(), 2, "no answer is a failure");
        let mut peers = results.clone();
        peers.add("peer", case, 32, Round::new(Came::default(), None, None));
        results.add_beside("peer", peers);
        assert_eq!(results.cell("nginx", case, 32).unwrap().rounds.len(), 2);
        assert!(
            results.cell("peer", case, 32).is_none() && results.cell_beside(Some("peer"), "peer", case, 32).is_some()
        );
        results = Results::default();
        results.add("nginx", case, 32, Round::new(Came::default(), None, None));
        results.leave_out("nginx", case, 32, "slow");
        assert_eq!((results.cells.len(), results.left_out.len()), (0, 1));
    }
}
