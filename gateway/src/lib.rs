//! Causeway: one MCP endpoint that merges the tools of many MCP servers.

pub mod config;
pub mod credentials;
#[cfg(feature = "dev")]
pub mod identity_provider;
pub mod inbound;
pub mod secret;
