//! A call of a legacy client: what its target wants to know, asked on the way by a legacy one or with an `input_required`
//! answer by a modern one, is asked of the client on the call's own stream; a modern target is then sent the retry.
//!
//! Source: MCP 2025-11-25, client/elicitation, client/sampling, client/roots; MCP 2026-07-28, basic/patterns/mrtr.

use std::{collections::VecDeque, io, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use causeway_core::{
    canonical::{InputRequest, InputRequired},
    era::Era,
    wire::{Envelope, json, request_message},
};
use futures::{
    StreamExt,
    stream::{self, FuturesUnordered},
};

use super::live::{Live, Running};
use crate::{
    calls::{self, Outcome},
    front::{
        UNDECLARED,
        reply::{Exchange, Item, Items, given_up},
    },
    gateway::CallError,
    opaque::random_text,
    targets::{Event, Events, Long, Question, fault::rpc_error},
};

/// Rounds of questions in one call: a target that never has enough is cut here.
const MOST_ROUNDS: usize = 100;
/// Before a retry that a target wants without any input: doubled from the first to the last.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// A call that is being answered.
struct Conversation {
    call: Exchange,
    /// Where the client is asked; absent for one that cannot be.
    live: Option<Arc<Live>>,
    running: Option<Running>,
    stage: Stage,
    waiting: FuturesUnordered<Waiting>,
    /// What the client was asked and has not answered.
    open: Vec<Open>,
    /// Messages that the client gets next.
    ready: VecDeque<Bytes>,
    rounds: usize,
}

/// What the call does.
enum Stage {
    /// The target works on it.
    Reading(Events<CallError>),
    /// The target gave it back until the client has answered.
    Collecting { asked: InputRequired, brought: Vec<(String, String)> },
    /// It is over; the client gets the last message next.
    Ended(Option<Item>),
    /// The target wants to be asked again in a while.
    Pausing(Pin<Box<tokio::time::Sleep>>, Option<String>),
}

type Waiting = Pin<Box<dyn Future<Output = (Asker, Option<Envelope>)> + Send>>;

/// A question that the client has not answered.
struct Open {
    /// Its id toward the client, JSON text.
    id: String,
    /// The target's id of it, JSON text; absent for the input of a modern target.
    asked_as: Option<String>,
}

/// For whom the client is asked.
enum Asker {
    /// The target waits on its reply.
    Question(Question),
    /// The target is sent a retry that brings it under this key.
    Input { key: String, method: String },
}

/// What the client is told about `call`. With `live`, the client can be asked: it has a session and reads events.
pub(super) fn begin(call: Exchange, live: Option<Arc<Live>>, running: Option<Running>) -> Items {
    let stage = Stage::Reading(call.begin(call.request.clone()));
    let (waiting, ready) = (FuturesUnordered::new(), VecDeque::new());
    let conversation = Conversation { call, live, running, stage, waiting, open: Vec::new(), ready, rounds: 0 };
    Box::pin(stream::unfold(Some(conversation), |conversation| async move {
        let mut conversation = conversation?;
        let item = conversation.next().await;
        let over = !matches!(item, Item::Between(_));
        Some((item, (!over).then_some(conversation)))
    }))
}

/// What happens next.
enum Happened {
    Event(Option<Result<Event, CallError>>),
    Answered(Asker, Option<Envelope>),
    Paused,
    Cancelled,
    Ended(Item),
}

impl Conversation {
    async fn next(&mut self) -> Item {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Item::Between(message);
            }
            let happened = self.happens().await;
            let item = match happened {
                Happened::Cancelled => Some(Item::Cancelled),
                Happened::Ended(last) => return last,
                Happened::Paused => self.retry(),
                Happened::Answered(asker, response) => self.answered(asker, response).await,
                Happened::Event(event) => self.read(event).await,
            };
            match item {
                None => (),
                Some(between @ Item::Between(_)) => return between,
                Some(last) => return self.give_up(last),
            }
        }
    }

    /// The end of the call, after which nobody wants to know what the client was asked: it is told of that first.
    fn give_up(&mut self, last: Item) -> Item {
        for Open { id, .. } in std::mem::take(&mut self.open) {
            self.ready.push_back(cancelled(&id));
        }
        match self.ready.pop_front() {
            None => last,
            Some(first) => {
                self.stage = Stage::Ended(Some(last));
                Item::Between(first)
            }
        }
    }

    /// The target no longer wants to know what it asked under `id`.
    fn withdraw(&mut self, id: &str) {
        let Some(at) = self.open.iter().position(|open| open.asked_as.as_deref() == Some(id)) else { return };
        let open = self.open.remove(at);
        if let Some(live) = &self.live {
            live.withdraw(&open.id);
        }
        self.ready.push_back(cancelled(&open.id));
    }

    async fn happens(&mut self) -> Happened {
        let cancelled = async {
            match &self.running {
                Some(running) => running.cancelled().await,
                None => std::future::pending().await,
            }
        };
        let stage = async {
            match &mut self.stage {
                Stage::Reading(events) => Happened::Event(events.next().await),
                Stage::Collecting { .. } => std::future::pending().await,
                Stage::Ended(last) => Happened::Ended(last.take().unwrap_or(Item::Cancelled)),
                Stage::Pausing(pause, _) => {
                    pause.await;
                    Happened::Paused
                }
            }
        };
        tokio::select! {
            biased;
            () = cancelled => Happened::Cancelled,
            Some((asker, response)) = self.waiting.next() => Happened::Answered(asker, response),
            happened = stage => happened,
            () = self.call.closing.cancelled() => Happened::Event(Some(Err(CallError::Stopping))),
        }
    }

    async fn read(&mut self, event: Option<Result<Event, CallError>>) -> Option<Item> {
        match event {
            Some(Ok(Event::Notification(message))) => match given_up(&message) {
                Some(id) => {
                    self.withdraw(&id);
                    None
                }
                None => self.call.notification(&message),
            },
            Some(Ok(Event::Question(question))) => {
                self.pass_on(question).await;
                None
            }
            Some(Ok(Event::Long(long))) => Some(self.until_cancelled(long)),
            Some(Ok(Event::Last(answer))) => match answer.input_required() {
                None => Some(self.call.answer(&answer)),
                Some(asked) => self.collect(asked),
            },
            Some(Err(error)) => Some(self.call.failed(&error)),
            // A reply ends with an answer or an error, and nobody reads on after it.
            None => Some(Item::Cancelled),
        }
    }

    /// A long answer, which breaks off when the client cancels its call.
    fn until_cancelled(&mut self, long: Long) -> Item {
        let parts = self.call.passed_on(long);
        let Some(running) = self.running.take() else { return Item::Long(parts) };
        Item::Long(Box::pin(stream::unfold(Some((parts, running)), |state| async move {
            let (mut parts, running) = state?;
            tokio::select! {
                biased;
                () = running.cancelled() => {
                    calls::note(|call| call.came_to(Outcome::Cancelled));
                    Some((Err(io::ErrorKind::ConnectionAborted.into()), None))
                }
                part = parts.next() => Some((part?, Some((parts, running)))),
            }
        })))
    }

    /// Asks the client what a legacy target wants to know.
    async fn pass_on(&mut self, question: Question) {
        let method = question.method().to_owned();
        match self.asks(&method) {
            Ok(()) => {
                let params = question.params().map(ToOwned::to_owned);
                self.ask(&method, params.as_deref(), Asker::Question(question));
            }
            Err(why) => question.refuse(&format!("the client cannot be asked for `{method}`: {why}")).await,
        }
    }

    /// Asks the client what a modern target wants to know before it is sent the call again.
    fn collect(&mut self, asked: InputRequired) -> Option<Item> {
        self.rounds += 1;
        if self.rounds > MOST_ROUNDS {
            let error = CallError::TooManyRounds(MOST_ROUNDS);
            return Some(self.call.failed(&error));
        }
        if asked.requests.is_empty() {
            let doubled = PAUSE.0.saturating_mul(1 << (self.rounds - 1).min(16)).min(PAUSE.1);
            self.stage = Stage::Pausing(Box::pin(tokio::time::sleep(doubled)), asked.state);
            return None;
        }
        for InputRequest { method, .. } in &asked.requests {
            if let Err(why) = self.asks(method) {
                let error = CallError::CannotAsk { method: method.clone(), why };
                return Some(self.call.failed(&error));
            }
        }
        for InputRequest { key, method, params } in &asked.requests {
            let asker = Asker::Input { key: key.clone(), method: method.clone() };
            self.ask(method, params.as_deref(), asker);
        }
        self.stage = Stage::Collecting { asked, brought: Vec::new() };
        None
    }

    /// Whether the client can be asked for `method`, and if not, why.
    fn asks(&self, method: &str) -> Result<(), &'static str> {
        match &self.live {
            None => Err("it has no session, or it reads no event streams"),
            Some(_) if !self.call.request.client.may_be_asked(method, Era::Legacy) => Err(UNDECLARED),
            Some(_) => Ok(()),
        }
    }

    fn ask(&mut self, method: &str, params: Option<&str>, asker: Asker) {
        let Some(live) = &self.live else { return };
        let id = json(&random_text::<16>());
        let asked_as = match &asker {
            Asker::Question(question) => Some(question.id().to_owned()),
            Asker::Input { .. } => None,
        };
        self.open.push(Open { id: id.clone(), asked_as });
        let mut asked = live.ask(id.clone());
        self.ready.push_back(request_message(&id, method, params.unwrap_or("{}")).into());
        self.waiting.push(Box::pin(async move { (asker, asked.response().await) }));
    }

    async fn answered(&mut self, asker: Asker, response: Option<Envelope>) -> Option<Item> {
        // The session has ended, and the call with it; or the target no longer wants to know.
        let response = response?;
        self.open.retain(|open| response.id() != Some(&open.id));
        match asker {
            Asker::Question(question) => {
                let told = match (response.error(), response.result()) {
                    (Some(error), _) => question.fail(error).await,
                    (None, result) => question.answer(result.unwrap_or("{}")).await,
                };
                if let Err(fault) = told {
                    // The reply says how it ends for the target.
                    tracing::debug!(%fault, "a target did not take the answer to its question");
                }
                None
            }
            Asker::Input { key, method } => match (response.error(), response.result()) {
                (Some(error), _) => {
                    let error = CallError::Declined { method, error: rpc_error(error) };
                    Some(self.call.failed(&error))
                }
                (None, result) => self.bring(key, result.unwrap_or("{}").to_owned()),
            },
        }
    }

    /// Sends the retry once the last answer is there.
    fn bring(&mut self, key: String, result: String) -> Option<Item> {
        let Stage::Collecting { asked, brought } = &mut self.stage else { return None };
        brought.push((key, result));
        (brought.len() == asked.requests.len()).then(|| self.retry()).flatten()
    }

    fn retry(&mut self) -> Option<Item> {
        let request = match &self.stage {
            Stage::Collecting { asked, brought } => self.call.request.retried(brought, asked.state.as_deref()),
            Stage::Pausing(_, state) => self.call.request.retried(&[], state.as_deref()),
            Stage::Reading(_) | Stage::Ended(_) => return None,
        };
        self.stage = Stage::Reading(self.call.begin(request));
        None
    }
}

/// Tells a client that its answer to the request `id` (JSON text) is wanted no more.
fn cancelled(id: &str) -> Bytes {
    format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#).into()
}
