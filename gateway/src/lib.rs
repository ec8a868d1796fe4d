//! Causeway: one MCP endpoint that merges the tools of many MCP servers.

pub mod address;
pub mod admin;
pub mod app;
mod arguments;
pub mod calls;
mod child;
pub mod cli;
pub mod clients;
pub mod config;
pub mod credentials;
pub mod deploy;
pub mod discovery;
pub mod error;
mod export;
pub mod front;
pub mod gateway;
mod headers;
pub mod http;
#[cfg(feature = "dev")]
pub mod identity_provider;
pub mod import;
pub mod inbound;
#[cfg(feature = "lambda")]
mod lambda;
pub mod login;
mod metrics;
mod opaque;
#[doc(hidden)]
pub mod parsers;
pub mod peer;
mod rates;
pub mod reload;
mod replicas;
pub mod secret;
pub mod serve;
pub mod session_keys;
mod shared;
pub mod shutdown;
pub mod snapshot;
pub mod stdio;
pub mod stored;
pub mod targets;
pub mod telemetry;
