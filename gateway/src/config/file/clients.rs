//! The part of config.toml that says which clients people use, so that names can be checked against what those take. The clients
//! are those of `causeway_core::name::Profile`.

use causeway_core::name::Profile;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Located, Member};

/// Clients that people use the gateway with, and what is done for them.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clients {
    /// Which ones. Tools that they will not take are warnings in the log and of `causeway targets`. Default: none, and nothing is
    /// checked.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub used: Vec<Located<Client>>,
    /// The name under which they know the gateway: the key in their configuration. They put it before the names of its tools, and
    /// count it. Default: `gateway.name`.
    pub server_name: Member<String>,
    /// List tools whose names are too long for one of these clients, or have characters that models refuse, under a short name: the
    /// beginning, and a digest of the whole. A tool can be called by both. Default: `false`.
    #[schemars(extend("default" = false))]
    pub shorten_names: Member<bool>,
}

/// A client.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Client {
    #[serde(rename = "vscode")]
    VsCode,
    CopilotCli,
    ClaudeCode,
    Cursor,
    AmazonQ,
    Kiro,
}

impl From<Client> for Profile {
    fn from(client: Client) -> Self {
        match client {
            Client::VsCode => Self::VsCode,
            Client::CopilotCli => Self::CopilotCli,
            Client::ClaudeCode => Self::ClaudeCode,
            Client::Cursor => Self::Cursor,
            Client::AmazonQ => Self::AmazonQ,
            Client::Kiro => Self::Kiro,
        }
    }
}
