//! The program `causeway`: arguments in, a command out.

use std::process::ExitCode;

use causeway::cli::{self, Cli};
use mimalloc::MiMalloc;

/// A call asks for memory some hundred times, for a moment each.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cli::run(Cli::of_process())
}
