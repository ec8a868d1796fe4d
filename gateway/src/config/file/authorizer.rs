//! The part of config.toml that says who may call. Names are AgentCore's (`customJWTAuthorizer`) in snake case.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{Located, Member};

/// Seconds.
pub const CLOCK_SKEW_SECONDS: u64 = 30;

/// Who may call.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Authorizer {
    /// Anyone who reaches the port. Only on loopback, unless `gateway.allow_unauthenticated` is set.
    None,
    /// Whoever shows an access token of this issuer that fulfils the rules.
    CustomJwt(Box<Located<CustomJwt>>),
}

/// Access tokens of one OIDC issuer. At least one of `allowed_clients`, `allowed_audience`, `allowed_scopes` and
/// `custom_claims` is needed; of several, all must hold; inside one list, one match is enough.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("anyOf" = json!([
    { "required": ["allowed_clients"] },
    { "required": ["allowed_audience"] },
    { "required": ["allowed_scopes"] },
    { "required": ["custom_claims"] },
])))]
pub struct CustomJwt {
    /// The issuer's discovery document, for example
    /// `https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE/.well-known/openid-configuration`. Keys and issuer
    /// come from it.
    #[schemars(
        required,
        regex(
            pattern = r"^https?://[^\s?#]+/\.well-known/(openid-configuration|oauth-authorization-server)(/[^\s?#]+)?$"
        )
    )]
    pub discovery_url: Member<String>,
    /// Clients that may call: compared with the claim `client_id`. The rule for access tokens of Cognito.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub allowed_clients: Vec<Located<String>>,
    /// Audiences: compared with the claim `aud`. Access tokens of Cognito have none.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub allowed_audience: Vec<Located<String>>,
    /// Scopes: compared with the claims `scope` and `scp`.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub allowed_scopes: Vec<Located<String>>,
    /// Rules over claims that the issuer defines itself. All of them must hold.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub custom_claims: Vec<Located<CustomClaim>>,
    /// Which kind of token is meant, by Cognito's claim `token_use`; a token without that claim passes. Default: `access`.
    #[schemars(extend("default" = "access"))]
    pub token_use: Member<TokenUse>,
    /// Seconds by which the issuer's clock and this one may differ. Default: 30.
    #[schemars(range(max = 600), extend("default" = CLOCK_SKEW_SECONDS))]
    pub clock_skew_seconds: Member<u64>,
}

/// One rule over a claim: its name, and one of `equals`, `contains`, `contains_any`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([
    { "required": ["equals"] },
    { "required": ["contains"] },
    { "required": ["contains_any"] },
])))]
pub struct CustomClaim {
    /// Name of the claim.
    #[schemars(required)]
    pub name: Member<String>,
    /// The claim is a text, equal to this one.
    pub equals: Member<String>,
    /// The claim is a list of texts that holds this one.
    pub contains: Member<String>,
    /// The claim is a list of texts that holds one of these.
    pub contains_any: Member<Vec<String>>,
}

/// Cognito's claim `token_use`.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenUse {
    /// Access tokens only.
    Access,
    /// Id tokens only.
    Id,
    /// Either.
    Any,
}
