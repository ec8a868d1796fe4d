//! Whether a path works, judged by what came of the requests that it got: down after some failures in a row, on probation once it
//! gives its lists again, up with the first answer. Asks nobody itself, and decides nothing about where a request goes.
//!
//! What may be the fault of what was asked (`Blame::PathOrQuestion`) takes a path down only with a second witness: another tool
//! or method that failed as well, or a listing, which is asked for at once. Nothing counts that began before the last change.
//!
//! Where nobody else serves what it does, calls fail at once while it is down. So it takes more there (of a path that answers,
//! whatever it answers, only a listing is a witness) and less to be up again: its lists, or the one call that tries it.

mod standing;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use causeway_core::name::PathName;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use self::standing::{Standing, State};
use super::{
    Fault,
    fault::{Blame, Outage},
};
use crate::config::Failover;

/// What is known of one path from its requests.
#[derive(Debug)]
pub struct Health {
    path: PathName,
    /// There are other paths to what it offers, or it is one of those.
    has_others: bool,
    rules: Failover,
    standing: watch::Sender<Standing>,
    /// What it did last that took it down, or kept it so.
    cause: Mutex<Option<Fault>>,
    served: AtomicU64,
    passed_on: AtomicU64,
}

/// In a word. Prometheus: the label `state` of a gauge `causeway_path_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathState {
    /// `up`
    Up,
    /// `down`: it gets nothing but what no other path can serve; where there is none, nothing.
    Down,
    /// `probation`: it gives its lists again, and gets one call at a time until one was answered.
    Probation,
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
    /// Only if no other path can serve it.
    InNeed,
}

/// A request that tries a path. Dropped without an outcome, another one may.
#[derive(Debug)]
pub struct Trial {
    health: Arc<Health>,
    epoch: u64,
}

/// A request, or a listing, that is under way on a path. What comes of it counts if the path still stands as it did then.
#[derive(Clone, Debug)]
pub struct Sent {
    health: Arc<Health>,
    epoch: u64,
    /// What failures of the same question have in common.
    asked: Option<Arc<str>>,
}

impl PathState {
    /// As operators see it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Probation => "probation",
            Self::Trying => "trying",
        }
    }
}

impl Health {
    /// Of a path that nobody used yet: it is up.
    pub(super) fn new(path: PathName, has_others: bool, rules: Failover) -> Self {
        let standing = watch::Sender::new(Standing::new(&rules, !has_others));
        let (cause, served, passed_on) = Default::default();
        Self { path, has_others, rules, standing, cause, served, passed_on }
    }

    /// Whether it is judged by these rules.
    pub(super) fn goes_by(&self, has_others: bool, rules: &Failover) -> bool {
        (self.has_others, &self.rules) == (has_others, rules)
    }

    /// How it stands.
    pub fn state(&self) -> PathState {
        match self.standing.borrow().state {
            State::Up(_) => PathState::Up,
            State::Down { trying: Some(_), .. } | State::Probation { trying: true, .. } => PathState::Trying,
            State::Down { trying: None, .. } => PathState::Down,
            State::Probation { trying: false, .. } => PathState::Probation,
        }
    }

    /// Whether it is down, tried or not.
    pub fn is_down(&self) -> bool {
        matches!(self.standing.borrow().state, State::Down { .. })
    }

    /// What became of its requests.
    pub fn counts(&self) -> Counts {
        Counts { served: self.served.load(Ordering::Relaxed), passed_on: self.passed_on.load(Ordering::Relaxed) }
    }

    /// Whether it is to get a request now. A path that is down is tried only by a `harmless` one, which another path can still
    /// serve whatever comes of it; one on probation by others too, if no harmless one comes for a while.
    pub fn admits(self: &Arc<Self>, harmless: bool) -> Admission {
        let mut admission = Admission::Up;
        self.standing.send_if_modified(|standing| {
            if matches!(standing.state, State::Up(_)) {
                return false;
            }
            let tries = standing.tries(harmless, Instant::now());
            admission = match tries {
                true => Admission::Trial(Trial { health: Arc::clone(self), epoch: standing.epoch }),
                false => Admission::InNeed,
            };
            tries
        });
        admission
    }

    /// Whether a request for which there is no other path is sent to it. With `Some`, it finds out whether it is up again.
    ///
    /// # Errors
    /// It is down, and its time to be tried has not come.
    pub(super) fn try_alone(self: &Arc<Self>) -> Result<Option<Trial>, Outage> {
        if matches!(self.standing.borrow().state, State::Up(_)) {
            return Ok(None);
        }
        let mut outcome = Ok(None);
        self.standing.send_if_modified(|standing| {
            let now = Instant::now();
            if standing.tries_alone(now) {
                outcome = Ok(Some(Trial { health: Arc::clone(self), epoch: standing.epoch }));
                return true;
            }
            if let Some((since, until)) = standing.down() {
                outcome = Err((now - since, until.saturating_duration_since(now)));
            }
            false
        });
        outcome.map_err(|(since, next)| {
            let cause = self.cause.lock().expect("no holder of this lock panics").clone();
            Outage { since, next, cause: cause.unwrap_or_else(|| Fault::NotRunning("nobody knows why".into())) }
        })
    }

    /// A request went on from here to another path.
    pub fn pass_on(&self) {
        self.passed_on.fetch_add(1, Ordering::Relaxed);
    }

    /// A request for `method` begins, of a tool or a prompt with its name there.
    pub fn sent(self: &Arc<Self>, method: &str, name: Option<&str>) -> Sent {
        // Where there is no other path, it is not asked what failed.
        let asked = self.has_others.then(|| [method, " ", name.unwrap_or_default()].concat().into());
        Sent { health: Arc::clone(self), epoch: self.standing.borrow().epoch, asked }
    }

    /// Waits until it is down and its time to be listed again has come, and no request tries it.
    pub async fn cooled_down(&self) {
        let mut standing = self.standing.subscribe();
        loop {
            let until = match standing.borrow_and_update().state {
                State::Down { listing, trying: None, .. } => Some(listing),
                _ => None,
            };
            tokio::select! {
                () = reached(until) => return,
                changed = standing.changed() => changed.expect("the sender is in `self`"),
            }
        }
    }

    /// Waits until so many requests failed that it would be down if it was not just one question that fails: a listing is to tell.
    pub async fn doubted(&self) {
        let mut standing = self.standing.subscribe();
        standing.wait_for(|standing| standing.in_doubt(&self.rules)).await.expect("the sender is in `self`");
    }

    fn blame(&self, fault: &Fault) -> Blame {
        if self.has_others { fault.blame() } else { fault.blame_alone() }
    }

    /// Keeps the cause for who is told of it.
    fn because(&self, fault: &Fault) {
        *self.cause.lock().expect("no holder of this lock panics") = Some(fault.clone());
    }

    fn change(&self, epoch: u64, change: impl FnOnce(&mut Standing), why: &str) {
        let mut before = None;
        self.standing.send_if_modified(|standing| {
            if standing.epoch != epoch {
                return false;
            }
            let as_it_was = standing.clone();
            change(standing);
            let changed = *standing != as_it_was;
            before = (standing.epoch != epoch).then_some(as_it_was.state);
            changed
        });
        if let Some(before) = before {
            self.tell(&before, why);
        }
    }

    fn tell(&self, before: &State, why: &str) {
        let (path, state) = (&self.path, self.state().word());
        let it = if self.has_others { "path" } else { "target" };
        match (before, self.state()) {
            (State::Up(_), _) => tracing::warn!(%path, state, "{it} `{path}` is down: {why}"),
            (_, PathState::Up) => tracing::info!(%path, state, "{it} `{path}` is up again: {why}"),
            (State::Down { .. }, PathState::Probation) => {
                tracing::info!(%path, state, "path `{path}` is on probation: {why}, and gets one call at a time");
            }
            (State::Probation { .. }, _) => tracing::warn!(%path, state, "path `{path}` is down again: {why}"),
            (State::Down { .. }, _) => tracing::debug!(%path, state, "{it} `{path}` is still down: {why}"),
        }
    }
}

impl Sent {
    /// It was answered.
    pub(super) fn answered(&self) {
        self.health.served.fetch_add(1, Ordering::Relaxed);
        self.asked_back();
    }

    /// It was taken up, and asks its client for something before it goes on.
    pub(super) fn asked_back(&self) {
        let rules = &self.health.rules;
        self.health.change(self.epoch, |standing| standing.answered(rules), "it answered");
    }

    /// It failed; not every fault speaks against the path.
    pub(super) fn failed(&self, fault: &Fault) {
        let blame = self.health.blame(fault);
        if blame != Blame::Nobody {
            let (rules, now) = (&self.health.rules, Instant::now());
            self.health.because(fault);
            let change = |standing: &mut Standing| standing.failed(blame, self.asked.as_ref(), rules, now);
            self.health.change(self.epoch, change, &fault.to_string());
        }
    }

    /// The lists are there.
    pub(super) fn listed(&self) {
        let rules = &self.health.rules;
        self.health.change(self.epoch, |standing| standing.listed(rules, Instant::now()), "it can be listed");
    }

    /// The lists could not be had.
    pub(super) fn not_listed(&self, fault: &Fault) {
        let (rules, blame) = (&self.health.rules, self.health.blame(fault));
        self.health.because(fault);
        let change = |standing: &mut Standing| standing.not_listed(blame, rules, Instant::now());
        self.health.change(self.epoch, change, &fault.to_string());
    }
}

/// Waits for the end of a cool-down; for ever where there is none.
async fn reached(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.health.standing.send_if_modified(|standing| {
            let is_own = standing.epoch == self.epoch;
            if is_own {
                standing.gave_up();
            }
            is_own
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::targets::fault::Busy;

    const SECOND: Duration = Duration::from_secs(1);
    const RULES: Failover =
        Failover { failures: 2, first_byte: SECOND, cool_down: SECOND, longest_cool_down: Duration::from_secs(3) };

    fn health(rules: Failover) -> Arc<Health> {
        Arc::new(Health::new("a/1".parse().unwrap(), true, rules))
    }

    fn call(health: &Arc<Health>, tool: &str) -> Sent {
        health.sent("tools/call", Some(tool))
    }

    fn refused() -> Fault {
        Fault::Unreachable("refused".into())
    }

    #[test]
    fn failures_in_a_row_take_it_down_and_an_answer_takes_it_up() {
        let health = health(RULES);
        call(&health, "x").failed(&refused());
        call(&health, "x").answered();
        call(&health, "x").failed(&refused());
        assert_eq!(health.state(), PathState::Up);
        call(&health, "x").failed(&refused());
        assert_eq!(health.state(), PathState::Down);
        call(&health, "x").answered();
        assert_eq!((health.state(), health.counts()), (PathState::Up, Counts { served: 2, passed_on: 0 }));
    }

    #[test]
    fn one_request_at_a_time_tries_it() {
        let health = health(Failover { cool_down: Duration::ZERO, ..RULES });
        (0..2).for_each(|_| call(&health, "x").failed(&refused()));
        assert!(matches!(health.admits(false), Admission::InNeed), "what may be lost does not try");
        let trial = health.admits(true);
        assert!(matches!(trial, Admission::Trial(_)));
        assert_eq!(health.state(), PathState::Trying);
        assert!(matches!(health.admits(true), Admission::InNeed));
        drop(trial);
        let second = health.admits(true);
        assert!(matches!(second, Admission::Trial(_)), "the first came to nothing");
        call(&health, "x").failed(&refused());
        let third = health.admits(true);
        drop(second);
        assert!(matches!(health.admits(true), Admission::InNeed), "an older one does not end the third");
        drop(third);
    }

    /// Only what began since says how it is.
    #[test]
    fn what_began_before_the_last_change_does_not_count() {
        let health = health(RULES);
        let [late_answer, late_failure, late_list] = [0; 3].map(|_| call(&health, "x"));
        (0..2).for_each(|_| call(&health, "x").failed(&refused()));
        late_answer.answered();
        late_list.listed();
        assert_eq!(health.state(), PathState::Down);
        call(&health, "x").answered();
        (0..9).for_each(|_| late_failure.failed(&refused()));
        late_failure.not_listed(&refused());
        assert_eq!((health.state(), health.counts().served), (PathState::Up, 2));
        call(&health, "x").failed(&refused());
        assert_eq!(health.state(), PathState::Up, "it is the first in a row");
    }

    #[test]
    fn what_is_about_the_question_says_nothing_of_the_path() {
        let health = health(RULES);
        for tool in ["x", "y", "z"] {
            call(&health, tool).failed(&Fault::TooLarge(1));
            call(&health, tool).failed(&Fault::Refused("no".into()));
            call(&health, tool).failed(&Fault::Busy(Busy::Running(1)));
            call(&health, tool).failed(&Fault::Unsendable("no".into()));
        }
        assert_eq!(health.state(), PathState::Up);
    }

    #[test]
    fn what_may_be_about_the_question_needs_a_second_witness() {
        for fault in [Fault::Status(500), Fault::Unauthorized(403), Fault::Silent(SECOND), Fault::Garbage("x".into())] {
            let health = health(RULES);
            (0..9).for_each(|_| call(&health, "x").failed(&fault));
            assert_eq!(health.state(), PathState::Up);
            call(&health, "y").failed(&fault);
            assert_eq!(health.state(), PathState::Down);
        }
    }

    #[test]
    fn alone_it_says_since_when_it_is_down_and_why() {
        let alone = |rules| Arc::new(Health::new("a".parse().unwrap(), false, rules));
        let health = alone(RULES);
        assert!(health.try_alone().unwrap().is_none());
        (0..2).for_each(|_| call(&health, "x").failed(&refused()));
        let outage = health.try_alone().unwrap_err();
        assert!(outage.since < SECOND && outage.next <= SECOND);
        assert_eq!(
            Fault::Down(outage.into()).public(),
            "is down since 1s, and is asked again in 1s: it could not be reached"
        );
        // One whose time has come.
        let health = alone(Failover { cool_down: Duration::ZERO, ..RULES });
        (0..2).for_each(|_| call(&health, "x").failed(&refused()));
        let trial = health.try_alone().unwrap();
        assert!(trial.is_some());
        call(&health, "x").answered();
        drop(trial);
        assert!(health.try_alone().unwrap().is_none(), "it is up");
    }

    #[test]
    fn alone_who_says_not_now_is_there() {
        let health = Arc::new(Health::new("a".parse().unwrap(), false, RULES));
        for _ in 0..9 {
            call(&health, "x").failed(&Fault::Status(429));
            call(&health, "x").failed(&Fault::Unavailable(503).unsent());
        }
        assert_eq!(health.state(), PathState::Up);
    }
}
