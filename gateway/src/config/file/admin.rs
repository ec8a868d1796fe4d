//! The mirror of the section `[admin]` of config.toml. It checks nothing; `resolve/admin.rs` does.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Member;

/// Beside the gateway's own port.
pub const LISTEN: &str = "127.0.0.1:8081";

/// A port of its own for who runs the gateway.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// Address and port to listen on. On loopback nobody is asked who he is; elsewhere the gateway's authorizer lets in whom it
    /// lets in to the gateway. `/healthz` is open. Default: `127.0.0.1:8081`.
    #[schemars(extend("default" = LISTEN))]
    pub listen: Member<String>,
    /// Who may read `/metrics` where it is not on loopback: `"authorized"` callers, or `"anyone"`, because most scrapers cannot
    /// fetch tokens. Metrics name targets and tools, never callers. Default: `authorized`.
    #[schemars(extend("default" = "authorized"))]
    pub metrics: Member<MetricsFor>,
    /// Let people call tools from the dashboard. Where the port is on loopback, such a call is made as the caller `admin-port`, without
    /// a token; elsewhere as who has signed in. Default: `true` on loopback, `false` elsewhere.
    pub try_tools: Member<bool>,
    /// Serve everyone on an address that other machines reach. Has a meaning only with `authorizer = "none"`. Default: `false`.
    #[schemars(extend("default" = false))]
    pub allow_unauthenticated: Member<bool>,
}

/// Who may read metrics.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum MetricsFor {
    /// Whom the gateway's authorizer lets in.
    Authorized,
    /// Whoever reaches the port.
    Anyone,
}
