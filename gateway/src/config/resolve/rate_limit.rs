//! Resolves the list `[[rate_limits]]`.

use std::time::Duration;

use super::{
    super::{
        RateLimit,
        file::{self, rate_limit::Per},
        located::{Located, Member},
    },
    MOST_COUNT, MOST_SECONDS, Resolver,
};

impl Resolver<'_> {
    pub(super) fn rate_limits(&mut self, member: &Member<Vec<Located<file::RateLimit>>>) -> Option<Vec<RateLimit>> {
        let limits = member.as_ref().map_or(&[][..], |limits| &limits.value);
        let resolved: Vec<_> = limits.iter().map(|limit| self.rate_limit(limit)).collect();
        resolved.into_iter().collect()
    }

    fn rate_limit(&mut self, Located { value: limit, at }: &Located<file::RateLimit>) -> Option<RateLimit> {
        let calls = self.required(at, "rate_limits.calls", &limit.calls, "600");
        if let Some(calls) = calls.filter(|calls| calls.value > MOST_COUNT) {
            let message = format!("`rate_limits.calls` takes 0 to {MOST_COUNT}, not {}", calls.value);
            self.findings.report(&calls.at, message);
        }
        let seconds = &limit.seconds;
        let seconds = self.number("rate_limits.seconds", seconds, 1..=MOST_SECONDS, file::rate_limit::PERIOD_SECONDS);
        let tools = limit.tools.as_ref().map(|tools| {
            if tools.value.is_empty() {
                let message = "`rate_limits.tools` is empty, which would limit nothing; leave it out for all calls";
                self.findings.report(&tools.at, message);
            }
            self.patterns("rate_limits.tools", &tools.value)
        });
        let per = limit.per.as_ref().map_or(Per::Caller, |per| per.value);
        Some(RateLimit { calls: calls?.value, period: Duration::from_secs(seconds), per, tools })
    }
}
