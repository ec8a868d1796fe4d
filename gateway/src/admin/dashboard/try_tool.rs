//! Trying a tool: a form made from its schema, and the call as any client of MCP 2026-07-28 makes it, in the name of who is at the
//! dashboard. What comes is shown when it comes, on the very page that the form's answer is, so that it needs no script; leaving the
//! page cancels the call. Keeps nothing between two requests.

mod call;
mod content;
mod form;
mod outcome;
mod question;

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Request, State},
    http::Uri,
    response::Response,
};
use futures::{StreamExt, stream};
use http::StatusCode;
use maud::{Markup, html};
use percent_encoding::percent_decode_str;

use self::{
    call::Try,
    form::{Filled, Form},
    question::Question,
};
use super::{
    super::Visitor,
    Context, Fields,
    entry::{self, Entry},
    json_view,
    page::{Page, Tab, html_response},
};
use crate::{admin::Admin, discovery::View, http::read};

/// What of a form's fields are arguments of the tool.
const ARGUMENT: &str = "a.";

/// The page of one tool.
struct Tool<'a> {
    admin: &'a Arc<Admin>,
    visitor: &'a Visitor,
    view: &'a View,
    entry: &'a Entry<'a>,
}

/// What a person wants with a form that they sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intent {
    Call,
    /// Go back to the form as it is; the browser has given up the call by then.
    Edit,
    /// Answer a question of the tool.
    Answer(question::Action),
}

pub(super) async fn page((State(admin), Extension(visitor)): Context, uri: Uri) -> Response {
    let view = admin.served.gateway.front.gateway.view();
    let name = named(&uri);
    let Some(entry) = entry::tool(&view, &name).filter(|_| admin.settings.try_tools) else {
        return absent(&admin, &visitor, &name);
    };
    let tool = Tool { admin: &admin, visitor: &visitor, view: &view, entry: &entry };
    tool.response(StatusCode::OK, &Form::new(&entry.json["inputSchema"], ARGUMENT).blank(), &html! {})
}

pub(super) async fn answer((State(admin), Extension(visitor)): Context, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let view = admin.served.gateway.front.gateway.view();
    let name = named(&parts.uri);
    let Some(entry) = entry::tool(&view, &name).filter(|_| admin.settings.try_tools) else {
        return absent(&admin, &visitor, &name);
    };
    let tool = Tool { admin: &admin, visitor: &visitor, view: &view, entry: &entry };
    let form = Form::new(&entry.json["inputSchema"], ARGUMENT);
    let limits = &admin.served.limits;
    let Ok(body) = read(body, limits.request_bytes, limits.request_time).await else {
        let alert = html! {
            p.alert role="alert" { "The form is larger than what the gateway takes (" code { "limits.request_bytes" } ")." }
        };
        return tool.response(StatusCode::PAYLOAD_TOO_LARGE, &form.blank(), &alert);
    };
    let fields = Fields::parse(&body);
    tool.answered(&form, &fields)
}

impl Tool<'_> {
    fn answered(&self, form: &Form<'_>, fields: &Fields) -> Response {
        let mut filled = form.filled(fields);
        let intent = Intent::of(fields);
        if intent == Intent::Edit {
            filled.forget_mistakes();
            return self.response(StatusCode::OK, &filled, &html! {});
        }
        let Some(arguments) = filled.arguments() else {
            return self.response(StatusCode::UNPROCESSABLE_ENTITY, &filled, &filled.complaint());
        };
        let mut call = Try::new(&self.entry.key, arguments);
        if let Intent::Answer(action) = intent {
            let question = Question::of_fields(fields);
            match question.answers(action, fields) {
                Ok(answers) => call.brings(answers, question.state()),
                Err(forms) => {
                    let alert = html! { @for form in &forms { (form.complaint()) } };
                    let again = question.shown(&self.entry.key, &filled, &forms, &alert);
                    return self.response(StatusCode::UNPROCESSABLE_ENTITY, &filled, &again);
                }
            }
        }
        self.call(call, filled)
    }

    /// The page that shows the call while it runs.
    fn call(&self, call: Try, filled: Filled) -> Response {
        let begin = html! {
            p.running role="status" {
                span.spinner aria-hidden="true" {} "The call runs. "
                button type="submit" form="try" name="do" value="edit" formnovalidate { "Cancel" }
            }
        };
        let (before, after) = self.page().halves(&self.content(&filled, &begin));
        let shown = outcome::Shown { tool: self.entry.key.clone(), filled };
        let messages = call.messages(self.admin, &self.visitor.caller);
        let pieces = shown.pieces(messages);
        let whole = stream::iter([before]).chain(pieces).chain(stream::iter([after]));
        let body = axum::body::Body::from_stream(whole.map(Ok::<_, std::convert::Infallible>));
        let mut response = html_response(StatusCode::OK, body);
        // Proxies such as nginx must pass each piece on at once.
        response.headers_mut().insert("x-accel-buffering", http::HeaderValue::from_static("no"));
        response
    }

    fn response(&self, status: StatusCode, filled: &Filled, outcome: &Markup) -> Response {
        self.page().response(status, &self.content(filled, outcome))
    }

    fn page(&self) -> Page<'_> {
        Page { title: &self.entry.key, tab: Tab::Catalog, admin: self.admin, visitor: Some(self.visitor) }
    }

    fn content(&self, filled: &Filled, outcome: &Markup) -> Markup {
        let title = self.entry.text("title");
        let changes = self.entry.json["annotations"]["readOnlyHint"] != true;
        html! {
            p.crumbs { a href="/catalog" { "Catalog" } }
            h1.name { (self.entry.key) }
            @if !title.is_empty() && title != self.entry.key { p.subtitle { (title) } }
            @if !self.entry.text("description").is_empty() {
                p.description { (json_view::cut(self.entry.text("description"), 600).0) }
            }
            details.entry.flat { summary { "All about it" } div.body { (self.entry.details(self.view)) } }
            form.try #try method="post" action={ (entry::tool_path(&self.entry.key)) "#outcome" } {
                (filled.shown())
                div.actions {
                    button.primary type="submit" name="do" value="call" { "Call it" }
                    p.help {
                        "It is called for real, as " strong { (self.visitor.caller.id) }
                        @if changes { "; it may change things" } "."
                    }
                }
            }
            // Where a browser scrolls to: it is there whatever comes after it.
            div #outcome {}
            (outcome)
        }
    }
}

impl Intent {
    fn of(fields: &Fields) -> Self {
        match fields.one("do") {
            "edit" => Self::Edit,
            "accept" => Self::Answer(question::Action::Accept),
            "decline" => Self::Answer(question::Action::Decline),
            "cancel" => Self::Answer(question::Action::Cancel),
            _ => Self::Call,
        }
    }
}

/// The tool that the path names.
fn named(uri: &Uri) -> String {
    let name = uri.path().strip_prefix("/tools/").unwrap_or_default();
    percent_decode_str(name).decode_utf8_lossy().into_owned()
}

fn absent(admin: &Admin, visitor: &Visitor, name: &str) -> Response {
    let page = Page { title: "Not there", tab: Tab::Catalog, admin, visitor: Some(visitor) };
    let (status, content) = match admin.settings.try_tools {
        true => (StatusCode::NOT_FOUND, html! { p { "No target offers a tool called " code { (name) } " now." } }),
        false => (
            StatusCode::FORBIDDEN,
            html! { p { "Tools are not called from here: set " code { "admin.try_tools = true" } " to allow it." } },
        ),
    };
    page.response(
        status,
        &html! { h1 { "This tool cannot be tried" } (content) p { a href="/catalog" { "Go to the catalog" } } },
    )
}
