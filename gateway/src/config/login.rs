//! How people log in, as config.toml says it.

use causeway_core::authorizer::TokenUse;
use url::Url;

use super::CustomJwt;
pub use super::file::login::ClientDocuments;

/// Which authorization server clients of the gateway find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// The gateway itself, in front of an issuer that lacks metadata or registration.
    Proxy(Box<LoginProxy>),
    /// The issuer.
    PassThrough,
}

/// What the gateway needs to stand for the issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginProxy {
    /// The one public client that the issuer knows.
    pub client_id: String,
    /// What clients may get; empty: the issuer decides.
    pub scopes: Vec<String>,
    /// Where codes may go beside loopback, letter by letter.
    pub redirect_uris: Vec<String>,
    pub client_documents: ClientDocuments,
    /// `None`: by the issuer's discovery document; likewise the next two.
    pub authorization_endpoint: Option<Url>,
    pub token_endpoint: Option<Url>,
    pub revocation_endpoint: Option<Url>,
}

impl Login {
    /// Whether who logs in for `gateway` gets tokens that `other` may take: of the same issuer, by a client and with a scope that it
    /// allows. The rest is for the authorizer to judge.
    pub fn serves(&self, gateway: &CustomJwt, other: &CustomJwt) -> bool {
        let rules = &other.rules;
        let one_of = |allowed: &[String], given: &[String]| {
            allowed.is_empty() || given.is_empty() || given.iter().any(|one| allowed.contains(one))
        };
        let fits = match self {
            Self::PassThrough => true,
            Self::Proxy(proxy) => {
                let client = one_of(&rules.allowed_clients, std::slice::from_ref(&proxy.client_id));
                client && one_of(&rules.allowed_scopes, &proxy.scopes) && rules.token_use != TokenUse::Id
            }
        };
        gateway.discovery_url == other.discovery_url && fits
    }
}
