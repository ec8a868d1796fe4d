//! The last message of a reply, and the same for a client of either era. Of the request it knows no more than that it was for a
//! resource.

use std::{fmt, ops::Range};

use bytes::Bytes;

use super::InputRequired;
use crate::{
    era::Era,
    wire::{self, Envelope, Kind, ObjectEdit, json},
};

/// A modern target wants something from the client before it goes on, and a legacy answer cannot ask for it.
const CANNOT_ASK: &str = "the target asks for input, which an answer of this client's MCP version cannot carry";

/// The last message of a reply, a result or an error.
#[derive(Clone)]
pub struct Response {
    envelope: Envelope,
    era: Era,
    /// It answers a request for a resource.
    of_resource: bool,
}

/// Why a message from a target is no answer.
#[derive(Debug, thiserror::Error)]
#[error("the message is no JSON-RPC response")]
pub struct NotAResponse;

impl Response {
    /// Takes a message that a target of `era` sent as its answer.
    pub fn new(envelope: Envelope, era: Era) -> Result<Self, NotAResponse> {
        match envelope.kind() {
            Kind::Response => Ok(Self { envelope, era, of_resource: false }),
            Kind::Request | Kind::Notification => Err(NotAResponse),
        }
    }

    /// Whether a legacy target sent it.
    pub fn is_legacy(&self) -> bool {
        self.era == Era::Legacy
    }

    /// The result as JSON text; `None` for an error, also where a `"result":null` stands beside it.
    pub fn result(&self) -> Option<&str> {
        self.envelope.result().filter(|_| self.error().is_none())
    }

    /// The error as JSON text; `None` for a result.
    pub fn error(&self) -> Option<&str> {
        self.envelope.error()
    }

    /// The same with another result (JSON text).
    pub fn with_result(self, result: &str) -> Self {
        let spliced =
            self.envelope.result_span().map(|span| splice(self.envelope.text(), vec![(span, New::Text(result))]));
        let envelope = spliced.and_then(|text| Envelope::read(text).ok());
        Self { envelope: envelope.unwrap_or(self.envelope), ..self }
    }

    /// The same with an error (JSON text) in the place of what it says.
    pub fn with_error(self, error: &str) -> Self {
        let envelope = Envelope::parse(without_id(error, self.envelope.id().unwrap_or("null"))).ok();
        Self { envelope: envelope.unwrap_or(self.envelope), ..self }
    }

    /// What a modern target asks for before it goes on; `None` for an answer that is one.
    pub fn input_required(&self) -> Option<InputRequired> {
        InputRequired::parse(self.result().filter(|_| self.era == Era::Modern)?)
    }

    /// The same as the answer to a request for a resource: each era has a code of its own for one that is not there.
    pub fn of_resource(self) -> Self {
        Self { of_resource: true, ..self }
    }

    /// The code of the error; `None` for a result, and for an error without one.
    pub fn error_code(&self) -> Option<i64> {
        serde_json::from_str(ObjectEdit::parse(self.error()?).ok()?.get("code")?).ok()
    }

    /// The message for a client of `era` that asked under `id`.
    pub fn for_client(&self, era: Era, id: &str) -> Bytes {
        let result = match (self.era, era, self.result()) {
            (Era::Legacy, Era::Modern, Some(result)) => completed(result, self.hints()),
            (Era::Modern, Era::Legacy, Some(result)) => match without_result_type(result, self.hints()) {
                Ok(result) => result,
                Err(Unfinished) => {
                    return wire::error_message(id, wire::INTERNAL_ERROR, CANNOT_ASK, None).into();
                }
            },
            _ => None,
        };
        let error = self.translated_error(era);
        let same_id = self.envelope.id() == Some(id);
        if same_id && result.is_none() && error.is_none() {
            return self.envelope.bytes().clone();
        }
        let mut edits = Vec::with_capacity(2);
        match self.envelope.id_span() {
            Some(span) if !same_id => edits.push((span, New::Text(id))),
            Some(_) => (),
            // An error without an id: its sender could not read the request. The asker still needs it under its id.
            None => return without_id(error.as_deref().or(self.envelope.error()).unwrap_or("null"), id),
        }
        edits.extend(self.envelope.result_span().zip(result.as_ref().map(New::Object)));
        edits.extend(self.envelope.error_span().zip(error.as_deref().map(New::Text)));
        splice(self.envelope.text(), edits).into()
    }

    /// The members that the result has in the modern era alone, with what a legacy target means by saying nothing.
    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        match self.of_resource {
            // MCP 2026-07-28, server/utilities/caching: a resource that was read must have both.
            true => &[("ttlMs", "0"), ("cacheScope", r#""private""#)],
            false => &[],
        }
    }

    /// The error with the code that a client of `era` knows for a resource that is not there; `None` where nothing is to
    /// change.
    fn translated_error(&self, era: Era) -> Option<String> {
        let code = match (self.era, era, self.error_code()?) {
            _ if !self.of_resource => return None,
            (Era::Legacy, Era::Modern, wire::RESOURCE_NOT_FOUND) => wire::INVALID_PARAMS,
            (Era::Modern, Era::Legacy, wire::INVALID_PARAMS) => wire::RESOURCE_NOT_FOUND,
            _ => return None,
        };
        let mut error = ObjectEdit::parse(self.error()?).ok()?;
        error.set("code", &json(&code));
        Some(error.finish())
    }
}

impl fmt::Debug for Response {
    /// Says what kind of answer it is; what it holds is the caller's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.result().is_some() { "result" } else { "error" };
        write!(f, "Response({:?}, {kind}, {} bytes)", self.era, self.envelope.bytes().len())
    }
}

/// A result that asks for input.
struct Unfinished;

/// A legacy result as the modern era wants it, `resultType` first, `hints` that are missing last; `None` where it says its
/// type itself.
fn completed<'a>(result: &'a str, hints: &[(&str, &str)]) -> Option<ObjectEdit<'a>> {
    let mut edit = ObjectEdit::parse(result).ok()?;
    if edit.get("resultType").is_some() {
        return None;
    }
    edit.put_first("resultType", r#""complete""#);
    for (key, value) in hints {
        if edit.get(key).is_none() {
            edit.set(key, value);
        }
    }
    Some(edit)
}

/// A modern result without the members that only the modern era has, `hints` among them; `Ok(None)` where nothing is to
/// change, also where an extension brought the type.
fn without_result_type<'a>(result: &'a str, hints: &[(&str, &str)]) -> Result<Option<ObjectEdit<'a>>, Unfinished> {
    let Ok(mut edit) = ObjectEdit::parse(result) else { return Ok(None) };
    match edit.get("resultType") {
        Some(r#""input_required""#) => Err(Unfinished),
        Some(r#""complete""#) => {
            edit.remove("resultType");
            hints.iter().for_each(|(key, _)| edit.remove(key));
            Ok(Some(edit))
        }
        Some(_) | None => Ok(None),
    }
}

fn without_id(error: &str, id: &str) -> Bytes {
    [r#"{"jsonrpc":"2.0","id":"#, id, r#","error":"#, error, "}"].concat().into()
}

/// What comes in the place of a part of a message.
enum New<'a> {
    Text(&'a str),
    Object(&'a ObjectEdit<'a>),
}

/// `text` with each span replaced by what comes in its place.
fn splice(text: &str, mut edits: Vec<(Range<usize>, New<'_>)>) -> String {
    edits.sort_by_key(|(span, _)| span.start);
    let added = edits.iter().map(|(_, new)| match new {
        New::Text(text) => text.len(),
        New::Object(edit) => edit.most(),
    });
    let mut out = String::with_capacity(text.len() + added.sum::<usize>());
    let mut at = 0;
    for (span, new) in edits {
        out.push_str(&text[at..span.start]);
        match new {
            New::Text(text) => out.push_str(text),
            New::Object(edit) => edit.write_to(&mut out),
        }
        at = span.end;
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_answer(from: Era, message: &'static str, to: Era, id: &str, expected: &str) {
        let response = Response::new(Envelope::parse(message.into()).unwrap(), from).unwrap();
        assert_eq!(response.for_client(to, id), expected);
    }

    #[test]
    fn answers_change_their_id_and_result_type_only() {
        let legacy = r#"{"vendor":0,"jsonrpc":"2.0","id":41,"result": { "content":[1e2]} ,"x":null}"#;
        check_answer(Era::Legacy, legacy, Era::Legacy, "41", legacy);
        check_answer(
            Era::Legacy,
            legacy,
            Era::Legacy,
            r#""a""#,
            r#"{"vendor":0,"jsonrpc":"2.0","id":"a","result": { "content":[1e2]} ,"x":null}"#,
        );
        check_answer(
            Era::Legacy,
            legacy,
            Era::Modern,
            "41",
            r#"{"vendor":0,"jsonrpc":"2.0","id":41,"result": {"resultType":"complete", "content":[1e2]} ,"x":null}"#,
        );
        let modern = r#"{"jsonrpc":"2.0","result":{"resultType":"complete","content":[]},"id":1}"#;
        check_answer(Era::Modern, modern, Era::Modern, "1", modern);
        check_answer(Era::Modern, modern, Era::Legacy, "2", r#"{"jsonrpc":"2.0","result":{"content":[]},"id":2}"#);
        let input = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","requestState":"x"}}"#;
        check_answer(Era::Modern, input, Era::Modern, "1", input);
        check_answer(
            Era::Modern,
            input,
            Era::Legacy,
            "1",
            &wire::error_message("1", wire::INTERNAL_ERROR, CANNOT_ASK, None),
        );
        let extended = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"task"}}"#;
        check_answer(Era::Modern, extended, Era::Legacy, "1", extended);
        let empty = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
        check_answer(
            Era::Legacy,
            empty,
            Era::Modern,
            "1",
            r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete"}}"#,
        );
        let typed = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"vendor"}}"#;
        check_answer(Era::Legacy, typed, Era::Legacy, "1", typed);
    }

    #[test]
    fn a_resource_has_caching_hints_in_the_modern_era_alone() {
        let check = |from, result: &str, to, expected: &str| {
            let message = |result: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
            let response = Response::new(Envelope::parse(message(result).into()).unwrap(), from).unwrap();
            assert_eq!(response.of_resource().for_client(to, "1"), message(expected));
        };
        let legacy = r#"{ "contents":[1e2]}"#;
        let modern = r#"{"resultType":"complete", "contents":[1e2],"ttlMs":0,"cacheScope":"private"}"#;
        check(Era::Legacy, legacy, Era::Modern, modern);
        check(Era::Legacy, legacy, Era::Legacy, legacy);
        check(Era::Modern, modern, Era::Legacy, r#"{"contents":[1e2]}"#);
        check(Era::Modern, modern, Era::Modern, modern);
        let hinted = r#"{"contents":[],"ttlMs":7}"#;
        let expected = r#"{"resultType":"complete","contents":[],"ttlMs":7,"cacheScope":"private"}"#;
        check(Era::Legacy, hinted, Era::Modern, expected);
    }

    #[test]
    fn a_resource_that_is_not_there_has_the_code_of_the_clients_era() {
        let check = |from, code: i64, to, expected: i64| {
            let message = |code: i64| {
                format!(
                    r#"{{"jsonrpc":"2.0","id":1,"error":{{ "code" : {code},"message":"no","data":{{"uri":"x:"}}}}}}"#
                )
            };
            let response = Response::new(Envelope::parse(message(code).into()).unwrap(), from).unwrap();
            assert_eq!(response.for_client(to, "1"), message(code), "of another request");
            let response = response.of_resource();
            assert_eq!(response.error_code(), Some(code));
            assert_eq!(response.for_client(to, "1"), message(expected));
        };
        check(Era::Legacy, -32002, Era::Modern, -32602);
        check(Era::Modern, -32602, Era::Legacy, -32002);
        check(Era::Legacy, -32002, Era::Legacy, -32002);
        check(Era::Legacy, -32602, Era::Legacy, -32602);
        check(Era::Modern, -32602, Era::Modern, -32602);
        check(Era::Modern, -32603, Era::Legacy, -32603);
    }

    #[test]
    fn an_error_without_an_id_reaches_its_asker() {
        let expected = r#"{"jsonrpc":"2.0","id":5,"error":{"code":-32700,"message":"x"}}"#;
        for error in [
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}"#,
            r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"x"}}"#,
        ] {
            check_answer(Era::Legacy, error, Era::Modern, "5", expected);
        }
    }
}
