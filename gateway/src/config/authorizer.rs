//! Who may call, as config.toml says it. The rules for tokens themselves are those of `causeway_core::authorizer`.

use std::time::Duration;

use causeway_core::authorizer;
use url::Url;

use super::SecretSource;

/// Who may call.
#[derive(Clone, Debug, PartialEq)]
pub enum Authorizer {
    /// Anyone who reaches the port.
    None,
    CustomJwt(CustomJwt),
    AwsIam(AwsIam),
}

/// AWS principals that sign their requests, or show who they are by STS.
#[derive(Clone, Debug, PartialEq)]
pub struct AwsIam {
    /// Of the signatures' scope.
    pub region: String,
    /// Of the signatures' scope.
    pub service: String,
    pub clock_skew: Duration,
    /// Host and port of `gateway.public_url`: whom signed requests are for.
    pub host: Option<String>,
    pub access_keys: Vec<AccessKey>,
    pub caller_identity: Option<CallerIdentity>,
}

/// An access key and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessKey {
    pub access_key_id: String,
    pub secret_access_key: SecretSource,
    /// ARN of the principal.
    pub principal: String,
}

/// Tokens that wrap a presigned STS GetCallerIdentity.
#[derive(Clone, Debug, PartialEq)]
pub struct CallerIdentity {
    /// What a token must be made for.
    pub gateway_id: String,
    /// ARNs, or beginnings of ARNs with `*` behind.
    pub allowed_principals: Vec<String>,
    /// Where STS is.
    pub endpoint: Url,
}

/// Access tokens of one OIDC issuer.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomJwt {
    pub discovery_url: Url,
    pub clock_skew: Duration,
    pub rules: authorizer::Authorizer,
}
