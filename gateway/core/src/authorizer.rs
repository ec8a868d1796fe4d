//! What a verified token must say: AgentCore's four groups of rules over claims. Verifies no signature and reads no clock.
//!
//! Source: AgentCore's inbound JWT authorizer page and `customJWTAuthorizer` of its API model.

/// The claims that a caller's token must carry. Every group that is not empty must hold (AND); inside a group one match
/// is enough (OR).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authorizer {
    /// Compared with the claim `client_id`.
    pub allowed_clients: Vec<String>,
    /// Compared with the claim `aud` (a text or an array of texts).
    pub allowed_audience: Vec<String>,
    /// Compared with the claims `scope` (space separated) and `scp` (text or array).
    pub allowed_scopes: Vec<String>,
    /// All of them must hold.
    pub custom_claims: Vec<CustomClaim>,
    /// Which kind of Cognito token is meant; a token without the claim `token_use` passes.
    pub token_use: TokenUse,
}

/// Cognito's claim `token_use`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenUse {
    /// Access tokens only.
    #[default]
    Access,
    /// Id tokens only.
    Id,
    /// Either.
    Any,
}

/// One rule over a claim that the issuer defines itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomClaim {
    /// Name of the claim.
    pub name: String,
    /// What its value must be.
    pub matches: ClaimMatch,
}

/// How the value of a custom claim is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimMatch {
    /// The claim is a text, equal to this one.
    Equals(String),
    /// The claim is an array of texts that holds this one.
    Contains(String),
    /// The claim is an array of texts that holds one of these.
    ContainsAny(Vec<String>),
}
