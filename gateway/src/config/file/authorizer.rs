//! The part of config.toml that says who may call. Names are AgentCore's (`CUSTOM_JWT`, `AWS_IAM`, `customJWTAuthorizer`) in
//! snake case.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{FilePath, Located, Member};

/// Seconds.
pub const CLOCK_SKEW_SECONDS: u64 = 30;
/// Seconds, as AWS has it for signatures.
pub const SIGNATURE_SKEW_SECONDS: u64 = 300;
/// AgentCore's own.
pub const SERVICE: &str = "bedrock-agentcore";

/// Who may call.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Authorizer {
    /// Anyone who reaches the port. Only on loopback, unless `gateway.allow_unauthenticated` is set.
    None,
    /// Whoever shows an access token of this issuer that fulfils the rules.
    CustomJwt(Box<Located<CustomJwt>>),
    /// Whoever proves to be one of these AWS principals.
    AwsIam(Box<Located<AwsIam>>),
}

/// AWS principals: by requests that they sign with SigV4, by tokens of AWS's own STS, or both.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("anyOf" = json!([{ "required": ["access_keys"] }, { "required": ["caller_identity"] }])))]
pub struct AwsIam {
    /// The region that signatures name, and whose STS is asked, for example `us-east-1`.
    #[schemars(required)]
    pub region: Member<String>,
    /// The service that signatures name. Default: `bedrock-agentcore`.
    #[schemars(extend("default" = SERVICE))]
    pub service: Member<String>,
    /// Seconds by which a signature's time and this machine's clock may differ. Default: 300, as AWS.
    #[schemars(range(max = 900), extend("default" = SIGNATURE_SKEW_SECONDS))]
    pub clock_skew_seconds: Member<u64>,
    /// Access keys whose signatures are taken. Only who holds the secret can judge a signature, so the gateway needs it, and a
    /// key that is withdrawn in IAM is to be taken out here too.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub access_keys: Vec<Located<AccessKey>>,
    /// Bearer tokens that wrap a presigned STS GetCallerIdentity, as `causeway token aws-iam` makes them: AWS itself says who the caller
    /// is, and the gateway holds no secret. Default: none are taken.
    pub caller_identity: Member<CallerIdentity>,
}

/// An access key of IAM and whose it is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([
    { "required": ["secret_access_key_env"] },
    { "required": ["secret_access_key_file"] },
    { "required": ["secret_access_key_arn"] },
])))]
pub struct AccessKey {
    /// The key's id, for example `AKIAIOSFODNN7EXAMPLE`.
    #[schemars(required)]
    pub access_key_id: Member<String>,
    /// Name of the variable in the gateway's environment that holds the secret access key.
    pub secret_access_key_env: Member<String>,
    /// In place of `secret_access_key_env`: a file that holds it; a relative path starts at the directory of config.toml.
    pub secret_access_key_file: Member<FilePath>,
    /// In place of `secret_access_key_env`: ARN of the secret (Secrets Manager) or parameter (SSM) that holds it.
    pub secret_access_key_arn: Member<String>,
    /// The member that it is, where what `secret_access_key_arn` names is a JSON object. Default: it is the value as a whole.
    pub secret_access_key_json_key: Member<String>,
    /// ARN of the principal whose key it is, for example `arn:aws:iam::123456789012:user/alice`.
    #[schemars(required, regex(pattern = "^arn:"))]
    pub principal: Member<String>,
}

/// Tokens that wrap a presigned STS GetCallerIdentity.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallerIdentity {
    /// What tokens must be made for, so that one made for another gateway is refused: any text that no other gateway has, for
    /// example its host name.
    #[schemars(required, length(min = 1))]
    pub gateway_id: Member<String>,
    /// ARNs of principals that may call. The ARN of a role, written whole, stands for all its sessions; a `*` at the end of another
    /// for anything.
    #[schemars(required, length(min = 1))]
    pub allowed_principals: Member<Vec<Located<String>>>,
    /// Where STS is. Default: the public endpoint of the region.
    #[schemars(regex(pattern = "^https?://"))]
    pub endpoint: Member<String>,
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
