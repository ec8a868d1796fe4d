//! `causeway stdio`: MCP over standard input and output, for clients that start their servers: toward one server that is
//! elsewhere, or with all that config.toml says. Standard output carries the protocol alone.

use std::path::PathBuf;

use anyhow::{Context, bail};
use causeway_oidc::clock::Clock;
use clap::{Args, ValueEnum};
use tokio::io::BufReader;

use crate::{
    app::{App, Speaker},
    config::{Config, Environment},
    import::offer::{self, Shown},
    shutdown,
};

/// Which server.
#[derive(Clone, Debug, Args)]
pub struct StdioArgs {
    /// The server, such as a gateway
    #[arg(long, value_name = "URL", required_unless_present = "config")]
    url: Option<String>,
    /// What to show
    #[arg(long, default_value = "none")]
    auth: Kind,
    #[arg(long)]
    token_env: Option<String>,
    #[arg(long)]
    region: Option<String>,
    #[arg(long)]
    profile: Option<String>,
    /// Serve what this configuration file says
    #[arg(short, long, value_name = "PATH", conflicts_with = "url")]
    config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    None,
    Bearer,
    Sigv4,
}

/// Serves until standard input ends, SIGINT or SIGTERM.
///
/// # Errors
/// Mistakes of the arguments or of the config.
pub async fn run(args: &StdioArgs) -> anyhow::Result<()> {
    let environment = Environment::process();
    let (config, speaker) = match (&args.url, &args.config) {
        (Some(url), _) => (bridge(args, url, &environment)?, Speaker::Target),
        (None, Some(path)) => (Config::load(path, &environment)?, Speaker::Gateway),
        (None, None) => bail!("which server? name it with `--url`, or a config.toml with `--config`"),
    };
    let shutdown = shutdown::requested().context("the process cannot listen for signals")?;
    let streams = (BufReader::new(tokio::io::stdin()), tokio::io::stdout());
    App::build(config, Clock::system())?.run_piped(speaker, streams, shutdown).await
}

/// A configuration in which the server is the only target.
fn bridge(args: &StdioArgs, url: &str, environment: &Environment) -> anyhow::Result<Config> {
    let shown = match args.auth {
        Kind::None => Shown::Nothing,
        Kind::Bearer => Shown::Bearer(args.token_env.clone().unwrap_or_else(|| "CAUSEWAY_TOKEN".into())),
        Kind::Sigv4 => {
            Shown::Signature { region: args.region.clone().unwrap_or_default(), profile: args.profile.clone() }
        }
    };
    let mut config = offer::config(url, &shown, environment)?;
    config.gateway.debug_errors = true;
    Ok(config)
}
