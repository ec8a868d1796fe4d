//! Calls that a target answers with a task, for clients that know no tasks of that form: the gateway waits for the task's
//! end in the client's place. A client that leaves cancels it. What a task of the extension asks for, the client is asked for
//! with `input_required`; its retry finds the task by a sealed state and is none of the call itself.
//!
//! Source: MCP 2025-11-25, basic/utilities/tasks; SEP-2663.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use causeway_core::{
    canonical::{Client, Request, Response, tasks},
    era::Era,
    seal::Sealer,
    wire::{Envelope, ObjectEdit, json, result_message},
};
use causeway_oidc::clock::Clock;
use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use super::{DAY, Name, knows_tasks};
use crate::{
    gateway::CallError,
    targets::{Event, Events, Fault, Reply, Target, TargetError},
};

/// Messages that the client has not read yet; a target that sends more waits.
const QUEUE: usize = 16;
/// Between two looks at a task: what the target says, within bounds.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// Keeps the states of waiting calls apart from other sealed texts.
const STATE: &str = "task input";
/// Tells such a state from one of a modern target, and from one of a parked call.
const MARK: &str = "causeway-task.";

/// One call and its target.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) target: Arc<Target>,
    pub(super) caller_id: String,
    pub(super) request: Request,
    pub(super) sealer: Arc<Sealer>,
    pub(super) clock: Clock,
}

/// What a state leads to.
#[derive(Debug, Deserialize, Serialize)]
struct State {
    #[serde(flatten)]
    task: Name,
    /// Keys of what the client has answered: a task may go on showing them for a while.
    #[serde(rename = "a")]
    answered: Vec<String>,
}

/// A task that the client waits for. Dropped before its end, it is cancelled.
struct Pending {
    call: Call,
    id: String,
    ended: bool,
}

/// What a result says of a task.
enum Task {
    /// Of MCP 2025-11-25: its result can be waited for.
    Older(String),
    /// Of the extension: it must be looked at again and again.
    Newer(String),
}

/// What `tasks/get` of the extension answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Look<'a> {
    status: String,
    poll_interval_ms: Option<u64>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    input_requests: Option<&'a RawValue>,
}

/// Whether `state` is one that a waiting call gave.
pub(super) fn is_state(state: &str) -> bool {
    state.starts_with(MARK)
}

type Out = mpsc::Sender<Result<Event, TargetError>>;

impl Call {
    /// `reply` to the call, with the end of the task in the place of a task that the client cannot follow.
    pub(super) fn waited_for(self, reply: Reply) -> Reply {
        driven(|out| async move { self.drive(reply, &out).await })
    }

    /// The reply to the call as a retry under `state`, which brings what the task asked for.
    pub(super) fn resumed(self, state: &str) -> Result<Reply, CallError> {
        let sealed = state.strip_prefix(MARK).unwrap_or_default();
        let opened = self.sealer.open(STATE, &self.caller_id, self.clock.now(), sealed);
        let state: Option<State> = opened.ok().filter(|state: &State| state.task.target == self.target.name().as_str());
        let state = state.ok_or(CallError::UnknownState)?;
        Ok(driven(|out| async move {
            let mut pending = self.pending(state.task.id);
            let end = self.bring(&pending.id, state.answered).await;
            pending.ended = end.is_ok();
            // Nobody may be waiting any more.
            let _ = out.send(end.map(Event::Last)).await;
        }))
    }

    async fn drive(self, reply: Reply, out: &Out) {
        let Some(answer) = pass_on(reply, out).await else { return };
        let end = match self.task(&answer) {
            None => Some(Ok(Event::Last(answer))),
            Some(Task::Older(id)) => {
                let mut pending = self.pending(id);
                let asked = self.about("tasks/result", self.params(&pending.id)).await;
                let end = match asked {
                    Ok(reply) => pass_on(without_states(reply), out).await.map(|answer| Ok(Event::Last(answer))),
                    Err(error) => Some(Err(error)),
                };
                pending.ended = matches!(end, Some(Ok(_)));
                end
            }
            Some(Task::Newer(id)) => {
                let mut pending = self.pending(id);
                let end = self.end(&pending.id, &[]).await;
                pending.ended = end.is_ok();
                Some(end.map(Event::Last))
            }
        };
        if let Some(end) = end {
            // Nobody may be waiting any more.
            let _ = out.send(end).await;
        }
    }

    fn pending(&self, id: String) -> Pending {
        Pending { call: self.clone(), id, ended: false }
    }

    /// The task that `answer` is, where the client cannot follow it.
    fn task(&self, answer: &Response) -> Option<Task> {
        let result = ObjectEdit::parse(answer.result()?).ok()?;
        let text = |value: &str| serde_json::from_str::<String>(value).ok();
        if result.get("resultType") == Some(r#""task""#) {
            let follows = knows_tasks(&self.request.client.capabilities);
            return text(result.get("taskId")?).filter(|_| !follows).map(Task::Newer);
        }
        let task = ObjectEdit::parse(result.get("task").filter(|_| !tasks::asks_for_task(&self.request))?).ok()?;
        text(task.get("taskId")?).map(Task::Older)
    }

    async fn about(&self, method: &str, params: String) -> Result<Reply, TargetError> {
        // The gateway follows this task, so it is the gateway that must know tasks.
        let capabilities = tasks::declared(&self.request.client.capabilities);
        let client = Client { capabilities, ..self.request.client.clone() };
        let request = Request {
            method: method.to_owned(),
            params,
            // Of no client: what it says about itself is said for it.
            era: Era::Legacy,
            client,
            param_headers: Vec::new(),
            ..self.request.clone()
        };
        self.target.call(&self.caller_id, request, &[]).await
    }

    /// Progress goes on under the token of the call that became the task.
    fn params(&self, id: &str) -> String {
        let token = ObjectEdit::parse(&self.request.params).ok().and_then(|params| {
            let meta = ObjectEdit::parse(params.get("_meta")?).ok()?;
            meta.get("progressToken").filter(|token| *token != "null")
        });
        let meta = token.map(|token| format!(r#","_meta":{{"progressToken":{token}}}"#)).unwrap_or_default();
        format!(r#"{{"taskId":{}{meta}}}"#, json(&id))
    }

    /// Gives the task what the client brought, and its end.
    async fn bring(&self, id: &str, mut answered: Vec<String>) -> Result<Response, TargetError> {
        let params = ObjectEdit::parse(&self.request.params).ok();
        let responses = params.as_ref().and_then(|params| params.get("inputResponses")).unwrap_or("{}");
        let params = format!(r#"{{"taskId":{},"inputResponses":{responses}}}"#, json(&id));
        let taken = last(self.about("tasks/update", params).await?, &self.target).await?;
        if taken.error().is_some() {
            return Ok(taken);
        }
        let brought = ObjectEdit::parse(responses).ok();
        answered.extend(brought.iter().flat_map(ObjectEdit::members).map(|(key, _)| key.to_owned()));
        self.end(id, &answered).await
    }

    /// The end of the task, or what it asks for beside what is `answered`, in the place of the call's answer.
    async fn end(&self, id: &str, answered: &[String]) -> Result<Response, TargetError> {
        let most = self.target.call_limit();
        timeout(most, self.look(id, answered)).await.unwrap_or_else(|_| Err(self.error(Fault::Silent(most))))
    }

    async fn look(&self, id: &str, answered: &[String]) -> Result<Response, TargetError> {
        loop {
            let seen = last(self.about("tasks/get", self.params(id)).await?, &self.target).await?;
            let look: Option<Look<'_>> = seen.result().and_then(|result| serde_json::from_str(result).ok());
            let Some(look) = look else { return Ok(seen) };
            let asked = look.input_requests.and_then(|requests| outstanding(requests.get(), answered));
            match (look.status.as_str(), look.result, look.error, asked) {
                ("completed", Some(result), ..) => return Ok(self.completed(result.get())),
                ("failed", _, Some(error), _) => return Ok(seen.clone().with_error(error.get())),
                ("input_required", _, _, Some(asked)) => return self.ask(id, &asked, answered),
                ("working" | "input_required", ..) => {
                    let wanted = look.poll_interval_ms.map_or(PAUSE.0, Duration::from_millis);
                    sleep(wanted.clamp(PAUSE.0, PAUSE.1)).await;
                }
                (status, ..) => return Err(self.error(Fault::Refused(format!("its task is `{status}`")))),
            }
        }
    }

    /// Asks the client for `requests` (JSON text).
    fn ask(&self, id: &str, requests: &str, answered: &[String]) -> Result<Response, TargetError> {
        let methods: BTreeMap<String, Asked> = serde_json::from_str(requests).unwrap_or_default();
        let mut methods = methods.into_values().map(|asked| asked.method);
        // What the client declares, it can be asked for in either era.
        if let Some(method) = methods.find(|method| !self.request.client.may_be_asked(method, Era::Modern)) {
            let why = format!("its task asks for `{method}`, and this client knows neither tasks nor that");
            return Err(self.error(Fault::Refused(why)));
        }
        let task = Name { target: self.target.name().as_str().to_owned(), id: id.to_owned() };
        let state = State { task, answered: answered.to_vec() };
        let sealed = self.sealer.seal(STATE, &self.caller_id, self.clock.now() + DAY, &state);
        let state = json(&[MARK, &sealed].concat());
        Ok(self
            .modern(&format!(r#"{{"resultType":"input_required","inputRequests":{requests},"requestState":{state}}}"#)))
    }

    /// The answer with this result, that a task came to.
    fn completed(&self, result: &str) -> Response {
        let typed = ObjectEdit::parse(result).ok().filter(|edit| edit.get("resultType").is_none()).map(|mut edit| {
            edit.set("resultType", &json(&"complete"));
            edit.finish()
        });
        self.modern(typed.as_deref().unwrap_or(result))
    }

    fn modern(&self, result: &str) -> Response {
        let message = Envelope::parse(result_message(&self.request.id, result).into());
        let message = message.expect("an id and a result that were read from messages");
        Response::new(message, Era::Modern).expect("a result is a response")
    }

    fn error(&self, fault: Fault) -> TargetError {
        TargetError { target: self.target.name().clone(), fault }
    }
}

/// A request of a task to the client.
#[derive(Deserialize)]
struct Asked {
    method: String,
}

/// `requests` (JSON text) without those that were `answered`; nothing where none is left.
fn outstanding(requests: &str, answered: &[String]) -> Option<String> {
    let mut edit = ObjectEdit::parse(requests).ok()?;
    answered.iter().for_each(|key| edit.remove(key));
    (!edit.is_empty()).then(|| edit.finish())
}

/// The reply that `drive` gives bit by bit. Dropped, it ends that.
fn driven<F, D>(drive: D) -> Reply
where
    D: FnOnce(Out) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let (out, events) = mpsc::channel(QUEUE);
    let driving = AbortOnDropHandle::new(tokio::spawn(drive(out)));
    Reply::Stream(Box::pin(stream::unfold((events, driving), |(mut events, driving)| async move {
        let event = events.recv().await?;
        Some((event, (events, driving)))
    })))
}

/// The same reply without what it says of the state of the task, of which the client knows nothing.
fn without_states(reply: Reply) -> Reply {
    let is_state = |event: &Event| match event {
        Event::Notification(message) => message.method() == "notifications/tasks/status",
        Event::Question(_) | Event::Last(_) => false,
    };
    match reply {
        Reply::Whole(answer) => Reply::Whole(answer),
        Reply::Stream(events) => {
            Reply::Stream(Box::pin(events.filter(move |event| std::future::ready(!event.as_ref().is_ok_and(is_state)))))
        }
    }
}

/// Passes on all but the answer, and gives that.
async fn pass_on(reply: Reply, out: &Out) -> Option<Response> {
    let mut events: Events<TargetError> = match reply {
        Reply::Whole(answer) => return Some(answer),
        Reply::Stream(events) => events,
    };
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Last(answer)) => return Some(answer),
            event => {
                let failed = event.is_err();
                if out.send(event).await.is_err() || failed {
                    return None;
                }
            }
        }
    }
    None
}

/// The answer of a reply in which nothing else matters.
async fn last(reply: Reply, target: &Target) -> Result<Response, TargetError> {
    let mut events: Events<TargetError> = match reply {
        Reply::Whole(answer) => return Ok(answer),
        Reply::Stream(events) => events,
    };
    while let Some(event) = events.next().await {
        if let Event::Last(answer) = event? {
            return Ok(answer);
        }
    }
    Err(TargetError { target: target.name().clone(), fault: Fault::BrokenOff("it ended before the answer".into()) })
}

impl Drop for Pending {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.ended {
            return;
        }
        let (call, id) = (self.call.clone(), std::mem::take(&mut self.id));
        runtime.spawn(async move {
            if let Err(error) = call.about("tasks/cancel", call.params(&id)).await {
                tracing::debug!(%error, "a task that nobody waits for could not be cancelled");
            }
        });
    }
}
