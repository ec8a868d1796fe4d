//! What lives in this process of a legacy session, beside what rides in its id: requests that run, questions that wait for
//! the client's answer, the log level, what the client listens to. Lost with the process; the session is not.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use bytes::Bytes;
use causeway_core::{
    canonical::{Level, Logs},
    wire::Envelope,
};
use moka::{Expiry, future::Cache, notification::RemovalCause};
use tokio::sync::{Notify, oneshot};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::AbortOnDropHandle,
};

/// Sessions that live at once; the least used is forgotten first.
const MOST: u64 = 100_000;
/// Messages that wait for the client to listen, and their bytes; the oldest are dropped first.
const OUTBOX: (usize, usize) = (256, 4 << 20);

/// The sessions that something is known of, by their names.
#[derive(Clone)]
pub(crate) struct Sessions(Cache<String, Arc<Live>>);

/// Each is forgotten at its own end.
struct Ends;

/// One session.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// How long it lived on when something came to be known of it.
    rest: Duration,
    /// Set when the client has ended it.
    ended: CancellationToken,
    level: Mutex<Option<Level>>,
    /// Requests under way, by their ids as JSON text; an id may stand there twice.
    running: Mutex<Vec<(String, CancellationToken)>>,
    /// Who waits for the client's response, by the id of the gateway's request.
    asked: Mutex<HashMap<String, oneshot::Sender<Envelope>>>,
    /// What the client subscribed to, by URI: it ends when this is dropped.
    subscriptions: Mutex<HashMap<String, AbortOnDropHandle<()>>>,
    outbox: Mutex<Outbox>,
    posted: Notify,
    /// Ends the stream on which the client listens.
    stream: Mutex<Option<DropGuard>>,
}

/// Messages that the client has not been given.
#[derive(Debug, Default)]
struct Outbox {
    messages: VecDeque<Bytes>,
    bytes: usize,
}

/// A request under way: dropped, it is so no more.
pub(super) struct Running {
    live: Arc<Live>,
    cancelled: CancellationToken,
}

/// A question that waits for the client's response: dropped, it does so no more.
pub(super) struct Asked {
    live: Arc<Live>,
    id: String,
    response: oneshot::Receiver<Envelope>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self::new(MOST)
    }
}

impl Expiry<String, Arc<Live>> for Ends {
    fn expire_after_create(&self, _: &String, live: &Arc<Live>, _: Instant) -> Option<Duration> {
        Some(live.rest)
    }
}

impl Sessions {
    fn new(most: u64) -> Self {
        let cache = Cache::builder().max_capacity(most).expire_after(Ends);
        let listener = |_, live: Arc<Live>, cause| {
            // The cache drops what has expired at some later time of its own; what it holds ends now.
            if cause == RemovalCause::Expired {
                live.end();
            }
        };
        Self(cache.eviction_listener(listener).build())
    }

    /// How many something lives of, as far as is known without looking at each.
    pub(crate) fn count(&self) -> usize {
        usize::try_from(self.0.entry_count()).unwrap_or(usize::MAX)
    }

    /// What lives of the session `name`, which itself lives on for this `rest`.
    pub(super) async fn of(&self, name: &str, rest: Duration) -> Arc<Live> {
        self.0.get_with_by_ref(name, async { Arc::new(Live { rest, ..Live::default() }) }).await
    }
}

impl Live {
    /// Ends the session: it is unknown from now on, and what runs in it is cancelled.
    pub(super) fn end(&self) {
        self.ended.cancel();
        lock(&self.running).drain(..).for_each(|(_, cancelled)| cancelled.cancel());
        lock(&self.asked).clear();
        lock(&self.subscriptions).clear();
        *lock(&self.stream) = None;
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended.is_cancelled()
    }

    pub(super) fn set_level(&self, level: Level) {
        *lock(&self.level) = Some(level);
    }

    pub(super) fn logs(&self) -> Logs {
        lock(&self.level).map_or(Logs::AsSent, Logs::AtLeast)
    }

    /// Takes note of a request, so that the client can cancel it.
    pub(super) fn run(self: &Arc<Self>, id: &str) -> Running {
        let cancelled = CancellationToken::new();
        lock(&self.running).push((id.to_owned(), cancelled.clone()));
        Running { live: Arc::clone(self), cancelled }
    }

    /// Cancels the requests with this id (JSON text).
    pub(super) fn cancel(&self, id: &str) {
        let running = lock(&self.running);
        running.iter().filter(|(running, _)| running == id).for_each(|(_, cancelled)| cancelled.cancel());
    }

    /// Waits for the client's response to the request `id` (JSON text) that the caller of this sends it.
    pub(super) fn ask(self: &Arc<Self>, id: String) -> Asked {
        let (sender, response) = oneshot::channel();
        lock(&self.asked).insert(id.clone(), sender);
        Asked { live: Arc::clone(self), id, response }
    }

    /// Waits no longer for the response to the request `id` (JSON text).
    pub(super) fn withdraw(&self, id: &str) {
        lock(&self.asked).remove(id);
    }

    /// Gives the client's response to who waits for it; whether anybody did.
    pub(super) fn respond(&self, response: Envelope) -> bool {
        let waiting = response.id().and_then(|id| lock(&self.asked).remove(id));
        waiting.is_some_and(|waiting| waiting.send(response).is_ok())
    }

    /// How many there are.
    pub(super) fn subscriptions(&self) -> usize {
        lock(&self.subscriptions).len()
    }

    pub(super) fn is_subscribed(&self, uri: &str) -> bool {
        lock(&self.subscriptions).contains_key(uri)
    }

    /// Keeps what reports on `uri` until the client wants no more of it.
    pub(super) fn subscribe(&self, uri: String, reporting: AbortOnDropHandle<()>) {
        let mut subscriptions = lock(&self.subscriptions);
        // Ended meanwhile: nobody would let go of it.
        if !self.is_ended() {
            subscriptions.insert(uri, reporting);
        }
    }

    pub(super) fn unsubscribe(&self, uri: &str) {
        lock(&self.subscriptions).remove(uri);
    }

    /// Leaves a message for the client's stream.
    pub(super) fn post(&self, message: Bytes) {
        lock(&self.outbox).put(message);
        self.posted.notify_one();
    }

    /// The next message left for the client.
    pub(super) async fn next_posted(&self) -> Bytes {
        loop {
            let posted = self.posted.notified();
            if let Some(message) = lock(&self.outbox).take() {
                return message;
            }
            posted.await;
        }
    }

    /// Takes the place of the stream on which the client listened before; set once another takes its place.
    pub(super) fn listen(&self) -> CancellationToken {
        let replaced = CancellationToken::new();
        *lock(&self.stream) = Some(replaced.clone().drop_guard());
        replaced
    }
}

impl Outbox {
    fn put(&mut self, message: Bytes) {
        self.bytes += message.len();
        self.messages.push_back(message);
        while self.messages.len() > OUTBOX.0 || self.bytes > OUTBOX.1 {
            self.take();
        }
    }

    fn take(&mut self) -> Option<Bytes> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.len();
        Some(message)
    }
}

impl Running {
    /// Waits until the client cancels it.
    pub(super) async fn cancelled(&self) {
        self.cancelled.cancelled().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut running = lock(&self.live.running);
        if let Some(at) = running.iter().position(|(_, cancelled)| *cancelled == self.cancelled) {
            running.swap_remove(at);
        }
    }
}

impl Asked {
    /// The client's response; `None` where its session has ended.
    pub(super) async fn response(&mut self) -> Option<Envelope> {
        (&mut self.response).await.ok()
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        lock(&self.live.asked).remove(&self.id);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder of this lock panics")
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sessions({} live)", self.0.entry_count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_least_used_session_is_forgotten_and_not_ended() {
        let (sessions, long) = (Sessions::new(2), Duration::from_secs(1000));
        let mut others = Vec::new();
        for name in 0..10 {
            for _ in 0..3 {
                sessions.of("often", long).await.set_level(Level::Error);
            }
            others.push(sessions.of(&name.to_string(), long).await);
            sessions.0.run_pending_tasks().await;
            assert!(sessions.count() <= 2);
        }
        assert_eq!(sessions.of("often", long).await.logs(), Logs::AtLeast(Level::Error));
        assert!(others.iter().all(|live| !live.is_ended()), "what runs in it goes on");
    }

    #[test]
    fn an_outbox_is_bounded_in_messages_and_bytes() {
        let mut outbox = Outbox::default();
        for number in 0..1000 {
            outbox.put(number.to_string().into());
        }
        assert_eq!((outbox.messages.len(), outbox.take().unwrap()), (OUTBOX.0, "744".into()));
        outbox.put(vec![b'x'; OUTBOX.1 - 3].into());
        assert_eq!((outbox.messages.len(), outbox.take().unwrap()), (2, "999".into()), "the oldest made room");
        outbox.put(vec![b'x'; OUTBOX.1 + 1].into());
        assert_eq!((outbox.take(), outbox.bytes), (None, 0), "no room for it");
    }
}
