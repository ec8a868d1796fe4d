//! The parts of config.toml that are about AWS: who the gateway is there, and how it signs requests to a target. Names are
//! those of AWS's own configuration files where there are such.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Member;

/// AgentCore's signing name: of Runtime and of Gateway.
pub const SERVICE: &str = "bedrock-agentcore";

pub const SECRET_REFRESH_SECONDS: u64 = 300;

/// What the gateway asks of AWS itself.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aws {
    /// Region to ask in. Default: `AWS_REGION`, else that of the profile or of the machine.
    #[schemars(regex(pattern = "^[a-z]+(-[a-z0-9]+)+-[0-9]+$"))]
    pub region: Member<String>,
    /// Profile of `~/.aws/config` whose credentials are used. Default: whatever AWS's own tools would use here.
    pub profile: Member<String>,
    /// Seconds after which a secret that AWS keeps (`client_secret_arn`, `key_arn`) is read again. Default: 300.
    #[schemars(range(min = 1, max = 86_400), extend("default" = SECRET_REFRESH_SECONDS))]
    pub secret_refresh_seconds: Member<u64>,
}

/// AWS Signature Version 4 over each request to a target.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sigv4 {
    /// The service's signing name. Default: `bedrock-agentcore`.
    #[schemars(extend("default" = SERVICE))]
    pub service: Member<String>,
    /// Region that is signed for. Default: that of the target's ARN or host name, else `aws.region`, else as there.
    #[schemars(regex(pattern = "^[a-z]+(-[a-z0-9]+)+-[0-9]+$"))]
    pub region: Member<String>,
    /// Profile whose credentials sign. Default: `aws.profile`, else as there.
    pub profile: Member<String>,
    /// Role to assume with those credentials. Default: none.
    #[schemars(regex(pattern = "^arn:[^:]+:iam::[0-9]{12}:role/"))]
    pub role_arn: Member<String>,
    /// What the role's trust policy asks for. Default: nothing.
    pub external_id: Member<String>,
    /// Name of the role's session, which CloudTrail shows. Default: `causeway`.
    #[schemars(regex(pattern = r"^[\w+=,.@-]{2,64}$"))]
    pub session_name: Member<String>,
}
