//! One entry of the merged catalog as a page shows it: what it is for, what it takes, what it gives, and what its target wrote. All
//! of it is a target's text; icons are not loaded, for they are elsewhere.

use causeway_core::{
    catalog::{Kind, Path, Route},
    name::TargetName,
};
use maud::{Markup, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::json_view;
use crate::{
    arguments::{Property, Shape},
    discovery::View,
};

/// What stands in a path as it is: people read it there.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-');
/// Characters of an entry as its target wrote it.
const LONGEST: usize = 100_000;

/// An entry, and where it leads.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) kind: Kind,
    /// As clients name it.
    pub(super) key: String,
    pub(super) json: Value,
    route: Option<&'a Route>,
}

/// All entries of `view`, in the order of its lists.
pub(super) fn all(view: &View) -> impl Iterator<Item = Entry<'_>> {
    Kind::ALL.into_iter().flat_map(|kind| of_kind(view, kind))
}

/// The tool that clients call `name`.
pub(super) fn tool<'a>(view: &'a View, name: &str) -> Option<Entry<'a>> {
    // A name that is listed short leads there by its full form too.
    let path = view.catalog.route(Kind::Tools, name).ok()?.first();
    let is_it = |entry: &Entry<'_>| entry.key == name || entry.path().is_some_and(|own| own == path);
    of_kind(view, Kind::Tools).find(is_it)
}

/// Where somebody tries the tool `name`.
pub(super) fn tool_path(name: &str) -> String {
    format!("/tools/{}", utf8_percent_encode(name, PLAIN))
}

fn of_kind(view: &View, kind: Kind) -> impl Iterator<Item = Entry<'_>> {
    let entries: Vec<Value> = serde_json::from_slice(view.catalog.list(kind).json()).unwrap_or_default();
    entries.into_iter().map(move |json| {
        let key = json[kind.key()].as_str().unwrap_or_default().to_owned();
        let route = view.catalog.route(kind, &key).ok();
        Entry { kind, key, json, route }
    })
}

impl Entry<'_> {
    pub(super) fn target(&self) -> Option<&TargetName> {
        self.path().map(|path| &path.target)
    }

    pub(super) fn text(&self, member: &str) -> &str {
        self.json[member].as_str().unwrap_or_default()
    }

    /// Whether each of these words, in lower case, is in its name, title or description.
    pub(super) fn holds(&self, words: &[String]) -> bool {
        let texts = [self.key.as_str(), self.text("name"), self.text("title"), self.text("description")];
        let text = texts.join("\n").to_lowercase();
        words.iter().all(|word| text.contains(word))
    }

    fn path(&self) -> Option<&Path> {
        self.route.map(Route::first)
    }

    /// Everything about it.
    pub(super) fn details(&self, view: &View) -> Markup {
        html! {
            @if !self.text("description").is_empty() {
                p.description { (json_view::cut(self.text("description"), 4000).0) }
            }
            (self.facts())
            @if self.kind == Kind::Tools { (arguments("Arguments", &self.json["inputSchema"], "It takes no arguments.")) }
            @if self.kind == Kind::Prompts { (self.prompt_arguments()) }
            @if self.json["outputSchema"].is_object() {
                (arguments("What it gives", &self.json["outputSchema"], "Nothing is said of it."))
            }
            details.raw {
                summary { "As its target wrote it" }
                (json_view::block(self.original(view).unwrap_or(&self.json.to_string()), LONGEST))
            }
        }
    }

    fn facts(&self) -> Markup {
        let hints = self.hints();
        let icons = self.json["icons"].as_array().map_or(0, Vec::len);
        html! {
            dl.facts {
                @if let Some(path) = self.path() {
                    div {
                        dt { "Target" }
                        dd {
                            (path.target.as_str())
                            @if *path.name != *self.key { span.of { ", there " code { (path.name) } } }
                        }
                    }
                }
                @if let Some(route) = self.route.filter(|route| route.paths.len() > 1) {
                    div { dt { "Then" } dd { @for path in &route.paths[1..] { (path.target.as_str()) " " } } }
                }
                @if !hints.is_empty() { div { dt { "Hints" } dd { (hints.join(", ")) } } }
                @for (member, word) in [("mimeType", "Type"), ("uri", "URI"), ("uriTemplate", "Template")] {
                    @if !self.text(member).is_empty() { div { dt { (word) } dd { code { (self.text(member)) } } } }
                }
                @if icons > 0 { div { dt { "Icons" } dd { (icons) ", not loaded here" } } }
            }
        }
    }

    /// What a tool says of itself; a hint is no promise.
    fn hints(&self) -> Vec<&'static str> {
        const HINTS: [(&str, &str, &str); 4] = [
            ("readOnlyHint", "only reads", "changes things"),
            ("destructiveHint", "may destroy", "destroys nothing"),
            ("idempotentHint", "may be repeated", "must not be repeated"),
            ("openWorldHint", "reaches the outside world", "stays inside"),
        ];
        let said = HINTS.iter().filter_map(|(member, yes, no)| {
            self.json["annotations"][*member].as_bool().map(|is| if is { *yes } else { *no })
        });
        said.collect()
    }

    fn prompt_arguments(&self) -> Markup {
        let arguments: Vec<&Value> = self.json["arguments"].as_array().into_iter().flatten().collect();
        html! {
            h4 { "Arguments" }
            @if arguments.is_empty() { p.note { "It takes no arguments." } } @else {
                div.wide { table.arguments {
                    thead { tr { th scope="col" { "Name" } th scope="col" { "Needed" } th scope="col" { "Meaning" } } }
                    tbody {
                        @for argument in arguments {
                            tr {
                                th scope="row" { code { (argument["name"].as_str().unwrap_or_default()) } }
                                td { @if argument["required"] == true { "yes" } @else { "no" } }
                                td { (argument["description"].as_str().unwrap_or_default()) }
                            }
                        }
                    }
                } }
            }
        }
    }

    /// What the target listed, letter by letter.
    fn original<'v>(&self, view: &'v View) -> Option<&'v str> {
        let path = self.path()?;
        let target = view.targets.iter().find(|target| target.name == path.target)?;
        let pages = target.lists[self.kind].as_deref()?;
        let entry = pages.iter().flat_map(|page| &page.entries).find(|entry| *entry.key == *path.name)?;
        Some(&entry.json)
    }
}

/// What an object holds, by its schema.
fn arguments(title: &str, schema: &Value, nothing: &str) -> Markup {
    let properties = Shape::of(schema).properties();
    html! {
        h4 { (title) }
        @if properties.is_empty() {
            @if Shape::of(schema).is_open() && schema.is_object() { p.note { "Its schema names none." } }
            @else { p.note { (nothing) } }
        } @else {
            div.wide { table.arguments {
                thead {
                    tr {
                        th scope="col" { "Name" }
                        th scope="col" { "Type" }
                        th scope="col" { "Needed" }
                        th scope="col" { "Meaning" }
                    }
                }
                tbody { @for property in &properties { (row(property)) } }
            } }
        }
    }
}

fn row(property: &Property<'_>) -> Markup {
    html! {
        tr {
            th scope="row" { code { (property.name) } }
            td { (json_view::cut(&property.words(), 300).0) }
            td { @if property.required { "yes" } @else { "no" } }
            td {
                (property.description().unwrap_or_default())
                @if let Some(default) = property.default() {
                    " " span.of { "Default: " code { (json_view::cut(&default.to_string(), 200).0) } }
                }
            }
        }
    }
}
