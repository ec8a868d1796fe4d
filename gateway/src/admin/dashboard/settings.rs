//! The configuration as the gateway understood it: every setting with its value, and which of them the file does not say.

use axum::{Extension, extract::State, response::Response};
use http::StatusCode;
use maud::{Markup, html};

use super::{
    Context,
    overview::in_code,
    page::{Page, Tab},
    time::{ago, count},
};
use crate::config::outline::{Chapter, Setting, Shown};

pub(super) async fn page((State(admin), Extension(visitor)): Context) -> Response {
    let chapters = admin.written.outline();
    let path = std::path::absolute(&admin.written.path).unwrap_or_else(|_| admin.written.path.clone());
    let path = path.display().to_string();
    let standing = admin.standing.borrow().clone();
    let content = html! {
        h1 { "Configuration" }
        p.lead {
            "Read from " code #file { (path) } ", in effect since " (ago(admin.clock.now(), standing.since)) ". What the file does not say is marked as "
            span.tag { "default" } ". Of secrets you see where they come from, never what they are."
        }
        @if let Some(error) = &standing.error {
            p.alert role="status" {
                "The file was read again and is not used: it has mistakes. The configuration below stays in effect."
            }
            pre { (error) }
        }
        @if !standing.later.is_empty() {
            p.note {
                "The file says something else of "
                @for (at, name) in standing.later.iter().enumerate() { @if at > 0 { ", " } code { (name) } }
                ", which takes effect at the next start."
            }
        }
        p.note { "This gateway listens on " code { (admin.served.local) } ", its admin port on " code { (admin.local) } "." }
        div.with-contents {
            nav.contents aria-label="Sections" {
                ul { @for chapter in &chapters { li { a href={ "#" (chapter.path) } { (chapter.path) } } } }
            }
            div { @for chapter in &chapters { (section(chapter)) } }
        }
    };
    let page = Page { title: "Configuration", tab: Tab::Config, admin: &admin, visitor: Some(&visitor) };
    page.response(StatusCode::OK, &content)
}

fn section(chapter: &Chapter) -> Markup {
    let is_written = |setting: &&Setting| matches!(setting.value, Shown::Written(_));
    let (written, defaults): (Vec<_>, Vec<_>) = chapter.settings.iter().partition(is_written);
    html! {
        section.chapter aria-labelledby=(chapter.path) {
            h2 #(chapter.path) { code { "[" (chapter.path) "]" } @if !chapter.is_written { " " span.tag { "not in the file" } } }
            @if !chapter.about.is_empty() { p.note { (in_code(&chapter.about)) } }
            (table(&written))
            @if !defaults.is_empty() {
                details { summary { (count(defaults.len(), "setting")) " by default" } (table(&defaults)) }
            }
        }
    }
}

fn table(settings: &[&Setting]) -> Markup {
    html! {
        @if !settings.is_empty() {
            table.settings {
                thead.sr { tr { th scope="col" { "Setting" } th scope="col" { "Value" } } }
                tbody { @for setting in settings { (row(setting)) } }
            }
        }
    }
}

fn row(setting: &Setting) -> Markup {
    html! {
        tr {
            th scope="row" { code { (setting.key) } @if !setting.about.is_empty() { div.says { (in_code(&setting.about)) } } }
            td {
                @match &setting.value {
                    Shown::Written(value) => code { (value) },
                    Shown::Default(value) => { span.of { (value) } " " span.tag { "default" } }
                }
            }
        }
    }
}
