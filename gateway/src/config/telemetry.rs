//! What the process says about itself, as the program runs it.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use url::Url;

/// Logs, and where spans and metrics are exported to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Telemetry {
    pub log_format: LogFormat,
    /// Directives as in `RUST_LOG`, which overrules them; `None`: the command's own default.
    pub log_level: Option<String>,
    /// Absent where nothing is exported.
    pub otlp: Option<Otlp>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    Text,
    Json,
}

/// Export by OTLP over HTTP, as protobuf.
#[derive(Clone, Debug, PartialEq)]
pub struct Otlp {
    /// Absent where no spans are exported.
    pub traces: Option<Url>,
    /// Absent where no metrics are exported.
    pub metrics: Option<Url>,
    /// Of each request. The values are secrets: `Debug` does not show them.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Of the traces that begin here, so many are recorded: 0 to 1.
    pub ratio: f64,
    /// For one export.
    pub timeout: Duration,
    /// Between two exports of metrics.
    pub metrics_interval: Duration,
    /// `service.name` and whatever else describes this process.
    pub resource: Vec<(String, String)>,
}
