//! A long answer of which the beginning is there, for a client of its target's own era: it is passed on while it comes.

use std::ops::Range;

use bytes::Bytes;

use super::NotAResponse;
use crate::{
    era::Era,
    wire::{self, BadEnvelope, Follower, Member},
};

/// The beginning of an answer in which nothing but its id is to change, and the reading of the rest.
#[derive(Debug)]
pub struct Coming {
    begun: Bytes,
    era: Era,
    id: Range<usize>,
    follower: Follower,
}

/// Why the rest of an answer is none.
#[derive(Debug, thiserror::Error)]
pub enum BadRest {
    #[error(transparent)]
    Envelope(#[from] BadEnvelope),
    #[error(transparent)]
    NotAResponse(#[from] NotAResponse),
    #[error("it ends before its JSON does")]
    BrokenOff,
}

impl Coming {
    /// The answer of a target of `era` that begins so. `None` where that does not show that it is a result, and under which id, and that
    /// the client is not asked for anything by it.
    pub fn new(begun: Bytes, era: Era) -> Option<Self> {
        let mut follower = Follower::default();
        follower.push(&begun).ok()?;
        let said = |member| str::from_utf8(&begun[follower.found(member)?]).ok();
        let is_answer = said(Member::Jsonrpc).and_then(wire::text).as_deref() == Some("2.0");
        let is_final = era == Era::Legacy || said(Member::ResultType) == Some(r#""complete""#);
        let id = follower.found(Member::Id).filter(|_| said(Member::Id) != Some("null"))?;
        let is_known = is_answer && is_final && follower.is_in_result() && is_result(&follower);
        is_known.then_some(Self { begun, era, id, follower })
    }

    /// What its target speaks.
    pub fn era(&self) -> Era {
        self.era
    }

    /// Its id, JSON text.
    pub fn id(&self) -> &str {
        str::from_utf8(&self.begun[self.id.clone()]).expect("what was read as JSON is text")
    }

    /// What is there of it.
    pub fn begun(&self) -> &Bytes {
        &self.begun
    }

    /// The same under the id (JSON text) of the client's request, in pieces.
    pub fn begun_for_client(&self, id: &str) -> Vec<Bytes> {
        if self.id() == id {
            return vec![self.begun.clone()];
        }
        let (before, after) = (self.begun.slice(..self.id.start), self.begun.slice(self.id.end..));
        vec![before, Bytes::copy_from_slice(id.as_bytes()), after]
    }

    /// Reads more of it.
    ///
    /// # Errors
    /// It is no answer any more.
    pub fn follow(&mut self, more: &[u8]) -> Result<(), BadRest> {
        self.follower.push(more)?;
        if is_result(&self.follower) { Ok(()) } else { Err(NotAResponse.into()) }
    }

    /// Takes its end; says whether it is a tool's error.
    ///
    /// # Errors
    /// It is not whole.
    pub fn end(&self) -> Result<bool, BadRest> {
        if self.follower.is_over() { Ok(self.follower.is_error()) } else { Err(BadRest::BrokenOff) }
    }
}

/// Nothing else stands beside the result that would make it none.
fn is_result(follower: &Follower) -> bool {
    !(follower.has_twin() || follower.has(Member::Method) || follower.has(Member::Error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{canonical::Response, wire::Envelope};

    fn coming(begun: &'static str, era: Era) -> Option<Coming> {
        Coming::new(Bytes::from_static(begun.as_bytes()), era)
    }

    #[test]
    fn a_beginning_is_taken_that_says_what_comes() {
        let check = |era, begun, is_taken| assert_eq!(coming(begun, era).is_some(), is_taken, "{era:?} {begun}");
        let modern = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":["#;
        check(Era::Modern, modern, true);
        check(Era::Legacy, modern, true);
        check(Era::Legacy, r#"{"id":"a","result":{"content":["#, false);
        let legacy = r#"{"id":"a","jsonrpc":"2.0","result":{"content":["#;
        check(Era::Legacy, legacy, true);
        check(Era::Modern, legacy, false);
        check(Era::Modern, r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","x":["#, false);
        check(Era::Modern, r#"{"jsonrpc":"2.0","id":1,"result":{"x":[{"resultType":"complete","#, false);
        check(Era::Legacy, r#"{"jsonrpc":"2.0","result":{"content":["#, false);
        check(Era::Legacy, r#"{"jsonrpc":"2.0","id":null,"result":{"content":["#, false);
        check(Era::Legacy, r#"{"jsonrpc":"2.0","id":1,"error":null,"result":{"content":["#, false);
        check(Era::Legacy, r#"{"jsonrpc":"2.0","id":1,"error":{"data":["#, false);
        check(Era::Legacy, r#"{"jsonrpc":"2.0","id":1,"id":2,"result":{"content":["#, false);
        check(Era::Legacy, r#"{"jsonrpc":"2.0","id":1,"result":{"content":[}"#, false);
        check(Era::Legacy, r#"{"jsonrpc":"2.0","id":1,"result":["#, false);
    }

    /// In pieces it is what it is as a whole.
    #[test]
    fn a_client_gets_the_same_as_of_an_answer_that_is_there() {
        let begun = r#"{"jsonrpc":"2.0","id":41,"result":{"resultType":"complete","content":["#;
        let rest = r#"1e2],"isError":true},"x":null}"#;
        let whole = [begun, rest].concat();
        let response = Response::new(Envelope::read(whole).unwrap(), Era::Modern).unwrap();
        for id in ["41", r#""a""#] {
            let mut coming = coming(begun, Era::Modern).unwrap();
            let mut pieces = coming.begun_for_client(id);
            coming.follow(rest.as_bytes()).unwrap();
            assert!(coming.end().unwrap());
            pieces.push(rest.into());
            assert_eq!(pieces.concat(), response.for_client(Era::Modern, id));
        }
    }

    #[test]
    fn a_rest_that_makes_no_answer_is_refused() {
        let begun = r#"{"jsonrpc":"2.0","id":1,"result":{"content":["#;
        let check = |rest: &str, why: Option<&str>| {
            let mut coming = coming(begun, Era::Legacy).unwrap();
            let said = coming.follow(rest.as_bytes()).and_then(|()| coming.end()).err().map(|why| why.to_string());
            assert_eq!(said.as_deref(), why, "{rest}");
        };
        check("]}} ", None);
        check("]}", Some("it ends before its JSON does"));
        check("]}}}", Some("the body is no JSON: something else is expected at byte 48"));
        for rest in [r#"]},"error":{"code":1}}"#, r#"]},"result":{}}"#, r#"]},"id":1}"#, r#"]},"method":"x"}"#] {
            check(rest, Some("the message is no JSON-RPC response"));
        }
    }
}
