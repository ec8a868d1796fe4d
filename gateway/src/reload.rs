//! Configurations that take the place of the one before while the gateway runs: where they come from, and what became of them.
//! Puts none in effect itself; `app` does.

use std::{fmt, sync::Arc, time::Duration};

use crate::{config::Config, metrics::Family};

mod held;
mod watch;

pub use self::{
    held::Held,
    watch::{Source, follow},
};

/// A configuration that is to take effect.
#[derive(Debug)]
pub struct Wanted {
    /// It, or what is wrong with it, a line for each mistake.
    pub config: Result<Box<Config>, String>,
    /// Settings of it that the process cannot change while it runs, by name. In `config` they are as the process has them.
    pub later: Vec<&'static str>,
}

/// How the configuration stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Counts those that were in effect; the one of the start is the first.
    pub generation: u64,
    /// When the newest took effect, since the Unix epoch.
    pub since: Duration,
    /// How often which outcome was.
    outcomes: [u64; 3],
    /// What came of the last try since the start, and when, since the Unix epoch.
    pub last: Option<(Outcome, Duration)>,
    /// Why the last try was refused; absent once a file was good.
    pub error: Option<Arc<str>>,
    /// Settings of the file that take effect at the next start.
    pub later: Vec<&'static str>,
}

/// What became of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in effect.
    Applied,
    /// It says what the one in effect says.
    Unchanged,
    /// Something is wrong with it. The one before stays in effect.
    Refused,
}

impl Outcome {
    const ALL: [Self; 3] = [Self::Applied, Self::Unchanged, Self::Refused];

    /// In a word. Prometheus: the label `outcome`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
        }
    }
}

impl Standing {
    /// Of the configuration of the start, which took effect at `now`.
    pub fn new(now: Duration) -> Self {
        Self { generation: 1, since: now, outcomes: [0; 3], last: None, error: None, later: Vec::new() }
    }

    /// Takes note of what came of a configuration at `now`; of one that was refused with the reason.
    pub fn note(&mut self, came: Result<Outcome, Arc<str>>, now: Duration) {
        let (outcome, error) = match came {
            Ok(outcome) => (outcome, None),
            Err(error) => (Outcome::Refused, Some(error)),
        };
        if outcome == Outcome::Applied {
            self.generation += 1;
            self.since = now;
        }
        self.outcomes[outcome as usize] += 1;
        (self.last, self.error) = (Some((outcome, now)), error);
    }

    /// How many configurations were read since the start, whatever came of them.
    pub fn read(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// For Prometheus and OTLP.
    pub(crate) fn families(&self) -> [Family; 3] {
        let mut reloads = Family::counter("causeway_config_reloads_total", "Configurations read since the start.");
        for outcome in Outcome::ALL {
            reloads.add(&[("outcome", outcome.word())], self.outcomes[outcome as usize]);
        }
        let generation = Family::gauge("causeway_config_generation", "Configurations that were in effect so far.");
        let refused = Family::gauge("causeway_config_refused", "1 if the last one that was read was refused.");
        [generation.with(&[], self.generation), reloads, refused.with(&[], u64::from(self.error.is_some()))]
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
