//! What the process says about itself on standard error: text on a terminal, JSON lines else.

pub mod wire;

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, filter::filter_fn, fmt, prelude::*};

/// Starts logging, once a process, at `level` unless `RUST_LOG` says otherwise.
pub fn init(level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| level.into());
    // Not left to RUST_LOG: rmcp, in the sample servers, logs whole messages below `warn`, and the AWS SDK whole answers to
    // requests that it signed, which may repeat what proves who we are. What goes wrong there is said in one line by whoever
    // needed it.
    let quiet = ["rmcp=warn", "aws_config=error", "aws_smithy_runtime=error", &wire::directive()];
    let filter = quiet
        .iter()
        .fold(filter, |filter, directive| filter.add_directive(directive.parse().expect("a well-formed directive")));
    let layer = match std::io::stderr().is_terminal() {
        true => fmt::layer().with_writer(std::io::stderr).with_target(false).boxed(),
        false => fmt::layer().json().flatten_event(true).with_writer(std::io::stderr).boxed(),
    };
    let layer = layer.with_filter(filter_fn(|metadata| !wire::is(metadata)));
    // A second call finds a logger in place, and that is as good.
    let _ = tracing_subscriber::registry().with(filter).with(layer).with(wire::WireLayer).try_init();
}
