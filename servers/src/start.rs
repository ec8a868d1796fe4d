//! What the server binaries share: arguments, logs, runtime, exit code. A program that brings its own calls
//! [`run`] instead.

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

use clap::{CommandFactory, FromArgMatches, Parser};
use tracing_subscriber::EnvFilter;

use crate::{SETTINGS, Sample, ServeArgs, run};

/// `EX_USAGE` of sysexits.h.
const BAD_USAGE: u8 = 64;

#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    serve: ServeArgs,
}

/// The whole program of the binary that serves `sample`. Exits with 64 for arguments that cannot be used, 1 when the
/// server cannot start or fails, else 0. Logs go to stderr, filtered by `RUST_LOG` (`info` by default).
pub fn main(sample: Sample) -> ExitCode {
    let args = match parse(sample) {
        Ok(args) => args,
        Err(error) => {
            // Nothing is left to be done when stderr is closed.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(BAD_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    log_to_stderr();
    match start(sample, args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn parse(sample: Sample) -> Result<ServeArgs, clap::Error> {
    let command = Cli::command().name(sample.name()).bin_name(sample.name()).about(about(sample));
    let command = match sample {
        Sample::CloudwatchInsights => command.after_help(SETTINGS),
        Sample::Calculator | Sample::Hello => command,
    };
    let cli = Cli::from_arg_matches(&command.try_get_matches()?)?;
    Ok(cli.serve)
}

fn start(sample: Sample, args: ServeArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(run(sample, args));
    // Not dropped: a drop waits for a read of stdin that may never return.
    runtime.shutdown_background();
    outcome
}

/// rmcp logs three lines a request at `info` and whole messages at `debug`, so its level is not left to `RUST_LOG`.
/// What the AWS SDK may log is not either; the tool says in one line what goes wrong there.
fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let filter = ["rmcp=warn"].iter().chain(&causeway_aws::LOG_DIRECTIVES).fold(filter, |filter, directive| {
        filter.add_directive(directive.parse().expect("the directive is well-formed"))
    });
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
}

fn about(sample: Sample) -> &'static str {
    match sample {
        Sample::Calculator => "MCP server with the tools `add_numbers` and `multiply_numbers`",
        Sample::Hello => "MCP server with the tool `greet_user`",
        Sample::CloudwatchInsights => {
            "MCP server with the tools `query_cloudwatch_insights`, `list_log_groups` and `get_log_fields`"
        }
    }
}
