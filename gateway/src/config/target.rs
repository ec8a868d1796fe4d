//! The MCP servers behind the gateway and how each is reached, as config.toml says it.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use causeway_core::{catalog::Edits, name::TargetName};
use url::Url;

use super::Credential;
use crate::secret::Secret;

/// One MCP server behind the gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub name: TargetName,
    pub kind: TargetKind,
    pub transport: Transport,
    /// 0 to 1000; of several targets with one resource, the lowest serves it.
    pub resource_priority: u16,
    /// Which of what it lists clients see, and under which names.
    pub edits: Arc<Edits>,
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
#[derive(Clone, Debug, PartialEq)]
pub enum Transport {
    Http(HttpTarget),
    Stdio(StdioTarget),
}

/// A target that speaks streamable HTTP.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
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
