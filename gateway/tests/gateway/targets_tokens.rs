//! Tokens on the way to a target: a token endpoint that is down, slow or talks nonsense, and a target that refuses them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{body::Body, extract::Request, http::Response, middleware};
use causeway::{
    config::{self, ClientAuthentication, Config, Credential, Target, TokenEndpoint},
    credentials::ClientCredentials,
    identity_provider::{self, IdentityProvider, Pool, PoolClient},
    secret::Secret,
};
use causeway_core::catalog::Kind;
use causeway_oidc::clock::Clock;
use causeway_servers::{JwtArgs, Sample, ServeArgs};
use futures::future::BoxFuture;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    fake_target::{FakeTarget, Speaks, hang, json, status, success, typed},
    harness::{Gateway, http_target},
    issuer::Issuer,
    sample::Server,
    targets_calls,
    targets_client::{self, Client},
};

const POOL: &str = "target";

type Script = Arc<dyn Fn() -> BoxFuture<'static, Response<Body>> + Send + Sync>;

/// The identity provider of one target, whose token endpoint a test can replace.
struct Tokens {
    base: Url,
    asked: Arc<AtomicUsize>,
    script: watch::Sender<Option<Script>>,
}

impl Tokens {
    async fn start() -> Self {
        let client = PoolClient {
            id: "gateway".into(),
            secret: Secret::new("s3cret"),
            scopes: vec!["t/invoke".into()],
            extra_claims: serde_json::Map::new(),
        };
        let provider = IdentityProvider::new(
            vec![Pool { id: POOL.into(), clients: vec![client], ..Pool::default() }],
            Clock::system(),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = identity_provider::base_url(listener.local_addr().unwrap());
        let (asked, (script, scripted)) = (Arc::new(AtomicUsize::new(0)), watch::channel(None::<Script>));
        let counted = asked.clone();
        let replaced = move |request: Request, next: middleware::Next| {
            let (asked, scripted) = (counted.clone(), scripted.clone());
            async move {
                if !request.uri().path().ends_with("/oauth2/token") {
                    return next.run(request).await;
                }
                asked.fetch_add(1, Ordering::SeqCst);
                let script = scripted.borrow().clone();
                match script {
                    Some(script) => script().await,
                    None => next.run(request).await,
                }
            }
        };
        let router = provider.router(base.clone()).layer(middleware::from_fn(replaced));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, asked, script }
    }

    /// How often the token endpoint was asked.
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// From now on the token endpoint answers so.
    fn answer<F>(&self, script: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        self.script.send_replace(Some(Arc::new(move || Box::pin(script()))));
    }

    /// From now on it issues tokens.
    fn heal(&self) {
        self.script.send_replace(None);
    }

    /// `target` with this credential.
    fn credential(&self, mut target: Target) -> Target {
        target.credential = Credential::ClientCredentials(config::ClientCredentials {
            token_endpoint: TokenEndpoint::Url(identity_provider::token_url(&self.base, POOL)),
            client_id: "gateway".into(),
            client_secret: Secret::new("s3cret").into(),
            scopes: Vec::new(),
            client_authentication: ClientAuthentication::Basic,
            custom_parameters: Default::default(),
        });
        target
    }

    /// A sample server that verifies these tokens.
    async fn demanding(&self) -> Server {
        let jwt = JwtArgs {
            discovery_url: Some(identity_provider::discovery_url(&self.base, POOL).into()),
            allowed_clients: vec!["gateway".into()],
            ..JwtArgs::default()
        };
        Server::start_with(Sample::Calculator, ServeArgs { jwt, ..ServeArgs::default() }).await
    }
}

/// A thousand calls at once, and as many connections: a machine that is busy with other tests may take a while to make them.
fn for_a_thousand(config: &mut Config) {
    config.limits.target_calls = 1000;
    config.limits.connect = Duration::from_secs(60);
}

const ADD: &str = "calculator___add_numbers";
const SUM: &str = r#"{"a":2,"b":3}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_first_calls_cost_one_token_and_it_is_verified() {
    let tokens = Tokens::start().await;
    let server = tokens.demanding().await;
    let targets = [tokens.credential(server.target())];
    let gateway = Gateway::start_with(targets, for_a_thousand).await;
    // Listing has fetched a token already. A new one is needed once the old one is over, for all callers at once.
    assert_eq!(tokens.asked(), 1);
    gateway.clock.advance(Duration::from_secs(2 * 3600));
    let client = Client::new(&gateway, targets_client::Speaks::Session).await;
    let calls = (0..1000).map(|_| client.call(ADD, SUM));
    for got in futures::future::join_all(calls).await {
        assert!(got.ok().answer.contains(r#""result":5"#));
    }
    assert_eq!(tokens.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_calls_before_any_token_cost_one_request() {
    let tokens = Tokens::start().await;
    tokens.answer(|| async { status(503) });
    let fake = FakeTarget::start(Speaks::Modern);
    let targets = [tokens.credential(http_target("t", &fake.endpoint()))];
    let gateway = Gateway::start_with(targets, for_a_thousand).await;
    assert!(fake.asked("tools/list").is_empty(), "nothing is sent without a credential");
    let state = gateway.target_where("t", |target| target.error.is_some()).await;
    assert!(state.error_text().unwrap().contains("503"));
    tokens.heal();
    gateway.clock.advance(Duration::from_secs(3));
    gateway.target_where("t", |target| target.lists[Kind::Tools].is_some()).await;
    let before = tokens.asked();
    gateway.clock.advance(Duration::from_secs(2 * 3600));
    let client = Client::new(&gateway, targets_client::Speaks::Session).await;
    for got in targets_calls::all(&client, "t___echo", 1000).await {
        got.ok();
    }
    assert_eq!(tokens.asked(), before + 1);
}

#[tokio::test]
async fn a_token_endpoint_that_fails_takes_no_good_token() {
    let tokens = Tokens::start().await;
    let server = tokens.demanding().await;
    let gateway = Gateway::start([tokens.credential(server.target())]).await;
    let client = Client::new(&gateway, targets_client::Speaks::Session).await;
    client.call(ADD, SUM).await.ok();
    for (seconds, html) in [(55 * 60, true), (60, false)] {
        match html {
            true => tokens.answer(|| async { typed(200, "text/html", "<html>maintenance</html>") }),
            false => tokens.answer(|| async { status(503) }),
        }
        gateway.clock.advance(Duration::from_secs(seconds));
        client.call(ADD, SUM).await.ok();
    }
    // An hour is over: nothing is left to show.
    let client = Client::new(&gateway, targets_client::Speaks::Session).await;
    gateway.clock.advance(Duration::from_secs(3000));
    let client_after = Client::new(&gateway, targets_client::Speaks::Session).await;
    let got = client_after.call(ADD, SUM).await;
    assert_eq!(got.fault(), "credential");
    assert!(!got.answer.contains("s3cret") && !got.answer.contains(tokens.base.as_str()), "{}", got.answer);
    tokens.heal();
    gateway.clock.advance(Duration::from_secs(3));
    client.call(ADD, SUM).await.ok();
}

#[tokio::test]
async fn a_slow_token_endpoint_holds_up_its_target_alone() {
    let tokens = Tokens::start().await;
    let gate = CancellationToken::new();
    let closed = gate.clone();
    tokens.answer(move || {
        let gate = closed.clone();
        async move {
            gate.cancelled().await;
            json(200, r#"{"access_token":"late","token_type":"Bearer","expires_in":3600}"#)
        }
    });
    let (fake, well) = (FakeTarget::start(Speaks::Modern), FakeTarget::start(Speaks::Modern));
    let targets = [tokens.credential(http_target("t", &fake.endpoint())), http_target("well", &well.endpoint())];
    let gateway = Gateway::launch(Issuer::start().await, targets, |_| ()).await;
    gateway.target_where("well", |target| target.lists[Kind::Tools].is_some()).await;
    let client = Client::new(&gateway, targets_client::Speaks::Session).await;
    client.call("well___echo", "{}").await.ok();
    gate.cancel();
    gateway.target_where("t", |target| target.lists[Kind::Tools].is_some()).await;
    client.call("t___echo", "{}").await.ok();
    assert_eq!(fake.asked("tools/call")[0].headers["authorization"], "Bearer late");
    assert_eq!(tokens.asked(), 1);
    assert!(!well.asked("tools/call")[0].headers.contains_key("authorization"), "the caller's own token stays here");
}

#[tokio::test]
async fn one_401_costs_one_token_and_the_call_succeeds() {
    for speaks in [Speaks::Modern, Speaks::Sessions] {
        let tokens = Tokens::start().await;
        let fake = FakeTarget::start(speaks);
        let gateway = Gateway::start([tokens.credential(http_target("t", &fake.endpoint()))]).await;
        let first = fake.asked("tools/list")[0].headers["authorization"].clone();
        let refused = first.clone();
        fake.on("tools/call", move |asked| {
            let response = match asked.headers["authorization"] == refused {
                true => status(401),
                false => json(200, success(&asked.id, r#"{"resultType":"complete","content":[]}"#)),
            };
            async { response }
        });
        let client = Client::new(&gateway, targets_client::Speaks::Session).await;
        client.call("t___echo", "{}").await.ok();
        assert_eq!(tokens.asked(), 2);
        let calls = fake.asked("tools/call");
        assert_eq!(calls.len(), 2);
        assert_ne!(calls[1].headers["authorization"], first);
        client.call("t___echo", "{}").await.ok();
        assert_eq!(tokens.asked(), 2);
    }
}

#[tokio::test]
async fn a_401_each_time_is_a_typed_error_and_asks_for_few_tokens() {
    let tokens = Tokens::start().await;
    let fake = FakeTarget::start(Speaks::Modern);
    let target = tokens.credential(http_target("t", &fake.endpoint()));
    // Else the target would be down, and not asked, before the last of them.
    let gateway = Gateway::start_with([target], |config| config.failover.failures = 1000).await;
    fake.on("tools/call", |_| async { status(401) });
    let client = Client::new(&gateway, targets_client::Speaks::Session).await;
    let kinds: Vec<_> =
        targets_calls::all(&client, "t___echo", 100).await.iter().map(targets_client::Got::fault).collect();
    assert_eq!(kinds, vec!["unauthorized"; 100]);
    assert_eq!(tokens.asked(), 2, "the first, and one after the first refusal");
    gateway.clock.advance(ClientCredentials::FORCE_INTERVAL);
    assert_eq!(client.call("t___echo", "{}").await.fault(), "unauthorized");
    assert_eq!(tokens.asked(), 3);
}

#[tokio::test]
async fn a_token_endpoint_that_never_answers_ends_in_time() {
    let tokens = Tokens::start().await;
    tokens.answer(hang);
    let fake = FakeTarget::start(Speaks::Modern);
    let gateway = Gateway::start_with([tokens.credential(http_target("t", &fake.endpoint()))], |config| {
        config.limits.discovery = Duration::from_secs(1);
    })
    .await;
    let state = gateway.target_where("t", |target| target.tried).await;
    assert_eq!(state.error_text().unwrap(), "target `t` did not answer within 1s");
    assert!(fake.asked("server/discover").is_empty());
}
