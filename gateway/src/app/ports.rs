//! The gateway for whoever reaches its ports: clients at one, at the other who runs it.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{App, Begun, begin, discover, endpoints, exported, login, server_names, stop};
use crate::{
    admin::{self, Admin, Numbers},
    config::{Config, Limits, Toolset},
    front::Stopping,
    http::{self, Served},
    serve::{Bounds, Connections, serve},
};

/// Connections to the admin port at once: people and scrapers are few, and must not keep clients out.
const ADMIN_CONNECTIONS: usize = 256;
/// For their requests to end, which take no time.
const ADMIN_DRAIN: Duration = Duration::from_secs(2);
/// Longer than a request is on its way.
const LINGER: Duration = Duration::from_secs(1);

/// Where a gateway is to serve: bound, so that both addresses are known before it does.
#[derive(Debug)]
pub struct Listeners {
    /// For clients.
    pub gateway: TcpListener,
    /// For who runs it; absent where nobody is to see it so.
    pub admin: Option<TcpListener>,
}

impl App {
    /// Serves on `listeners` until `shutdown` is ready, then lets open requests end and stops the targets.
    ///
    /// # Errors
    /// An audit log that cannot be opened; session keys that cannot be read.
    pub async fn run(
        self,
        listeners: Listeners,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> anyhow::Result<()> {
        let Self { config, sources, targets, outlets, calls } = self;
        let Begun { export, sealer, _following } = begin(&config, &sources, &calls).await?;
        let local = listeners.gateway.local_addr().context("the listener has no address")?;
        let login = login(&config, &sources, &sealer)
            .context("the system trusts no certificates: install `ca-certificates`")?;
        // Set when it is told to stop, and once clients are served no more.
        let (stopping, over) = (Stopping::default(), CancellationToken::new());
        let (gateway, toolsets) = endpoints(&config, &sources, (&targets, &outlets), &sealer, &stopping);
        let (limits, connections) = (config.limits.clone(), Connections::new(config.limits.connections));
        let served = Arc::new(Served { gateway, toolsets, login, limits, calls: calls.clone(), local });
        open(&served, &config.toolsets);
        let _discovery = discover(&config, &sources, &targets, outlets, true);
        let (started, clock) = (sources.clock.now(), sources.clock);
        let numbers = Numbers { served: Arc::clone(&served), connections: connections.clone(), started, clock };
        let bounds = |connections, closing| bounds(&numbers.served.limits, connections, closing);
        let watching = watching(listeners.admin, config, &numbers, &stopping.begun)?;
        let clients = bounds(connections, stopping.closing);
        let shutdown = async move {
            shutdown.await;
            stopping.begun.cancel();
        };
        let serving = async {
            serve(listeners.gateway, http::router(Arc::clone(&served)), clients, shutdown).await;
            over.cancel();
        };
        // Both are there for as long as clients are served: what they still wait for can be seen.
        let watched = async {
            let Some((listener, admin)) = watching else { return };
            let bounds = bounds(Connections::new(ADMIN_CONNECTIONS), CancellationToken::new());
            let bounds = Bounds { drain: ADMIN_DRAIN, linger: Duration::ZERO, ..bounds };
            serve(listener, admin::router(Arc::new(admin)), bounds, over.cancelled()).await;
        };
        let exported = exported(export, || (numbers.families(), numbers.now()), &over);
        futures::future::join3(serving, watched, exported).await;
        served.gateway.front.close();
        stop(&targets, &calls).await;
        Ok(())
    }
}

/// Says where clients are served, and asks the issuers of all endpoints for their keys.
fn open(served: &Served, toolsets: &[Toolset]) {
    for inbound in served.endpoints().map(|endpoint| endpoint.inbound.clone()) {
        tokio::spawn(async move { inbound.prepare().await });
    }
    let (local, path) = (served.local, http::MCP_PATH);
    tracing::info!("listening on http://{local}{path}");
    for toolset in toolsets {
        tracing::info!("toolset `{}` is at http://{local}{path}/{}", toolset.name, toolset.name);
    }
}

/// What the admin port shows and where, if there is one.
fn watching(
    listener: Option<TcpListener>,
    config: Config,
    numbers: &Numbers,
    stopping: &CancellationToken,
) -> anyhow::Result<Option<(TcpListener, Admin)>> {
    let server_names = server_names(&config);
    let Some((listener, settings)) = listener.zip(config.admin) else { return Ok(None) };
    let local = listener.local_addr().context("the admin listener has no address")?;
    tracing::info!("dashboard, metrics and health on http://{local}");
    let Numbers { served, connections, clock, started } = numbers.clone();
    let (authorizer, written, stopping) = (config.authorizer, config.written, stopping.clone());
    let admin =
        Admin { settings, local, served, connections, clock, started, authorizer, written, server_names, stopping };
    Ok(Some((listener, admin)))
}

fn bounds(limits: &Limits, connections: Connections, closing: CancellationToken) -> Bounds {
    let &Limits { header_bytes, idle, stalled, drain, .. } = limits;
    Bounds { connections, header_bytes, idle, stalled, drain, linger: LINGER, closing }
}
