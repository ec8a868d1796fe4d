//! A gateway on a free port in the test's own runtime, with an issuer and a clock that the test controls. Asserts nothing.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use causeway::{
    app::{App, Listeners},
    calls::Calls,
    config::{
        Config, Credential, Draft, Environment, EraChoice, HttpTarget, StdioTarget, Target, TargetKind, TargetSessions,
        Toolset, Transport,
    },
    discovery::{TargetState, View},
    http::MCP_PATH,
    reload::{Outcome, Standing, Wanted},
};
use causeway_oidc::clock::Clock;
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{caller::Caller, issuer::Issuer};

/// A running gateway. It ends with the test's runtime, or earlier with [`Gateway::stop`].
pub(crate) struct Gateway {
    /// `http://127.0.0.1:port`
    pub(crate) origin: String,
    /// Where MCP is served.
    pub(crate) url: String,
    pub(crate) issuer: Issuer,
    pub(crate) clock: TestClock,
    /// `http://127.0.0.1:port` of the admin port.
    pub(crate) admin: String,
    pub(crate) calls: Calls,
    view: watch::Receiver<Arc<View>>,
    /// What it was started with, or told to go on with last.
    config: Mutex<Config>,
    wanted: mpsc::Sender<Wanted>,
    pub(crate) standing: watch::Receiver<Standing>,
    stop: CancellationToken,
    served: JoinHandle<anyhow::Result<()>>,
}

/// A clock that stands still at the time of its making until it is moved.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<Mutex<Duration>>);

impl Gateway {
    /// A gateway before `targets` that lets in `alice` and `bob`, once every target was asked for its list.
    pub(crate) async fn start(targets: impl Into<Vec<Target>>) -> Self {
        Self::start_with(targets, |_| ()).await
    }

    /// The same with changes to its configuration.
    pub(crate) async fn start_with(targets: impl Into<Vec<Target>>, change: impl FnOnce(&mut Config)) -> Self {
        let gateway = Self::launch(Issuer::start().await, targets, change).await;
        gateway.ready().await;
        gateway
    }

    /// The same with an issuer of the test's choice, not waiting for any target.
    pub(crate) async fn launch(
        issuer: Issuer,
        targets: impl Into<Vec<Target>>,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let clock = issuer.clock.clone();
        let mut config = config(&issuer);
        config.targets = targets.into();
        change(&mut config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let wanted = config.admin.map_or(([127, 0, 0, 1], 0).into(), |admin| SocketAddr::new(admin.listen.ip(), 0));
        let admin_listener = TcpListener::bind(wanted).await.unwrap();
        let admin = format!("http://127.0.0.1:{}", admin_listener.local_addr().unwrap().port());
        let app = App::build(config.clone(), clock.clock()).unwrap();
        let (view, calls, standing) = (app.view(), app.calls(), app.standing());
        let (wanted, reloads) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let listeners = Listeners { gateway: listener, admin: Some(admin_listener) };
        let served = tokio::spawn(app.run_reloading(listeners, reloads, stop.clone().cancelled_owned()));
        let (url, config) = (format!("{origin}{MCP_PATH}"), Mutex::new(config));
        Self { url, origin, issuer, clock, admin, calls, view, config, wanted, standing, stop, served }
    }

    /// A client with a good token, whose `sub` and `client_id` are `name`.
    pub(crate) fn caller(&self, name: &str) -> Caller {
        self.with_token(&self.issuer.token(name))
    }

    /// A client without a token.
    pub(crate) fn anonymous(&self) -> Caller {
        Caller::new(&self.url)
    }

    /// A client with this token.
    pub(crate) fn with_token(&self, token: &str) -> Caller {
        self.anonymous().header("authorization", &format!("Bearer {token}"))
    }

    /// Waits until every target was asked for its list, whatever came of it.
    pub(crate) async fn ready(&self) {
        self.view_where(|view| !view.targets.is_empty() && view.is_complete()).await;
    }

    /// Waits until what is known of the targets is as `wanted`, and gives it.
    pub(crate) async fn view_where(&self, wanted: impl Fn(&View) -> bool) -> Arc<View> {
        let mut view = self.view.clone();
        view.wait_for(|view| wanted(view)).await.expect("the gateway runs").clone()
    }

    /// Waits until what is known of target `name` is as `wanted`, and gives it.
    pub(crate) async fn target_where(&self, name: &str, wanted: impl Fn(&TargetState) -> bool) -> TargetState {
        let of = |view: &View| view.targets.iter().find(|target| target.name.as_str() == name).cloned();
        let view = self.view_where(|view| of(view).is_some_and(|target| wanted(&target))).await;
        of(&view).expect("it was there a moment ago")
    }

    /// Has its configuration with a `change` take the place of the one before.
    pub(crate) async fn want(&self, change: impl FnOnce(&mut Config)) {
        let config = {
            let mut config = self.config.lock().unwrap();
            change(&mut config);
            Ok(Box::new(config.clone()))
        };
        self.wanted.send(Wanted { config, later: Vec::new() }).await.unwrap();
    }

    /// The same, and waits for what comes of it.
    pub(crate) async fn reload(&self, change: impl FnOnce(&mut Config)) -> Outcome {
        let mut standing = self.standing.clone();
        let before = standing.borrow().read();
        self.want(change).await;
        let standing = standing.wait_for(|standing| standing.read() > before).await.unwrap();
        standing.last.unwrap().0
    }

    /// `text` with the addresses of this gateway and its issuer, which change with each run, made fixed.
    pub(crate) fn masked(&self, text: &str) -> String {
        let bare = |url: &str| url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        text.replace(&bare(&self.origin), "gateway.test").replace(&bare(self.issuer.base.as_str()), "issuer.test")
    }

    /// Asks the gateway to stop, and goes on at once.
    pub(crate) fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    /// Stops the gateway and waits for its end.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.ask_to_stop();
        self.served.await.expect("the gateway does not panic")
    }
}

impl TestClock {
    /// A clock that shows the real time now, so that other parties' tokens are good.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Clock::system().now())))
    }

    /// Moves the time on.
    pub(crate) fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }

    /// The time it shows, since the Unix epoch.
    pub(crate) fn now(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    /// For whoever takes a [`Clock`].
    pub(crate) fn clock(&self) -> Clock {
        let clock = self.clone();
        Clock::from_fn(move || clock.now())
    }
}

/// A target behind a URL, without credential.
pub(crate) fn http_target(name: &str, endpoint: &str) -> Target {
    let (endpoint, era, sessions) = (endpoint.parse().unwrap(), EraChoice::Auto, TargetSessions::default());
    let http = HttpTarget { endpoint, further: Vec::new(), runtime: false, era, sessions };
    target(name, Transport::Http(http))
}

/// A target that is a child process.
pub(crate) fn stdio_target(name: &str, command: &[&str]) -> Target {
    let command = command.iter().map(ToString::to_string).collect();
    let stdio = StdioTarget { command, env: Default::default(), working_directory: None, era: EraChoice::Auto };
    target(name, Transport::Stdio(stdio))
}

fn target(name: &str, transport: Transport) -> Target {
    let name = name.parse().unwrap();
    let kind = TargetKind::Server;
    let (edits, credential) = (Arc::default(), Credential::None);
    Target { name, kind, transport, resource_priority: 1000, edits, credential, dev: None }
}

/// What a user's config.toml says if it says no more than it must.
fn config(issuer: &Issuer) -> Config {
    let text = format!(
        r#"
        [admin]

        [authorizer.custom_jwt]
        discovery_url = "{}"
        allowed_clients = ["alice", "bob"]
        allowed_scopes = ["gateway/call"]

        [[targets]]
        name = "replaced"
        http.endpoint = "http://127.0.0.1:1/mcp"
        "#,
        issuer.discovery_url()
    );
    resolve(&text)
}

/// The toolsets that `text`, a part of a config.toml, holds.
pub(crate) fn toolsets(text: &str) -> Vec<Toolset> {
    let rest = "authorizer = \"none\"\n[[targets]]\nname = \"t\"\nhttp.endpoint = \"http://127.0.0.1:1/mcp\"\n";
    resolve(&[rest, text].concat()).toolsets
}

/// The configuration that `text` holds.
pub(crate) fn resolve(text: &str) -> Config {
    let draft = Draft::parse(Path::new("config.toml"), text).unwrap();
    draft.resolve(&Environment::of([("", ""); 0])).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}
