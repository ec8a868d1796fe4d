//! `causeway aws`: what a deployment keeps at AWS by hand: OAuth2 credential providers of AgentCore Identity, and secrets with a server's
//! configuration. Secrets come from standard input, variables or files, and are shown only when that is asked for.

mod provider;
mod secret;

use std::io::{self, IsTerminal};

use anyhow::bail;
use causeway_aws::{Aws, identity::Settings};
use clap::{Args, Subcommand};

use super::{Usage, screen::say};
use crate::{config::Environment, peer};

/// What is kept.
#[derive(Clone, Debug, Subcommand)]
pub enum AwsArgs {
    /// OAuth2 credential providers, by which an AgentCore Gateway gets tokens for its targets
    #[command(subcommand)]
    CredentialProvider(provider::ProviderArgs),
    /// Secrets of Secrets Manager, such as the configuration that a server reads at its start (RUNTIME_CONFIG_SECRET_ID)
    #[command(subcommand)]
    Secret(secret::SecretArgs),
}

/// As whom and where AWS is asked.
#[derive(Clone, Debug, Args)]
pub struct AccountArgs {
    /// The AWS region; default: AWS_REGION, else that of the profile
    #[arg(long)]
    region: Option<String>,
    /// The AWS profile; default: the default chain of AWS's own tools
    #[arg(long)]
    profile: Option<String>,
}

/// Carries it out.
///
/// # Errors
/// What AWS says against it; nothing was changed then.
pub async fn run(args: &AwsArgs) -> anyhow::Result<()> {
    let environment = Environment::process();
    match args {
        AwsArgs::CredentialProvider(args) => provider::run(args, &environment).await,
        AwsArgs::Secret(args) => secret::run(args, &environment).await,
    }
}

impl AccountArgs {
    fn aws(&self, environment: &Environment) -> anyhow::Result<Aws> {
        let settings = Settings { profile: self.profile.clone(), region: self.region.clone(), role: None };
        peer::aws(settings, environment)
    }
}

/// Goes on only after a `yes`, unless none is needed.
fn agreed(yes: bool, question: &str) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        bail!(Usage("nobody can be asked, because standard input is no terminal; say `--yes`".into()));
    }
    say(&format!("{question} Only `yes` is taken: "));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    match answer.trim() {
        "yes" => Ok(()),
        _ => bail!("nothing was changed, because the answer was not `yes`"),
    }
}
