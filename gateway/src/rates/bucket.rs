//! One bucket: what is in it now, as a function of time; and what of a bucket that replicas share this one has taken ahead. Reads no
//! clock and asks nobody.

use std::time::Duration;

/// What was taken ahead and is not used by then goes back.
pub(super) const LEASE: Duration = Duration::from_secs(1);

/// How a bucket is filled: with `most` in a `period`, and to `most` at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) most: u64,
    pub(super) period: Duration,
}

#[derive(Debug)]
pub(super) struct Bucket {
    level: f64,
    /// When that was, since the Unix epoch.
    at: Duration,
    /// Taken ahead from what all share.
    ahead: u64,
    until: Duration,
    /// How much was taken at once last.
    batch: u64,
    /// The shared bucket is empty until then.
    closed: Duration,
}

/// What is to be done for one call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lease {
    /// There is one left of what was taken ahead.
    Use,
    /// There is none, and will be none for so long.
    Closed(Duration),
    /// More is to be taken.
    Ask(Wanted),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) want: u64,
    /// Was taken, and not used in time.
    pub(super) back: u64,
}

impl Rate {
    pub(super) fn per_second(&self) -> f64 {
        self.most as f64 / self.period.as_secs_f64()
    }

    /// What may be taken ahead at once: so little that other replicas are not kept waiting for it.
    fn most_ahead(&self) -> u64 {
        (self.most / 10).max(1)
    }
}

impl Bucket {
    /// A full one.
    pub(super) fn new(rate: &Rate) -> Self {
        let level = rate.most as f64;
        Self { level, at: Duration::ZERO, ahead: 0, until: Duration::ZERO, batch: 0, closed: Duration::ZERO }
    }

    /// Takes one; else how long until there is one.
    pub(super) fn take(&mut self, rate: &Rate, now: Duration) -> Result<(), Duration> {
        self.fill(rate, now);
        if self.level >= 1.0 {
            self.level -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - self.level) / rate.per_second()))
    }

    /// One that was taken was not used.
    pub(super) fn give_back(&mut self, rate: &Rate) {
        self.level = (self.level + 1.0).min(rate.most as f64);
        if self.batch > 0 {
            self.ahead += 1;
        }
    }

    /// Takes one of what was taken ahead, if there is any.
    pub(super) fn leased(&mut self, rate: &Rate, now: Duration) -> Lease {
        if now < self.closed {
            return Lease::Closed(self.closed - now);
        }
        let in_time = now < self.until;
        if in_time && self.ahead > 0 {
            self.ahead -= 1;
            self.note(rate, now);
            return Lease::Use;
        }
        let back = std::mem::take(&mut self.ahead);
        let want = match in_time {
            // It was used up before its time: twice as much.
            true => self.batch * 2,
            // As much as was used of it.
            false => self.batch - back.min(self.batch),
        };
        self.batch = want.clamp(1, rate.most_ahead());
        Lease::Ask(Wanted { want: self.batch, back })
    }

    /// `taken` were taken ahead, of which one is used now; or none, and there is none for `wait`.
    pub(super) fn lease(&mut self, rate: &Rate, now: Duration, taken: u64, wait: Duration) -> Result<(), Duration> {
        let Some(rest) = taken.checked_sub(1) else {
            self.closed = now + wait;
            return Err(wait);
        };
        (self.ahead, self.until) = (rest, now + LEASE);
        self.note(rate, now);
        Ok(())
    }

    /// Counts one here too: if what all share is lost, this replica goes on with what it has used itself.
    fn note(&mut self, rate: &Rate, now: Duration) {
        let _ = self.take(rate, now);
    }

    fn fill(&mut self, rate: &Rate, now: Duration) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.level = (self.level + passed * rate.per_second()).min(rate.most as f64);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { most: 100, period: Duration::from_secs(10) };

    fn at(millis: u64) -> Duration {
        Duration::from_secs(1000) + Duration::from_millis(millis)
    }

    #[test]
    fn a_full_bucket_gives_all_at_once_and_then_evenly() {
        let mut bucket = Bucket::new(&RATE);
        assert_eq!((0..200).filter(|_| bucket.take(&RATE, at(0)).is_ok()).count(), 100);
        assert_eq!(bucket.take(&RATE, at(0)), Err(Duration::from_millis(100)));
        assert_eq!(bucket.take(&RATE, at(50)), Err(Duration::from_millis(50)));
        assert_eq!(bucket.take(&RATE, at(100)), Ok(()));
        assert_eq!((0..200).filter(|_| bucket.take(&RATE, at(1100)).is_ok()).count(), 10);
        assert_eq!((0..200).filter(|_| bucket.take(&RATE, at(999_999)).is_ok()).count(), 100, "never more than full");
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let mut bucket = Bucket::new(&RATE);
        while bucket.take(&RATE, at(1000)).is_ok() {}
        assert!(bucket.take(&RATE, at(0)).is_err());
        assert!(bucket.take(&RATE, at(0)).is_err());
    }

    /// What a call at `now` asks the others for, if anything, who have plenty.
    fn asks(bucket: &mut Bucket, now: Duration) -> Option<(u64, u64)> {
        match bucket.leased(&RATE, now) {
            Lease::Use => None,
            Lease::Closed(_) => panic!("there is plenty"),
            Lease::Ask(Wanted { want, back }) => {
                bucket.lease(&RATE, now, want, Duration::ZERO).unwrap();
                Some((want, back))
            }
        }
    }

    #[test]
    fn who_calls_often_asks_for_more_at_once() {
        let mut bucket = Bucket::new(&RATE);
        let asked: Vec<_> = (0..40).filter_map(|_| asks(&mut bucket, at(0))).collect();
        assert_eq!(asked, [(1, 0), (2, 0), (4, 0), (8, 0), (10, 0), (10, 0), (10, 0)]);
        // What is left of the last batch goes back, and the next is as large as what was used of it.
        assert_eq!(asks(&mut bucket, at(2000)), Some((5, 5)));
        assert_eq!(asks(&mut bucket, at(4000)), Some((1, 4)));
        assert_eq!(asks(&mut bucket, at(6000)), Some((1, 0)));
    }

    #[test]
    fn an_empty_one_is_not_asked_again_before_its_time() {
        let mut bucket = Bucket::new(&RATE);
        assert!(matches!(bucket.leased(&RATE, at(0)), Lease::Ask(_)));
        assert_eq!(bucket.lease(&RATE, at(0), 0, Duration::from_millis(70)), Err(Duration::from_millis(70)));
        assert_eq!(bucket.leased(&RATE, at(30)), Lease::Closed(Duration::from_millis(40)));
        assert!(matches!(bucket.leased(&RATE, at(70)), Lease::Ask(_)));
    }

    #[test]
    fn who_is_left_alone_goes_on_with_what_he_has_used() {
        let mut bucket = Bucket::new(&RATE);
        for _ in 0..60 {
            asks(&mut bucket, at(0));
        }
        assert_eq!((0..200).filter(|_| bucket.take(&RATE, at(0)).is_ok()).count(), 40);
    }
}
