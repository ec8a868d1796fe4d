//! Repeats a request that AWS refused for the moment: too many at once, too many a second, or a fault of its own. Waits
//! longer each time, by chance a little more or less, so that several servers do not come back together.

use std::{error::Error, time::Duration};

use aws_sdk_cloudwatchlogs::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

use super::refusal::{Journey, Refusal};
use crate::cloudwatch_insights::call::{Call, Interrupted};

/// Wait after the first refusal. Doubled after each...
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// ...up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How often a fault of AWS or of the network is borne.
const FAULTS: u32 = 2;

/// What it costs to ask twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    Reads,
    /// A query that runs, is billed, and that nobody knows the id of.
    Starts,
}

/// What a refusal means for the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// AWS wants it later: it will pass when others are done.
    Later,
    /// It may have been bad luck.
    Fault,
    /// It would be refused again.
    Final,
}

/// Sends until AWS answers, refuses for good, or the call ends.
///
/// What is refused for the moment is sent again as long as the call lasts; when it has lasted too long, the last refusal
/// is the error. A request in flight is not given up. What AWS may have carried out is not sent again, if that has an
/// effect.
pub(super) async fn patiently<T, E, F>(
    operation: &'static str,
    effect: Effect,
    call: &Call,
    mut send: impl FnMut() -> F,
) -> Result<T, Refusal<E>>
where
    E: ProvideErrorMetadata + Error + 'static,
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
{
    let (mut wait, mut faults) = (FIRST_WAIT, 0);
    loop {
        let error = match send().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match verdict(&error, effect) {
            Verdict::Later => {}
            Verdict::Fault if faults < FAULTS => faults += 1,
            Verdict::Fault | Verdict::Final => return Err(Refusal::given(operation, error)),
        }
        let why = error.code().unwrap_or("no answer");
        tracing::debug!("{operation}: `{why}`; asking again in about {wait:?}");
        call.progress.say(format!("{operation} is asked again: {why}")).await;
        match call.pause(jittered(wait)).await {
            Ok(()) => wait = (wait * 2).min(LONGEST_WAIT),
            Err(Interrupted::Deadline(_)) => return Err(Refusal::given(operation, error)),
            Err(Interrupted::Cancelled) => return Err(Refusal::Withdrawn),
        }
    }
}

fn verdict<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E, HttpResponse>, effect: Effect) -> Verdict {
    let status = error.raw_response().map(|response| response.status().as_u16());
    match (error.code(), status) {
        (
            Some(
                "LimitExceededException"
                | "RequestLimitExceeded"
                | "SlowDown"
                | "Throttling"
                | "ThrottlingException"
                | "ThrottledException"
                | "TooManyRequestsException",
            ),
            _,
        )
        | (_, Some(429)) => return Verdict::Later,
        // AWS says itself that it did nothing; what stands in between does not know.
        (Some(_), Some(500 | 503)) => return Verdict::Fault,
        (_, Some(500..)) if effect == Effect::Reads => return Verdict::Fault,
        _ => {}
    }
    match (error, Journey::of(error), effect) {
        (_, Journey::NotSent, _) => Verdict::Fault,
        // Not after a time limit: it would take as long again.
        (SdkError::DispatchFailure(failure), _, Effect::Reads) if failure.is_io() => Verdict::Fault,
        _ => Verdict::Final,
    }
}

/// Between a half and the whole of it.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(1.0 - fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_differ_and_stay_within_bounds() {
        let waits: Vec<_> = (0..100).map(|_| jittered(LONGEST_WAIT)).collect();
        assert!(waits.iter().all(|wait| (LONGEST_WAIT / 2..=LONGEST_WAIT).contains(wait)), "{waits:?}");
        assert!(waits.iter().any(|wait| *wait != waits[0]));
    }
}
