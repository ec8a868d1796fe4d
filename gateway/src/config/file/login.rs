//! The part of config.toml that says how people log in. Names are those of RFC 8414 where it has them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Located, Member};

/// How people log in, beside `[authorizer.custom_jwt]`: which authorization server clients find.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// `"proxy"`: the gateway stands for the issuer, which lacks RFC 8414 metadata or registration, as Amazon Cognito does.
    /// `"pass_through"`: the issuer has all of it, and the gateway points there. Default: `proxy`.
    #[schemars(extend("default" = "proxy"))]
    pub mode: Member<Mode>,
    /// The public app client, without a secret, that is registered at the issuer for all programs that log in here. Needed with
    /// `proxy`.
    pub client_id: Member<String>,
    /// Scopes that clients may get; one that asks for others gets these. Default: `authorizer.custom_jwt.allowed_scopes`.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub scopes: Vec<Located<String>>,
    /// Where a login may end beside programs on the user's own machine (http on loopback, any port), letter by letter, for example
    /// `https://claude.ai/api/mcp/auth_callback` or `cursor://anysphere.cursor-mcp/oauth/callback`. Default: nowhere.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub redirect_uris: Vec<Located<String>>,
    /// Clients whose id is the URL of a document about them (Client ID Metadata Documents). Default: `public`; `off`
    /// where `HTTPS_PROXY` or `ALL_PROXY` is set, since such a document is never read through a proxy.
    pub client_documents: Member<ClientDocuments>,
    /// Where the issuer lets people log in. Default: what its discovery document says.
    #[schemars(regex(pattern = "^https?://"))]
    pub authorization_endpoint: Member<String>,
    /// Where the issuer gives tokens. Default: what its discovery document says.
    #[schemars(regex(pattern = "^https?://"))]
    pub token_endpoint: Member<String>,
    /// Where the issuer takes refresh tokens back. Default: what its discovery document says, if anything.
    #[schemars(regex(pattern = "^https?://"))]
    pub revocation_endpoint: Member<String>,
}

/// Who is the authorization server.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The gateway, in front of the issuer.
    Proxy,
    /// The issuer.
    PassThrough,
}

/// From where documents about clients are read.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ClientDocuments {
    /// Over https, from public addresses.
    Public,
    /// From anywhere, this machine and http included: for tests, and only where the gateway listens on loopback.
    Local,
    /// From nowhere: such clients are unknown.
    Off,
}
