//! What is heard of a call, as pieces of the page: what the tool says on its way, then how it ended. Everything in it is what the
//! tool wrote, shown as text.

use std::time::Instant;

use causeway_core::wire::{Envelope, ObjectEdit};
use futures::{Stream, StreamExt, future};
use maud::{Markup, html};
use serde_json::Value;

use super::{call::Message, content, form::Filled, question::Question};
use crate::admin::dashboard::{json_view, time::length};

/// Characters of an answer as it came.
const RAW: usize = 500_000;
/// Of a log message.
const SAID: usize = 4_000;
/// Messages of one call, for a browser shows them all.
const MOST: usize = 1_000;

/// What is known of the call beside what is heard.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) tool: String,
    pub(super) filled: Filled,
}

impl Shown {
    /// A piece of HTML for each message.
    pub(super) fn pieces(self, messages: impl Stream<Item = Message> + Send) -> impl Stream<Item = String> + Send {
        let (began, mut notes) = (Instant::now(), 0);
        messages.filter_map(move |message| {
            let piece = match message {
                Message::Note(note) => said(&note).and_then(|said| {
                    notes += 1;
                    match notes {
                        ..=MOST => Some(said),
                        _ if notes == MOST + 1 => Some(html! { p.note { "It says more than is shown here." } }),
                        _ => None,
                    }
                }),
                Message::Answer(answer) => Some(self.answer(&answer, began)),
                Message::Nothing(why) => Some(end("bad", "▲", "No answer", began, &html! { p.alert { (why) } })),
            };
            future::ready(piece.map(maud::PreEscaped::into_string))
        })
    }

    fn answer(&self, answer: &Envelope, began: Instant) -> Markup {
        if let Some(error) = answer.error() {
            return end("bad", "▲", "Error", began, &html! { (failed(error)) (raw("The error as it came", error)) });
        }
        let result = answer.result().unwrap_or("null");
        if let Some(question) = Question::of_result(result) {
            let forms = question.blank();
            return question.shown(&self.tool, &self.filled, &forms, &html! {});
        }
        let value: Value = serde_json::from_str(result).unwrap_or_default();
        let is_fault = value["_meta"].get(crate::error::META).is_some();
        let (class, shape, word) = match value["isError"] == true {
            true if is_fault => ("bad", "▲", "The target failed"),
            true => ("fair", "◆", "The tool reports an error"),
            false => ("good", "●", "Answer"),
        };
        let body = html! {
            (content::of_result(&value))
            @if is_fault { p.note { "Why it failed is in the gateway's log, and on the overview if it cannot be listed either." } }
            (raw("The result as it came", result))
        };
        end(class, shape, word, began, &body)
    }
}

fn end(class: &str, shape: &str, word: &str, began: Instant, body: &Markup) -> Markup {
    html! {
        section.result.(class) aria-label="Result" role="status" {
            header { h2 { span aria-hidden="true" { (shape) " " } (word) } span.number.of { (length(began.elapsed())) } }
            (body)
        }
    }
}

fn failed(error: &str) -> Markup {
    let error: Value = serde_json::from_str(error).unwrap_or_default();
    html! {
        p.alert { (error["message"].as_str().unwrap_or("It says no more.")) span.of { " (code " (error["code"].to_string()) ")" } }
        @if !error["data"].is_null() { (json_view::view(&error["data"])) }
    }
}

fn raw(title: &str, text: &str) -> Markup {
    html! { details.raw { summary { (title) } (json_view::block(text, RAW)) } }
}

/// What a tool says on its way.
fn said(note: &Envelope) -> Option<Markup> {
    let params: Value = serde_json::from_str(note.params()?).ok()?;
    match note.method() {
        "notifications/progress" => Some(progress(&params)),
        "notifications/message" => Some(log(&params)),
        _ => None,
    }
}

fn progress(params: &Value) -> Markup {
    let (at, total) = (params["progress"].as_f64().unwrap_or_default(), params["total"].as_f64());
    html! {
        div.said.progress {
            @match total {
                Some(total) => { progress value=(at) max=(total) aria-label="Progress" {} span.number { (at) " of " (total) } }
                None => span.number { (at) }
            }
            @if let Some(text) = params["message"].as_str() { " " span { (json_view::cut(text, SAID).0) } }
        }
    }
}

fn log(params: &Value) -> Markup {
    let data = &params["data"];
    let text = data.as_str().map_or_else(|| data.to_string(), ToOwned::to_owned);
    html! {
        div.said {
            span.level { (params["level"].as_str().unwrap_or("log")) }
            @if let Some(logger) = params["logger"].as_str() { span.of { (logger) } }
            span { (json_view::cut(&text, SAID).0) }
        }
    }
}

/// Whether there is something under this key of `object` (JSON text), and what.
pub(super) fn member(object: &str, key: &str) -> Option<String> {
    ObjectEdit::parse(object).ok()?.get(key).map(ToOwned::to_owned)
}
