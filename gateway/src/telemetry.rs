//! What the process says about itself on standard error: text on a terminal, JSON lines else.

mod lines;
pub mod wire;

use std::io::IsTerminal;

use tracing_subscriber::{
    EnvFilter,
    filter::filter_fn,
    fmt::{
        self,
        format::{Format, JsonFields},
    },
    prelude::*,
};

use self::lines::OfCalls;
use crate::config::{LogFormat, Telemetry};

/// Starts logging, once a process, at `level` unless `RUST_LOG` says otherwise.
pub fn init(level: &str) {
    start(level, LogFormat::Auto);
}

/// The same as `config` says, at `level` where it does not.
pub fn init_as(config: &Telemetry, level: &str) {
    start(config.log_level.as_deref().unwrap_or(level), config.log_format);
}

fn start(level: &str, format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| level.into());
    // Not left to RUST_LOG: rmcp, in the sample servers, logs whole messages below `warn`. What goes wrong there is said in one
    // line by whoever needed it.
    let wire = wire::directive();
    let filter = ["rmcp=warn", wire.as_str()]
        .iter()
        .chain(&causeway_aws::LOG_DIRECTIVES)
        .fold(filter, |filter, directive| filter.add_directive(directive.parse().expect("a well-formed directive")));
    let on_terminal = std::io::stderr().is_terminal();
    let as_text = format == LogFormat::Text || (format == LogFormat::Auto && on_terminal);
    let layer = match as_text {
        true => {
            let inner = Format::default().with_target(false).with_ansi(on_terminal);
            fmt::layer().event_format(OfCalls { inner, json: false }).with_writer(std::io::stderr).boxed()
        }
        false => {
            let inner = Format::default().json().flatten_event(true);
            let layer = fmt::layer().event_format(OfCalls { inner, json: true }).fmt_fields(JsonFields::new());
            layer.with_writer(std::io::stderr).boxed()
        }
    };
    let layer = layer.with_filter(filter_fn(|metadata| !wire::is(metadata)));
    // A second call finds a logger in place, and that is as good.
    let _ = tracing_subscriber::registry().with(filter).with(layer).with(wire::WireLayer).try_init();
}
