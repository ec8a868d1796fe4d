//! What becomes of each request of a client: the one place where it begins and ends for whoever watches. A request gathers what
//! is found out about it on its way ([`OpenCall`]); its end makes one [`CallRecord`] of that, for the metrics and for those who
//! follow. Decides nothing, and holds no arguments, results or tokens.

mod ending;
mod meters;
mod open;
mod outcome;
mod record;

pub(crate) use self::{
    ending::Ending,
    open::{Attempt, OpenCall, attempt, note, watch_part},
};
pub use self::{outcome::Outcome, record::CallRecord};

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use causeway_oidc::clock::Clock;
use tokio::sync::broadcast;

use self::meters::Meters;
use crate::metrics::Family;

/// Calls that wait for one who follows; who is slower misses the oldest, and is told how many.
const QUEUE: usize = 1024;
/// Calls that are remembered for who comes later.
const RECENT: usize = 200;

/// All calls of one gateway. Clones share them.
#[derive(Clone, Debug)]
pub struct Calls(Arc<Book>);

#[derive(Debug)]
struct Book {
    clock: Clock,
    meters: Meters,
    feed: broadcast::Sender<Arc<CallRecord>>,
    /// The oldest first.
    recent: Mutex<VecDeque<Arc<CallRecord>>>,
    /// Calls under way.
    open: AtomicUsize,
}

impl Calls {
    /// No calls yet.
    pub fn new(clock: Clock) -> Self {
        let (feed, _) = broadcast::channel(QUEUE);
        let (meters, recent, open) = Default::default();
        Self(Arc::new(Book { clock, meters, feed, recent, open }))
    }

    /// The records of calls as they end, from now on. The receiver lags behind rather than slow a call down.
    pub fn follow(&self) -> broadcast::Receiver<Arc<CallRecord>> {
        self.0.feed.subscribe()
    }

    /// The records of the last calls that ended, the oldest first, 200 at most.
    pub fn recent(&self) -> Vec<Arc<CallRecord>> {
        self.0.recent.lock().expect("no holder of this lock panics").iter().cloned().collect()
    }

    /// How many calls went to each target.
    pub(crate) fn by_target(&self) -> HashMap<Arc<str>, u64> {
        self.0.meters.by_target()
    }

    /// What was counted of calls since the start.
    pub(crate) fn families(&self) -> Vec<Family> {
        let open = Family::gauge("causeway_calls_open", "Requests of clients under way, streams included.");
        let mut families = self.0.meters.families();
        families.push(open.with(&[], self.0.open.load(Ordering::Relaxed)));
        families
    }
}

impl Book {
    fn ended(&self, record: CallRecord) {
        let record = Arc::new(record);
        let mut recent = self.recent.lock().expect("no holder of this lock panics");
        if recent.len() == RECENT {
            recent.pop_front();
        }
        recent.push_back(Arc::clone(&record));
        drop(recent);
        // An error means that nobody follows.
        let _ = self.feed.send(record);
    }
}
