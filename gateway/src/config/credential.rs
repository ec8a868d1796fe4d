//! What the gateway shows its targets, as config.toml says it.

use std::collections::BTreeMap;

use causeway_aws::identity::Settings;
use url::Url;

use super::SecretSource;

/// What the gateway shows a target to be let in.
#[derive(Clone, Debug, PartialEq)]
pub enum Credential {
    None,
    ClientCredentials(ClientCredentials),
    ApiKey(ApiKey),
    Sigv4(Sigv4),
}

/// OAuth 2.0 client credentials (RFC 6749, section 4.4).
#[derive(Clone, Debug, PartialEq)]
pub struct ClientCredentials {
    pub token_endpoint: TokenEndpoint,
    pub client_id: String,
    pub client_secret: SecretSource,
    pub scopes: Vec<String>,
    pub client_authentication: ClientAuthentication,
    /// Sent with the token request as they are, for example `audience` or `resource`.
    pub custom_parameters: BTreeMap<String, String>,
}

/// Where tokens come from.
#[derive(Clone, Debug, PartialEq)]
pub enum TokenEndpoint {
    Url(Url),
    /// Named by the `token_endpoint` of this discovery document.
    Discovery(Url),
}

/// How a client proves itself to the token endpoint (RFC 6749, section 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// In the header `Authorization`.
    #[default]
    Basic,
    /// In the form.
    Post,
}

/// A fixed key.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiKey {
    pub key: SecretSource,
    pub location: ApiKeyLocation,
    /// Put before the key, for example `Bearer `.
    pub prefix: String,
}

/// Where an API key goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiKeyLocation {
    Header(http::HeaderName),
    QueryParameter(String),
}

/// AWS Signature Version 4 over each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sigv4 {
    /// The signing name, such as `bedrock-agentcore`.
    pub service: String,
    /// What is signed for, where the file says it. Else the request's host does, else the identity.
    pub region: Option<String>,
    /// Who signs.
    pub identity: Settings,
}
