//! What the control plane says of credential providers. Secrets themselves are in none of its answers.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// What is known of a credential provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Provider {
    Oauth2(Box<Oauth2Provider>),
    ApiKey(ApiKeyProvider),
    /// It could not be read, and why.
    Unreadable(String),
}

/// The answer of `GetOauth2CredentialProvider`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Oauth2Provider {
    pub name: String,
    pub client_secret_arn: Option<SecretArn>,
    pub client_secret_json_key: Option<String>,
    /// `MANAGED` by AgentCore, or `EXTERNAL`.
    pub client_secret_source: Option<String>,
    /// A union with a member for each vendor, all of one form.
    pub oauth2_provider_config_output: BTreeMap<String, OauthClient>,
}

/// A client at an issuer.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OauthClient {
    pub oauth_discovery: OauthDiscovery,
    pub client_id: Option<String>,
    /// `CLIENT_SECRET_BASIC`, `CLIENT_SECRET_POST`, `AWS_IAM_ID_TOKEN_JWT` or `PRIVATE_KEY_JWT`.
    pub client_authentication_method: Option<String>,
    pub private_endpoint: Option<Value>,
}

/// A union of the two.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OauthDiscovery {
    pub discovery_url: Option<String>,
    pub authorization_server_metadata: Option<ServerMetadata>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerMetadata {
    pub token_endpoint: String,
    /// `client_secret_post`, `client_secret_basic`.
    pub token_endpoint_auth_methods: Option<Vec<String>>,
}

/// The answer of `GetApiKeyCredentialProvider`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyProvider {
    pub name: String,
    pub api_key_secret_arn: SecretArn,
    pub api_key_secret_json_key: Option<String>,
    /// `MANAGED` by AgentCore, or `EXTERNAL`.
    pub api_key_secret_source: Option<String>,
}

/// Where a secret is in Secrets Manager.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretArn {
    pub secret_arn: String,
}
