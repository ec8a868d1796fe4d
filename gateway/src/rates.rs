//! How often targets may be asked for something: a bucket for each limit and each of those whom it counts together, filled evenly and
//! full at first. Where replicas share a Redis the buckets are there, and each replica takes from them as much at once as it has
//! lately used, so that not every call goes there; where it cannot be reached, each counts for itself.

mod bucket;

use std::{
    fmt,
    sync::{Arc, LazyLock},
    time::Duration,
};

use causeway_core::canonical::Request;
use causeway_oidc::clock::Clock;
use moka::sync::Cache;
use redis::Script;
use tokio::sync::Mutex;

use self::bucket::{Bucket, Lease, Rate};
use crate::{
    config::{Per, RateLimit},
    inbound::Caller,
    opaque::digest_of,
    shared::Shared,
};

/// Buckets of one limit; the least used are forgotten first, which makes them full.
const MOST: u64 = 100_000;

/// Takes from a bucket that all replicas share what it has of what is wanted, and tells how long until it has some if it has none.
/// What was taken and not used comes back.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local most, rate, want, back = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
        local time = redis.call('TIME')
        local now = time[1] + time[2] / 1000000
        local kept = redis.call('HMGET', KEYS[1], 'level', 'at')
        local level, at = tonumber(kept[1]) or most, tonumber(kept[2]) or now
        level = math.min(most, level + back + math.max(0, now - at) * rate)
        local taken = math.min(want, math.floor(level))
        level = level - taken
        redis.call('HSET', KEYS[1], 'level', string.format('%.6f', level), 'at', string.format('%.6f', now))
        redis.call('PEXPIRE', KEYS[1], math.ceil(most / rate * 1000) + 1000)
        local wait = 0
        if taken == 0 then wait = math.ceil((1 - level) / rate * 1000) end
        return {taken, wait}
        ",
    )
});

/// All limits. Clones share their buckets.
#[derive(Clone)]
pub struct Rates {
    limits: Arc<[Arc<Limit>]>,
    shared: Shared,
    clock: Clock,
}

struct Limit {
    rule: RateLimit,
    rate: Rate,
    /// Tells its buckets from those of other limits.
    name: String,
    buckets: Cache<String, Arc<Mutex<Bucket>>>,
    shared: Shared,
    clock: Clock,
}

/// A limit that a call does not keep to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// So many calls in each period, by whom.
    pub calls: u64,
    pub period: Duration,
    pub per: Per,
    /// After so long the same call may be let through.
    pub retry_after: Duration,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, period, per, retry_after } = self;
        let whose = match per {
            Per::Caller => "each caller has",
            Per::Client => "each client has",
            Per::Everyone => "all callers together have",
        };
        let wait = retry_after.as_secs_f64().ceil().max(1.0);
        write!(f, "{whose} {calls} calls in {period:?} (`rate_limits`); retry in {wait} s")
    }
}

impl Rates {
    /// Nobody has called yet.
    pub fn new(rules: &[RateLimit], shared: &Shared, clock: &Clock) -> Self {
        let limits = rules.iter().map(|rule| Arc::new(Limit::new(rule, shared, clock)));
        Self { limits: limits.collect(), shared: shared.clone(), clock: clock.clone() }
    }

    /// Those of another configuration of the same gateway: a limit that it has too goes on with what it has counted, one that says
    /// something else begins anew.
    pub(crate) fn after(&self, rules: &[RateLimit]) -> Self {
        let limits = rules.iter().map(|rule| {
            let known = self.limits.iter().find(|limit| limit.rule == *rule);
            known.map_or_else(|| Arc::new(Limit::new(rule, &self.shared, &self.clock)), Arc::clone)
        });
        Self { limits: limits.collect(), ..self.clone() }
    }

    /// Counts a call of `caller`.
    ///
    /// # Errors
    /// The limit that it does not keep to; then it counts for none.
    pub(crate) async fn take(&self, caller: &Caller, request: &Request) -> Result<(), Exceeded> {
        let mut taken = Vec::new();
        for limit in self.limits.iter().filter(|limit| limit.is_about(request)) {
            let key = limit.key(caller);
            let bucket = limit.buckets.get_with_by_ref(&key, || Arc::new(Mutex::new(Bucket::new(&limit.rate))));
            let mut bucket = bucket.lock_owned().await;
            match limit.take(&mut bucket, &key).await {
                Ok(()) => taken.push((limit, bucket)),
                Err(retry_after) => {
                    taken.iter_mut().for_each(|(limit, bucket)| bucket.give_back(&limit.rate));
                    let RateLimit { calls, period, per, .. } = limit.rule;
                    return Err(Exceeded { calls, period, per, retry_after });
                }
            }
        }
        Ok(())
    }
}

impl Limit {
    fn new(rule: &RateLimit, shared: &Shared, clock: &Clock) -> Self {
        let rate = Rate { most: rule.calls, period: rule.period };
        // A bucket is filled in a period: one that nobody touched for longer is full, as a new one is.
        let buckets = Cache::builder().max_capacity(MOST).time_to_idle(rule.period.max(bucket::LEASE) * 2).build();
        // By what it says and not by its place: replicas of two configurations meet while one is rolled out.
        let name = digest_of(format!("{rule:?}"));
        Self { rule: rule.clone(), rate, name, buckets, shared: shared.clone(), clock: clock.clone() }
    }

    fn is_about(&self, request: &Request) -> bool {
        let Some(patterns) = &self.rule.tools else { return true };
        let name = if request.method == "tools/call" { request.param("name") } else { None };
        name.is_some_and(|name| patterns.iter().any(|pattern| pattern.matches(&name)))
    }

    /// With whose calls a call of `caller` counts.
    fn key(&self, caller: &Caller) -> String {
        match self.rule.per {
            Per::Everyone => String::new(),
            Per::Caller => ["c", &caller.key].concat(),
            Per::Client => caller.client().map_or_else(|| ["c", &caller.key].concat(), |client| ["a", client].concat()),
        }
    }

    /// Takes one; else how long until there is one.
    async fn take(&self, bucket: &mut Bucket, key: &str) -> Result<(), Duration> {
        let now = self.clock.now();
        if self.rule.calls == 0 {
            return Err(self.rule.period);
        }
        if self.shared.is_none() {
            return bucket.take(&self.rate, now);
        }
        let lease = match bucket.leased(&self.rate, now) {
            Lease::Use => return Ok(()),
            Lease::Closed(wait) => return Err(wait),
            Lease::Ask(lease) => lease,
        };
        let key = format!("rate:{}:{}", self.name, digest_of(key));
        let arguments = [self.rate.most as f64, self.rate.per_second(), lease.want as f64, lease.back as f64];
        match self.shared.run(&TAKE, &key, &arguments).await {
            Some((taken, wait)) => bucket.lease(&self.rate, now, taken, Duration::from_millis(wait)),
            None => bucket.take(&self.rate, now),
        }
    }
}

impl fmt::Debug for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rates({} limits)", self.limits.len())
    }
}
