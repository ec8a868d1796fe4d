//! The server `hello`: greets by name. Keeps and looks up nothing.

use std::sync::Arc;

use rmcp::{
    ServerHandler,
    handler::server::{router::tool::ToolRouter, wrapper::Parameters},
    tool, tool_handler, tool_router,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// The MCP server.
#[derive(Clone, Debug)]
pub(crate) struct Hello {
    tools: Arc<ToolRouter<Self>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Greeting {
    /// Name of the person to greet, for example `Alice`
    name: String,
}

#[tool_router(router = tools)]
impl Hello {
    pub(crate) fn new() -> Self {
        Self { tools: Arc::new(Self::tools()) }
    }

    /// Greets a person by name and returns the greeting.
    #[tool(
        title = "Greet user",
        annotations(read_only_hint = true, destructive_hint = false, idempotent_hint = true, open_world_hint = false)
    )]
    async fn greet_user(&self, Parameters(Greeting { name }): Parameters<Greeting>) -> String {
        format!("Hello, {name}! Nice to meet you.")
    }
}

#[tool_handler(router = self.tools, name = "hello", instructions = "Greets people by name.")]
impl ServerHandler for Hello {}
