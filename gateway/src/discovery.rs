//! Listing every target, each in its own time, and publishing the merged catalog whenever one list changed. A target that
//! fails keeps its last list; a slow one delays nobody.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use causeway_core::{
    catalog::{self, Catalog, Page},
    name::TargetName,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use crate::{config::Limits, targets::Target};

/// Between tries to list a target that failed: doubled from the first to the last.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// At least so long from one listing of a target to the next, however often its lists change.
const GAP: Duration = Duration::from_secs(1);
/// The soonest that a target may ask to be listed again.
const SOONEST: Duration = Duration::from_secs(5);

/// What is known of all targets at one moment.
#[derive(Clone, Debug)]
pub struct View {
    pub catalog: Catalog,
    /// In config order.
    pub targets: Vec<TargetState>,
}

/// What is known of one target.
#[derive(Clone, Debug)]
pub struct TargetState {
    pub name: TargetName,
    /// Its last list; `None` if it never gave one.
    pub pages: Option<Arc<[Page]>>,
    /// Whether listing it was tried, with whatever outcome.
    pub tried: bool,
    /// Why the last try failed.
    pub error: Option<String>,
}

impl View {
    /// What is known before any target was asked.
    pub fn unlisted(targets: &[Arc<Target>]) -> Self {
        let states = targets.iter().map(|target| TargetState::new(target));
        Self { catalog: Catalog::default(), targets: states.collect() }
    }

    /// Whether every target was asked once.
    pub fn is_complete(&self) -> bool {
        self.targets.iter().all(|target| target.tried)
    }
}

impl TargetState {
    fn new(target: &Target) -> Self {
        Self { name: target.name().clone(), pages: None, tried: false, error: None }
    }

    /// How many tools its last list had.
    pub fn tools(&self) -> Option<usize> {
        Some(self.pages.as_ref()?.iter().map(|page| page.tools.len()).sum())
    }
}

/// Lists the targets for as long as the future is polled.
pub async fn run(targets: &[Arc<Target>], limits: &Limits, publish: watch::Sender<Arc<View>>) {
    let states = Mutex::new(targets.iter().map(|target| TargetState::new(target)).collect::<Vec<_>>());
    let publisher = Publisher { states, publish };
    publisher.publish();
    let follow = targets.iter().enumerate().map(|(at, target)| follow(at, target, limits, &publisher));
    futures::future::join_all(follow).await;
}

/// What the tasks of all targets share.
struct Publisher {
    states: Mutex<Vec<TargetState>>,
    publish: watch::Sender<Arc<View>>,
}

async fn follow(at: usize, target: &Target, limits: &Limits, publisher: &Publisher) {
    let mut back_off = BACK_OFF.0;
    loop {
        let started = Instant::now();
        let pause = match target.list_tools().await {
            Ok(pages) => {
                back_off = BACK_OFF.0;
                let pause = next_listing(&pages, limits.refresh);
                publisher.listed(at, pages, started.elapsed());
                pause
            }
            Err(error) => {
                publisher.failed(at, &error.to_string());
                let pause = back_off;
                back_off = (back_off * 2).min(BACK_OFF.1);
                pause
            }
        };
        tokio::select! {
            () = sleep(pause) => (),
            // Not at once again: a target may say so each time that it is asked.
            () = target.changed() => sleep_until(started + GAP).await,
        }
    }
}

/// When to list a target again: after the time that it said its list stays fresh, within bounds.
fn next_listing(pages: &[Page], refresh: Duration) -> Duration {
    let fresh = pages.iter().filter_map(|page| page.ttl_ms).min().filter(|ttl| *ttl > 0);
    fresh.map_or(refresh, |ttl| Duration::from_millis(ttl).clamp(SOONEST.min(refresh), refresh))
}

impl Publisher {
    fn listed(&self, at: usize, pages: Vec<Page>, took: Duration) {
        let mut states = self.states.lock().expect("no holder of this lock panics");
        let state = &mut states[at];
        let changed = state.pages.as_deref() != Some(&pages[..]);
        let news = changed || state.error.is_some() || !state.tried;
        (state.pages, state.tried, state.error) = (Some(pages.into()), true, None);
        if changed {
            let (name, tools) = (&state.name, state.tools().unwrap_or_default());
            tracing::info!(target.name = %name, tools, ?took, "listed {tools} tools of target `{name}`");
        }
        drop(states);
        if news {
            self.publish();
        }
    }

    fn failed(&self, at: usize, error: &str) {
        let mut states = self.states.lock().expect("no holder of this lock panics");
        let state = &mut states[at];
        let news = state.error.as_deref() != Some(error) || !state.tried;
        (state.tried, state.error) = (true, Some(error.to_owned()));
        let kept = state.tools();
        if news {
            let list = if kept.is_some() { "its last list is kept" } else { "none of its tools are listed" };
            tracing::warn!(target.name = %state.name, "{error}; {list}");
        }
        drop(states);
        if news {
            self.publish();
        }
    }

    fn publish(&self) {
        let states = self.states.lock().expect("no holder of this lock panics");
        let listed = states.iter().filter_map(|state| Some((&state.name, state.pages.as_deref()?)));
        let catalog = catalog::merge(listed);
        for problem in catalog.problems() {
            tracing::warn!("{problem}");
        }
        // Sent while the states are locked, so that an older view never replaces a newer one.
        self.publish.send_replace(Arc::new(View { catalog, targets: states.clone() }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ttl: &[u64], seconds: u64) {
        let page = |ttl: &u64| Page { ttl_ms: Some(*ttl), ..Page::default() };
        let pages: Vec<Page> = ttl.iter().map(page).collect();
        assert_eq!(next_listing(&pages, Duration::from_secs(300)), Duration::from_secs(seconds));
    }

    #[test]
    fn a_list_is_asked_for_again_when_it_is_no_longer_fresh() {
        check(&[], 300);
        check(&[0], 300);
        check(&[60_000, 20_000], 20);
        check(&[1], 5);
        check(&[u64::MAX], 300);
    }
}
