//! `causeway status`: what was deployed from a directory, as far as this machine knows and as AWS says, and whether the gateway lets in
//! whom it should. Changes nothing but, if asked, the access token in the credentials file.

use std::path::PathBuf;

use causeway_aws::{Aws, identity::Settings};
use causeway_core::{canonical::Logs, catalog::Kind};
use clap::Args;
use serde_json::{Value, json};

use super::{
    Said,
    deploy::steps,
    doctor::{
        finding::{self, Finding, Level},
        hosted::Hosted,
    },
    screen::{count, out, out_line, spinner, tell, width},
    token,
};
use crate::{
    config::{Credential, Environment},
    deploy::{CredentialsFile, Outputs, Root, State, Step, Workspace, outputs::RuntimeOutput},
    peer::{self, Address, Client, Manner, Peer, Trouble},
    secret::Secret,
};

/// What is looked at.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES:
  Everything that was deployed from here:
    causeway status

  A new access token in the credentials file, and a call with it:
    causeway status --gateway-name my-gateway --update-token --test-auth

EXIT STATUS: 0 if there is no problem, 1 if there is one, 2 for wrong arguments.")]
pub struct StatusArgs {
    /// Only this gateway; default: all that were deployed from here
    #[arg(long, value_name = "NAME")]
    gateway_name: Option<String>,
    /// Do not ask AWS: only what this machine knows
    #[arg(long)]
    offline: bool,
    /// Put a new access token into the credentials file
    #[arg(long)]
    update_token: bool,
    /// List the gateway's tools with what the credentials file holds, and try without
    #[arg(long)]
    test_auth: bool,
    /// Print one JSON object, for machines
    #[arg(long)]
    json: bool,
    /// The directory that holds .causeway and the credentials file
    #[arg(long, value_name = "PATH", default_value = ".", hide_default_value = true)]
    directory: PathBuf,
    /// The AWS profile; default: the default chain of AWS's own tools
    #[arg(long)]
    profile: Option<String>,
}

/// Prints what was found.
///
/// # Errors
/// Nothing was deployed from here; that there are problems, once all are printed.
pub async fn run(args: &StatusArgs) -> anyhow::Result<()> {
    let environment = Environment::process();
    let workspaces = chosen(args)?;
    let (mut findings, mut gateways) = (Vec::new(), Vec::new());
    for workspace in &workspaces {
        let waiting = spinner(format!("looking at {}", workspace.gateway()), args.json);
        let looked = look(args, workspace, &environment).await;
        waiting.finish_and_clear();
        let (state, found) = looked;
        gateways.push(told(workspace, state.as_ref()));
        findings.extend(found);
    }
    match args.json {
        true => {
            let mut answer = finding::as_json(&findings);
            answer["gateways"] = gateways.into();
            out_line(&answer.to_string())?;
        }
        false if workspaces.is_empty() => tell!("nothing was deployed from `{}`", args.directory.display()),
        false => out(&finding::as_text(&findings, width()))?,
    }
    match findings.iter().any(|finding| finding.level == Level::Problem) {
        false => Ok(()),
        true => Err(Said.into()),
    }
}

fn chosen(args: &StatusArgs) -> anyhow::Result<Vec<Workspace>> {
    match &args.gateway_name {
        None => Ok(Workspace::all(&args.directory)),
        Some(name) => Ok(vec![steps::known(&args.directory, name)?]),
    }
}

/// For a program.
fn told(workspace: &Workspace, state: Option<&State>) -> Value {
    json!({
        "gateway": workspace.gateway(),
        "region": state.map(|state| &state.region),
        "step": state.map(|state| state.step),
        "made": state.is_some_and(|state| state.made),
        "updatedAt": state.map(|state| state.updated_at),
        "outputs": state.and_then(|state| state.outputs.as_ref()),
    })
}

/// What is wrong with one gateway keeps nobody from looking at the next.
async fn look(args: &StatusArgs, workspace: &Workspace, environment: &Environment) -> (Option<State>, Vec<Finding>) {
    let subject = format!("gateway {}", workspace.gateway());
    let path = CredentialsFile::path(workspace.base(), workspace.gateway());
    let state = match State::load(workspace) {
        Ok(state) => state,
        Err(error) => return (None, vec![Finding::failed("here", error).about(&subject)]),
    };
    let mut findings = vec![here(state.as_ref(), workspace)];
    let mut file = CredentialsFile::default();
    if state.as_ref().is_none_or(|state| state.root == Root::Agentcore) {
        if args.update_token {
            findings.push(update(workspace, &path, environment).await);
        }
        findings.extend(match CredentialsFile::load(&path) {
            Ok(found) => {
                file = found;
                kept(&file, &path, state.as_ref())
            }
            Err(error) => Some(Finding::failed("credentials", error)),
        });
    }
    findings.extend(unasked(args, state.as_ref()));
    let outputs = state.as_ref().and_then(|state| state.outputs.clone());
    let settings = state.as_ref().map(|state| Settings {
        profile: args.profile.clone(),
        region: Some(state.region.clone()),
        role: None,
    });
    let mut others = Vec::new();
    if let (Some(settings), Some(outputs)) = (settings, outputs) {
        match peer::aws(settings.clone(), environment) {
            _ if args.offline => {}
            Err(error) => findings.push(Finding::failed("status", format!("{error:#}"))),
            Ok(aws) => {
                findings.extend(gateway(&aws, &outputs, &settings).await);
                for (name, runtime) in &outputs.runtimes {
                    let subject = format!("{subject}: runtime {name}");
                    let found = of_runtime(&aws, runtime, &settings).await;
                    others.extend(found.into_iter().map(|finding| finding.about(&subject)));
                }
            }
        }
        if args.test_auth {
            findings.extend(test_auth(&file, &outputs, settings, environment).await);
        }
    } else if args.test_auth && state.as_ref().is_none_or(|state| state.root == Root::Agentcore) {
        findings.push(Finding::problem("test", "there is no gateway yet").todo("deploy it with `causeway deploy`"));
    }
    let findings = findings.into_iter().map(|finding| finding.about(&subject)).chain(others);
    (state, findings.collect())
}

/// What this machine knows.
fn here(state: Option<&State>, workspace: &Workspace) -> Finding {
    match state {
        None => Finding::problem("here", "nothing is known of it").todo("deploy it with `causeway deploy`"),
        Some(state) if state.step == Step::Finished => {
            let runtimes = state.outputs.as_ref().map(|outputs| count(outputs.runtimes.len(), "runtime"));
            let runtimes = runtimes.map(|runtimes| format!(", with {runtimes}")).unwrap_or_default();
            Finding::good("here", format!("{state}, in {}{runtimes}", state.region))
        }
        Some(state) if state.step == Step::Planned && !state.made => {
            let (deploy, destroy) = (state.root.command(), format!("causeway destroy {}", workspace.options()));
            let todo = format!("`{deploy}` makes it, without `--plan-only`; `{destroy}` forgets it");
            Finding::warning("here", format!("planned for {}, nothing made at AWS", state.region)).todo(todo)
        }
        Some(state) => {
            let destroy = format!("causeway destroy {}", workspace.options());
            let todo = format!("go on with the command that was interrupted, or remove it with `{destroy}`");
            Finding::warning("here", format!("{state}, in {}", state.region)).todo(todo)
        }
    }
}

/// What this command says nothing of.
fn unasked(args: &StatusArgs, state: Option<&State>) -> Option<Finding> {
    let state = state?;
    match state.root {
        Root::Agentcore if args.offline && state.made => {
            let what = "nothing was asked at AWS";
            Some(Finding::unknown("AWS", what).todo("leave `--offline` out, and AWS is asked"))
        }
        Root::Agentcore => None,
        Root::SelfHosted | Root::Lambda => {
            let what = "nothing was asked at AWS, as for every deployment of this kind";
            let todo = format!(
                "list its tools with `causeway tools URL`; see what has changed with `{} … --plan-only`",
                state.root.command()
            );
            Some(Finding::unknown("AWS", what).todo(todo))
        }
    }
}

/// What is in the credentials file; nothing is to be in it before anything is made.
fn kept(file: &CredentialsFile, path: &std::path::Path, state: Option<&State>) -> Option<Finding> {
    let name = path.display();
    let todo = "get a new one with `--update-token`";
    let outputs = state.and_then(|state| state.outputs.as_ref());
    if let (Some(state), None, None) = (state, outputs, file.client()) {
        let what = format!("`{name}` holds no client of the gateway yet, because the deployment has not ended");
        let todo = "give the same `causeway deploy` again, which ends it and completes the file";
        return state.made.then(|| Finding::warning("credentials", what).todo(todo));
    }
    Some(match (path.exists(), file.client(), file.token().as_ref().map(token::end)) {
        (false, ..) => {
            Finding::warning("credentials", format!("`{name}` is not there")).todo("deploy again, which writes it")
        }
        (true, None, _) if outputs.is_some_and(|outputs| outputs.user_pool_id.is_some()) => {
            let what = format!("`{name}` holds no client of the gateway");
            Finding::warning("credentials", what).todo("deploy again, which writes it")
        }
        (true, None, _) => {
            Finding::good("credentials", format!("`{name}` holds no client: the gateway takes signatures"))
        }
        (true, Some(_), None) => Finding::warning("credentials", format!("`{name}` holds no access token")).todo(todo),
        (true, Some(_), Some(Some((true, when)))) => {
            Finding::warning("credentials", format!("the access token in `{name}` expired {when}")).todo(todo)
        }
        (true, Some(_), Some(Some((false, when)))) => {
            Finding::good("credentials", format!("the access token in `{name}` expires {when}"))
        }
        (true, Some(_), Some(None)) => Finding::good("credentials", format!("`{name}` holds an access token")),
    })
}

/// Puts a new token into the file, while nobody else writes it.
async fn update(workspace: &Workspace, path: &std::path::Path, environment: &Environment) -> Finding {
    let updated = async {
        let _lock = workspace.lock()?;
        let file = CredentialsFile::load(path)?;
        let Some(client) = file.client() else {
            let what = format!("`{}` holds no client that a token could be had for", path.display());
            return Ok(Finding::warning("token", what)
                .todo("deploy again, which writes it, unless the gateway takes signatures"));
        };
        let token = token::fetch(&client, Settings::default(), environment).await?;
        file.with_token(&token).save(path)?;
        anyhow::Ok(Finding::good("token", "there is a new one"))
    };
    updated.await.unwrap_or_else(|error| Finding::failed("token", format!("{error:#}")).or_todo("try again later"))
}

async fn gateway(aws: &Aws, outputs: &Outputs, settings: &Settings) -> Vec<Finding> {
    let name = outputs.gateway_arn.as_deref().or(outputs.gateway_id.as_deref());
    let Some(Ok(address)) = name.map(str::parse::<Address>) else { return Vec::new() };
    let credential = match outputs.user_pool_id {
        Some(_) => shown_token(),
        None => peer::signature(settings.clone()),
    };
    Hosted::at(address, &credential).look_as(aws).await
}

async fn of_runtime(aws: &Aws, runtime: &RuntimeOutput, settings: &Settings) -> Vec<Finding> {
    let address = runtime.arn.as_deref().map(str::parse::<Address>);
    let Some(Ok(address)) = address else {
        return vec![Finding::problem("status", "Terraform gave no ARN of it").todo("deploy it again")];
    };
    // The gateway shows it a token of its own pool, or a signature.
    let credential = match runtime.user_pool_id {
        Some(_) => shown_token(),
        None => peer::signature(settings.clone()),
    };
    Hosted::at(address, &credential).look_as(aws).await
}

/// Nothing is sent with it: it says which kind is meant.
fn shown_token() -> Credential {
    peer::bearer(Secret::new("a token"))
}

/// Whether the gateway lets in whom it should, and nobody else.
async fn test_auth(
    file: &CredentialsFile,
    outputs: &Outputs,
    settings: Settings,
    environment: &Environment,
) -> Vec<Finding> {
    let Some(Ok(url)) = outputs.gateway_url.as_deref().map(str::parse) else {
        return vec![
            Finding::problem("test", "the gateway has no URL").todo("wait until it is READY, and deploy again"),
        ];
    };
    let credential = match (file.client(), file.token()) {
        (None, _) => peer::signature(settings),
        (Some(_), Some(token)) => peer::bearer(token),
        (Some(_), None) => {
            return vec![Finding::problem("test", "there is no access token").todo("get one with `--update-token`")];
        }
    };
    let known = match tools(&Peer::new(url, credential), environment).await {
        Ok(many) => Finding::good("let in", format!("it lists {} for who has the credentials", count(many, "tool"))),
        Err(error) => Finding::failed("let in", format!("{error:#}")).or_todo("look at it with `causeway doctor`"),
    };
    let url = outputs.gateway_url.as_deref().and_then(|url| url.parse().ok());
    let unknown = match url {
        Some(url) => stranger(&Peer::new(url, Credential::None), environment).await,
        None => return vec![known],
    };
    vec![known, unknown]
}

async fn stranger(peer: &Peer, environment: &Environment) -> Finding {
    match tools(peer, environment).await {
        Err(error) if error.downcast_ref().is_some_and(Trouble::is_refusal) => {
            Finding::good("kept out", "without credentials it lets nobody in")
        }
        Err(error) => {
            Finding::warning("kept out", format!("without credentials it does not answer as it should: {error:#}"))
                .todo("look at it with `causeway doctor`")
        }
        Ok(_) => Finding::problem("kept out", "it lists its tools for anyone")
            .todo("deploy it again: its authorizer is gone"),
    }
}

async fn tools(peer: &Peer, environment: &Environment) -> anyhow::Result<usize> {
    let manner = Manner { patience: std::time::Duration::from_secs(60), may_be_asked: false, logs: Logs::Unwanted };
    let client = Client::open(peer, &manner, environment)?;
    let listed = client.list(Kind::Tools).await;
    client.stop().await;
    Ok(listed?.len())
}
