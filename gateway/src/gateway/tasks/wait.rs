//! Calls that a target answers with a task, for clients that know no tasks of that form: the gateway waits for the task's
//! end in the client's place. A client that leaves cancels it.
//!
//! Source: MCP 2025-11-25, basic/utilities/tasks; SEP-2663.

use std::{sync::Arc, time::Duration};

use causeway_core::{
    canonical::{Client, Request, Response, tasks},
    era::Era,
    wire::{ObjectEdit, json},
};
use futures::{StreamExt, stream};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{sync::mpsc, time::sleep};
use tokio_util::task::AbortOnDropHandle;

use super::knows_tasks;
use crate::targets::{Event, Events, Fault, Reply, Target, TargetError};

/// Messages that the client has not read yet; a target that sends more waits.
const QUEUE: usize = 16;
/// Between two looks at a task: what the target says, within bounds.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// One call and its target.
#[derive(Clone)]
struct Call {
    target: Arc<Target>,
    caller_id: String,
    request: Request,
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
}

/// `reply` to `request`, with the end of the task in the place of a task that the client cannot follow.
pub(super) fn wait(target: &Arc<Target>, caller_id: &str, request: Request, reply: Reply) -> Reply {
    let call = Call { target: Arc::clone(target), caller_id: caller_id.to_owned(), request };
    let (out, events) = mpsc::channel(QUEUE);
    let driving = AbortOnDropHandle::new(tokio::spawn(async move { call.drive(reply, &out).await }));
    Reply::Stream(Box::pin(stream::unfold((events, driving), |(mut events, driving)| async move {
        let event = events.recv().await?;
        Some((event, (events, driving)))
    })))
}

type Out = mpsc::Sender<Result<Event, TargetError>>;

impl Call {
    async fn drive(self, reply: Reply, out: &Out) {
        let Some(answer) = pass_on(reply, out).await else { return };
        let end = match self.task(&answer) {
            None => Some(Ok(Event::Last(answer))),
            Some(Task::Older(id)) => {
                let mut pending = self.pending(id);
                let asked = self.about("tasks/result", &pending.id).await;
                let end = match asked {
                    Ok(reply) => pass_on(without_states(reply), out).await.map(|answer| Ok(Event::Last(answer))),
                    Err(error) => Some(Err(error)),
                };
                pending.ended = matches!(end, Some(Ok(_)));
                end
            }
            Some(Task::Newer(id)) => {
                let mut pending = self.pending(id);
                let end = self.look(&pending.id, answer).await;
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

    async fn about(&self, method: &str, id: &str) -> Result<Reply, TargetError> {
        // The gateway follows this task, so it is the gateway that must know tasks.
        let capabilities = tasks::declared(&self.request.client.capabilities);
        let client = Client { capabilities, ..self.request.client.clone() };
        let request = Request {
            method: method.to_owned(),
            params: self.params(id),
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

    /// Looks at the task until it has ended, and gives its end in the place of `answer`.
    async fn look(&self, id: &str, answer: Response) -> Result<Response, TargetError> {
        loop {
            let seen = last(self.about("tasks/get", id).await?, &self.target).await?;
            let look: Option<Look<'_>> = seen.result().and_then(|result| serde_json::from_str(result).ok());
            let Some(look) = look else { return Ok(seen) };
            match (look.status.as_str(), look.result, look.error) {
                ("completed", Some(result), _) => return Ok(answer.with_result(result.get())),
                ("failed", _, Some(error)) => return Ok(answer.with_error(error.get())),
                ("working", ..) => {
                    let wanted = look.poll_interval_ms.map_or(PAUSE.0, Duration::from_millis);
                    sleep(wanted.clamp(PAUSE.0, PAUSE.1)).await;
                }
                (status, ..) => {
                    let why = format!("its task is `{status}`, and this client knows no tasks");
                    return Err(TargetError { target: self.target.name().clone(), fault: Fault::Refused(why) });
                }
            }
        }
    }
}

/// The same reply without what it says of the state of the task, of which the client knows nothing.
fn without_states(reply: Reply) -> Reply {
    let is_state = |event: &Event| match event {
        Event::Notification(message) => message.method() == "notifications/tasks/status",
        Event::Question(_) | Event::Last(_) => false,
    };
    match reply {
        Reply::Whole(answer) => Reply::Whole(answer),
        Reply::Stream(events) => Reply::Stream(Box::pin(
            events.filter(move |event| std::future::ready(!event.as_ref().is_ok_and(is_state))),
        )),
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
            if let Err(error) = call.about("tasks/cancel", &id).await {
                tracing::debug!(%error, "a task that nobody waits for could not be cancelled");
            }
        });
    }
}
