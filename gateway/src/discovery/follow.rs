//! Following one target: listing it at its pace, sooner where it tells of changes, and keeping what is known of it. Merges nothing.

use std::{sync::Arc, time::Duration};

use causeway_core::{
    catalog::{Kind, Lists, Page},
    name::PathName,
};
use causeway_oidc::clock::Clock;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;

use super::{News, TargetState, list};
use crate::targets::{About, Fault, Target};

/// Between tries to list a target that failed: doubled from the first to the last.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// At least so long from one listing of a target to the next, however often its lists change.
const GAP: Duration = Duration::from_secs(1);
/// Listening that lasted so long was no failure.
const LASTING: Duration = Duration::from_secs(10);
/// The soonest that a target may ask to be listed again.
const SOONEST: Duration = Duration::from_secs(5);

/// A target that is followed for as long as this lives, and what is known of it.
#[derive(Debug)]
pub struct Followed {
    target: Arc<Target>,
    state: watch::Receiver<Arc<TargetState>>,
    _following: AbortOnDropHandle<()>,
}

/// How targets are followed, whatever the configuration of the moment. Clones are the same.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Between two listings of a target that gives no sooner reason.
    refresh: Arc<watch::Sender<Duration>>,
    /// Whether to listen to targets that tell of changes: not where the process stands still between requests.
    listens: bool,
    clock: Clock,
    /// Told each time that something became known of a target.
    pub(super) learned: Arc<Notify>,
}

impl Pace {
    /// Lists each target every `refresh`, and `listens` to those that tell of changes or does not.
    pub fn new(refresh: Duration, listens: bool, clock: Clock) -> Self {
        Self { refresh: Arc::new(watch::Sender::new(refresh)), listens, clock, learned: Arc::default() }
    }

    /// Lists each target every `refresh` from now on.
    pub fn change(&self, refresh: Duration) {
        self.refresh.send_if_modified(|known| std::mem::replace(known, refresh) != refresh);
    }

    /// Follows `target`, of which this is known.
    pub fn follow(&self, target: Arc<Target>, known: TargetState) -> Followed {
        let (slot, state) = watch::channel(Arc::new(known));
        let (followed, heard, pace) = (Arc::clone(&target), state.clone(), self.clone());
        let following = tokio::spawn(async move {
            let heed = async {
                if pace.listens {
                    heed(&followed, heard, pace.refresh.subscribe()).await;
                }
            };
            futures::future::join(follow(&followed, &slot, &pace), heed).await;
        });
        Followed { target, state, _following: AbortOnDropHandle::new(following) }
    }
}

impl Followed {
    /// Whom it follows.
    pub fn target(&self) -> &Arc<Target> {
        &self.target
    }

    /// What is known of it now.
    pub fn state(&self) -> Arc<TargetState> {
        Arc::clone(&self.state.borrow())
    }

    /// Waits until listing it was tried.
    pub async fn tried(&self) {
        let mut state = self.state.clone();
        // An error means that the task that lists it has panicked.
        let _ = state.wait_for(|state| state.tried).await;
    }
}

async fn follow(target: &Target, slot: &watch::Sender<Arc<TargetState>>, pace: &Pace) {
    let mut refresh = pace.refresh.subscribe();
    let mut back_off = BACK_OFF.0;
    loop {
        let (started, began) = (Instant::now(), pace.clock.now());
        let listing = list(target).await;
        let ended = Instant::now();
        let (lists, failed) = (listing.lists.clone(), listing.error.is_some());
        let mut state = TargetState::clone(&slot.borrow());
        let news = state.take(listing, began);
        if news.offer || news.state {
            log(&state, news);
        }
        slot.send_replace(Arc::new(state));
        pace.learned.notify_one();
        let failure = back_off;
        back_off = if failed { (back_off * 2).min(BACK_OFF.1) } else { BACK_OFF.0 };
        loop {
            let every = *refresh.borrow_and_update();
            let pause = if failed { failure } else { next_listing(&lists, every) };
            tokio::select! {
                () = sleep_until(ended + pause) => (),
                // Not at once again: a target may say so each time that it is asked.
                () = target.changed() => sleep_until(started + GAP).await,
                () = target.health().doubted() => sleep_until(started + GAP).await,
                // Whether it is up again is not left to requests to find out.
                () = target.health().cooled_down() => (),
                Ok(()) = refresh.changed() => continue,
            }
            break;
        }
    }
}

/// Listens to a target that says when its lists change, for as long as the future is polled.
async fn heed(target: &Target, mut state: watch::Receiver<Arc<TargetState>>, refresh: watch::Receiver<Duration>) {
    let tells = |state: &Arc<TargetState>| state.about.as_ref().is_some_and(tells_changes);
    let mut back_off = BACK_OFF.0;
    // An error means that it is followed no more.
    while state.wait_for(tells).await.is_ok() {
        match target.listen_for_lists().await {
            Ok(mut heard) => {
                let began = Instant::now();
                // What changed before it was heard, nobody told.
                target.note_change();
                while heard.next().await.is_some() {
                    target.note_change();
                }
                // One that ends at once is not asked at once again.
                back_off = if began.elapsed() >= LASTING { BACK_OFF.0 } else { back_off };
            }
            // It lists anew from time to time in any case.
            Err(error) if matches!(error.fault, Fault::NoStream | Fault::Refused(_)) => {
                let every = *refresh.borrow();
                sleep(every).await;
            }
            Err(error) => tracing::debug!(target.name = %error.target, "{error}"),
        }
        sleep(back_off).await;
        back_off = (back_off * 2).min(BACK_OFF.1);
    }
}

/// Whether a target says that it tells of a change of any of its lists.
fn tells_changes(about: &About) -> bool {
    ["tools", "prompts", "resources"].into_iter().any(|kind| about.capability(kind, "listChanged"))
}

/// When to list a target again: after the time that it said its lists stay fresh, within bounds.
fn next_listing(lists: &Lists, refresh: Duration) -> Duration {
    let pages = Kind::ALL.iter().filter_map(|kind| lists[*kind].as_deref()).flatten();
    let fresh = pages.filter_map(|page: &Page| page.ttl_ms).filter(|ttl| *ttl > 0).min();
    fresh.map_or(refresh, |ttl| Duration::from_millis(ttl).clamp(SOONEST.min(refresh), refresh))
}

fn log(state: &TargetState, news: News) {
    let name: &PathName = &state.path;
    let listed = Kind::ALL.into_iter().filter_map(|kind| Some((kind, state.count(kind).filter(|count| *count > 0)?)));
    let listed: Vec<String> =
        listed.map(|(kind, count)| format!("{count} {kind}{}", if count == 1 { "" } else { "s" })).collect();
    let listed = if listed.is_empty() { "nothing".into() } else { listed.join(", ") };
    match state.error_text() {
        Some(error) if news.state => {
            tracing::warn!(target.name = %state.name, path = %name, "{error}; kept of what it listed: {listed}");
        }
        _ => tracing::info!(target.name = %state.name, path = %name, "target `{name}` lists {listed}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ttl: &[u64], seconds: u64) {
        let page = |ttl: &u64| Page { ttl_ms: Some(*ttl), ..Page::default() };
        let mut lists = Lists::default();
        lists[Kind::Tools] = Some([Page::default()].into());
        lists[Kind::Prompts] = Some(ttl.iter().map(page).collect());
        assert_eq!(next_listing(&lists, Duration::from_secs(300)), Duration::from_secs(seconds));
    }

    #[test]
    fn a_list_is_asked_for_again_when_it_is_no_longer_fresh() {
        check(&[], 300);
        check(&[0], 300);
        check(&[60_000, 0, 20_000], 20);
        check(&[1], 5);
        check(&[u64::MAX], 300);
    }
}
