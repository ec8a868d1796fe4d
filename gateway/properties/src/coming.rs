//! A long answer that is read while it comes.

use bytes::Bytes;
use causeway_core::{
    canonical::{Coming, End, Response},
    era::Era,
    wire::{Envelope, Follower, Member},
};
use serde_json::Value;

use crate::json;

/// Two bytes that say where the answer is cut, and then the answer.
///
/// It is read alike wherever it is cut, and taken if and only if another reader takes it for an object. What is passed on of it in
/// pieces is what is passed on of it as a whole.
pub fn check(data: &[u8]) {
    let Some((&[first, second], answer)) = data.split_first_chunk() else { return };
    let cut = |at: u8| usize::from(at).min(answer.len());
    let (from, to) = (cut(first.min(second)), cut(first.max(second)));
    let whole = read([answer].into_iter());
    assert_eq!(read([&answer[..from], &answer[from..to], &[], &answer[to..]].into_iter()), whole, "cut in three");
    assert_eq!(read(answer.chunks(1)), whole, "cut in bytes");
    let text = std::str::from_utf8(answer).ok();
    match &whole {
        Some(read) if read.is_over => {
            let text = text.expect("what is no text was taken");
            assert!(json::is_object(text), "what is no object was taken");
            read.members
                .iter()
                .flatten()
                .for_each(|at| assert!(json::is_json(&text[at.clone()]), "a member is no JSON"));
        }
        _ => assert!(text.is_none_or(|text| json::object(text).is_none()), "an object was refused"),
    }
    for era in [Era::Modern, Era::Legacy] {
        in_pieces(answer, from, to, era);
    }
}

/// All that is learned of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    is_over: bool,
    is_in_result: bool,
    is_error: bool,
    has_twin: bool,
    members: [Option<std::ops::Range<usize>>; 8],
}

fn read<'a>(mut pieces: impl Iterator<Item = &'a [u8]>) -> Option<Read> {
    let mut follower = Follower::default();
    pieces.try_for_each(|piece| follower.push(piece)).ok()?;
    let members = [
        Member::Jsonrpc,
        Member::Id,
        Member::Method,
        Member::Params,
        Member::Result,
        Member::Error,
        Member::ResultType,
        Member::IsError,
    ];
    Some(Read {
        is_over: follower.is_over(),
        is_in_result: follower.is_in_result(),
        is_error: follower.is_error(),
        has_twin: follower.has_twin(),
        members: members.map(|member| follower.found(member)),
    })
}

fn in_pieces(answer: &[u8], from: usize, to: usize, era: Era) {
    for (own, client) in [("41", "41"), ("41", "\"of the client\"")] {
        let Some(mut coming) = Coming::new(Bytes::copy_from_slice(&answer[..from]), era, own) else { return };
        let mut pieces = coming.take_begun(client).concat();
        for piece in [&answer[from..to], &answer[to..]] {
            let Ok(passed) = coming.follow(piece) else { return };
            pieces.extend_from_slice(&piece[..passed]);
        }
        let Ok(End { rest, is_tool_error }) = coming.end(client) else { return };
        pieces.extend(rest);
        // One in which a member that nobody looks for has a name that is no text is taken by who does not look at it.
        let Ok(envelope) = Envelope::parse(Bytes::copy_from_slice(answer)) else { return };
        let response = Response::new(envelope, era).expect("what was passed on is no answer");
        assert_eq!(pieces, response.for_client(era, client), "in pieces it is another one");
        same_end(response.result().expect("what was passed on is no result"), is_tool_error);
    }
}

fn same_end(result: &str, is_error: bool) {
    // Of two with one name readers take the one or the other.
    let stands_once = |key: &str| result.matches(key).count() <= 1;
    if let Some(seen) = json::object(result)
        && stands_once("\"isError\"")
        && !result.contains('\\')
    {
        assert_eq!(is_error, seen.get("isError") == Some(&Value::Bool(true)), "another reader sees another end");
    }
}
