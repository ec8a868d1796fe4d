//! Sessions with a legacy target: opened with `initialize`, shared by the calls that may share them, ended when nobody
//! needs them any more. Carries no calls.
//!
//! Source: MCP 2025-11-25, basic/lifecycle and basic/transports, "Session Management".

use std::{
    collections::HashSet,
    fmt,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use causeway_core::{
    canonical::{Client, Repeat},
    wire::request_message,
};
use http::{HeaderMap, HeaderValue, Method};
use moka::{future::Cache, ops::compute::Op};
use tokio::{sync::OnceCell, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    super::{
        Fault, HttpTarget,
        answer::{Content, no_answer},
        header_value,
    },
    hub::Hub,
    stream,
};
use crate::{
    config::TargetSessions,
    headers::{SESSION, VERSION},
    targets::{
        About, OWN,
        handshake::{INITIALIZED, initialize_params, own_client},
        line::Settings,
    },
};

/// Sessions that one target keeps for one gateway; the least used end first.
const MOST_SESSIONS: u64 = 10_000;
/// A message that needs no answer is given up after so long: a target that hangs must not collect them.
const NOTICE: Duration = Duration::from_secs(10);
/// A session that nobody used for so long is ended.
const IDLE: Duration = Duration::from_secs(15 * 60);
/// Client sessions that are remembered as users of one target session; with more it stays until it is idle.
const MOST_USERS: usize = 1000;

/// The gateway's sessions with one target.
pub(in crate::targets::http) struct Sessions {
    mode: TargetSessions,
    open: Cache<String, Place>,
}

/// Where a session is kept. The cache drops what it removes at some later time of its own, so that a removed place is
/// emptied: a session ends with its last user.
#[derive(Clone)]
struct Place(Arc<Mutex<Option<Arc<Session>>>>);

/// What `initialize` settled, and what happens in it. Dropped, it is ended at the target.
pub(in crate::targets::http) struct Session {
    /// Absent with a target that keeps no sessions.
    id: Option<HeaderValue>,
    about: About,
    next_id: AtomicU64,
    /// What the client's side can do, as it was declared.
    capabilities: String,
    /// The target has forgotten it, or was told to: there is nothing to end.
    lost: AtomicBool,
    users: Mutex<Users>,
    pub(super) settings: Arc<Settings>,
    pub(super) hub: Arc<Hub>,
    /// Set once the stream of the session was asked for, whatever came of it.
    streamed: OnceCell<()>,
    ended: CancellationToken,
    target: Weak<HttpTarget>,
}

/// The client sessions that a target session serves.
#[derive(Debug)]
enum Users {
    Known(HashSet<String>),
    /// Somebody without a session uses it, or too many do.
    Anyone,
}

/// A target in one of its sessions: where a message goes.
#[derive(Clone)]
pub(in crate::targets) struct Peer {
    pub(super) target: Arc<HttpTarget>,
    pub(super) session: Arc<Session>,
}

impl Sessions {
    pub(in crate::targets::http) fn new(mode: TargetSessions) -> Self {
        let open = Cache::builder().max_capacity(MOST_SESSIONS).time_to_idle(IDLE);
        Self { mode, open: open.eviction_listener(|_, place: Place, _| place.empty()).build() }
    }

    /// Which calls share a session: those that this gives the same text for.
    fn key(&self, caller_id: &str, client: &Client) -> String {
        let (kind, session) = match self.mode {
            _ if caller_id == OWN => ("own", ""),
            TargetSessions::Shared => return ["all\n", &client.declared()].concat(),
            TargetSessions::PerCaller => ("caller", ""),
            TargetSessions::PerSession => ("session", client.session.as_deref().unwrap_or_default()),
        };
        // A target may ask within a session only what was declared in it. Of these texts only the last can hold a line end.
        [kind, "\n", session, "\n", &client.declared(), "\n", caller_id].concat()
    }

    /// Ends what only the client session `session` used.
    pub(in crate::targets::http) fn leave(&self, session: &str) {
        let left = |place: &Place| place.session().is_some_and(|of| of.leave(session));
        let unused = self.open.iter().filter(|(_, place)| left(place)).map(|(key, _)| key);
        let unused: Vec<_> = unused.collect();
        let open = self.open.clone();
        // Removing is not urgent, and nobody waits for it.
        tokio::spawn(async move {
            for key in unused {
                open.invalidate(&*key).await;
            }
        });
    }

    /// Tells the target in each session that the client session `session` of `caller_id` uses, in the background.
    pub(in crate::targets::http) fn tell(
        &self,
        target: &Arc<HttpTarget>,
        caller_id: &str,
        session: &str,
        message: &str,
    ) {
        let end = ["\n", caller_id].concat();
        for (key, place) in &self.open {
            // Of one that more use than are known, its caller is known.
            let is_used = |of: &Arc<Session>| of.is_used_by(session).unwrap_or_else(|| key.ends_with(&end));
            if let Some(session) = place.session().filter(is_used) {
                Peer { target: Arc::clone(target), session }.tell_later(message.to_owned());
            }
        }
    }

    pub(in crate::targets::http) async fn end_all(&self) {
        for (_, place) in &self.open {
            // Not with its last user: who uses it still, such as a client's subscription, may be held longer than the target.
            if let Some(session) = place.session() {
                session.end();
            }
            place.empty();
        }
        self.open.invalidate_all();
        self.open.run_pending_tasks().await;
    }
}

impl Place {
    /// `None` once it was removed.
    fn session(&self) -> Option<Arc<Session>> {
        self.0.lock().expect("no holder of this lock panics").clone()
    }

    fn empty(&self) {
        // Dropped after the lock: its end is nobody's business who waits for this place.
        let _session = self.0.lock().expect("no holder of this lock panics").take();
    }
}

/// The session in which the gateway asks for itself.
pub(in crate::targets::http) async fn own_session(target: &Arc<HttpTarget>) -> Result<Arc<Session>, Fault> {
    session(target, OWN, &own_client()).await
}

/// The session for a call of `client`, opened now if there is none; one `initialize` serves all who wait for it.
pub(super) async fn session(target: &Arc<HttpTarget>, caller_id: &str, client: &Client) -> Result<Arc<Session>, Fault> {
    let most = target.limits.discovery;
    loop {
        let opening = async {
            let session = timeout(most, open(target, client)).await.unwrap_or(Err(Fault::Silent(most)))?;
            Ok(Place(Arc::new(Mutex::new(Some(session)))))
        };
        let opened = target.sessions.open.try_get_with(target.sessions.key(caller_id, client), opening).await;
        // One that was removed in this moment is opened anew.
        let place = opened.map_err(|shared: Arc<Fault>| Fault::clone(&shared))?;
        if let Some(session) = place.session() {
            session.join(client.session.as_deref());
            return Ok(session);
        }
    }
}

/// Forgets a session that the target has forgotten.
pub(super) async fn forget(target: &HttpTarget, caller_id: &str, client: &Client, lost: &Arc<Session>) {
    lost.lost.store(true, Ordering::Relaxed);
    let entry = target.sessions.open.entry(target.sessions.key(caller_id, client));
    // Somebody else may have opened a new one meanwhile.
    let is_lost = |current: moka::Entry<String, Place>| {
        current.value().session().is_some_and(|session| Arc::ptr_eq(&session, lost))
    };
    entry
        .and_compute_with(async |current| match current.is_some_and(is_lost) {
            true => Op::Remove,
            false => Op::Nop,
        })
        .await;
}

async fn open(target: &Arc<HttpTarget>, client: &Client) -> Result<Arc<Session>, Fault> {
    let capabilities = client.declared();
    let initialize = request_message("0", "initialize", &initialize_params(&capabilities));
    let answer = target.exchange(OWN, &HeaderMap::new(), initialize, Repeat::Safe).await?;
    let status = answer.status();
    let id = answer.headers().get(SESSION).cloned();
    let about = match answer.content().await? {
        Content::Whole(message) => About::initialized(&message)?,
        Content::Stream(mut messages) => About::initialized(&messages.response().await?)?,
        Content::None => return Err(no_answer(status)),
    };
    let session = Arc::new(Session {
        id,
        about,
        next_id: AtomicU64::new(1),
        capabilities,
        lost: AtomicBool::new(false),
        users: Mutex::new(Users::Known(HashSet::new())),
        settings: Arc::default(),
        hub: Arc::default(),
        streamed: OnceCell::new(),
        ended: CancellationToken::new(),
        target: Arc::downgrade(target),
    });
    target.exchange(OWN, &session.headers(), INITIALIZED, Repeat::Safe).await?;
    if session.may_ask() {
        session.streamed(target).await;
    }
    Ok(session)
}

impl Session {
    pub(in crate::targets::http) fn about(&self) -> &About {
        &self.about
    }

    /// Whether the target keeps sessions.
    pub(super) fn is_kept(&self) -> bool {
        self.id.is_some()
    }

    /// Whether the target was told that it may ask the client for something.
    fn may_ask(&self) -> bool {
        self.capabilities != "{}"
    }

    /// Sees to it that what the target sends outside of replies is read, if it sends such things.
    pub(super) async fn streamed(self: &Arc<Self>, target: &Arc<HttpTarget>) {
        self.streamed.get_or_init(async || stream::open(target, self).await).await;
    }

    /// Set when nobody needs the session any more.
    pub(super) fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    pub(super) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn headers(&self) -> HeaderMap {
        let mut map = HeaderMap::with_capacity(4);
        if let Some(id) = &self.id {
            map.insert(SESSION, id.clone());
        }
        let version = header_value(&self.about.version).expect("a version that was compared with known ones");
        map.insert(VERSION, version);
        map
    }

    /// Tells the target, in the background, that nobody needs it any more; once.
    fn end(&self) {
        self.ended.cancel();
        let (Some(target), Some(_)) = (self.target.upgrade(), &self.id) else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.lost.swap(true, Ordering::Relaxed) || target.runtime {
            return;
        }
        let headers = self.headers();
        let background = target.background.clone();
        // A target may refuse this with 405: then it ends its sessions itself.
        let ending = async move {
            let nothing = bytes::Bytes::new();
            timeout(NOTICE, target.request(Method::DELETE, &headers, &nothing, Repeat::Safe)).await
        };
        background.spawn_on(ending, &runtime);
    }

    fn join(&self, user: Option<&str>) {
        let mut users = self.users.lock().expect("no holder of this lock panics");
        match (&mut *users, user) {
            (Users::Known(known), Some(user)) if known.contains(user) => (),
            (Users::Known(known), Some(user)) if known.len() < MOST_USERS => {
                known.insert(user.to_owned());
            }
            _ => *users = Users::Anyone,
        }
    }

    /// Whether `user` is one of its users; nobody knows, where they are too many.
    fn is_used_by(&self, user: &str) -> Option<bool> {
        match &*self.users.lock().expect("no holder of this lock panics") {
            Users::Known(known) => Some(known.contains(user)),
            Users::Anyone => None,
        }
    }

    /// Whether nobody is left after `user`, who was one of them.
    fn leave(&self, user: &str) -> bool {
        match &mut *self.users.lock().expect("no holder of this lock panics") {
            Users::Known(known) => known.remove(user) && known.is_empty(),
            Users::Anyone => false,
        }
    }
}

impl Peer {
    /// Sends one message and waits until the target has taken it.
    pub(in crate::targets) async fn tell(&self, message: String) -> Result<(), Fault> {
        let told = timeout(NOTICE, self.target.exchange(OWN, &self.session.headers(), message, Repeat::Never)).await;
        let answer = told.unwrap_or(Err(Fault::Silent(NOTICE)))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(no_answer(status)),
        }
    }

    /// Sends one message in the background.
    pub(super) fn tell_later(&self, message: String) {
        // A reply may be dropped while the runtime ends: then nobody is left to tell.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let peer = self.clone();
        let telling = async move {
            if let Err(fault) = peer.tell(message).await {
                tracing::debug!(%fault, "a message to a target was lost");
            }
        };
        self.target.background.spawn_on(telling, &runtime);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sessions({:?}, {} open)", self.mode, self.open.entry_count())
    }
}

impl fmt::Debug for Session {
    /// Without its id, which opens it for whoever has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("about", &self.about).finish_non_exhaustive()
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peer({:?})", self.session)
    }
}
