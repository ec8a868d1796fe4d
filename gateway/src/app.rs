//! The composition root: from a configuration to a gateway that runs until it is told to stop.

#[cfg(feature = "lambda")]
mod invoked;
mod piped;
mod ports;

pub use self::{piped::Speaker, ports::Listeners};

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::Context;
use causeway_aws::{Aws, Identity};
use causeway_core::{
    catalog::Naming,
    name::{Audience, Fit},
    seal::Sealer,
};
use causeway_oidc::clock::Clock;
use tokio::sync::{mpsc, watch};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    calls::{Audit, Calls, Span, Tracer},
    config::{self, Authorizer, Config, Toolset},
    credentials::Credential,
    discovery::{self, Merging, Outlets, Rules, TargetState, View},
    export::Exporter,
    front::{Front, Stopping},
    gateway::Gateway,
    http::{self, Endpoint},
    inbound::Inbound,
    login::Login,
    metrics::Family,
    session_keys::SessionKeys,
    stored::Sources,
    targets::Target,
};

/// For the audit log to be written to its end.
const FAREWELL: Duration = Duration::from_secs(10);

/// A gateway, built and not yet running.
#[derive(Debug)]
pub struct App {
    config: Config,
    sources: Sources,
    /// In config order, each place of a target for itself.
    targets: Vec<Arc<Target>>,
    outlets: Outlets,
    calls: Calls,
}

/// What every gateway begins with, whatever it serves on. Its keys are followed for as long as this lives.
struct Begun {
    /// Where there is something to export.
    export: Option<(Exporter, mpsc::Receiver<Span>)>,
    sealer: Arc<Sealer>,
    _following: AbortOnDropHandle<()>,
}

impl App {
    /// Builds everything that `config` names; connects to nothing.
    pub fn build(config: Config, clock: Clock) -> anyhow::Result<Self> {
        let sources = sources(&config, clock)?;
        let targets = config.targets.iter().map(|target| {
            // Shared by all places of the target.
            let credential = Credential::new(&target.name, &target.credential, &sources);
            Target::places(target, &config, &credential)
        });
        let targets = targets.collect::<Result<Vec<_>, _>>();
        let targets = targets.map(|targets| targets.into_iter().flatten().map(Arc::new).collect());
        let targets: Vec<Arc<Target>> =
            targets.context("the system trusts no certificates: install `ca-certificates`")?;
        let view = Arc::new(View::unlisted(&targets));
        let parts = config.toolsets.iter().map(|toolset| {
            let part = view.part(toolset, config.gateway.names);
            (Arc::new(toolset.clone()), watch::channel(Arc::new(part)).0)
        });
        let outlets = Outlets { parts: parts.collect(), whole: watch::channel(view).0 };
        let calls = Calls::new(sources.clock.clone());
        Ok(Self { config, sources, targets, outlets, calls })
    }

    /// What is known of the targets, as it changes.
    pub fn view(&self) -> watch::Receiver<Arc<View>> {
        self.outlets.whole.subscribe()
    }

    /// What it would serve, in config order, each place of a target for itself.
    pub fn targets(&self) -> &[Arc<Target>] {
        &self.targets
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
        let (merging, toolsets) = (merging(&self.config), self.config.toolsets.clone());
        let view = View::of(self.survey().await, &merging);
        let parts = toolsets.iter().map(|toolset| view.part(toolset, merging.naming.names)).collect();
        (view, parts)
    }

    /// Lists each place of each target once and stops them: what came of it, in config order. Serves nobody.
    pub async fn survey(self) -> Vec<TargetState> {
        let states = discovery::survey(&self.targets, &self.sources.clock).await;
        futures::future::join_all(self.targets.iter().map(|target| target.stop())).await;
        states
    }
}

/// Ends what a gateway that serves nobody any more has begun: its targets, and what it owes the audit log.
async fn stop(targets: &[Arc<Target>], calls: &Calls) {
    futures::future::join_all(targets.iter().map(|target| target.stop())).await;
    if let Some(audit) = calls.audit() {
        audit.flush(FAREWELL).await;
    }
}

/// Lets `calls` keep an audit log and make spans, where `config` wants it, and reads the keys of sessions.
async fn begin(config: &Config, sources: &Sources, calls: &Calls) -> anyhow::Result<Begun> {
    if let Some(audit) = &config.audit {
        let audit = Audit::open(audit, sources.clock.clone());
        calls.keep(audit.context("the audit log cannot be opened; see `audit.file`")?);
    }
    let export = traced(config, sources, calls);
    let keys = SessionKeys::new(&config.sessions.keys, &sources.aws);
    let (sealer, current) = keys.sealer().await.context("sessions cannot be sealed")?;
    let following = keys.follow(Arc::clone(&sealer), current, config.aws.secret_refresh);
    Ok(Begun { export, sealer, _following: AbortOnDropHandle::new(tokio::spawn(following)) })
}

/// What exports the spans of `calls`, if something does.
fn traced(config: &Config, sources: &Sources, calls: &Calls) -> Option<(Exporter, mpsc::Receiver<Span>)> {
    let otlp = config.telemetry.otlp.as_ref()?;
    let (tracer, spans) = Tracer::new(otlp.ratio, &config.gateway.name);
    let dropped = Arc::clone(&tracer.dropped);
    if otlp.traces.is_some() {
        calls.trace(tracer);
    }
    Some((Exporter::new(sources.http.clone(), otlp.clone(), sources.clock.now(), dropped), spans))
}

/// Lists the targets for as long as what it gives lives: nobody lists targets that are being stopped. `listens` to those that tell
/// of changes too.
fn discover(
    config: &Config,
    sources: &Sources,
    targets: &[Arc<Target>],
    outlets: Outlets,
    listens: bool,
) -> AbortOnDropHandle<()> {
    let (merging, refresh, clock) = (merging(config), config.limits.refresh, sources.clock.clone());
    let rules = Rules { merging, refresh, listens, clock };
    let targets = targets.to_vec();
    AbortOnDropHandle::new(tokio::spawn(async move { discovery::run(&targets, &rules, outlets).await }))
}

/// Exports spans and what `families` gives until it is `over`, where there is something to export.
async fn exported(
    export: Option<(Exporter, mpsc::Receiver<Span>)>,
    families: impl Fn() -> (Vec<Family>, Duration),
    over: &CancellationToken,
) {
    if let Some((exporter, spans)) = export {
        exporter.run(spans, families, over.clone()).await;
    }
}

/// Whom everything that `config` names has its secrets and tokens from.
pub fn sources(config: &Config, clock: Clock) -> anyhow::Result<Sources> {
    let http = http_client(config)?;
    let identity = Identity::new(config.aws.identity.clone(), clock.clone());
    let aws = Aws::new(http.clone(), identity, config.aws.endpoints.clone(), clock.clone());
    Ok(Sources { http, aws, secret_refresh: config.aws.secret_refresh, clock })
}

/// How people log in, if the configuration says how.
fn login(config: &Config, sources: &Sources, sealer: &Arc<Sealer>) -> Result<Option<Arc<Login>>, reqwest::Error> {
    let (Some(login), Authorizer::CustomJwt(jwt)) = (&config.login, &config.authorizer) else { return Ok(None) };
    let toolsets = config.toolsets.iter().filter(|toolset| shares_login(toolset, config));
    let name = (config.gateway.name.as_str(), toolsets.map(|toolset| toolset.name.clone()).collect());
    let login = Login::new(login, jwt, name, sources, Arc::clone(sealer))?;
    Ok(Some(Arc::new(login)))
}

/// Whether the callers of a toolset log in where those of the gateway do.
fn shares_login(toolset: &Toolset, config: &Config) -> bool {
    match (&toolset.authorizer, &config.authorizer, &config.login) {
        (None, _, _) => true,
        (Some(Authorizer::CustomJwt(own)), Authorizer::CustomJwt(gateway), Some(login)) => login.serves(gateway, own),
        _ => false,
    }
}

/// The gateway's own endpoint, and those of toolsets by their names: the same targets behind each, and before each an authorizer, a
/// view and what is said to clients of its own.
fn endpoints(
    config: &Config,
    sources: &Sources,
    (targets, outlets): (&[Arc<Target>], &Outlets),
    sealer: &Arc<Sealer>,
    stopping: &Stopping,
) -> (Endpoint, HashMap<String, Endpoint>) {
    let gateway = |view: &watch::Sender<Arc<View>>| {
        let patience = (config.limits.discovery, config.failover.first_byte);
        Arc::new(Gateway::new(targets, view.subscribe(), patience, Arc::clone(sealer), sources.clock.clone()))
    };
    let front = Front::new(
        gateway(&outlets.whole),
        config.gateway.clone(),
        config.sessions.clone(),
        &config.limits,
        Arc::clone(sealer),
        sources.clock.clone(),
        stopping.clone(),
    );
    let inbound = Inbound::new(&config.authorizer, sources);
    let toolsets = outlets.parts.iter().map(|(toolset, view)| {
        let own = toolset.authorizer.as_ref().map(|authorizer| Inbound::new(authorizer, sources));
        let inbound = own.as_ref().unwrap_or(&inbound).of_toolset(&toolset.name);
        let front = front.beside(gateway(view), settings_of(toolset, &config.gateway));
        let (shares_authorizer, shares_login) = (own.is_none(), shares_login(toolset, config));
        let path = [http::MCP_PATH, "/", toolset.name.as_str()].concat().into();
        (toolset.name.to_string(), Endpoint { path, inbound, front, shares_authorizer, shares_login })
    });
    let toolsets = toolsets.collect();
    let path = http::MCP_PATH.into();
    (Endpoint { path, inbound, front, shares_authorizer: true, shares_login: true }, toolsets)
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
