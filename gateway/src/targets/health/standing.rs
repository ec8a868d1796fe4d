//! How one path stands, and how that changes with what comes of its requests and listings. Pure: it is told the time, and whether
//! an outcome is still news is not its matter.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{config::Failover, targets::fault::Blame};

/// How a path stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Another one after each change of how it stands: what began under another one is no news.
    pub(super) epoch: u64,
    pub(super) state: State,
    /// For the next time that it goes down. It grows until a call is answered: lists alone do not make a path that answers no
    /// calls as good as new.
    cool_down: Duration,
    /// Nobody else serves what it does: while it is down, calls fail.
    alone: bool,
}

/// The most that the cool-down of a path grows to for which nobody stands in: what it would serve by now must not fail for long.
const LONGEST_ALONE: Duration = Duration::from_secs(5);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    Up(Row),
    Down {
        since: Instant,
        /// When it is to be tried again.
        until: Instant,
        /// When it is to be listed again, which is a trial too.
        listing: Instant,
        /// Since when a request tries it.
        trying: Option<Instant>,
    },
    /// It gives its lists again, which says nothing of calls.
    Probation {
        /// Until then only what nothing is lost with tries it.
        reserved: Instant,
        /// A request tries it now.
        trying: bool,
    },
}

/// Failures since a call was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    failures: u32,
    /// What was asked when one of them may have been the fault of just that.
    asked: Option<Arc<str>>,
    /// They are no fault of one question.
    proven: bool,
}

impl Standing {
    pub(super) fn new(rules: &Failover, alone: bool) -> Self {
        Self {
            epoch: 0,
            state: State::Up(Row::default()),
            cool_down: rules.cool_down.min(longest(rules, alone)),
            alone,
        }
    }

    /// It answered a call.
    pub(super) fn answered(&mut self, rules: &Failover) {
        self.cool_down = rules.cool_down.min(longest(rules, self.alone));
        match &mut self.state {
            State::Up(row) => *row = Row::default(),
            State::Down { .. } | State::Probation { .. } => self.turn(State::Up(Row::default())),
        }
    }

    /// A call failed that was for `asked`, where that is of interest.
    pub(super) fn failed(&mut self, blame: Blame, asked: Option<&Arc<str>>, rules: &Failover, now: Instant) {
        match &mut self.state {
            _ if blame == Blame::Nobody => (),
            State::Up(row) => {
                row.failures += 1;
                row.proven |= blame == Blame::Path;
                // Two questions that have nothing in common but the path. Where nobody else serves a third, that is not enough.
                row.proven |= !self.alone && row.asked.as_ref().is_some_and(|before| asked != Some(before));
                row.asked = row.asked.take().or_else(|| asked.cloned());
                if row.failures >= rules.failures && row.proven {
                    self.go_down(rules, now);
                }
            }
            // It was asked in need, and everybody knows that it is down.
            State::Down { until, trying: None, .. } if now < *until => (),
            State::Down { .. } | State::Probation { .. } => self.go_down(rules, now),
        }
    }

    /// It gave its lists.
    pub(super) fn listed(&mut self, rules: &Failover, now: Instant) {
        match &mut self.state {
            State::Up(row) => (row.failures, row.proven) = (0, false),
            // There is a server again, and nobody else to be asked before it.
            State::Down { .. } if self.alone => self.turn(State::Up(Row::default())),
            State::Down { until, trying: None, .. } if now >= *until => {
                self.turn(State::Probation { reserved: now + rules.cool_down, trying: false });
            }
            State::Down { .. } | State::Probation { .. } => (),
        }
    }

    /// It gave no list.
    pub(super) fn not_listed(&mut self, blame: Blame, rules: &Failover, now: Instant) {
        match &mut self.state {
            // It may still answer calls: a list that fails makes out nothing but whether it is the calls' own fault that they do.
            State::Up(row) if self.alone && blame != Blame::Path => {
                row.proven = true;
                if row.failures >= rules.failures {
                    self.go_down(rules, now);
                }
            }
            State::Down { listing, .. } if self.alone && blame != Blame::Path => *listing = now + self.cool_down,
            State::Up(row) => {
                (row.failures, row.proven) = (row.failures + 1, true);
                if row.failures >= rules.failures {
                    self.go_down(rules, now);
                }
            }
            // The request that tries it says more.
            State::Down { trying: Some(_), .. } | State::Probation { trying: true, .. } => (),
            State::Down { until, .. } if now < *until => (),
            State::Down { .. } | State::Probation { .. } => self.go_down(rules, now),
        }
    }

    /// Whether a request tries it from now on, one that nothing is lost with (`harmless`) or another one.
    pub(super) fn tries(&mut self, harmless: bool, now: Instant) -> bool {
        match &mut self.state {
            State::Down { until, trying, .. } if trying.is_none() && harmless && now >= *until => *trying = Some(now),
            State::Probation { reserved, trying } if !*trying && (harmless || now >= *reserved) => *trying = true,
            _ => return false,
        }
        true
    }

    /// Whether a request for which there is no other path tries it from now on: one at a time, but one that takes long does not keep
    /// out the others for longer than a cool-down.
    pub(super) fn tries_alone(&mut self, now: Instant) -> bool {
        let State::Down { until, trying, .. } = &mut self.state else { return false };
        let may = now >= *until && trying.is_none_or(|since| now >= since + self.cool_down);
        if may {
            *trying = Some(now);
        }
        may
    }

    /// Since when it is down, and when it may be tried again; `None` while it is not.
    pub(super) fn down(&self) -> Option<(Instant, Instant)> {
        let State::Down { since, until, trying, .. } = self.state else { return None };
        Some((since, trying.map_or(until, |trying| until.max(trying + self.cool_down))))
    }

    /// The request that tries it came to nothing.
    pub(super) fn gave_up(&mut self) {
        match &mut self.state {
            State::Down { trying, .. } => *trying = None,
            State::Probation { trying, .. } => *trying = false,
            State::Up(_) => (),
        }
    }

    /// Whether it would be down if its failures were no fault of one question, which a listing can tell.
    pub(super) fn in_doubt(&self, rules: &Failover) -> bool {
        matches!(&self.state, State::Up(row) if row.failures >= rules.failures)
    }

    fn go_down(&mut self, rules: &Failover, now: Instant) {
        let until = now + self.cool_down;
        let since = if let State::Down { since, .. } = self.state { since } else { now };
        self.turn(State::Down { since, until, listing: until, trying: None });
        self.cool_down = (self.cool_down * 2).min(longest(rules, self.alone));
    }

    fn turn(&mut self, state: State) {
        self.epoch += 1;
        self.state = state;
    }
}

/// The most that a cool-down grows to.
fn longest(rules: &Failover, alone: bool) -> Duration {
    if alone { rules.longest_cool_down.min(LONGEST_ALONE) } else { rules.longest_cool_down }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const RULES: Failover =
        Failover { failures: 2, first_byte: SECOND, cool_down: SECOND, longest_cool_down: Duration::from_secs(3) };

    fn is_down(standing: &Standing) -> bool {
        matches!(standing.state, State::Down { .. })
    }

    fn fail(standing: &mut Standing, blame: Blame, asked: &str, now: Instant) {
        standing.failed(blame, Some(&asked.into()), &RULES, now);
    }

    /// One that went down now.
    fn down(now: Instant) -> Standing {
        let mut standing = Standing::new(&RULES, false);
        (0..2).for_each(|_| fail(&mut standing, Blame::Path, "a", now));
        assert!(is_down(&standing));
        standing
    }

    /// One that went down a second ago and gave its lists now.
    fn on_probation(now: Instant) -> Standing {
        let mut standing = down(now - SECOND);
        standing.listed(&RULES, now);
        assert!(matches!(standing.state, State::Probation { .. }));
        standing
    }

    #[test]
    fn each_trial_that_fails_doubles_the_cool_down_up_to_the_longest() {
        let mut now = Instant::now();
        let mut standing = down(now);
        for seconds in [1, 2, 3, 3] {
            now += seconds * SECOND - Duration::from_millis(1);
            fail(&mut standing, Blame::Path, "a", now);
            assert!(!standing.tries(true, now), "{seconds}");
            now += Duration::from_millis(1);
            assert!(!standing.tries(false, now), "what may be lost does not try: {seconds}");
            assert!(standing.tries(true, now), "{seconds}");
            fail(&mut standing, Blame::Path, "a", now);
        }
    }

    #[test]
    fn one_question_does_not_take_it_down() {
        let now = Instant::now();
        let mut standing = Standing::new(&RULES, false);
        for _ in 0..9 {
            fail(&mut standing, Blame::PathOrQuestion, "a", now);
        }
        assert!(standing.in_doubt(&RULES) && !is_down(&standing));
        standing.listed(&RULES, now);
        assert!(!standing.in_doubt(&RULES), "it gives its lists");
        for _ in 0..2 {
            fail(&mut standing, Blame::PathOrQuestion, "a", now);
        }
        let mut unlisted = standing.clone();
        unlisted.not_listed(Blame::Path, &RULES, now);
        assert!(is_down(&unlisted), "nor does it give its lists");
        fail(&mut standing, Blame::PathOrQuestion, "b", now);
        assert!(is_down(&standing), "another question has failed too");
    }

    #[test]
    fn an_answer_ends_the_row() {
        let now = Instant::now();
        let mut standing = Standing::new(&RULES, false);
        for asked in ["a", "b", "a", "b"] {
            fail(&mut standing, Blame::PathOrQuestion, asked, now);
            standing.answered(&RULES);
        }
        assert_eq!(standing, Standing::new(&RULES, false));
    }

    #[test]
    fn lists_put_it_on_probation_and_an_answer_takes_it_up() {
        let now = Instant::now();
        let mut early = down(now);
        early.listed(&RULES, now);
        assert!(is_down(&early), "not before its time");
        let mut standing = on_probation(now);
        assert!(!standing.tries(false, now), "what nothing is lost with comes first");
        assert!(standing.tries(true, now));
        assert!(!standing.tries(true, now), "one at a time");
        standing.gave_up();
        standing.listed(&RULES, now);
        assert!(standing.tries(false, now + SECOND), "if there is any");
        standing.answered(&RULES);
        assert_eq!(standing.state, State::Up(Row::default()));
        assert_eq!(standing.cool_down, SECOND);
    }

    #[test]
    fn one_failure_ends_a_probation() {
        let now = Instant::now();
        for blame in [Blame::Path, Blame::PathOrQuestion] {
            let mut standing = on_probation(now);
            assert!(standing.tries(true, now));
            standing.not_listed(Blame::Path, &RULES, now);
            assert!(!is_down(&standing), "the request that tries it says more");
            fail(&mut standing, blame, "a", now);
            assert!(is_down(&standing), "it still answers no calls");
            assert!(!standing.tries(true, now + SECOND), "and waits longer now");
            assert!(standing.tries(true, now + 2 * SECOND));
        }
    }

    /// One that is alone and went down now.
    fn down_alone(now: Instant) -> Standing {
        let mut standing = Standing::new(&RULES, true);
        (0..2).for_each(|_| fail(&mut standing, Blame::Path, "a", now));
        assert_eq!(standing.down(), Some((now, now + SECOND)));
        standing
    }

    #[test]
    fn alone_it_is_tried_by_one_request_at_a_time_and_never_kept_out_for_long() {
        let start = Instant::now();
        let (mut now, mut standing) = (start, down_alone(start));
        for seconds in [1, 2, 3, 3] {
            assert!(!standing.tries_alone(now + seconds * SECOND - Duration::from_millis(1)), "{seconds}");
            now += seconds * SECOND;
            assert!(standing.tries_alone(now), "{seconds}");
            assert!(!standing.tries_alone(now), "one at a time: {seconds}");
            fail(&mut standing, Blame::PathOrQuestion, "a", now);
            assert_eq!(
                standing.down(),
                Some((start, now + standing.cool_down.min((seconds + 1) * SECOND).min(3 * SECOND)))
            );
        }
        now += 3 * SECOND;
        assert!(standing.tries_alone(now));
        assert!(standing.tries_alone(now + 3 * SECOND), "the first takes long");
        standing.answered(&RULES);
        assert_eq!(standing, Standing { epoch: standing.epoch, ..Standing::new(&RULES, true) });
        let long = Failover { longest_cool_down: 1000 * SECOND, ..RULES };
        for _ in 0..20 {
            standing.go_down(&long, now);
        }
        assert_eq!(standing.cool_down, LONGEST_ALONE);
    }

    #[test]
    fn alone_it_goes_down_with_what_a_listing_confirms() {
        let now = Instant::now();
        let mut standing = Standing::new(&RULES, true);
        for asked in ["a", "b", "a", "b"] {
            fail(&mut standing, Blame::PathOrQuestion, asked, now);
        }
        assert!(standing.in_doubt(&RULES) && !is_down(&standing), "a third tool may work");
        let mut unlisted = standing.clone();
        unlisted.not_listed(Blame::PathOrQuestion, &RULES, now);
        assert!(is_down(&unlisted));
        standing.listed(&RULES, now);
        assert!(!standing.in_doubt(&RULES));
        for _ in 0..9 {
            standing.not_listed(Blame::PathOrQuestion, &RULES, now);
        }
        assert!(!is_down(&standing), "no call has failed since");
        for _ in 0..2 {
            standing.not_listed(Blame::Path, &RULES, now);
        }
        assert!(is_down(&standing), "there is no server");
    }

    #[test]
    fn alone_it_is_up_again_with_its_lists_and_lists_that_fail_keep_no_call_out() {
        let now = Instant::now();
        let mut standing = down_alone(now);
        standing.not_listed(Blame::PathOrQuestion, &RULES, now + SECOND);
        assert!(standing.tries_alone(now + SECOND), "a call may do better");
        let State::Down { listing, .. } = standing.state else { panic!("{standing:?}") };
        assert_eq!(listing, now + 3 * SECOND, "and lists are not asked for all the time");
        standing.listed(&RULES, now);
        assert_eq!(standing.state, State::Up(Row::default()));
    }
}
