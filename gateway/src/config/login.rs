//! How people log in, as config.toml says it.

use url::Url;

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
