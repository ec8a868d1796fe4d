//! For whom a request runs in a target. A target that shares one session or one stream among calls asks and logs without
//! saying for which of them: what it means goes to a caller only where it can be no other's.

use causeway_core::canonical::Aside;

use super::OWN;

/// For whom a request is made.
#[derive(Clone, Debug)]
pub(in crate::targets) enum Owner {
    /// The gateway itself, or a client that listens: nothing that a target asks or logs is about such a request.
    Nobody,
    Caller {
        id: String,
        /// Where it hears what comes after the call.
        aside: Option<Aside>,
    },
}

impl Owner {
    /// Of a call of the caller `caller_id`, who hears beside its calls what is said to `aside`.
    pub(in crate::targets) fn of(caller_id: &str, aside: Option<&Aside>) -> Self {
        match caller_id {
            OWN => Self::Nobody,
            caller_id => Self::Caller { id: caller_id.to_owned(), aside: aside.cloned() },
        }
    }

    /// Where the caller hears what comes after the call.
    pub(in crate::targets) fn aside(&self) -> Option<&Aside> {
        match self {
            Self::Nobody => None,
            Self::Caller { aside, .. } => aside.as_ref(),
        }
    }

    /// Of calls in the order in which they began, the one that a message is about which does not say so: the last, if all
    /// that callers made are one caller's. Among calls of several callers it could be anybody's, and one of them would see
    /// what is another's.
    pub(in crate::targets) fn meant<'a, T>(calls: impl DoubleEndedIterator<Item = (&'a Self, T)>) -> Option<T> {
        let mut calls = calls.rev().filter(|(owner, _)| **owner != Self::Nobody);
        let (owner, last) = calls.next()?;
        calls.all(|(other, _)| other == owner).then_some(last)
    }
}

impl PartialEq for Owner {
    /// Whether it is the same caller.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nobody, Self::Nobody) => true,
            (Self::Caller { id, .. }, Self::Caller { id: other, .. }) => id == other,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_anothers_is_nobodys() {
        let (alice, bob, own) = (Owner::of("alice", None), Owner::of("bob", None), Owner::of(OWN, None));
        let meant = |calls: &[&Owner]| Owner::meant(calls.iter().copied().zip(0..calls.len()));
        assert_eq!(meant(&[]), None);
        assert_eq!(meant(&[&own]), None);
        assert_eq!(meant(&[&alice, &own, &alice, &own]), Some(2));
        assert_eq!(meant(&[&alice, &bob]), None);
        assert_eq!(meant(&[&bob, &alice, &alice]), None);
    }
}
