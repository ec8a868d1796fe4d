//! Whether an answer is the right one: that of this request, with this result. The first answer is read as JSON; one that differs
//! from it in nothing but id and text is right too, which costs one comparison of bytes.

use std::{
    collections::HashSet,
    sync::{Arc, OnceLock},
};

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::connection::shown;
use crate::form::{self, Mark, Size, Speaks};

/// What the right answer is.
#[derive(Clone, Debug)]
pub enum Expected {
    /// The result of a tool of the upstream.
    Result {
        size: Size,
        /// In which form the result must come byte for byte; else it must only say the same.
        verbatim: Option<Speaks>,
    },
    /// A list of so many tools, of different names.
    Tools(usize),
    /// These bytes.
    Bytes(Bytes),
}

/// Checks the answers of one client. Clones have the first answer that any of them found right in common: reading a long one as JSON
/// takes a client as long as many answers.
#[derive(Clone, Debug)]
pub struct Checker {
    expected: Expected,
    first: Arc<OnceLock<Arc<Right>>>,
    /// The last that had to be read.
    own: Option<Arc<Right>>,
}

/// An answer that was read and was right.
#[derive(Debug)]
struct Right {
    body: Vec<u8>,
    /// Where marks begin in it, in order.
    places: Vec<(usize, Part)>,
}

/// Of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Id,
    Text,
}

#[derive(Deserialize)]
struct Answer<'a> {
    id: Option<Value>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<Value>,
}

impl Checker {
    /// For clients that have got nothing yet.
    pub fn new(expected: Expected) -> Self {
        Self { expected, first: Arc::default(), own: None }
    }

    /// Checks the whole body of the answer to the request with this mark.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&mut self, mark: Mark, body: &[u8]) -> anyhow::Result<()> {
        if self.own.as_ref().or(self.first.get()).is_some_and(|right| right.is_like(mark, body)) {
            return Ok(());
        }
        self.expected.check(mark, body).with_context(|| shown(body))?;
        let right = Arc::new(Right::new(mark, body));
        self.first.get_or_init(|| Arc::clone(&right));
        self.own = Some(right);
        Ok(())
    }
}

impl Right {
    fn new(mark: Mark, body: &[u8]) -> Self {
        let part = |part: Part, text: String| places(body, text.as_bytes()).into_iter().map(move |at| (at, part));
        let mut places: Vec<_> = part(Part::Id, mark.id()).chain(part(Part::Text, mark.text())).collect();
        places.sort_unstable();
        Self { body: body.to_vec(), places }
    }

    /// Whether `body` is what this would be under `mark`.
    fn is_like(&self, mark: Mark, body: &[u8]) -> bool {
        if self.body.len() != body.len() {
            return false;
        }
        let (id, text) = (mark.id(), mark.text());
        let mut from = 0;
        let marked = self.places.iter().all(|(at, part)| {
            let text = match part {
                Part::Id => id.as_bytes(),
                Part::Text => text.as_bytes(),
            };
            let end = at + text.len();
            let same = self.body[from..*at] == body[from..*at] && body[*at..end] == *text;
            from = end;
            same
        });
        marked && self.body[from..] == body[from..]
    }
}

impl Expected {
    fn check(&self, mark: Mark, body: &[u8]) -> anyhow::Result<()> {
        if let Self::Bytes(bytes) = self {
            ensure!(bytes == body, "the answer is not these {} bytes", bytes.len());
            return Ok(());
        }
        let message = message(mark, body)?;
        let answer: Answer = serde_json::from_str(&message).context("the answer is no JSON-RPC response")?;
        let id = answer.id.map(|id| id.to_string());
        ensure!(id == Some(mark.id()), "the answer has another id than the request");
        let Some(result) = answer.result.filter(|_| answer.error.is_none()) else { bail!("the answer has no result") };
        match self {
            Self::Result { size, verbatim } => check_result(result.get(), mark, *size, *verbatim),
            Self::Tools(count) => check_tools(result.get(), *count),
            Self::Bytes(_) => Ok(()),
        }
    }
}

fn check_result(result: &str, mark: Mark, size: Size, verbatim: Option<Speaks>) -> anyhow::Result<()> {
    let text = mark.text();
    if let Some(speaks) = verbatim {
        let (before, after) = form::result(speaks, size);
        ensure!(result == [before.as_str(), &text, &after].concat(), "the result is not what the tool gave");
        return Ok(());
    }
    let blocks = |result: &str| {
        let result: Value = serde_json::from_str(result).context("the result is no JSON")?;
        ensure!(result["isError"] != true, "the result says that it is an error");
        let blocks = result["content"].as_array().cloned().unwrap_or_default();
        Ok(blocks.into_iter().map(|block| (block["type"].clone(), block["text"].clone())).collect::<Vec<_>>())
    };
    let (before, after) = form::result(Speaks::Stateless, size);
    let given = blocks(&[before.as_str(), &text, &after].concat())?;
    ensure!(blocks(result)? == given, "the result says something else than the tool");
    Ok(())
}

fn check_tools(result: &str, count: usize) -> anyhow::Result<()> {
    let result: Value = serde_json::from_str(result).context("the result is no JSON")?;
    let tools = result["tools"].as_array().context("the result has no tools")?;
    ensure!(tools.iter().all(|tool| tool["inputSchema"].is_object()), "a tool has no input schema");
    let names: HashSet<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    ensure!(names.len() == count, "{} tools of different names, not {count}", names.len());
    ensure!(result.get("nextCursor").is_none(), "the list goes on");
    Ok(())
}

/// The response in `body`, which is JSON or an event stream.
fn message(mark: Mark, body: &[u8]) -> anyhow::Result<String> {
    let text = std::str::from_utf8(body).context("the answer is no text")?;
    if text.trim_start().starts_with('{') {
        return Ok(text.to_owned());
    }
    let text = text.replace("\r\n", "\n");
    let data = |event: &str| {
        let lines = event.lines().filter_map(|line| line.strip_prefix("data:"));
        lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
    };
    let id = mark.id();
    let mut messages = text.split("\n\n").map(data).filter(|data| data.contains(&id));
    messages.next().context("no event has the answer")
}

/// Where `part` stands in `whole`.
fn places(whole: &[u8], part: &[u8]) -> Vec<usize> {
    let mut places = Vec::new();
    let mut from = 0;
    while let Some(found) = memchr::memmem::find(&whole[from..], part) {
        places.push(from + found);
        from += found + part.len();
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(id: &str, text: &str) -> String {
        let (before, after) = form::result(Speaks::Modern, Size::Medium);
        format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{before}{text}{after}}}"#)
    }

    fn checker(verbatim: Option<Speaks>) -> Checker {
        Checker::new(Expected::Result { size: Size::Medium, verbatim })
    }

    #[test]
    fn only_the_answer_to_the_request_is_right() {
        let (one, other) = (Mark::new(0, 1), Mark::new(0, 2));
        for verbatim in [None, Some(Speaks::Modern)] {
            let mut checker = checker(verbatim);
            // Before an answer was seen, and after.
            for _ in 0..2 {
                checker.check(other, answer(&one.id(), &one.text()).as_bytes()).unwrap_err();
                checker.check(one, answer(&other.id(), &one.text()).as_bytes()).unwrap_err();
                checker.check(one, answer(&one.id(), &other.text()).as_bytes()).unwrap_err();
                checker.check(one, answer(&one.id(), &one.text()).as_bytes()).unwrap();
                checker.check(other, answer(&other.id(), &other.text()).as_bytes()).unwrap();
                let whole = answer(&one.id(), &one.text());
                checker.check(one, &whole.as_bytes()[..whole.len() - 1]).unwrap_err();
                checker.check(one, whole.replacen("Zürich", "Zurich", 1).as_bytes()).unwrap_err();
            }
        }
    }

    #[test]
    fn what_one_client_found_right_is_right_for_another_under_its_own_mark() {
        let (one, other) = (Mark::new(0, 1), Mark::new(1, 1));
        let mut first = checker(Some(Speaks::Modern));
        let mut second = first.clone();
        let right = |mark: Mark| answer(&mark.id(), &mark.text());
        first.check(one, right(one).as_bytes()).unwrap();
        second.check(other, right(one).as_bytes()).unwrap_err();
        second.check(other, right(other).replacen("Zürich", "Zurich", 1).as_bytes()).unwrap_err();
        second.check(other, right(other).as_bytes()).unwrap();
    }

    #[test]
    fn a_result_in_other_words_is_right_only_where_it_may_be() {
        let mark = Mark::new(3, 4);
        let other = answer(&mark.id(), &mark.text()).replace("ü", "\\u00fc").replace(r#","isError":false"#, "");
        checker(None).check(mark, other.as_bytes()).unwrap();
        checker(Some(Speaks::Modern)).check(mark, other.as_bytes()).unwrap_err();
    }

    #[test]
    fn events_are_answers() {
        let mark = Mark::new(5, 6);
        let note = r#"{"jsonrpc":"2.0","method":"notifications/message"}"#;
        let answer = answer(&mark.id(), &mark.text());
        let body = format!(": hello\n\nevent: message\ndata: {note}\n\nevent: message\ndata: {answer}\n\n");
        checker(Some(Speaks::Modern)).check(mark, body.as_bytes()).unwrap();
        checker(None).check(mark, format!("data: {note}\n\n").as_bytes()).unwrap_err();
    }

    #[test]
    fn lists_are_counted() {
        let mark = Mark::new(0, 0);
        let list = |names: &[&str]| {
            let tools: Vec<Value> =
                names.iter().map(|name| serde_json::json!({"name": name, "inputSchema": {}})).collect();
            serde_json::json!({"id": serde_json::from_str::<Value>(&mark.id()).unwrap(), "result": {"tools": tools}})
                .to_string()
        };
        let check = |names: &[&str]| Checker::new(Expected::Tools(2)).check(mark, list(names).as_bytes());
        check(&["a", "b"]).unwrap();
        for wrong in [&["a"][..], &["a", "a"], &["a", "b", "c"]] {
            check(wrong).unwrap_err();
        }
    }
}
