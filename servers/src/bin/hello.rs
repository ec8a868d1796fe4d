//! The program `hello`. All it does is in the library.

use std::process::ExitCode;

use causeway_servers::{Sample, main as serve};

fn main() -> ExitCode {
    serve(Sample::Hello)
}
