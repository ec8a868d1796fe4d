//! Calls of modern clients that wait for input: their legacy target asked something on the reply, which a modern answer
//! carries to the client as `input_required`. The reply stays open here until the client comes back with the input under a
//! sealed `requestState`; the call itself is never sent twice.
//!
//! Source: MCP 2026-07-28, basic/patterns/mrtr.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use causeway_core::{
    canonical::{InputRequest, InputRequired, Request},
    seal::{Sealer, Unsealed},
    wire::{Object, ObjectEdit, json},
};
use causeway_oidc::clock::Clock;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::task::AbortOnDropHandle;

use crate::{
    calls::Lead,
    front::reply::ServedBy,
    gateway::CallError,
    opaque::{digest_of, random_text},
    targets::{Events, Question},
};

/// Keeps `requestState` apart from other sealed tokens.
const PURPOSE: &str = "parked";
/// The same for a call that is to be made anew.
const ANEW: &str = "anew";
/// Tells a state of the gateway from one of a modern target, which passes unread.
const MARK: &str = "causeway.";

/// The calls that wait.
#[derive(Clone)]
pub(crate) struct Lot {
    parked: Arc<Mutex<Places>>,
    sealer: Arc<Sealer>,
    clock: Clock,
    most: usize,
    patience: Duration,
    /// The replica that this is, as the others know it.
    own: Option<Arc<str>>,
}

/// Where a parked call is.
#[derive(Debug, Deserialize, Serialize)]
struct Place {
    #[serde(rename = "k")]
    key: String,
    /// The replica in which it waits.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    replica: Option<String>,
}

/// Calls by their keys, each with what gives it up in time.
type Places = HashMap<String, (Parked, AbortOnDropHandle<()>)>;

/// A reply that goes on once its questions are answered. Dropped, it cancels the call.
pub(super) struct Parked {
    pub(super) events: Events<CallError>,
    /// By the key under which the client knows each.
    pub(super) questions: Vec<(String, Question)>,
    /// How many questions there were in all rounds, so that no two have one key.
    pub(super) asked: usize,
    /// The progress token (JSON text) under which the target reports.
    pub(super) progress_token: Option<String>,
    /// By which the reply comes.
    pub(super) served_by: ServedBy,
    /// Where the call leads, for who watches.
    pub(super) lead: Option<Arc<Lead>>,
}

/// What a `requestState` leads to.
pub(super) enum Found {
    Parked(Parked),
    /// A call that was refused and did nothing.
    Refused,
    /// None of the gateway's: a matter between client and target.
    NotOurs,
    /// The gateway's, but nobody waits under it any more, or it is another caller's or another call's.
    Nothing,
    /// It waited in another replica.
    Gone,
}

impl Lot {
    pub(crate) fn new(sealer: Arc<Sealer>, clock: Clock, most: usize, patience: Duration) -> Self {
        Self { parked: Arc::default(), sealer, clock, most, patience, own: None }
    }

    /// The same in the replica that the others know by the address `own`.
    pub(crate) fn at(self, own: Option<&str>) -> Self {
        Self { own: own.map(Arc::from), ..self }
    }

    /// The same calls with other bounds, for what comes next.
    pub(crate) fn bounded(&self, most: usize, patience: Duration) -> Self {
        Self { most, patience, ..self.clone() }
    }

    /// How many calls wait, and how many may.
    pub(crate) fn occupancy(&self) -> (usize, usize) {
        (self.parked.lock().expect("no holder of this lock panics").len(), self.most)
    }

    /// Gives all of them up: their targets are told.
    pub(crate) fn clear(&self) {
        // Dropped after the lock: what that does to a target is nobody's business who waits for this one.
        let _parked = std::mem::take(&mut *self.parked.lock().expect("no holder of this lock panics"));
    }

    /// Keeps `parked`, a call of `caller_id` made with `request`, and gives the result that asks for its input.
    pub(super) fn park(&self, caller_id: &str, request: &Request, parked: Parked) -> Result<String, CallError> {
        let requests = parked.questions.iter().map(|(key, question)| InputRequest {
            key: key.clone(),
            method: question.method().to_owned(),
            params: question.params().map(ToOwned::to_owned),
        });
        let requests = requests.collect();
        let key = random_text::<16>();
        let expires = self.clock.now() + self.patience;
        let place = Place { key: key.clone(), replica: self.own.as_deref().map(ToOwned::to_owned) };
        let state = self.sealer.seal(PURPOSE, &owner(caller_id, request), expires, &place);
        let (lot, forgotten, patience) = (Arc::clone(&self.parked), key.clone(), self.patience);
        let giving_up = tokio::spawn(async move {
            tokio::time::sleep(patience).await;
            let given_up = lot.lock().expect("no holder of this lock panics").remove(&forgotten);
            if given_up.is_some() {
                tracing::debug!("a call was given up: its input did not come in time");
            }
        });
        let mut lot = self.parked.lock().expect("no holder of this lock panics");
        if lot.len() >= self.most {
            giving_up.abort();
            return Err(CallError::TooManyParked(self.most));
        }
        lot.insert(key, (parked, AbortOnDropHandle::new(giving_up)));
        Ok(InputRequired { requests, state: Some(json(&[MARK, &state].concat())) }.result())
    }

    /// A `requestState` (JSON text) for a call that was refused until the client brings something: its retry makes it anew.
    pub(super) fn refused(&self, caller_id: &str, request: &Request) -> String {
        let state = self.sealer.seal(ANEW, &owner(caller_id, request), self.clock.now() + self.patience, &());
        json(&[MARK, &state].concat())
    }

    /// The address of the replica in which the call waits that `request`, a retry by `caller_id`, is to go on with, if it is not this
    /// one.
    pub(super) fn home(&self, caller_id: &str, request: &Request) -> Option<String> {
        let state = request.param("requestState")?;
        let opened = self.sealer.open(PURPOSE, &owner(caller_id, request), self.clock.now(), state.strip_prefix(MARK)?);
        let Place { replica, .. } = opened.ok()?;
        replica.filter(|replica| self.own.as_deref() != Some(replica))
    }

    /// Takes out the call that `request`, a retry by `caller_id`, is to go on with.
    pub(super) fn find(&self, caller_id: &str, request: &Request) -> Found {
        let state = request.param("requestState");
        let Some(state) = state.as_ref().and_then(|state| state.strip_prefix(MARK)) else { return Found::NotOurs };
        let (owner, now) = (owner(caller_id, request), self.clock.now());
        if self.sealer.open::<()>(ANEW, &owner, now, state).is_ok() {
            return Found::Refused;
        }
        let opened: Result<Place, Unsealed> = self.sealer.open(PURPOSE, &owner, now, state);
        let Place { key, replica } = match opened {
            Ok(place) => place,
            // It may be that of a gateway behind this one; a legacy target refuses it.
            Err(Unsealed::Foreign) => return Found::NotOurs,
            Err(Unsealed::Expired) => return Found::Nothing,
        };
        let parked = self.parked.lock().expect("no holder of this lock panics").remove(&key);
        match (parked, replica) {
            (Some((parked, _)), _) => Found::Parked(parked),
            (None, Some(replica)) if self.own.as_deref() != Some(&*replica) => Found::Gone,
            (None, _) => Found::Nothing,
        }
    }
}

/// What a client brought for the questions of a parked call: its results by key, JSON texts.
pub(super) fn brought(request: &Request) -> BTreeMap<String, String> {
    let responses = request.params.get("inputResponses");
    let responses = responses.and_then(|responses| ObjectEdit::parse(responses).ok());
    let members = responses.iter().flat_map(ObjectEdit::members);
    members.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// Whose a state is: one caller's, for one call with the same parameters.
fn owner(caller_id: &str, request: &Request) -> String {
    [&*request.method, "\n", &digest_of(lasting(&request.params)), "\n", caller_id].concat()
}

/// Those of `params` that are the same with each try of a call, as JSON text: equal ones give equal texts, in whatever order a client
/// writes them. What `serde_json` cannot put in order (too deep, beyond `f64`, half a character) counts as it is written; whole numbers
/// beyond 64 bits are told apart as `f64` are.
fn lasting(params: &Object) -> String {
    let mut params = ObjectEdit::of(params);
    for own in ["_meta", "inputResponses", "requestState"] {
        params.remove(own);
    }
    let text = params.finish();
    let ordered = serde_json::from_str(&text).map(|mut params: Value| {
        params.sort_all_objects();
        params.to_string()
    });
    ordered.unwrap_or(text)
}

impl fmt::Debug for Lot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lot({} parked)", self.parked.lock().expect("no holder of this lock panics").len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_tells_calls_apart_however_deep_their_parameters_are() {
        let of = |arguments: &str, state: &str| {
            lasting(
                &Object::parse(format!(r#"{{"arguments":{arguments},"requestState":{state},"_meta":{{}}}}"#)).unwrap(),
            )
        };
        assert_eq!(of(r#"{"a":1,"b":[{"c":2,"d":3}]}"#, "1"), of(r#"{"b":[{"d":3,"c":2}],"a":1}"#, "2"));
        assert_ne!(of(r#"{"a":1}"#, "1"), of(r#"{"a":2}"#, "1"));
        let deep = |inside: &str| ["[".repeat(200), inside.into(), "]".repeat(200)].concat();
        assert_eq!(of(&deep("1"), "1"), of(&deep("1"), "2"));
        assert_ne!(of(&deep("1"), "1"), of(&deep("2"), "1"));
    }
}
