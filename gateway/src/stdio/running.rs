//! What is under way for a client on standard streams: its requests, each until it is answered or cancelled, and what listens
//! in the background. Does not know what they do.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::{task::AbortHandle, time::timeout};
use tokio_util::task::TaskTracker;

/// Requests under way, by their ids as JSON text; an id may stand there twice.
#[derive(Debug, Default)]
pub(super) struct Running {
    requests: Arc<Mutex<Vec<(String, AbortHandle)>>>,
    attending: Mutex<Vec<AbortHandle>>,
    tasks: TaskTracker,
}

impl Running {
    /// Works on the request `id`.
    pub(super) fn begin(&self, id: String, work: impl Future<Output = ()> + Send + 'static) {
        let requests = Arc::clone(&self.requests);
        // Held until the request stands in the list, so that it is not taken out before.
        let mut listed = lock(&self.requests);
        let task = self.tasks.spawn(async move {
            work.await;
            let own = tokio::task::id();
            lock(&requests).retain(|(_, task)| task.id() != own);
        });
        listed.push((id, task.abort_handle()));
    }

    /// Works on none of these any more.
    pub(super) fn cancel(&self, id: &str) {
        lock(&self.requests).retain(|(known, task)| {
            let wanted = known != id;
            if !wanted {
                task.abort();
            }
            wanted
        });
    }

    /// Works on something that is no request, in place of what it did so far.
    pub(super) fn attend(&self, work: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(work).abort_handle();
        let mut attending = lock(&self.attending);
        attending.drain(..).for_each(|before| before.abort());
        attending.push(task);
    }

    /// Lets everything end, and ends what has not after `patience`.
    pub(super) async fn drain(&self, patience: Duration) {
        self.tasks.close();
        if timeout(patience, self.tasks.wait()).await.is_err() {
            lock(&self.requests).drain(..).for_each(|(_, task)| task.abort());
            lock(&self.attending).drain(..).for_each(|task| task.abort());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder of this lock panics")
}
