//! `causeway serve`: what config.toml says and nothing else.

use anyhow::Context;
use causeway_oidc::clock::Clock;
use tokio::net::TcpListener;

use super::ConfigArgs;
use crate::{
    app::App,
    config::{Config, Environment},
    shutdown,
};

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// Mistakes of the config; an address that cannot be listened on.
pub async fn run(args: &ConfigArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config, &Environment::process())?;
    let listen = config.gateway.listen;
    let shutdown = shutdown::requested().context("the process cannot listen for signals")?;
    let listener = TcpListener::bind(listen).await;
    let listener =
        listener.with_context(|| format!("cannot listen on `{listen}`; choose another with `gateway.listen`"))?;
    App::build(config, Clock::system())?.run(listener, shutdown).await
}
