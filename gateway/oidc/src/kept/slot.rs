//! When a kept value may be used, when the next is fetched, and when neither, as a function of time. Does no IO and reads
//! no clock.

use std::time::Duration;

use super::{COOL_DOWN, FORCE_INTERVAL, Given, Version};

/// A value over time. All times are since the Unix epoch.
pub(super) struct Slot<T, E> {
    given: Option<Given<T>>,
    failed: Option<(Duration, E)>,
    /// When a value was last fetched because somebody refused the one that was there.
    forced: Option<Duration>,
    /// Values so far, each of them other than the one before.
    generation: u64,
}

/// What to do now.
#[derive(Debug)]
pub(super) enum Offer<T, E> {
    Use(Version<T>),
    /// The value is good, and it is time for the next.
    UseAndRefresh(Version<T>),
    /// There is no value, and the last fetch failed like this just now.
    CoolDown(E),
    /// There is no value.
    Fetch,
}

/// What to do about a value that somebody refused.
#[derive(Debug)]
pub(super) enum Forced<E> {
    Fetch,
    /// There is a newer one already.
    Newer,
    /// Another one was fetched for this reason not long ago: it would be refused too.
    TooSoon,
    /// The last fetch failed like this just now.
    CoolDown(E),
}

impl<T, E> Default for Slot<T, E> {
    fn default() -> Self {
        Self { given: None, failed: None, forced: None, generation: 0 }
    }
}

impl<T: Clone + PartialEq, E: Clone> Slot<T, E> {
    pub(super) fn offer(&self, now: Duration) -> Offer<T, E> {
        let living = self.given.as_ref().filter(|given| given.expires_at.is_none_or(|end| now < end));
        match (living, self.failed(now)) {
            (Some(given), None) if now >= given.refresh_at => Offer::UseAndRefresh(self.version(given)),
            (Some(given), _) => Offer::Use(self.version(given)),
            (None, Some(error)) => Offer::CoolDown(error.clone()),
            (None, None) => Offer::Fetch,
        }
    }

    pub(super) fn store(&mut self, given: Given<T>) -> Version<T> {
        if self.given.as_ref().is_none_or(|before| before.value != given.value) {
            self.generation += 1;
        }
        self.failed = None;
        let version = self.version(&given);
        self.given = Some(given);
        version
    }

    /// A fetch failed. A value that is there stays until it expires.
    pub(super) fn fail(&mut self, error: E, now: Duration) {
        self.failed = Some((now, error));
        // It brought nothing that could be refused: the next try need not wait longer than after any failure.
        self.forced = None;
    }

    /// The value is not good any more.
    pub(super) fn withdraw(&mut self) {
        self.given = None;
    }

    /// When the value expires, if there is one and somebody said so.
    pub(super) fn expires_at(&self) -> Option<Duration> {
        self.given.as_ref()?.expires_at
    }

    /// Somebody refused this generation.
    pub(super) fn force(&mut self, generation: u64, now: Duration) -> Forced<E> {
        if self.generation > generation {
            return Forced::Newer;
        }
        if let Some(error) = self.failed(now) {
            return Forced::CoolDown(error.clone());
        }
        if self.forced.is_some_and(|forced| now.saturating_sub(forced) < FORCE_INTERVAL) {
            return Forced::TooSoon;
        }
        self.forced = Some(now);
        Forced::Fetch
    }

    /// How the last fetch failed, if that was just now.
    fn failed(&self, now: Duration) -> Option<&E> {
        let recent = self.failed.as_ref().filter(|(at, _)| now.saturating_sub(*at) < COOL_DOWN);
        recent.map(|(_, error)| error)
    }

    fn version(&self, given: &Given<T>) -> Version<T> {
        Version { value: given.value.clone(), generation: self.generation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Texts = Slot<&'static str, &'static str>;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn given(value: &'static str, refresh_at: u64, expires_at: Option<u64>) -> Given<&'static str> {
        Given { value, refresh_at: at(refresh_at), expires_at: expires_at.map(at) }
    }

    fn check(slot: &Texts, expected: &[(u64, &str)]) {
        for (now, expected) in expected {
            let offered = match slot.offer(at(*now)) {
                Offer::Use(version) => format!("use {}", version.value),
                Offer::UseAndRefresh(version) => format!("refresh {}", version.value),
                Offer::CoolDown(error) => error.to_owned(),
                Offer::Fetch => "fetch".to_owned(),
            };
            assert_eq!(offered, *expected, "at {now}");
        }
    }

    #[test]
    fn a_value_is_used_refreshed_and_gone() {
        let mut slot = Texts::default();
        check(&slot, &[(0, "fetch")]);
        slot.store(given("a", 90, Some(100)));
        check(&slot, &[(1, "use a"), (89, "use a"), (90, "refresh a"), (99, "refresh a"), (100, "fetch")]);
        slot.store(given("b", 190, None));
        check(&slot, &[(100, "use b"), (190, "refresh b"), (1_000_000, "refresh b")]);
    }

    #[test]
    fn a_value_that_is_given_again_is_not_newer() {
        let mut slot = Texts::default();
        let first = slot.store(given("a", 90, Some(100))).generation;
        assert_eq!(slot.store(given("a", 190, Some(200))).generation, first);
        check(&slot, &[(100, "use a"), (190, "refresh a")]);
        assert!(matches!(slot.force(first, at(100)), Forced::Fetch));
    }

    #[test]
    fn a_failure_cools_down_and_takes_no_living_value() {
        let mut slot = Texts::default();
        slot.fail("down", at(10));
        check(&slot, &[(10, "down"), (11, "down"), (12, "fetch")]);
        slot.store(given("a", 90, Some(100)));
        slot.fail("down", at(92));
        check(&slot, &[(92, "use a"), (93, "use a"), (94, "refresh a"), (100, "fetch")]);
        slot.fail("down", at(99));
        check(&slot, &[(99, "use a"), (100, "down"), (101, "fetch")]);
    }

    #[test]
    fn a_refused_value_is_replaced_once_in_a_while() {
        let mut slot = Texts::default();
        let first = slot.store(given("a", 90, None)).generation;
        assert!(matches!(slot.force(first, at(10)), Forced::Fetch));
        check(&slot, &[(10, "use a")]);
        let second = slot.store(given("b", 90, None)).generation;
        assert!(matches!(slot.force(first, at(11)), Forced::Newer), "late news of the first");
        assert!(matches!(slot.force(second, at(39)), Forced::TooSoon));
        assert!(matches!(slot.force(second, at(40)), Forced::Fetch));
        slot.fail("down", at(41));
        assert!(matches!(slot.force(second, at(42)), Forced::CoolDown("down")));
        assert!(matches!(slot.force(second, at(43)), Forced::Fetch), "it was given nothing that could be refused");
    }
}
