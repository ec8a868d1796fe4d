//! One target on the first page: how it is, what it offers, how fast it is, and what to do where it does not work.

use causeway_core::{catalog::Kind, era::Era};
use maud::{Markup, html};
use serde_json::Value;

use super::{Figures, in_code};
use crate::{
    admin::{
        Admin,
        dashboard::time::{ago, count, length},
    },
    config::TargetKind,
    discovery::{TargetState, View},
    targets::{Fault, PathState, Target},
};

const LOOK: &str = "`causeway doctor` looks at its name, port, certificate and credential one by one.";

/// How a target is, in one of four words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Works,
    /// A part of it does not: a path, a list.
    InPart,
    Down,
    /// It is being asked for the first time.
    Pending,
}

impl Standing {
    pub(super) const ALL: [Self; 4] = [Self::Works, Self::InPart, Self::Down, Self::Pending];

    pub(super) fn of(admin: &Admin, target: &TargetState) -> Self {
        let paths = admin.served.gateway.front.gateway.paths(&target.name);
        let up = paths.iter().filter(|path| path.health().state() == PathState::Up).count();
        match (&target.error, target.tried) {
            (None, false) => Self::Pending,
            (None, true) if up == paths.len() => Self::Works,
            (Some(fault), _) if !fault.is_of_the_question() => Self::Down,
            (None | Some(_), _) if up == 0 => Self::Down,
            (None | Some(_), _) => Self::InPart,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::InPart => "works in part",
            Self::Down => "does not work",
            Self::Pending => "no answer yet",
        }
    }

    /// After a number.
    pub(super) fn word_for_several(self) -> &'static str {
        match self {
            Self::Works => "working",
            Self::InPart => "working in part",
            Self::Down => "not working",
            Self::Pending => "without an answer yet",
        }
    }

    /// `text` with the shape and the colour of the word.
    pub(super) fn badge(self, text: &str) -> Markup {
        let (class, shape) = match self {
            Self::Works => ("good", "●"),
            Self::InPart => ("fair", "◆"),
            Self::Down => ("bad", "▲"),
            Self::Pending => ("idle", "○"),
        };
        html! { span.badge.(class) { span aria-hidden="true" { (shape) } " " (text) } }
    }
}

pub(super) fn card(admin: &Admin, view: &View, target: &TargetState, figures: &Figures) -> Markup {
    let standing = Standing::of(admin, target);
    let name = target.name.as_str();
    html! {
        article.card aria-labelledby={ "target-" (name) } {
            header {
                h3 #{ "target-" (name) } { a href={ "/catalog?target=" (name) } { (name) } }
                (standing.badge(standing.word()))
            }
            p.server { (server(target)) }
            @if let Some(fault) = &target.error { (trouble(target, fault)) }
            dl.facts { (facts(admin, target, figures)) }
            (paths(admin, view, target))
        }
    }
}

/// What it calls itself, and what it speaks.
fn server(target: &TargetState) -> Markup {
    let Some(about) = &target.about else { return html! { "It has not said what it is." } };
    let info: Value = about.server_info.as_deref().and_then(|info| serde_json::from_str(info).ok()).unwrap_or_default();
    let era = match about.era {
        Era::Modern => "modern",
        Era::Legacy => "legacy",
    };
    html! {
        @if let Some(name) = info["name"].as_str() {
            strong { (name) } @if let Some(version) = info["version"].as_str() { " " span.number { (version) } } " · "
        }
        "MCP " span.number { (about.version) } " (" (era) ")"
        @if matches!(target.kind, TargetKind::Gateway { .. }) { " · an AgentCore Gateway" }
    }
}

fn trouble(target: &TargetState, fault: &Fault) -> Markup {
    let text = target.error_text().unwrap_or_default();
    html! {
        div.alert role="group" aria-label="What is wrong" {
            p { (in_code(&text)) }
            p.todo { strong { "What to do: " } (in_code(fault.operators_step())) ". " (in_code(LOOK)) }
        }
    }
}

fn facts(admin: &Admin, target: &TargetState, figures: &Figures) -> Markup {
    let offered = Kind::ALL.into_iter().filter_map(|kind| Some((kind, target.count(kind)?)));
    let offered: Vec<String> =
        offered.filter(|(_, count)| *count > 0).map(|(kind, number)| count(number, &kind.to_string())).collect();
    let figure = figures.target(target.name.as_str());
    html! {
        div { dt { "Offers" } dd { @if offered.is_empty() { "nothing yet" } @else { (offered.join(", ")) } } }
        div {
            dt { "Listed" }
            dd {
                @match target.listed {
                    Some(listed) => {
                        (ago(admin.clock.now(), listed))
                        @if let Some(took) = target.took { span.of { ", took " (length(took)) } }
                    }
                    None => "never",
                }
            }
        }
        div {
            dt { "Calls" }
            dd.number {
                (figure.map_or(0, |figure| figure.calls))
                @if let Some(failed) = figure.map(|figure| figure.failed).filter(|failed| *failed > 0) {
                    span.failed { ", " (failed) " failed" }
                }
            }
        }
        div {
            dt { "Answers in" }
            dd.number {
                @match figure.and_then(|figure| figure.median_and_worst()) {
                    Some((median, worst)) => { (length(median)) span.of { ", worst " (length(worst)) } }
                    None => span.of { "not called yet" },
                }
            }
        }
    }
}

/// Its paths where there are several, and who stands by.
fn paths(admin: &Admin, view: &View, target: &TargetState) -> Markup {
    let paths = admin.served.gateway.front.gateway.paths(&target.name);
    html! {
        @if paths.len() > 1 {
            table.paths {
                caption { "Paths" }
                thead {
                    tr {
                        th scope="col" { "Path" }
                        th scope="col" { "State" }
                        th.number scope="col" { "Served" }
                        th.number scope="col" { "Passed on" }
                    }
                }
                tbody { @for path in &paths { (path_row(view, path)) } }
            }
        }
        @if let TargetKind::Gateway { standby } = &target.kind {
            @if !standby.is_empty() {
                p.note {
                    "Standing by: "
                    @for (at, name) in standby.iter().enumerate() { @if at > 0 { ", " } code { (name.as_str()) } }
                }
            }
        }
    }
}

fn path_row(view: &View, path: &Target) -> Markup {
    let counts = path.health().counts();
    let state = path.health().state();
    let standing = match state {
        PathState::Up => Standing::Works,
        PathState::Down => Standing::Down,
        PathState::Probation | PathState::Trying => Standing::InPart,
    };
    let error = view.paths.iter().find(|known| known.path == *path.path()).and_then(TargetState::error_text);
    html! {
        tr {
            th scope="row" { (path.path().to_string()) }
            td { (standing.badge(state.word())) @if let Some(error) = error { div.note { (in_code(&error)) } } }
            td.number { (counts.served) }
            td.number { (counts.passed_on) }
        }
    }
}
