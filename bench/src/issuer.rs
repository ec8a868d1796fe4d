//! The issuer of all tokens: the development identity provider, with a pool for callers and one for the upstream. Its tokens are
//! real ones, so whoever checks them does the real work.

use causeway::{
    identity_provider::{self, IdentityProvider, Pool, PoolClient},
    secret::Secret,
};
use causeway_oidc::{Verifier, clock::Clock};
use std::time::Duration;

use anyhow::Context;
use serde_json::json;
use tokio::net::TcpListener;
use url::Url;

const CALLERS: &str = "callers";
const UPSTREAM: &str = "upstream";

/// The client that calls, which `allowed_clients` lets in.
pub const CALLER: &str = "caller";
/// What its tokens allow, which `allowed_scopes` asks for.
pub const CALLER_SCOPE: &str = "gateway/call";
/// The client by which a gateway gets tokens for the upstream, and its secret.
pub const CLIENT: &str = "gateway";
/// It opens nothing outside of this run.
pub const CLIENT_SECRET: &str = "secret-of-the-benchmark";
/// What it asks for.
pub const CLIENT_SCOPE: &str = "upstream/call";

/// Longer than any run: what is measured is a token that is good.
const LIFETIME: Duration = Duration::from_secs(12 * 3600);

/// A running issuer.
#[derive(Debug)]
pub struct Issuer {
    base: Url,
    provider: IdentityProvider,
}

impl Issuer {
    /// Serves on a free port for as long as the runtime lives.
    pub async fn start() -> anyhow::Result<Self> {
        let client = PoolClient {
            id: CLIENT.into(),
            secret: Secret::new(CLIENT_SECRET),
            scopes: vec![CLIENT_SCOPE.into()],
            extra_claims: serde_json::Map::new(),
        };
        let upstream = Pool { id: UPSTREAM.into(), clients: vec![client], ..Pool::default() };
        let callers = Pool { id: CALLERS.into(), ..Pool::default() };
        let provider = IdentityProvider::with_token_lifetime(vec![callers, upstream], Clock::system(), LIFETIME);
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port for the issuer")?;
        let base = identity_provider::base_url(listener.local_addr()?);
        let router = provider.router(base.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { base, provider })
    }

    /// Of the callers.
    pub fn discovery_url(&self) -> Url {
        identity_provider::discovery_url(&self.base, CALLERS)
    }

    /// Where tokens for the upstream come from.
    pub fn token_endpoint(&self) -> Url {
        identity_provider::token_url(&self.base, UPSTREAM)
    }

    /// What a client shows a gateway.
    pub fn caller_token(&self) -> String {
        self.token(CALLERS, CALLER, CALLER_SCOPE)
    }

    /// What the upstream asks for, where nobody is between it and the client who would get one.
    pub fn upstream_token(&self) -> String {
        self.token(UPSTREAM, CLIENT, CLIENT_SCOPE)
    }

    fn token(&self, pool: &str, client: &str, scope: &str) -> String {
        let now = Clock::system().now();
        let claims = json!({
            "sub": client, "client_id": client, "token_use": "access", "scope": scope,
            "iss": identity_provider::issuer(&self.base, pool), "iat": now.as_secs(), "exp": (now + LIFETIME).as_secs(),
        });
        self.provider.sign(pool, &claims)
    }

    /// Judges tokens for the upstream.
    pub fn verifier(&self) -> anyhow::Result<Verifier> {
        let http = reqwest::Client::builder().no_proxy().build().context("no HTTP client")?;
        let url = identity_provider::discovery_url(&self.base, UPSTREAM);
        Ok(Verifier::new(url, http, Clock::system(), Duration::ZERO))
    }
}
