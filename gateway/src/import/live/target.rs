//! What the control plane says of a target of a gateway, and of what lets the gateway in there.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// The answer of `GetGatewayTarget`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    pub target_id: String,
    pub name: String,
    pub description: Option<String>,
    pub status: Option<String>,
    /// A union of unions: `mcp`, `http` or `inference`, and in it one kind of target such as `mcpServer`.
    pub target_configuration: BTreeMap<String, BTreeMap<String, Value>>,
    /// One, or none: the model allows more.
    pub credential_provider_configurations: Option<Vec<CredentialConfiguration>>,
    pub metadata_configuration: Option<Metadata>,
    /// Every other member.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// `McpServerTargetConfiguration`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct McpServer {
    pub endpoint: String,
    /// `DEFAULT` or `DYNAMIC`.
    pub listing_mode: Option<String>,
    pub resource_priority: Option<u16>,
    /// A fixed list of tools in place of the server's.
    pub mcp_tool_schema: Option<Value>,
    /// Every other member.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// What of clients' requests reaches a target, and what of its answers reaches clients.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    pub allowed_request_headers: Option<Vec<String>>,
    pub allowed_response_headers: Option<Vec<String>>,
    pub allowed_query_parameters: Option<Vec<String>>,
}

/// How the gateway lets itself in at a target.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialConfiguration {
    /// `GATEWAY_IAM_ROLE`, `OAUTH`, `API_KEY`, `CALLER_IAM_CREDENTIALS` or `JWT_PASSTHROUGH`.
    pub credential_provider_type: String,
    pub credential_provider: Option<CredentialProvider>,
}

/// A union of the three.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialProvider {
    pub oauth_credential_provider: Option<OauthUse>,
    pub api_key_credential_provider: Option<ApiKeyUse>,
    pub iam_credential_provider: Option<IamUse>,
}

/// Which OAuth provider, and what a target wants of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OauthUse {
    pub provider_arn: String,
    pub scopes: Option<Vec<String>>,
    pub custom_parameters: Option<BTreeMap<String, String>>,
    /// `CLIENT_CREDENTIALS`, which is meant where it is absent, `AUTHORIZATION_CODE` or `TOKEN_EXCHANGE`.
    pub grant_type: Option<String>,
}

/// Which key, and where it goes.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyUse {
    pub provider_arn: String,
    /// `HEADER` or `QUERY_PARAMETER`.
    pub credential_location: Option<String>,
    pub credential_parameter_name: Option<String>,
    pub credential_prefix: Option<String>,
}

/// For which service requests are signed.
#[derive(Clone, Debug, Deserialize)]
pub struct IamUse {
    pub service: String,
    /// The gateway's own where it is absent.
    pub region: Option<String>,
}

impl Target {
    /// Its kind and what is said of it, such as `mcp` and `mcpServer`.
    pub fn kind(&self) -> Option<(&str, &str, &Value)> {
        let (protocol, kinds) = self.target_configuration.first_key_value()?;
        let (kind, settings) = kinds.first_key_value()?;
        Some((protocol, kind, settings))
    }

    /// How it is let in, if at all.
    pub fn credential(&self) -> Option<&CredentialConfiguration> {
        self.credentials().first()
    }

    /// All that is said about how it is let in.
    pub fn credentials(&self) -> &[CredentialConfiguration] {
        self.credential_provider_configurations.as_deref().unwrap_or_default()
    }
}

impl CredentialConfiguration {
    /// The ARN of the credential provider that it refers to.
    pub fn provider_arn(&self) -> Option<&str> {
        let provider = self.credential_provider.as_ref()?;
        let oauth = provider.oauth_credential_provider.as_ref().map(|it| it.provider_arn.as_str());
        oauth.or(provider.api_key_credential_provider.as_ref().map(|it| it.provider_arn.as_str()))
    }
}
