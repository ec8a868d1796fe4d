//! The issuer of the callers' tokens, on a free port: the development identity provider behind a switch. Signs what a test
//! asks for, good or bad.

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use causeway::{
    identity_provider::{self, IdentityProvider, Pool, PublicClient, User},
    secret::Secret,
};
use causeway_oidc::clock::Clock;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use crate::harness::TestClock;

/// The pool of the gateway's callers.
const POOL: &str = "callers";
/// The client that people log in with.
pub(crate) const PEOPLE: &str = "people";
/// Who logs in.
pub(crate) const USER: &str = "carol";
pub(crate) const PASSWORD: &str = "Password-of-carol-1";
/// Where the issuer sends people back to.
pub(crate) const CALLBACK: &str = "https://tools.example.com/login/callback";

/// Making keys takes long, and most tests do not care which they are.
static SHARED: LazyLock<IdentityProvider> = LazyLock::new(|| provider(Clock::system()));

/// A running issuer. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Issuer {
    pub(crate) base: Url,
    /// What it, and the gateway that trusts it, take for the time.
    pub(crate) clock: TestClock,
    provider: IdentityProvider,
    switch: Arc<Switch>,
}

#[derive(Default)]
struct Switch {
    down: AtomicBool,
    requests: AtomicUsize,
}

impl Issuer {
    /// An issuer whose keys other tests have too.
    pub(crate) async fn start() -> Self {
        Self::serve(SHARED.clone(), TestClock::new()).await
    }

    /// An issuer with keys of its own, which may be rotated.
    pub(crate) async fn with_own_keys() -> Self {
        let clock = TestClock::new();
        Self::serve(provider(clock.clock()), clock).await
    }

    async fn serve(provider: IdentityProvider, clock: TestClock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = identity_provider::base_url(listener.local_addr().unwrap());
        let switch = Arc::<Switch>::default();
        let router = provider.router(base.clone()).layer(from_fn_with_state(switch.clone(), switched));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, clock, provider, switch }
    }

    /// It answers nothing but 503 from now on, or it is well again.
    pub(crate) fn set_down(&self, down: bool) {
        self.switch.down.store(down, Ordering::SeqCst);
    }

    /// How often it was asked anything.
    pub(crate) fn requests(&self) -> usize {
        self.switch.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn discovery_url(&self) -> Url {
        identity_provider::discovery_url(&self.base, POOL)
    }

    /// The `iss` of its tokens.
    pub(crate) fn name(&self) -> String {
        identity_provider::issuer(&self.base, POOL)
    }

    /// Signs with a new key from now on.
    pub(crate) fn rotate(&self) {
        self.provider.rotate(POOL);
    }

    /// Publishes the newest key only.
    pub(crate) fn drop_old_keys(&self) {
        self.provider.drop_old_keys(POOL);
    }

    /// An access token as Cognito gives it to the machine `client`, good for an hour.
    pub(crate) fn token(&self, client: &str) -> String {
        self.token_with(client, json!({}))
    }

    /// The same with `changes` over its claims; a claim that becomes null is left out.
    pub(crate) fn token_with(&self, client: &str, changes: Value) -> String {
        self.sign(&self.claims(client, changes))
    }

    /// The claims of such a token.
    pub(crate) fn claims(&self, client: &str, changes: Value) -> Value {
        let now = self.clock.now().as_secs();
        let mut claims = json!({
            "sub": client, "client_id": client, "token_use": "access", "scope": "gateway/call", "iss": self.name(),
            "iat": now, "exp": now + 3600,
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        claims
    }

    /// A token with exactly these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.provider.sign(POOL, claims)
    }

    /// The keys that it publishes.
    pub(crate) async fn jwks(&self) -> Value {
        let url = self.base.join(&format!("{POOL}/.well-known/jwks.json")).unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        serde_json::from_str(&http.get(url).send().await.unwrap().text().await.unwrap()).unwrap()
    }
}

fn provider(clock: Clock) -> IdentityProvider {
    let people = PublicClient {
        id: PEOPLE.into(),
        callback_urls: vec![CALLBACK.into()],
        scopes: vec!["gateway/call".into(), "openid".into()],
        extra_claims: serde_json::Map::new(),
    };
    let (password, temporary_password) = (Secret::new(PASSWORD), Secret::new("Temporary-1"));
    let user = User { name: USER.into(), password, temporary_password };
    let pool = Pool { id: POOL.into(), public_clients: vec![people], users: vec![user], ..Pool::default() };
    IdentityProvider::new(vec![pool], clock)
}

async fn switched(State(switch): State<Arc<Switch>>, request: Request, next: Next) -> Response {
    switch.requests.fetch_add(1, Ordering::SeqCst);
    match switch.down.load(Ordering::SeqCst) {
        true => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        false => next.run(request).await,
    }
}
