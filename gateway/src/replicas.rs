//! Other replicas of this gateway: what belongs to something that lives in one of them is passed on to that one, once, with who
//! called and what he said, and its answer comes back as it is given. Which one that is stands in what the gateway sealed and
//! nowhere else; nobody keeps a list of replicas, and nothing here decides what lives where.

mod address;
mod answer;
mod letter;

pub(crate) use self::{
    address::own_address,
    answer::begun,
    letter::{Letter, Opened, Unread},
};

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::response::Response;
use bytes::Bytes;
use causeway_core::seal::Sealer;
use causeway_oidc::clock::Clock;
use http::{HeaderMap, Method, StatusCode};
use moka::sync::Cache;
use tokio_util::sync::CancellationToken;

use self::answer::BEGUN;
use crate::{calls, inbound::Caller};

/// Ends the sealed part of a letter; the client's body follows.
pub(crate) const END: u8 = letter::END;
/// Where one replica takes what another passes on.
pub(crate) const PATH: &str = "/replica";
/// To connect to another replica: they are near to each other.
const CONNECT: Duration = Duration::from_secs(1);
/// For another replica to say that it has begun, which it does before it does anything else.
const PATIENCE: Duration = Duration::from_secs(5);
/// A replica that could not be reached is not tried again for so long.
const GONE: Duration = Duration::from_secs(3);
/// Replicas that are remembered as gone.
const MOST: u64 = 1000;

/// The way to other replicas. Clones share it.
#[derive(Clone)]
pub struct Replicas(Option<Arc<Inner>>);

struct Inner {
    /// This one's own address, as the others know it.
    own: Arc<str>,
    sealer: Arc<Sealer>,
    clock: Clock,
    http: reqwest::Client,
    /// Addresses where nobody was.
    gone: Cache<Arc<str>, ()>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    passed_on: AtomicU64,
    taken: AtomicU64,
    unreached: AtomicU64,
    broken: AtomicU64,
}

/// What became of what was passed on, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    /// To others, who took it.
    pub(crate) on: u64,
    /// From others.
    pub(crate) taken: u64,
    /// Not at all, because the other one could not be reached.
    pub(crate) unreached: u64,
    /// To another one that broke off before the end of its answer.
    pub(crate) broken: u64,
}

/// A request of a client as another replica is to answer it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forwarded<'a> {
    pub(crate) method: &'a Method,
    /// The toolset at whose endpoint it came; `None`: at the gateway's own.
    pub(crate) toolset: Option<&'a str>,
    pub(crate) caller: &'a Caller,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Bytes,
    /// The message that ends its stream of events if the other replica breaks off in the middle.
    pub(crate) broken: &'a str,
    /// Set when this replica has no more time for it.
    pub(crate) closing: &'a CancellationToken,
}

/// Why another replica gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// It has surely not begun: it is as if nothing had been passed on.
    Unreached,
    /// It may have begun, and what came of it nobody knows.
    Broken,
}

impl Replicas {
    /// Nobody else: everything that is asked for is here or nowhere.
    pub fn none() -> Self {
        Self(None)
    }

    /// This one, which the others reach at `own`.
    ///
    /// # Errors
    /// The system trusts no certificates at all.
    pub fn new(own: &str, sealer: Arc<Sealer>, clock: Clock) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            // Each answer says that it has begun before it does, which is worth something only if nobody stands between.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .http1_only()
            .build()?;
        let gone = Cache::builder().max_capacity(MOST).time_to_live(GONE).build();
        let counts = Counts::default();
        Ok(Self(Some(Arc::new(Inner { own: own.into(), sealer, clock, http, gone, counts }))))
    }

    /// The address of this one, which is sealed into the names of what lives here.
    pub(crate) fn own(&self) -> Option<&str> {
        self.0.as_ref().map(|inner| &*inner.own)
    }

    /// Whether what lives at `home` lives elsewhere, as far as this replica knows itself.
    pub(crate) fn is_elsewhere(&self, home: &str) -> bool {
        self.own().is_some_and(|own| own != home)
    }

    /// The answer of the replica at `home`, an address that came out of a sealed text.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub(crate) async fn pass_on(&self, home: &str, request: Forwarded<'_>) -> Result<Response, Unanswered> {
        let inner = self.0.as_ref().ok_or(Unanswered::Unreached)?;
        if inner.gone.contains_key(home) {
            return Err(Unanswered::Unreached);
        }
        let (broken, closing) = (request.broken.to_owned(), request.closing.clone());
        let body = letter::write(&inner.sealer, home, inner.clock.now(), request);
        let sending = inner.http.post([home, PATH].concat()).body(body).send();
        let begun = match tokio::time::timeout(PATIENCE, sending).await {
            Ok(Ok(begun)) if begun.headers().contains_key(BEGUN) => begun,
            Ok(Ok(refused)) => return Err(inner.refused(home, refused.status())),
            Ok(Err(error)) => return Err(inner.unreached(home, &error.without_url().to_string())),
            Err(_) => {
                inner.unreached(home, "it does not answer");
                return Err(inner.broke_off());
            }
        };
        inner.counts.passed_on.fetch_add(1, Ordering::Relaxed);
        let counting = Arc::clone(inner);
        let broke_off = move || {
            counting.broke_off();
        };
        let response = answer::received(begun, broken, closing, broke_off).await.ok_or_else(|| inner.broke_off())?;
        // It is the other one's call, with all that is to be said of it.
        calls::note(|call| call.is_elsewhere());
        Ok(response)
    }

    /// What another replica passes on with a letter that begins with `sealed`, up to [`END`].
    ///
    /// # Errors
    /// [`Unread`]: it is none of a replica's, or not for this one.
    pub(crate) fn open(&self, sealed: &[u8]) -> Result<Opened, Unread> {
        let inner = self.0.as_ref().ok_or(Unread)?;
        letter::open(&inner.sealer, &inner.own, inner.clock.now(), sealed)
    }

    /// A letter was taken.
    pub(crate) fn took(&self) {
        if let Some(inner) = &self.0 {
            inner.counts.taken.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What was passed on; none where there is nobody to pass anything on to.
    pub(crate) fn passed(&self) -> Option<Passed> {
        let counts = &self.0.as_ref()?.counts;
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Some(Passed {
            on: count(&counts.passed_on),
            taken: count(&counts.taken),
            unreached: count(&counts.unreached),
            broken: count(&counts.broken),
        })
    }
}

impl Inner {
    fn unreached(&self, home: &str, why: &str) -> Unanswered {
        self.counts.unreached.fetch_add(1, Ordering::Relaxed);
        self.gone.insert(home.into(), ());
        tracing::info!(
            replica = home,
            why,
            "a replica is gone: what lived there is answered here, as far as it can be"
        );
        Unanswered::Unreached
    }

    /// Somebody is there who does not take it: a replica whose configuration has no such endpoint, keys or address at the moment. The
    /// next request may be another matter.
    fn refused(&self, home: &str, status: StatusCode) -> Unanswered {
        self.counts.unreached.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(replica = home, %status, "a replica does not take what belongs to it: it is answered here");
        Unanswered::Unreached
    }

    fn broke_off(&self) -> Unanswered {
        self.counts.broken.fetch_add(1, Ordering::Relaxed);
        tracing::warn!("a replica broke off while it answered what was passed on to it");
        Unanswered::Broken
    }
}

impl fmt::Debug for Replicas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Replicas").field(&self.own()).finish()
    }
}
