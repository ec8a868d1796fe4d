//! How many connections there are, and how many there may be, which may change meanwhile.

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections at once; more wait in the listener's queue. Clones share them.
#[derive(Clone, Debug)]
pub struct Connections(Arc<Permits>);

#[derive(Debug)]
struct Permits {
    free: Arc<Semaphore>,
    most: Mutex<Most>,
}

#[derive(Debug)]
struct Most {
    most: usize,
    /// So many of those that there are were there when there might be more: their permits end with them.
    over: usize,
}

/// The permit of one connection.
pub(super) struct Permit {
    permit: Option<OwnedSemaphorePermit>,
    connections: Connections,
}

impl Connections {
    /// None yet, and `most` at once.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Permits { free: Arc::new(Semaphore::new(most)), most: Mutex::new(Most { most, over: 0 }) }))
    }

    /// How many there are; one more than there are clients while the next is waited for.
    pub fn in_use(&self) -> usize {
        let known = self.known();
        (known.most + known.over).saturating_sub(self.0.free.available_permits())
    }

    /// How many there may be.
    pub fn most(&self) -> usize {
        self.known().most
    }

    /// From now on there may be `most` at once. Those over it stay.
    pub fn change(&self, most: usize) {
        let mut known = self.known();
        let total = known.most + known.over;
        if most > total {
            self.0.free.add_permits(most - total);
        }
        let over = total.saturating_sub(most);
        known.over = over - self.0.free.forget_permits(over);
        known.most = most;
    }

    pub(super) async fn permit(&self) -> Permit {
        let permit = Arc::clone(&self.0.free).acquire_owned().await.expect("the semaphore is never closed");
        Permit { permit: Some(permit), connections: self.clone() }
    }

    fn known(&self) -> MutexGuard<'_, Most> {
        self.0.most.lock().expect("no holder of this lock panics")
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut known = self.connections.known();
        if let Some(permit) = self.permit.take().filter(|_| known.over > 0) {
            known.over -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What it says of itself.
    fn check(connections: &Connections, in_use: usize, most: usize) {
        assert_eq!((connections.in_use(), connections.most()), (in_use, most));
    }

    #[tokio::test]
    async fn a_bound_that_shrinks_takes_nobody_his_place_and_gives_none_away() {
        let connections = Connections::new(3);
        let mut there = Vec::new();
        for _ in 0..3 {
            there.push(connections.permit().await);
        }
        connections.change(1);
        check(&connections, 3, 1);
        there.pop();
        there.pop();
        check(&connections, 1, 1);
        assert_eq!(connections.0.free.available_permits(), 0, "the last one has the only place");
        connections.change(2);
        let second = connections.permit().await;
        check(&connections, 2, 2);
        drop((there, second));
        check(&connections, 0, 2);
        assert_eq!(connections.0.free.available_permits(), 2);
    }

    #[tokio::test]
    async fn a_bound_may_shrink_and_grow_again_meanwhile() {
        let connections = Connections::new(2);
        let there = (connections.permit().await, connections.permit().await);
        connections.change(1);
        connections.change(3);
        check(&connections, 2, 3);
        assert_eq!(connections.0.free.available_permits(), 1);
        drop(there);
        check(&connections, 0, 3);
    }
}
