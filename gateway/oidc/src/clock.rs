//! Where time is read. Everything that compares timestamps takes a [`Clock`], so that a test can move time by hand.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// A source of the current time, as a [`Duration`] since the Unix epoch.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Clock {
    /// The machine's own clock.
    #[expect(clippy::disallowed_methods, reason = "the one home of the system clock")]
    pub fn system() -> Self {
        Self::from_fn(|| SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
    }

    /// A clock that asks `now` each time: how a test moves time.
    pub fn from_fn(now: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Time since the Unix epoch.
    pub fn now(&self) -> Duration {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
