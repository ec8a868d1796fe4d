//! `causeway serve`: what config.toml says and nothing else.

use anyhow::Context;
use causeway_oidc::clock::Clock;
use tokio::net::TcpListener;

use super::ConfigArgs;
use crate::{
    app::{App, Listeners},
    calls::Audit,
    config::Environment,
    shutdown, telemetry,
};

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// Mistakes of the config; an address that cannot be listened on.
pub async fn run(args: &ConfigArgs) -> anyhow::Result<()> {
    let config = args.load(&Environment::process())?;
    telemetry::init_as(&config.telemetry, "info");
    let listen = config.gateway.listen;
    let admin = config.admin.map(|admin| admin.listen);
    let shutdown = shutdown::requested().context("the process cannot listen for signals")?;
    let listener = TcpListener::bind(listen).await;
    let listener =
        listener.with_context(|| format!("cannot listen on `{listen}`; choose another with `gateway.listen`"))?;
    let admin = match admin {
        None => None,
        Some(listen) => {
            let listener = TcpListener::bind(listen).await;
            Some(listener.with_context(|| format!("cannot listen on `{listen}`; choose another with `admin.listen`"))?)
        }
    };
    let keeps_log = config.audit.is_some();
    let app = App::build(config, Clock::system())?;
    if keeps_log {
        let calls = app.calls();
        let reopen = move || calls.audit().into_iter().for_each(Audit::reopen);
        shutdown::on_hang_up(reopen).context("the process cannot listen for signals")?;
    }
    app.run(Listeners { gateway: listener, admin }, shutdown).await
}
