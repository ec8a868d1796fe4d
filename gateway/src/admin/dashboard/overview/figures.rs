//! What calls of each target came to: counted since the start, and how long the last ones took. Measures nothing itself.

use std::{collections::HashMap, sync::Arc, time::Duration};

use crate::{
    admin::Admin,
    calls::{CallRecord, Outcome},
    metrics::Value,
};

/// By target.
#[derive(Debug, Default)]
pub(super) struct Figures(HashMap<String, Figure>);

/// Of one target.
#[derive(Debug, Default)]
pub(super) struct Figure {
    /// Since the start.
    pub(super) calls: u64,
    /// Of those, how many the target, or the way to it, failed.
    pub(super) failed: u64,
    /// Of the last calls, sorted.
    took: Vec<Duration>,
}

impl Figures {
    pub(super) fn of(admin: &Admin) -> Self {
        let calls = &admin.served.calls;
        let mut figures = Self::default();
        let families = calls.families();
        let invocations = families.iter().find(|family| family.name == "causeway_invocations_total");
        for sample in invocations.into_iter().flat_map(|family| &family.samples) {
            let label = |name| sample.labels.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value);
            let Value::Number(count) = sample.value else { continue };
            let figure = figures.0.entry(label("target").to_owned()).or_default();
            figure.calls += count as u64;
            if label("outcome") == Outcome::TargetFault("").word() {
                figure.failed += count as u64;
            }
        }
        figures.time(&calls.recent());
        figures
    }

    /// Of a target.
    pub(super) fn target(&self, name: &str) -> Option<&Figure> {
        self.0.get(name)
    }

    fn time(&mut self, recent: &[Arc<CallRecord>]) {
        for record in recent.iter().filter(|record| record.attempts > 0) {
            if let Some(target) = &record.target {
                self.0.entry(target.to_string()).or_default().took.push(record.execution);
            }
        }
        self.0.values_mut().for_each(|figure| figure.took.sort_unstable());
    }
}

impl Figure {
    /// The median and the worst of the last calls.
    pub(super) fn median_and_worst(&self) -> Option<(Duration, Duration)> {
        Some((*self.took.get(self.took.len() / 2)?, *self.took.last()?))
    }
}
