//! What a tool wants to know before it goes on, as a form, and the form as the answer that the retry of the call brings. The form
//! holds the questions and the call themselves: nothing is kept here meanwhile.
//!
//! Source: MCP 2026-07-28, client/elicitation; basic/patterns/mrtr.

use causeway_core::wire::json;
use maud::{Markup, html};
use serde_json::{Map, Value};
use url::Url;

use super::{
    form::{Filled, Form},
    outcome::member,
};
use crate::admin::dashboard::{
    Fields,
    entry::tool_path,
    json_view::{self, cut},
};

/// What a person does with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Accept,
    Decline,
    Cancel,
}

/// All that is asked in one round.
#[derive(Debug)]
pub(super) struct Question {
    /// `inputRequests`, JSON text.
    asked: String,
    /// `requestState`, JSON text.
    state: Option<String>,
    /// By key.
    requests: Map<String, Value>,
}

impl Action {
    fn word(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Decline => "decline",
            Self::Cancel => "cancel",
        }
    }
}

impl Question {
    /// What a result (JSON text) asks for; none if it is an answer.
    pub(super) fn of_result(result: &str) -> Option<Self> {
        (member(result, "resultType")? == r#""input_required""#).then_some(())?;
        let asked = member(result, "inputRequests").unwrap_or_else(|| "{}".into());
        Some(Self::new(asked, member(result, "requestState")))
    }

    /// What the form of a question holds.
    pub(super) fn of_fields(fields: &Fields) -> Self {
        let state = fields.one("state");
        Self::new(fields.one("asked").to_owned(), (!state.is_empty()).then(|| state.to_owned()))
    }

    fn new(asked: String, state: Option<String>) -> Self {
        let requests = serde_json::from_str(&asked).unwrap_or_default();
        // It goes into a message as it is, so it must be JSON.
        let state = state.filter(|state| serde_json::from_str::<Value>(state).is_ok());
        Self { asked, state, requests }
    }

    pub(super) fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The forms of all questions, not filled in.
    pub(super) fn blank(&self) -> Vec<Filled> {
        self.forms(|form| form.blank())
    }

    /// `inputResponses`, JSON text.
    ///
    /// # Errors
    /// The forms with their mistakes.
    pub(super) fn answers(&self, action: Action, fields: &Fields) -> Result<String, Vec<Filled>> {
        let filled = self.forms(|form| form.filled(fields));
        let members = self.requests.iter().zip(&filled).map(|((key, request), form)| {
            let content = match (action, is_url(request)) {
                (Action::Accept, false) => format!(r#","content":{}"#, form.arguments()?),
                _ => String::new(),
            };
            Some(format!(r#"{}:{{"action":"{}"{content}}}"#, json(key), action.word()))
        });
        let members: Option<Vec<String>> = members.collect();
        members.map(|members| format!("{{{}}}", members.join(","))).ok_or(filled)
    }

    fn forms(&self, make: impl Fn(Form<'_>) -> Filled) -> Vec<Filled> {
        let forms = self.requests.values().enumerate().map(|(at, request)| {
            let prefix = format!("q{at}.");
            make(Form::new(&request["params"]["requestedSchema"], &prefix))
        });
        forms.collect()
    }

    /// The questions, to be answered there; `call` is what the tool was called with.
    pub(super) fn shown(&self, tool: &str, call: &Filled, forms: &[Filled], alert: &Markup) -> Markup {
        html! {
            section.result.idle #question aria-label="The tool asks" role="status" {
                header { h2 { span aria-hidden="true" { "◐ " } "The tool asks" } }
                form.try method="post" action={ (tool_path(tool)) "#outcome" } {
                    (call.hidden())
                    input type="hidden" name="asked" value=(self.asked);
                    @if let Some(state) = &self.state { input type="hidden" name="state" value=(state); }
                    (alert)
                    @for (request, form) in self.requests.values().zip(forms) { (one(request, form)) }
                    div.actions {
                        button.primary type="submit" name="do" value="accept" { "Answer" }
                        button type="submit" name="do" value="decline" formnovalidate { "Decline" }
                        button type="submit" name="do" value="cancel" formnovalidate { "Cancel the call" }
                    }
                }
            }
        }
    }
}

fn is_url(request: &Value) -> bool {
    request["params"]["mode"] == "url"
}

fn one(request: &Value, form: &Filled) -> Markup {
    let params = &request["params"];
    html! {
        div.question {
            p.asks { (cut(params["message"].as_str().unwrap_or("It says no more."), 4000).0) }
            @if is_url(request) { (place(params["url"].as_str().unwrap_or_default())) }
            @else if request["method"] == "elicitation/create" { (form.shown()) }
            @else { p.note { "The dashboard cannot give what it asks for." } (json_view::view(request)) }
        }
    }
}

/// Where the tool wants its user to go: shown whole, so that one sees where it leads.
fn place(text: &str) -> Markup {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    html! {
        p.note { "It sends you elsewhere. Go there only if you know the place:" }
        @match url {
            Some(url) => p { a.away href=(url.as_str()) target="_blank" rel="noopener noreferrer" { (url.as_str()) } },
            None => p.alert { code { (cut(text, 500).0) } " is no address of a web page." },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: &str = r#"{"resultType":"input_required","inputRequests":{"who":{"method":"elicitation/create","params":{"message":"<i>Who?</i>","requestedSchema":{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}}},"go":{"method":"elicitation/create","params":{"mode":"url","message":"Go","url":"javascript:x"}}},"requestState":"s"}"#;

    #[test]
    fn answers_are_for_all_that_was_asked() {
        let question = Question::of_result(ASKED).unwrap();
        let answers = |action, text: &str| question.answers(action, &Fields::parse(text.as_bytes())).ok();
        assert_eq!(
            answers(Action::Accept, "q0.%3Dname=Eve").as_deref(),
            Some(r#"{"who":{"action":"accept","content":{"name":"Eve"}},"go":{"action":"accept"}}"#)
        );
        assert_eq!(
            answers(Action::Decline, "").as_deref(),
            Some(r#"{"who":{"action":"decline"},"go":{"action":"decline"}}"#)
        );
        assert_eq!(answers(Action::Accept, ""), None);
        assert!(Question::of_result(r#"{"resultType":"complete"}"#).is_none());
    }

    #[test]
    fn a_question_is_text() {
        let call = Form::new(&Value::Null, "a.").blank();
        let question = Question::of_result(ASKED).unwrap();
        let shown = question.shown("t", &call, &question.blank(), &html! {}).into_string();
        assert!(shown.contains("&lt;i&gt;Who?&lt;/i&gt;") && !shown.contains("href=\"javascript:"), "{shown}");
    }
}
