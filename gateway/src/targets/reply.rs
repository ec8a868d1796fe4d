//! What comes back for one request: notifications that belong to it, then its one answer.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use causeway_core::{
    canonical::{Response, tasks},
    name::TargetName,
    wire::{self, Envelope},
};
use futures::{Stream, StreamExt, stream};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit},
    time::Instant,
};

use super::{Fault, Long, Question, Sent, TargetError, Trial, places::Places, reach::Reach};
use crate::calls::Attempt;

/// The reply to one request: from an adapter with bare faults, from a target with its name in them.
pub enum Reply<E = TargetError> {
    /// The answer alone.
    Whole(Response),
    /// Notifications, then the answer or a fault, then nothing. Dropping it cancels the request.
    Stream(Events<E>),
}

/// The messages of a reply.
pub type Events<E> = Pin<Box<dyn Stream<Item = Result<Event, E>> + Send>>;

/// What one side calls a task, from what the other side calls it.
pub type Rename = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What a reply is held to, and what it holds as long as it runs.
#[derive(Debug)]
pub(super) struct Bounds {
    pub(super) target: TargetName,
    pub(super) deadline: Instant,
    /// What the call has from its beginning until `deadline`.
    pub(super) limit: Duration,
    /// Told when the target says in between that its lists changed, which is news for the gateway and not for this caller,
    /// or shows by its answer that they did.
    pub(super) changed: Arc<Notify>,
    /// The call's place among those that run in the target, and where it came from. A call that waits for its client has none:
    /// a client that never answers must not keep others out.
    pub(super) place: Option<OwnedSemaphorePermit>,
    pub(super) places: Arc<Places>,
    /// While it lasts, no other call tries the target.
    pub(super) trial: Option<Trial>,
    /// Told how it ends.
    pub(super) sent: Sent,
    /// For who watches: it ends with the reply.
    pub(super) attempt: Option<Attempt>,
    /// What reaches the target is not let go of while an answer comes by it.
    pub(super) _reach: Arc<Reach>,
}

/// One message of a reply.
#[derive(Debug)]
pub enum Event {
    /// A JSON-RPC notification, as the target wrote it.
    Notification(Envelope),
    /// A legacy target wants something from the client before it goes on. The reply continues once it has its answer.
    Question(Question),
    /// The answer.
    Last(Response),
    /// The answer, while it comes, to a client of the target's own era.
    Long(Long),
}

impl Reply {
    /// The same reply once its first message is there: one that has nothing but an answer becomes [`Reply::Whole`].
    pub async fn begun(self) -> Result<Self, TargetError> {
        let mut events = match self {
            Self::Whole(response) => return Ok(Self::Whole(response)),
            Self::Stream(events) => events,
        };
        match events.next().await {
            Some(Ok(Event::Last(response))) => Ok(Self::Whole(response)),
            Some(Err(error)) => Err(error),
            first => Ok(Self::Stream(Box::pin(stream::iter(first).chain(events)))),
        }
    }

    /// The same reply with each name of a task in it replaced by what `rename` gives.
    pub fn renamed(self, rename: Rename) -> Self {
        match self {
            Self::Whole(response) => Self::Whole(renamed_response(response, &rename)),
            Self::Stream(events) => Self::Stream(Box::pin(events.map(move |event| {
                Ok(match event? {
                    Event::Last(response) => Event::Last(renamed_response(response, &rename)),
                    Event::Question(question) => Event::Question(question.renamed(&rename)),
                    // Nobody asks for one where names of tasks may be in it.
                    Event::Long(long) => Event::Long(long),
                    Event::Notification(message) => {
                        let params = message.params().and_then(|params| tasks::renamed(params, &*rename));
                        let renamed = params.and_then(|params| message.with_params(&params));
                        Event::Notification(renamed.unwrap_or(message))
                    }
                })
            }))),
        }
    }

    /// The same reply with `change` made to its result (JSON text), where it gives one.
    pub fn map_result(self, change: impl Fn(&str) -> Option<String> + Send + 'static) -> Self {
        let change = move |response: Response| match response.result().and_then(&change) {
            Some(result) => response.with_result(&result),
            None => response,
        };
        match self {
            Self::Whole(response) => Self::Whole(change(response)),
            Self::Stream(events) => Self::Stream(Box::pin(events.map(move |event| match event {
                Ok(Event::Last(response)) => Ok(Event::Last(change(response))),
                other => other,
            }))),
        }
    }

    /// The same reply, which keeps `held` until it ends or is dropped.
    pub fn holding(self, held: impl Send + 'static) -> Self {
        match self {
            Self::Whole(response) => Self::Whole(response),
            Self::Stream(events) => {
                Self::Stream(Box::pin(stream::unfold((events, held), |(mut events, held)| async {
                    let event = events.next().await?;
                    Some((event, (events, held)))
                })))
            }
        }
    }

    /// The same reply with `change` made to its answer.
    pub fn map_last(self, change: fn(Response) -> Response) -> Self {
        match self {
            Self::Whole(response) => Self::Whole(change(response)),
            Self::Stream(events) => Self::Stream(Box::pin(events.map(move |event| match event {
                Ok(Event::Last(response)) => Ok(Event::Last(change(response))),
                other => other,
            }))),
        }
    }
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
                Some(Ok(Event::Long(long))) => return long.whole().await,
                Some(Ok(Event::Notification(_))) => (),
                Some(Ok(Event::Question(question))) => question.refuse("the gateway asks for itself").await,
                Some(Err(fault)) => return Err(fault),
                None => return Err(ended()),
            }
        }
    }

    /// A reply that is a long answer alone.
    pub(super) fn long(long: Long) -> Self {
        Self::Stream(Box::pin(stream::iter([Ok(Event::Long(long))])))
    }

    /// The same reply within `bounds`.
    pub(super) fn bounded(self, mut bounds: Bounds) -> Reply {
        let events = match self {
            Self::Whole(response) => {
                bounds.note(&response);
                return Reply::Whole(response);
            }
            Self::Stream(events) => events,
        };
        Reply::Stream(Box::pin(stream::unfold(Some((events, bounds)), |state| async move {
            let (mut events, mut bounds) = state?;
            match bounds.next(&mut events).await {
                Ok(event @ (Event::Notification(_) | Event::Question(_))) => Some((Ok(event), Some((events, bounds)))),
                Ok(Event::Long(long)) => Some((Ok(Event::Long(long.bounded(bounds))), None)),
                Ok(last) => Some((Ok(last), None)),
                Err(fault) => {
                    bounds.failed(&fault);
                    Some((Err(TargetError { target: bounds.target, fault }), None))
                }
            }
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
                Ok(event @ (Event::Notification(_) | Event::Question(_))) => Some((Ok(event), Some(source))),
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

impl Bounds {
    async fn next(&mut self, events: &mut Events<Fault>) -> Result<Event, Fault> {
        loop {
            // Also where one message follows on the other, or the client takes its time for each.
            if Instant::now() >= self.deadline {
                return Err(Fault::Silent(self.limit));
            }
            let event = tokio::time::timeout_at(self.deadline, events.next()).await;
            if self.place.is_none() {
                // It runs on in any case: it had begun.
                self.place = self.places.retake();
            }
            match event {
                Ok(Some(Ok(Event::Notification(message)))) if message.method().ends_with("/list_changed") => {
                    self.changed.notify_one();
                }
                Ok(Some(Ok(Event::Long(long)))) => return self.begun(long).await,
                Ok(Some(event)) => {
                    match &event {
                        Ok(Event::Last(response)) => self.note(response),
                        Ok(Event::Question(_)) => {
                            (self.place, self.trial) = (None, None);
                            self.sent.asked_back();
                            self.attempt.iter_mut().for_each(Attempt::asked_back);
                        }
                        Ok(Event::Notification(_) | Event::Long(_)) | Err(_) => (),
                    }
                    return event;
                }
                Ok(None) => return Err(ended()),
                Err(_) => return Err(Fault::Silent(self.limit)),
            }
        }
    }

    /// The answer is there: the target works.
    pub(super) fn answered(&mut self) {
        self.sent.answered();
        self.attempt.iter_mut().for_each(Attempt::answered);
    }

    pub(super) fn failed(&mut self, fault: &Fault) {
        self.sent.failed(fault);
        self.attempt.iter_mut().for_each(|attempt| attempt.failed(fault.kind()));
    }

    /// A long answer that has begun to come, to be passed on; or as a whole, where too many of the target's are.
    async fn begun(&mut self, long: Long) -> Result<Event, Fault> {
        let Some(place) = self.places.pass_on() else {
            let whole = tokio::time::timeout_at(self.deadline, long.whole()).await;
            let whole = whole.unwrap_or(Err(Fault::Silent(self.limit)))?;
            self.note(&whole);
            return Ok(Event::Last(whole));
        };
        (self.place, self.trial) = (Some(place), None);
        self.attempt.iter_mut().for_each(Attempt::begun);
        Ok(Event::Long(long))
    }

    /// An answer shows that the target works. Headers that it takes for wrong were made from its list, by the gateway or by a client that has it from
    /// here: the list is out of date.
    fn note(&mut self, answer: &Response) {
        self.answered();
        if answer.error_code() == Some(wire::HEADER_MISMATCH) {
            self.changed.notify_one();
        }
    }
}

fn renamed_response(response: Response, rename: &Rename) -> Response {
    match response.result().and_then(|result| tasks::renamed(result, &**rename)) {
        Some(result) => response.with_result(&result),
        None => response,
    }
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
