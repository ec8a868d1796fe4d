//! The gateway as a function that Lambda calls: nothing runs between two requests, so each of them sees to what elsewhere happens
//! in the background.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::bail;
use axum::{body::Body, extract::Request};
use causeway_core::{catalog::Paging, name::PathName};
use causeway_oidc::clock::Clock;
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{App, begin, effect::Ready, exported};
use crate::{
    config::{Authorizer, Config, SessionMode},
    discovery::{TargetState, View},
    http::{Entrance, MCP_PATH, Served},
    lambda::{self, Reading},
    targets::Target,
};

/// For all targets to be listed, and keys to be fetched, before the first request: Lambda gives a function 10 s to start.
const START: Duration = Duration::from_secs(8);
/// What a request waits for targets that are due to be listed again.
const MOMENT: Duration = Duration::from_secs(2);
/// From one try to list a target that could not be listed to the next.
const AGAIN: Duration = Duration::from_secs(30);
/// For the audit log to be written, before the process may stand still.
const WRITTEN: Duration = Duration::from_millis(300);

/// Sees to it that the lists are complete and not out of date.
struct Fresh {
    targets: Vec<Arc<Target>>,
    view: watch::Receiver<Arc<View>>,
    /// When each was asked for the last time because of its age.
    asked: Mutex<HashMap<PathName, Duration>>,
    refresh: Duration,
    discovery: Duration,
    clock: Clock,
}

impl App {
    /// Answers what Lambda brings until `shutdown` is ready. Answers are JSON whole, and there are no sessions: there is no stream
    /// that they could be for, and the next request may be another process's.
    ///
    /// # Errors
    /// An authorizer that lets everyone in, unless the configuration insists; an audit log that cannot be opened; session keys that
    /// cannot be read; Lambda's Runtime API cannot be asked.
    pub async fn run_invoked(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        check(&self.parts.config)?;
        let (mut parts, export, mut ground) = begin(self, false).await?;
        parts.config.gateway.streaming = false;
        parts.config.sessions.mode = SessionMode::Off;
        let known = parts.targets.iter().map(|target| TargetState::new(target)).collect();
        let local = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 443));
        let effect = Ready::first(parts, known, &mut ground)?.serve(local, &mut ground);
        let (served, calls) = (Arc::clone(&effect.served), ground.calls.clone());
        let config = &effect.parts.config;
        let fresh =
            Fresh::new(config, &effect.parts.targets, served.gateway.front.gateway.views(), ground.clock.clone());
        fresh.started(&served).await;
        let reading = reading(config, ground.clock.clone());
        let over = CancellationToken::new();
        let entrance = Entrance::new(served);
        let answer = |request: Request<Body>| async {
            fresh.freshen().await;
            entrance.answer(request).await
        };
        let settle = async || {
            if let Some(audit) = calls.audit() {
                audit.flush(WRITTEN).await;
            }
        };
        let serving = async {
            let ended = tokio::select! {
                ended = lambda::run(reading, answer, settle) => ended,
                () = shutdown => Ok(()),
            };
            over.cancel();
            ended
        };
        let exported = exported(export, || (calls.families(), ground.clock.now()), &over);
        let (ended, ()) = futures::future::join(serving, exported).await;
        ground.end(effect.end()).await;
        ended
    }
}

/// Refuses what would be served to everyone by mistake, and says what a function does not do.
fn check(config: &Config) -> anyhow::Result<()> {
    let open = config.authorizers().any(|(_, authorizer)| matches!(authorizer, Authorizer::None));
    if open && config.gateway.listen.ip().is_loopback() {
        bail!(
            "`authorizer = \"none\"` is for an address of this machine alone, and a function is called from elsewhere: write \
             `[authorizer.custom_jwt]`, or, if everyone may call, `gateway.listen = \"0.0.0.0:8080\"` with \
             `gateway.allow_unauthenticated = true`"
        );
    }
    if config.gateway.public_url.is_none() {
        tracing::warn!("`gateway.public_url` is not set: OAuth metadata cannot say how clients reach this function");
    }
    if config.sessions.keys.is_empty() && config.gateway.paging != Paging::Whole {
        tracing::warn!(
            "`sessions.key_env` and `key_arn` are not set: a page that one instance of this function begins, no other can go on with"
        );
    }
    if config.admin.is_some() {
        tracing::info!("a function has no admin port: `[admin]` has no effect");
    }
    Ok(())
}

fn reading(config: &Config, clock: Clock) -> Reading {
    let base = config.gateway.public_url.as_ref().and_then(|url| url.path().strip_suffix(MCP_PATH));
    let trusts_authorizer = config.lambda.trusts_authorizer;
    Reading { base: base.unwrap_or_default().to_owned(), trusts_authorizer, clock }
}

impl Fresh {
    fn new(config: &Config, targets: &[Arc<Target>], view: watch::Receiver<Arc<View>>, clock: Clock) -> Self {
        let (refresh, discovery) = (config.limits.refresh, config.limits.discovery);
        Self { targets: targets.to_vec(), view, asked: Mutex::default(), refresh, discovery, clock }
    }

    /// Waits for the lists of all targets and for the keys of all issuers, as far as Lambda gives time for it.
    async fn started(&self, served: &Served) {
        let keys = served.endpoints().map(|endpoint| endpoint.inbound.prepare());
        let keys = timeout(START, futures::future::join_all(keys));
        // An issuer that cannot be reached is in the log; who calls later asks it again.
        let _ = futures::future::join(keys, self.complete(START)).await;
    }

    /// Waits until every target was asked once; then has those asked again whose lists are old or could not be had, and waits a
    /// moment for all of them: what is not answered before the process stands still would not be answered after that either.
    async fn freshen(&self) {
        self.complete(self.discovery).await;
        let now = self.clock.now();
        let due = self.due(now);
        let again = |state: &TargetState| state.asked.is_some_and(|at| at >= now);
        let done = |view: &Arc<View>| view.paths.iter().filter(|it| due.contains(&it.path)).all(again);
        let _ = timeout(MOMENT, self.view.clone().wait_for(done)).await;
    }

    /// Has those asked again whose lists are old.
    fn due(&self, now: Duration) -> Vec<PathName> {
        let mut asked = self.asked.lock().expect("no holder of this lock panics");
        let view = Arc::clone(&self.view.borrow());
        let mut due = Vec::new();
        for (state, target) in view.paths.iter().zip(&self.targets) {
            let last = asked.get(&state.path).copied().max(state.asked).unwrap_or_default();
            let age = if state.error.is_some() { AGAIN.min(self.refresh) } else { self.refresh };
            if state.tried && now >= last + age {
                asked.insert(state.path.clone(), now);
                target.note_change();
                due.push(state.path.clone());
            }
        }
        due
    }

    async fn complete(&self, patience: Duration) {
        let waited = timeout(patience, self.view.clone().wait_for(|view| view.is_complete())).await.is_ok();
        if !waited {
            tracing::warn!("not every target was listed within {patience:?}; its tools follow when it is");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

    use ::http::StatusCode;
    use axum::response::Response;
    use axum::{Router, extract::State, routing::post};
    use bytes::Bytes;
    use causeway_core::catalog::Kind;
    use serde_json::{Value, json};
    use tokio::net::TcpListener;
    use tokio_util::task::AbortOnDropHandle;

    use super::*;
    use crate::{
        config::{Draft, Environment},
        discovery::Followed,
        http::json_response,
    };

    /// A target with one more tool each time that it is listed, while it is up.
    async fn growing(State((listed, up)): State<(Arc<AtomicUsize>, Arc<AtomicBool>)>, asked: Bytes) -> Response {
        if !up.load(Ordering::SeqCst) {
            return json_response(StatusCode::SERVICE_UNAVAILABLE, &Value::Null);
        }
        let asked: Value = serde_json::from_slice(&asked).unwrap();
        let result = match asked["method"].as_str() {
            Some("tools/list") => {
                let tools = 0..=listed.fetch_add(1, Ordering::SeqCst);
                let tool = |number| json!({"name": format!("tool-{number}"), "inputSchema": {"type": "object"}});
                json!({"resultType": "complete", "tools": tools.map(tool).collect::<Vec<_>>()})
            }
            _ => json!({"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}),
        };
        json_response(StatusCode::OK, &json!({"jsonrpc": "2.0", "id": asked["id"], "result": result}))
    }

    /// A function with that target.
    struct Function {
        fresh: Fresh,
        refresh: Duration,
        time: Arc<AtomicU64>,
        listed: Arc<AtomicUsize>,
        up: Arc<AtomicBool>,
        _publishing: AbortOnDropHandle<()>,
        _followed: Vec<Arc<Followed>>,
    }

    impl Function {
        async fn start(up: bool) -> Self {
            let (listed, up) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(up)));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let endpoint = format!("http://{}/mcp", listener.local_addr().unwrap());
            let state = (Arc::clone(&listed), Arc::clone(&up));
            let target = Router::new().route("/mcp", post(growing)).with_state(state);
            tokio::spawn(async move { axum::serve(listener, target).await });
            let text = format!(
                "authorizer = \"none\"\n[[targets]]\nname = \"t\"\nhttp.endpoint = \"{endpoint}\"\nhttp.era = \"modern\""
            );
            let draft = Draft::parse("config.toml".as_ref(), &text).unwrap();
            let config = draft.resolve(&Environment::of([("", ""); 0])).unwrap();
            let time = Arc::new(AtomicU64::new(1_000_000));
            let now = Arc::clone(&time);
            let clock = Clock::from_fn(move || Duration::from_secs(now.load(Ordering::SeqCst)));
            let (parts, _, mut ground) = begin(App::build(config, clock.clone()).unwrap(), false).await.unwrap();
            let known = parts.targets.iter().map(|target| TargetState::new(target)).collect();
            let ready = Ready::first(parts, known, &mut ground).unwrap();
            let (config, views) = (&ready.parts.config, ready.gateway.front.gateway.views());
            let (fresh, refresh) = (Fresh::new(config, &ready.parts.targets, views, clock), config.limits.refresh);
            let _publishing = ready.publishing(&ground);
            let _followed = ready.followed;
            Self { fresh, refresh, time, listed, up, _publishing, _followed }
        }

        /// How many tools a request finds that comes so much later.
        async fn tools_after(&self, pause: Duration) -> usize {
            self.time.fetch_add(pause.as_secs(), Ordering::SeqCst);
            self.fresh.freshen().await;
            self.fresh.view.borrow().catalog.list(Kind::Tools).len()
        }
    }

    #[tokio::test]
    async fn a_request_after_a_long_standstill_finds_new_lists() {
        let function = Function::start(true).await;
        assert_eq!(function.tools_after(Duration::ZERO).await, 1, "the first request finds complete lists");
        let last = function.refresh - Duration::from_secs(1);
        assert_eq!(function.tools_after(last).await, 1, "they are not old yet");
        assert_eq!(function.tools_after(Duration::from_secs(1)).await, 2);
        let again = function.tools_after(Duration::ZERO).await;
        assert_eq!((again, function.listed.load(Ordering::SeqCst)), (2, 2), "once is enough");
    }

    #[tokio::test]
    async fn a_target_that_is_up_again_is_listed_before_the_process_stands_still_again() {
        let function = Function::start(false).await;
        assert_eq!(function.tools_after(Duration::ZERO).await, 0);
        function.up.store(true, Ordering::SeqCst);
        assert_eq!(function.tools_after(AGAIN).await, 1);
    }
}
