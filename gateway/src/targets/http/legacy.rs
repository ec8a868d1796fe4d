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
use moka::future::Cache;

use super::{
    Fault, HttpTarget, Outcome, Reply,
    answer::{Content, Messages, last, no_answer, notification},
    header_value,
};
use crate::targets::{
    Event,
    handshake::{INITIALIZED, cancelled, discovered, initialize_params, initialized, refusal},
    reply::EventSource,
};

/// Sessions that one target keeps for one gateway; the least used end first.
const MOST_SESSIONS: u64 = 10_000;
/// A session that nobody used for so long is forgotten.
const IDLE: Duration = Duration::from_secs(15 * 60);

/// The gateway's sessions with one target, a caller each.
#[derive(Debug)]
pub(super) struct LegacySessions(Cache<String, Arc<Session>>);

/// What `initialize` settled.
#[derive(Debug)]
struct Session {
    /// Absent with a target that keeps no sessions.
    id: Option<HeaderValue>,
    version: String,
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
        let session = session(target, caller_id).await?;
        let mut running = Running {
            id: session.next_id.fetch_add(1, Ordering::Relaxed),
            target: Arc::clone(target),
            session,
            answered: false,
        };
        let body = request_message(&running.id.to_string(), &request.method, &params);
        let answer = target.exchange(running.session.headers(), body).await?;
        let status = answer.status();
        let content = answer.content().await?;
        match content {
            // The session is gone, so the request was not processed: a new one, once.
            Content::Whole(_) | Content::None if status == StatusCode::NOT_FOUND && running.session.id.is_some() => {
                running.answered = true;
                forget(target, caller_id, &running.session).await;
            }
            Content::Whole(ref message)
                if status == StatusCode::BAD_REQUEST && matches!(discovered(message), Ok(Some(Era::Modern))) =>
            {
                running.answered = true;
                return Ok(Outcome::OtherEra);
            }
            Content::None if status == StatusCode::BAD_REQUEST => {
                running.answered = true;
                forget(target, caller_id, &running.session).await;
                return Ok(Outcome::OtherEra);
            }
            Content::Whole(message) => {
                running.answered = true;
                return last(message, Era::Legacy).map(|answer| Outcome::Done(Reply::Whole(answer)));
            }
            Content::Stream(messages) => {
                return Ok(Outcome::Done(Reply::reading(Conversation { messages, running })));
            }
            Content::None => {
                running.answered = true;
                return Err(no_answer(status));
            }
        }
    }
    Err(Fault::Garbage("it forgets its sessions at once (HTTP 404 right after `initialize`)".into()))
}

/// The session of `caller_id`, opened now if there is none; one `initialize` serves all who wait for it.
async fn session(target: &Arc<HttpTarget>, caller_id: &str) -> Result<Arc<Session>, Fault> {
    let opened = target.sessions.0.try_get_with_by_ref(caller_id, open(target)).await;
    opened.map_err(|shared| Fault::clone(&shared))
}

async fn forget(target: &HttpTarget, caller_id: &str, lost: &Arc<Session>) {
    // Somebody else may have opened a new one meanwhile.
    if target.sessions.0.get(caller_id).await.is_some_and(|current| Arc::ptr_eq(&current, lost)) {
        target.sessions.0.invalidate(caller_id).await;
    }
}

async fn open(target: &HttpTarget) -> Result<Arc<Session>, Fault> {
    let initialize = request_message("0", "initialize", &initialize_params());
    let answer = target.exchange(HeaderMap::new(), initialize).await?;
    let status = answer.status();
    let id = answer.headers().get(headers::SESSION).cloned();
    let version = match answer.content().await? {
        Content::Whole(message) => initialized(&message)?,
        Content::Stream(mut messages) => loop {
            let message = messages.next_message().await?;
            if message.kind() == Kind::Response {
                break initialized(&message)?;
            }
        },
        Content::None => return Err(no_answer(status)),
    };
    let session = Session { id, version, next_id: AtomicU64::new(1) };
    target.exchange(session.headers(), INITIALIZED.into()).await?;
    Ok(Arc::new(session))
}

impl Session {
    fn headers(&self) -> HeaderMap {
        let mut map = HeaderMap::with_capacity(4);
        if let Some(id) = &self.id {
            map.insert(headers::SESSION, id.clone());
        }
        map.insert(headers::VERSION, header_value(&self.version).expect("a version that was compared with known ones"));
        map
    }
}

impl Running {
    /// Posts `message` in this session, in the background: whoever reads the reply does not wait for it.
    fn post(&self, message: String) {
        let (target, headers) = (Arc::clone(&self.target), self.session.headers());
        // A reply may be dropped while the runtime ends: then nobody is left to post.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Err(fault) = target.exchange(headers, message).await {
                tracing::debug!(%fault, "a message to a target was lost");
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
                Kind::Notification => return Ok(notification(&message)),
                Kind::Request => self.running.post(refusal(&message)),
                Kind::Response => {
                    self.running.answered = true;
                    return last(message, Era::Legacy).map(Event::Last);
                }
            }
        }
    }
}
