//! What a legacy target asks the client while it works on a call, and the way back for the answer. Decides nothing: who may
//! be asked is a matter of the client, which a front knows.
//!
//! Source: MCP 2025-11-25, client/elicitation, client/sampling, client/roots.

use std::{cell::RefCell, fmt};

use causeway_core::{
    canonical::tasks,
    wire::{self, Envelope},
};

use super::{Fault, line::Line, reply::Rename};

/// One request of a target to the client. It waits until it is answered.
pub struct Question {
    message: Envelope,
    asker: Line,
    /// Names of tasks in it: the client's, the target's.
    tasks: Vec<(String, String)>,
}

impl Question {
    pub(super) fn new(message: Envelope, asker: Line) -> Self {
        Self { message, asker, tasks: Vec::new() }
    }

    /// For example `elicitation/create`.
    pub fn method(&self) -> &str {
        self.message.method()
    }

    /// What the target calls it, JSON text.
    pub fn id(&self) -> &str {
        self.message.id().unwrap_or("null")
    }

    /// What the target calls it, where it has a text for that.
    pub fn name(&self) -> Option<String> {
        serde_json::from_str(self.id()).ok()
    }

    /// JSON text, as the target wrote it.
    pub fn params(&self) -> Option<&str> {
        self.message.params()
    }

    /// The same question with each name of a task in it replaced by what `rename` gives.
    pub(super) fn renamed(mut self, rename: &Rename) -> Self {
        let names = RefCell::new(Vec::new());
        let note = |id: &str| {
            let name = rename(id)?;
            names.borrow_mut().push((name.clone(), id.to_owned()));
            Some(name)
        };
        let params = self.message.params().and_then(|params| tasks::renamed(params, &note));
        if let Some(message) = params.and_then(|params| self.message.with_params(&params)) {
            self.message = message;
        }
        self.tasks.extend(names.into_inner());
        self
    }

    /// Gives the target the client's result, JSON text.
    ///
    /// # Errors
    /// The target does not take it.
    pub async fn answer(self, result: &str) -> Result<(), Fault> {
        let own = |name: &str| self.tasks.iter().find(|(known, _)| known == name).map(|(_, id)| id.clone());
        let renamed = tasks::renamed(result, &own);
        let message = wire::result_message(self.id(), renamed.as_deref().unwrap_or(result));
        self.asker.tell(message).await
    }

    /// Gives the target the client's error, JSON text.
    ///
    /// # Errors
    /// The target does not take it.
    pub async fn fail(self, error: &str) -> Result<(), Fault> {
        let message = [r#"{"jsonrpc":"2.0","id":"#, self.id(), r#","error":"#, error, "}"].concat();
        self.asker.tell(message).await
    }

    /// Tells the target that nobody can be asked, and why.
    pub async fn refuse(self, why: &str) {
        let message = wire::error_message(self.id(), wire::METHOD_NOT_FOUND, why, None);
        if let Err(fault) = self.asker.tell(message).await {
            tracing::debug!(%fault, "a target did not take the refusal of its request");
        }
    }
}

impl fmt::Debug for Question {
    /// Says what kind of question it is; what it holds is the client's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Question({})", self.method())
    }
}
