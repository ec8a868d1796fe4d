//! The last message of a reply, for a client of the same era and of the other.

use bytes::Bytes;
use causeway_core::{
    canonical::{InputRequired, Response},
    era::Era,
    wire::{self, Envelope, ObjectEdit},
};

use crate::{input, json};

/// The id under which a client asked, in a line, and then what its target answered.
///
/// Whatever a target answers, a client gets one response under its own id; a result or an error has the same members to the byte,
/// but for those that one era has alone; there and back is the identity.
pub fn check(data: &[u8]) {
    let Some(([id], message)) = input::texts(data) else { return };
    let is_id = json::value(id).is_some_and(|id| id.is_string() || id.is_number()) && id.trim() == id;
    let Ok(envelope) = Envelope::parse(Bytes::copy_from_slice(message.as_bytes())) else { return };
    if !is_id {
        return;
    }
    for from in [Era::Modern, Era::Legacy] {
        for of_resource in [false, true] {
            let Ok(response) = Response::new(envelope.clone(), from) else { return };
            let response = if of_resource { response.of_resource() } else { response };
            asked(&response);
            [Era::Modern, Era::Legacy].into_iter().for_each(|to| seen(&response, from, to, id));
            there_and_back(response, from, id, of_resource);
        }
    }
}

fn seen(response: &Response, from: Era, to: Era, id: &str) {
    let bytes = response.for_client(to, id);
    let seen = Envelope::parse(bytes).expect("a client gets no message");
    assert_eq!(seen.kind(), wire::Kind::Response);
    assert_eq!(seen.id(), Some(id), "a client gets an answer to nothing that it asked");
    let became_error = response.input_required().is_some() && to == Era::Legacy;
    if became_error {
        return assert!(seen.error().is_some() && seen.result().is_none(), "a legacy client is asked by an answer");
    }
    if from == to {
        assert_eq!(seen.error(), response.error().or(seen.error()));
        return assert_eq!(seen.result().filter(|_| seen.error().is_none()), response.result());
    }
    for (before, after) in
        [(response.result(), seen.result().filter(|_| seen.error().is_none())), (response.error(), seen.error())]
    {
        let Some(before) = before else { continue };
        let after = after.expect("a result became an error, or the other way round");
        kept(before, after);
    }
}

/// Members that no era has for itself.
fn kept(before: &str, after: &str) {
    let (Ok(before_members), Ok(after_members)) = (ObjectEdit::parse(before), ObjectEdit::parse(after)) else {
        return assert_eq!(before, after, "what is no object changed");
    };
    let own = ["resultType", "ttlMs", "cacheScope", "code"];
    let kept = |(key, _): &(&str, &str)| !own.contains(key);
    assert!(before_members.members().filter(kept).eq(after_members.members().filter(kept)), "{before} became {after}");
}

fn asked(response: &Response) {
    let Some(asked) = response.input_required() else { return };
    let again = [r#"{"jsonrpc":"2.0","id":1,"result":"#, &asked.result(), "}"].concat();
    let again = Response::new(Envelope::parse(again.into()).expect("a message"), Era::Modern).expect("a response");
    let read: Option<InputRequired> = again.input_required();
    let distinct =
        asked.requests.iter().enumerate().all(|(at, it)| asked.requests[..at].iter().all(|one| one.key != it.key));
    if distinct {
        assert_eq!(read, Some(asked), "what a target asks for is read as something else");
    }
}

fn there_and_back(response: Response, from: Era, id: &str, of_resource: bool) {
    let Some(result) = response.result().map(str::to_owned) else { return };
    let to = if from == Era::Legacy { Era::Modern } else { Era::Legacy };
    let names = ["resultType", "ttlMs", "cacheScope"];
    let has_own = ObjectEdit::parse(&result).is_ok_and(|it| names.iter().any(|name| it.get(name).is_some()));
    if from == Era::Modern || has_own {
        return;
    }
    let there = Envelope::parse(response.for_client(to, id)).expect("a message");
    let there = Response::new(there, to).expect("a response");
    let there = if of_resource { there.of_resource() } else { there };
    assert_eq!(there.for_client(from, id), response.for_client(from, id), "there and back it is another");
}
