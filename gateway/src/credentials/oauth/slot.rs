//! When a token may be used, when the next is fetched, and when neither: the state of one target's token as a function
//! of time. Does no IO and reads no clock.

use std::time::Duration;

use http::HeaderValue;

use super::super::{CredentialError, Generation};

/// See [`super::ClientCredentials::FORCE_INTERVAL`].
pub(super) const FORCE_INTERVAL: Duration = Duration::from_secs(30);

/// After a failed request, nobody asks again for this long.
pub(super) const COOL_DOWN: Duration = Duration::from_secs(2);

/// Assumed when a token response has no `expires_in`, which RFC 6749 only recommends.
const ASSUMED_LIFETIME: Duration = Duration::from_secs(300);

/// A token that lives shorter is used this long all the same, or those who wait for it would each fetch one.
const SHORTEST_LIFETIME: Duration = Duration::from_secs(1);

/// The token of one target over time. All times are since the Unix epoch.
#[derive(Default)]
pub(super) struct Slot {
    token: Option<Token>,
    failed: Option<(Duration, CredentialError)>,
    /// When a token was last thrown away because the target refused it.
    forced: Option<Duration>,
    /// Tokens so far.
    generations: Generation,
}

/// A token as it is shown.
#[derive(Clone)]
pub(super) struct Token {
    /// `Bearer ...`, marked sensitive.
    pub(super) header: HeaderValue,
    pub(super) generation: Generation,
    refresh_at: Duration,
    expires_at: Duration,
}

/// A token as it was given.
pub(super) struct Granted {
    pub(super) header: HeaderValue,
    pub(super) lifetime: Option<Duration>,
}

/// What to do now.
pub(super) enum Offer {
    Use(Token),
    /// The token is good, and it is time for the next.
    UseAndRefresh(Token),
    /// There is no token, and the last request failed like this just now.
    CoolDown(CredentialError),
    /// There is no token.
    Fetch,
}

impl Slot {
    pub(super) fn offer(&self, now: Duration) -> Offer {
        let failed = self.failed.as_ref().filter(|(at, _)| now.saturating_sub(*at) < COOL_DOWN);
        match (self.token.as_ref().filter(|token| now < token.expires_at), failed) {
            (Some(token), None) if now >= token.refresh_at => Offer::UseAndRefresh(token.clone()),
            (Some(token), _) => Offer::Use(token.clone()),
            (None, Some((_, error))) => Offer::CoolDown(error.clone()),
            (None, None) => Offer::Fetch,
        }
    }

    /// Takes a new token, whose life is counted from when it was asked for.
    pub(super) fn store(&mut self, granted: Granted, asked_at: Duration) -> Token {
        let lifetime = granted.lifetime.unwrap_or(ASSUMED_LIFETIME).max(SHORTEST_LIFETIME);
        self.generations += 1;
        self.failed = None;
        let token = Token {
            header: granted.header,
            generation: self.generations,
            refresh_at: asked_at.saturating_add(lifetime / 10 * 9),
            expires_at: asked_at.saturating_add(lifetime),
        };
        self.token.insert(token).clone()
    }

    /// A request failed. A token that is there stays until it expires.
    pub(super) fn fail(&mut self, error: CredentialError, now: Duration) {
        self.failed = Some((now, error));
    }

    /// The target refused this generation. If it is the current one it is thrown away, but only once in
    /// [`FORCE_INTERVAL`]. False: keep it, there will be no other.
    pub(super) fn refuse(&mut self, generation: Generation, now: Duration) -> bool {
        if self.token.as_ref().is_none_or(|token| token.generation != generation) {
            return true;
        }
        if self.forced.is_some_and(|forced| now.saturating_sub(forced) < FORCE_INTERVAL) {
            return false;
        }
        self.forced = Some(now);
        self.token = None;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{
        super::super::{Failure, Stage},
        *,
    };

    fn granted(lifetime: Option<u64>) -> Granted {
        Granted { header: HeaderValue::from_static("Bearer t"), lifetime: lifetime.map(Duration::from_secs) }
    }

    fn offered(slot: &Slot, now: u64) -> &'static str {
        match slot.offer(Duration::from_secs(now)) {
            Offer::Use(_) => "use",
            Offer::UseAndRefresh(_) => "refresh",
            Offer::CoolDown(_) => "cool down",
            Offer::Fetch => "fetch",
        }
    }

    fn check(slot: &Slot, expected: &[(u64, &str)]) {
        for (now, expected) in expected {
            assert_eq!(offered(slot, *now), *expected, "at {now}");
        }
    }

    fn error() -> CredentialError {
        let failure = Arc::new(Failure::Interrupted);
        CredentialError { target: "logs".parse().unwrap(), stage: Stage::Token, failure }
    }

    #[test]
    fn a_token_is_used_refreshed_and_gone() {
        let mut slot = Slot::default();
        check(&slot, &[(0, "fetch")]);
        slot.store(granted(Some(3600)), Duration::from_secs(1000));
        check(&slot, &[(1000, "use"), (4239, "use"), (4240, "refresh"), (4599, "refresh"), (4600, "fetch")]);
    }

    #[test]
    fn lifetimes_are_assumed_and_bounded() {
        let mut slot = Slot::default();
        slot.store(granted(None), Duration::ZERO);
        check(&slot, &[(269, "use"), (270, "refresh"), (299, "refresh"), (300, "fetch")]);
        slot.store(granted(Some(0)), Duration::ZERO);
        check(&slot, &[(0, "use"), (1, "fetch")]);
        slot.store(granted(Some(u64::MAX)), Duration::from_secs(1));
        check(&slot, &[(u64::MAX / 2, "use")]);
    }

    #[test]
    fn a_failure_cools_down_and_takes_no_token() {
        let mut slot = Slot::default();
        slot.fail(error(), Duration::from_secs(10));
        check(&slot, &[(10, "cool down"), (11, "cool down"), (12, "fetch")]);
        slot.store(granted(Some(100)), Duration::from_secs(12));
        slot.fail(error(), Duration::from_secs(103));
        check(&slot, &[(103, "use"), (104, "use"), (105, "refresh"), (112, "fetch")]);
        slot.fail(error(), Duration::from_secs(111));
        check(&slot, &[(111, "use"), (112, "cool down"), (113, "fetch")]);
    }

    #[test]
    fn a_refused_token_is_replaced_once_in_a_while() {
        let mut slot = Slot::default();
        let at = Duration::from_secs;
        let first = slot.store(granted(Some(3600)), at(0)).generation;
        assert!(slot.refuse(first, at(100)));
        check(&slot, &[(100, "fetch")]);
        assert!(slot.refuse(first, at(100)), "another who was refused waits for the same fetch");
        let second = slot.store(granted(Some(3600)), at(100)).generation;
        assert!(slot.refuse(first, at(101)), "late news of the first says nothing of the second");
        check(&slot, &[(101, "use")]);
        assert!(!slot.refuse(second, at(101)));
        assert!(!slot.refuse(second, at(129)));
        check(&slot, &[(129, "use")]);
        assert!(slot.refuse(second, at(130)));
        check(&slot, &[(130, "fetch")]);
    }
}
