//! Ending a child process and what it started. Starts none and reads no streams.

use std::{process::ExitStatus, time::Duration};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{process::Child, time::timeout};

/// Between closing its input, telling it to end, and killing it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Waits for `child`, whose input is closed and which leads a process group of its own; tells the group to end when it
/// takes too long, then kills it. Says how it ended.
pub(crate) async fn end(child: &mut Child) -> String {
    let group = group(child);
    let mut status = timeout(PATIENCE, child.wait()).await;
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        if status.is_ok() {
            break;
        }
        signal_group(group, signal);
        status = timeout(PATIENCE, child.wait()).await;
    }
    // What the process started may have outlived it.
    signal_group(group, Signal::SIGKILL);
    match status {
        Ok(status) => worded(status),
        Err(_) => "it cannot be killed".into(),
    }
}

/// Waits until `child`, which leads a process group of its own, ends by itself; then kills what it started and left
/// behind. Says how it ended.
pub(crate) async fn ended(child: &mut Child) -> String {
    let group = group(child);
    let status = child.wait().await;
    signal_group(group, Signal::SIGKILL);
    worded(status)
}

fn worded(status: std::io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| format!("its end is unknown: {error}"), |status| status.to_string())
}

fn group(child: &Child) -> Option<Pid> {
    child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw)
}

/// An error means that nobody is left in the group.
fn signal_group(group: Option<Pid>, signal: Signal) {
    let _ = group.map(|group| killpg(group, signal));
}
