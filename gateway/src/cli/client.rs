//! `causeway client`: what a client's configuration file needs so that it uses a gateway, shown or written. Shows the difference
//! first, asks, keeps a copy, and puts no secret anywhere.

mod known;

use std::{
    io::{self, BufRead, IsTerminal},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use causeway_oidc::clock::Clock;
use clap::{Args, Parser, ValueEnum};
use similar::TextDiff;

use self::known::Known;
use super::{
    Usage,
    screen::{out, say, tell},
};
use crate::{
    clients::{
        self, Auth, Client, Document, Entry, Held, Os, Replaced, Scope, Surroundings, VariableName, Wish, masked,
    },
    config::{Environment, environment::Reference},
    peer::Address,
};

/// Which client, which gateway, and how it is let in.
#[derive(Clone, Debug, Args)]
pub struct ClientArgs {
    /// The client
    #[arg(value_enum)]
    client: Client,
    /// Write the file, after a question, with a copy of what it was beside it; default: show what would be there
    #[arg(long)]
    write: bool,
    /// With --write: do not ask
    #[arg(long, requires = "write")]
    yes: bool,
    /// Take the entry out
    #[arg(long)]
    remove: bool,
    /// Replace or take out an entry of this name that leads elsewhere
    #[arg(long)]
    force: bool,
    /// For whom
    #[arg(long, value_enum, default_value_t)]
    scope: Scope,
    /// The file; default: where the client has it. An agent's file may be named as well
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// The gateway: its URL, or the ARN or id of one on AWS; default: the one that the configuration file describes
    #[arg(long, value_name = "SERVER")]
    url: Option<Address>,
    /// The toolset of the gateway, which has an endpoint of its own
    #[arg(long, value_name = "NAME")]
    toolset: Option<String>,
    /// What the client calls the gateway; tools carry it in their names; default: as the configuration file says, else `causeway`
    #[arg(long)]
    name: Option<String>,
    /// How the client is let in; default: as the configuration file asks for, else `login`
    #[arg(long, value_enum)]
    auth: Option<Way>,
    /// With --auth token-env: the variable that holds the token where the client runs
    #[arg(long, value_name = "NAME", default_value = "CAUSEWAY_TOKEN")]
    token_env: VariableName,
    /// Have the client start `causeway stdio`, also where it could reach the gateway by itself
    #[arg(long)]
    stdio: bool,
    /// Seconds that the client waits for an answer, where it can be told
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: Option<u64>,
    /// The configuration file
    #[arg(short, long, value_name = "PATH", default_value = "config.toml", env = "CAUSEWAY_CONFIG")]
    config: PathBuf,
    /// More arguments of `causeway stdio`, after `--`, such as `--region` or `--client-id`
    #[arg(last = true, value_name = "ARGUMENT")]
    bridge: Vec<String>,
}

/// How a client is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Way {
    /// It logs in by itself, in a browser
    Login,
    /// With a token from a variable of its environment
    TokenEnv,
    /// With a token that it asks for and keeps (VS Code)
    TokenPrompt,
    /// With tokens that `causeway stdio` fetches
    ClientCredentials,
    /// With AWS signatures that `causeway stdio` makes
    Sigv4,
    /// Nothing is asked for
    None,
}

/// What is to be done, all of it known.
struct Plan {
    client: Client,
    name: String,
    entry: Entry,
    auth: Way,
    address: Address,
    file: Option<Held>,
}

/// Shows or writes.
///
/// # Errors
/// A file that cannot be changed safely; nothing was written then.
pub fn run(args: &ClientArgs) -> anyhow::Result<()> {
    let plan = plan(args)?;
    let before = plan.file.as_ref().and_then(Held::text);
    let place = plan.file.as_ref().map_or_else(|| "the file".into(), |file| format!("`{}`", file.path().display()));
    let was = Document::parse(before.unwrap_or_default())
        .with_context(|| format!("{place} is no JSON, comments and trailing commas aside, and stays as it is"))?;
    let mut will_be = was.clone();
    let facts = plan.client.facts();
    let changed = match args.remove {
        true => clients::remove(&mut will_be, facts, &plan.name, &plan.entry, args.force),
        false => clients::merge(&mut will_be, facts, &plan.name, &plan.entry, args.force),
    };
    changed.with_context(|| format!("{place} stays as it is"))?;
    if was == will_be {
        tell!("{place} has it so already: nothing to change");
        return Ok(());
    }
    tell!("{place}, for {}{}:", facts.title, if before.is_some() { "" } else { ", a new file" });
    out(&shown(&plan, before.map(|_| &was), &will_be))?;
    if !facts.comments && before.is_some() && !was.is_plain() {
        tell!(
            "attention: {} reads plain JSON, and this file has comments, trailing commas or a byte order mark",
            facts.title
        );
    }
    match &plan.file {
        Some(file) if args.write => write(args, &plan, file, &will_be),
        _ => {
            if !args.remove {
                advise(args, &plan);
            }
            Ok(())
        }
    }
}

fn write(args: &ClientArgs, plan: &Plan, file: &Held, will_be: &Document) -> anyhow::Result<()> {
    if !args.yes && !agreed(file.path())? {
        bail!("nothing was written");
    }
    let Replaced { copy } = file.replace(&will_be.text(), Clock::system().now())?;
    let path = file.path();
    match copy {
        Some(copy) => {
            tell!("wrote `{}`; it was as in `{}`", path.display(), copy.display());
            tell!("take it back: mv {} {}", shell(&copy), shell(path));
        }
        None => {
            tell!("wrote `{}`", path.display());
            tell!("take it back: rm {}", shell(path));
        }
    }
    if !args.remove {
        say_how(args, plan);
    }
    Ok(())
}

fn shell(path: &Path) -> String {
    clients::quoted(&path.to_string_lossy())
}

/// Asks on the terminal.
fn agreed(path: &Path) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("nothing was written: there is no terminal to ask on, so say it with `--yes`");
    }
    say(&format!("write `{}`? [y/N] ", path.display()));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).context("standard input cannot be read")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// The difference, or a new file as a whole.
fn shown(plan: &Plan, was: Option<&Document>, will_be: &Document) -> String {
    let (Some(was), Some(file)) = (was, &plan.file) else { return masked(will_be) };
    let (before, after) = (masked(was), masked(will_be));
    let path = file.path().display().to_string();
    TextDiff::from_lines(&before, &after).unified_diff().header(&path, &path).to_string()
}

/// What to do in place of `--write`, or after it.
fn advise(args: &ClientArgs, plan: &Plan) {
    if plan.file.is_some() {
        tell!("nothing was written: add `--write` to have it so");
    }
    if let Some(command) = clients::command(plan.client, &plan.name, &plan.entry, args.scope) {
        tell!("or run: {command}");
    }
    if let Some(link) = clients::link(plan.client, &plan.name, &plan.entry) {
        tell!("or open: {link}");
    }
    say_how(args, plan);
}

fn say_how(args: &ClientArgs, plan: &Plan) {
    let facts = plan.client.facts();
    match plan.auth {
        Way::Login => {
            tell!("log in: {}", facts.login);
            tell!("        the gateway's issuer must register clients by itself, or config.toml needs `[login]`");
        }
        Way::TokenEnv => tell!(
            "set the variable where {} starts, for example with `causeway token`; when the token ends, set a new one and start it again",
            facts.title
        ),
        Way::TokenPrompt => tell!("{} asks for the token once and keeps it", facts.title),
        Way::ClientCredentials | Way::Sigv4 | Way::None => (),
    }
    if plan.entry.is_bridge() {
        tell!("{} starts `causeway stdio` for it, which speaks with `{}`", facts.title, plan.address);
    }
    if let Some(note) = facts.of_variables.filter(|_| plan.entry.refers_to_variables()) {
        tell!("{note}");
    }
    if let Some(note) = facts.of_user_file.filter(|_| args.file.is_none() && args.scope == Scope::User) {
        tell!("{note}");
    }
}

fn plan(args: &ClientArgs) -> anyhow::Result<Plan> {
    let known = Known::read(&args.config, args.url.as_ref(), args.toolset.as_deref())?;
    let address = known.address(args.url.clone(), args.toolset.as_deref())?;
    let auth = args.auth.unwrap_or(known.auth);
    let name = args.name.clone().unwrap_or(known.name);
    check_name(&name)?;
    let wish = Wish {
        address: address.clone(),
        auth: match auth {
            Way::Login => Auth::Login,
            Way::TokenEnv => Auth::TokenEnv(args.token_env.clone()),
            Way::TokenPrompt => Auth::TokenPrompt,
            Way::ClientCredentials => Auth::ClientCredentials,
            Way::Sigv4 => Auth::Sigv4,
            Way::None => Auth::None,
        },
        stdio: args.stdio,
        program: program(args.scope)?,
        bridge: args.bridge.clone(),
        timeout: args.timeout.map(Duration::from_secs),
    };
    let entry = Entry::of(args.client.facts(), &wish).map_err(|wrong| Usage(wrong.to_string()))?;
    if let Some(arguments) = entry.bridge_arguments() {
        check_bridge(arguments)?;
    }
    let file = file(args)?;
    if args.write && file.is_none() {
        let title = args.client.facts().title;
        bail!(Usage(format!("where {title} has its file is not known here: name it with `--file PATH`")));
    }
    Ok(Plan { client: args.client, name, entry, auth, address, file })
}

fn file(args: &ClientArgs) -> anyhow::Result<Option<Held>> {
    let path = match (&args.file, args.client) {
        (Some(path), _) => path.clone(),
        (None, Client::Any) => return Ok(None),
        (None, client) => {
            let environment = Environment::process();
            let variable = |name: &str| Some(environment.look_up(Reference::Variable(name)).ok()?.expose().to_owned());
            let directory = std::env::current_dir().context("there is no current directory")?;
            let around = Surroundings { os: Os::this(), variable: &variable, directory: &directory };
            clients::place(client, args.scope, &around)?
        }
    };
    Ok(Some(Held::read(&path)?))
}

/// Clients put the name before those of tools, with underscores between.
fn check_name(name: &str) -> anyhow::Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) || name.contains("__") {
        let wanted = "use letters, digits, `-` and single `_`, 64 at most";
        bail!(Usage(format!("`{name}` is no name that every client takes: {wanted}")));
    }
    Ok(())
}

/// Mistakes in the arguments come up now, and not when a client starts the bridge where nobody sees them.
fn check_bridge(arguments: &[String]) -> anyhow::Result<()> {
    let words = std::iter::once("causeway").chain(arguments.iter().map(String::as_str));
    match super::Cli::try_parse_from(words) {
        Ok(_) => Ok(()),
        Err(error) => bail!(Usage(format!("the bridge would not take `causeway {}`:\n{error}", arguments.join(" ")))),
    }
}

/// The bridge: this program, by its path for this user; by its name in what a project shares.
fn program(scope: Scope) -> anyhow::Result<String> {
    match scope {
        Scope::Project => Ok("causeway".into()),
        Scope::User => {
            let path = std::env::current_exe().context("the path of this program is unknown")?;
            Ok(path.into_os_string().into_string().ok().context("the path of this program is no UTF-8 text")?)
        }
    }
}
