//! A legacy target that asks one thing in the middle of each call, whatever its client declared, and answers with what it
//! was told: for clients that cannot answer, go away or take their time. Asserts nothing.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use causeway::config::Target;
use causeway_core::wire::{Envelope, json};
use futures::channel::mpsc::UnboundedSender;

use crate::{
    fake_target::{Asked, FakeTarget, Speaks, event, status, success, written},
    harness::http_target,
};

/// The running target. Its one tool is `echo`.
pub(crate) struct AskingTarget {
    pub(crate) fake: FakeTarget,
    /// Replies that wait, by the id of their call.
    replies: Replies,
}

type Replies = Arc<Mutex<HashMap<String, UnboundedSender<String>>>>;

impl AskingTarget {
    /// It asks on the reply to each call.
    pub(crate) fn start() -> Self {
        let (fake, replies) = (FakeTarget::start(Speaks::Sessions), Replies::default());
        let waiting = Arc::clone(&replies);
        fake.on("tools/call", move |asked| {
            let (reply, response) = written();
            reply.unbounded_send(event(None, &question(&asked))).unwrap();
            waiting.lock().unwrap().insert(asked.id, reply);
            async { response }
        });
        let waiting = Arc::clone(&replies);
        fake.on("", move |answer| {
            answered(&waiting, &answer);
            async { status(202) }
        });
        Self { fake, replies }
    }

    /// It as a target named `t`.
    pub(crate) fn target(&self) -> Target {
        http_target("t", &self.fake.endpoint())
    }

    /// Breaks off all replies that wait.
    pub(crate) fn break_off(&self) {
        self.replies.lock().unwrap().clear();
    }
}

/// What it asks in the call `asked`.
fn question(asked: &Asked) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":"q-{}","method":"elicitation/create","params":{{"mode":"form","message":"?","requestedSchema":{{"type":"object","properties":{{"name":{{"type":"string"}}}}}}}}}}"#,
        asked.id
    )
}

/// Answers the call that waits for this, with the words that it was told.
fn answered(replies: &Replies, answer: &Asked) {
    let envelope = Envelope::parse(answer.body.clone().into()).unwrap();
    let id: String = serde_json::from_str(envelope.id().unwrap()).unwrap();
    let id = id.trim_start_matches("q-");
    let told = envelope.error().or(envelope.result()).unwrap();
    let result = format!(r#"{{"content":[{{"type":"text","text":{}}}]}}"#, json(&told));
    if let Some(reply) = replies.lock().unwrap().remove(id) {
        // Whoever asked may be gone.
        let _ = reply.unbounded_send(event(None, &success(id, &result)));
    }
}
