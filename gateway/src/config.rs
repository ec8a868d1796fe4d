//! What the program runs on: every reference resolved, every value checked. It is made from the text of config.toml
//! (`config/file.rs` mirrors that text) and never changes afterwards.

use std::{net::SocketAddr, path::Path, time::Duration};

use causeway_aws::{endpoint::Endpoints, identity::Settings, secret::Reference};
use causeway_core::{
    catalog::{Names, Paging},
    name::{Audience, ToolsetName},
};
use url::Url;

use crate::secret::Secret;

mod admin;
mod audit;
mod authorizer;
mod credential;
pub mod deploy;
pub mod draft;
pub mod environment;
pub mod file;
mod findings;
pub mod located;
mod login;
mod loopback;
pub mod mistake;
pub mod outline;
mod proxies;
mod rate_limit;
mod replicas;
mod resolve;
pub mod schema;
mod shape;
mod state;
mod target;
mod telemetry;
mod toolset;

pub use admin::Admin;
pub use audit::{Audit, AuditSink, OnFull, Redaction};
pub use authorizer::{AccessKey, Authorizer, AwsIam, CallerIdentity, CustomJwt};
pub use credential::{
    ApiKey, ApiKeyLocation, ClientAuthentication, ClientCredentials, Credential, Sigv4, TokenEndpoint,
};
pub use deploy::Deployment;
pub use draft::Draft;
pub use environment::Environment;
pub use login::{ClientDocuments, Login, LoginProxy};
pub(crate) use loopback::{is_loopback, is_loopback_host, is_loopback_redirect};
pub use mistake::{Label, Mistake, Mistakes, Subject};
pub use outline::Written;
pub use proxies::Proxies;
pub use rate_limit::{Per, RateLimit};
pub use replicas::{Redis, ReplicaUrl, Replicas};
pub(crate) use resolve::KEY_BYTES;
pub use resolve::Over;
pub use state::{Snapshot, State};
pub use target::{Dev, EraChoice, HttpTarget, StdioTarget, Target, TargetKind, TargetSessions, Transport};
pub use telemetry::{LogFormat, Otlp, Telemetry};
pub use toolset::Toolset;

/// Everything that config.toml says, resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub gateway: Gateway,
    pub sessions: Sessions,
    pub limits: Limits,
    pub rate_limits: Vec<RateLimit>,
    pub failover: Failover,
    pub replicas: Replicas,
    pub admin: Option<Admin>,
    pub audit: Option<Audit>,
    pub telemetry: Telemetry,
    pub state: State,
    pub lambda: Lambda,
    pub aws: Aws,
    pub authorizer: Authorizer,
    /// `None`: clients bring their tokens from elsewhere.
    pub login: Option<Login>,
    pub clients: Clients,
    /// In the order of the file, which is the order of the merged lists.
    pub targets: Vec<Target>,
    /// Endpoints beside the gateway's own.
    pub toolsets: Vec<Toolset>,
    /// Of the environment, not of the file.
    pub proxies: Proxies,
    /// The file itself, for who wants to see it.
    pub written: Written,
}

/// The endpoint that clients see.
#[derive(Clone, Debug, PartialEq)]
pub struct Gateway {
    /// Name that the gateway gives itself toward clients.
    pub name: String,
    /// What an endpoint is for, where it has a description.
    pub description: Option<String>,
    pub listen: SocketAddr,
    /// The URL that clients use, ending in `/mcp`, where it differs from what they connect to (behind a proxy).
    pub public_url: Option<Url>,
    /// Pages of these may call the gateway, beside those of `public_url` and, on loopback, of this machine.
    pub allowed_origins: Vec<Url>,
    /// For the client's model; `None`: what the targets say.
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

/// Clients that people use, as far as that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clients {
    pub audience: Audience,
    /// Tools whose names do not fit are listed under short ones.
    pub shorten: bool,
}

/// Sessions of legacy clients.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Bytes of a client's request body.
    pub request_bytes: usize,
    /// For the body of a client's request to come in.
    pub request_time: Duration,
    /// Bytes of the head of a client's request, and of the head of a target's answer.
    pub header_bytes: usize,
    /// For the head of a request to come in, and for the next one to come on the same connection.
    pub idle: Duration,
    /// For a client to take something of an answer that is there for it.
    pub stalled: Duration,
    /// For open requests to end once the gateway is told to stop.
    pub drain: Duration,
    /// Connections of clients at once.
    pub connections: usize,
    /// Bytes of one message from a target.
    pub response_bytes: usize,
    /// To connect to a target or an issuer.
    pub connect: Duration,
    /// Whether connections wait for the next request. Not where the process stands still meanwhile, as a function of Lambda does:
    /// who is at their other end may have closed them, and nobody knows what became of a request that is sent then.
    pub keep_connections: bool,
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
    /// Entries of all lists of one target.
    pub catalog_entries: usize,
    /// Bytes of all lists of one target.
    pub catalog_bytes: usize,
    /// Calls that run in one target at once.
    pub target_calls: usize,
    /// Calls that wait for one of those to end.
    pub target_queue: usize,
    /// For such a call to get its place.
    pub queue: Duration,
    /// Calls that wait for input of a modern client at once.
    pub parked_calls: usize,
    /// For a modern client to bring the input that a call waits for.
    pub parked: Duration,
    /// Streams on which clients listen at once.
    pub streams: usize,
}

/// When a path of a target counts as down, and when it is tried again.
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

/// The gateway as an AWS Lambda function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lambda {
    /// The signature of a token that API Gateway's authorizer has verified is not verified again.
    pub trusts_authorizer: bool,
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

impl PartialEq for Aws {
    /// By what the file says: the environment of a process stays as it is.
    fn eq(&self, other: &Self) -> bool {
        (&self.identity, self.secret_refresh) == (&other.identity, other.secret_refresh)
    }
}

/// A secret, or where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// Read together with config.toml.
    Here(Secret),
    /// In a file that others write anew: read when it is needed, and again once the secret is refused.
    File(std::path::PathBuf),
    /// Kept by AWS and read there when it is needed.
    Aws {
        reference: Reference,
        /// Of the JSON object that it is; `None`: it is the secret as a whole.
        json_key: Option<String>,
    },
}

impl SecretSource {
    /// The secret, if it came with config.toml.
    pub fn here(&self) -> Option<&Secret> {
        match self {
            Self::Here(secret) => Some(secret),
            Self::File(_) | Self::Aws { .. } => None,
        }
    }
}

impl From<Secret> for SecretSource {
    fn from(secret: Secret) -> Self {
        Self::Here(secret)
    }
}

impl Config {
    /// Who may call the gateway, and then who may call the toolsets that have callers of their own.
    pub fn authorizers(&self) -> impl Iterator<Item = (Option<&ToolsetName>, &Authorizer)> {
        let toolsets = self.toolsets.iter();
        let own = toolsets.filter_map(|toolset| Some((Some(&toolset.name), toolset.authorizer.as_ref()?)));
        [(None, &self.authorizer)].into_iter().chain(own)
    }

    /// Reads the config.toml at `path` and looks up what it refers to.
    ///
    /// # Errors
    /// Every mistake of the file in one run. Its text ends a program with exit code 64 (`EX_USAGE`).
    pub fn load(path: &Path, environment: &Environment) -> Result<Self, Mistakes> {
        Draft::read(path)?.resolve(environment)
    }
}
