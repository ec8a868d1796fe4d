//! When a request that a target surely did not carry out is sent again: a bounded number of times, later each time, as long as
//! somebody still waits. Sends nothing itself.

use std::time::Duration;

use causeway_aws::call::back_off;
use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use tokio::time::Instant;

/// Tries of one request, the first among them.
const TRIES: u32 = 4;

/// The tries of one request.
#[derive(Debug)]
pub(super) struct Tries {
    made: u32,
    /// Nobody waits longer than this for the beginning of a try.
    until: Instant,
}

impl Tries {
    /// The first is being made.
    pub(super) fn new(patience: Duration) -> Self {
        Self { made: 1, until: Instant::now() + patience }
    }

    /// How long to wait before the next try, at least as long as was `asked`; `None` if there is none.
    pub(super) fn pause(&mut self, asked: Duration) -> Option<Duration> {
        let pause = back_off(self.made).max(asked);
        self.made += 1;
        // A target may ask for more than any clock holds.
        let in_time = Instant::now().checked_add(pause).is_some_and(|then| then <= self.until);
        (self.made <= TRIES && in_time).then_some(pause)
    }
}

/// How long an answer asks to wait that says that the request was not taken: 429 or 503 with `Retry-After` in seconds. The
/// form with a date is not read: whoever gives a date means longer than a call waits.
///
/// Source: RFC 9110, section 10.2.3; RFC 6585, section 4.
pub(super) fn asked(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    if !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_that_say_so_ask_to_wait() {
        let check = |status: u16, after: Option<&str>, expected: Option<u64>| {
            let mut headers = HeaderMap::new();
            after.map(|after| headers.insert(RETRY_AFTER, after.parse().unwrap()));
            let asked = asked(StatusCode::from_u16(status).unwrap(), &headers);
            assert_eq!(asked, expected.map(Duration::from_secs), "{status} {after:?}");
        };
        check(429, Some("3"), Some(3));
        check(503, Some(" 0 "), Some(0));
        check(503, None, None);
        check(429, Some("Wed, 21 Oct 2026 07:28:00 GMT"), None);
        check(429, Some("-1"), None);
        check(500, Some("3"), None);
        check(200, Some("3"), None);
    }

    #[test]
    fn tries_are_few_and_end_with_the_patience() {
        let mut tries = Tries::new(Duration::from_secs(3600));
        let pauses: Vec<_> = std::iter::from_fn(|| tries.pause(Duration::ZERO)).collect();
        assert_eq!(pauses.len(), 3);
        assert!(Tries::new(Duration::from_secs(5)).pause(Duration::from_secs(6)).is_none());
        assert!(Tries::new(Duration::from_secs(5)).pause(Duration::from_secs(u64::MAX)).is_none());
        let asked = Duration::from_secs(60);
        assert_eq!(Tries::new(Duration::from_secs(3600)).pause(asked), Some(asked));
    }
}
