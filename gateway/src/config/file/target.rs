//! The part of config.toml that describes one target: where it is, what lets the gateway in, what `causeway dev` starts in
//! its place. Names are AgentCore's (`targetConfiguration`, `credentialProviderConfigurations`) in snake case.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{
    FilePath, Located, Map, Member, RESOURCE_PRIORITY, Sigv4,
    deploy::Runtime,
    selection::{Listing, Selection},
};

/// Where `causeway dev` expects MCP in a server of yours.
pub const DEV_PATH: &str = "/mcp";

/// The endpoint that every AgentCore Runtime has.
pub const QUALIFIER: &str = "DEFAULT";

/// One MCP server behind the gateway: exactly one of `http` and `stdio`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([{ "required": ["http"] }, { "required": ["stdio"] }])))]
pub struct Target {
    /// Letters and digits with single hyphens between them. Clients see its tools as `name___tool`, unless `gateway.names` is
    /// `plain`.
    #[schemars(required, regex(pattern = "^([0-9a-zA-Z][-]?){1,100}$"))]
    pub name: Member<String>,
    /// What it is. Default: `mcp-server`.
    #[schemars(extend("default" = "mcp-server"))]
    pub kind: Member<Kind>,
    /// Of an `agentcore-gateway`: names of other targets in this file that serve the same names when it does not, best first.
    /// Default: none.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub standby: Vec<Located<String>>,
    /// A server that is reached by URL.
    pub http: Member<Http>,
    /// A server that the gateway starts as a child process.
    pub stdio: Member<Stdio>,
    /// Of several targets that list the same resource URI, that with the lowest number serves it; of equal ones the first.
    /// Default: 1000.
    #[schemars(range(min = 0, max = 1000), extend("default" = RESOURCE_PRIORITY))]
    pub resource_priority: Member<u64>,
    /// Which of its tools clients see and may call, and what they are called. Default: all of them, as the target has them.
    pub tools: Member<Listing>,
    /// The same for its prompts.
    pub prompts: Member<Listing>,
    /// Which of its resources clients see and may read, by URI. Default: all of them.
    pub resources: Member<Selection>,
    /// What the gateway shows an `http` target to be let in. Default: nothing.
    pub credential: Member<Credential>,
    /// What `causeway dev` starts in place of an `http` target. Default: nothing, the target is used as it is.
    pub dev: Member<Dev>,
    /// What `causeway deploy` makes of it at AWS: a Runtime. Default: an `https` target is joined as it is.
    pub deploy: Member<Runtime>,
}

/// What a target is.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An MCP server. Clients see its tools as `name___tool`.
    McpServer,
    /// An AgentCore Gateway or another Causeway: its tools are named `target___tool` already and keep their names.
    AgentcoreGateway,
}

/// A server that speaks MCP over streamable HTTP: exactly one of `endpoint`, `endpoints` and `runtime_arn`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([
    { "required": ["endpoint"] },
    { "required": ["endpoints"] },
    { "required": ["runtime_arn"] },
])))]
pub struct Http {
    /// Its URL, in full, for example `https://tools.example.com/mcp`.
    #[schemars(regex(pattern = "^https?://"))]
    pub endpoint: Member<String>,
    /// In place of `endpoint`: the URLs of the same server in several places, best first.
    #[schemars(length(min = 1))]
    pub endpoints: Member<Vec<Located<String>>>,
    /// In place of `endpoint`: the ARN of the AgentCore Runtime that hosts it, for example
    /// `arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/tools-a1b2c3d4e5`.
    #[schemars(regex(pattern = "^arn:[^:]+:bedrock-agentcore:[^:]+:[0-9]{12}:runtime/.+$"))]
    pub runtime_arn: Member<String>,
    /// Which endpoint of the runtime. Default: `DEFAULT`.
    #[schemars(extend("default" = QUALIFIER))]
    pub qualifier: Member<String>,
    /// Which era of MCP it speaks. Default: `auto`.
    #[schemars(extend("default" = "auto"))]
    pub era: Member<Era>,
    /// Who shares a session with it, if it keeps sessions (2025-11-25 and older). Default: `per-caller`.
    #[schemars(extend("default" = "per-caller"))]
    pub sessions: Member<Sessions>,
}

/// A server that the gateway starts and speaks with over its standard streams.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stdio {
    /// Program and arguments. No shell reads it.
    #[schemars(required, length(min = 1))]
    pub command: Member<Vec<String>>,
    /// Plain variables for it. Not for secrets: those go into `env_from`.
    #[serde(default)]
    #[schemars(extend("default" = {}))]
    pub env: Map<String>,
    /// Variables for it whose values come from the gateway's environment: its name = name there.
    #[serde(default)]
    #[schemars(extend("default" = {}))]
    pub env_from: Map<String>,
    /// Where it starts; a relative path starts at the directory of config.toml. Default: where the gateway started.
    pub working_directory: Member<FilePath>,
    /// Which era of MCP it speaks. Default: `auto`.
    #[schemars(extend("default" = "auto"))]
    pub era: Member<Era>,
}

/// Which era of MCP a target speaks.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Era {
    /// Asked once, remembered, asked again when the assumption fails.
    Auto,
    /// 2026-07-28.
    Modern,
    /// 2025-11-25 and older.
    Legacy,
}

/// Who shares a session with a target.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sessions {
    /// All clients of one caller.
    PerCaller,
    /// Each session of a client has its own; clients without one share by caller.
    PerSession,
    /// Everyone. Only for a target that keeps nothing in a session.
    Shared,
}

/// What the gateway shows a target to be let in: exactly one of `client_credentials`, `api_key` and `sigv4`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([
    { "required": ["client_credentials"] },
    { "required": ["api_key"] },
    { "required": ["sigv4"] },
])))]
pub struct Credential {
    /// An access token that the gateway fetches and caches.
    pub client_credentials: Member<ClientCredentials>,
    /// A fixed key.
    pub api_key: Member<ApiKey>,
    /// A signature with the gateway's own AWS credentials.
    pub sigv4: Member<Sigv4>,
}

/// OAuth 2.0 client credentials (RFC 6749, section 4.4).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("allOf" = json!([
    { "oneOf": [{ "required": ["token_endpoint"] }, { "required": ["discovery_url"] }] },
    { "oneOf": [
        { "required": ["client_secret_env"] },
        { "required": ["client_secret_file"] },
        { "required": ["client_secret_arn"] },
    ] },
])))]
pub struct ClientCredentials {
    /// Where tokens come from, for example `https://example.auth.us-east-1.amazoncognito.com/oauth2/token`.
    #[schemars(regex(pattern = "^https?://"))]
    pub token_endpoint: Member<String>,
    /// In place of `token_endpoint`: the discovery document that names it.
    #[schemars(regex(
        pattern = r"^https?://[^\s?#]+/\.well-known/(openid-configuration|oauth-authorization-server)(/[^\s?#]+)?$"
    ))]
    pub discovery_url: Member<String>,
    /// The client's id at the issuer.
    #[schemars(required)]
    pub client_id: Member<String>,
    /// Name of the variable in the gateway's environment that holds the client's secret.
    pub client_secret_env: Member<String>,
    /// In place of `client_secret_env`: a file that holds the secret; a relative path starts at the directory of
    /// config.toml.
    pub client_secret_file: Member<FilePath>,
    /// In place of `client_secret_env`: ARN of the Secrets Manager secret or SSM parameter that holds the secret. It is read
    /// when it is needed, and again every `aws.secret_refresh_seconds`.
    #[schemars(regex(pattern = "^arn:[^:]+:(secretsmanager:[^:]+:[0-9]{12}:secret:|ssm:[^:]+:[0-9]{12}:parameter/)"))]
    pub client_secret_arn: Member<String>,
    /// Which member of it, if what it holds is a JSON object. Default: the whole text is the secret.
    pub client_secret_json_key: Member<String>,
    /// Scopes to ask for. Default: none, the issuer decides.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub scopes: Vec<Located<String>>,
    /// How the client proves itself. Default: `basic`.
    #[schemars(extend("default" = "basic"))]
    pub client_authentication: Member<ClientAuthentication>,
    /// Sent with the token request as they are, for example `audience` or `resource`. Not for secrets.
    #[serde(default)]
    #[schemars(extend("default" = {}))]
    pub custom_parameters: Map<String>,
}

/// How a client proves itself to the token endpoint (RFC 6749, section 2.3.1).
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// In the header `Authorization`.
    Basic,
    /// In the form.
    Post,
}

/// A fixed key.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([
    { "required": ["key_env"] },
    { "required": ["key_file"] },
    { "required": ["key_arn"] },
])))]
pub struct ApiKey {
    /// Name of the variable in the gateway's environment that holds the key.
    pub key_env: Member<String>,
    /// In place of `key_env`: a file that holds the key; a relative path starts at the directory of config.toml.
    pub key_file: Member<FilePath>,
    /// In place of `key_env`: ARN of the Secrets Manager secret or SSM parameter that holds the key. It is read when it is
    /// needed, and again every `aws.secret_refresh_seconds`.
    #[schemars(regex(pattern = "^arn:[^:]+:(secretsmanager:[^:]+:[0-9]{12}:secret:|ssm:[^:]+:[0-9]{12}:parameter/)"))]
    pub key_arn: Member<String>,
    /// Which member of it, if what it holds is a JSON object. Default: the whole text is the key.
    pub key_json_key: Member<String>,
    /// Where the key goes. Default: `header`.
    #[schemars(extend("default" = "header"))]
    pub location: Member<KeyLocation>,
    /// Name of the header or of the query parameter, for example `X-Api-Key`.
    #[schemars(required)]
    pub parameter_name: Member<String>,
    /// Put before the key as it is, for example `Bearer ` with its space. Default: nothing.
    #[schemars(extend("default" = ""))]
    pub prefix: Member<String>,
}

/// Where an API key goes.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyLocation {
    /// Into a header of each request.
    Header,
    /// Into the query of the endpoint's URL.
    QueryParameter,
}

/// What `causeway dev` starts: exactly one of `sample` and `command`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([{ "required": ["sample"] }, { "required": ["command"] }])))]
pub struct Dev {
    /// One of the sample servers.
    pub sample: Member<Sample>,
    /// Program and arguments of your own server. It must serve MCP on the port in its environment variable `PORT`.
    #[schemars(length(min = 1))]
    pub command: Member<Vec<String>>,
    /// Path at which your own server serves MCP. Default: `/mcp`.
    #[schemars(regex(pattern = "^/"), extend("default" = DEV_PATH))]
    pub path: Member<String>,
}

/// The sample servers.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sample {
    /// Adds and multiplies.
    Calculator,
    /// Greets.
    Hello,
    /// Asks CloudWatch Logs Insights.
    CloudwatchInsights,
}

impl Sample {
    /// Its name, which is also the name of its program.
    pub fn name(self) -> &'static str {
        match self {
            Self::Calculator => "calculator",
            Self::Hello => "hello",
            Self::CloudwatchInsights => "cloudwatch-insights",
        }
    }
}
