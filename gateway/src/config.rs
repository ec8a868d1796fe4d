//! What the program runs on: every reference resolved, every value checked. It is made from the text of config.toml
//! (`config/file.rs` mirrors that text) and never changes afterwards.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use causeway_aws::{endpoint::Endpoints, identity::Settings, secret::Reference};
use causeway_core::{
    authorizer,
    catalog::{Names, Paging},
    name::TargetName,
};
use url::Url;

use crate::secret::Secret;

pub mod draft;
pub mod environment;
pub mod file;
mod findings;
pub mod located;
pub mod mistake;
mod proxies;
mod resolve;
pub mod schema;
mod shape;

pub use draft::Draft;
pub use environment::Environment;
pub use mistake::{Mistake, Mistakes, TargetLabel};
pub use proxies::Proxies;
pub(crate) use resolve::KEY_BYTES;

/// Everything that config.toml says, resolved.
#[derive(Clone, Debug)]
pub struct Config {
    pub gateway: Gateway,
    pub sessions: Sessions,
    pub limits: Limits,
    pub failover: Failover,
    pub aws: Aws,
    pub authorizer: Authorizer,
    /// In the order of the file, which is the order of the merged lists.
    pub targets: Vec<Target>,
    /// Of the environment, not of the file.
    pub proxies: Proxies,
}

/// The endpoint that clients see.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Name that the gateway gives itself toward clients.
    pub name: String,
    pub listen: SocketAddr,
    /// The URL that clients use, ending in `/mcp`, where it differs from what they connect to (behind a proxy).
    pub public_url: Option<Url>,
    /// For the client's model; `None`: what the targets say.
    /// Pages of these may call the gateway, beside those of `public_url` and, on loopback, of this machine.
    pub allowed_origins: Vec<Url>,
    pub instructions: Option<String>,
    /// What clients call tools and prompts.
    pub names: Names,
    /// How lists are cut.
    pub paging: Paging,
    /// Errors carry their cause.
    pub debug_errors: bool,
    /// Server-sent events for clients that accept them; else one JSON answer always.
    pub streaming: bool,
}

/// Sessions of legacy clients.
#[derive(Clone, Debug)]
pub struct Sessions {
    pub mode: SessionMode,
    /// From `initialize` on, whatever happens in between.
    pub timeout: Duration,
    /// The first seals, all of them open; empty: a key made at start.
    pub keys: Vec<SecretSource>,
}

/// Whether a legacy client gets a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionMode {
    /// `initialize` opens one; a request without one is answered too.
    Optional,
    /// A request without one is refused.
    Required,
    /// None is opened.
    Off,
}

/// Bounds, each with a typed error.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a client's request body.
    pub request_bytes: usize,
    /// For the body of a client's request to come in.
    pub request_time: Duration,
    /// Connections of clients at once.
    pub connections: usize,
    /// Bytes of one message from a target.
    pub response_bytes: usize,
    /// To connect to a target or an issuer.
    pub connect: Duration,
    /// From a request to a target until the head of its answer.
    pub first_byte: Duration,
    /// A whole call.
    pub call: Duration,
    /// For a child process to start and say what it speaks.
    pub start: Duration,
    /// One listing of one target, all pages.
    pub discovery: Duration,
    /// Between two listings of a target that sent no sooner reason.
    pub refresh: Duration,
    /// Pages of one list of one target.
    pub catalog_pages: usize,
    /// Calls that run in one target at once.
    pub target_calls: usize,
    /// Calls that wait for input of a modern client at once.
    pub parked_calls: usize,
    /// For a modern client to bring the input that a call waits for.
    pub parked: Duration,
    /// Streams on which clients listen at once.
    pub streams: usize,
}

/// When a path of a target that has several counts as down, and when it is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failover {
    /// So many failures in a row take a path out of use.
    pub failures: u32,
    /// What a path gets to begin its answer to a request that may be asked twice, where another path is up.
    pub first_byte: Duration,
    /// Until a path that is down is tried again: doubled each time, up to the longest.
    pub cool_down: Duration,
    pub longest_cool_down: Duration,
}

/// What the gateway needs to know to ask AWS for something, wherever AWS is needed.
#[derive(Clone, Debug)]
pub struct Aws {
    /// Who it is there.
    pub identity: Settings,
    /// Of the environment, not of the file.
    pub endpoints: Endpoints,
    /// After so long a secret that AWS keeps is read again.
    pub secret_refresh: Duration,
}

/// A secret, or where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// Read together with config.toml.
    Here(Secret),
    /// Kept by AWS and read there when it is needed.
    Aws {
        reference: Reference,
        /// Of the JSON object that it is; `None`: it is the secret as a whole.
        json_key: Option<String>,
    },
}

/// Who may call.
#[derive(Clone, Debug)]
pub enum Authorizer {
    /// Anyone who reaches the port.
    None,
    CustomJwt(CustomJwt),
    AwsIam(AwsIam),
}

/// AWS principals that sign their requests, or show who they are by STS.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
pub struct AccessKey {
    pub access_key_id: String,
    pub secret_access_key: SecretSource,
    /// ARN of the principal.
    pub principal: String,
}

/// Tokens that wrap a presigned STS GetCallerIdentity.
#[derive(Clone, Debug)]
pub struct CallerIdentity {
    /// What a token must be made for.
    pub gateway_id: String,
    /// ARNs, or beginnings of ARNs with `*` behind.
    pub allowed_principals: Vec<String>,
    /// Where STS is.
    pub endpoint: Url,
}

/// Access tokens of one OIDC issuer.
#[derive(Clone, Debug)]
pub struct CustomJwt {
    pub discovery_url: Url,
    pub clock_skew: Duration,
    pub rules: authorizer::Authorizer,
}

/// One MCP server behind the gateway.
#[derive(Clone, Debug)]
pub struct Target {
    pub name: TargetName,
    pub kind: TargetKind,
    pub transport: Transport,
    /// 0 to 1000; of several targets with one resource, the lowest serves it.
    pub resource_priority: u16,
    pub credential: Credential,
    /// What `causeway dev` starts in its place.
    pub dev: Option<Dev>,
}

/// What a target is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TargetKind {
    #[default]
    Server,
    /// An AgentCore Gateway, or another Causeway: what it lists is named `target___tool` and keeps its names.
    Gateway {
        /// Targets that serve the same names where it does not, best first.
        standby: Vec<TargetName>,
    },
}

/// How a target is reached.
#[derive(Clone, Debug)]
pub enum Transport {
    Http(HttpTarget),
    Stdio(StdioTarget),
}

/// A target that speaks streamable HTTP.
#[derive(Clone, Debug)]
pub struct HttpTarget {
    pub endpoint: Url,
    /// Where it is as well, in the order in which to go on to them.
    pub further: Vec<Url>,
    /// AgentCore Runtime hosts it, and `endpoint` is where Runtime is asked for it.
    pub runtime: bool,
    pub era: EraChoice,
    pub sessions: TargetSessions,
}

/// A target that is a child process and speaks over its standard streams.
#[derive(Clone, Debug)]
pub struct StdioTarget {
    /// Program and arguments; never empty.
    pub command: Vec<String>,
    /// Its environment, beside a few variables of the gateway's that hold no secrets, such as `PATH`.
    pub env: BTreeMap<String, Secret>,
    pub working_directory: Option<PathBuf>,
    pub era: EraChoice,
}

/// Who shares a session with a target that keeps sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetSessions {
    /// All clients of one caller.
    #[default]
    PerCaller,
    /// Each session of a client has its own; clients without one share by caller.
    PerSession,
    /// Everyone.
    Shared,
}

/// Which era a target speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EraChoice {
    /// Asked once, remembered, asked again when the assumption fails.
    #[default]
    Auto,
    Modern,
    Legacy,
}

/// What the gateway shows a target to be let in.
#[derive(Clone, Debug)]
pub enum Credential {
    None,
    ClientCredentials(ClientCredentials),
    ApiKey(ApiKey),
    Sigv4(Sigv4),
}

/// OAuth 2.0 client credentials (RFC 6749, section 4.4).
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    pub token_endpoint: TokenEndpoint,
    pub client_id: String,
    pub client_secret: SecretSource,
    pub scopes: Vec<String>,
    pub client_authentication: ClientAuthentication,
    /// Sent with the token request as they are, for example `audience` or `resource`.
    pub extra_parameters: BTreeMap<String, String>,
}

/// Where tokens come from.
#[derive(Clone, Debug)]
pub enum TokenEndpoint {
    Url(Url),
    /// Named by the `token_endpoint` of this discovery document.
    Discovery(Url),
}

/// How a client proves itself to the token endpoint (RFC 6749, section 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// In the header `Authorization`.
    #[default]
    Basic,
    /// In the form.
    Post,
}

/// A fixed key.
#[derive(Clone, Debug)]
pub struct ApiKey {
    pub key: SecretSource,
    pub location: ApiKeyLocation,
    /// Put before the key, for example `Bearer `.
    pub prefix: String,
}

/// Where an API key goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiKeyLocation {
    Header(http::HeaderName),
    QueryParameter(String),
}

/// AWS Signature Version 4 over each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sigv4 {
    /// The signing name, such as `bedrock-agentcore`.
    pub service: String,
    /// What is signed for, where the file says it. Else the request's host does, else the identity.
    pub region: Option<String>,
    /// Who signs.
    pub identity: Settings,
}

/// What `causeway dev` starts for a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dev {
    /// One of the sample servers, by name.
    Sample(String),
    /// The user's own server. It must serve MCP at `path` on the port in its environment variable `PORT`.
    Command { command: Vec<String>, path: String },
}

impl TargetKind {
    /// Who stands by for it; nobody for a server.
    pub fn standby(&self) -> &[TargetName] {
        match self {
            Self::Server => &[],
            Self::Gateway { standby } => standby,
        }
    }
}

impl SecretSource {
    /// The secret, if it came with config.toml.
    pub fn here(&self) -> Option<&Secret> {
        match self {
            Self::Here(secret) => Some(secret),
            Self::Aws { .. } => None,
        }
    }
}

impl From<Secret> for SecretSource {
    fn from(secret: Secret) -> Self {
        Self::Here(secret)
    }
}

impl Config {
    /// Reads the config.toml at `path` and looks up what it refers to.
    ///
    /// # Errors
    /// Every mistake of the file in one run. Its text ends a program with exit code 64 (`EX_USAGE`).
    pub fn load(path: &Path, environment: &Environment) -> Result<Self, Mistakes> {
        Draft::read(path)?.resolve(environment)
    }
}
