//! Calls that a target answers with a task, for clients that know no tasks of that form: the gateway waits for the task's
//! end in the client's place. A client that leaves cancels it.
//!
//! Source: MCP 2025-11-25, basic/utilities/tasks; SEP-2663.

mod look;

use std::sync::Arc;

use bytestring::ByteString;
use causeway_core::{
    canonical::{Client, Repeat, Request, Response, tasks},
    era::Era,
    seal::Sealer,
    wire::{Object, ObjectEdit, json},
};
use causeway_oidc::clock::Clock;
use futures::{StreamExt, stream};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

pub(super) use self::look::is_state;
use crate::{
    calls,
    targets::{Event, Events, Fault, Full, Reply, Target, TargetError},
};

/// Messages that the client has not read yet; a target that sends more waits.
const QUEUE: usize = 16;

/// One call and its target.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) target: Arc<Target>,
    pub(super) caller_id: String,
    pub(super) request: Request,
    pub(super) sealer: Arc<Sealer>,
    pub(super) clock: Clock,
}

/// A task that the client waits for. Dropped before its end, it is cancelled.
struct Pending {
    call: Call,
    form: Form,
    id: String,
    ended: bool,
}

/// Of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Of MCP 2025-11-25: its result can be waited for.
    Older,
    /// Of the extension: it must be looked at again and again.
    Newer,
}

type Out = mpsc::Sender<Result<Event, TargetError>>;

impl Call {
    /// `reply` to the call, with the end of the task in the place of a task that the client cannot follow.
    pub(super) fn waited_for(self, reply: Reply) -> Reply {
        driven(|out| async move { self.drive(reply, &out).await })
    }

    async fn drive(self, reply: Reply, out: &Out) {
        let Some(answer) = pass_on(reply, out).await else { return };
        let end = match self.task(&answer) {
            None => Some(Ok(answer)),
            Some((form, id)) => {
                let mut pending = self.pending(form, id);
                let end = match form {
                    Form::Older => self.result(&pending.id, out).await,
                    Form::Newer => Some(self.end(&pending.id, &[]).await),
                };
                pending.ended = matches!(end, Some(Ok(_)));
                end
            }
        };
        if let Some(end) = end {
            // Nobody may be waiting any more.
            let _ = out.send(end.map(Event::Last)).await;
        }
    }

    /// What the task comes to, and on the way what the target says and asks; nothing where that is passed on already.
    async fn result(&self, id: &str, out: &Out) -> Option<Result<Response, TargetError>> {
        match self.about(Form::Older, "tasks/result", self.params(id)).await {
            Ok(reply) => pass_on(without_states(reply), out).await.map(Ok),
            Err(error) => Some(Err(error)),
        }
    }

    fn pending(&self, form: Form, id: String) -> Pending {
        Pending { call: self.clone(), form, id, ended: false }
    }

    /// The task that `answer` is, where the client cannot follow it.
    fn task(&self, answer: &Response) -> Option<(Form, String)> {
        let result = ObjectEdit::parse(answer.result()?).ok()?;
        let text = |value: &str| serde_json::from_str::<String>(value).ok();
        if result.get("resultType") == Some(r#""task""#) {
            let follows = tasks::known_by(&self.request.client.capabilities);
            return text(result.get("taskId")?).filter(|_| !follows).map(|id| (Form::Newer, id));
        }
        let task = ObjectEdit::parse(result.get("task").filter(|_| !tasks::asks_for_task(&self.request))?).ok()?;
        text(task.get("taskId")?).map(|id| (Form::Older, id))
    }

    async fn about(&self, form: Form, method: &'static str, params: Object) -> Result<Reply, TargetError> {
        let capabilities = &self.request.client.capabilities;
        let capabilities = match form {
            // With others the target would take it for another client, in a session that does not have the task.
            Form::Older => capabilities.clone(),
            // The gateway follows this task, so it is the gateway that must know tasks.
            Form::Newer => tasks::declared(capabilities).into(),
        };
        let client = Client { capabilities, ..self.request.client.clone() };
        let request = Request {
            method: ByteString::from_static(method),
            params,
            // Of no client: what it says about itself is said for it.
            era: Era::Legacy,
            client,
            param_headers: Vec::new(),
            repeat: Repeat::Never,
            ..self.request.clone()
        };
        self.target.call(&self.caller_id, request, &[], Full::Wait).await
    }

    /// Progress goes on under the token of the call that became the task.
    fn params(&self, id: &str) -> Object {
        let token = self.request.progress_token().filter(|token| token != "null");
        let meta = token.map(|token| format!(r#"{{"progressToken":{token}}}"#));
        let meta = meta.as_ref().map(|meta| ("_meta", meta.as_str()));
        Object::of([("taskId", json(&id).as_str())].into_iter().chain(meta))
    }

    fn error(&self, fault: Fault) -> TargetError {
        TargetError { target: self.target.name().clone(), fault }
    }
}

/// The reply that `drive` gives bit by bit. Dropped, it ends that.
fn driven<F, D>(drive: D) -> Reply
where
    D: FnOnce(Out) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let (out, events) = mpsc::channel(QUEUE);
    let driving = AbortOnDropHandle::new(tokio::spawn(calls::carried(drive(out))));
    Reply::Stream(Box::pin(stream::unfold((events, driving), |(mut events, driving)| async move {
        let event = events.recv().await?;
        Some((event, (events, driving)))
    })))
}

/// The same reply without what it says of the state of the task, of which the client knows nothing.
fn without_states(reply: Reply) -> Reply {
    let is_state = |event: &Event| match event {
        Event::Notification(message) => message.method() == "notifications/tasks/status",
        Event::Question(_) | Event::Last(_) | Event::Long(_) => false,
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

impl Drop for Pending {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.ended {
            return;
        }
        let (call, form, id) = (self.call.clone(), self.form, std::mem::take(&mut self.id));
        runtime.spawn(async move {
            if let Err(error) = call.about(form, "tasks/cancel", call.params(&id)).await {
                tracing::debug!(%error, "a task that nobody waits for could not be cancelled");
            }
        });
    }
}
