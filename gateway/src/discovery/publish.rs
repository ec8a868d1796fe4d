//! Merging what is known of the targets of one configuration, and publishing it at each endpoint as it changes. Asks nobody.

use std::sync::Arc;

use causeway_core::catalog::{Catalog, Names};
use tokio::sync::watch;

use super::{Followed, Merging, Pace, TargetState, View};
use crate::config::Toolset;

/// Where views of one configuration are published as they change.
#[derive(Clone, Debug)]
pub struct Outlets {
    /// Of all that there is.
    pub whole: watch::Sender<Arc<View>>,
    /// Of what each toolset shows.
    pub parts: Vec<(Arc<Toolset>, watch::Sender<Arc<View>>)>,
}

impl Outlets {
    /// With `view` as the first, and what `toolsets` show of it.
    pub fn new(view: View, toolsets: &[Toolset], names: Names) -> Self {
        let parts = toolsets.iter().map(|toolset| {
            let part = view.part(toolset, names);
            (Arc::new(toolset.clone()), watch::channel(Arc::new(part)).0)
        });
        Self { parts: parts.collect(), whole: watch::channel(Arc::new(view)).0 }
    }
}

/// Publishes what becomes known of `followed`, whose view `outlets` have, for as long as the future is polled; the whole view to
/// `latest` too, which outlives the configuration.
pub async fn publish(
    followed: &[Arc<Followed>],
    merging: &Merging,
    outlets: &Outlets,
    (pace, latest): (&Pace, &watch::Sender<Arc<View>>),
) {
    let mut view = View::clone(&outlets.whole.borrow());
    let mut known: Vec<Arc<TargetState>> = Vec::new();
    loop {
        let now: Vec<_> = followed.iter().map(|followed| followed.state()).collect();
        let is_new = known.len() != now.len() || known.iter().zip(&now).any(|(known, now)| !Arc::ptr_eq(known, now));
        if is_new {
            let offers_differ = view.paths.iter().zip(&now).any(|(before, now)| before.would_merge_otherwise(now));
            view.paths = now.iter().map(|state| TargetState::clone(state)).collect();
            take(&mut view, offers_differ, merging, outlets);
            latest.send_replace(Arc::clone(&outlets.whole.borrow()));
            known = now;
        }
        pace.learned.notified().await;
    }
}

/// Publishes `view`, whose paths are new; merged anew where what targets offer, or whether they do, has changed.
fn take(view: &mut View, offers_differ: bool, merging: &Merging, outlets: &Outlets) {
    view.join();
    if offers_differ {
        let before = Arc::clone(&view.catalog);
        view.merge(merging);
        log_problems(&before, &view.catalog);
    }
    // The whole last, so that whoever has it finds its parts.
    for (toolset, outlet) in &outlets.parts {
        let before = Arc::clone(&outlet.borrow());
        let part = match offers_differ {
            true => view.part(toolset, merging.naming.names),
            false => view.part_as_before(&before),
        };
        log_problems(&before.catalog, &part.catalog);
        outlet.send_replace(Arc::new(part));
    }
    outlets.whole.send_replace(Arc::new(view.clone()));
}

/// Logs what is wrong with a catalog and was not with the one before.
fn log_problems(before: &Catalog, now: &Catalog) {
    for problem in now.problems().iter().filter(|problem| !before.problems().contains(problem)) {
        match problem.is_intended() {
            true => tracing::debug!("{problem}"),
            false => tracing::warn!("{problem}"),
        }
    }
}
