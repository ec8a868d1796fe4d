//! `causeway call`: calls one tool of a server and shows what it says, while it works and at its end. Checks what can be
//! checked before anything is sent.

mod arguments;
mod ask;
mod content;
mod progress;

use std::{io::IsTerminal, path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use causeway_core::{
    canonical::{InputRequired, Level, Logs, Request, Response},
    catalog::Kind,
    wire::{Object, ObjectEdit, json},
};
use clap::Args;
use futures::StreamExt;
use serde_json::Value;

use self::{arguments::Arguments, progress::Progress};
use super::{
    Interrupted, ToolFailed, Usage,
    peer::{CredentialArgs, pair, standard_input},
    screen::{out, out_line, printable, spinner},
    tools,
};
use crate::{
    config::Environment,
    peer::{Address, Client, Manner},
    targets::{Event, Reply},
};

/// A tool may ask so often before its answer.
const MOST_ROUNDS: usize = 50;
/// The extension by which a client of the modern era says that it follows tasks.
const TASKS: &str = "io.modelcontextprotocol/tasks";
const NO_TASKS: &str =
    "it does this only as a task, which `causeway call` does not follow: call it from a client that does";

/// Which tool of which server, and with what.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES:
  With two arguments:
    causeway call http://127.0.0.1:8000/mcp add_numbers -a a=40 -a b=2

  With arguments as JSON, at a Runtime, signed with a profile's credentials:
    causeway call arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/tools-a1b2c3d4e5 greet_user \\
      --args-json '{\"name\": \"Alice\"}' --profile dev

  With a token that is fetched for it:
    causeway call https://gateway.example.com/mcp orders___list --client-id 4example --client-secret-env SECRET \\
      --token-endpoint https://example.auth.us-east-1.amazoncognito.com/oauth2/token

EXIT STATUS: 0 if the tool did its work, 4 if it says itself that it failed, 2 if nothing was sent because the arguments are
wrong, 130 after Ctrl-C, 1 for everything else, such as a file of `--output` that cannot be written.")]
pub struct CallArgs {
    /// The server: its URL (http://127.0.0.1:8000/mcp), the ARN of an AgentCore Runtime, or the ARN or id of an AgentCore
    /// Gateway
    #[arg(value_name = "SERVER")]
    server: Address,
    /// The tool's name, as `causeway tools` shows it
    #[arg(value_name = "TOOL")]
    tool: String,
    /// One argument; several of one name make an array. The tool's schema says whether a value is a text, a number or JSON
    #[arg(short, long = "arg", value_name = "NAME=VALUE", value_parser = pair)]
    arg: Vec<(String, String)>,
    /// Arguments as one JSON object
    #[arg(long, value_name = "JSON")]
    args_json: Option<String>,
    /// The file that holds them; `-` is standard input
    #[arg(long, value_name = "PATH", conflicts_with = "args_json")]
    args_file: Option<PathBuf>,
    /// Send the arguments without looking at the tool's schema
    #[arg(long)]
    no_check: bool,
    /// For the whole call
    #[arg(long, value_name = "SECONDS", default_value_t = 900, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// The least level of the tool's log messages to show: debug, info, notice, warning, error, critical, alert, emergency
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log_level: Level,
    /// Show neither progress nor log messages
    #[arg(short, long)]
    quiet: bool,
    /// Print the result as one JSON object, for machines
    #[arg(long)]
    json: bool,
    /// Where to write an image, a sound or a file that the tool gives; further ones get a number
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    #[command(flatten)]
    credential: CredentialArgs,
}

/// Calls the tool and prints its result.
///
/// # Errors
/// [`Usage`] if nothing was sent, [`ToolFailed`] if the tool itself says that it failed, [`Interrupted`] after Ctrl-C; else
/// what is wrong with the server.
pub async fn run(args: &CallArgs) -> anyhow::Result<()> {
    let environment = Environment::process();
    let whole = args.whole()?;
    let peer = args.credential.peer(&args.server, &environment).await?;
    let may_be_asked = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let logs = if args.quiet { Logs::Unwanted } else { Logs::AtLeast(args.log_level) };
    let manner = Manner { patience: Duration::from_secs(args.timeout), may_be_asked, logs };
    let client = Client::open(&peer, &manner, &environment)?;
    let called = tokio::select! {
        called = call(&client, args, whole, may_be_asked) => called,
        // What is dropped with the call tells the server to stop.
        _ = tokio::signal::ctrl_c() => Err(Interrupted.into()),
    };
    client.stop().await;
    let (response, as_task_only) = called?;
    show(args, &response, as_task_only)
}

impl CallArgs {
    /// The arguments that were given as one object.
    fn whole(&self) -> anyhow::Result<Option<String>> {
        match (&self.args_json, &self.args_file) {
            (Some(text), _) => Ok(Some(text.clone())),
            (None, Some(path)) if path.as_os_str() == "-" => standard_input().map(Some),
            (None, Some(path)) => std::fs::read_to_string(path).map(Some).map_err(|why| {
                Usage(format!("the file `{}` of `--args-file` cannot be read: {why}", path.display())).into()
            }),
            (None, None) => Ok(None),
        }
    }
}

/// The answer, and whether the tool says that it can be called as a task only.
async fn call(
    client: &Client,
    args: &CallArgs,
    whole: Option<String>,
    may_be_asked: bool,
) -> anyhow::Result<(Response, bool)> {
    let tool = match args.no_check {
        true => None,
        false => Some(described(client, args).await?),
    };
    let schema = tool.as_ref().map(|tool| tool["inputSchema"].clone());
    let as_task_only = tool.is_some_and(|tool| tool["execution"]["taskSupport"] == "required");
    let arguments = Arguments { tool: &args.tool, given: &args.arg, whole: whole.as_deref() };
    let arguments = arguments.assembled(schema.as_ref()).map_err(Usage)?;
    let params =
        format!(r#"{{"name":{},"arguments":{arguments},"_meta":{{"progressToken":"call"}}}}"#, json(&args.tool));
    let params = Object::parse(params).context("the arguments are no JSON")?;
    let text = schema.as_ref().map(Value::to_string);
    let mut request = client.request("tools/call", params, text.as_deref());
    let progress = Progress::new(&args.tool, args.quiet);
    let _heard = if args.quiet && !may_be_asked { None } else { client.attend().await };
    for _ in 0..MOST_ROUNDS {
        let reply = client.send(request.clone()).await?;
        let response = last(client, reply, &progress, may_be_asked).await?;
        let Some(wanted) = response.input_required() else { return Ok((response, as_task_only)) };
        request = answered(&request, wanted, &progress, may_be_asked).await?;
    }
    bail!("the tool asked {MOST_ROUNDS} times for input and gave no answer")
}

/// What the server says of the tool.
async fn described(client: &Client, args: &CallArgs) -> anyhow::Result<Value> {
    let waiting = spinner(format!("asking for the tools of {}", args.server), args.quiet);
    let listed = client.list(Kind::Tools).await;
    waiting.finish_and_clear();
    let listed = listed?;
    let tool = tools::find(&args.tool, &listed).map_err(Usage)?;
    serde_json::from_str(&tool.json).context("the server's description of the tool is no JSON")
}

/// The answer, after everything that comes before it.
async fn last(client: &Client, reply: Reply, progress: &Progress, may_be_asked: bool) -> anyhow::Result<Response> {
    let mut events = match reply {
        Reply::Whole(response) => return Ok(response),
        Reply::Stream(events) => events,
    };
    while let Some(event) = events.next().await {
        match event.map_err(|error| client.trouble(error))? {
            Event::Notification(message) => progress.note(&message),
            Event::Question(question) if may_be_asked && question.method() == "elicitation/create" => {
                let answer = ask::elicitation(question.params().unwrap_or("{}"), progress).await?;
                client.answer(question, &answer).await?;
            }
            Event::Question(question) => {
                // What the tool makes of the refusal need not say why.
                progress.warn(&cannot_answer(question.method()));
                question.refuse("`causeway call` cannot be asked this").await;
            }
            Event::Last(response) => return Ok(response),
            // Not asked for here.
            Event::Long(_) => bail!("the answer came in pieces"),
        }
    }
    bail!("the answer broke off")
}

/// The request again, with what the tool wants to know.
async fn answered(
    request: &Request,
    wanted: InputRequired,
    progress: &Progress,
    may_be_asked: bool,
) -> anyhow::Result<Request> {
    let mut answers = Vec::new();
    for asked in &wanted.requests {
        if asked.method != "elicitation/create" || !may_be_asked {
            bail!(cannot_answer(&asked.method));
        }
        let answer = ask::elicitation(asked.params.as_deref().unwrap_or("{}"), progress).await?;
        answers.push((asked.key.clone(), answer));
    }
    Ok(request.retried(&answers, wanted.state.as_deref()))
}

fn cannot_answer(method: &str) -> String {
    match method {
        "elicitation/create" => {
            "the tool asks a question before it goes on; call it on a terminal, where it can be answered".into()
        }
        _ => format!(
            "the tool asks for `{}`, which `causeway call` cannot give; call it from a client that can",
            printable(method)
        ),
    }
}

fn show(args: &CallArgs, response: &Response, as_task_only: bool) -> anyhow::Result<()> {
    let Some(result) = response.result() else {
        let error: Value = response.error().and_then(|error| serde_json::from_str(error).ok()).unwrap_or_default();
        if args.json {
            out_line(&format!(r#"{{"error":{error}}}"#))?;
        }
        bail!("`{}` refused `{}`: {}", args.server, args.tool, refusal(&error, as_task_only));
    };
    let failed = ObjectEdit::parse(result).is_ok_and(|result| result.get("isError") == Some("true"));
    let result: &str = result.trim();
    let value: Value = serde_json::from_str(result).context("the server's result is no JSON")?;
    // The tool has done its work: whatever becomes of the files, its answer is shown.
    let (kept, all_kept) = content::keep(&value, args.output.as_deref());
    match args.json {
        true => out_line(result)?,
        false => out(&content::text(&value, &kept))?,
    }
    match failed {
        true => Err(ToolFailed(args.tool.clone()).into()),
        false if value["resultType"] == "task" => bail!(NO_TASKS),
        false => all_kept,
    }
}

/// A JSON-RPC error in one line.
fn refusal(error: &Value, as_task_only: bool) -> String {
    let message = printable(error["message"].as_str().unwrap_or("an error without a message"));
    let code = error["code"].as_i64().map(|code| format!(" ({code})")).unwrap_or_default();
    let data = error.get("data").filter(|data| !data.is_null());
    let data = data.map(|data| format!(": {}", printable(&data.to_string()))).unwrap_or_default();
    let advice = advice(error, as_task_only).map(|advice| format!("; {advice}")).unwrap_or_default();
    format!("{message}{code}{data}{advice}")
}

/// What to do about a refusal for something that this client cannot do.
fn advice(error: &Value, as_task_only: bool) -> Option<String> {
    let needed = &error["data"]["requiredCapabilities"];
    let tasks = needed["extensions"].get(TASKS).is_some();
    // MCP 2025-11-25, tasks: who calls such a tool in another way hears that there is no such method.
    if tasks || as_task_only && error["code"] == -32601 {
        return Some(NO_TASKS.into());
    }
    let names = ["elicitation", "sampling", "roots"];
    match names.into_iter().find(|name| needed.get(*name).is_some())? {
        "elicitation" => Some("it asks questions: call it on a terminal, where they can be answered".into()),
        name => {
            Some(format!("it asks for `{name}`, which `causeway call` cannot give: call it from a client that can"))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_refused_for_want_of_a_capability_says_what_to_do() {
        let refused = |code: i64, needed: Value, as_task_only| {
            refusal(&json!({"code": code, "message": "no", "data": {"requiredCapabilities": needed}}), as_task_only)
        };
        assert!(refused(-32021, json!({"elicitation": {}}), false).contains("call it on a terminal"));
        assert!(refused(-32021, json!({"sampling": {}}), false).contains("it asks for `sampling`, which"));
        assert!(refused(-32021, json!({"roots": {}}), false).contains("it asks for `roots`, which"));
        assert!(refused(-32021, json!({"extensions": {TASKS: {}}}), false).contains("only as a task"));
        assert!(refused(-32601, json!({}), true).contains("only as a task"));
        insta::assert_snapshot!(refusal(&json!({"code": -32602, "message": "no", "data": "\u{9b}31m"}), true), @r#"no (-32602): "�31m""#);
    }
}
