//! Listing every target, each in its own time, and publishing the merged catalog whenever one list changed. A target that
//! fails keeps its last lists; a slow one delays nobody.
//!
//! A target is followed for as long as any configuration has it (`follow`); what becomes known of the targets of one configuration is
//! merged and published for that one (`publish`).

mod follow;
mod part;
mod publish;
mod view;

use std::{sync::Arc, time::Duration};

use causeway_core::catalog::{Kind, Lists, PerKind, capabilities};
use causeway_oidc::clock::Clock;
use tokio::time::Instant;

pub use self::{
    follow::{Followed, Pace},
    part::Part,
    publish::{Outlets, publish},
    view::{Merging, TargetState, View},
};
use crate::targets::{About, Fault, Target, TargetError};

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

/// Lists each target once, all at the same time, and says what came of it.
pub async fn survey(targets: &[Arc<Target>], clock: &Clock) -> Vec<TargetState> {
    let listed = targets.iter().map(async |target| {
        let mut state = TargetState::new(target);
        let began = clock.now();
        state.take(list(target).await, began);
        state
    });
    futures::future::join_all(listed).await
}

/// Asks a target what it is and for the lists that it declares, takes the time, and lets what came of it count for how it is.
async fn list(target: &Target) -> Listing {
    let began = Instant::now();
    let sent = target.health().sent("tools/list", None);
    let listing = ask(target).await;
    target.note_listing(&sent, listing.about.is_some(), listing.error.as_ref());
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
            (self.listed, self.took, self.restored) = (Some(began), Some(listing.took), false);
        }
        news
    }
}
