//! What the process says about itself on standard error: text on a terminal, JSON lines else.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// Starts logging, once a process, at `level` unless `RUST_LOG` says otherwise.
pub fn init(level: &str) {
    // rmcp, in the sample servers, logs whole messages below `warn`, so that is not left to RUST_LOG. The AWS SDK warns
    // at length of each source without credentials; the tool says it in one line.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| format!("{level},aws_config=error").into());
    let filter = filter.add_directive("rmcp=warn".parse().expect("a well-formed directive"));
    let layer = match std::io::stderr().is_terminal() {
        true => fmt::layer().with_writer(std::io::stderr).with_target(false).boxed(),
        false => fmt::layer().json().flatten_event(true).with_writer(std::io::stderr).boxed(),
    };
    // A second call finds a logger in place, and that is as good.
    let _ = tracing_subscriber::registry().with(filter).with(layer).try_init();
}
