//! The places of the calls that run in one target, and the calls that wait for one: in order, for a bounded time, and never all of one
//! caller. Sends nothing.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use super::fault::Busy;
use crate::config::Limits;

/// Of one target.
#[derive(Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    /// For long answers that are passed on while they come.
    passing: Arc<Semaphore>,
    /// How many may run, be passed on so, and how many may wait.
    most: usize,
    queue: usize,
    patience: Duration,
    waiting: Mutex<Waiting>,
}

/// What a call does for which there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// It waits for one.
    Wait,
    /// It is refused, because somebody else may serve it.
    Refuse,
}

/// How many wait, of all callers and of each.
#[derive(Debug, Default)]
struct Waiting {
    all: usize,
    of: HashMap<String, usize>,
}

/// One that waits: dropped, it does so no more.
#[derive(Debug)]
struct Turn<'a> {
    places: &'a Places,
    caller: &'a str,
}

impl Places {
    /// All free.
    pub(super) fn new(limits: &Limits) -> Self {
        let (free, passing) =
            (Arc::new(Semaphore::new(limits.target_calls)), Arc::new(Semaphore::new(limits.target_calls)));
        let (most, queue, patience) = (limits.target_calls, limits.target_queue, limits.queue);
        Self { free, passing, most, queue, patience, waiting: Mutex::default() }
    }

    /// A place for a call of `caller`, waited for until `deadline` at most. Dropped, it waits no more.
    pub(super) async fn take(&self, caller: &str, full: Full, deadline: Instant) -> Result<OwnedSemaphorePermit, Busy> {
        // While others wait none is free: each goes to who has waited longest.
        if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
            return Ok(place);
        }
        if full == Full::Refuse || self.queue == 0 {
            return Err(Busy::Running(self.most));
        }
        let _turn = self.queue_up(caller)?;
        let until = deadline.min(Instant::now() + self.patience);
        let place = timeout_at(until, Arc::clone(&self.free).acquire_owned()).await;
        Ok(place.map_err(|_| Busy::Waited(self.patience))?.expect("the semaphore is never closed"))
    }

    /// A place if there is one, for a call that runs in any case.
    pub(super) fn retake(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).try_acquire_owned().ok()
    }

    /// A place, if there is one, for a call whose long answer is passed on while it comes: its own is for another call then, whose work is
    /// still to be done.
    pub(super) fn pass_on(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.passing).try_acquire_owned().ok()
    }

    /// How many run, and how many may.
    pub(super) fn running(&self) -> (usize, usize) {
        (self.most - self.free.available_permits().min(self.most), self.most)
    }

    /// How many wait, and how many may.
    pub(super) fn waiting(&self) -> (usize, usize) {
        (self.lock().all, self.queue)
    }

    fn queue_up<'a>(&'a self, caller: &'a str) -> Result<Turn<'a>, Busy> {
        let mut waiting = self.lock();
        let (left, own) =
            (self.queue - waiting.all.min(self.queue), waiting.of.get(caller).copied().unwrap_or_default());
        if left == 0 {
            return Err(Busy::Queue(self.queue));
        }
        // Whoever has as many as are left must leave the rest to others.
        if own >= left {
            return Err(Busy::Share(own));
        }
        waiting.all += 1;
        *waiting.of.entry(caller.to_owned()).or_default() += 1;
        Ok(Turn { places: self, caller })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("no holder of this lock panics")
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut waiting = self.places.lock();
        waiting.all -= 1;
        if let Some(own) = waiting.of.get_mut(self.caller) {
            *own -= 1;
            if *own == 0 {
                waiting.of.remove(self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, pin::Pin, task::Poll};

    use super::*;

    const LONG: Duration = Duration::from_secs(1000);

    fn places(most: usize, queue: usize, patience: Duration) -> Places {
        let (free, passing) = (Arc::new(Semaphore::new(most)), Arc::new(Semaphore::new(most)));
        Places { free, passing, most, queue, patience, waiting: Mutex::default() }
    }

    fn late() -> Instant {
        Instant::now() + LONG
    }

    /// Polls a call once, so that it stands in the queue.
    async fn waits<T>(call: &mut Pin<Box<impl Future<Output = T>>>) {
        let waits = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending())).await;
        assert!(waits);
    }

    #[tokio::test]
    async fn they_get_their_places_in_order() {
        let places = places(1, 10, LONG);
        let running = places.take("a", Full::Wait, late()).await.unwrap();
        let mut first = Box::pin(places.take("b", Full::Wait, late()));
        let mut second = Box::pin(places.take("c", Full::Wait, late()));
        waits(&mut first).await;
        waits(&mut second).await;
        assert_eq!((places.running(), places.waiting()), ((1, 1), (2, 10)));
        drop(running);
        waits(&mut second).await;
        assert_eq!(places.take("d", Full::Refuse, late()).await.unwrap_err(), Busy::Running(1), "nobody overtakes");
        let running = first.await.unwrap();
        waits(&mut second).await;
        drop(running);
        drop(second.await.unwrap());
        assert_eq!((places.running(), places.waiting()), ((0, 1), (0, 10)));
    }

    #[tokio::test]
    async fn they_wait_for_a_bounded_time() {
        let patience = Duration::from_millis(20);
        let places = places(1, 10, patience);
        let _running = places.take("a", Full::Wait, late()).await.unwrap();
        let began = Instant::now();
        assert_eq!(places.take("a", Full::Wait, late()).await.unwrap_err(), Busy::Waited(patience));
        assert!(began.elapsed() >= patience);
        let places = Places { patience: LONG, ..places };
        let whole = Instant::now() + patience;
        assert_eq!(
            places.take("a", Full::Wait, whole).await.unwrap_err(),
            Busy::Waited(LONG),
            "nor longer than the call has"
        );
        assert_eq!(places.waiting(), (0, 10));
    }

    #[tokio::test]
    async fn one_caller_leaves_as_many_places_as_it_has() {
        let places = places(1, 4, LONG);
        let _running = places.take("a", Full::Wait, late()).await.unwrap();
        let mut waiting = Vec::new();
        for (caller, expected) in [
            ("a", None),
            ("a", None),
            ("a", Some(Busy::Share(2))),
            ("b", None),
            ("b", Some(Busy::Share(1))),
            ("c", None),
            ("d", Some(Busy::Queue(4))),
        ] {
            let mut call = Box::pin(places.take(caller, Full::Wait, late()));
            match expected {
                Some(refused) => assert_eq!(call.await.unwrap_err(), refused, "{caller}"),
                None => {
                    waits(&mut call).await;
                    waiting.push(call);
                }
            }
        }
        // Who goes away leaves its place.
        waiting.clear();
        assert!(places.lock().of.is_empty());
        let mut call = Box::pin(places.take("d", Full::Wait, late()));
        waits(&mut call).await;
    }

    #[tokio::test]
    async fn without_a_queue_they_are_refused() {
        let places = places(1, 0, LONG);
        let _running = places.take("a", Full::Wait, late()).await.unwrap();
        assert_eq!(places.take("a", Full::Wait, late()).await.unwrap_err(), Busy::Running(1));
    }
}
