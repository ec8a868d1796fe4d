//! What a tool wants to know before it goes on (MCP elicitation), asked on the terminal. Sends nothing.
//!
//! Source: MCP 2026-07-28 and 2025-11-25, client/elicitation.

use std::io::{BufRead, Write};

use anyhow::Context;
use causeway_core::wire::json;
use serde_json::Value;

use super::progress::Progress;
use crate::{
    arguments::{Property, Shape},
    cli::screen::{plain, printable},
};

/// What the person at the terminal does.
enum Answer {
    /// JSON text; absent where nothing is asked for but consent.
    Accept(Option<String>),
    Decline,
    Cancel,
}

/// Asks on standard error, reads from standard input, and gives the result for the server, JSON text.
///
/// # Errors
/// Standard input or error cannot be used.
pub(super) async fn elicitation(params: &str, progress: &Progress) -> anyhow::Result<String> {
    let params: Value = serde_json::from_str(params).unwrap_or_default();
    // It would write over what is typed.
    let _held = progress.held();
    let asked = tokio::task::spawn_blocking(move || {
        let (stdin, mut stderr) = (std::io::stdin().lock(), std::io::stderr().lock());
        ask(&params, stdin, &mut stderr)
    });
    let answer = asked.await.context("nobody was asked")?.context("the terminal cannot be used")?;
    Ok(match answer {
        Answer::Accept(Some(content)) => format!(r#"{{"action":"accept","content":{content}}}"#),
        Answer::Accept(None) => r#"{"action":"accept"}"#.into(),
        Answer::Decline => r#"{"action":"decline"}"#.into(),
        Answer::Cancel => r#"{"action":"cancel"}"#.into(),
    })
}

fn ask(params: &Value, mut input: impl BufRead, output: &mut impl Write) -> std::io::Result<Answer> {
    let message = params["message"].as_str().unwrap_or("it wants to know something");
    writeln!(output, "\rThe tool asks: {}", plain(message))?;
    if params["mode"].as_str() == Some("url") {
        let url = printable(params["url"].as_str().unwrap_or_default());
        writeln!(output, "Open {url} in a browser.")?;
        return confirmed(None, "Done?", &mut input, output);
    }
    let mut members = Vec::new();
    for property in Shape::of(&params["requestedSchema"]).properties() {
        match field(&property, &mut input, output)? {
            Some(Some(value)) => members.push(format!("{}:{value}", json(&property.name))),
            Some(None) => (),
            None => return Ok(Answer::Cancel),
        }
    }
    confirmed(Some(format!("{{{}}}", members.join(","))), "Send this?", &mut input, output)
}

/// The value (JSON text) of one field: `Some(None)` if it is left out, `None` at the end of the input.
fn field(
    property: &Property<'_>,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> std::io::Result<Option<Option<String>>> {
    let default = property.default().map(|value| value.as_str().map_or_else(|| json(value), str::to_owned));
    if let Some(text) = property.description() {
        writeln!(output, "  {}", plain(text))?;
    }
    let required = if property.required { "" } else { ", may be left out" };
    let shown = default.as_ref().map(|text| format!(" [{}]", printable(text))).unwrap_or_default();
    let label = printable(property.title().unwrap_or(property.name));
    let several = if property.choices().is_some() { ", several with commas" } else { "" };
    loop {
        write!(output, "  {label} ({}{several}{required}){shown}: ", printable(&property.words()))?;
        output.flush()?;
        let Some(line) = line(input)? else { return Ok(None) };
        let text = if line.is_empty() { default.clone().unwrap_or_default() } else { line };
        if text.is_empty() && !property.required {
            return Ok(Some(None));
        }
        if text.is_empty() && !property.values().is_empty() {
            continue;
        }
        let texts: Vec<&str> = match property.choices() {
            Some(_) if !text.starts_with('[') => text.split(',').map(str::trim).collect(),
            _ => vec![&text],
        };
        match property.read(&texts) {
            Ok(value) => return Ok(Some(Some(value))),
            Err(why) => writeln!(output, "  it {why}")?,
        }
    }
}

fn confirmed(
    content: Option<String>,
    question: &str,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> std::io::Result<Answer> {
    loop {
        write!(output, "{question} [Y]es, [d]ecline, [c]ancel: ")?;
        output.flush()?;
        let Some(line) = line(input)? else { return Ok(Answer::Cancel) };
        match line.to_lowercase().as_str() {
            "" | "y" | "yes" => return Ok(Answer::Accept(content)),
            "d" | "decline" | "n" | "no" => return Ok(Answer::Decline),
            "c" | "cancel" => return Ok(Answer::Cancel),
            _ => (),
        }
    }
}

fn line(input: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    let read = input.read_line(&mut line)?;
    Ok((read > 0).then(|| line.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(params: Value, typed: &str) -> (String, String) {
        let mut output = Vec::new();
        let answer = ask(&params, typed.as_bytes(), &mut output).unwrap();
        let answer = match answer {
            Answer::Accept(content) => format!("accept {}", content.unwrap_or_default()),
            Answer::Decline => "decline".into(),
            Answer::Cancel => "cancel".into(),
        };
        (answer, String::from_utf8(output).unwrap())
    }

    fn form() -> Value {
        json!({"message": "Who\u{1b}[31m are you?", "requestedSchema": {"type": "object", "properties": {
            "name": {"type": "string", "title": "Your name"},
            "age": {"type": "integer"},
            "colour": {"type": "string", "enum": ["red", "green"], "default": "red"},
            "days": {"type": "array", "items": {"type": "string", "enum": ["mon", "tue"]}},
        }, "required": ["name"]}})
    }

    #[test]
    fn a_form_is_filled_in_field_by_field() {
        let (answer, shown) = asked(form(), "Alice\nold\n7\n\nmon, tue\n\n");
        assert_eq!(answer, r#"accept {"name":"Alice","age":7,"colour":"red","days":["mon","tue"]}"#);
        assert!(shown.contains("Who\u{fffd}[31m are you?"), "{shown}");
        assert!(shown.contains("it takes an integer, not `old`"), "{shown}");
    }

    #[test]
    fn nothing_is_sent_without_consent() {
        assert_eq!(asked(form(), "Alice\n\n\n\nd\n").0, "decline");
        assert_eq!(asked(form(), "Alice\n\n\n\nwhat\nc\n").0, "cancel");
        assert_eq!(asked(form(), "Alice\n").0, "cancel");
        let url = json!({"mode": "url", "message": "Sign in", "url": "https://issuer.example/login"});
        let (answer, shown) = asked(url, "y\n");
        assert_eq!(answer, "accept ");
        assert!(shown.contains("Open https://issuer.example/login in a browser"), "{shown}");
    }
}
