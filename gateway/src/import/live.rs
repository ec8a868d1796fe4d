//! What AgentCore's control plane says of a gateway, as far as import looks at it: the serde mirror of its answers. Decides
//! nothing about them.
//!
//! Source: AgentCore's API model `bedrock-agentcore-control`, 2023-06-05. Words of closed sets stay texts, and members that are
//! not known here are kept by name: AWS adds to both, and what is not understood must be said, not fail.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

mod provider;
mod target;
mod traffic;

pub use provider::{ApiKeyProvider, Oauth2Provider, OauthClient, OauthDiscovery, Provider, SecretArn, ServerMetadata};
pub use target::{
    ApiKeyUse, CredentialConfiguration, CredentialProvider, IamUse, McpServer, Metadata, OauthUse, Target,
};
pub use traffic::{Listed, RateLimit, Rule};

/// Everything that was read of one gateway.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    pub gateway: Gateway,
    #[serde(default)]
    pub resource_policy: ResourcePolicy,
    #[serde(default)]
    pub rate_limits: Listed<RateLimit>,
    #[serde(default)]
    pub rules: Listed<Rule>,
    /// In the order in which AWS lists them.
    pub targets: Vec<Target>,
    /// The credential providers of the targets, by ARN.
    #[serde(default)]
    pub providers: BTreeMap<String, Provider>,
}

/// Who may call, besides what IAM and the authorizer say.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ResourcePolicy {
    #[default]
    Absent,
    /// An IAM policy, in JSON: the answer of `GetResourcePolicy`.
    Text(String),
    /// It could not be read, and why.
    Unreadable(String),
}

/// The answer of `GetGateway`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gateway {
    pub gateway_arn: String,
    pub gateway_id: String,
    /// Ends in `/mcp`.
    pub gateway_url: Option<String>,
    pub name: String,
    pub description: Option<String>,
    pub status: Option<String>,
    /// As whom it signs requests to its targets.
    pub role_arn: Option<String>,
    pub protocol_configuration: Option<ProtocolConfiguration>,
    pub authorizer_type: String,
    pub authorizer_configuration: Option<AuthorizerConfiguration>,
    pub exception_level: Option<String>,
    pub interceptor_configurations: Option<Vec<Interceptor>>,
    pub policy_engine_configuration: Option<PolicyEngine>,
    /// Every other member.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// `MCPGatewayConfiguration`, inside its union.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ProtocolConfiguration {
    pub mcp: Option<Mcp>,
}

/// What the gateway does as an MCP server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mcp {
    pub supported_versions: Option<Vec<String>>,
    pub instructions: Option<String>,
    pub search_type: Option<String>,
    /// Its presence turns sessions on.
    pub session_configuration: Option<SessionConfiguration>,
    pub streaming_configuration: Option<StreamingConfiguration>,
    pub disable_mcp_list_tools_pagination: Option<bool>,
    /// Every other member.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionConfiguration {
    /// 900 to 28800; 3600 where it is absent.
    pub session_timeout_in_seconds: Option<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamingConfiguration {
    pub enable_response_streaming: Option<bool>,
}

/// A union with one member.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct AuthorizerConfiguration {
    #[serde(rename = "customJWTAuthorizer")]
    pub custom_jwt_authorizer: Option<CustomJwt>,
    /// Every other member.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// `CustomJWTAuthorizerConfiguration`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomJwt {
    pub discovery_url: String,
    pub allowed_audience: Option<Vec<String>>,
    pub allowed_clients: Option<Vec<String>>,
    pub allowed_scopes: Option<Vec<String>>,
    pub custom_claims: Option<Vec<CustomClaim>>,
    /// Every other member.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// One rule over a claim.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomClaim {
    pub inbound_token_claim_name: String,
    /// `STRING` or `STRING_ARRAY`.
    pub inbound_token_claim_value_type: String,
    pub authorizing_claim_match_value: ClaimMatch,
    /// Every other member.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// How a claim is compared.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimMatch {
    /// `EQUALS` for a `STRING`; `CONTAINS` or `CONTAINS_ANY` for a `STRING_ARRAY`.
    pub claim_match_operator: String,
    pub claim_match_value: ClaimValue,
    /// Every other member.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// A union of the two.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimValue {
    pub match_value_string: Option<String>,
    pub match_value_string_list: Option<Vec<String>>,
    /// Every other member.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// A Lambda function that sees requests or answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Interceptor {
    /// `REQUEST`, `RESPONSE`.
    pub interception_points: Option<Vec<String>>,
}

/// `GatewayPolicyEngineConfiguration`.
#[derive(Clone, Debug, Deserialize)]
pub struct PolicyEngine {
    pub arn: String,
    /// `LOG_ONLY` or `ENFORCE`.
    pub mode: String,
}

impl Live {
    /// The gateway's settings as an MCP server.
    pub fn mcp(&self) -> Mcp {
        self.gateway.protocol_configuration.as_ref().and_then(|it| it.mcp.clone()).unwrap_or_default()
    }

    /// The region that the gateway is in; empty if its ARN is none.
    pub fn region(&self) -> &str {
        self.gateway.gateway_arn.split(':').nth(3).unwrap_or_default()
    }
}
