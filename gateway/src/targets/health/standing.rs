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
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    Up(Row),
    Down {
        /// When it is to be tried again.
        until: Instant,
        /// A request tries it now.
        trying: bool,
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
    pub(super) fn new(rules: &Failover) -> Self {
        Self { epoch: 0, state: State::Up(Row::default()), cool_down: rules.cool_down }
    }

    /// It answered a call.
    pub(super) fn answered(&mut self, rules: &Failover) {
        self.cool_down = rules.cool_down;
        match &mut self.state {
            State::Up(row) => *row = Row::default(),
            State::Down { .. } | State::Probation { .. } => self.turn(State::Up(Row::default())),
        }
    }

    /// A call failed that was for `asked`.
    pub(super) fn failed(&mut self, blame: Blame, asked: &Arc<str>, rules: &Failover, now: Instant) {
        match &mut self.state {
            _ if blame == Blame::Nobody => (),
            State::Up(row) => {
                row.failures += 1;
                // Two questions that have nothing in common but the path.
                row.proven |= blame == Blame::Path || row.asked.as_ref().is_some_and(|before| before != asked);
                row.asked.get_or_insert_with(|| Arc::clone(asked));
                if row.failures >= rules.failures && row.proven {
                    self.go_down(rules, now);
                }
            }
            // It was asked in need, and everybody knows that it is down.
            State::Down { until, trying: false } if now < *until => (),
            State::Down { .. } | State::Probation { .. } => self.go_down(rules, now),
        }
    }

    /// It gave its lists.
    pub(super) fn listed(&mut self, rules: &Failover, now: Instant) {
        match &mut self.state {
            State::Up(row) => (row.failures, row.proven) = (0, false),
            State::Down { until, trying: false } if now >= *until => {
                self.turn(State::Probation { reserved: now + rules.cool_down, trying: false });
            }
            State::Down { .. } | State::Probation { .. } => (),
        }
    }

    /// It gave no list.
    pub(super) fn not_listed(&mut self, rules: &Failover, now: Instant) {
        match &mut self.state {
            State::Up(row) => {
                (row.failures, row.proven) = (row.failures + 1, true);
                if row.failures >= rules.failures {
                    self.go_down(rules, now);
                }
            }
            // The request that tries it says more.
            State::Down { trying: true, .. } | State::Probation { trying: true, .. } => (),
            State::Down { until, .. } if now < *until => (),
            State::Down { .. } | State::Probation { .. } => self.go_down(rules, now),
        }
    }

    /// Whether a request tries it from now on, one that nothing is lost with (`harmless`) or another one.
    pub(super) fn tries(&mut self, harmless: bool, now: Instant) -> bool {
        match &mut self.state {
            State::Down { until, trying } if !*trying && harmless && now >= *until => *trying = true,
            State::Probation { reserved, trying } if !*trying && (harmless || now >= *reserved) => *trying = true,
            _ => return false,
        }
        true
    }

    /// The request that tries it came to nothing.
    pub(super) fn gave_up(&mut self) {
        if let State::Down { trying, .. } | State::Probation { trying, .. } = &mut self.state {
            *trying = false;
        }
    }

    /// Whether it would be down if its failures were no fault of one question, which a listing can tell.
    pub(super) fn in_doubt(&self, rules: &Failover) -> bool {
        matches!(&self.state, State::Up(row) if row.failures >= rules.failures)
    }

    fn go_down(&mut self, rules: &Failover, now: Instant) {
        self.turn(State::Down { until: now + self.cool_down, trying: false });
        self.cool_down = (self.cool_down * 2).min(rules.longest_cool_down);
    }

    fn turn(&mut self, state: State) {
        self.epoch += 1;
        self.state = state;
    }
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
        standing.failed(blame, &asked.into(), &RULES, now);
    }

    /// One that went down now.
    fn down(now: Instant) -> Standing {
        let mut standing = Standing::new(&RULES);
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
        let mut standing = Standing::new(&RULES);
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
        unlisted.not_listed(&RULES, now);
        assert!(is_down(&unlisted), "nor does it give its lists");
        fail(&mut standing, Blame::PathOrQuestion, "b", now);
        assert!(is_down(&standing), "another question has failed too");
    }

    #[test]
    fn an_answer_ends_the_row() {
        let now = Instant::now();
        let mut standing = Standing::new(&RULES);
        for asked in ["a", "b", "a", "b"] {
            fail(&mut standing, Blame::PathOrQuestion, asked, now);
            standing.answered(&RULES);
        }
        assert_eq!(standing, Standing::new(&RULES));
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
            standing.not_listed(&RULES, now);
            assert!(!is_down(&standing), "the request that tries it says more");
            fail(&mut standing, blame, "a", now);
            assert!(is_down(&standing), "it still answers no calls");
            assert!(!standing.tries(true, now + SECOND), "and waits longer now");
            assert!(standing.tries(true, now + 2 * SECOND));
        }
    }
}
