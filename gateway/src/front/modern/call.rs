//! A call of a modern client: notifications as they come; what a legacy target asks in between becomes an
//! `input_required` answer, and the client's retry goes on with the same call.

use std::time::Duration;

use causeway_core::{
    canonical::{self, Request, with_token},
    era::Era,
    wire::{Envelope, ObjectEdit, result_message},
};
use futures::{StreamExt, stream};
use http::StatusCode;
use tokio::time::timeout;

use super::{
    elsewhere,
    park::{Found, Lot, Parked, brought},
};
use crate::{
    calls::{self, Outcome},
    front::{
        UNDECLARED,
        reply::{Exchange, Item, Items, given_up},
    },
    gateway::CallError,
    targets::{Event, Events, Question},
};

/// What a target asks so soon after its first question goes to the client in the same round.
const TOGETHER: Duration = Duration::from_millis(20);

/// A call that is being answered.
struct Conversation {
    call: Exchange,
    lot: Lot,
    events: Events<CallError>,
    /// Of the round that is being collected.
    questions: Vec<(String, Question)>,
    /// How many questions there were in all rounds.
    asked: usize,
    /// A capability that the target would have needed and the client did not declare.
    missing: Option<&'static str>,
    /// Tokens (JSON texts) under which the target reports, and under which the client waits by now.
    progress: Option<(String, Option<String>)>,
}

/// What the client is told about `call`, which may be a retry.
pub(super) async fn begin(call: Exchange, lot: Lot) -> Items {
    if !call.request.brings_input() {
        let request = call.request.clone();
        return anew(call, lot, request);
    }
    match lot.find(&call.caller.key, &call.request) {
        Found::Parked(parked) => Box::pin(resume(call, lot, parked)).await,
        Found::NotOurs => {
            let request = call.request.clone();
            anew(call, lot, request)
        }
        Found::Refused => match brought(&call.request).into_iter().find(|(_, result)| !elsewhere::went(result)) {
            Some((method, result)) => once(call.failed(&CallError::Declined { method, error: result })),
            None => {
                let request = call.request.without_input().unwrap_or_else(|| call.request.clone());
                anew(call, lot, request)
            }
        },
        Found::Nothing => once(call.failed(&CallError::UnknownState)),
        Found::Gone => once(call.failed(&CallError::ReplicaGone)),
    }
}

/// Sends `request`, which is the call's or its retry.
fn anew(call: Exchange, lot: Lot, request: Request) -> Items {
    let events = call.begin(request);
    go_on(Conversation { call, lot, events, questions: Vec::new(), asked: 0, missing: None, progress: None })
}

/// Gives the target what the client brought; asks again for what is still missing.
async fn resume(call: Exchange, lot: Lot, parked: Parked) -> Items {
    if let Some(path) = parked.served_by.get() {
        // It is set once, and nobody has begun to answer this request.
        let _ = call.served_by.set(path.clone());
    }
    calls::note(|it| {
        it.brings(&call.request.params);
        it.goes_on(parked.lead);
    });
    let mut brought = brought(&call.request);
    let mut missing = Vec::new();
    for (key, question) in parked.questions {
        match brought.remove(&key) {
            None => missing.push((key, question)),
            Some(result) => {
                if let Err(fault) = question.answer(&result).await {
                    // The reply says how it ends for the target.
                    tracing::debug!(%fault, "a target did not take the answer to its question");
                }
            }
        }
    }
    let now = call.request.progress_token();
    let progress = parked.progress_token.filter(|before| Some(before) != now.as_ref()).map(|before| (before, now));
    let conversation = Conversation {
        call,
        lot,
        events: parked.events,
        questions: missing,
        asked: parked.asked,
        missing: None,
        progress,
    };
    match conversation.questions.is_empty() {
        true => go_on(conversation),
        false => once(conversation.park()),
    }
}

fn go_on(conversation: Conversation) -> Items {
    Box::pin(stream::unfold(Some(conversation), |conversation| async move {
        let mut conversation = conversation?;
        match conversation.next().await {
            Some(item) => Some((item, Some(conversation))),
            None => Some((conversation.park(), None)),
        }
    }))
}

fn once(item: Item) -> Items {
    Box::pin(stream::iter([item]))
}

/// The answer to the request `id` that asks the client for something first.
fn asked_back(id: &str, result: &str) -> Item {
    calls::note(|call| call.came_to(Outcome::InputRequired));
    Item::Last(StatusCode::OK, result_message(id, result).into())
}

impl Conversation {
    /// The next message; `None` once a round of questions is complete.
    async fn next(&mut self) -> Option<Item> {
        loop {
            let event = match self.questions.is_empty() {
                true => tokio::select! {
                    biased;
                    event = self.events.next() => event,
                    () = self.call.closing.cancelled() => Some(Err(CallError::Stopping)),
                },
                false => timeout(TOGETHER, self.events.next()).await.ok()?,
            };
            match event? {
                Ok(Event::Notification(message)) => {
                    if let Some(item) = self.notification(&message) {
                        return Some(item);
                    }
                }
                Ok(Event::Question(question)) => self.ask(question).await,
                Ok(Event::Last(answer)) => return Some(self.answer(&answer)),
                Ok(Event::Long(long)) => return Some(Item::Long(self.call.passed_on(long))),
                Err(error) => return Some(self.call.failed(&error)),
            }
        }
    }

    /// An answer as the client gets it. An error after a question that the client did not allow is about just that.
    fn answer(&self, answer: &canonical::Response) -> Item {
        let (caller_id, request) = (&self.call.caller.key, &self.call.request);
        // Refused after questions, the call may have done a part of its work.
        let unasked = self.asked == 0 && answer.is_legacy();
        let asked = unasked.then(|| elsewhere::required(answer, || self.lot.refused(caller_id, request))).flatten();
        if let Some(asked) = asked {
            return match request.client.may_be_asked("elicitation/create", Era::Modern) {
                true => asked_back(&request.id, &asked.result()),
                false => self.call.failed(&CallError::MissingCapability("elicitation")),
            };
        }
        match self.missing.filter(|_| answer.error().is_some()) {
            Some(capability) => self.call.failed(&CallError::MissingCapability(capability)),
            None => self.call.answer(answer),
        }
    }

    fn notification(&mut self, message: &Envelope) -> Option<Item> {
        if let Some(id) = given_up(message) {
            self.questions.retain(|(_, question)| question.id() != id);
            return None;
        }
        match &self.progress {
            Some((before, now)) if message.method() == "notifications/progress" => {
                let token = message.params().and_then(|params| ObjectEdit::parse(params).ok()?.get("progressToken"));
                match (token, now) {
                    (Some(token), Some(now)) if token == before => {
                        Some(Item::Between(with_token(message, now)?.bytes().clone()))
                    }
                    _ => None,
                }
            }
            _ => self.call.notification(message),
        }
    }

    async fn ask(&mut self, question: Question) {
        let method = question.method();
        if self.call.request.client.may_be_asked(method, Era::Modern) {
            self.asked += 1;
            let key = question.name().unwrap_or_else(|| format!("{method}-{}", self.asked));
            self.questions.push((key, question));
        } else {
            self.missing = canonical::asked_of(method).or(self.missing);
            let why = format!("the client cannot be asked for `{method}`: {UNDECLARED}");
            question.refuse(&why).await;
        }
    }

    /// Lets the call wait for the client's next retry.
    fn park(self) -> Item {
        let Self { call, lot, events, questions, asked, progress, .. } = self;
        let request = &call.request;
        let progress_token = progress.map_or_else(|| request.progress_token(), |(before, _)| Some(before));
        let (served_by, lead) = (call.served_by.clone(), calls::lead());
        let parked = Parked { events, questions, asked, progress_token, served_by, lead };
        match lot.park(&call.caller.key, request, parked) {
            Ok(result) => asked_back(&request.id, &result),
            Err(error) => call.failed(&error),
        }
    }
}
