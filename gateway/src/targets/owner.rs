//! For whom a request runs in a target. A target that shares one session or one stream among calls asks and logs without
//! saying for which of them: what it means goes to a caller only where it can be no other's.

use causeway_core::canonical::{Aside, Client};

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

    fn caller_id(&self) -> Option<&str> {
        match self {
            Self::Gateway => None,
            Self::Caller { id, .. } => Some(id),
        }
    }
}

impl<T> Meant<T> {
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
