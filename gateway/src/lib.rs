//! Causeway: one MCP endpoint that merges the tools of many MCP servers.

pub mod cli;
pub mod config;
pub mod secret;
