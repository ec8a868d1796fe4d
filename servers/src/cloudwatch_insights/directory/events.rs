//! Cuts a file into log events and finds the time of each. Keeps none of them.
//!
//! A line is an event, but one that starts with white space belongs to the event before it, as CloudWatch's own agent has
//! it by default: the lines of a stack trace are one event. The time of an event is a member of its JSON object (see
//! [`TIME_MEMBERS`]), or stands at its begin; without one it is that of the event before it in the file, and in a file
//! that starts without any, the time at which the file was last changed. What is longer than [`LONGEST`] goes on as the
//! next event.

use std::{
    io::{self, BufRead as _, Read as _},
    ops::ControlFlow,
};

use rusqlite::types::Value as Sql;
use serde_json::Value;

use super::{files::LogFile, instant, json};

/// The members of a JSON object that may hold its time, the first one that does first: a count since the epoch, see
/// `instant::from_epoch`, also as a text; or RFC 3339.
pub(super) const TIME_MEMBERS: [&str; 4] = ["@timestamp", "timestamp", "time", "ts"];

/// Most bytes of an event, as PutLogEvents has it.
const LONGEST: usize = 1024 * 1024;

/// One event of a file.
#[derive(Debug)]
pub(super) struct Event<'f> {
    /// Milliseconds since the epoch.
    pub(super) time: i64,
    pub(super) dated: Dated,
    pub(super) message: String,
    /// Where the message is a JSON object.
    pub(super) json: Option<Value>,
    group: &'f str,
    file: &'f LogFile,
}

/// Where the time of an event is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dated {
    Itself,
    ByTheEventBefore,
    ByItsFile,
}

/// What reads the events says whether it wants more of them.
pub(super) type More<E> = ControlFlow<E>;

/// Gives each event of `file`, a stream of `group`, to `on`, in the file's order.
pub(super) fn each<E>(group: &str, file: &LogFile, mut on: impl FnMut(Event<'_>) -> More<E>) -> io::Result<More<E>> {
    let mut reader = file.open()?;
    let (mut line, mut message) = (Vec::new(), String::new());
    let mut before = (file.modified, Dated::ByItsFile);
    loop {
        line.clear();
        let ended = reader.by_ref().take(LONGEST as u64).read_until(b'\n', &mut line)? == 0;
        // A log may hold anything: what is no UTF-8 is shown as such, not refused.
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        let fits = message.len() + text.len() < LONGEST;
        let continues = !message.is_empty() && text.starts_with(char::is_whitespace) && fits;
        if continues {
            message.push('\n');
            message.push_str(text);
            continue;
        }
        if !message.is_empty() {
            let event = Event::new(std::mem::take(&mut message), group, file, before);
            if event.dated == Dated::Itself {
                before = (event.time, Dated::ByTheEventBefore);
            }
            if let ControlFlow::Break(stop) = on(event) {
                return Ok(ControlFlow::Break(stop));
            }
        }
        if ended {
            return Ok(ControlFlow::Continue(()));
        }
        message.push_str(text);
    }
}

impl<'f> Event<'f> {
    fn new(message: String, group: &'f str, file: &'f LogFile, before: (i64, Dated)) -> Self {
        let json = message.trim_start().starts_with('{').then(|| serde_json::from_str(&message).ok()).flatten();
        let time = json.as_ref().map_or_else(|| instant::leading(&message), time_member);
        let (time, dated) = time.map_or(before, |time| (time, Dated::Itself));
        Self { time, dated, message, json, group, file }
    }

    /// The value of a field, if the event has it. `@timestamp` is not asked for here.
    pub(super) fn field(&self, name: &str) -> Option<Sql> {
        match name {
            "@message" => Some(Sql::Text(self.message.clone())),
            "@logStream" => Some(Sql::Text(self.file.stream.clone())),
            // There is no account in front of the group's name.
            "@log" => Some(Sql::Text(format!("local:{}", self.group))),
            "@ingestionTime" => Some(Sql::Integer(self.file.modified)),
            // A member that starts with `@` gets another one, as in CloudWatch, and so is none of CloudWatch's own.
            name => match (name.strip_prefix('@'), self.json.as_ref()) {
                (Some(member), Some(json)) if member.starts_with('@') => json::field(json, member),
                (None, Some(json)) => json::field(json, name),
                _ => None,
            },
        }
    }
}

fn time_member(json: &Value) -> Option<i64> {
    let time = |value: &Value| match value {
        Value::Number(number) => instant::from_epoch(number.as_f64()?),
        Value::String(text) => instant::leading(text).or_else(|| instant::written_epoch(text)),
        _ => None,
    };
    TIME_MEMBERS.iter().find_map(|name| time(json.get(name)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudwatch_insights::directory::files::Content;

    #[test]
    fn where_times_are_from() {
        let content = Content::Text("a\nb\n2026-01-31 12:00:00 c\nd\n2026-01-31 12:00:00 CST e\n".to_owned());
        let file = LogFile { content, stream: "a.log".into(), bytes: 0, modified: 1000 };
        let mut seen = Vec::new();
        let outcome = each("/g", &file, |event| -> More<()> {
            seen.push(event.dated);
            ControlFlow::Continue(())
        });
        assert!(outcome.unwrap().is_continue());
        let (file, before) = (Dated::ByItsFile, Dated::ByTheEventBefore);
        assert_eq!(seen, [file, file, Dated::Itself, before, before]);
    }

    fn events(lines: &str) -> Vec<(String, String)> {
        let content = Content::Text(lines.to_owned());
        let file = LogFile { content, stream: "a.log".into(), bytes: 0, modified: 1000 };
        let mut seen = Vec::new();
        let outcome = each("/g", &file, |event| -> More<()> {
            seen.push((instant::shown(event.time), event.message));
            ControlFlow::Continue(())
        });
        assert!(outcome.unwrap().is_continue());
        seen
    }

    fn check(lines: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> =
            expected.iter().map(|(time, message)| ((*time).to_owned(), (*message).to_owned())).collect();
        assert_eq!(events(lines), expected);
    }

    #[test]
    fn lines_and_their_times() {
        check(
            "no time yet\n\n2026-01-31T12:00:00Z one\r\n  at two\n\tat three\nCaused by: x\n2026-01-31 12:00:01 four",
            &[
                ("1970-01-01 00:00:01.000", "no time yet"),
                ("2026-01-31 12:00:00.000", "2026-01-31T12:00:00Z one\n  at two\n\tat three"),
                ("2026-01-31 12:00:00.000", "Caused by: x"),
                ("2026-01-31 12:00:01.000", "2026-01-31 12:00:01 four"),
            ],
        );
        check("", &[]);
    }

    #[test]
    fn an_event_has_an_end() {
        let lengths = |lines: &str| events(lines).iter().map(|(_, message)| message.len()).collect::<Vec<_>>();
        assert_eq!(lengths(&"x".repeat(LONGEST * 2 + 5)), [LONGEST, LONGEST, 5]);
        let trace = format!("x\n{}", format!(" {}\n", "y".repeat(LONGEST / 4)).repeat(5));
        assert_eq!(lengths(&trace).len(), 2);
    }

    #[test]
    fn times_of_json_lines() {
        let noon = "2026-01-31 12:00:00.000";
        for line in [
            r#"{"@timestamp":"2026-01-31T12:00:00Z"}"#,
            r#"{"timestamp":1769860800000,"time":5}"#,
            r#"{"time":"2026-01-31 12:00:00"}"#,
            r#"{"timestamp":"never","ts":1769860800.0}"#,
            r#"{"ts":"1769860800"}"#,
            r#"{"ts":"1769860800000"}"#,
            r#"{"ts":1769860800000000}"#,
            r#"{"ts":"1769860800000000000"}"#,
            r#"{"time":"2026-01-31 21:00:00 JST"}"#,
        ] {
            check(line, &[(noon, line)]);
        }
        check(
            "{\"ts\":5}\n{broken",
            &[("1970-01-01 00:00:05.000", "{\"ts\":5}"), ("1970-01-01 00:00:05.000", "{broken")],
        );
    }
}
