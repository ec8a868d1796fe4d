//! What the control plane says of how much may come in at a gateway, and of what is led elsewhere: its rate limits and rules.

use serde::Deserialize;
use serde_json::{Map, Value};

/// A list that AWS shows, or not.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Listed<T> {
    Shown(Vec<T>),
    /// It could not be read, and why.
    Unreadable(String),
}

/// An entry of `ListGatewayRateLimits`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RateLimit {
    pub rate_limit_id: String,
    /// What is counted apart, such as `toolName`.
    pub dimension_keys: Vec<String>,
}

/// An entry of `ListGatewayRules`.
#[derive(Clone, Debug, Deserialize)]
pub struct Rule {
    /// Unions with one member each: `routeToTarget` or `configurationBundle`.
    pub actions: Vec<Map<String, Value>>,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self::Shown(Vec::new())
    }
}
