//! A value that somebody else gives and that wears out: fetched once for all who wait, renewed ahead of its end in the
//! background, served on while it lives and its giver does not answer. When, is decided in `kept/slot.rs`; what is
//! fetched, by whoever makes one.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard},
    time::timeout,
};

use crate::clock::Clock;

mod slot;

use slot::{Forced, Offer, Slot};

/// After a failure nobody asks again for this long.
pub const COOL_DOWN: Duration = Duration::from_secs(2);

/// Between two fetches that only [`Kept::renew`] asks for: whoever refuses every value must not make the giver pay.
pub const FORCE_INTERVAL: Duration = Duration::from_secs(30);

/// One value over time. Clones share it.
pub struct Kept<T, E>(Arc<Inner<T, E>>);

/// A value as it was given. Times are since the Unix epoch.
#[derive(Clone, Debug)]
pub struct Given<T> {
    pub value: T,
    /// From then on the next one is fetched.
    pub refresh_at: Duration,
    /// From then on it is not used any more; never, if nobody said when.
    pub expires_at: Option<Duration>,
}

/// A value and its place in the row, for [`Kept::renew`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version<T> {
    pub value: T,
    /// Counts the values so far; one that is given again is still the same.
    pub generation: u64,
}

/// A fetch was stopped before its end: the process is ending, or the fetch panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request was interrupted")]
pub struct Interrupted;

type Unseen<E> = dyn Fn(&E) + Send + Sync;
type Fetch<T, E> = dyn Fn() -> BoxFuture<'static, Result<Given<T>, E>> + Send + Sync;

struct Inner<T, E> {
    fetch: Box<Fetch<T, E>>,
    /// Whether a failed fetch says that the value of before is not good any more either.
    withdraws: fn(&E) -> bool,
    /// Told of a failure that nobody waited for.
    unseen: OnceLock<Box<Unseen<E>>>,
    clock: Clock,
    /// Never locked across an await.
    slot: Mutex<Slot<T, E>>,
    /// Held by the one task that fetches.
    asking: Arc<AsyncMutex<()>>,
    counts: Counts,
}

/// What became of those who wanted the value, and of its giver, since the start.
#[derive(Debug, Default)]
struct Counts {
    hits: AtomicU64,
    fetches: AtomicU64,
    failures: AtomicU64,
}

/// How a kept value stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// How often somebody found it living.
    pub hits: u64,
    /// How often its giver was asked.
    pub fetches: u64,
    /// How often its giver gave none.
    pub failures: u64,
    /// When it expires, since the Unix epoch; absent where there is none, or nobody said when.
    pub expires_at: Option<Duration>,
}

impl<T, E> Kept<T, E>
where
    T: Clone + PartialEq + Send + Sync + 'static,
    E: Clone + From<Interrupted> + Send + Sync + 'static,
{
    /// Nothing is fetched yet. Who waits for a value is told why there is none; see [`Kept::telling`] for what nobody waits for.
    pub fn new<F>(clock: Clock, fetch: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Given<T>, E>> + Send + 'static,
    {
        Self::withdrawable(clock, fetch, |_| false)
    }

    /// The same for a value that its giver can take back: a failure that `withdraws` it ends it at once.
    pub fn withdrawable<F>(
        clock: Clock,
        fetch: impl Fn() -> F + Send + Sync + 'static,
        withdraws: fn(&E) -> bool,
    ) -> Self
    where
        F: Future<Output = Result<Given<T>, E>> + Send + 'static,
    {
        let fetch = Box::new(move || -> BoxFuture<'static, _> { Box::pin(fetch()) });
        Self(Arc::new(Inner {
            fetch,
            withdraws,
            unseen: OnceLock::new(),
            clock,
            slot: Mutex::default(),
            asking: Arc::default(),
            counts: Counts::default(),
        }))
    }

    /// The same that tells `unseen` of each refresh that failed in the background, while the value of before serves on: nobody else is
    /// there to log it. What is told to somebody is his to log.
    #[must_use]
    pub fn telling(self, unseen: impl Fn(&E) + Send + Sync + 'static) -> Self {
        let _ = self.0.unseen.set(Box::new(unseen));
        self
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Counts { hits, fetches, failures } = &self.0.counts;
        let (hits, fetches, failures) = (count(hits), count(fetches), count(failures));
        Standing { hits, fetches, failures, expires_at: self.0.slot().expires_at() }
    }

    /// The living value. Waits only if there is none.
    ///
    /// # Errors
    /// Why there is none: the fetch that failed now or less than [`COOL_DOWN`] ago.
    pub async fn value(&self) -> Result<Version<T>, E> {
        match self.0.offer() {
            Offer::Use(version) => {
                self.0.counts.hits.fetch_add(1, Ordering::Relaxed);
                Ok(version)
            }
            Offer::UseAndRefresh(version) => {
                self.0.counts.hits.fetch_add(1, Ordering::Relaxed);
                self.0.refresh();
                Ok(version)
            }
            Offer::CoolDown(error) => Err(error),
            Offer::Fetch => self.0.first().await,
        }
    }

    /// The living value; if it is time for the next one, that, unless its giver takes longer than `patience` or fails. For values
    /// that judge others: after a long rest [`Kept::value`] gives the old one once more, whatever has become of it.
    ///
    /// # Errors
    /// Those of [`Kept::value`].
    pub async fn fresh(&self, patience: Duration) -> Result<Version<T>, E> {
        if let Offer::UseAndRefresh(_) = self.0.offer() {
            self.0.refresh();
            let _ = timeout(patience, self.settled()).await;
        }
        self.value().await
    }

    /// Somebody refused the value of this `generation`. Fetches another one, unless there is a newer one or this was done
    /// less than [`FORCE_INTERVAL`] ago. True if there is a newer one, which is another one.
    ///
    /// # Errors
    /// The fetch that failed now or less than [`COOL_DOWN`] ago. The value that is there stays.
    pub async fn renew(&self, generation: u64) -> Result<bool, E> {
        let turn = self.0.asking.clone().lock_owned().await;
        let forced = self.0.slot().force(generation, self.0.clock.now());
        match forced {
            Forced::Newer => Ok(true),
            Forced::TooSoon => Ok(false),
            Forced::CoolDown(error) => Err(error),
            Forced::Fetch => Ok(self.0.clone().fetch(turn).await?.generation > generation),
        }
    }

    /// Waits for the end of a fetch that is under way, whatever comes of it.
    pub async fn settled(&self) {
        drop(self.0.asking.lock().await);
    }
}

impl<T, E> Inner<T, E>
where
    T: Clone + PartialEq + Send + Sync + 'static,
    E: Clone + From<Interrupted> + Send + Sync + 'static,
{
    fn slot(&self) -> MutexGuard<'_, Slot<T, E>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offer(&self) -> Offer<T, E> {
        self.slot().offer(self.clock.now())
    }

    /// Fetches, or waits for whoever does already.
    async fn first(self: &Arc<Self>) -> Result<Version<T>, E> {
        let turn = self.asking.clone().lock_owned().await;
        match self.offer() {
            Offer::Use(version) | Offer::UseAndRefresh(version) => Ok(version),
            Offer::CoolDown(error) => Err(error),
            Offer::Fetch => self.clone().fetch(turn).await,
        }
    }

    /// Fetches in a task of its own, so that a caller who goes away takes nothing from those who wait.
    async fn fetch(self: Arc<Self>, turn: OwnedMutexGuard<()>) -> Result<Version<T>, E> {
        tokio::spawn(self.ask(turn)).await.unwrap_or_else(|_| Err(Interrupted.into()))
    }

    /// Fetches the next value in the background, unless someone does already.
    fn refresh(self: &Arc<Self>) {
        let Ok(turn) = self.asking.clone().try_lock_owned() else {
            return;
        };
        // Another refresh may have ended between the offer and the turn.
        if let Offer::UseAndRefresh(_) = self.offer() {
            let inner = self.clone();
            drop(tokio::spawn(async move {
                let failed = inner.clone().ask(turn).await.err();
                if let Some((tell, error)) = inner.unseen.get().zip(failed) {
                    tell(&error);
                }
            }));
        }
    }

    async fn ask(self: Arc<Self>, _turn: OwnedMutexGuard<()>) -> Result<Version<T>, E> {
        self.counts.fetches.fetch_add(1, Ordering::Relaxed);
        match (self.fetch)().await {
            Ok(given) => Ok(self.slot().store(given)),
            Err(error) => {
                let mut slot = self.slot();
                self.counts.failures.fetch_add(1, Ordering::Relaxed);
                slot.fail(error.clone(), self.clock.now());
                if (self.withdraws)(&error) {
                    slot.withdraw();
                }
                Err(error)
            }
        }
    }
}

impl<T, E> Clone for Kept<T, E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T, E> fmt::Debug for Kept<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

#[cfg(test)]
mod tests;
