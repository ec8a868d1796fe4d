//! Who waits, who does not, and what a failure leaves. Times are moved by hand, fetches are let through one by one.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use super::*;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Trouble {
    #[error("down")]
    Down,
    #[error("gone")]
    Gone,
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Gives 1, 2, 3, ... that are good for 100 seconds, each refreshed after 90; or nothing while it is down.
#[derive(Clone)]
struct Giver(Arc<State>);

struct State {
    now: AtomicU64,
    asked: AtomicUsize,
    /// Failures that nobody waited for.
    told: AtomicUsize,
    /// One permit lets one fetch through.
    gate: Semaphore,
    /// 1: it gives nothing. 2: it says that there is nothing any more.
    down: AtomicUsize,
}

impl Giver {
    fn new() -> (Self, Kept<usize, Trouble>) {
        let state = State {
            now: AtomicU64::new(1000),
            asked: AtomicUsize::new(0),
            told: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            down: AtomicUsize::new(0),
        };
        let giver = Self(Arc::new(state));
        let (clock, fetching) = (giver.clone(), giver.clone());
        let clock = Clock::from_fn(move || clock.now());
        let told = giver.clone();
        let kept = Kept::withdrawable(clock, move || fetching.clone().give(), |trouble| *trouble == Trouble::Gone);
        let tell = move |_: &Trouble| _ = told.0.told.fetch_add(1, Ordering::SeqCst);
        (giver, kept.telling(tell))
    }

    fn now(&self) -> Duration {
        Duration::from_secs(self.0.now.load(Ordering::SeqCst))
    }

    async fn give(self) -> Result<Given<usize>, Trouble> {
        let value = self.0.asked.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.gate.acquire().await.unwrap().forget();
        match self.0.down.load(Ordering::SeqCst) {
            0 => (),
            1 => return Err(Trouble::Down),
            _ => return Err(Trouble::Gone),
        }
        let end = |seconds| self.now() + Duration::from_secs(seconds);
        Ok(Given { value, refresh_at: end(90), expires_at: Some(end(100)) })
    }

    fn pass(&self, seconds: u64) {
        self.0.now.fetch_add(seconds, Ordering::SeqCst);
    }

    fn let_through(&self, fetches: usize) {
        self.0.gate.add_permits(fetches);
    }

    fn told(&self) -> usize {
        self.0.told.load(Ordering::SeqCst)
    }

    fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }
}

/// Lets other tasks run until `condition` holds.
async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

async fn value(kept: &Kept<usize, Trouble>) -> Result<usize, Trouble> {
    kept.value().await.map(|version| version.value)
}

#[tokio::test]
async fn all_who_wait_share_one_fetch() {
    let (giver, kept) = Giver::new();
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            tokio::spawn({
                let kept = kept.clone();
                async move { value(&kept).await }
            })
        })
        .collect();
    until(|| giver.asked() == 1).await;
    // Whoever goes away takes the fetch from nobody.
    waiting[0].abort();
    giver.let_through(1);
    for one in waiting.into_iter().skip(1) {
        assert_eq!(one.await.unwrap(), Ok(1));
    }
    assert_eq!(giver.asked(), 1);
}

#[tokio::test]
async fn a_value_is_renewed_while_it_is_used() {
    let (giver, kept) = Giver::new();
    giver.let_through(1);
    assert_eq!(value(&kept).await, Ok(1));
    giver.pass(95);
    for _ in 0..5 {
        assert_eq!(value(&kept).await, Ok(1), "nobody waits for the next one");
    }
    until(|| giver.asked() == 2).await;
    giver.let_through(1);
    kept.settled().await;
    assert_eq!(value(&kept).await, Ok(2));
}

#[tokio::test]
async fn a_fresh_value_is_waited_for_but_not_long() {
    let (giver, kept) = Giver::new();
    let fresh = async |patience| kept.fresh(patience).await.map(|version| version.value);
    let long = Duration::from_secs(3600);
    giver.let_through(1);
    assert_eq!(fresh(long).await, Ok(1));
    assert_eq!((fresh(long).await, giver.asked()), (Ok(1), 1));
    giver.pass(95);
    assert_eq!(fresh(Duration::ZERO).await, Ok(1), "it takes too long");
    giver.let_through(1);
    assert_eq!(fresh(long).await, Ok(2));
    giver.pass(95);
    giver.0.down.store(1, Ordering::SeqCst);
    giver.let_through(1);
    assert_eq!(fresh(long).await, Ok(2), "it fails");
    assert_eq!(giver.asked(), 3);
}

#[tokio::test]
async fn the_old_value_is_served_while_the_giver_is_down() {
    let (giver, kept) = Giver::new();
    giver.let_through(usize::from(u16::MAX));
    assert_eq!(value(&kept).await, Ok(1));
    giver.0.down.store(1, Ordering::SeqCst);
    giver.pass(95);
    assert_eq!(value(&kept).await, Ok(1));
    until(|| giver.asked() == 2).await;
    assert_eq!(value(&kept).await, Ok(1));
    until(|| giver.told() == 1).await;
    giver.pass(10);
    assert_eq!(value(&kept).await, Err(Trouble::Down));
    assert_eq!(value(&kept).await, Err(Trouble::Down));
    assert_eq!(giver.asked(), 3, "a failure is remembered for a while");
    assert_eq!(giver.told(), 1, "who waited was told himself");
    giver.0.down.store(0, Ordering::SeqCst);
    giver.pass(COOL_DOWN.as_secs());
    assert_eq!(value(&kept).await, Ok(4));
}

#[tokio::test]
async fn a_value_that_its_giver_takes_back_is_not_used_any_more() {
    let (giver, kept) = Giver::new();
    giver.let_through(usize::from(u16::MAX));
    let first = kept.value().await.unwrap();
    giver.0.down.store(2, Ordering::SeqCst);
    assert_eq!(kept.renew(first.generation).await, Err(Trouble::Gone));
    assert_eq!(value(&kept).await, Err(Trouble::Gone));
    giver.0.down.store(0, Ordering::SeqCst);
    giver.pass(COOL_DOWN.as_secs());
    assert_eq!(value(&kept).await, Ok(3));
}

#[tokio::test]
async fn a_refused_value_is_fetched_anew_once() {
    let (giver, kept) = Giver::new();
    giver.let_through(usize::from(u16::MAX));
    let first = kept.value().await.unwrap().generation;
    let renewed = futures::future::join_all((0..10).map(|_| kept.renew(first))).await;
    assert_eq!((renewed, giver.asked()), (vec![Ok(true); 10], 2));
    let second = kept.value().await.unwrap();
    assert_eq!(second.value, 2);
    assert_eq!(kept.renew(second.generation).await, Ok(false), "too soon after the last time");
    giver.pass(30);
    giver.0.down.store(1, Ordering::SeqCst);
    assert_eq!(kept.renew(second.generation).await, Err(Trouble::Down));
    assert_eq!(value(&kept).await, Ok(2));
    assert_eq!(giver.asked(), 3);
}

#[tokio::test]
async fn the_value_that_was_refused_is_not_shown_again() {
    let kept: Kept<usize, Trouble> = Kept::new(Clock::from_fn(|| Duration::ZERO), || async {
        Ok(Given { value: 1, refresh_at: Duration::MAX, expires_at: None })
    });
    let first = kept.value().await.unwrap().generation;
    assert_eq!(kept.renew(first).await, Ok(false), "its giver has no other");
}

#[tokio::test]
async fn a_fetch_that_panics_is_an_error() {
    let kept: Kept<usize, Trouble> = Kept::new(Clock::from_fn(|| Duration::ZERO), || async { panic!("a bug") });
    assert_eq!(value(&kept).await, Err(Trouble::Interrupted(Interrupted)));
}
