//! `causeway serve`: what config.toml says and nothing else, also once it says something else.

use std::sync::Arc;

use anyhow::Context;
use causeway_oidc::clock::Clock;
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc},
};

use super::ConfigArgs;
use crate::{
    app::{App, Listeners},
    calls::Audit,
    config::{Draft, Environment},
    reload::{self, Held, Source},
    shutdown, telemetry,
};

/// Serves until SIGINT or SIGTERM. SIGHUP has the audit log opened anew and the configuration read again.
///
/// # Errors
/// Mistakes of the config; an address that cannot be listened on.
pub async fn run(args: &ConfigArgs) -> anyhow::Result<()> {
    let environment = Environment::process();
    let (place, text) = args.text(&environment)?;
    let config = Draft::parse(&place, &text)?.resolve(&environment)?;
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
    let held = Held::of(&config);
    let app = App::build(config, Clock::system())?;
    let (calls, asks) = (app.calls(), Arc::new(Notify::new()));
    let asked = Arc::clone(&asks);
    let heed = move || {
        calls.audit().into_iter().for_each(Audit::reopen);
        asked.notify_one();
    };
    shutdown::on_hang_up(heed).context("the process cannot listen for signals")?;
    let (send, wanted) = mpsc::channel(1);
    tokio::spawn(reload::follow(source(args.clone(), environment), text, held, asks, send));
    app.run_reloading(Listeners { gateway: listener, admin }, wanted, shutdown).await
}

/// Where the configuration is read from again.
fn source(args: ConfigArgs, environment: Environment) -> Source {
    let (file, at) = (args.file(&environment).map(Into::into), environment.clone());
    Source::new(move || args.text(&at), file, environment)
}
