//! A router as an AWS Lambda function behind API Gateway: takes events, gives documents, one after the other, for as long as
//! Lambda wants. Knows nothing of what the router does; between two events the process may stand still.
//!
//! Source: Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes". `lambda_http` is not used, though it does the
//! same: of a header that a REST API passes on twice it keeps one value, and a `Host` that is no host makes it panic.

mod answer;
pub(crate) mod event;

use std::{sync::Arc, time::Duration};

use anyhow::anyhow;
use axum::{body::Body, response::Response};
use causeway_oidc::clock::Clock;
use http::Request;
use http_body_util::BodyExt;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::value::RawValue;
use tokio::time::timeout;

use self::event::{BadEvent, Event};
use crate::{http::InOnePiece, inbound::Vouched};

/// Before Lambda would end the function, for what is to be settled, and for the answer to be written and sent.
const MARGIN: Duration = Duration::from_millis(500);
/// No event has more time (Lambda's quotas, "Function timeout").
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// What events are read by.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// What clients' URLs have before the paths of the router: empty, or beginning with `/`.
    pub(crate) base: String,
    /// A token that API Gateway's authorizer has verified is not verified again.
    pub(crate) trusts_authorizer: bool,
    pub(crate) clock: Clock,
}

/// Answers events with `answer` until Lambda ends the process. `settle` is done after the last byte of each answer, and also where there
/// was none in time: what it does not end may stand still for long, or never be done. It has less time than is left then.
///
/// # Errors
/// Lambda's Runtime API cannot be asked.
pub(crate) async fn run<A, F, S, G>(reading: Reading, answer: A, settle: S) -> anyhow::Result<()>
where
    A: Fn(Request<Body>) -> F,
    F: Future<Output = Response>,
    S: Fn() -> G,
    G: Future<Output = ()>,
{
    let shared = Arc::new((reading, answer, settle));
    let service = service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let shared = Arc::clone(&shared);
        async move {
            let (reading, answer, settle) = &*shared;
            reading.answer(&event.payload, &event.context, answer, settle).await
        }
    });
    Runtime::new(service).run().await.map_err(|error| anyhow!("Lambda's Runtime API cannot be asked: {error}"))
}

impl Reading {
    async fn answer<F: Future<Output = Response>, G: Future<Output = ()>>(
        &self,
        document: &RawValue,
        context: &Context,
        answer: impl Fn(Request<Body>) -> F,
        settle: impl Fn() -> G,
    ) -> Result<Box<RawValue>, Diagnostic> {
        // The runtime logs it.
        let bad = |error: BadEvent| Diagnostic { error_type: "BadEvent".into(), error_message: error.to_string() };
        let mut event = Event::read(document.get(), &self.base).map_err(bad)?;
        if let Some(claims) = event.verified.filter(|_| self.trusts_authorizer) {
            event.request.extensions_mut().insert(Vouched(claims));
        }
        event.request.extensions_mut().insert(InOnePiece);
        let (format, asked) = (event.format, event.body);
        let whole = async {
            let (head, body) = answer(event.request).await.into_parts();
            (head, body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default())
        };
        let left = self.left(context);
        let came = timeout(left, whole).await;
        settle().await;
        match came {
            Ok((head, body)) => Ok(answer::document(format, head, &body, &asked)),
            Err(_) => {
                tracing::warn!(request.id = %context.request_id, "no answer within the {left:?} that Lambda leaves");
                Ok(answer::refusal(format, &asked, &late(left)))
            }
        }
    }

    /// Until an answer must be there. Without bound where no time is said, or none that can be meant: cargo-lambda's emulator says ten
    /// minutes after 1970 began.
    fn left(&self, context: &Context) -> Duration {
        let (now, deadline) = (self.clock.now(), Duration::from_millis(context.deadline));
        if deadline + LONGEST < now {
            return Duration::MAX;
        }
        deadline.saturating_sub(now).saturating_sub(MARGIN)
    }
}

fn late(left: Duration) -> String {
    format!(
        "there was no answer within the {left:.1?} that this Lambda function has: what was asked may or may not have been carried out, so check before you repeat it"
    )
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        future::{pending, ready},
        sync::Mutex,
    };

    use bytes::Bytes;
    use futures::stream;
    use serde_json::json;

    use super::*;

    type Told = Arc<Mutex<Vec<&'static str>>>;

    /// Tells its end.
    struct Ending(Told);

    impl Drop for Ending {
        fn drop(&mut self) {
            self.0.lock().unwrap().push("the request is over");
        }
    }

    fn reading() -> Reading {
        Reading { base: String::new(), trusts_authorizer: false, clock: Clock::system() }
    }

    fn until(deadline: Duration) -> Context {
        let mut context = Context::default();
        context.deadline = u64::try_from(deadline.as_millis()).unwrap();
        context
    }

    async fn answered<F: Future<Output = Response>>(deadline: Duration, answer: impl Fn(Ending) -> F) -> String {
        let told = Told::default();
        let event = json!({"httpMethod": "GET", "path": "/", "requestContext": {}});
        let event = serde_json::value::to_raw_value(&event).unwrap();
        let settle = async || told.lock().unwrap().push("settled");
        let answer = |_| answer(Ending(Arc::clone(&told)));
        let document = reading().answer(&event, &until(deadline), answer, settle).await.unwrap();
        assert_eq!(*told.lock().unwrap(), ["the request is over", "settled"]);
        document.get().to_owned()
    }

    #[tokio::test]
    async fn what_is_settled_is_so_after_the_last_byte() {
        let document = answered(Clock::system().now() + Duration::from_secs(60), |ending| {
            let bytes = stream::once(async move {
                let _ending = ending;
                Ok::<_, Infallible>(Bytes::from_static(b"{}"))
            });
            ready(Response::new(Body::from_stream(bytes)))
        })
        .await;
        assert!(document.contains(r#""body":"{}""#), "{document}");
    }

    #[tokio::test]
    async fn and_where_there_is_no_answer_in_time() {
        let document = answered(Clock::system().now(), async |ending| {
            let _ending = ending;
            pending().await
        })
        .await;
        assert!(document.contains("there was no answer"), "{document}");
    }

    #[test]
    fn a_time_that_cannot_be_meant_bounds_nothing() {
        let left = |deadline: Duration| reading().left(&until(deadline));
        let now = Clock::system().now();
        assert_eq!(left(Duration::ZERO), Duration::MAX);
        assert_eq!(left(Duration::from_secs(600)), Duration::MAX);
        assert_eq!(left(now - Duration::from_secs(1)), Duration::ZERO);
        assert_eq!(left(now + MARGIN / 2), Duration::ZERO);
        assert!(left(now + Duration::from_secs(60)) <= Duration::from_secs(60));
    }
}
