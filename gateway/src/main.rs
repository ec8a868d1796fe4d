//! The program `causeway`: arguments in, a command out.

use std::process::ExitCode;

use causeway::cli::{self, Cli};
use clap::Parser;

fn main() -> ExitCode {
    cli::run(Cli::parse())
}
