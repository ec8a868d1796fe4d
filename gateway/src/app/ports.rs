//! The gateway for whoever reaches its ports: clients at one, at the other who runs it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};
use tokio_util::sync::CancellationToken;

use super::{App, Effect, Export, Ground, Parts, begin, effect::Ready, exported, server_names};
use crate::{
    admin::{self, Admin, Numbers},
    config::{Limits, Toolset},
    http::{self, Entrance},
    reload::Wanted,
    serve::{Bounds, Connections, Pages, Site, allow_files, serve},
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

/// A gateway at its ports, whatever the configuration.
pub(super) struct Ports {
    pub(super) ground: Ground,
    pub(super) effect: Effect,
    connections: Connections,
    /// When it started, since the Unix epoch.
    started: Duration,
    clients: watch::Sender<Site>,
    /// What is shown at the admin port and where it is, if there is one.
    admin: Option<(SocketAddr, watch::Sender<Site>)>,
    numbers: watch::Sender<Numbers>,
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
        let (_nobody, wanted) = mpsc::channel(1);
        self.run_reloading(listeners, wanted, shutdown).await
    }

    /// The same, with each configuration that is `wanted` meanwhile in the place of the one before.
    ///
    /// # Errors
    /// As [`Self::run`]. A configuration that cannot take effect is none.
    pub async fn run_reloading(
        self,
        listeners: Listeners,
        wanted: mpsc::Receiver<Wanted>,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> anyhow::Result<()> {
        let (parts, export, mut ground) = begin(self, true).await?;
        let local = listeners.gateway.local_addr().context("the listener has no address")?;
        ground.meet_replicas(&parts, local).await?;
        let (mut ports, listeners) = Ports::open(parts, ground, listeners)?;
        let over = CancellationToken::new();
        let serving = ports.serving(listeners, export, &over, shutdown);
        tokio::select! {
            () = serving => (),
            () = ports.take_what_is(wanted) => (),
        }
        let Ports { ground, effect, .. } = ports;
        effect.served.gateway.front.close();
        ground.end(effect.end()).await;
        Ok(())
    }
}

impl Ports {
    fn open(parts: Parts, mut ground: Ground, listeners: Listeners) -> anyhow::Result<(Self, Listeners)> {
        let local = listeners.gateway.local_addr().context("the listener has no address")?;
        let admin = listeners.admin.as_ref().filter(|_| parts.config.admin.is_some());
        let admin = admin.map(TcpListener::local_addr).transpose().context("the admin listener has no address")?;
        let known = ground.remember(&parts);
        let effect = Ready::first(parts, known, &mut ground)?.serve(local, &mut ground);
        let config = &effect.parts.config;
        say_where(local, &config.toolsets);
        if let Some(local) = admin {
            tracing::info!("dashboard, metrics and health on http://{local}");
        }
        for inbound in effect.served.endpoints().map(|endpoint| endpoint.inbound.clone()) {
            tokio::spawn(async move { inbound.prepare().await });
        }
        allow_files(config.limits.connections);
        let (connections, started) = (Connections::new(config.limits.connections), ground.clock.now());
        let numbers = numbers(&effect, &connections, &ground, started);
        let clients = watch::Sender::new(client_site(&effect, &ground));
        let admin = admin.map(|local| {
            let site = admin_site(&effect, &ground, &numbers, local);
            (local, watch::Sender::new(site))
        });
        let numbers = watch::Sender::new(numbers);
        Ok((Self { ground, effect, connections, started, clients, admin, numbers }, listeners))
    }

    /// Serves until `shutdown` is ready, then lets open requests end.
    fn serving<S: Future<Output = ()> + Send + 'static>(
        &self,
        listeners: Listeners,
        export: Export,
        over: &CancellationToken,
        shutdown: S,
    ) -> impl Future<Output = ()> + use<S> {
        // Set when it is told to stop, and once clients are served no more.
        let (begun, over) = (self.ground.stopping.begun.clone(), over.clone());
        let (clients, connections) = (self.clients.subscribe(), self.connections.clone());
        let watched = listeners.admin.zip(self.admin.as_ref().map(|(_, site)| site.subscribe()));
        let numbers = self.numbers.subscribe();
        async move {
            let shutdown = async move {
                shutdown.await;
                begun.cancel();
            };
            let serving = async {
                serve(listeners.gateway, clients, connections, shutdown).await;
                over.cancel();
            };
            // Both are there for as long as clients are served: what they still wait for can be seen.
            let watched = async {
                let Some((listener, site)) = watched else { return };
                serve(listener, site, Connections::new(ADMIN_CONNECTIONS), over.cancelled()).await;
            };
            let families = || {
                let numbers = numbers.borrow().clone();
                (numbers.families(), numbers.now())
            };
            let exported = exported(export, families, &over);
            futures::future::join3(serving, watched, exported).await;
        }
    }

    /// Serves by `next` from now on: each request that comes is answered by it as a whole, and those that are there by the one before.
    pub(super) fn go_on_with(&mut self, next: Ready) {
        let next = next.serve(self.effect.served.local, &mut self.ground);
        let Parts { config, sources, .. } = &next.parts;
        sources.shared.go_on_as(&config.gateway.name, sources.aws.identity());
        allow_files(config.limits.connections);
        self.connections.change(config.limits.connections);
        self.ground.pace.change(config.limits.refresh);
        self.clients.send_replace(client_site(&next, &self.ground));
        let numbers = numbers(&next, &self.connections, &self.ground, self.started);
        if let Some((local, site)) = &self.admin {
            site.send_replace(admin_site(&next, &self.ground, &numbers, *local));
        }
        self.numbers.send_replace(numbers);
        // Only now: who hears of new lists asks for them.
        next.announce(&mut self.ground.lines);
        let before = std::mem::replace(&mut self.effect, next);
        before.give_way_to(&self.effect, &self.ground);
    }
}

/// Says where clients are served.
fn say_where(local: SocketAddr, toolsets: &[Toolset]) {
    let path = http::MCP_PATH;
    tracing::info!("listening on http://{local}{path}");
    for toolset in toolsets {
        tracing::info!("toolset `{}` is at http://{local}{path}/{}", toolset.name, toolset.name);
    }
}

fn client_site(effect: &Effect, ground: &Ground) -> Site {
    let closing = ground.stopping.closing.clone();
    let pages = Pages::Clients(Entrance::new(Arc::clone(&effect.served)));
    Site { pages, bounds: bounds(&effect.parts.config.limits, closing) }
}

/// What the admin port, which is at `local`, shows.
fn admin_site(effect: &Effect, ground: &Ground, numbers: &Numbers, local: SocketAddr) -> Site {
    let config = &effect.parts.config;
    let bounds = bounds(&config.limits, CancellationToken::new());
    let bounds = Bounds { drain: ADMIN_DRAIN, linger: Duration::ZERO, ..bounds };
    let admin = Admin {
        settings: config.admin.expect("without a section there is no port"),
        local,
        served: Arc::clone(&numbers.served),
        connections: numbers.connections.clone(),
        shared: numbers.shared.clone(),
        clock: ground.clock.clone(),
        started: numbers.started,
        standing: numbers.standing.clone(),
        authorizer: config.authorizer.clone(),
        written: config.written.clone(),
        server_names: server_names(config),
        stopping: ground.stopping.begun.clone(),
    };
    Site { pages: Pages::Others(admin::router(Arc::new(admin))), bounds }
}

fn numbers(effect: &Effect, connections: &Connections, ground: &Ground, started: Duration) -> Numbers {
    let (served, connections, clock) = (Arc::clone(&effect.served), connections.clone(), ground.clock.clone());
    let (shared, standing) = (effect.parts.sources.shared.clone(), ground.standing.subscribe());
    Numbers { served, connections, shared, started, clock, standing }
}

fn bounds(limits: &Limits, closing: CancellationToken) -> Bounds {
    let &Limits { header_bytes, idle, stalled, drain, .. } = limits;
    Bounds { header_bytes, idle, stalled, drain, linger: LINGER, closing }
}
