//! For whom a request runs in a target. A target that shares one session or one stream among calls asks and logs without
//! saying for which of them: what it means goes to a caller only where it can be no other's.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use causeway_core::{
    canonical::{Aside, Client},
    wire::Envelope,
};

use super::OWN;

/// For whom a request is made.
#[derive(Clone, Debug)]
pub(in crate::targets) enum Owner {
    /// The gateway itself, or a client that listens: nothing that a target asks or logs is about such a request.
    Gateway,
    Caller {
        id: String,
        /// Where it hears what comes after the answer.
        aside: Option<Aside>,
    },
}

/// What a message is about that does not say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::targets) enum Meant<T> {
    /// The call that began last: all that run are one caller's.
    Call(T),
    /// No call runs that it could be about.
    Over,
    /// Calls of several callers run: it could be anybody's, and one of them would see what is another's.
    Unclear,
}

impl Owner {
    /// Of a call of the caller `caller_id`.
    pub(in crate::targets) fn of(caller_id: &str, client: &Client) -> Self {
        match caller_id {
            OWN => Self::Gateway,
            id => Self::Caller { id: id.to_owned(), aside: client.aside.clone() },
        }
    }

    /// Whose call it is; nobody's if it is the gateway's own.
    pub(in crate::targets) fn caller_id(&self) -> Option<&str> {
        match self {
            Self::Gateway => None,
            Self::Caller { id, .. } => Some(id),
        }
    }
}

/// The callers whose calls ended last: what comes late is about one of those.
#[derive(Debug, Default)]
pub(in crate::targets) struct Ended(Mutex<Vec<End>>);

/// The last call of one caller that ended.
#[derive(Debug)]
struct End {
    caller_id: String,
    aside: Option<Aside>,
    at: Instant,
}

/// A message about a call that ended longer ago than this comes no more.
const LATE: Duration = Duration::from_secs(5);

impl Ended {
    /// Takes note of the end of a call of `owner`.
    pub(in crate::targets) fn note(&self, owner: &Owner) {
        let Owner::Caller { id, aside } = owner else { return };
        let mut ends = self.0.lock().expect("no holder of this lock panics");
        ends.retain(|end| end.caller_id != *id && end.at.elapsed() < LATE);
        ends.push(End { caller_id: id.clone(), aside: aside.clone(), at: Instant::now() });
    }

    /// Says what came too late for its call to the client of the last one, if it can be about no other caller's.
    pub(in crate::targets) fn say(&self, message: &Envelope) {
        let ends = self.0.lock().expect("no holder of this lock panics");
        let Some((last, others)) = ends.split_last() else { return };
        if let Some(aside) = last.aside.as_ref().filter(|_| others.iter().all(|end| end.at.elapsed() >= LATE)) {
            aside.say(message);
        }
    }

    /// Whether no call of another caller ended lately.
    fn are_of(&self, caller_id: &str) -> bool {
        let ends = self.0.lock().expect("no holder of this lock panics");
        ends.iter().all(|end| end.caller_id == caller_id || end.at.elapsed() >= LATE)
    }
}

impl<T> Meant<T> {
    /// The same for a message that may come late, so that it may also be about a call that has `ended`.
    pub(in crate::targets) fn late<'a>(
        mut calls: impl DoubleEndedIterator<Item = (&'a Owner, T)> + Clone,
        ended: &Ended,
    ) -> Self {
        let caller = calls.clone().rev().find_map(|(owner, _)| owner.caller_id());
        match caller {
            Some(caller) if !ended.are_of(caller) => Self::Unclear,
            _ => Self::of(calls.by_ref()),
        }
    }

    /// Of calls in the order in which they began, each with its owner.
    pub(in crate::targets) fn of<'a>(calls: impl DoubleEndedIterator<Item = (&'a Owner, T)>) -> Self {
        let mut calls = calls.rev().filter_map(|(owner, call)| Some((owner.caller_id()?, call)));
        let Some((caller, last)) = calls.next() else { return Self::Over };
        match calls.all(|(other, _)| other == caller) {
            true => Self::Call(last),
            false => Self::Unclear,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::handshake::own_client, *};

    #[test]
    fn what_comes_late_goes_to_nobody_else() {
        let (alice, bob) = (Owner::of("alice", &own_client()), Owner::of("bob", &own_client()));
        let ended = Ended::default();
        let late = |running: &[&Owner]| Meant::late(running.iter().copied().zip(0..running.len()), &ended);
        ended.note(&alice);
        assert_eq!((late(&[]), late(&[&alice]), late(&[&bob])), (Meant::Over, Meant::Call(0), Meant::Unclear));
    }

    #[test]
    fn what_could_be_anothers_is_nobodys() {
        let owners = |callers: &[&str]| callers.iter().map(|id| Owner::of(id, &own_client())).collect::<Vec<_>>();
        let meant = |callers: &[&str]| Meant::of(owners(callers).iter().zip(0..callers.len()));
        assert_eq!(meant(&[]), Meant::Over);
        assert_eq!(meant(&[OWN]), Meant::Over);
        assert_eq!(meant(&["alice", OWN, "alice", OWN]), Meant::Call(2));
        assert_eq!(meant(&["alice", "bob"]), Meant::Unclear);
        assert_eq!(meant(&["bob", "alice", "alice"]), Meant::Unclear);
    }
}
