//! What the process says about itself on standard error: text on a terminal, JSON lines else.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// What is logged unless `RUST_LOG` says otherwise. rmcp logs whole messages below `warn`.
const DEFAULT: &str = "info,rmcp=warn";

/// Starts logging, once a process.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| DEFAULT.into());
    let layer = match std::io::stderr().is_terminal() {
        true => fmt::layer().with_writer(std::io::stderr).with_target(false).boxed(),
        false => fmt::layer().json().flatten_event(true).with_writer(std::io::stderr).boxed(),
    };
    // A second call finds a logger in place, and that is as good.
    let _ = tracing_subscriber::registry().with(filter).with(layer).try_init();
}
