//! `causeway stdio`: MCP over standard input and output, for clients that start their servers: toward one server that is
//! elsewhere, or with all that config.toml says. Standard output carries the protocol alone.

use std::path::PathBuf;

use anyhow::{Context, bail};
use causeway_oidc::clock::Clock;
use clap::Args;
use tokio::io::BufReader;

use super::{Usage, peer::CredentialArgs};
use crate::{
    app::{App, Speaker},
    config::{Config, Environment},
    peer::{Address, Peer},
    shutdown,
};

/// Which server, and what lets us in there.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES:
  A gateway, with a token from the environment, as a client's file has it:
    {\"command\": \"causeway\", \"args\": [\"stdio\", \"--url\", \"https://gateway.example.com/mcp\", \"--auth\", \"bearer\"]}

  A gateway on AWS, with a signature of your AWS credentials:
    causeway stdio --url arn:aws:bedrock-agentcore:us-east-1:123456789012:gateway/tools-a1b2c3d4e5

  All that a config.toml says, without a gateway that listens:
    causeway stdio --config config.toml")]
pub struct StdioArgs {
    /// The server: its URL, such as a gateway's, the ARN of an AgentCore Runtime, or the ARN or id of an AgentCore Gateway
    #[arg(long, value_name = "SERVER")]
    url: Option<Address>,
    /// In place of one server all that this configuration file says; whoever starts this command is let in
    #[arg(short, long, value_name = "PATH", conflicts_with = "url")]
    config: Option<PathBuf>,
    /// With --config: one of its toolsets
    #[arg(long, value_name = "NAME", requires = "config")]
    toolset: Option<String>,
    #[command(flatten)]
    credential: CredentialArgs,
}

/// Serves until standard input ends, SIGINT or SIGTERM.
///
/// # Errors
/// Mistakes of the arguments or of the config.
pub async fn run(args: &StdioArgs) -> anyhow::Result<()> {
    let environment = Environment::process();
    if args.credential.reads_standard_input() {
        bail!(Usage(
            "standard input is the client's: name a file with `--token-file`, or a variable with `--token-env`".into()
        ));
    }
    let (config, speaker) = match (&args.url, &args.config) {
        (Some(address), _) => bridge(args.credential.peer(address, &environment).await?, &environment)?,
        (None, Some(path)) => (Config::load(path, &environment)?, speaker(args)),
        (None, None) => bail!(Usage("which server? name it with `--url`, or a config.toml with `--config`".into())),
    };
    let shutdown = shutdown::requested().context("the process cannot listen for signals")?;
    let streams = (BufReader::new(tokio::io::stdin()), tokio::io::stdout());
    App::build(config, Clock::system())?.run_piped(speaker, streams, shutdown).await
}

fn speaker(args: &StdioArgs) -> Speaker {
    args.toolset.clone().map_or(Speaker::Gateway, Speaker::Toolset)
}

/// A configuration in which the server is the only target, with words for what goes wrong there.
fn bridge(peer: Peer, environment: &Environment) -> anyhow::Result<(Config, Speaker)> {
    let mut config = peer.config(environment)?;
    // Nobody else reads what the client is told.
    config.gateway.debug_errors = true;
    Ok((config, Speaker::Target(Box::new(move |fault| peer.trouble(fault).to_string()))))
}
