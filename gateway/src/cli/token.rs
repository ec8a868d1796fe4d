//! `causeway token`: prints a token that a gateway takes, for the header `Authorization: Bearer`. Stores nothing.

use std::time::Duration;

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

use crate::config::{Environment, environment::Reference};

/// Which kind of token.
#[derive(Clone, Debug, Subcommand)]
pub enum TokenArgs {
    /// One that shows who you are at AWS, for a gateway with `authorizer.aws_iam.caller_identity`: it wraps a presigned STS
    /// GetCallerIdentity, made with the credentials that AWS's own tools would take
    AwsIam(AwsIamArgs),
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

/// Prints the token and a line end.
///
/// # Errors
/// No credentials or no region, with what to set.
pub async fn run(args: TokenArgs) -> anyhow::Result<()> {
    match args {
        TokenArgs::AwsIam(args) => {
            println!("{}", aws_iam(args, &Clock::system()).await?);
            Ok(())
        }
    }
}

async fn aws_iam(args: AwsIamArgs, clock: &Clock) -> anyhow::Result<String> {
    let AwsIamArgs { gateway_id, region, profile, seconds, endpoint } = args;
    let identity = Identity::new(Settings { profile, region, role: None }, clock.clone());
    let region = identity.region().await?;
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
