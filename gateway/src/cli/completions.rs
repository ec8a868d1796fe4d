//! `causeway completions`: what a shell needs to complete commands and options, on standard output. Installs nothing.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::{Cli, screen::out};

pub(super) const EXAMPLES: &str = "EXAMPLES:
  bash:       causeway completions bash > ~/.local/share/bash-completion/completions/causeway
  zsh:        causeway completions zsh > \"${fpath[1]}/_causeway\"
  fish:       causeway completions fish > ~/.config/fish/completions/causeway.fish
  for a try:  source <(causeway completions bash)";

/// For which shell.
#[derive(Clone, Copy, Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Prints them.
///
/// # Errors
/// Standard output that cannot be written to.
pub(super) fn run(args: &CompletionsArgs) -> anyhow::Result<()> {
    // As a whole: the generator panics where its output ends early, as with `head`.
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "causeway", &mut script);
    out(&String::from_utf8_lossy(&script))
}
