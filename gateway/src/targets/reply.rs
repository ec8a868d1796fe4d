//! What comes back for one request: notifications that belong to it, then its one answer.

use std::{fmt, pin::Pin, time::Duration};

use causeway_core::{canonical::Response, name::TargetName};
use futures::{Stream, StreamExt, stream};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::{Fault, TargetError};

/// The reply to one request: from an adapter with bare faults, from a target with its name in them.
pub enum Reply<E = TargetError> {
    /// The answer alone.
    Whole(Response),
    /// Notifications, then the answer or a fault, then nothing. Dropping it cancels the request.
    Stream(Pin<Box<dyn Stream<Item = Result<Event, E>> + Send>>),
}

/// One message of a reply.
#[derive(Debug)]
pub enum Event {
    /// A JSON-RPC notification, as the target wrote it.
    Notification(String),
    /// The answer.
    Last(Response),
}

impl Reply<Fault> {
    /// The answer; notifications before it are passed over.
    pub(super) async fn last(self) -> Result<Response, Fault> {
        let mut events = match self {
            Self::Whole(response) => return Ok(response),
            Self::Stream(events) => events,
        };
        loop {
            match events.next().await {
                Some(Ok(Event::Last(response))) => return Ok(response),
                Some(Ok(Event::Notification(_))) => (),
                Some(Err(fault)) => return Err(fault),
                None => return Err(ended()),
            }
        }
    }

    /// The same reply, ended by a fault at `deadline`, when the call has had all of `limit`; it holds `permit` as long as
    /// it runs.
    pub(super) fn bounded(
        self,
        target: TargetName,
        deadline: Instant,
        limit: Duration,
        permit: OwnedSemaphorePermit,
    ) -> Reply {
        let events = match self {
            Self::Whole(response) => return Reply::Whole(response),
            Self::Stream(events) => events,
        };
        let state = Some((events, target, permit));
        Reply::Stream(Box::pin(stream::unfold(state, move |state| async move {
            let (mut events, target, permit) = state?;
            let fault = match tokio::time::timeout_at(deadline, events.next()).await {
                Ok(Some(Ok(event @ Event::Notification(_)))) => {
                    return Some((Ok(event), Some((events, target, permit))));
                }
                Ok(Some(Ok(last))) => return Some((Ok(last), None)),
                Ok(Some(Err(fault))) => fault,
                Ok(None) => ended(),
                Err(_) => Fault::Silent(limit),
            };
            Some((Err(TargetError { target, fault }), None))
        })))
    }

    /// A reply that reads its messages with `next` until that gives the last one.
    pub(super) fn reading<S>(source: S) -> Self
    where
        S: EventSource + Send + Unpin + 'static,
    {
        Self::Stream(Box::pin(stream::unfold(Some(source), |source| async move {
            let mut source = source?;
            match source.next_event().await {
                Ok(event @ Event::Notification(_)) => Some((Ok(event), Some(source))),
                end => Some((end, None)),
            }
        })))
    }
}

/// Where the messages of a reply come from.
pub(super) trait EventSource {
    /// The next message; not called again after the answer or a fault.
    fn next_event(&mut self) -> impl Future<Output = Result<Event, Fault>> + Send;
}

fn ended() -> Fault {
    Fault::BrokenOff("it ended before the answer".into())
}

impl<E> fmt::Debug for Reply<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(response) => write!(f, "Whole({response:?})"),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}
