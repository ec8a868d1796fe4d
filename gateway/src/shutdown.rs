//! The signals that end the process: the first asks it to end in order, the second ends it at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a shell reports of a process that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// Has `heed` called at each SIGHUP, which would else end the process: whoever moves log files away says so with it, or whoever has
/// written another configuration.
///
/// # Errors
/// The process may not install signal handlers.
pub fn on_hang_up(heed: impl Fn() + Send + 'static) -> std::io::Result<()> {
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hang_up.recv().await.is_some() {
            heed();
        }
    });
    Ok(())
}

/// Waits for SIGINT (Ctrl-C) or SIGTERM. A second one ends the process then and there, also before anybody waits: what comes first,
/// such as reading keys that AWS keeps, may take its time.
///
/// # Errors
/// The process may not install signal handlers.
pub fn requested() -> std::io::Result<impl Future<Output = ()> + Send> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut next = async move || {
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
        }
    };
    let told = CancellationToken::new();
    let tell = told.clone();
    tokio::spawn(async move {
        next().await;
        tracing::info!("stopping: open requests may end; a second signal stops at once");
        tell.cancel();
        next().await;
        std::process::exit(INTERRUPTED);
    });
    Ok(told.cancelled_owned())
}
