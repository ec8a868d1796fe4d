//! A long answer of which the beginning is there, for a client of its target's own era: it is passed on while it comes.

use std::ops::Range;

use bytes::Bytes;

use super::NotAResponse;
use crate::{
    era::Era,
    wire::{self, BadEnvelope, Follower, Member},
};

/// Bytes that may follow the result.
const LONGEST_END: usize = 64 * 1024;

/// The beginning of an answer in which nothing but its id is to change, and the reading of the rest.
#[derive(Debug)]
pub struct Coming {
    era: Era,
    /// Under which it is awaited, JSON text.
    id: String,
    begun: Bytes,
    follower: Follower,
    /// What came after the result; its id may stand there.
    end: Vec<u8>,
}

/// Why the rest of an answer is none.
#[derive(Debug, thiserror::Error)]
pub enum BadRest {
    #[error(transparent)]
    Envelope(#[from] BadEnvelope),
    #[error(transparent)]
    NotAResponse(#[from] NotAResponse),
    #[error("it answered another request than the one it was sent")]
    AnotherId,
    #[error("more than {LONGEST_END} bytes follow its result")]
    LongEnd,
    #[error("it ends before its JSON does")]
    BrokenOff,
}

/// The end of an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct End {
    /// What is still to be given to the client.
    pub rest: Vec<u8>,
    pub is_tool_error: bool,
}

impl Coming {
    /// The answer of a target of `era` that begins so, where one is awaited under `id` (JSON text). `None` where it does not show by now
    /// that it is a result, and that it asks nothing of the client.
    pub fn new(begun: Bytes, era: Era, id: &str) -> Option<Self> {
        let mut follower = Follower::default();
        follower.push(&begun).ok()?;
        let coming = Self { era, id: id.to_owned(), begun, follower, end: Vec::new() };
        let is_final = era == Era::Legacy || coming.said(Member::ResultType) == Some(r#""complete""#);
        let is_its_own = coming.said(Member::Id).is_none_or(|id| wire::is_same_id(id, &coming.id))
            && coming.said(Member::Jsonrpc).is_none_or(wire::is_version);
        (coming.follower.is_in_result() && is_final && is_its_own && coming.is_result()).then_some(coming)
    }

    /// What its target speaks.
    pub fn era(&self) -> Era {
        self.era
    }

    /// The id under which it is awaited, JSON text.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Bytes of it that were there.
    pub fn begun(&self) -> usize {
        self.begun.len()
    }

    /// Gives away the beginning, in pieces, for a client that asked under `id` (JSON text).
    pub fn take_begun(&mut self, id: &str) -> Vec<Bytes> {
        let own = self.follower.found(Member::Id).filter(|at| self.begun[at.clone()] != *id.as_bytes());
        let begun = std::mem::take(&mut self.begun);
        match own {
            None => vec![begun],
            Some(at) => vec![begun.slice(..at.start), Bytes::copy_from_slice(id.as_bytes()), begun.slice(at.end..)],
        }
    }

    /// Reads more of it, and says how much of that may be passed on as it is.
    ///
    /// # Errors
    /// It is no answer any more.
    pub fn follow(&mut self, more: &[u8]) -> Result<usize, BadRest> {
        let before = self.follower.at();
        self.follower.push(more)?;
        if !self.is_result() {
            return Err(NotAResponse.into());
        }
        let Range { end, .. } = self.follower.found(Member::Result).unwrap_or(0..usize::MAX);
        let passed = end.saturating_sub(before).min(more.len());
        self.end.extend_from_slice(&more[passed..]);
        if self.end.len() > LONGEST_END { Err(BadRest::LongEnd) } else { Ok(passed) }
    }

    /// Takes its end, for a client that asked under `id` (JSON text).
    ///
    /// # Errors
    /// It is not whole, or answers something else.
    pub fn end(&mut self, id: &str) -> Result<End, BadRest> {
        if !self.follower.is_over() {
            return Err(BadRest::BrokenOff);
        }
        let begins = self.follower.at() - self.end.len();
        // What stands in the beginning was looked at there.
        let said = |member| -> Result<Option<Range<usize>>, NotAResponse> {
            let at = self.follower.found(member).ok_or(NotAResponse)?;
            Ok((at.start >= begins).then(|| at.start - begins..at.end - begins))
        };
        let text = |at: Range<usize>| str::from_utf8(&self.end[at]).expect("what was read as JSON is text");
        let (version, own) = (said(Member::Jsonrpc)?, said(Member::Id)?);
        if version.is_some_and(|at| !wire::is_version(text(at))) {
            return Err(NotAResponse.into());
        }
        let is_tool_error = self.follower.is_error();
        let Some(own) = own else { return Ok(End { rest: std::mem::take(&mut self.end), is_tool_error }) };
        if !wire::is_same_id(text(own.clone()), &self.id) {
            return Err(BadRest::AnotherId);
        }
        let rest = [&self.end[..own.start], id.as_bytes(), &self.end[own.end..]].concat();
        Ok(End { rest, is_tool_error })
    }

    /// What the beginning says of a member, JSON text.
    fn said(&self, member: Member) -> Option<&str> {
        str::from_utf8(&self.begun[self.follower.found(member)?]).ok()
    }

    /// Nothing stands beside the result that would make it none.
    fn is_result(&self) -> bool {
        let follower = &self.follower;
        !(follower.has_twin() || follower.has(Member::Method) || follower.has(Member::Error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{canonical::Response, wire::Envelope};

    fn coming(begun: &str, era: Era) -> Option<Coming> {
        Coming::new(Bytes::copy_from_slice(begun.as_bytes()), era, "41")
    }

    #[test]
    fn a_beginning_is_taken_that_says_what_comes() {
        let check = |era, begun, is_taken| assert_eq!(coming(begun, era).is_some(), is_taken, "{era:?} {begun}");
        let modern = r#"{"jsonrpc":"2.0","id":41,"result":{"resultType":"complete","content":["#;
        check(Era::Modern, modern, true);
        check(Era::Legacy, modern, true);
        let legacy = r#"{"result":{"content":["#;
        check(Era::Legacy, legacy, true);
        check(Era::Modern, legacy, false);
        check(Era::Modern, r#"{"jsonrpc":"2.0","id":41,"result":{"resultType":"input_required","x":["#, false);
        check(Era::Modern, r#"{"jsonrpc":"2.0","id":41,"result":{"x":[{"resultType":"complete","#, false);
        check(Era::Legacy, r#"{"jsonrpc":"2.0","error":null,"result":{"content":["#, true);
        check(Era::Legacy, r#"{"jsonrpc":"2.0","id":4.1e1,"result":{"content":["#, true);
        check(Era::Legacy, r#"{"jsonrpc":"2.0","id":42,"result":{"content":["#, false);
        check(Era::Legacy, r#"{"jsonrpc":"2.0","id":null,"result":{"content":["#, false);
        check(Era::Legacy, r#"{"jsonrpc":"1.0","id":41,"result":{"content":["#, false);
        check(Era::Legacy, r#"{"jsonrpc":"2.0","id":41,"error":{"data":["#, false);
        check(Era::Legacy, r#"{"jsonrpc":"2.0","id":41,"id":2,"result":{"content":["#, false);
        check(Era::Legacy, r#"{"jsonrpc":"2.0","id":41,"result":{"content":[}"#, false);
        check(Era::Legacy, r#"{"jsonrpc":"2.0","id":41,"result":["#, false);
    }

    /// In pieces it is what it is as a whole.
    #[test]
    fn a_client_gets_the_same_as_of_an_answer_that_is_there() {
        let check = |whole: &str, cut: usize| {
            let at = whole.find("[").unwrap();
            let response = Response::new(Envelope::read(whole.to_owned()).unwrap(), Era::Legacy).unwrap();
            for id in ["41", r#""a""#] {
                let mut coming = coming(&whole[..at], Era::Legacy).unwrap();
                let mut pieces = coming.take_begun(id).concat();
                for piece in whole.as_bytes()[at..].chunks(cut) {
                    let passed = coming.follow(piece).unwrap();
                    pieces.extend_from_slice(&piece[..passed]);
                }
                let end = coming.end(id).unwrap();
                assert!(end.is_tool_error);
                pieces.extend(end.rest);
                assert_eq!(pieces, response.for_client(Era::Legacy, id), "{cut} {whole}");
            }
        };
        for cut in 1..20 {
            check(r#"{"jsonrpc":"2.0","id":41,"result":{"content":[1e2],"isError":true},"x":null}"#, cut);
            check(
                r#"{"result":{"content":[1e2],"isError":true} , "jsonrpc":"2.0", "\u0069d" : 41 ,"error":null} "#,
                cut,
            );
        }
    }

    #[test]
    fn a_rest_that_makes_no_answer_is_refused() {
        let check = |begun: &str, rest: &str, why: Option<&str>| {
            let mut coming = coming(begun, Era::Legacy).unwrap();
            let said = coming.follow(rest.as_bytes()).and_then(|_| coming.end("1")).err().map(|why| why.to_string());
            assert_eq!(said.as_deref(), why, "{rest}");
        };
        let begun = r#"{"jsonrpc":"2.0","id":41,"result":{"content":["#;
        check(begun, "]}} ", None);
        check(begun, "]}", Some("it ends before its JSON does"));
        check(begun, "]}}}", Some("the body is no JSON: something else is expected at byte 49"));
        for rest in [r#"]},"error":{"code":1}}"#, r#"]},"result":{}}"#, r#"]},"id":41}"#, r#"]},"method":"x"}"#] {
            check(begun, rest, Some("the message is no JSON-RPC response"));
        }
        let begun = r#"{"result":{"content":["#;
        check(begun, r#"]},"id":41,"jsonrpc":"2.0"}"#, None);
        check(begun, r#"]},"id":42,"jsonrpc":"2.0"}"#, Some("it answered another request than the one it was sent"));
        check(begun, r#"]},"id":41,"jsonrpc":"2"}"#, Some("the message is no JSON-RPC response"));
        check(begun, r#"]},"id":41}"#, Some("the message is no JSON-RPC response"));
        check(begun, r#"]},"jsonrpc":"2.0"}"#, Some("the message is no JSON-RPC response"));
        let long = [r#"]},"x":""#, &"x".repeat(LONGEST_END), r#""}"#].concat();
        check(begun, &long, Some("more than 65536 bytes follow its result"));
    }
}
