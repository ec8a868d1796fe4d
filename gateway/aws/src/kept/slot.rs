//! When a kept value may be used, when the next is fetched, and when neither, as a function of time. Does no IO and reads
//! no clock.

use std::time::Duration;

use super::{Given, Version};

/// See [`super::Kept::COOL_DOWN`].
pub(super) const COOL_DOWN: Duration = Duration::from_secs(5);

/// See [`super::Kept::FORCE_INTERVAL`].
pub(super) const FORCE_INTERVAL: Duration = Duration::from_secs(30);

/// A value over time. All times are since the Unix epoch.
pub(super) struct Slot<T, E> {
    given: Option<Given<T>>,
    failed: Option<(Duration, E)>,
    /// When a value was last fetched because somebody refused the one that was there.
    forced: Option<Duration>,
    /// Values so far.
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

impl<T, E> Default for Slot<T, E> {
    fn default() -> Self {
        Self { given: None, failed: None, forced: None, generation: 0 }
    }
}

impl<T: Clone, E: Clone> Slot<T, E> {
    pub(super) fn offer(&self, now: Duration) -> Offer<T, E> {
        let living = self.given.as_ref().filter(|given| given.expires_at.is_none_or(|end| now < end));
        let failed = self.failed.as_ref().filter(|(at, _)| now.saturating_sub(*at) < COOL_DOWN);
        match (living, failed) {
            (Some(given), None) if now >= given.refresh_at => Offer::UseAndRefresh(self.version(given)),
            (Some(given), _) => Offer::Use(self.version(given)),
            (None, Some((_, error))) => Offer::CoolDown(error.clone()),
            (None, None) => Offer::Fetch,
        }
    }

    pub(super) fn store(&mut self, given: Given<T>) -> Version<T> {
        self.generation += 1;
        self.failed = None;
        let version = self.version(&given);
        self.given = Some(given);
        version
    }

    /// A fetch failed. A value that is there stays until it expires.
    pub(super) fn fail(&mut self, error: E, now: Duration) {
        self.failed = Some((now, error));
    }

    /// Somebody refused this generation: whether to fetch another one now.
    pub(super) fn force(&mut self, generation: u64, now: Duration) -> bool {
        let recently = self.forced.is_some_and(|forced| now.saturating_sub(forced) < FORCE_INTERVAL);
        if recently || self.newer_than(generation) {
            return false;
        }
        self.forced = Some(now);
        true
    }

    pub(super) fn newer_than(&self, generation: u64) -> bool {
        self.generation > generation
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
    fn a_failure_cools_down_and_takes_no_living_value() {
        let mut slot = Texts::default();
        slot.fail("down", at(10));
        check(&slot, &[(10, "down"), (14, "down"), (15, "fetch")]);
        slot.store(given("a", 90, Some(100)));
        slot.fail("down", at(92));
        check(&slot, &[(92, "use a"), (96, "use a"), (97, "refresh a"), (100, "fetch")]);
        slot.fail("down", at(98));
        check(&slot, &[(99, "use a"), (100, "down"), (103, "fetch")]);
    }

    #[test]
    fn a_refused_value_is_replaced_once_in_a_while() {
        let mut slot = Texts::default();
        let first = slot.store(given("a", 90, None)).generation;
        assert!(slot.force(first, at(10)));
        check(&slot, &[(10, "use a")]);
        assert!(!slot.force(first, at(11)), "the next one is being fetched");
        let second = slot.store(given("b", 90, None)).generation;
        assert!(!slot.force(first, at(50)) && slot.newer_than(first), "late news of the first");
        assert!(slot.force(second, at(50)));
        assert!(!slot.newer_than(second));
    }
}
