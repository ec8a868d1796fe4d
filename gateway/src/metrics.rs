//! Numbers about the gateway as data: families of samples that are put together when somebody asks for them, and the one
//! instrument that needs more than a counter. What is counted, and where, is not its matter.

mod text;

pub(crate) use self::text::{CONTENT_TYPE, exposition};

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The upper bounds of the buckets of every histogram, in seconds: from a tool that adds two numbers to one that asks a person.
pub(crate) const BOUNDS: [f64; 16] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// All samples of one name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Family {
    /// As Prometheus knows it; that of a counter ends in `_total`.
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) kind: Kind,
    pub(crate) samples: Vec<Sample>,
}

/// What the values of a family mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It only grows, until the process starts anew.
    Counter,
    Gauge,
    Histogram,
}

/// One value, and of what.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) labels: Vec<(&'static str, Arc<str>)>,
    pub(crate) value: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Number(f64),
    Distribution(Box<Distribution>),
}

/// What a [`Histogram`] held at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Distribution {
    /// Observations between one of [`BOUNDS`] and the one before; the last are those over all bounds.
    pub(crate) counts: [u64; BOUNDS.len() + 1],
    /// Of all observations, in seconds.
    pub(crate) sum: f64,
}

/// Durations by how long they are. Observing takes no lock.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    counts: [AtomicU64; BOUNDS.len() + 1],
    sum_nanos: AtomicU64,
}

impl Family {
    /// A family of counts.
    pub(crate) fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: Kind::Counter, samples: Vec::new() }
    }

    /// A family of values that come and go.
    pub(crate) fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: Kind::Gauge, samples: Vec::new() }
    }

    /// A family of durations.
    pub(crate) fn histogram(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: Kind::Histogram, samples: Vec::new() }
    }

    /// The same with one more value.
    pub(crate) fn with(mut self, labels: &[(&'static str, &str)], value: impl Into<Value>) -> Self {
        self.add(labels, value);
        self
    }

    /// Adds a value.
    pub(crate) fn add(&mut self, labels: &[(&'static str, &str)], value: impl Into<Value>) {
        let labels = labels.iter().map(|(name, value)| (*name, Arc::from(*value))).collect();
        self.samples.push(Sample { labels, value: value.into() });
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

/// Counts are small enough for it: a float holds whole numbers up to 2^53.
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number as f64)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(number as f64)
    }
}

impl From<Distribution> for Value {
    fn from(distribution: Distribution) -> Self {
        Self::Distribution(Box::new(distribution))
    }
}

impl Distribution {
    /// How many observations there are.
    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl Histogram {
    /// Takes note of one duration.
    pub(crate) fn observe(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        // Prometheus counts what equals a bound below it.
        let at = BOUNDS.partition_point(|bound| *bound < seconds);
        self.counts[at].fetch_add(1, Ordering::Relaxed);
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.sum_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// What it holds now.
    pub(crate) fn read(&self) -> Distribution {
        let counts = std::array::from_fn(|at| self.counts[at].load(Ordering::Relaxed));
        Distribution { counts, sum: self.sum_nanos.load(Ordering::Relaxed) as f64 / 1e9 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_that_equals_a_bound_is_below_it() {
        let histogram = Histogram::default();
        for millis in [1, 2, 3, 1_000_000] {
            histogram.observe(Duration::from_millis(millis));
        }
        let read = histogram.read();
        assert_eq!((&read.counts[..4], read.counts[BOUNDS.len()], read.count()), (&[1, 1, 1, 0][..], 1, 4));
        assert!((read.sum - 1000.006).abs() < 1e-9, "{}", read.sum);
    }
}
