//! When a server process should stop: a signal, or the end of its stdin. Decides nothing about how.

use std::{
    future::Future,
    io::{self, Read},
    thread,
};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

/// Ends at the first SIGINT or SIGTERM, or with `with_stdin` at the end of stdin. Listens from this call on, so that
/// no signal is missed between it and the first poll.
pub(crate) fn requested(with_stdin: bool) -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stdin_end = with_stdin.then(stdin_end);
    Ok(async move {
        let stdin_end = async {
            match stdin_end {
                Some(end) => drop(end.await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = stdin_end => {}
        }
    })
}

/// Resolves at the end of stdin. A thread of its own reads, because a blocked read on the runtime's pool would keep the
/// runtime from ending.
fn stdin_end() -> oneshot::Receiver<()> {
    let (ended, end) = oneshot::channel();
    thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        let mut discarded = [0; 1024];
        while matches!(stdin.read(&mut discarded), Ok(1..)) {}
        // Nobody waits any more when the server stops for another reason.
        let _ = ended.send(());
    });
    end
}
