//! One call of a tool: how long it may take, whether it is still wanted, and where its progress is told. Knows nothing of
//! what the call does.

use std::time::Duration;

use rmcp::{RoleServer, service::RequestContext};
use tokio::time::{self, Instant};
use tokio_util::sync::CancellationToken;

use super::progress::Progress;

/// A call under way.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) progress: Progress,
    watch: Watch,
}

/// Until when a call goes on. Work on a thread of its own looks at it from time to time.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    allowed: Duration,
    end: Instant,
    cancelled: CancellationToken,
}

/// The call has to end before its work has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Interrupted {
    #[error(
        "the call was not complete after {0:?}; ask for less, or raise `QUERY_TIMEOUT` in the server's environment"
    )]
    Deadline(Duration),
    #[error("the call was cancelled")]
    Cancelled,
}

impl Call {
    /// A call that began just now and may take as long as `allowed`. It is cancelled with the request, and with
    /// `cancelled`.
    pub(super) fn new(context: &RequestContext<RoleServer>, allowed: Duration, cancelled: CancellationToken) -> Self {
        Self { progress: Progress::of(context), watch: Watch::new(allowed, cancelled) }
    }

    /// What is still to be done for a call that has ended, in no more time than `allowed`. Nobody is told of it.
    pub(super) fn afterwards(allowed: Duration) -> Self {
        Self { progress: Progress::to_nobody(), watch: Watch::new(allowed, CancellationToken::new()) }
    }

    pub(super) fn watch(&self) -> Watch {
        self.watch.clone()
    }

    /// What `work` comes to, if the call lasts that long.
    pub(super) async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, Interrupted> {
        // In this order, so that work which knows the deadline itself has the last word on it.
        tokio::select! {
            biased;
            () = self.watch.cancelled.cancelled() => Err(Interrupted::Cancelled),
            done = work => Ok(done),
            () = time::sleep_until(self.watch.end) => Err(Interrupted::Deadline(self.watch.allowed)),
        }
    }

    /// Waits, if the call lasts that long.
    pub(super) async fn pause(&self, wait: Duration) -> Result<(), Interrupted> {
        self.within(time::sleep(wait)).await
    }
}

impl Watch {
    pub(super) fn new(allowed: Duration, cancelled: CancellationToken) -> Self {
        Self { allowed, end: Instant::now() + allowed, cancelled }
    }

    /// Why the work has to end now, if it has to.
    pub(super) fn interrupted(&self) -> Option<Interrupted> {
        if self.cancelled.is_cancelled() {
            Some(Interrupted::Cancelled)
        } else {
            (Instant::now() >= self.end).then_some(Interrupted::Deadline(self.allowed))
        }
    }
}
