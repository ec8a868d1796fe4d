//! One pool: its clients, its keys, and the access tokens that it issues. Speaks no HTTP.

use std::{
    sync::{PoisonError, RwLock},
    time::Duration,
};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde_json::{Value, json};

use super::{
    PoolClient,
    keys::{SigningKey, random},
};

/// A pool that runs.
pub(super) struct PoolState {
    clients: Vec<PoolClient>,
    /// The first signs, all are published; never empty.
    keys: RwLock<Vec<SigningKey>>,
}

/// A request asked for a scope that its client does not have.
#[derive(Debug)]
pub(super) struct UnknownScope;

impl PoolState {
    pub(super) fn new(clients: Vec<PoolClient>) -> Self {
        Self { clients, keys: RwLock::new(vec![SigningKey::generate()]) }
    }

    pub(super) fn rotate(&self) {
        let key = SigningKey::generate();
        self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(0, key);
    }

    pub(super) fn drop_old_keys(&self) {
        self.keys.write().unwrap_or_else(PoisonError::into_inner).truncate(1);
    }

    pub(super) fn sign(&self, claims: &Value) -> String {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)[0].sign(claims)
    }

    /// The JWK set.
    pub(super) fn jwks(&self) -> Value {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        json!({"keys": keys.iter().map(SigningKey::jwk).collect::<Vec<_>>()})
    }

    /// Every scope that some client may ask for.
    pub(super) fn scopes(&self) -> Vec<&str> {
        let mut scopes: Vec<&str> = self.clients.iter().flat_map(|client| &client.scopes).map(String::as_str).collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    }

    /// The client with this id and secret.
    pub(super) fn client(&self, id: &str, secret: &str) -> Option<&PoolClient> {
        let client = self.clients.iter().find(|client| client.id == id)?;
        verify_slices_are_equal(client.secret.expose().as_bytes(), secret.as_bytes()).ok()?;
        Some(client)
    }

    /// An access token for `client` with the scopes of the space-separated `wanted`, or all of the client's.
    pub(super) fn issue(
        &self,
        client: &PoolClient,
        wanted: Option<&str>,
        issuer: &str,
        now: Duration,
        lifetime: Duration,
    ) -> Result<String, UnknownScope> {
        let all = client.scopes.join(" ");
        let scope = wanted.filter(|wanted| !wanted.trim().is_empty()).unwrap_or(&all);
        if !scope.split_whitespace().all(|one| client.scopes.iter().any(|allowed| allowed == one)) {
            return Err(UnknownScope);
        }
        let mut claims = json!({
            "sub": client.id,
            "token_use": "access",
            "scope": scope,
            "auth_time": now.as_secs(),
            "iss": issuer,
            "exp": (now + lifetime).as_secs(),
            "iat": now.as_secs(),
            "version": 2,
            "jti": unique(),
            "client_id": client.id,
        });
        for (name, value) in &client.extra_claims {
            claims[name] = value.clone();
        }
        Ok(self.sign(&claims))
    }
}

/// A random UUID (RFC 9562, section 5.4).
fn unique() -> String {
    let mut bytes = random::<16>();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
