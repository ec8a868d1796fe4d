//! What was found out about tokens, for as long as it holds: by the SHA-256 of a token, so that memory holds no tokens. Judges
//! none itself.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use causeway_oidc::clock::Clock;
use moka::future::Cache;

/// Tokens that are remembered at most; beyond, the least used are judged again.
const MOST: u64 = 10_000;

/// One `T` a token.
pub(super) struct Remembered<T> {
    known: Cache<[u8; 32], Holding<T>>,
    clock: Clock,
}

/// Something that holds until a time, since the Unix epoch.
#[derive(Clone)]
pub(super) struct Holding<T> {
    pub(super) value: T,
    pub(super) until: Duration,
}

impl<T: Clone + Send + Sync + 'static> Remembered<T> {
    pub(super) fn new(clock: Clock) -> Self {
        Self { known: Cache::new(MOST), clock }
    }

    /// How many tokens something is known of.
    pub(super) fn count(&self) -> usize {
        usize::try_from(self.known.entry_count()).unwrap_or(usize::MAX)
    }

    /// What is known of `token`, else what `learning` finds out. Who brings one token at the same time learns of it once.
    ///
    /// # Errors
    /// What `learning` fails with, which is not remembered.
    pub(super) async fn of<E: Send + Sync + 'static>(
        &self,
        token: &str,
        learning: impl Future<Output = Result<Holding<T>, E>>,
    ) -> Result<T, Arc<E>> {
        let key = digest(&SHA256, token.as_bytes()).as_ref().try_into().expect("a SHA-256 has 32 bytes");
        if let Some(known) = self.known.get(&key).await {
            if self.clock.now() < known.until {
                return Ok(known.value);
            }
            self.known.invalidate(&key).await;
        }
        // In a box, like all that few requests do: each would need room for it.
        Box::pin(self.known.try_get_with(key, learning)).await.map(|learned| learned.value)
    }
}

impl<T> fmt::Debug for Remembered<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remembered")
    }
}
