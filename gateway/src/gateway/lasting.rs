//! The gateway of one endpoint over all configurations: for what lasts longer than a request, such as a stream on which a client
//! listens. Decides nothing.

use std::sync::Arc;

use tokio::sync::watch;

use super::Gateway;

/// The gateway of one endpoint, as it is at any time. Clones follow the same.
#[derive(Clone, Debug)]
pub struct Lasting(watch::Receiver<Arc<Gateway>>);

impl Lasting {
    /// An endpoint that begins with `gateway`. It is there for as long as the sender is, which is told of each gateway that takes
    /// the place of the one before.
    pub fn new(gateway: Arc<Gateway>) -> (watch::Sender<Arc<Gateway>>, Self) {
        let (sender, receiver) = watch::channel(gateway);
        (sender, Self(receiver))
    }

    /// An endpoint that is there already.
    pub fn of(sender: &watch::Sender<Arc<Gateway>>) -> Self {
        Self(sender.subscribe())
    }

    /// The gateway as it is now.
    pub fn now(&self) -> Arc<Gateway> {
        Arc::clone(&self.0.borrow())
    }

    /// Waits until another gateway has taken its place, and gives that; `None` once the endpoint is there no more.
    pub async fn changed(&mut self) -> Option<Arc<Gateway>> {
        self.0.changed().await.ok()?;
        Some(Arc::clone(&self.0.borrow_and_update()))
    }
}
