//! `causeway targets`: asks each target of config.toml what it is and what it lists, once, and says what came of it, and what
//! clients would not get of it as it is meant. Serves nobody.

use std::fmt::Write;

use anyhow::bail;
use causeway_core::{
    catalog::{Kind, Problem},
    era::Era,
    name::TargetName,
    wire::{ObjectEdit, json},
};
use causeway_oidc::clock::Clock;
use clap::Args;
use serde::Deserialize;

use super::{
    ConfigArgs,
    screen::{out, out_line, printable, tell},
};
use crate::{
    app::App,
    config::Environment,
    discovery::{TargetState, View},
};

/// The heads of the table's columns.
const HEAD: [&str; 10] =
    ["NAME", "STATE", "ERA", "VERSION", "SERVER", "TOOLS", "PROMPTS", "RESOURCES", "TEMPLATES", "CAPABILITIES"];

/// Which targets, and how they are shown.
#[derive(Clone, Debug, Args)]
pub struct TargetsArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print one JSON array, for machines
    #[arg(long)]
    json: bool,
    /// Take warnings for errors
    #[arg(long)]
    strict: bool,
}

/// Prints what is known of each target after it was asked once.
///
/// # Errors
/// Mistakes of the config; a target that did not answer, or with `--strict` a warning, once everything is printed.
pub async fn run(args: &TargetsArgs) -> anyhow::Result<()> {
    let config = args.config.load(&Environment::process())?;
    let (view, parts) = App::build(config, Clock::system())?.survey_endpoints().await;
    let problems: Vec<&Problem> = [&view].into_iter().chain(&parts).flat_map(problems).collect();
    let states = &view.paths;
    if args.json {
        out_line(&as_json(states, &problems))?;
        // Those of no target have no place there.
        let others = problems.iter().filter(|it| !states.iter().any(|state| it.concerns(&state.name)));
        others.for_each(|problem| tell!("warning: {problem}"));
    } else {
        out(&as_text(states, &problems))?;
    }
    match states.iter().filter(|state| state.error.is_some()).count() {
        0 if args.strict && !problems.is_empty() => bail!("there are warnings"),
        0 => Ok(()),
        failed => bail!("{failed} of {} targets did not answer as they should", states.len()),
    }
}

/// What is not as the configuration means it.
fn problems(view: &View) -> impl Iterator<Item = &Problem> {
    view.catalog.problems().iter().filter(|problem| !problem.is_intended())
}

/// An aligned table, and below it what is wrong.
fn as_text(states: &[TargetState], problems: &[&Problem]) -> String {
    let mut rows = vec![HEAD.map(ToOwned::to_owned)];
    rows.extend(states.iter().map(row));
    let widths = HEAD.map(|head| head.len());
    let widths = rows.iter().fold(widths, |mut widths, row| {
        widths.iter_mut().zip(row).for_each(|(width, cell)| *width = (*width).max(cell.chars().count()));
        widths
    });
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    for state in states.iter().filter(|state| !state.kind.standby().is_empty()) {
        let standby: Vec<String> = state.kind.standby().iter().map(|name| format!("`{name}`")).collect();
        let _ = write!(text, "\nwhere `{}` does not serve, there stand by: {}\n", state.path, standby.join(", "));
    }
    for error in states.iter().filter_map(TargetState::error_text) {
        let _ = write!(text, "\nerror: {}\n", printable(&error));
    }
    for problem in problems {
        let _ = write!(text, "\nwarning: {}\n", printable(&problem.to_string()));
    }
    text
}

fn row(state: &TargetState) -> [String; 10] {
    let about = state.about.as_ref();
    let or_dash = |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or_else(|| "-".into());
    let [tools, prompts, resources, templates] =
        Kind::ALL.map(|kind| or_dash(state.count(kind).map(|count| count.to_string())));
    [
        state.path.to_string(),
        state.word().into(),
        or_dash(about.map(|about| era(about.era).into())),
        or_dash(about.map(|about| printable(&about.version))),
        or_dash(about.and_then(|about| server(about.server_info.as_deref()?))),
        tools,
        prompts,
        resources,
        templates,
        or_dash(about.map(|about| words(&about.capabilities).join(" "))),
    ]
}

/// One array with an object for each target. What a target said about itself stands there as it came.
fn as_json(states: &[TargetState], problems: &[&Problem]) -> String {
    let targets = states.iter().map(|state| {
        let text = |text: Option<&str>| text.map_or("null".into(), |text| json(&text));
        let about = state.about.as_ref();
        let counts =
            Kind::ALL.map(|kind| format!(r#""{}":{}"#, kind.member(), json(&state.count(kind)))).join(",");
        format!(
            r#"{{"name":{},"path":{},"standby":{},"state":"{}","era":{},"version":{},"serverInfo":{},"capabilities":{},"counts":{{{counts}}},"listedAt":{},"error":{},"warnings":{}}}"#,
            json(&state.name.as_str()),
            json(&state.path.to_string()),
            json(&state.kind.standby().iter().map(TargetName::as_str).collect::<Vec<_>>()),
            state.word(),
            text(about.map(|about| era(about.era))),
            text(about.map(|about| about.version.as_str())),
            about.and_then(|about| about.server_info.as_deref()).unwrap_or("null"),
            about.map_or("null", |about| &about.capabilities),
            json(&state.listed.map(|listed| listed.as_secs())),
            text(state.error_text().as_deref()),
            json(&problems.iter().filter(|it| it.concerns(&state.name)).map(ToString::to_string).collect::<Vec<_>>()),
        )
    });
    format!("[{}]", targets.collect::<Vec<_>>().join(","))
}

fn era(era: Era) -> &'static str {
    match era {
        Era::Modern => "modern",
        Era::Legacy => "legacy",
    }
}

/// Name and version of an `Implementation` object.
fn server(info: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Implementation {
        name: String,
        version: Option<String>,
    }
    let info: Implementation = serde_json::from_str(info).ok()?;
    Some(printable(&[info.name, info.version.unwrap_or_default()].join(" ")).trim_end().to_owned())
}

/// What a `ServerCapabilities` object declares: `tools`, `resources(subscribe)`, `extensions(example.com/x)`.
fn words(capabilities: &str) -> Vec<String> {
    let Ok(object) = ObjectEdit::parse(capabilities) else { return Vec::new() };
    let declared = object.members().filter(|(_, value)| is_declared(value));
    let words = declared.map(|(name, value)| {
        let parts = ObjectEdit::parse(value).ok();
        let parts = parts.iter().flat_map(ObjectEdit::members).filter(|(_, value)| is_declared(value));
        let parts: Vec<&str> = parts.map(|(part, _)| part).collect();
        match parts.is_empty() {
            true => printable(name),
            false => printable(&format!("{name}({})", parts.join(","))),
        }
    });
    words.collect()
}

fn is_declared(value: &str) -> bool {
    !matches!(value, "null" | "false")
}

#[cfg(test)]
mod tests {
    use causeway_core::catalog::{Lists, Page};

    use super::*;
    use crate::{
        config::TargetKind,
        targets::{About, Fault},
    };

    fn states() -> [TargetState; 2] {
        let about = About {
            era: Era::Legacy,
            version: "2025-11-25".into(),
            capabilities: r#"{"tools":{},"logging":{},"resources":{"subscribe":true,"listChanged":false},"extensions":{"e.com/x":{}},"prompts":null}"#.into(),
            server_info: Some(r#"{"name":"Everything \u001b[31m","version":"1.2.3"}"#.into()),
            instructions: None,
        };
        let mut lists = Lists::default();
        let page = Page::parse(Kind::Tools, r#"{"tools":[{"name":"a"},{"name":"b"}]}"#).unwrap();
        (lists[Kind::Tools], lists[Kind::Prompts]) = (Some([page].into()), Some([].into()));
        let listed = TargetState {
            name: "everything".parse().unwrap(),
            path: "everything/1".parse().unwrap(),
            fingerprint: "".into(),
            kind: TargetKind::Gateway { standby: vec!["hello".parse().unwrap()] },
            resource_priority: 1000,
            edits: std::sync::Arc::default(),
            about: Some(about),
            lists,
            lists_of_places: Vec::new(),
            tried: true,
            error: None,
            asked: None,
            listed: Some(std::time::Duration::from_secs(1_800_000_000)),
            took: None,
            restored: false,
        };
        let gone = TargetState {
            name: "gone".parse().unwrap(),
            path: "gone".parse().unwrap(),
            kind: TargetKind::Server,
            about: None,
            lists: Lists::default(),
            error: Some(Fault::Unreachable("refused".into())),
            listed: None,
            took: None,
            ..listed.clone()
        };
        [listed, gone]
    }

    fn problem() -> Problem {
        Problem::Keyless { target: "gone".parse().unwrap(), kind: Kind::Tools }
    }

    #[test]
    fn a_table_for_people() {
        insta::assert_snapshot!(as_text(&states(), &[&problem()]), @r#"
        NAME          STATE   ERA     VERSION     SERVER                  TOOLS  PROMPTS  RESOURCES  TEMPLATES  CAPABILITIES
        everything/1  listed  legacy  2025-11-25  Everything �[31m 1.2.3  2      0        -          -          tools logging resources(subscribe) extensions(e.com/x)
        gone          failed  -       -           -                       -      -        -          -          -

        where `everything/1` does not serve, there stand by: `hello`

        error: target `gone` could not be reached: refused

        warning: target `gone` lists a tool without a `name`: it is left out
        "#);
    }

    #[test]
    fn an_array_for_machines() {
        let text = as_json(&states(), &[&problem()]);
        let _: Vec<&serde_json::value::RawValue> = serde_json::from_str(&text).unwrap();
        insta::assert_snapshot!(text, @r#"[{"name":"everything","path":"everything/1","standby":["hello"],"state":"listed","era":"legacy","version":"2025-11-25","serverInfo":{"name":"Everything \u001b[31m","version":"1.2.3"},"capabilities":{"tools":{},"logging":{},"resources":{"subscribe":true,"listChanged":false},"extensions":{"e.com/x":{}},"prompts":null},"counts":{"tools":2,"prompts":0,"resources":null,"resourceTemplates":null},"listedAt":1800000000,"error":null,"warnings":[]},{"name":"gone","path":"gone","standby":[],"state":"failed","era":null,"version":null,"serverInfo":null,"capabilities":null,"counts":{"tools":null,"prompts":null,"resources":null,"resourceTemplates":null},"listedAt":null,"error":"target `gone` could not be reached: refused","warnings":["target `gone` lists a tool without a `name`: it is left out"]}]"#);
    }
}
