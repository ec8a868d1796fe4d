//! A router as an AWS Lambda function behind API Gateway: takes events, gives documents, one after the other, for as long as
//! Lambda wants. Knows nothing of what the router does; between two events the process may stand still.
//!
//! Source: Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes". `lambda_http` is not used, though it does the
//! same: of a header that a REST API passes on twice it keeps one value, and a `Host` that is no host makes it panic.

mod answer;
mod event;

use std::{sync::Arc, time::Duration};

use anyhow::anyhow;
use axum::{body::Body, response::Response};
use causeway_oidc::clock::Clock;
use http::Request;
use http_body_util::BodyExt;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::value::RawValue;
use tokio::time::timeout;

use self::event::Event;
use crate::inbound::Vouched;

/// Before Lambda would end the function, for the answer to be written and sent.
const MARGIN: Duration = Duration::from_millis(500);

/// What events are read by.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// What clients' URLs have before the paths of the router: empty, or beginning with `/`.
    pub(crate) base: String,
    /// A token that API Gateway's authorizer has verified is not verified again.
    pub(crate) trusts_authorizer: bool,
    pub(crate) clock: Clock,
}

/// Answers events with `answer` until Lambda ends the process.
///
/// # Errors
/// Lambda's Runtime API cannot be asked.
pub(crate) async fn run<A, F>(reading: Reading, answer: A) -> anyhow::Result<()>
where
    A: Fn(Request<Body>) -> F,
    F: Future<Output = Response>,
{
    let (reading, answer) = (Arc::new(reading), Arc::new(answer));
    let service = service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let (reading, answer) = (Arc::clone(&reading), Arc::clone(&answer));
        async move { reading.answer(&event.payload, &event.context, &*answer).await }
    });
    Runtime::new(service).run().await.map_err(|error| anyhow!("Lambda's Runtime API cannot be asked: {error}"))
}

impl Reading {
    async fn answer<F: Future<Output = Response>>(
        &self,
        document: &RawValue,
        context: &Context,
        answer: impl Fn(Request<Body>) -> F,
    ) -> Result<Box<RawValue>, Diagnostic> {
        let mut event = Event::read(document.get(), &self.base).map_err(|error| {
            tracing::warn!("{error}");
            Diagnostic { error_type: "BadEvent".into(), error_message: error.to_string() }
        })?;
        if let Some(claims) = event.verified.filter(|_| self.trusts_authorizer) {
            event.request.extensions_mut().insert(Vouched(claims));
        }
        let (format, asked) = (event.format, event.body);
        let whole = async {
            let (head, body) = answer(event.request).await.into_parts();
            (head, body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default())
        };
        let left = self.left(context);
        match timeout(left, whole).await {
            Ok((head, body)) => Ok(answer::document(format, head, &body, &asked)),
            Err(_) => {
                tracing::warn!(request.id = %context.request_id, "no answer within the {left:?} that Lambda leaves");
                Ok(answer::refusal(format, &asked, &late(left)))
            }
        }
    }

    /// Until an answer must be there. Without bound where Lambda says no time, or one that has passed.
    fn left(&self, context: &Context) -> Duration {
        let until = Duration::from_millis(context.deadline).saturating_sub(self.clock.now());
        if until.is_zero() { Duration::MAX } else { until.saturating_sub(MARGIN) }
    }
}

fn late(left: Duration) -> String {
    format!(
        "there was no answer within the {left:.1?} that this Lambda function has: what was asked may or may not have been carried out, so check before you repeat it"
    )
}
