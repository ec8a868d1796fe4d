//! `causeway man`: the manual, made of what `--help` says. Installs nothing.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;

use super::{Cli, screen::out};

/// Where to.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES:
  Read it:     causeway man | man -l -
  Install it:  causeway man --directory /usr/local/share/man/man1")]
pub struct ManArgs {
    /// The directory for one page a command; default: the first page alone, on standard output
    #[arg(long, value_name = "PATH")]
    directory: Option<PathBuf>,
}

/// Prints or writes them.
///
/// # Errors
/// A directory that cannot be written to.
pub(super) fn run(args: &ManArgs) -> anyhow::Result<()> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    match &args.directory {
        None => out(&String::from_utf8_lossy(&page(command)?)),
        Some(directory) => {
            std::fs::create_dir_all(directory).with_context(|| unwritable(directory))?;
            write(command, directory)
        }
    }
}

/// The page of a command and those of all its own.
fn write(command: Command, directory: &Path) -> anyhow::Result<()> {
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()).cloned() {
        write(sub, directory)?;
    }
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let path = directory.join(format!("{name}.1"));
    std::fs::write(&path, page(command)?).with_context(|| unwritable(&path))
}

fn page(command: Command) -> anyhow::Result<Vec<u8>> {
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let mut page = Vec::new();
    let man = Man::new(command).title(name).manual("Causeway");
    man.render(&mut page).context("the page cannot be made")?;
    Ok(page)
}

fn unwritable(path: &Path) -> String {
    format!("`{}` cannot be written", path.display())
}
