//! `causeway dev`: the whole product on one machine, for real. It starts an identity provider on loopback, the servers that
//! the targets name for development, and the gateway with real tokens in and out; Ctrl-C ends all of it.

mod banner;
mod identity;
mod people;
mod server;
mod toolset;

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, bail};
use causeway_core::catalog::Kind;
use causeway_oidc::clock::Clock;
use clap::Args;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use self::{identity::DevIdentity, server::Server, toolset::RunningToolset};
use super::{ConfigArgs, running::Left, screen::out_line};
use crate::{
    app::{App, Listeners},
    config::{self, Config, Environment, Transport},
    discovery::View,
    http::MCP_PATH,
    shutdown, telemetry,
};

/// What is to be listed by then is listed; the rest is shown as what it is.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub struct DevArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Where the gateway listens, instead of `gateway.listen`; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Print one line of JSON once it serves (endpoint, issuer, token, targets) instead of text for people
    #[arg(long)]
    json: bool,
}

/// What runs, for whoever uses it.
#[derive(Clone, Debug, Serialize)]
struct Running {
    endpoint: String,
    /// Where the dashboard, metrics and health are.
    admin: String,
    /// The issuer of the tokens that the gateway accepts; absent where it accepts everyone.
    issuer: Option<String>,
    token: Option<String>,
    /// What requests are signed with, where the gateway lets in AWS principals.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key: Option<RunningKey>,
    targets: Vec<RunningTarget>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    toolsets: Vec<RunningToolset>,
}

/// An access key that exists here alone, and the scope of its signatures.
#[derive(Clone, Serialize)]
struct RunningKey {
    id: String,
    secret: String,
    region: String,
    service: String,
}

#[derive(Clone, Debug, Serialize)]
struct RunningTarget {
    name: String,
    /// Absent for a child process that speaks over its standard streams.
    url: Option<String>,
    /// Absent if it could not be listed.
    tools: Option<usize>,
}

/// Serves until SIGINT or SIGTERM, then ends everything that it started.
///
/// # Errors
/// Mistakes of the config, addresses that cannot be listened on, servers that do not start.
pub async fn run(args: DevArgs) -> anyhow::Result<()> {
    let requested = shutdown::requested().context("the process cannot listen for signals")?;
    let stop = CancellationToken::new();
    let on_signal = stop.clone();
    tokio::spawn(async move {
        requested.await;
        on_signal.cancel();
    });
    let draft = args.config.draft(&Environment::process())?;
    let secrets = identity::generated_secrets(&draft.file);
    let mut config = draft.resolve(&Environment::process().overlay(secrets))?;
    telemetry::init_as(&config.telemetry, "warn");
    config.gateway.listen = args.listen.unwrap_or_else(|| here(config.gateway.listen));
    let listener = listen(config.gateway.listen).await?;
    let local = listener.local_addr().context("the listener has no address")?;
    let identity = DevIdentity::start(&mut config, local, stop.clone()).await?;
    let admin = admin_listener(&mut config).await?;
    // Whatever was started before something failed, or before Ctrl-C, is ended all the same.
    let mut servers = Vec::new();
    let outcome = match start_servers(&mut config, &identity, &stop, &mut servers).await {
        Ok(()) if stop.is_cancelled() => Ok(()),
        Ok(()) => serve(config, listener, admin, &identity, args.json, stop.clone()).await,
        Err(error) => Err(error),
    };
    stop.cancel();
    futures::future::join_all(servers.into_iter().map(Server::ended)).await;
    outcome
}

/// This machine alone, where a configuration for a container says every address: so one file does for both.
fn here(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(all) if all.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, all.port()).into(),
        SocketAddr::V6(all) if all.ip().is_unspecified() => (Ipv6Addr::LOCALHOST, all.port()).into(),
        one => one,
    }
}

/// Only loopback: this mode hands out tokens to whoever asks with the secret on the screen.
async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    if !address.ip().is_loopback() {
        bail!("`causeway dev` listens on loopback only, not on `{address}`; use `--listen 127.0.0.1:8080`");
    }
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| format!("cannot listen on `{address}`; choose another with `--listen 127.0.0.1:0`"))
}

/// Where the admin port is: where the config says; where that is the default address and taken, at a free one.
async fn admin_listener(config: &mut Config) -> anyhow::Result<TcpListener> {
    let default: SocketAddr = config::file::admin::LISTEN.parse().expect("the default is an address");
    let admin = config.admin.get_or_insert(config::Admin { listen: default, open_metrics: false, try_tools: true });
    admin.listen = here(admin.listen);
    let admin = *admin;
    if !admin.listen.ip().is_loopback() {
        bail!("`causeway dev` listens on loopback only, not on `{}`; leave `admin.listen` out", admin.listen);
    }
    match TcpListener::bind(admin.listen).await {
        // Another `causeway dev` runs.
        Err(_) if admin.listen == default => listen(SocketAddr::new(default.ip(), 0)).await,
        listener => {
            listener.with_context(|| format!("cannot listen on `{}`; choose another with `admin.listen`", admin.listen))
        }
    }
}

/// Starts the server of each target that names one for development, all at once, and points the target at it.
///
/// # Errors
/// All servers that do not start, unless that is because of `stop`.
async fn start_servers(
    config: &mut Config,
    identity: &DevIdentity,
    stop: &CancellationToken,
    servers: &mut Vec<Server>,
) -> anyhow::Result<()> {
    let starts = config.targets.iter_mut().filter_map(|target| {
        let dev = target.dev.clone()?;
        Some(async move {
            let started = Server::start(&target.name, &dev, identity.of_target(&target.name), stop.clone()).await;
            let server = started.map_err(|error| format!("target `{}` does not start: {error:#}", target.name))?;
            if let Transport::Http(http) = &mut target.transport {
                http.endpoint = server.url().clone();
                http.runtime = false;
                http.further.clear();
            }
            Ok(server)
        })
    });
    let mut failed: Vec<String> = Vec::new();
    for started in futures::future::join_all(starts).await {
        match started {
            Ok(server) => servers.push(server),
            Err(error) => failed.push(error),
        }
    }
    match failed.is_empty() || stop.is_cancelled() {
        true => Ok(()),
        false => bail!("{}", failed.join("\n       ")),
    }
}

async fn serve(
    config: Config,
    gateway: TcpListener,
    admin: TcpListener,
    identity: &DevIdentity,
    json: bool,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let local = gateway.local_addr().context("the listener has no address")?;
    let admin_url = format!("http://{}", admin.local_addr().context("the admin listener has no address")?);
    let (urls, name) = (target_urls(&config), config.gateway.name.clone());
    let app = App::build(config, Clock::system())?;
    let mut view = app.view();
    let announce = async {
        let all =
            tokio::time::timeout(PATIENCE, view.wait_for(|view| !view.targets.is_empty() && view.is_complete())).await;
        // Complete or not: what is known by now is shown, and what is missing is shown as missing.
        drop(all);
        let view = view.borrow().clone();
        let running = Running {
            toolsets: identity.toolsets(&format!("http://{local}{MCP_PATH}")).await?,
            endpoint: format!("http://{local}{MCP_PATH}"),
            admin: admin_url.clone(),
            issuer: identity.issuer(),
            token: identity.token().await?,
            access_key: identity.access_key().cloned(),
            targets: running_targets(&view, &urls),
        };
        // Until this future is dropped.
        let _left = leave(&running, identity);
        match json {
            true => out_line(&serde_json::to_string(&running).expect("texts and numbers serialize"))?,
            false => out_line(&banner::text(&running, &view, identity, &name))?,
        }
        // Announced once; from here on the gateway runs until it is stopped.
        std::future::pending::<anyhow::Result<()>>().await
    };
    tokio::select! {
        ended = app.run(Listeners { gateway, admin: Some(admin) }, stop.cancelled_owned()) => ended,
        failed = announce => failed,
    }
}

/// For `causeway token dev`.
fn leave(running: &Running, identity: &DevIdentity) -> Option<Left> {
    let (client, token_endpoint) = identity.caller()?;
    let endpoint = running.endpoint.parse().ok()?;
    let (id, secret) = (client.id.clone(), client.secret.expose().to_owned());
    let left = super::running::Running::here(endpoint, token_endpoint, id, secret).leave(&Environment::process());
    left.inspect_err(|why| tracing::warn!("`causeway token dev` will not find this: {why}")).ok()
}

fn target_urls(config: &Config) -> Vec<Option<Url>> {
    let url = |transport: &Transport| match transport {
        Transport::Http(http) => Some(http.endpoint.clone()),
        Transport::Stdio(_) => None,
    };
    config.targets.iter().map(|target| url(&target.transport)).collect()
}

fn running_targets(view: &View, urls: &[Option<Url>]) -> Vec<RunningTarget> {
    let targets = view.targets.iter().zip(urls).map(|(target, url)| RunningTarget {
        name: target.name.to_string(),
        url: url.as_ref().map(ToString::to_string),
        tools: target.count(Kind::Tools),
    });
    targets.collect()
}

impl fmt::Debug for RunningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_becomes_this_machine_and_one_address_stays() {
        let check = |written: &str, meant: &str| {
            assert_eq!(here(written.parse().unwrap()), meant.parse().unwrap(), "{written}");
        };
        check("0.0.0.0:8080", "127.0.0.1:8080");
        check("[::]:8080", "[::1]:8080");
        check("127.0.0.2:0", "127.0.0.2:0");
        check("192.0.2.1:8080", "192.0.2.1:8080");
    }
}
