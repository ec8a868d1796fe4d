//! An identity provider for development and tests, shaped like Amazon Cognito: pools with a discovery document, a JWK set,
//! tokens for client credentials, and a login page for people. It serves loopback only, forgets everything at its end, and is
//! no part of `causeway serve`. It shares no code with what verifies its tokens, nor with what a login passes through.
//!
//! Like Cognito it has neither RFC 8414 metadata nor registration, compares callback URLs letter by letter, and takes no
//! `resource` (RFC 8707).
//!
//! Source: the Cognito developer guide, pages "Token endpoint", "The redirect and authorization endpoint", "The managed login
//! sign-in endpoint" and "Understanding the access token"; API reference, `InitiateAuth`.

use std::{collections::BTreeMap, fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use causeway_oidc::clock::Clock;
use serde_json::{Map, Value};
use url::Url;

use crate::secret::Secret;

mod grants;
mod keys;
mod page;
mod pool;
mod routes;
mod users;

use pool::PoolState;

/// A user pool: one issuer with keys of its own.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    /// The first segment of its URLs, for example `gateway`.
    pub id: String,
    pub clients: Vec<PoolClient>,
    pub public_clients: Vec<PublicClient>,
    pub users: Vec<User>,
}

/// An app client of a pool, for machine to machine.
#[derive(Clone, Debug)]
pub struct PoolClient {
    pub id: String,
    pub secret: Secret,
    /// What it may ask for, for example `mcp/invoke`; a request that asks for nothing gets all.
    pub scopes: Vec<String>,
    /// Put into each of its tokens over Cognito's own claims.
    pub extra_claims: Map<String, Value>,
}

/// An app client of a pool without a secret, for programs that people log in with.
#[derive(Clone, Debug)]
pub struct PublicClient {
    pub id: String,
    /// Where it may send people back to, letter by letter.
    pub callback_urls: Vec<String>,
    /// What it may ask for; a request that asks for nothing gets all.
    pub scopes: Vec<String>,
    /// Put into each of its access tokens over Cognito's own claims.
    pub extra_claims: Map<String, Value>,
}

/// Somebody who can log in.
#[derive(Clone, Debug)]
pub struct User {
    pub name: String,
    /// Lets in, until another is chosen.
    pub password: Secret,
    /// Lets in too, but only to choose another password, as one that an administrator gave.
    pub temporary_password: Secret,
}

/// The pools and their keys. Clones share them, so one clone can serve while another rotates keys.
#[derive(Clone)]
pub struct IdentityProvider(Arc<Inner>);

struct Inner {
    pools: BTreeMap<String, PoolState>,
    clock: Clock,
    token_lifetime: Duration,
}

/// Why the identity provider does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Its secrets are in a config file and its tokens open a gateway: nobody else may reach it.
    #[error("the development identity provider serves loopback only, not `{0}`: listen on `127.0.0.1`")]
    NotLoopback(SocketAddr),
    #[error("the development identity provider cannot serve")]
    Io(#[from] io::Error),
}

impl IdentityProvider {
    /// What Cognito's tokens live by default.
    pub const TOKEN_LIFETIME: Duration = Duration::from_secs(3600);

    /// Makes an RSA key pair for each pool, which takes some tenths of a second each.
    pub fn new(pools: Vec<Pool>, clock: Clock) -> Self {
        Self::with_token_lifetime(pools, clock, Self::TOKEN_LIFETIME)
    }

    /// The same, with tokens that live `token_lifetime`, in whole seconds.
    pub fn with_token_lifetime(pools: Vec<Pool>, clock: Clock, token_lifetime: Duration) -> Self {
        let pools = pools.into_iter().map(|pool| (pool.id.clone(), PoolState::new(pool))).collect();
        Self(Arc::new(Inner { pools, clock, token_lifetime }))
    }

    /// Serves on `listener` until `shutdown`. The issuers' URLs begin with `http://` and the listener's address.
    ///
    /// # Errors
    /// [`ServeError::NotLoopback`] if anyone but this machine can reach `listener`.
    pub async fn run(
        self,
        listener: tokio::net::TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            return Err(ServeError::NotLoopback(address));
        }
        let router = self.router(base_url(address));
        Ok(axum::serve(listener, router).with_graceful_shutdown(shutdown).await?)
    }

    /// The endpoints of all pools, as if they were reached at `base_url`. Whoever serves it keeps it on loopback.
    pub fn router(&self, base_url: Url) -> axum::Router {
        routes::router(self.clone(), base_url)
    }

    /// From now on `pool` signs with a new key; the ones before stay published.
    ///
    /// # Panics
    /// If there is no such pool.
    pub fn rotate(&self, pool: &str) {
        self.pool(pool).rotate();
    }

    /// `pool` publishes only the key that it signs with.
    ///
    /// # Panics
    /// If there is no such pool.
    pub fn drop_old_keys(&self, pool: &str) {
        self.pool(pool).drop_old_keys();
    }

    /// A token with exactly these claims, signed by `pool`: for tokens that the token endpoint never issues.
    ///
    /// # Panics
    /// If there is no such pool.
    pub fn sign(&self, pool: &str, claims: &Value) -> String {
        self.pool(pool).sign(claims)
    }

    fn pool(&self, id: &str) -> &PoolState {
        self.0.pools.get(id).unwrap_or_else(|| panic!("there is no pool `{id}`"))
    }
}

impl fmt::Debug for IdentityProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityProvider").field("pools", &self.0.pools.keys()).finish()
    }
}

/// `http://address/`: what an identity provider on a listener with this address calls itself.
pub fn base_url(address: SocketAddr) -> Url {
    Url::parse(&format!("http://{address}")).expect("a socket address makes a URL")
}

/// The issuer of `pool`: the `iss` of its tokens.
pub fn issuer(base_url: &Url, pool: &str) -> String {
    at(base_url, &[pool]).into()
}

/// The discovery document of `pool`.
pub fn discovery_url(base_url: &Url, pool: &str) -> Url {
    at(base_url, &[pool, ".well-known", "openid-configuration"])
}

/// The token endpoint of `pool`.
pub fn token_url(base_url: &Url, pool: &str) -> Url {
    at(base_url, &[pool, "oauth2", "token"])
}

/// Where people log in to `pool`.
pub fn authorization_url(base_url: &Url, pool: &str) -> Url {
    at(base_url, &[pool, "oauth2", "authorize"])
}

/// Where a refresh token of `pool` is given back.
fn revocation_url(base_url: &Url, pool: &str) -> Url {
    at(base_url, &[pool, "oauth2", "revoke"])
}

/// The JWK set of `pool`.
fn jwks_url(base_url: &Url, pool: &str) -> Url {
    at(base_url, &[pool, ".well-known", "jwks.json"])
}

fn at(base_url: &Url, segments: &[&str]) -> Url {
    let mut url = base_url.clone();
    url.path_segments_mut().expect("an HTTP URL has a path").pop_if_empty().extend(segments);
    url
}

#[cfg(test)]
mod tests;
