//! `causeway token`: gets a token that a gateway takes and says what is in it, or prints it for the header `Authorization:
//! Bearer`. Stores nothing.

mod client;
mod dev;
mod kept;
mod password;
mod report;

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use causeway_aws::{
    Identity,
    caller_identity::{LONGEST, present},
    endpoint::{Endpoints, Service},
    identity::Settings,
};
use causeway_oidc::clock::Clock;
use clap::{Args, Subcommand};
use url::Url;

pub(super) use self::client::fetch;
use self::report::Report;
use super::{
    Usage,
    peer::{TOKEN, file, variable},
    screen::{out, out_line},
};
use crate::{
    config::{Environment, environment::Reference},
    secret::Secret,
};

/// Which kind of token.
#[derive(Clone, Debug, Subcommand)]
pub enum TokenArgs {
    /// One for a program: OAuth 2.0 client credentials
    ClientCredentials(Box<client::ClientCredentialsArgs>),
    /// One for a user of a Cognito user pool, by name and password
    Password(Box<password::PasswordArgs>),
    /// One for the client that a Secrets Manager secret or an SSM parameter describes
    Secret(Box<kept::SecretArgs>),
    /// One for the `causeway dev` that runs on this machine
    Dev(dev::DevTokenArgs),
    /// One that shows who you are at AWS, for a gateway with `authorizer.aws_iam.caller_identity`: it wraps a presigned STS
    /// GetCallerIdentity, made with the credentials that AWS's own tools would take. Prints the token alone
    AwsIam(AwsIamArgs),
    /// Say what is in a token, without verifying it
    Inspect(InspectArgs),
}

/// How a token is shown.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct ShowArgs {
    /// Print the token and nothing else
    #[arg(long)]
    raw: bool,
    /// Print what is in it as one JSON object, without the token
    #[arg(long, conflicts_with = "raw")]
    json: bool,
}

/// For which gateway, and as whom.
#[derive(Clone, Debug, Args)]
pub struct AwsIamArgs {
    /// What the gateway's config says in `authorizer.aws_iam.caller_identity.gateway_id`
    #[arg(long, value_name = "ID")]
    gateway_id: String,
    /// The gateway's `authorizer.aws_iam.region`; default: the one that AWS's own tools would take
    #[arg(long)]
    region: Option<String>,
    /// A profile of ~/.aws/config
    #[arg(long)]
    profile: Option<String>,
    /// How long the token lives; 15 minutes at most
    #[arg(long, default_value_t = LONGEST.as_secs(), value_parser = clap::value_parser!(u64).range(1..=LONGEST.as_secs()))]
    seconds: u64,
    /// Where the gateway asks STS, if its config says so in `authorizer.aws_iam.caller_identity.endpoint`
    #[arg(long, value_name = "URL")]
    endpoint: Option<Url>,
}

/// Which token.
#[derive(Clone, Debug, Args)]
pub struct InspectArgs {
    /// The file that holds it; `-` is standard input
    #[arg(long, value_name = "PATH", default_value = "-", conflicts_with = "token_env")]
    token_file: PathBuf,
    /// The variable that holds it, such as CAUSEWAY_TOKEN
    #[arg(long, value_name = "NAME")]
    token_env: Option<String>,
    #[command(flatten)]
    show: ShowArgs,
}

/// Prints the token, or what is in it.
///
/// # Errors
/// Why there is none, and what to do.
pub async fn run(args: TokenArgs) -> anyhow::Result<()> {
    let environment = Environment::process();
    let (token, show) = match args {
        TokenArgs::ClientCredentials(args) => (args.token(&environment).await?, args.show),
        TokenArgs::Password(args) => (args.token(&environment).await?, args.show),
        TokenArgs::Secret(args) => (args.token(&environment).await?, args.show),
        TokenArgs::Dev(args) => (args.token(&environment).await?, args.show),
        TokenArgs::Inspect(args) => (args.token(&environment)?, args.show),
        TokenArgs::AwsIam(args) => {
            return out_line(&aws_iam(args, &Clock::system()).await?);
        }
    };
    let report = Report::of(&token, Clock::system().now());
    match (show.raw, show.json) {
        (true, _) => out_line(token.expose()),
        (false, true) => out_line(&report.json().to_string()),
        (false, false) => out(&report.text()),
    }
}

/// Whether `token` has expired, and when it does, in words; none if it does not say.
pub(super) fn end(token: &Secret) -> Option<(bool, String)> {
    Report::of(token, Clock::system().now()).end()
}

impl InspectArgs {
    fn token(&self, environment: &Environment) -> anyhow::Result<Secret> {
        let token = match &self.token_env {
            Some(name) => variable(name, "a token", environment)?,
            None => file(&self.token_file, "--token-file", environment).with_context(|| {
                format!("pipe a token into it, or name the variable that holds one: `--token-env {TOKEN}`")
            })?,
        };
        let bare = token.expose().trim();
        // As it stands in a header.
        let bare = bare.strip_prefix("Authorization:").unwrap_or(bare).trim();
        let bare = bare.strip_prefix("Bearer ").unwrap_or(bare).trim();
        match bare.contains(char::is_whitespace) {
            true => Err(Usage("that is no token: it holds spaces or several lines".into()).into()),
            false => Ok(Secret::new(bare)),
        }
    }
}

async fn aws_iam(args: AwsIamArgs, clock: &Clock) -> anyhow::Result<String> {
    let AwsIamArgs { gateway_id, region, profile, seconds, endpoint } = args;
    let identity = Identity::new(Settings { profile, region, role: None }, clock.clone());
    let region = identity.region().await.context("say which region with `--region`")?;
    let environment = Environment::process();
    let variable = move |name: &str| Some(environment.look_up(Reference::Variable(name)).ok()?.expose().to_owned());
    let endpoint = match endpoint {
        Some(endpoint) => endpoint,
        None => Endpoints::new(variable).of(&Service::STS, &region)?,
    };
    let credentials = identity.credentials().await?.value;
    let life = Duration::from_secs(seconds);
    present(&credentials, &region, &endpoint, &gateway_id, life, clock.now())
        .context("the token cannot be signed: check `--gateway-id` for spaces and line ends")
}
