//! The composition root: from a configuration to a gateway that runs until it is told to stop.

mod piped;

pub use self::piped::Speaker;

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use causeway_aws::{Aws, Identity};
use causeway_core::{catalog::Naming, seal::Sealer};
use causeway_oidc::clock::Clock;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    admin::{self, Admin},
    calls::Calls,
    config::{Authorizer, Config},
    credentials::Credential,
    discovery::{self, Merging, Rules, TargetState, View},
    front::Front,
    gateway::Gateway,
    http::{self, Served},
    inbound::Inbound,
    login::Login,
    serve::{Bounds, Connections, serve},
    session_keys::SessionKeys,
    stored::Sources,
    targets::Target,
};

/// For the head of a request. The same time ends an idle connection, so it is longer than load balancers keep theirs (60 s
/// by default on AWS): the side that reuses a connection must be the one that closes it.
const HEAD: Duration = Duration::from_secs(75);
/// Open requests get so long to end once the gateway is told to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// A gateway, built and not yet running.
#[derive(Debug)]
pub struct App {
    config: Config,
    sources: Sources,
    /// In config order, each place of a target for itself.
    targets: Vec<Arc<Target>>,
    publish: watch::Sender<Arc<View>>,
    calls: Calls,
}

/// Connections to the admin port at once: people and scrapers are few, and must not keep clients out.
const ADMIN_CONNECTIONS: usize = 256;

/// Where a gateway is to serve: bound, so that both addresses are known before it does.
#[derive(Debug)]
pub struct Listeners {
    /// For clients.
    pub gateway: TcpListener,
    /// For who runs it; absent where nobody is to see it so.
    pub admin: Option<TcpListener>,
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
        let (publish, _) = watch::channel(Arc::new(View::unlisted(&targets)));
        let calls = Calls::new(sources.clock.clone());
        Ok(Self { config, sources, targets, publish, calls })
    }

    /// What is known of the targets, as it changes.
    pub fn view(&self) -> watch::Receiver<Arc<View>> {
        self.publish.subscribe()
    }

    /// What it would serve, in config order, each place of a target for itself.
    pub fn targets(&self) -> &[Arc<Target>] {
        &self.targets
    }

    /// What becomes of the calls of clients.
    pub fn calls(&self) -> Calls {
        self.calls.clone()
    }

    /// Lists each target once and stops them: what clients would see of it. Serves nobody.
    pub async fn survey_merged(self) -> View {
        let merging = merging(&self.config);
        View::of(self.survey().await, &merging)
    }

    /// Lists each place of each target once and stops them: what came of it, in config order. Serves nobody.
    pub async fn survey(self) -> Vec<TargetState> {
        let states = discovery::survey(&self.targets, &self.sources.clock).await;
        futures::future::join_all(self.targets.iter().map(|target| target.stop())).await;
        states
    }

    /// Serves on `listeners` until `shutdown` is ready, then lets open requests end and stops the targets.
    pub async fn run(
        self,
        listeners: Listeners,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> anyhow::Result<()> {
        let Self { config, sources, targets, publish, calls } = self;
        let keys = SessionKeys::new(&config.sessions.keys, &sources.aws);
        let (sealer, current) = keys.sealer().await.context("sessions cannot be sealed")?;
        let following = keys.follow(Arc::clone(&sealer), current, config.aws.secret_refresh);
        // Ends with this function.
        let _following = AbortOnDropHandle::new(tokio::spawn(following));
        let local = listeners.gateway.local_addr().context("the listener has no address")?;
        let inbound = Inbound::new(&config.authorizer, &sources);
        let login = login(&config, &sources, &sealer)
            .context("the system trusts no certificates: install `ca-certificates`")?;
        let prepared = inbound.clone();
        tokio::spawn(async move { prepared.prepare().await });
        let clock = sources.clock;
        let rules = Rules { merging: merging(&config), refresh: config.limits.refresh, clock: clock.clone() };
        let stopping = CancellationToken::new();
        let (told, over) = (stopping.clone(), CancellationToken::new());
        let shutdown = async move {
            shutdown.await;
            told.cancel();
        };
        let served = Served {
            inbound,
            login,
            limits: config.limits.clone(),
            calls,
            front: Front::new(
                Arc::new(Gateway::new(
                    &targets,
                    publish.subscribe(),
                    (config.limits.discovery, config.failover.first_byte),
                    Arc::clone(&sealer),
                    clock.clone(),
                )),
                config.gateway,
                config.sessions,
                &config.limits,
                sealer,
                clock.clone(),
                stopping.clone(),
            ),
            local,
        };
        tracing::info!("listening on http://{local}{}", http::MCP_PATH);
        let listed = targets.clone();
        let discovery = async move { discovery::run(&listed, &rules, publish).await };
        // Ends with this function: nobody lists targets that are being stopped.
        let _discovery = AbortOnDropHandle::new(tokio::spawn(discovery));
        let served = Arc::new(served);
        let connections = Connections::new(served.limits.connections);
        let watched = async {
            let Some((listener, settings)) = listeners.admin.zip(config.admin) else { return Ok(()) };
            let local = listener.local_addr().context("the admin listener has no address")?;
            tracing::info!("metrics and health on http://{local}");
            let (served, connections) = (Arc::clone(&served), connections.clone());
            let admin = Admin { settings, local, served, connections, started: clock.now(), clock };
            let bounds = Bounds { connections: Connections::new(ADMIN_CONNECTIONS), head: HEAD, drain: DRAIN };
            // It is there for as long as clients are served: what they still wait for can be seen.
            serve(listener, admin::router(Arc::new(admin)), bounds, over.cancelled()).await;
            anyhow::Ok(())
        };
        let bounds = Bounds { connections: connections.clone(), head: HEAD, drain: DRAIN };
        let serving = async {
            serve(listeners.gateway, http::router(Arc::clone(&served)), bounds, shutdown).await;
            over.cancel();
            Ok(())
        };
        futures::future::try_join(serving, watched).await?;
        futures::future::join_all(targets.iter().map(|target| target.stop())).await;
        Ok(())
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
    let login = Login::new(login, jwt, &config.gateway.name, sources, Arc::clone(sealer))?;
    Ok(Some(Arc::new(login)))
}

/// What the configuration wants made of the lists of targets.
fn merging(config: &Config) -> Merging {
    let audience = config.clients.audience.clone();
    let shorten = audience.fit().filter(|_| config.clients.shorten);
    Merging { naming: Naming { names: config.gateway.names, shorten }, audience }
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
        .user_agent(concat!("causeway/", env!("CARGO_PKG_VERSION")))
        // A redirect could send a client secret to another host.
        .redirect(reqwest::redirect::Policy::none());
    let builder = config.proxies.apply(builder).context("a proxy of the environment cannot be used")?;
    change(builder).build().context("the HTTP client could not be built")
}
