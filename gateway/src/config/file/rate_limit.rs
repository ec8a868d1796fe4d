//! The mirror of the list `[[rate_limits]]` of config.toml. It checks nothing; `resolve/rate_limit.rs` does.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Located, Member};

/// A minute, as AgentCore counts most.
pub const PERIOD_SECONDS: u64 = 60;

/// How often targets may be asked for something. A call must keep to all of them; a list is no call. Replicas with a Redis count
/// together.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// So many calls in each period, and so many at once; 0 refuses all.
    #[schemars(required, range(min = 0, max = 1_000_000))]
    pub calls: Member<u64>,
    /// Seconds of a period. Default: 60.
    #[schemars(range(min = 1, max = 86_400), extend("default" = PERIOD_SECONDS))]
    pub seconds: Member<u64>,
    /// Whose calls count together: those of each `caller`, of each `client` (the claim `client_id`; without one the caller), or of
    /// `everyone`. Default: `caller`.
    #[schemars(extend("default" = "caller"))]
    pub per: Member<Per>,
    /// Only calls of tools that one of these patterns matches, over the names that clients use; `*` stands for any text and `?` for one
    /// character. Default: whatever is asked of a target, not only tools.
    #[schemars(length(min = 1))]
    pub tools: Member<Vec<Located<String>>>,
}

/// Whose calls count together.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Each caller by itself.
    Caller,
    /// Each application that calls by itself, whoever uses it.
    Client,
    /// All callers together.
    Everyone,
}
