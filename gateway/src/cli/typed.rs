//! What a person types on the terminal and the terminal does not show. Whatever ends the asking, the terminal shows again what
//! is typed.

use std::io;

use anyhow::Context;
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};

use super::{Interrupted, screen::say};
use crate::secret::Secret;

/// As long as it lives, the terminal does not show what is typed.
#[derive(Debug)]
struct Silent(Termios);

/// What is typed after `prompt`; none if it is nothing. Dropped, it leaves the terminal as it was.
///
/// # Errors
/// There is no terminal.
pub(super) async fn hidden(prompt: &str) -> anyhow::Result<Option<Secret>> {
    // Before anything is asked for, because somebody may type ahead.
    let silent = Silent::new().context("the terminal cannot be used")?;
    say(prompt);
    let typed = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map(|_| line)
    });
    let line = typed.await.context("nobody was asked")?.context("the terminal cannot be used")?;
    drop(silent);
    Ok(Some(line.trim_end_matches(['\r', '\n'])).filter(|line| !line.is_empty()).map(Secret::new))
}

/// Carries out `work`, which may be asking for something hidden: a signal that ends the process ends that first.
///
/// # Errors
/// Those of `work`; [`Interrupted`].
pub(super) async fn unless_interrupted<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let listen = |kind| signal(kind).context("the process cannot listen for signals");
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let mut hang_up = listen(SignalKind::hangup())?;
    tokio::select! {
        outcome = work => outcome,
        _ = interrupt.recv() => Err(Interrupted.into()),
        _ = terminate.recv() => Err(Interrupted.into()),
        _ = hang_up.recv() => Err(Interrupted.into()),
    }
}

impl Silent {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(io::stdin(), SetArg::TCSANOW, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // Nothing more can be done for a terminal that has gone.
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.0);
        // The line end that was typed was not shown either.
        say("\n");
    }
}
