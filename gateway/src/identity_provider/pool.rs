//! One pool: its clients, its people, its keys, and the tokens that it issues. Speaks no HTTP.

use std::{
    sync::{PoisonError, RwLock},
    time::Duration,
};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde_json::{Map, Value, json};

use super::{
    Pool, PoolClient, PublicClient,
    grants::{Grants, Person, Refresh},
    keys::{SigningKey, random},
    users::Users,
};

/// What a refresh token lives; Cognito's own is thirty days.
const REFRESH: Duration = Duration::from_secs(8 * 3600);

/// What tokens of the API may do: manage their own user. They never have scopes of a resource server, as with Cognito.
pub(super) const API_SCOPE: &str = "aws.cognito.signin.user.admin";

/// A pool that runs.
pub(super) struct PoolState {
    clients: Vec<PoolClient>,
    public_clients: Vec<PublicClient>,
    pub(super) users: Users,
    pub(super) grants: Grants,
    /// The first signs, all are published; never empty.
    keys: RwLock<Vec<SigningKey>>,
}

/// For whom tokens are, and by whose clock.
#[derive(Clone, Copy)]
pub(super) struct Issuing<'a> {
    pub(super) issuer: &'a str,
    pub(super) now: Duration,
    pub(super) lifetime: Duration,
}

/// A request asked for a scope that its client does not have.
#[derive(Debug)]
pub(super) struct UnknownScope;

impl PoolState {
    pub(super) fn new(pool: Pool) -> Self {
        let Pool { id: _, clients, public_clients, users } = pool;
        let (users, grants) = (Users::new(users), Grants::default());
        Self { clients, public_clients, users, grants, keys: RwLock::new(vec![SigningKey::generate()]) }
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
        let public = self.public_clients.iter().flat_map(|client| &client.scopes);
        let all = self.clients.iter().flat_map(|client| &client.scopes).chain(public);
        let mut scopes: Vec<&str> = all.map(String::as_str).collect();
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

    /// The client without a secret that has this id.
    pub(super) fn public_client(&self, id: &str) -> Option<&PublicClient> {
        self.public_clients.iter().find(|client| client.id == id)
    }

    /// Whether a client of this id, of either kind, is the pool's.
    pub(super) fn has_client(&self, id: &str) -> bool {
        self.clients.iter().any(|client| client.id == id) || self.public_client(id).is_some()
    }

    /// An access token for `client` with the scopes of the space-separated `wanted`, or all of the client's.
    pub(super) fn issue(
        &self,
        client: &PoolClient,
        wanted: Option<&str>,
        with: Issuing<'_>,
    ) -> Result<String, UnknownScope> {
        let mut claims = with.claims("access", with.now);
        claims["sub"] = client.id.clone().into();
        claims["client_id"] = client.id.clone().into();
        claims["scope"] = granted(&client.scopes, wanted)?.into();
        claims["version"] = 2.into();
        Ok(self.sign(&over(claims, &client.extra_claims)))
    }

    /// Tokens for a person who logged in through the public client `client`, as the token endpoint answers them: one for access,
    /// one for a refresh, and one that says who it is if the scope `openid` was asked for, or the API was.
    pub(super) fn issue_to(&self, person: Person, client: &PublicClient, scope: &str, with: Issuing<'_>) -> Value {
        let mut claims = with.claims("access", person.since);
        claims["sub"] = person.sub.clone().into();
        claims["username"] = person.name.clone().into();
        claims["origin_jti"] = person.origin.clone().into();
        claims["client_id"] = client.id.clone().into();
        claims["scope"] = scope.into();
        claims["version"] = 2.into();
        let mut answer = json!({
            "access_token": self.sign(&over(claims, &client.extra_claims)),
            "expires_in": with.lifetime.as_secs(),
            "token_type": "Bearer",
        });
        if scope.split(' ').any(|one| one == "openid" || one == API_SCOPE) {
            let mut claims = with.claims("id", person.since);
            claims["sub"] = person.sub.clone().into();
            claims["cognito:username"] = person.name.clone().into();
            claims["origin_jti"] = person.origin.clone().into();
            claims["aud"] = client.id.clone().into();
            answer["id_token"] = self.sign(&claims).into();
        }
        let refresh = Refresh { client_id: client.id.clone(), scope: scope.to_owned(), person };
        answer["refresh_token"] = self.grants.refreshes.put(with.now, REFRESH, refresh).into();
        answer
    }
}

impl Issuing<'_> {
    /// What all tokens say.
    fn claims(self, token_use: &str, since: Duration) -> Value {
        json!({
            "token_use": token_use,
            "auth_time": since.as_secs(),
            "iss": self.issuer,
            "exp": (self.now + self.lifetime).as_secs(),
            "iat": self.now.as_secs(),
            "jti": unique(),
        })
    }
}

/// The scopes of the space-separated `wanted`, or `all`.
pub(super) fn granted(all: &[String], wanted: Option<&str>) -> Result<String, UnknownScope> {
    let Some(wanted) = wanted.filter(|wanted| !wanted.trim().is_empty()) else { return Ok(all.join(" ")) };
    let known = wanted.split_whitespace().all(|one| all.iter().any(|allowed| allowed == one));
    known.then(|| wanted.to_owned()).ok_or(UnknownScope)
}

fn over(mut claims: Value, extra: &Map<String, Value>) -> Value {
    for (name, value) in extra {
        claims[name] = value.clone();
    }
    claims
}

/// A random UUID (RFC 9562, section 5.4).
pub(super) fn unique() -> String {
    let mut bytes = random::<16>();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
