//! Whether a path works, judged by what came of the requests that it got: down after some failures in a row, tried again after
//! a while, up with the first answer. Asks nobody itself, and decides nothing about where a request goes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use causeway_core::name::PathName;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::Fault;
use crate::config::Failover;

/// What is known of one path from its requests.
#[derive(Debug)]
pub struct Health {
    path: PathName,
    /// There are other paths to what it offers, or it is one of those: what becomes of it is news.
    has_others: bool,
    rules: Failover,
    standing: watch::Sender<Standing>,
    served: AtomicU64,
    passed_on: AtomicU64,
}

/// How a path stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    /// In a row, while it is up.
    failures: u32,
    down: Option<Down>,
    /// For the next time that it goes down. It grows until a call is answered: lists alone do not make a path that answers no
    /// calls as good as new.
    cool_down: Duration,
}

/// A path that is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Down {
    /// When it is to be tried again.
    until: Instant,
    /// A request tries it now.
    trying: bool,
}

/// In a word. Prometheus: the label `state` of a gauge `causeway_path_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathState {
    /// `up`
    Up,
    /// `down`: it gets nothing but what no other path can serve.
    Down,
    /// `trying`: one request finds out whether it is up again.
    Trying,
}

/// What became of a path's requests since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Requests that it answered, with whatever answer. Prometheus: `causeway_path_requests_total`.
    pub served: u64,
    /// Requests that it did not serve and that went on to the next path. Prometheus: `causeway_path_failovers_total`.
    pub passed_on: u64,
}

/// Whether a path is to get a request.
#[derive(Debug)]
pub enum Admission {
    Up,
    /// This request finds out whether it is up again.
    Trial(Trial),
    Down,
}

/// A request that tries a path. Dropped without an outcome, another one may.
#[derive(Debug)]
pub struct Trial(Arc<Health>);

impl PathState {
    /// As operators see it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Trying => "trying",
        }
    }
}

impl Health {
    /// Of a path that nobody used yet: it is up.
    pub(super) fn new(path: PathName, has_others: bool, rules: Failover) -> Self {
        let standing = Standing::new(&rules);
        let (served, passed_on) = Default::default();
        Self { path, has_others, rules, standing: watch::Sender::new(standing), served, passed_on }
    }

    /// How it stands.
    pub fn state(&self) -> PathState {
        match self.standing.borrow().down {
            None => PathState::Up,
            Some(Down { trying: false, .. }) => PathState::Down,
            Some(Down { trying: true, .. }) => PathState::Trying,
        }
    }

    /// What became of its requests.
    pub fn counts(&self) -> Counts {
        Counts { served: self.served.load(Ordering::Relaxed), passed_on: self.passed_on.load(Ordering::Relaxed) }
    }

    /// Whether it is to get a request now. Only one that `may_fail`, because another path can still serve it, tries a path that
    /// was down.
    pub fn admits(self: &Arc<Self>, may_fail: bool) -> Admission {
        let mut admission = Admission::Up;
        self.standing.send_if_modified(|standing| {
            if standing.down.is_none() {
                return false;
            }
            let tries = may_fail && standing.tries(Instant::now());
            admission = if tries { Admission::Trial(Trial(Arc::clone(self))) } else { Admission::Down };
            tries
        });
        admission
    }

    /// A request went on from here to another path.
    pub fn pass_on(&self) {
        self.passed_on.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until it is down and its time to be tried again has come, and no request does that. Never, where there is no other
    /// path: then it is tried all the time.
    pub async fn cooled_down(&self) {
        let mut standing = self.standing.subscribe();
        loop {
            let down = standing.borrow_and_update().down.filter(|down| self.has_others && !down.trying);
            tokio::select! {
                () = until(down) => return,
                changed = standing.changed() => changed.expect("the sender is in `self`"),
            }
        }
    }

    /// It answered a call.
    pub(super) fn answered(&self) {
        self.served.fetch_add(1, Ordering::Relaxed);
        self.change(|standing| *standing = Standing::new(&self.rules), "it answered");
    }

    /// It gave a list.
    pub(super) fn listed(&self) {
        self.change(|standing| standing.listed(&self.rules, Instant::now()), "it can be listed");
    }

    /// It gave no list.
    pub(super) fn not_listed(&self, fault: &Fault) {
        let now = Instant::now();
        let change = |standing: &mut Standing| match standing.down {
            // The request that tries it says more.
            Some(Down { trying: true, .. }) => (),
            _ => standing.failed(&self.rules, now),
        };
        self.change(change, &fault.to_string());
    }

    /// It did not do what it was asked; not every fault speaks against the path.
    pub(super) fn failed(&self, fault: &Fault) {
        if fault.is_of_the_path() {
            self.change(|standing| standing.failed(&self.rules, Instant::now()), &fault.to_string());
        }
    }

    fn change(&self, change: impl FnOnce(&mut Standing), why: &str) {
        let mut before = None;
        let changed = self.standing.send_if_modified(|standing| {
            let as_it_was = *standing;
            change(standing);
            before = Some(as_it_was);
            *standing != as_it_was
        });
        let (Some(before), true) = (before.filter(|_| changed), self.has_others) else { return };
        match (before.down, self.standing.borrow().down) {
            (None, Some(_)) => {
                tracing::warn!(path = %self.path, state = "down", "path `{}` is down: {why}", self.path);
            }
            (Some(_), None) => {
                tracing::info!(path = %self.path, state = "up", "path `{}` is up again: {why}", self.path);
            }
            _ => tracing::debug!(path = %self.path, "path `{}`: {why}", self.path),
        }
    }
}

impl Standing {
    fn new(rules: &Failover) -> Self {
        Self { failures: 0, down: None, cool_down: rules.cool_down }
    }

    /// Takes note that a request tries the path, if it is time for one.
    fn tries(&mut self, now: Instant) -> bool {
        let due = self.down.as_mut().filter(|down| !down.trying && now >= down.until);
        due.map(|down| down.trying = true).is_some()
    }

    fn listed(&mut self, rules: &Failover, now: Instant) {
        match self.down {
            // One more failed call shows that lists are all that works there.
            Some(down) if now >= down.until => (self.failures, self.down) = (rules.failures - 1, None),
            None if self.cool_down == rules.cool_down => self.failures = 0,
            Some(_) | None => (),
        }
    }

    fn failed(&mut self, rules: &Failover, now: Instant) {
        match self.down {
            // Requests that began before it went down say nothing new.
            Some(down) if !down.trying && now < down.until => (),
            None if self.failures + 1 < rules.failures => self.failures += 1,
            Some(_) | None => {
                self.down = Some(Down { until: now + self.cool_down, trying: false });
                self.cool_down = (self.cool_down * 2).min(rules.longest_cool_down);
            }
        }
    }
}

/// Waits for the end of a cool-down; for ever where there is none.
async fn until(down: Option<Down>) {
    match down {
        Some(down) => sleep_until(down.until).await,
        None => std::future::pending().await,
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.0.standing.send_if_modified(|standing| {
            let Some(down) = standing.down.as_mut().filter(|down| down.trying) else { return false };
            down.trying = false;
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const RULES: Failover =
        Failover { failures: 2, first_byte: SECOND, cool_down: SECOND, longest_cool_down: Duration::from_secs(3) };

    /// One that went down now.
    fn down(now: Instant) -> Standing {
        let mut standing = Standing::new(&RULES);
        (0..2).for_each(|_| standing.failed(&RULES, now));
        assert!(standing.down.is_some());
        standing
    }

    #[test]
    fn failures_in_a_row_take_it_down_and_an_answer_takes_it_up() {
        let health = Health::new("a/1".parse().unwrap(), true, RULES);
        health.failed(&Fault::Status(502));
        health.answered();
        health.failed(&Fault::Status(502));
        assert_eq!(health.state(), PathState::Up);
        health.failed(&Fault::Status(502));
        assert_eq!(health.state(), PathState::Down);
        health.answered();
        assert_eq!((health.state(), health.counts()), (PathState::Up, Counts { served: 2, passed_on: 0 }));
    }

    #[test]
    fn one_request_at_a_time_tries_it() {
        let rules = Failover { cool_down: Duration::ZERO, ..RULES };
        let health = Arc::new(Health::new("a/1".parse().unwrap(), true, rules));
        (0..2).for_each(|_| health.failed(&Fault::Status(502)));
        assert!(matches!(health.admits(false), Admission::Down), "what must not fail does not try");
        let trial = health.admits(true);
        assert!(matches!(trial, Admission::Trial(_)));
        assert_eq!(health.state(), PathState::Trying);
        assert!(matches!(health.admits(true), Admission::Down));
        drop(trial);
        assert!(matches!(health.admits(true), Admission::Trial(_)), "the first came to nothing");
    }

    #[test]
    fn each_trial_that_fails_doubles_the_cool_down_up_to_the_longest() {
        let mut now = Instant::now();
        let mut standing = down(now);
        for seconds in [1, 2, 3, 3] {
            now += seconds * SECOND - Duration::from_millis(1);
            standing.failed(&RULES, now);
            assert!(!standing.tries(now), "{seconds}");
            now += Duration::from_millis(1);
            assert!(standing.tries(now), "{seconds}");
            standing.failed(&RULES, now);
        }
    }

    #[test]
    fn a_list_takes_it_up_on_probation() {
        let now = Instant::now();
        let mut standing = down(now);
        standing.listed(&RULES, now);
        assert!(standing.down.is_some(), "not before its time");
        standing.listed(&RULES, now + SECOND);
        assert!(standing.down.is_none());
        standing.listed(&RULES, now + SECOND);
        standing.failed(&RULES, now + SECOND);
        assert!(standing.down.is_some(), "it still answers no calls");
        assert!(!standing.tries(now + 2 * SECOND), "and waits longer now");
        assert!(standing.tries(now + 3 * SECOND));
    }

    #[test]
    fn what_is_about_the_question_says_nothing_of_the_path() {
        let health = Health::new("a/1".parse().unwrap(), true, RULES);
        for _ in 0..9 {
            health.failed(&Fault::TooLarge(1));
            health.failed(&Fault::Refused("no".into()));
            health.failed(&Fault::Busy(1));
        }
        assert_eq!(health.state(), PathState::Up);
    }
}
