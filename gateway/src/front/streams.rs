//! Places for streams on which clients listen: counted together over all endpoints and configurations, bounded by each of them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// How many there are, and how many there may be. Clones count together.
#[derive(Clone, Debug)]
pub(super) struct Streams {
    taken: Arc<AtomicUsize>,
    most: usize,
}

/// The place of one stream: free again once this is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<AtomicUsize>);

impl Streams {
    pub(super) fn new(most: usize) -> Self {
        Self { taken: Arc::default(), most }
    }

    /// The same with another bound. Those over it stay.
    pub(super) fn bounded(&self, most: usize) -> Self {
        Self { taken: Arc::clone(&self.taken), most }
    }

    /// How many there are, and how many there may be.
    pub(super) fn occupancy(&self) -> (usize, usize) {
        (self.taken.load(Ordering::Relaxed), self.most)
    }

    /// A place; none where all are taken.
    pub(super) fn take(&self) -> Option<Place> {
        let one_more = |taken| (taken < self.most).then_some(taken + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(Place(Arc::clone(&self.taken)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_bound_takes_no_place_away() {
        let two = Streams::new(2);
        let (first, second) = (two.take().unwrap(), two.take().unwrap());
        let one = two.bounded(1);
        assert_eq!((one.occupancy(), one.take().is_some()), ((2, 1), false));
        drop(first);
        assert!(one.take().is_none(), "the other is there still");
        drop(second);
        assert!(one.take().is_some());
    }
}
