//! Listing every target, each in its own time, and publishing the merged catalog whenever one list changed. A target that
//! fails keeps its last lists; a slow one delays nobody.

mod part;
mod view;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use causeway_core::{
    catalog::{Catalog, Kind, Lists, Page, PerKind, capabilities},
    name::PathName,
};
use causeway_oidc::clock::Clock;
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

pub use self::{
    part::Part,
    view::{Merging, TargetState, View},
};
use crate::{
    config::Toolset,
    targets::{About, Fault, Target, TargetError},
};

/// Between tries to list a target that failed: doubled from the first to the last.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// At least so long from one listing of a target to the next, however often its lists change.
const GAP: Duration = Duration::from_secs(1);
/// Listening that lasted so long was no failure.
const LASTING: Duration = Duration::from_secs(10);
/// The soonest that a target may ask to be listed again.
const SOONEST: Duration = Duration::from_secs(5);

/// What listing and merging go by.
#[derive(Clone, Debug)]
pub struct Rules {
    pub merging: Merging,
    /// Between two listings of a target that gives no sooner reason.
    pub refresh: Duration,
    /// Whether to listen to targets that tell of changes: not where the process stands still between requests.
    pub listens: bool,
    pub clock: Clock,
}

/// Where views are published as they change.
#[derive(Clone, Debug)]
pub struct Outlets {
    /// Of all that there is.
    pub whole: watch::Sender<Arc<View>>,
    /// Of what each toolset shows.
    pub parts: Vec<(Arc<Toolset>, watch::Sender<Arc<View>>)>,
}

/// What came of listing one target.
#[derive(Debug, Default)]
struct Listing {
    about: Option<About>,
    /// What was listed; `None` where that failed.
    lists: Lists,
    /// Why a part of it failed, or all.
    error: Option<TargetError>,
    /// How long it took.
    took: Duration,
}

/// Lists the targets, each of their places for itself, for as long as the future is polled.
pub async fn run(targets: &[Arc<Target>], rules: &Rules, outlets: Outlets) {
    let publisher = Publisher { view: Mutex::new(View::unlisted(targets)), rules, outlets };
    let follow = targets.iter().enumerate().map(async |(at, target)| {
        let heed = async {
            if rules.listens {
                heed(at, target, publisher.outlets.whole.subscribe(), rules).await;
            }
        };
        futures::future::join(follow(at, target, &publisher), heed).await
    });
    futures::future::join_all(follow).await;
}

/// Lists each target once, all at the same time, and says what came of it.
pub async fn survey(targets: &[Arc<Target>], clock: &Clock) -> Vec<TargetState> {
    let listed = targets.iter().map(async |target| {
        let mut state = TargetState::new(target);
        let began = clock.now();
        let sent = target.health().sent("tools/list", None);
        let listing = list(target).await;
        target.note_listing(&sent, listing.about.is_some(), listing.error.as_ref());
        state.take(listing, began);
        state
    });
    futures::future::join_all(listed).await
}

/// What the tasks of all targets share.
struct Publisher<'a> {
    view: Mutex<View>,
    rules: &'a Rules,
    outlets: Outlets,
}

async fn follow(at: usize, target: &Target, publisher: &Publisher<'_>) {
    let mut back_off = BACK_OFF.0;
    loop {
        let (started, began) = (Instant::now(), publisher.rules.clock.now());
        let sent = target.health().sent("tools/list", None);
        let listing = list(target).await;
        target.note_listing(&sent, listing.about.is_some(), listing.error.as_ref());
        let pause = match &listing.error {
            None => {
                back_off = BACK_OFF.0;
                next_listing(&listing.lists, publisher.rules.refresh)
            }
            Some(_) => {
                let pause = back_off;
                back_off = (back_off * 2).min(BACK_OFF.1);
                pause
            }
        };
        publisher.heard(at, listing, began);
        tokio::select! {
            () = sleep(pause) => (),
            // Not at once again: a target may say so each time that it is asked.
            () = target.changed() => sleep_until(started + GAP).await,
            () = target.health().doubted() => sleep_until(started + GAP).await,
            // Whether it is up again is not left to requests to find out.
            () = target.health().cooled_down() => (),
        }
    }
}

/// Listens to a target that says when its lists change, for as long as the future is polled.
async fn heed(at: usize, target: &Target, mut view: watch::Receiver<Arc<View>>, rules: &Rules) {
    let tells = |view: &Arc<View>| view.paths[at].about.as_ref().is_some_and(tells_changes);
    let mut back_off = BACK_OFF.0;
    // An error means that the gateway ends.
    while view.wait_for(tells).await.is_ok() {
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
            Err(error) if matches!(error.fault, Fault::NoStream | Fault::Refused(_)) => sleep(rules.refresh).await,
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

/// Asks a target what it is and for the lists that it declares, and takes the time.
async fn list(target: &Target) -> Listing {
    let began = Instant::now();
    let listing = ask(target).await;
    Listing { took: began.elapsed(), ..listing }
}

/// One list that fails does not hide the others.
async fn ask(target: &Target) -> Listing {
    let mut listing = Listing::default();
    match target.about().await {
        Ok(about) => listing.about = Some(about),
        // It may be listed all the same: not every server says what it is.
        Err(error) if error.fault.is_of_the_question() || matches!(error.fault, Fault::Status(_)) => (),
        Err(error) => return Listing { error: Some(error), ..listing },
    }
    let kinds = listing.about.as_ref().map_or(Kind::ALL.into(), |about| capabilities::lists(&about.capabilities));
    listing.lists = PerKind::of(|kind| (!kinds.contains(&kind)).then(|| Arc::from([])));
    for kind in kinds {
        match target.list(kind).await {
            Ok(pages) => listing.lists[kind] = Some(pages.into()),
            Err(error) => {
                let gone = !error.fault.is_of_the_question();
                listing.error.get_or_insert(error);
                if gone {
                    break;
                }
            }
        }
    }
    listing
}

/// When to list a target again: after the time that it said its lists stay fresh, within bounds.
fn next_listing(lists: &Lists, refresh: Duration) -> Duration {
    let pages = Kind::ALL.iter().filter_map(|kind| lists[*kind].as_deref()).flatten();
    let fresh = pages.filter_map(|page: &Page| page.ttl_ms).filter(|ttl| *ttl > 0).min();
    fresh.map_or(refresh, |ttl| Duration::from_millis(ttl).clamp(SOONEST.min(refresh), refresh))
}

/// What a listing changed in what was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct News {
    /// Of what clients see.
    offer: bool,
    /// Of whether the target can be listed.
    state: bool,
}

impl TargetState {
    /// Takes in what came of listing it. What failed stays as it was.
    fn take(&mut self, listing: Listing, began: Duration) -> News {
        let mut news = News { offer: false, state: !self.tried };
        for kind in Kind::ALL {
            if let Some(pages) = &listing.lists[kind] {
                news.offer |= self.lists[kind].as_ref() != Some(pages);
                self.lists[kind] = Some(Arc::clone(pages));
            }
        }
        if listing.about.is_some() {
            news.offer |= self.about != listing.about;
            self.about = listing.about;
        }
        let before = self.error_text();
        (self.tried, self.error) = (true, listing.error.map(|error| error.fault));
        self.asked = Some(began);
        news.state |= self.error_text() != before;
        if self.error.is_none() {
            (self.listed, self.took) = (Some(began), Some(listing.took));
        }
        news
    }
}

impl Publisher<'_> {
    fn heard(&self, at: usize, listing: Listing, began: Duration) {
        let mut view = self.view.lock().expect("no holder of this lock panics");
        let news = view.paths[at].take(listing, began);
        if news.offer || news.state {
            log(&view.paths[at], news);
        }
        view.join();
        // Whether a place can be listed says which one's lists count.
        if news.offer || news.state {
            let before = Arc::clone(&view.catalog);
            view.merge(&self.rules.merging);
            log_problems(&before, &view.catalog);
        }
        // Sent while the view is locked, so that an older one never replaces a newer one; and the whole last, so that whoever has it
        // finds its parts.
        for (toolset, outlet) in &self.outlets.parts {
            let before = Arc::clone(&outlet.borrow());
            let part = match news.offer || news.state {
                true => view.part(toolset, self.rules.merging.naming.names),
                false => view.part_as_before(&before),
            };
            log_problems(&before.catalog, &part.catalog);
            outlet.send_replace(Arc::new(part));
        }
        self.outlets.whole.send_replace(Arc::new(view.clone()));
    }
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
