//! The legacy era toward a target: `initialize` once for each caller, its session on every request after it, and what
//! the target asks back in between.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use causeway_core::{
    canonical::Request,
    era::{Era, headers},
    wire::{Kind, request_message},
};
use http::{HeaderMap, HeaderValue, StatusCode};
use moka::{future::Cache, ops::compute::Op};
use tokio::time::timeout;

use super::{
    Fault, HttpTarget, Outcome, Reply,
    answer::{Content, Messages, last, no_answer},
    header_value,
};
use crate::targets::{
    About, Event,
    handshake::{INITIALIZED, cancelled, initialize_params, refusal, refuses_conversation},
    reply::EventSource,
};

/// Sessions that one target keeps for one gateway; the least used end first.
const MOST_SESSIONS: u64 = 10_000;
/// A message that needs no answer is given up after so long: a target that hangs must not collect them.
const NOTICE: Duration = Duration::from_secs(10);
/// A session that nobody used for so long is forgotten.
const IDLE: Duration = Duration::from_secs(15 * 60);

/// The gateway's sessions with one target, a caller each.
#[derive(Debug)]
pub(super) struct LegacySessions(Cache<String, Arc<Session>>);

/// What `initialize` settled.
#[derive(Debug)]
pub(super) struct Session {
    /// Absent with a target that keeps no sessions.
    id: Option<HeaderValue>,
    about: About,
    next_id: AtomicU64,
}

/// A call under way: dropped before its answer, it tells the target to stop.
#[derive(Debug)]
struct Running {
    target: Arc<HttpTarget>,
    session: Arc<Session>,
    id: u64,
    answered: bool,
}

/// What a target made of a request.
enum Asked {
    Done(Reply<Fault>),
    /// HTTP 404 in a session: it is gone, and the request was not processed.
    SessionLost,
    /// HTTP 400: so a modern server refuses legacy requests, and a legacy one those without the session that it demands.
    Refused {
        reply: Result<Reply<Fault>, Fault>,
        /// It is about the session or the version, as far as can be told.
        conversation: bool,
    },
}

/// The messages of a legacy target's reply.
#[derive(Debug)]
struct Conversation {
    messages: Messages,
    running: Running,
}

impl Default for LegacySessions {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST_SESSIONS).time_to_idle(IDLE).build())
    }
}

/// Sends `request` with `changes` made to its parameters, in the session of `caller_id`.
pub(super) async fn send(
    target: &Arc<HttpTarget>,
    caller_id: &str,
    request: &Request,
    changes: &[(&str, &str)],
) -> Result<Outcome, Fault> {
    let params = request.legacy_params(changes).map_err(|error| Fault::Garbage(error.to_string()))?;
    for _ in 0..2 {
        let session = match session(target, caller_id).await {
            Ok(session) => session,
            // A server that answers, but not to `initialize`, may have become a modern one.
            Err(fault @ (Fault::Refused(_) | Fault::Garbage(_) | Fault::Status(_) | Fault::UnknownVersion(_))) => {
                return Ok(Outcome::OtherEra(Err(fault)));
            }
            Err(fault) => return Err(fault),
        };
        match Running::new(target, &session).ask(&request.method, &params).await? {
            Asked::Done(reply) => return Ok(Outcome::Done(reply)),
            Asked::Refused { reply, conversation: false } => return Ok(Outcome::OtherEra(reply)),
            Asked::SessionLost => forget(target, caller_id, &session).await,
            Asked::Refused { reply, conversation: true } => {
                forget(target, caller_id, &session).await;
                if !now_demands_sessions(target, caller_id, &session).await {
                    return Ok(Outcome::OtherEra(reply));
                }
            }
        }
    }
    Err(Fault::Garbage("it forgets its sessions at once (HTTP 404 right after `initialize`)".into()))
}

/// Whether `target`, which kept no sessions when `before` was settled, does so now: then it refused a request without one
/// unread.
async fn now_demands_sessions(target: &Arc<HttpTarget>, caller_id: &str, before: &Session) -> bool {
    before.id.is_none() && session(target, caller_id).await.is_ok_and(|session| session.id.is_some())
}

/// The session of `caller_id`, opened now if there is none; one `initialize` serves all who wait for it.
pub(super) async fn session(target: &Arc<HttpTarget>, caller_id: &str) -> Result<Arc<Session>, Fault> {
    let most = target.limits.discovery;
    let opening = async { timeout(most, open(target)).await.unwrap_or(Err(Fault::Silent(most))) };
    let opened = target.sessions.0.try_get_with_by_ref(caller_id, opening).await;
    opened.map_err(|shared| Fault::clone(&shared))
}

async fn forget(target: &HttpTarget, caller_id: &str, lost: &Arc<Session>) {
    let entry = target.sessions.0.entry_by_ref(caller_id);
    // Somebody else may have opened a new one meanwhile.
    let is_lost = |current: moka::Entry<String, Arc<Session>>| Arc::ptr_eq(current.value(), lost);
    entry
        .and_compute_with(async |current| match current.is_some_and(is_lost) {
            true => Op::Remove,
            false => Op::Nop,
        })
        .await;
}

async fn open(target: &HttpTarget) -> Result<Arc<Session>, Fault> {
    let initialize = request_message("0", "initialize", &initialize_params());
    let answer = target.exchange(HeaderMap::new(), initialize).await?;
    let status = answer.status();
    let id = answer.headers().get(headers::SESSION).cloned();
    let about = match answer.content().await? {
        Content::Whole(message) => About::initialized(&message)?,
        Content::Stream(mut messages) => About::initialized(&messages.response().await?)?,
        Content::None => return Err(no_answer(status)),
    };
    let session = Session { id, about, next_id: AtomicU64::new(1) };
    target.exchange(session.headers(), INITIALIZED.into()).await?;
    Ok(Arc::new(session))
}

impl Session {
    pub(super) fn about(&self) -> &About {
        &self.about
    }

    fn headers(&self) -> HeaderMap {
        let mut map = HeaderMap::with_capacity(4);
        if let Some(id) = &self.id {
            map.insert(headers::SESSION, id.clone());
        }
        map.insert(
            headers::VERSION,
            header_value(&self.about.version).expect("a version that was compared with known ones"),
        );
        map
    }
}

impl Running {
    fn new(target: &Arc<HttpTarget>, session: &Arc<Session>) -> Self {
        let id = session.next_id.fetch_add(1, Ordering::Relaxed);
        Self { target: Arc::clone(target), session: Arc::clone(session), id, answered: false }
    }

    /// Sends the request that this is.
    async fn ask(mut self, method: &str, params: &str) -> Result<Asked, Fault> {
        let body = request_message(&self.id.to_string(), method, params);
        let answer = self.target.exchange(self.session.headers(), body).await.inspect_err(|fault| {
            // It never got the request: there is nothing to cancel.
            let unasked = matches!(fault, Fault::Unreachable(_) | Fault::Credential(_) | Fault::Unauthorized(_));
            self.answered = unasked;
        })?;
        let status = answer.status();
        let (reply, conversation) = match answer.content().await? {
            Content::Stream(messages) => {
                return Ok(Asked::Done(Reply::reading(Conversation { messages, running: self })));
            }
            Content::Whole(message) => {
                let conversation = refuses_conversation(&message);
                (last(message, Era::Legacy, &self.id.to_string()).map(Reply::Whole), conversation)
            }
            Content::None => (Err(no_answer(status)), true),
        };
        self.answered = true;
        match status {
            StatusCode::NOT_FOUND if self.session.id.is_some() => Ok(Asked::SessionLost),
            StatusCode::BAD_REQUEST => Ok(Asked::Refused { reply, conversation }),
            _ => reply.map(Asked::Done),
        }
    }

    /// Posts `message` in this session, in the background: whoever reads the reply does not wait for it.
    fn post(&self, message: String) {
        let (target, headers) = (Arc::clone(&self.target), self.session.headers());
        // A reply may be dropped while the runtime ends: then nobody is left to post.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            match timeout(NOTICE, target.exchange(headers, message)).await {
                Ok(Ok(_)) => (),
                Ok(Err(fault)) => tracing::debug!(%fault, "a message to a target was lost"),
                Err(_) => tracing::debug!("a message to a target was not taken in time"),
            }
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.answered {
            self.post(cancelled(self.id));
        }
    }
}

impl EventSource for Conversation {
    async fn next_event(&mut self) -> Result<Event, Fault> {
        loop {
            let message = self.messages.next_message().await?;
            match message.kind() {
                Kind::Notification => return Ok(Event::Notification(message)),
                Kind::Request => self.running.post(refusal(&message)),
                Kind::Response => {
                    self.running.answered = true;
                    self.messages.release();
                    return last(message, Era::Legacy, &self.running.id.to_string()).map(Event::Last);
                }
            }
        }
    }
}
