//! The serde mirror of config.toml: which keys there are and which types their values have. It checks nothing beyond that;
//! `resolve.rs` does. Doc comments of fields are what an editor shows: they become the JSON Schema.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::located::{Located, Member};

pub mod admin;
pub mod audit;
pub mod authorizer;
pub mod aws;
pub mod clients;
pub mod deploy;
pub mod lambda;
pub mod list_page;
pub mod login;
pub mod rate_limit;
pub mod selection;
pub mod state;
pub mod target;
pub mod telemetry;
pub mod toolset;

pub use admin::Admin;
pub use audit::Audit;
pub use authorizer::Authorizer;
pub use aws::{Aws, Sigv4};
pub use clients::Clients;
pub use deploy::Deploy;
pub use lambda::Lambda;
pub use list_page::ListPage;
pub use login::Login;
pub use rate_limit::RateLimit;
pub use state::State;
pub use target::Target;
pub use telemetry::Telemetry;
pub use toolset::Toolset;

/// Name toward clients.
pub const NAME: &str = "causeway";
/// AgentCore's `resourcePriority`.
pub const RESOURCE_PRIORITY: u64 = 1000;
/// Loopback: who wants more says so.
pub const LISTEN: &str = "127.0.0.1:8080";
/// AgentCore's `sessionTimeoutInSeconds`.
pub const SESSION_SECONDS: u64 = 3600;
/// AgentCore's limit of a request: 6 MB.
pub const REQUEST_BYTES: u64 = 6_000_000;
/// 64 MiB.
pub const RESPONSE_BYTES: u64 = 64 * 1024 * 1024;
pub const REQUEST_SECONDS: u64 = 30;
/// More than load balancers pass on (64 KB on AWS), so that they are the ones to refuse it.
pub const HEADER_BYTES: u64 = 65_536;
/// Longer than load balancers keep an idle connection (60 s by default on AWS).
pub const IDLE_SECONDS: u64 = 75;
/// The same as for a body to come in.
pub const STALLED_SECONDS: u64 = 30;
/// As Kubernetes and ECS give by default before they kill.
pub const DRAIN_SECONDS: u64 = 30;
/// AgentCore's limit of concurrent connections.
pub const CONNECTIONS: u64 = 5000;
pub const CONNECT_SECONDS: u64 = 5;
/// AgentCore's limit of an invocation: 15 minutes.
pub const CALL_SECONDS: u64 = 900;
pub const START_SECONDS: u64 = 60;
pub const DISCOVERY_SECONDS: u64 = 10;
pub const REFRESH_SECONDS: u64 = 300;
pub const CATALOG_PAGES: u64 = 1000;
pub const CATALOG_ENTRIES: u64 = 100_000;
/// 64 MiB.
pub const CATALOG_BYTES: u64 = 64 * 1024 * 1024;
pub const TARGET_CALLS: u64 = 256;
/// As many as run: who waits longer than one generation of calls is better told so.
pub const TARGET_QUEUE: u64 = 256;
/// Most clients have more patience than this.
pub const QUEUE_SECONDS: u64 = 10;
pub const PARKED_CALLS: u64 = 1000;
/// Time for a person to answer.
pub const PARKED_SECONDS: u64 = 600;
pub const STREAMS: u64 = 5000;
/// One may be chance.
pub const FAILURES: u64 = 3;
/// Longer than tools that only read commonly take, shorter than a person waits.
pub const FAILOVER_FIRST_BYTE_SECONDS: u64 = 30;
pub const COOL_DOWN_SECONDS: u64 = 1;
pub const LONGEST_COOL_DOWN_SECONDS: u64 = 60;

/// Configuration of Causeway: one MCP endpoint that merges the tools of many MCP servers.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Causeway config.toml")]
pub struct File {
    /// The endpoint that clients see.
    pub gateway: Member<Gateway>,
    /// Sessions of clients that speak MCP 2025-11-25 or older. Newer clients have none.
    pub sessions: Member<Sessions>,
    /// Bounds. Each has a default that suits a small gateway.
    pub limits: Member<Limits>,
    /// How often targets may be asked for something. Default: as often as `limits` allow.
    pub rate_limits: Member<Vec<Located<RateLimit>>>,
    /// When a target, or one of its paths, counts as down.
    pub failover: Member<Failover>,
    /// A port of its own for who runs the gateway: dashboard, metrics, health. Default: none.
    pub admin: Member<Admin>,
    /// The audit log. Default: none.
    pub audit: Member<Audit>,
    /// Logs, spans and metrics.
    pub telemetry: Member<Telemetry>,
    /// What the gateway keeps beyond the end of its process, and what it shares with other replicas of itself.
    pub state: Member<State>,
    /// The gateway as an AWS Lambda function. Default: it validates every token itself.
    pub lambda: Member<Lambda>,
    /// What the gateway asks of AWS itself: credentials and secrets.
    pub aws: Member<Aws>,
    /// Who may call: `authorizer = "none"`, or a table `[authorizer.custom_jwt]`.
    #[schemars(required)]
    pub authorizer: Member<Authorizer>,
    /// How people log in. Default: clients bring their tokens from elsewhere.
    pub login: Member<Login>,
    /// Clients that people use the gateway with. Default: it is not known.
    pub clients: Member<Clients>,
    /// The MCP servers behind the gateway, in the order in which their tools are listed.
    #[schemars(required, length(min = 1))]
    pub targets: Member<Vec<Located<Target>>>,
    /// Further endpoints, each with a part of what the targets offer. Default: none.
    pub toolsets: Member<Vec<Located<Toolset>>>,
    /// What `causeway deploy` makes of it at AWS. Default: what its options say.
    pub deploy: Member<Deploy>,
}

impl File {
    /// The gateway's and those of toolsets.
    pub fn authorizers(&self) -> impl Iterator<Item = &Authorizer> {
        let toolsets = self.toolsets.iter().flat_map(|toolsets| &toolsets.value);
        let all = toolsets.filter_map(|toolset| toolset.value.authorizer.as_ref()).chain(&self.authorizer);
        all.map(|authorizer| &authorizer.value)
    }
}

/// The endpoint that clients see.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// Name that the gateway gives itself toward clients. Default: `causeway`.
    #[schemars(extend("default" = NAME))]
    pub name: Member<String>,
    /// Address and port to listen on. Default: `127.0.0.1:8080`; in a container `0.0.0.0:8080`.
    #[schemars(extend("default" = LISTEN))]
    pub listen: Member<String>,
    /// The URL that clients use, ending in `/mcp`, where it is not the address that the gateway listens on (behind a proxy
    /// or a load balancer). Error messages and OAuth metadata name it. Default: what the client connected to.
    #[schemars(regex(pattern = "^https?://[^?#]*/mcp$"))]
    pub public_url: Member<String>,
    /// Origins of web pages that may call the gateway, for example `https://inspector.example.com`. Pages of `public_url` may,
    /// and where the gateway listens on loopback, pages of this machine. Default: none.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub allowed_origins: Vec<Located<String>>,
    /// Text for the client's model: what these tools are good for. Default: what the targets say, each under its name.
    pub instructions: Member<String>,
    /// What clients call tools and prompts. Default: `prefixed`.
    #[schemars(extend("default" = "prefixed"))]
    pub names: Member<Names>,
    /// How lists are cut into pages: so many entries a page, or `"target"`, the entries of one target a page, as AgentCore
    /// does. Default: each list is one page.
    pub list_page: Member<ListPage>,
    /// `"debug"` lets errors carry their cause. Leave it out in production: a cause can name internal hosts. Default: a
    /// short public text.
    pub exception_level: Member<ExceptionLevel>,
    /// Answer with server-sent events where the client accepts them; `false` answers with one JSON body always, which some
    /// proxies need. Default: `true`.
    #[schemars(extend("default" = true))]
    pub enable_response_streaming: Member<bool>,
    /// Serve callers without a token on an address that other machines reach. Has a meaning only with `authorizer =
    /// "none"`. Default: `false`.
    #[schemars(extend("default" = false))]
    pub allow_unauthenticated: Member<bool>,
}

/// What clients call tools and prompts. Resources keep their URIs in any case.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Names {
    /// `target___name`, as AgentCore does: never the same for two targets.
    Prefixed,
    /// As their target calls them. Of two of one name, that of the first target counts, and the log names both.
    Plain,
}

/// How much an error says.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionLevel {
    /// Errors carry their cause.
    Debug,
}

/// Sessions of clients that speak MCP 2025-11-25 or older.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// Whether such a client gets a session. Default: `optional`.
    #[schemars(extend("default" = "optional"))]
    pub mode: Member<SessionMode>,
    /// Seconds from `initialize` until the session ends, whatever happens in between; AgentCore allows 900 to 28800.
    /// Default: 3600.
    #[schemars(range(min = 1, max = 86_400), extend("default" = SESSION_SECONDS))]
    pub timeout_seconds: Member<u64>,
    /// Names of variables in the gateway's environment that hold keys for sealing sessions, each of at least 32 bytes. The
    /// first seals, all of them open: put a new key in front to rotate. Replicas need the same keys. Default: a key made at
    /// start, so that sessions end with the process.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub key_env: Vec<Located<String>>,
    /// The same for keys that AWS keeps: ARNs of Secrets Manager secrets or SSM parameters, read at start and again every
    /// `aws.secret_refresh_seconds`. They come after those of `key_env`. Default: none.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub key_arn: Vec<Located<String>>,
}

/// Whether a client that speaks MCP 2025-11-25 or older gets a session.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum SessionMode {
    /// `initialize` opens one; a request without one is answered too.
    Optional,
    /// A request without one is refused.
    Required,
    /// None is opened.
    Off,
}

/// Bounds. What goes beyond one gets an error that names it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a client's request body. Default: 6000000, as AgentCore.
    #[schemars(range(min = 1, max = 1_073_741_824), extend("default" = REQUEST_BYTES))]
    pub request_bytes: Member<u64>,
    /// Seconds for the body of a request to come in. Default: 30.
    #[schemars(range(min = 1, max = 86_400), extend("default" = REQUEST_SECONDS))]
    pub request_seconds: Member<u64>,
    /// Bytes of the head of a client's request, and of the head of a target's answer. Default: 65536 (64 KiB).
    #[schemars(range(min = 8_192, max = 1_048_576), extend("default" = HEADER_BYTES))]
    pub header_bytes: Member<u64>,
    /// Seconds for the head of a request to come in, and for which a connection stays open on which no request comes. Longer
    /// than a load balancer before the gateway keeps its own, or it sends a request into one that just ends. Default: 75.
    #[schemars(range(min = 1, max = 86_400), extend("default" = IDLE_SECONDS))]
    pub idle_seconds: Member<u64>,
    /// Seconds for which a client may take nothing of an answer that is there for it; then the answer is cut off, and the
    /// call with it. Default: 30.
    #[schemars(range(min = 1, max = 86_400), extend("default" = STALLED_SECONDS))]
    pub stalled_seconds: Member<u64>,
    /// Seconds for open requests to end once the gateway is told to stop; what still runs then is answered with an error.
    /// Whoever stops it must give it a little longer. Default: 30.
    #[schemars(range(min = 1, max = 86_400), extend("default" = DRAIN_SECONDS))]
    pub drain_seconds: Member<u64>,
    /// Connections of clients at once; more wait until one ends. Default: 5000, as AgentCore.
    #[schemars(range(min = 1, max = 1_000_000), extend("default" = CONNECTIONS))]
    pub connections: Member<u64>,
    /// Bytes of one message from a target. Default: 67108864 (64 MiB).
    #[schemars(range(min = 1, max = 1_073_741_824), extend("default" = RESPONSE_BYTES))]
    pub response_bytes: Member<u64>,
    /// Seconds to connect to a target or an issuer. Default: 5.
    #[schemars(range(min = 1, max = 86_400), extend("default" = CONNECT_SECONDS))]
    pub connect_seconds: Member<u64>,
    /// Seconds from a request to a target until its answer begins. A tool that answers in one piece begins when it is done,
    /// so a value below `call_seconds` cuts slow tools. Default: the same as `call_seconds`.
    #[schemars(range(min = 1, max = 86_400))]
    pub first_byte_seconds: Member<u64>,
    /// Seconds for a whole call. Default: 900, as AgentCore.
    #[schemars(range(min = 1, max = 86_400), extend("default" = CALL_SECONDS))]
    pub call_seconds: Member<u64>,
    /// Seconds for a child process to start and say what it speaks. Default: 60, because the first start of a command such
    /// as `uvx` or `npx` may download it.
    #[schemars(range(min = 1, max = 86_400), extend("default" = START_SECONDS))]
    pub start_seconds: Member<u64>,
    /// Seconds for one listing of one target, all pages. Default: 10.
    #[schemars(range(min = 1, max = 86_400), extend("default" = DISCOVERY_SECONDS))]
    pub discovery_seconds: Member<u64>,
    /// Seconds between two listings of a target that gives no sooner reason. Default: 300.
    #[schemars(range(min = 1, max = 86_400), extend("default" = REFRESH_SECONDS))]
    pub refresh_seconds: Member<u64>,
    /// Pages of one list of one target. Default: 1000.
    #[schemars(range(min = 1, max = 1_000_000), extend("default" = CATALOG_PAGES))]
    pub catalog_pages: Member<u64>,
    /// Entries of all lists of one target. Default: 100000.
    #[schemars(range(min = 1, max = 10_000_000), extend("default" = CATALOG_ENTRIES))]
    pub catalog_entries: Member<u64>,
    /// Bytes of all lists of one target. Default: 67108864 (64 MiB).
    #[schemars(range(min = 1, max = 1_073_741_824), extend("default" = CATALOG_BYTES))]
    pub catalog_bytes: Member<u64>,
    /// Calls that run in one target at once. Default: 256.
    #[schemars(range(min = 1, max = 1_000_000), extend("default" = TARGET_CALLS))]
    pub target_calls: Member<u64>,
    /// Calls that wait in order for one of those to end, where no other path can serve them. One caller gets at most as many of
    /// these places as it leaves free. 0: they are refused at once. Default: 256.
    #[schemars(range(min = 0, max = 1_000_000), extend("default" = TARGET_QUEUE))]
    pub target_queue: Member<u64>,
    /// Seconds that a call waits so before it is refused. Default: 10.
    #[schemars(range(min = 1, max = 86_400), extend("default" = QUEUE_SECONDS))]
    pub queue_seconds: Member<u64>,
    /// Calls that wait for input of clients that speak MCP 2026-07-28, where their target keeps them open meanwhile.
    /// Default: 1000.
    #[schemars(range(min = 1, max = 1_000_000), extend("default" = PARKED_CALLS))]
    pub parked_calls: Member<u64>,
    /// Seconds for such a client to bring the input; then the call is given up. Default: 600.
    #[schemars(range(min = 1, max = 86_400), extend("default" = PARKED_SECONDS))]
    pub parked_seconds: Member<u64>,
    /// Streams at once on which clients listen for changes. Default: 5000.
    #[schemars(range(min = 1, max = 1_000_000), extend("default" = STREAMS))]
    pub streams: Member<u64>,
}

/// When a path of a target counts as down, and when it is tried again. Of several paths (`http.endpoints`, `standby`) another one serves
/// meanwhile; where there is one alone, its calls fail at once.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failover {
    /// Failures in a row that take a path out of use: no connection, no answer, HTTP 5xx, no credential. Errors of a tool are
    /// none. Default: 3.
    #[schemars(range(min = 1, max = 1_000_000), extend("default" = FAILURES))]
    pub failures: Member<u64>,
    /// Seconds that a path gets to begin its answer before the next one is asked. Only for requests that may be asked twice:
    /// tools that say that they only read or are idempotent, prompts, resources, completion. A tool that answers in one piece
    /// begins when it is done, so set it above the slowest of them. Default: 30.
    #[schemars(range(min = 1, max = 86_400), extend("default" = FAILOVER_FIRST_BYTE_SECONDS))]
    pub first_byte_seconds: Member<u64>,
    /// Seconds until a path that is down is tried again; doubled each time that it is still down. Default: 1.
    #[schemars(range(min = 1, max = 86_400), extend("default" = COOL_DOWN_SECONDS))]
    pub cool_down_seconds: Member<u64>,
    /// The most that these seconds grow to; where there is no other path, 5 at most. Default: 60.
    #[schemars(range(min = 1, max = 86_400), extend("default" = LONGEST_COOL_DOWN_SECONDS))]
    pub longest_cool_down_seconds: Member<u64>,
}

/// Names with plain values.
pub type Map<T> = BTreeMap<String, Located<T>>;

/// A path in config.toml; a relative one starts at the directory of config.toml.
pub type FilePath = PathBuf;
