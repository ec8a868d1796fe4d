//! The merged catalog, searched here: by words, by kind, by target. Calls nobody.

use axum::{Extension, extract::State, http::Uri, response::Response};
use causeway_core::catalog::Kind;
use http::StatusCode;
use maud::{Markup, html};

use super::{
    Context, Fields,
    entry::{self, Entry},
    overview::toolsets,
    page::{Page, Tab},
};
use crate::{admin::Admin, discovery::View};

/// Entries of one page; who wants others searches for them.
const MOST: usize = 200;

/// What somebody looks for.
struct Search {
    /// As it was typed.
    text: String,
    /// Empty: of any.
    target: String,
    kind: Option<Kind>,
    /// Empty: all that the gateway itself shows.
    toolset: String,
}

pub(super) async fn page((State(admin), Extension(visitor)): Context, uri: Uri) -> Response {
    let search = Search::of(&uri);
    let toolset = admin.served.toolsets.get(&search.toolset);
    let view = toolset.unwrap_or(&admin.served.gateway).front.gateway.view();
    let content = html! {
        h1 { "Catalog" }
        p.lead { "What clients see: what all targets offer, merged." }
        (form(&admin, &view, &search))
        div #results data-results="" { (results(&admin, &view, &search)) }
    };
    let page = Page { title: "Catalog", tab: Tab::Catalog, admin: &admin, visitor: Some(&visitor) };
    page.response(StatusCode::OK, &content)
}

fn form(admin: &Admin, view: &View, search: &Search) -> Markup {
    let toolsets = toolsets(admin);
    html! {
        form.filters method="get" action="/catalog" role="search" data-search="" {
            label.grow { span.sr { "Words to look for" }
                input type="search" name="q" value=(search.text) placeholder="Search names, titles, descriptions" autocomplete="off"
                    spellcheck="false";
            }
            label { "Kind "
                select name="kind" data-submit="" {
                    option value="" { "all" }
                    @for kind in Kind::ALL {
                        option value=(kind.member()) selected[search.kind == Some(kind)] {
                            (kind) "s (" (view.catalog.list(kind).len()) ")"
                        }
                    }
                }
            }
            label { "Target "
                select name="target" data-submit="" {
                    option value="" { "all" }
                    @for target in &view.targets {
                        option value=(target.name.as_str()) selected[target.name.as_str() == search.target] {
                            (target.name.as_str())
                        }
                    }
                }
            }
            @if !toolsets.is_empty() {
                label { "Endpoint "
                    select name="toolset" data-submit="" {
                        option value="" { "/mcp" }
                        @for name in &toolsets { option value=(name) selected[**name == search.toolset] { "/mcp/" (name) } }
                    }
                }
            }
            button type="submit" { "Search" }
        }
    }
}

fn results(admin: &Admin, view: &View, search: &Search) -> Markup {
    let words: Vec<String> = search.text.split_whitespace().map(str::to_lowercase).collect();
    let found: Vec<Entry<'_>> = entry::all(view).filter(|entry| search.wants(entry) && entry.holds(&words)).collect();
    html! {
        p.note role="status" {
            @if found.is_empty() { "Nothing found." } @else { (found.len()) @if found.len() == 1 { " entry" } @else { " entries" } }
            @if found.len() > MOST { ", the first " (MOST) " of them here: search for more words to see others" }
        }
        @for entry in found.iter().take(MOST) { (shown(admin, view, entry)) }
    }
}

fn shown(admin: &Admin, view: &View, entry: &Entry<'_>) -> Markup {
    let title = entry.text("title");
    let name = if entry.key.is_empty() { entry.text("name") } else { &entry.key };
    let summary = entry.text("description").lines().next().unwrap_or_default();
    html! {
        details.entry id={ (entry.kind.member()) "-" (entry.key) } {
            summary {
                span.kind.(entry.kind.member()) { (entry.kind) }
                span.name { (name) }
                @if !title.is_empty() && title != name { span.title { (title) } }
                span.short { (summary) }
            }
            div.body {
                @if entry.kind == Kind::Tools && admin.settings.try_tools {
                    p { a.button href=(entry::tool_path(&entry.key)) { "Try this tool" } }
                }
                (entry.details(view))
            }
        }
    }
}

impl Search {
    fn of(uri: &Uri) -> Self {
        let fields = Fields::parse(uri.query().unwrap_or_default().as_bytes());
        let kind = Kind::ALL.into_iter().find(|kind| kind.member() == fields.one("kind"));
        let text = |name| fields.one(name).trim().to_owned();
        Self { text: text("q"), target: text("target"), toolset: text("toolset"), kind }
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        let of_target = || entry.target().is_some_and(|target| target.as_str() == self.target);
        self.kind.is_none_or(|kind| kind == entry.kind) && (self.target.is_empty() || of_target())
    }
}
