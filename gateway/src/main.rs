//! The program `causeway`: arguments in, a command out.

use std::process::ExitCode;

use causeway::cli::{self, Cli};

fn main() -> ExitCode {
    cli::run(Cli::of_process())
}
