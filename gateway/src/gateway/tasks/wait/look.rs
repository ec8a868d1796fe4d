//! Looking at a task of the extension until it has ended. What it asks for in between, the client is asked for with
//! `input_required`; the retry finds the task by a sealed state and is no call of its own.
//!
//! Source: SEP-2663.

use std::{collections::BTreeMap, time::Duration};

use causeway_core::{
    canonical::Response,
    era::Era,
    wire::{Envelope, Object, ObjectEdit, json, result_message},
};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::time::{sleep, timeout};

use super::{
    super::{DAY, Name},
    Call, Form, driven,
};
use crate::{
    gateway::CallError,
    targets::{Event, Events, Fault, Reply, Target, TargetError},
};

/// Keeps the states of waiting calls apart from other sealed texts.
const STATE: &str = "task input";
/// Tells such a state from one of a modern target, and from one of a parked call.
const MARK: &str = "causeway-task.";

/// Between two looks at a task: what the target says, within bounds.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// What a state leads to.
#[derive(Debug, Deserialize, Serialize)]
struct State {
    #[serde(flatten)]
    task: Name,
    /// Keys of what the client has answered: a task may go on showing them for a while.
    #[serde(rename = "a")]
    answered: Vec<String>,
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

/// A request of a task to the client.
#[derive(Deserialize)]
struct Asked {
    method: String,
}

/// Whether `state` is one that a waiting call gave.
pub(in crate::gateway::tasks) fn is_state(state: &str) -> bool {
    state.starts_with(MARK)
}

impl Call {
    /// The reply to the call as a retry under `state`, which brings what the task asked for.
    pub(in crate::gateway::tasks) fn resumed(self, state: &str) -> Result<Reply, CallError> {
        let sealed = state.strip_prefix(MARK).unwrap_or_default();
        let opened = self.sealer.open(STATE, &self.caller_id, self.clock.now(), sealed);
        let state: Option<State> =
            opened.ok().filter(|state: &State| state.task.path == self.target.path().to_string());
        let state = state.ok_or(CallError::UnknownState)?;
        Ok(driven(|out| async move {
            let mut pending = self.pending(Form::Newer, state.task.id);
            let end = self.bring(&pending.id, state.answered).await;
            pending.ended = end.is_ok();
            // Nobody may be waiting any more.
            let _ = out.send(end.map(Event::Last)).await;
        }))
    }

    /// Gives the task what the client brought, and its end.
    async fn bring(&self, id: &str, mut answered: Vec<String>) -> Result<Response, TargetError> {
        let responses = self.request.params.get("inputResponses").unwrap_or("{}");
        let params = Object::of([("taskId", json(&id).as_str()), ("inputResponses", responses)]);
        let taken = last(self.about(Form::Newer, "tasks/update", params).await?, &self.target).await?;
        if taken.error().is_some() {
            return Ok(taken);
        }
        let brought = ObjectEdit::parse(responses).ok();
        answered.extend(brought.iter().flat_map(ObjectEdit::members).map(|(key, _)| key.to_owned()));
        self.end(id, &answered).await
    }

    /// The end of the task, or what it asks for beside what is `answered`, in the place of the call's answer.
    pub(super) async fn end(&self, id: &str, answered: &[String]) -> Result<Response, TargetError> {
        let most = self.target.call_limit();
        timeout(most, self.look(id, answered)).await.unwrap_or_else(|_| Err(self.error(Fault::Silent(most))))
    }

    async fn look(&self, id: &str, answered: &[String]) -> Result<Response, TargetError> {
        loop {
            let seen = last(self.about(Form::Newer, "tasks/get", self.params(id)).await?, &self.target).await?;
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
        let task = Name { path: self.target.path().to_string(), id: id.to_owned() };
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
}

/// `requests` (JSON text) without those that were `answered`; nothing where none is left.
fn outstanding(requests: &str, answered: &[String]) -> Option<String> {
    let mut edit = ObjectEdit::parse(requests).ok()?;
    answered.iter().for_each(|key| edit.remove(key));
    (!edit.is_empty()).then(|| edit.finish())
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
