//! What became of each call, and what must not become of any.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::ensure;

/// Of all clients.
#[derive(Debug)]
pub(crate) struct Counts {
    calls: usize,
    begun: AtomicUsize,
    made: AtomicUsize,
    outcomes: Mutex<BTreeMap<String, usize>>,
    /// What is wrong, the first few.
    wrong: Mutex<Vec<String>>,
    wrongs: AtomicUsize,
}

/// Wrong ones that are told.
const TOLD: usize = 20;

/// What became of one.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// The right answer.
    Answered,
    /// The gateway says that the target failed, and how.
    Fault(String),
    /// The gateway refused what was no call.
    Refused(u16),
    /// The client did not wait for an answer.
    Left(&'static str),
    /// No answer, or not the right one.
    Wrong(String),
}

impl Counts {
    /// Of so many calls.
    pub(crate) fn new(calls: usize) -> Self {
        let (begun, made, outcomes, wrong, wrongs) = Default::default();
        Self { calls, begun, made, outcomes, wrong, wrongs }
    }

    /// The number of the next call; `None` once all were made.
    pub(crate) fn next(&self) -> Option<usize> {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        (number < self.calls).then_some(number)
    }

    pub(crate) fn made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }

    pub(crate) fn note(&self, outcome: &Outcome) {
        if let Outcome::Wrong(what) = outcome {
            self.wrongs.fetch_add(1, Ordering::Relaxed);
            let mut wrong = self.wrong.lock().expect("no holder of this lock panics");
            if wrong.len() < TOLD {
                wrong.push(what.clone());
            }
        }
        *self.outcomes.lock().expect("no holder of this lock panics").entry(outcome.to_string()).or_default() += 1;
        self.made.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether each call has an outcome and none is wrong.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let all: usize = self.outcomes.lock().expect("no holder of this lock panics").values().sum();
        ensure!(all == self.calls, "{all} of {} calls have an outcome", self.calls);
        let wrong = self.wrong.lock().expect("no holder of this lock panics").join("\n");
        let wrongs = self.wrongs.load(Ordering::Relaxed);
        ensure!(wrongs == 0, "{wrongs} calls were lost or answered wrongly:\n{wrong}");
        Ok(())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered => f.write_str("answered"),
            Self::Fault(kind) => write!(f, "fault: {kind}"),
            Self::Refused(status) => write!(f, "garbage, refused with HTTP {status}"),
            Self::Left(how) => write!(f, "client {how}"),
            Self::Wrong(_) => f.write_str("WRONG"),
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (outcome, count) in &*self.outcomes.lock().expect("no holder of this lock panics") {
            writeln!(f, "{count:>9}  {outcome}")?;
        }
        Ok(())
    }
}
