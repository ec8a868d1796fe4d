//! The mirror of the section `[telemetry]` of config.toml. It checks nothing; `resolve/telemetry.rs` does.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Map, Member};

pub const SERVICE_NAME: &str = "causeway";
pub const METRICS_SECONDS: u64 = 60;
/// OpenTelemetry's own default.
pub const TIMEOUT_SECONDS: u64 = 10;

/// Logs, and the export of spans and metrics by OTLP (HTTP, protobuf). OpenTelemetry's variables, such as
/// `OTEL_EXPORTER_OTLP_ENDPOINT`, stand for what is not said here.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// How log lines look. Default: `auto`.
    #[schemars(extend("default" = "auto"))]
    pub log_format: Member<LogFormat>,
    /// What is logged: `error`, `warn`, `info`, `debug`, `trace`, or directives as in `RUST_LOG`, which overrules it. Default:
    /// `info`, and `warn` for `causeway dev`.
    pub log_level: Member<String>,
    /// The collector's base URL, such as `http://127.0.0.1:4318`: spans go to `/v1/traces` below it, metrics to `/v1/metrics`.
    /// Default: what the environment says, else nothing is exported.
    pub otlp_endpoint: Member<String>,
    /// Headers of each export whose values come from the gateway's environment: `{ authorization = "OTLP_TOKEN" }`. Default:
    /// none.
    #[serde(default)]
    #[schemars(extend("default" = {}))]
    pub otlp_headers_env: Map<String>,
    /// Which share of the traces that begin here is recorded, 0 to 1; of others, those that whoever called records. Default: 1.
    #[schemars(range(min = 0.0, max = 1.0), extend("default" = 1))]
    pub trace_ratio: Member<f64>,
    /// Seconds between two exports of metrics; 0 exports none. Default: 60.
    #[schemars(range(min = 0, max = 86_400), extend("default" = METRICS_SECONDS))]
    pub metrics_seconds: Member<u64>,
    /// The name of this process there. Default: `causeway`.
    #[schemars(extend("default" = SERVICE_NAME))]
    pub service_name: Member<String>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    Text,
    Json,
}
