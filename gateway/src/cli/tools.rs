//! `causeway tools`: what a server offers, for a person to read or a program. Calls nothing.

use std::{collections::BTreeMap, time::Duration};

use causeway_core::{
    canonical::Logs,
    catalog::{Entry, Kind},
    era::Era,
    nearest::hint,
    wire::json,
};
use clap::Args;
use serde_json::Value;

use super::{
    peer::CredentialArgs,
    screen::{count, faint, named, out, out_line, padded, plain, printable, spinner, strong, width, wrapped},
};
use crate::{
    arguments::Shape,
    config::Environment,
    peer::{Address, Client, Manner},
    targets::About,
};

/// Which server, and what of it.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES:
  A server on this machine:
    causeway tools http://127.0.0.1:8000/mcp

  A Runtime, with a signature of your AWS credentials:
    causeway tools arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/tools-a1b2c3d4e5

  A gateway that wants a token, everything that it has, for a program:
    CAUSEWAY_TOKEN=… causeway tools https://gateway.example.com/mcp --all --json")]
pub struct ToolsArgs {
    /// The server: its URL (http://127.0.0.1:8000/mcp), the ARN of an AgentCore Runtime, or the ARN or id of an AgentCore
    /// Gateway
    #[arg(value_name = "SERVER")]
    server: Address,
    /// Only those whose name holds this; with * or ?, those whose whole name is so
    #[arg(long, value_name = "PATTERN")]
    name: Option<String>,
    /// Prompts, resources and resource templates as well
    #[arg(long)]
    all: bool,
    /// Print one JSON object, for machines: each entry as the server wrote it
    #[arg(long)]
    json: bool,
    /// For the whole listing
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    #[command(flatten)]
    credential: CredentialArgs,
}

/// What was listed of one kind.
type Listed = (Kind, Vec<Entry>);

/// Prints what the server lists.
///
/// # Errors
/// What is wrong with the arguments or the server.
pub async fn run(args: &ToolsArgs) -> anyhow::Result<()> {
    let environment = Environment::process();
    let peer = args.credential.peer(&args.server, &environment).await?;
    let manner = Manner { patience: Duration::from_secs(args.timeout), may_be_asked: false, logs: Logs::Unwanted };
    let client = Client::open(&peer, &manner, &environment)?;
    let waiting = spinner(format!("asking {}", args.server), args.json);
    let listing = list(&client, args).await;
    waiting.finish_and_clear();
    client.stop().await;
    let (about, listed) = listing?;
    match args.json {
        true => out_line(&as_json(&about, &listed)),
        false => out(&as_text(&args.server.to_string(), &about, &listed, args, width())),
    }
}

async fn list(client: &Client, args: &ToolsArgs) -> anyhow::Result<(About, Vec<Listed>)> {
    let about = client.about().await?;
    let kinds = if args.all { &Kind::ALL[..] } else { &[Kind::Tools] };
    let mut listed = Vec::new();
    for kind in kinds {
        let entries = client.list(*kind).await?.into_iter();
        let wanted = entries.filter(|entry| args.name.as_deref().is_none_or(|pattern| matches(pattern, &entry.key)));
        listed.push((*kind, wanted.collect()));
    }
    Ok((about, listed))
}

/// Whether a name is meant by a pattern.
fn matches(pattern: &str, name: &str) -> bool {
    fn glob(pattern: &[char], name: &[char]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            (['*', rest @ ..], _) => (0..=name.len()).any(|at| glob(rest, &name[at..])),
            (['?', pattern @ ..], [_, name @ ..]) => glob(pattern, name),
            ([wanted, pattern @ ..], [is, name @ ..]) => wanted == is && glob(pattern, name),
            _ => false,
        }
    }
    let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
    match pattern.contains(['*', '?']) {
        true => glob(&pattern.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>()),
        false => name.contains(&pattern),
    }
}

fn as_json(about: &About, listed: &[Listed]) -> String {
    let lists = listed.iter().map(|(kind, entries)| {
        let entries: Vec<&str> = entries.iter().map(|entry| &*entry.json).collect();
        format!(r#","{}":[{}]"#, kind.member(), entries.join(","))
    });
    format!(
        r#"{{"protocolVersion":{},"serverInfo":{},"capabilities":{}{}}}"#,
        json(&about.version),
        about.server_info.as_deref().unwrap_or("null"),
        about.capabilities,
        lists.collect::<String>()
    )
}

fn as_text(server: &str, about: &About, listed: &[Listed], args: &ToolsArgs, width: usize) -> String {
    let mut parts = vec![head(server, about)];
    for (kind, entries) in listed {
        if entries.is_empty() && *kind != Kind::Tools {
            continue;
        }
        let matching = args.name.as_ref().map(|name| format!(" with `{name}` in the name")).unwrap_or_default();
        parts.push(strong(&format!("{}{matching}", count(entries.len(), &kind.to_string()))));
        parts.extend(entries.iter().map(|entry| self::entry(*kind, entry, width)));
    }
    format!("{}\n", parts.join("\n\n"))
}

/// Which server it is.
fn head(server: &str, about: &About) -> String {
    let info: Value = about.server_info.as_deref().and_then(|info| serde_json::from_str(info).ok()).unwrap_or_default();
    let text = |key: &str| info[key].as_str().map(printable);
    let name = text("title").or(text("name")).unwrap_or_else(|| "a server without a name".into());
    let version = text("version").map(|version| format!(" {version}")).unwrap_or_default();
    let era = match about.era {
        Era::Modern => "modern",
        Era::Legacy => "legacy",
    };
    format!("{}{version}\n{}", named(&name), faint(&format!("{server}, MCP {} ({era})", printable(&about.version))))
}

fn entry(kind: Kind, entry: &Entry, width: usize) -> String {
    let value: Value = serde_json::from_str(&entry.json).unwrap_or_default();
    let title = value["title"].as_str().or(value["annotations"]["title"].as_str());
    // Of a resource the name is more than what it is asked for by.
    let title = title.or_else(|| value["name"].as_str().filter(|_| matches!(kind, Kind::Resources | Kind::Templates)));
    let title = title.map(|title| format!("  {}", printable(title))).unwrap_or_default();
    let notes = match kind {
        Kind::Tools => annotations(&value["annotations"]),
        _ => value["mimeType"].as_str().map(printable).into_iter().collect(),
    };
    let notes = if notes.is_empty() { String::new() } else { faint(&format!("  [{}]", notes.join(", "))) };
    let mut lines = vec![format!("{}{title}{notes}", strong(&printable(&entry.key)))];
    if let Some(description) = value["description"].as_str().filter(|text| !text.trim().is_empty()) {
        lines.push(wrapped(plain(description).trim(), 2, width));
    }
    lines.extend(match kind {
        Kind::Tools => arguments(&value["inputSchema"], width),
        Kind::Prompts => prompt_arguments(&value["arguments"], width),
        Kind::Resources | Kind::Templates => None,
    });
    lines.join("\n")
}

/// What a tool says about what it does. Hints, as MCP has it: nobody checked them.
fn annotations(annotations: &Value) -> Vec<String> {
    let hints = [
        ("readOnlyHint", true, "read-only"),
        ("destructiveHint", true, "destructive"),
        ("destructiveHint", false, "not destructive"),
        ("idempotentHint", true, "idempotent"),
        ("openWorldHint", true, "open world"),
        ("openWorldHint", false, "closed world"),
    ];
    let said = hints.into_iter().filter(|(key, value, _)| annotations[key].as_bool() == Some(*value));
    said.map(|(_, _, words)| words.to_owned()).collect()
}

fn arguments(schema: &Value, width: usize) -> Option<String> {
    let rows = Shape::of(schema).properties().into_iter().map(|property| {
        let default = property.default().map(|value| format!("; default {}", json(value))).unwrap_or_default();
        let title = property.title().filter(|_| property.description().is_none());
        let text = property.description().or(title).unwrap_or_default();
        (property.name.to_owned(), format!("{}{default}", property.words()), property.required, text.to_owned())
    });
    table(rows.collect(), width)
}

fn prompt_arguments(list: &Value, width: usize) -> Option<String> {
    let rows = list.as_array()?.iter().filter_map(|argument| {
        let text = |key: &str| argument[key].as_str().unwrap_or_default().to_owned();
        let required = argument["required"].as_bool().unwrap_or(false);
        Some((argument["name"].as_str()?.to_owned(), "string".to_owned(), required, text("description")))
    });
    table(rows.collect(), width)
}

/// One line an argument: name, type, whether it must be there; below it what it is for.
fn table(rows: Vec<(String, String, bool, String)>, width: usize) -> Option<String> {
    let longest = rows.iter().map(|(name, ..)| name.chars().count()).max()?;
    let lines = rows.into_iter().map(|(name, kind, required, text)| {
        let required = if required { strong("  required") } else { String::new() };
        let head = format!("    {}  {}{required}", padded(&printable(&name), longest), printable(&kind));
        match text.trim() {
            "" => head,
            text => format!("{head}\n{}", wrapped(&plain(text), longest + 6, width)),
        }
    });
    Some(lines.collect::<Vec<_>>().join("\n"))
}

/// The tool `name` among `tools`.
///
/// # Errors
/// What to say to whoever named one that is not there.
pub(super) fn find<'a>(name: &str, tools: &'a [Entry]) -> Result<&'a Entry, String> {
    if let Some(tool) = tools.iter().find(|tool| tool.key == name) {
        return Ok(tool);
    }
    let names: BTreeMap<&str, ()> = tools.iter().map(|tool| (tool.key.as_str(), ())).collect();
    let hint = hint(name, names.keys().copied());
    let rest = match (hint.is_empty(), tools.len()) {
        (false, _) => String::new(),
        (true, 0) => "; it lists no tools".into(),
        (true, 1..=8) => format!("; it has `{}`", names.keys().copied().collect::<Vec<_>>().join("`, `")),
        (true, many) => format!("; see its {many} with `causeway tools`"),
    };
    Err(format!("the server has no tool `{name}`{hint}{rest}"))
}

#[cfg(test)]
mod tests {
    use causeway_core::catalog::Page;

    use super::*;

    fn listed(kind: Kind, list: &str) -> Listed {
        (kind, Page::parse(kind, &format!(r#"{{"{}":{list}}}"#, kind.member())).unwrap().entries)
    }

    fn about() -> About {
        About {
            era: Era::Modern,
            version: "2026-07-28".into(),
            capabilities: r#"{"tools":{}}"#.into(),
            server_info: Some(r#"{"name":"calculator","version":"1.2"}"#.into()),
            instructions: None,
        }
    }

    const TOOLS: &str = r##"[
        {"name":"add_numbers","title":"Add","description":"Adds two numbers, and says so in a sentence that is longer than the line that it has to fit into.","annotations":{"readOnlyHint":true,"openWorldHint":false},"inputSchema":{"type":"object","properties":{"note":{"type":"string","default":"-"},"a":{"type":"number","description":"One summand"},"b":{"$ref":"#/$defs/N"}},"required":["a","b"],"$defs":{"N":{"type":"number"}}}},
        {"name":"bare\u001b[31m","inputSchema":{"type":"object"}}]"##;

    #[test]
    fn tools_are_shown_for_people() {
        let listed = [
            listed(Kind::Tools, TOOLS),
            listed(
                Kind::Prompts,
                r#"[{"name":"greet","arguments":[{"name":"who","required":true,"description":"Whom"}]}]"#,
            ),
            listed(Kind::Resources, r#"[{"uri":"x:readme","name":"Readme","mimeType":"text/plain"}]"#),
            listed(Kind::Templates, "[]"),
        ];
        let args = ToolsArgs {
            server: "http://127.0.0.1:1/mcp".parse().unwrap(),
            credential: CredentialArgs::default(),
            name: None,
            all: true,
            json: false,
            timeout: 1,
        };
        console::set_colors_enabled(false);
        insta::assert_snapshot!(as_text("http://127.0.0.1:1/mcp", &about(), &listed, &args, 60), @"
        calculator 1.2
        http://127.0.0.1:1/mcp, MCP 2026-07-28 (modern)

        2 tools

        add_numbers  Add  [read-only, closed world]
          Adds two numbers, and says so in a sentence that is longer
          than the line that it has to fit into.
            a     number  required
                  One summand
            b     number  required
            note  string; default \"-\"

        bare�[31m

        1 prompt

        greet
            who  string  required
                 Whom

        1 resource

        x:readme  Readme  [text/plain]
        ");
        let json: Value = serde_json::from_str(&as_json(&about(), &listed)).unwrap();
        assert_eq!(
            (json["tools"][0]["title"].as_str(), json["serverInfo"]["version"].as_str()),
            (Some("Add"), Some("1.2"))
        );
    }

    #[test]
    fn a_pattern_means_names() {
        let check =
            |pattern: &str, name: &str, fits: bool| assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        check("ADD", "calculator___add_numbers", true);
        check("add*", "calculator___add_numbers", false);
        check("*___add_*", "calculator___add_numbers", true);
        check("add_?", "add_x", true);
        check("add_?", "add_", false);
    }

    #[test]
    fn a_tool_that_is_not_there_is_like_one_that_is() {
        let (_, tools) = listed(Kind::Tools, TOOLS);
        let missing = |name: &str| find(name, &tools).unwrap_err();
        assert_eq!(find("add_numbers", &tools).unwrap().key, "add_numbers");
        assert_eq!(missing("add_number"), "the server has no tool `add_number`; did you mean `add_numbers`?");
        assert!(missing("weather").starts_with("the server has no tool `weather`; it has `add_numbers`, `bare"));
        assert_eq!(find("x", &[]).unwrap_err(), "the server has no tool `x`; it lists no tools");
    }
}
