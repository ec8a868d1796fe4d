//! How often targets may be asked for something, as config.toml says it.

use std::time::Duration;

use causeway_core::name::Pattern;

pub use super::file::rate_limit::Per;

/// One limit; a call must keep to all there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// In each period, and at once.
    pub calls: u64,
    pub period: Duration,
    pub per: Per,
    /// Only these tools, by their names toward clients; `None`: whatever targets are asked for.
    pub tools: Option<Vec<Pattern>>,
}
