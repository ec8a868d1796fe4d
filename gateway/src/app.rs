//! The composition root: from a configuration to a gateway that runs until it is told to stop.

mod effect;
#[cfg(feature = "lambda")]
mod invoked;
mod lines;
mod parts;
mod piped;
mod ports;
mod reload;

pub use self::{parts::sources, piped::Speaker, ports::Listeners};

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use causeway_core::{
    catalog::Naming,
    name::{Audience, Fit},
};
use causeway_oidc::clock::Clock;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::{
    sync::CancellationToken,
    task::{AbortOnDropHandle, TaskTracker},
};

use self::{effect::Effect, lines::Lines, parts::Parts};
use crate::{
    calls::{Audit, Calls, Span, Tracer},
    config::{self, Config, Toolset},
    discovery::{self, Merging, Pace, TargetState, View},
    export::Exporter,
    front::Stopping,
    metrics::Family,
    reload::Standing,
    replicas::{self, Replicas},
    session_keys::Sealing,
    snapshot::Snapshot,
    stored::Sources,
    targets::Target,
};

/// For the audit log to be written to its end.
const FAREWELL: Duration = Duration::from_secs(10);
/// For targets that were let go of before the end to take it.
const LEAVING: Duration = Duration::from_secs(3);

/// A gateway, built and not yet running.
#[derive(Debug)]
pub struct App {
    parts: Parts,
    calls: Calls,
    /// What is known of the targets of whatever configuration is in effect.
    latest: watch::Sender<Arc<View>>,
    standing: watch::Sender<Standing>,
}

/// What stays while one configuration after the other is in effect.
#[derive(Debug)]
struct Ground {
    calls: Calls,
    sealing: Sealing,
    pace: Pace,
    latest: watch::Sender<Arc<View>>,
    standing: watch::Sender<Standing>,
    lines: Lines,
    stopping: Stopping,
    clock: Clock,
    /// Other replicas, once this one has keys that they may have too and an address at which they reach it.
    replicas: Replicas,
    /// Keeps what replicas share in reach.
    _sharing: AbortOnDropHandle<()>,
    /// What keeps the lists for the next start, where something does.
    keeping: Option<JoinHandle<()>>,
    /// Targets that no configuration has any more, while somebody uses them still.
    leaving: TaskTracker,
    /// Set once nobody uses anything any more.
    left: CancellationToken,
}

/// Where there is something to export.
type Export = Option<(Exporter, mpsc::Receiver<Span>)>;

impl App {
    /// Builds everything that `config` names; connects to nothing.
    pub fn build(config: Config, clock: Clock) -> anyhow::Result<Self> {
        let calls = Calls::new(clock.clone());
        let parts = Parts::new(config, clock, None)?;
        let (latest, _) = watch::channel(Arc::new(View::unlisted(&parts.targets)));
        let standing = watch::Sender::new(Standing::new(parts.sources.clock.now()));
        Ok(Self { parts, calls, latest, standing })
    }

    /// How the configuration stands, as it changes.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// What is known of the targets, as it changes.
    pub fn view(&self) -> watch::Receiver<Arc<View>> {
        self.latest.subscribe()
    }

    /// What it would serve, in config order, each place of a target for itself.
    pub fn targets(&self) -> &[Arc<Target>] {
        &self.parts.targets
    }

    /// What becomes of the calls of clients.
    pub fn calls(&self) -> Calls {
        self.calls.clone()
    }

    /// Lists each target once and stops them: what clients would see of it at `/mcp`. Serves nobody.
    pub async fn survey_merged(self) -> View {
        self.survey_endpoints().await.0
    }

    /// The same, and what they would see at each toolset, in config order.
    pub async fn survey_endpoints(self) -> (View, Vec<View>) {
        let config = &self.parts.config;
        let (merging, toolsets) = (merging(config), config.toolsets.clone());
        let view = View::of(self.survey().await, &merging);
        let parts = toolsets.iter().map(|toolset| view.part(toolset, merging.naming.names)).collect();
        (view, parts)
    }

    /// Lists each place of each target once and stops them: what came of it, in config order. Serves nobody.
    pub async fn survey(self) -> Vec<TargetState> {
        let Parts { targets, sources, .. } = &self.parts;
        let states = discovery::survey(targets, &sources.clock).await;
        futures::future::join_all(targets.iter().map(|target| target.stop())).await;
        states
    }
}

impl Ground {
    /// Finds out where other replicas reach this one, which listens at `local`, as soon as `parts` say keys that they may have too:
    /// without such it could open nothing of theirs.
    async fn meet_replicas(&mut self, parts: &Parts, local: SocketAddr) -> anyhow::Result<()> {
        let Parts { config, sources, .. } = parts;
        if self.replicas.own().is_some() || config.sessions.keys.is_empty() {
            return Ok(());
        }
        let Some(own) = replicas::own_address(&config.replicas.own, local, &sources.http).await else { return Ok(()) };
        tracing::info!("other replicas reach this one at {own}");
        let replicas = Replicas::new(&own, Arc::clone(self.sealing.sealer()), self.clock.clone());
        self.replicas = replicas.context("the system trusts no certificates: install `ca-certificates`")?;
        Ok(())
    }

    /// Other replicas, as far as what is sealed under `config` is anything to them.
    fn replicas(&self, config: &Config) -> Replicas {
        if config.sessions.keys.is_empty() { Replicas::none() } else { self.replicas.clone() }
    }

    /// What is known of the targets of `parts` at the start; from now on it is kept for the next one.
    fn remember(&mut self, parts: &Parts) -> Vec<TargetState> {
        let Some(settings) = &parts.config.state.snapshot else {
            return parts.targets.iter().map(|target| TargetState::new(target)).collect();
        };
        let mut snapshot = Snapshot::new(settings, &parts.config.written.path, self.clock.clone());
        let known = snapshot.restore(&parts.targets);
        self.keeping = Some(tokio::spawn(snapshot.keep(self.latest.subscribe(), self.left.clone())));
        known
    }

    /// Ends what a gateway that serves nobody any more has begun: its `targets`, which nobody lists any more, and what it owes the audit
    /// log.
    async fn end(self, targets: Vec<Arc<Target>>) {
        self.left.cancel();
        self.leaving.close();
        let stopping = futures::future::join_all(targets.iter().map(|target| target.stop()));
        let (_, left) = futures::future::join(stopping, timeout(LEAVING, self.leaving.wait())).await;
        if left.is_err() {
            tracing::debug!("a target that was taken out of the configuration did not take its end in time");
        }
        if let Some(keeping) = self.keeping
            && timeout(LEAVING, keeping).await.is_err()
        {
            tracing::warn!("what the targets list could not be kept in time for the next start");
        }
        if let Some(audit) = self.calls.audit() {
            audit.flush(FAREWELL).await;
        }
    }
}

/// What every gateway begins with, whatever it serves on: lets its calls keep an audit log and make spans, where the configuration
/// wants it, reads the keys of sessions, and keeps what replicas share in reach. It `listens` to targets that tell of changes or does not.
async fn begin(app: App, listens: bool) -> anyhow::Result<(Parts, Export, Ground)> {
    let App { parts, calls, latest, standing } = app;
    let Parts { config, sources, .. } = &parts;
    let clock = sources.clock.clone();
    if let Some(audit) = &config.audit {
        let audit = Audit::open(audit, clock.clone());
        calls.keep(audit.context("the audit log cannot be opened; see `audit.file`")?);
    }
    let export = traced(config, sources, &calls);
    let sealing = Sealing::begin(config, &sources.aws).await.context("sessions cannot be sealed")?;
    let pace = Pace::new(config.limits.refresh, listens, clock.clone());
    sources.shared.seal_with(Arc::clone(sealing.sealer()));
    let _sharing = AbortOnDropHandle::new(tokio::spawn(sources.shared.clone().keep_up()));
    let (lines, stopping, keeping, leaving, left) = Default::default();
    let ground = Ground {
        calls,
        sealing,
        pace,
        latest,
        standing,
        lines,
        stopping,
        clock,
        replicas: Replicas::none(),
        _sharing,
        keeping,
        leaving,
        left,
    };
    Ok((parts, export, ground))
}

/// What exports the spans of `calls`, if something does.
fn traced(config: &Config, sources: &Sources, calls: &Calls) -> Export {
    let otlp = config.telemetry.otlp.as_ref()?;
    let (tracer, spans) = Tracer::new(otlp.ratio, &config.gateway.name);
    let dropped = Arc::clone(&tracer.dropped);
    if otlp.traces.is_some() {
        calls.trace(tracer);
    }
    Some((Exporter::new(sources.http.clone(), otlp.clone(), sources.clock.now(), dropped), spans))
}

/// Exports spans and what `families` gives until it is `over`, where there is something to export.
async fn exported(export: Export, families: impl Fn() -> (Vec<Family>, Duration), over: &CancellationToken) {
    if let Some((exporter, spans)) = export {
        exporter.run(spans, families, over.clone()).await;
    }
}

/// What clients call each endpoint, by the name of its toolset; the gateway's own by none.
fn server_names(config: &Config) -> HashMap<String, String> {
    let toolsets = config.toolsets.iter().map(|toolset| (toolset.name.to_string(), toolset.audience.server.clone()));
    toolsets.chain([(String::new(), config.clients.audience.server.clone())]).collect()
}

/// What the configuration wants made of the lists of targets.
fn merging(config: &Config) -> Merging {
    let audience = config.clients.audience.clone();
    // A tool has one name at all endpoints, so it must fit all of their clients.
    let audiences = config.toolsets.iter().map(|toolset| &toolset.audience).chain([&audience]);
    let shorten = audiences.filter_map(Audience::fit).reduce(Fit::and).filter(|_| config.clients.shorten);
    Merging { naming: Naming { names: config.gateway.names, shorten }, audience }
}

/// What a toolset says about itself, where it differs from the gateway. The operator's text about the gateway is not about the
/// toolset.
fn settings_of(toolset: &Toolset, gateway: &config::Gateway) -> config::Gateway {
    config::Gateway {
        name: toolset.name.to_string(),
        description: toolset.description.clone(),
        instructions: toolset.instructions.clone(),
        ..gateway.clone()
    }
}

/// The one client for everything but the relay: issuers, token endpoints.
pub fn http_client(config: &Config) -> anyhow::Result<reqwest::Client> {
    http_client_with(config, |builder| builder)
}

/// The same with a `change` to it.
pub fn http_client_with(
    config: &Config,
    change: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
) -> anyhow::Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        .connect_timeout(config.limits.connect)
        .pool_max_idle_per_host(if config.limits.keep_connections { usize::MAX } else { 0 })
        .user_agent(concat!("causeway/", env!("CARGO_PKG_VERSION")))
        // A redirect could send a client secret to another host.
        .redirect(reqwest::redirect::Policy::none());
    let builder = config.proxies.apply(builder).context("a proxy of the environment cannot be used")?;
    change(builder).build().context("the HTTP client could not be built")
}
