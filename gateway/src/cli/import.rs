//! `causeway import`: writes a config.toml that serves what a live AgentCore Gateway serves, or says whether both still offer
//! the same. Changes nothing on AWS.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use causeway_aws::{Aws, identity::Settings};
use causeway_oidc::clock::Clock;
use clap::Args;
use url::Url;

use super::{
    Different,
    screen::{out, out_line, tell},
};
use crate::{
    address::Unlocated,
    config::{Config, Credential, Environment, environment::Reference},
    import::{Drift, Mirror, Wish, mirror, offer, read},
    peer::{self, Admits, GatewayName, Peer},
    secret::Secret,
};

/// Which gateway, and what to do with what is read of it.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES:
  Write what serves the same:
    causeway import tools-a1b2c3d4e5 --region us-east-1 --output config.toml

  Say whether both still offer the same:
    causeway import tools-a1b2c3d4e5 --check --config config.toml

EXIT STATUS: 0 if nothing is different, 3 if something is, 1 if nothing was written or compared.")]
pub struct ImportArgs {
    /// The live gateway: its id, its ARN or its URL
    gateway: GatewayName,
    /// Its AWS region; default: that of its ARN or URL, else that of the environment or the profile
    #[arg(long)]
    region: Option<String>,
    /// The AWS profile to read it with; default: the default chain of AWS's own tools
    #[arg(long)]
    profile: Option<String>,
    /// Where to write the config; default: standard output
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long, requires = "output")]
    force: bool,
    /// Make the live gateway itself the first target, which all callers reach as one client, and the others its standby
    #[arg(long)]
    standby: bool,
    /// Write the config even if more callers are let in with it, or more of their calls, than at the live gateway
    #[arg(long)]
    allow_more_callers: bool,
    /// Write nothing: list the live gateway and the local one and say how they differ
    #[arg(long, conflicts_with_all = ["output", "standby", "allow_more_callers"])]
    check: bool,
    /// With --check: the local gateway that runs at this URL; default: what the configuration file describes
    #[arg(long, value_name = "URL", requires = "check")]
    local: Option<Url>,
    /// With --check: the configuration file
    #[arg(short, long, value_name = "PATH", default_value = "config.toml", env = "CAUSEWAY_CONFIG")]
    config: PathBuf,
    /// With --check: the variable that holds a token for the live gateway, and for the one at --local
    #[arg(long, value_name = "NAME", requires = "check")]
    bearer_env: Option<String>,
    /// With --check: print one JSON object, for machines
    #[arg(long, requires = "check")]
    json: bool,
}

/// Imports, or checks.
///
/// # Errors
/// [`Different`] if not everything could be mirrored, or if the gateways offer different things, once everything is written
/// or printed. Anything else: nothing was written.
pub async fn run(args: &ImportArgs) -> anyhow::Result<()> {
    let environment = Environment::process();
    agreed(args)?;
    let settings = Settings { profile: args.profile.clone(), region: args.region.clone(), role: None };
    let aws = peer::aws(settings, &environment)?;
    region(&aws, &args.gateway).await?;
    match args.check {
        true => check(args, &aws, &args.gateway, &environment).await,
        false => import(args, &aws, &args.gateway).await,
    }
}

async fn import(args: &ImportArgs, aws: &Aws, name: &GatewayName) -> anyhow::Result<()> {
    // Not after minutes of reading.
    if let Some(path) = args.output.as_deref().filter(|path| !args.force && path.exists()) {
        return Err(taken(path));
    }
    let live = read::live(aws, name).await?;
    let (standby, allow_more_callers) = (args.standby, args.allow_more_callers);
    let mirrored = mirror(&live, Wish { standby, allow_more_callers, now: Clock::system().now() })?;
    match &args.output {
        Some(path) => write(path, &mirrored.config, args.force)?,
        None => out(&mirrored.config)?,
    }
    report(args, &mirrored);
    match mirrored.more_callers.len() + mirrored.gaps.len() {
        0 => Ok(()),
        count => bail!(Different(format!("{count} things are different from the live gateway; the file names each"))),
    }
}

/// What a person should know now.
fn report(args: &ImportArgs, mirror: &Mirror) {
    for gap in &mirror.more_callers {
        tell!("ATTENTION, more is let in here: {gap}");
    }
    let place = args.output.as_ref().map_or("standard output".into(), |path| format!("`{}`", path.display()));
    tell!("wrote {place}: {} of {} targets are mirrored", mirror.mirrored, mirror.targets);
    for gap in &mirror.gaps {
        tell!("different: {gap}");
    }
    for variable in &mirror.variables {
        tell!("set {variable} where the gateway starts");
    }
}

async fn check(args: &ImportArgs, aws: &Aws, name: &GatewayName, environment: &Environment) -> anyhow::Result<()> {
    let bearer = bearer(args, environment)?;
    let gateway = read::gateway(aws, name).await?;
    let url = gateway.gateway_url.as_deref();
    let url = url.context("the live gateway has no URL yet; wait until its status is READY")?;
    let url = url.parse().with_context(|| format!("the live gateway's URL, `{url}`, is none"))?;
    let credential = credential(args, bearer.clone(), aws, name, &gateway.authorizer_type).await?;
    let live = Peer::new(url, credential).config(environment)?;
    let local = match &args.local {
        Some(url) => Peer::new(url.clone(), bearer.map_or(Credential::None, peer::bearer)).config(environment)?,
        None => Config::load(&args.config, environment)?,
    };
    let (live, local) = (offer::offer("the live gateway", live), offer::offer("the local gateway", local));
    let (live, local) = futures::future::try_join(live, local).await?;
    let drift = Drift::between(&live, &local);
    match args.json {
        true => out_line(&serde_json::to_string(&drift).expect("texts alone"))?,
        false => out(&drift.to_string())?,
    }
    match drift.len() {
        0 => Ok(()),
        count => bail!(Different(format!("the gateways differ in {count} entries of their lists"))),
    }
}

/// What lets us in at the live gateway.
async fn credential(
    args: &ImportArgs,
    bearer: Option<Secret>,
    aws: &Aws,
    name: &GatewayName,
    authorizer: &str,
) -> anyhow::Result<Credential> {
    match (bearer, Admits::of(authorizer)) {
        (Some(bearer), _) => Ok(peer::bearer(bearer)),
        (None, Admits::Anyone) => Ok(Credential::None),
        (None, Admits::Tokens) => {
            bail!("the live gateway wants a token; name the variable that holds one with `--bearer-env`")
        }
        (None, Admits::Unknown(kind)) => bail!(
            "the live gateway has an authorizer of the kind `{kind}`, which is not known here; if it takes tokens, name the \
             variable that holds one with `--bearer-env`"
        ),
        (None, Admits::Signatures) => {
            let (profile, region) = (args.profile.clone(), Some(region(aws, name).await?));
            Ok(peer::signature(Settings { profile, region, role: None }))
        }
    }
}

/// The token in the variable of `--bearer-env`.
fn bearer(args: &ImportArgs, environment: &Environment) -> anyhow::Result<Option<Secret>> {
    let Some(name) = args.bearer_env.as_deref() else { return Ok(None) };
    match environment.look_up(Reference::Variable(name)) {
        Ok(token) => Ok(Some(token)),
        Err(why) => bail!("the variable `{name}` of `--bearer-env` {why}; put a token into it"),
    }
}

/// An ARN or a URL says the region already.
fn agreed(args: &ImportArgs) -> anyhow::Result<()> {
    match (&args.region, &args.gateway.region) {
        (Some(option), Some(region)) if region != option => {
            bail!("`--region {option}` is not the region of the gateway, `{region}`; leave it out")
        }
        _ => Ok(()),
    }
}

async fn region(aws: &Aws, name: &GatewayName) -> Result<String, Unlocated> {
    match &name.region {
        Some(region) => Ok(region.clone()),
        None => Ok(aws.identity().region().await?),
    }
}

/// Writes a new file; over an old one only if `force` says so, and then as a whole or not at all.
fn write(path: &Path, text: &str, force: bool) -> anyhow::Result<()> {
    let written = match force {
        true => {
            let mut whole = path.to_owned().into_os_string();
            whole.push(".new");
            fs::write(&whole, text).and_then(|()| fs::rename(&whole, path))
        }
        false => {
            let opened = OpenOptions::new().write(true).create_new(true).open(path);
            opened.and_then(|mut file| file.write_all(text.as_bytes()))
        }
    };
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(taken(path)),
        written => written.with_context(|| format!("`{}` cannot be written", path.display())),
    }
}

fn taken(path: &Path) -> anyhow::Error {
    anyhow::anyhow!("`{}` is there already; choose another `--output`, or replace it with `--force`", path.display())
}
