//! The part of config.toml that makes further endpoints, each with a selection of what the targets offer and with callers of its
//! own.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{Located, Member, authorizer::Authorizer, clients::Client, selection::Selection};

/// An endpoint of its own, `/mcp/NAME`, that shows a part of what the targets offer. Patterns are over the names that clients see
/// at `/mcp`, before any is shortened; what is not chosen is unknown there. A kind without a table is not shown.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("anyOf" = json!([
    { "required": ["tools"] },
    { "required": ["prompts"] },
    { "required": ["resources"] },
])))]
pub struct Toolset {
    /// Letters and digits with single hyphens between them: the last part of its URL.
    #[schemars(required, regex(pattern = "^([0-9a-zA-Z][-]?){1,100}$"))]
    pub name: Member<String>,
    /// What it is for, for people who see it in a client. Default: nothing is said.
    pub description: Member<String>,
    /// The tools that it shows, such as `include = ["calculator___*"]`; an empty table shows all. Default: none.
    pub tools: Member<Selection>,
    /// The prompts that it shows. Default: none.
    pub prompts: Member<Selection>,
    /// The resources and resource templates that it shows, by URI; one that nobody lists may be read if the patterns let it through.
    /// Default: none.
    pub resources: Member<Selection>,
    /// Who may call it, in the form of the gateway's own. Default: whoever may call the gateway.
    pub authorizer: Member<Authorizer>,
    /// Text for the client's model. Default: what the targets say that it shows something of.
    pub instructions: Member<String>,
    /// Clients that people use it with. Default: those of the gateway.
    pub clients: Member<ToolsetClients>,
}

/// Clients that people use a toolset with.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolsetClients {
    /// Which ones. Default: those of the gateway.
    pub used: Member<Vec<Located<Client>>>,
    /// The name under which they know the toolset. Default: its name.
    pub server_name: Member<String>,
}
