//! The `requestState` of what a path asks for where there are several: it holds the path and the state that it gave, sealed for the
//! caller and the method, so that a retry goes back to where it began and brings what was given there. Knows of no failures.

use std::{sync::Arc, time::Duration};

use causeway_core::{
    canonical::Request,
    wire::{ObjectEdit, json},
};
use serde::{Deserialize, Serialize};

use super::{
    super::{CallError, Gateway},
    Way,
};
use crate::{inbound::Caller, targets::Reply};

/// Tells a `requestState` that names the path which it belongs to from one of a target.
const MARK: &str = "causeway-path.";
/// Keeps such states apart from other sealed texts.
const PURPOSE: &str = "path state";
/// How long one is good: as long as a target may reasonably wait for input.
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// What a `requestState` holds where there is more than one path. Sealed: the rest of it goes into a message as it is.
#[derive(Debug, Deserialize, Serialize)]
struct State {
    /// Who asked for input.
    #[serde(rename = "p")]
    path: String,
    /// The `requestState` that it gave, as JSON text.
    #[serde(rename = "s")]
    own: Option<String>,
}

impl Gateway {
    /// `reply` with a state of the path of that name in the place of its own, where it asks for input.
    pub(super) fn with_states(&self, owner: String, path: String, reply: Reply) -> Reply {
        let (sealer, clock) = (Arc::clone(&self.sealer), self.clock.clone());
        reply.map_result(move |result| {
            let seal = |own| sealer.seal(PURPOSE, &owner, clock.now() + LIFE, &State { path: path.clone(), own });
            with_state(result, seal)
        })
    }

    /// The ways of a request of `owner` as it is sent there: a retry that brings input has one, the path that asked for it.
    pub(super) fn settled<'a>(
        &self,
        owner: &str,
        mut ways: Vec<Way<'a>>,
        request: Request,
    ) -> Result<(Vec<Way<'a>>, Request), CallError> {
        let state = request.param("requestState");
        let Some(sealed) = state.as_deref().and_then(|state| state.strip_prefix(MARK)) else {
            if request.brings_input() {
                // It is older than the other ways.
                ways.truncate(1);
            }
            return Ok((ways, request));
        };
        // Also of a client of the legacy era, in whose place the gateway makes the retry.
        let opened = self.sealer.open(PURPOSE, owner, self.clock.now(), sealed);
        let State { path, own } = opened.map_err(|_| CallError::UnknownState)?;
        ways.retain(|way| way.target.path().to_string() == path);
        if ways.is_empty() {
            return Err(CallError::UnknownState);
        }
        Ok((ways, with_own_state(request, own.as_deref())))
    }
}

/// Whose a state is: one caller's, for one method. An extension's method has none: a state of it is the target's own.
pub(super) fn owner(caller: &Caller, request: &Request) -> Option<String> {
    request.may_be_asked_for_input().then(|| [&*request.method, "\n", &caller.key].concat())
}

/// A result (JSON text) that asks for input, with what `seal` makes of its `requestState` (JSON text); `None` for any other.
fn with_state(result: &str, seal: impl FnOnce(Option<String>) -> String) -> Option<String> {
    let mut edit = ObjectEdit::parse(result).ok()?;
    if edit.get("resultType") != Some(r#""input_required""#) {
        return None;
    }
    let state = [MARK, &seal(edit.get("requestState").map(ToOwned::to_owned))].concat();
    edit.set("requestState", &json(&state));
    Some(edit.finish())
}

/// `request` with the `requestState` (JSON text) that its path gave.
fn with_own_state(mut request: Request, state: Option<&str>) -> Request {
    request.change(|params| match state {
        None => params.remove("requestState"),
        Some(state) => params.set("requestState", state),
    });
    request
}
