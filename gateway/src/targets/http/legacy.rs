//! The legacy era toward a target: a call in a session, with what the target asks back in between and a reply stream that
//! may break off and go on.

mod hub;
mod listen;
mod session;
mod stream;

use std::{pin::Pin, sync::Arc, time::Duration};

use causeway_core::{
    canonical::{Coming, Repeat, Request, Response, with_own_token, with_token},
    era::Era,
    wire::{Envelope, Kind, request_message, result_message},
};
use futures::{StreamExt, stream as streams};
use http::StatusCode;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

pub(super) use self::{
    listen::listen,
    session::{Session, Sessions, own_session},
};
use super::{
    Fault, HttpTarget, Outcome, Reply,
    answer::{Awaited, Begun, Content, Messages, Next, last, no_answer},
};
use crate::targets::{
    Event, Long, OWN, Question,
    handshake::{cancelled, refuses_conversation},
    line::Line,
    long::Rest,
    owner::Owner,
    reply::EventSource,
};

pub(in crate::targets) use self::session::Peer;

/// How often in a row a reply stream may break off without a message before it is given up.
const RESUMPTIONS: u32 = 5;
/// A target that does not say how long to wait before its stream is asked for again.
const PAUSE: Duration = Duration::from_millis(500);
/// A target cannot make a call wait longer than this for the rest of its reply.
const MOST_PAUSE: Duration = Duration::from_secs(30);

type Pending<T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send>>;

/// A call under way: dropped before its answer, it tells the target to stop.
#[derive(Debug)]
struct Running {
    peer: Peer,
    id: u64,
    /// The client's own progress token, JSON text.
    progress_token: Option<String>,
    /// What comes for this call outside of its reply.
    beside: Option<mpsc::Receiver<Envelope>>,
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
struct Conversation {
    stage: Stage,
    /// A long answer may be given while it comes.
    in_pieces: bool,
    running: Running,
    /// Came before anything else did.
    first: Option<Envelope>,
    /// The target has said something about this call beside its reply.
    talks_beside: bool,
    /// The answer, held back for what may still come beside it.
    last: Option<Response>,
}

/// What a target says beside a reply comes on another connection, and may be overtaken by the answer: where it has said
/// something so, the answer waits this long for the next.
const OVERTAKEN: Duration = Duration::from_millis(20);

/// How far a reply has come.
enum Stage {
    /// Not even its head is there.
    Head(Pending<(StatusCode, Begun)>),
    Events {
        messages: Box<Messages>,
        /// How often it broke off since the last message.
        broken: u32,
    },
    /// The answer is long, and held because the target talks beside it.
    Held(Pending<Response>),
    /// It broke off, and its rest was asked for.
    Resuming { rest: Pending<Messages>, broken: u32 },
}

/// What there is to read next of a reply.
enum Read {
    Message(Envelope),
    /// The one answer.
    Whole(Envelope),
    /// The same, which is long.
    Long(Long),
    /// The same, while the target talks beside it.
    Held(Response),
}

/// Sends `request` with `changes` made to its parameters, in the session of its client.
pub(super) async fn send(
    target: &Arc<HttpTarget>,
    caller_id: &str,
    request: &Request,
    changes: &[(&str, &str)],
) -> Result<Outcome, Fault> {
    if request.brings_input() {
        // The call that it is to go on with waits elsewhere or no more; to begin it anew would do its work twice.
        return Err(Fault::UnknownState);
    }
    let params = request.legacy_params(changes).finish();
    for _ in 0..2 {
        let session = match session::session(target, caller_id, &request.client).await {
            Ok(session) => session,
            // A server that answers, but not to `initialize`, may have become a modern one.
            Err(fault @ (Fault::Refused(_) | Fault::Garbage(_) | Fault::Status(_) | Fault::UnknownVersion(_))) => {
                return Ok(Outcome::OtherEra(Err(fault.unsent())));
            }
            Err(Fault::Runtime(fault)) if fault.problem.may_be_of_the_era() => {
                return Ok(Outcome::OtherEra(Err(Fault::from(fault).unsent())));
            }
            Err(fault) => return Err(fault.unsent()),
        };
        let peer = Peer { target: Arc::clone(target), session };
        let line = Line::Http(peer.clone());
        peer.session.settings.set_level(&line, peer.session.about(), request.client.logs).await;
        let (owner, asked) = (Owner::of(caller_id, &request.client), (&*request.method, &*params));
        let in_pieces = target.gives_pieces(request, Era::Legacy);
        match Running::start(peer.clone(), owner, asked, request.repeat, in_pieces).await? {
            Asked::Done(reply) => return Ok(Outcome::Done(reply)),
            Asked::Refused { reply, conversation: false } => return Ok(Outcome::OtherEra(reply)),
            Asked::SessionLost => session::forget(target, caller_id, &request.client, &peer.session).await,
            Asked::Refused { reply, conversation: true } => {
                session::forget(target, caller_id, &request.client, &peer.session).await;
                if !now_demands_sessions(target, caller_id, request, &peer.session).await {
                    return Ok(Outcome::OtherEra(reply));
                }
            }
        }
    }
    Err(Fault::Garbage("it forgets its sessions at once (HTTP 404 right after `initialize`)".into()).unsent())
}

/// Whether `target`, which kept no sessions when `before` was settled, does so now: then it refused a request without one
/// unread.
async fn now_demands_sessions(target: &Arc<HttpTarget>, caller_id: &str, request: &Request, before: &Session) -> bool {
    let now = async || session::session(target, caller_id, &request.client).await;
    !before.is_kept() && now().await.is_ok_and(|session| session.is_kept())
}

impl Running {
    /// Sends a request: a method and its parameters. `in_pieces`: a long answer may be given so.
    async fn start(
        peer: Peer,
        owner: Owner,
        (method, params): (&str, &str),
        repeat: Repeat,
        in_pieces: bool,
    ) -> Result<Asked, Fault> {
        let id = peer.session.next_id();
        let (params, progress_token) =
            with_own_token(params, id).map_err(|error| Fault::Unsendable(error.to_string()))?;
        let own = id.to_string();
        let body = request_message(&own, method, &params);
        // Also before the stream is open: what comes on it later must not be taken for another call's.
        let caller = owner.caller_id().unwrap_or(OWN).to_owned();
        let may_hear = peer.session.is_kept() && !peer.session.hub.over().is_cancelled();
        let beside = may_hear.then(|| peer.session.hub.join(id, owner));
        let mut running = Self { peer, id, progress_token, beside, answered: false };
        let (target, headers) = (Arc::clone(&running.peer.target), running.peer.session.headers());
        let mut head: Pending<_> = Box::pin(async move {
            let answer = target.exchange(&caller, &headers, body, repeat).await?;
            let awaited = in_pieces.then_some(Awaited { era: Era::Legacy, id: &own });
            Ok((answer.status(), answer.content_for(awaited).await?))
        });
        let answer = tokio::select! {
            biased;
            answer = &mut head => answer,
            Some(first) = next_beside(&mut running.beside) => {
                let stage = Stage::Head(head);
                return Ok(Asked::Done(Reply::reading(Conversation::new(stage, running, Some(first), in_pieces))));
            }
        };
        let (status, content) = answer.inspect_err(|fault| {
            // It never got the request: there is nothing to cancel.
            running.answered = fault.surely_not_carried_out();
        })?;
        match content {
            Begun::Read(content) => running.judge(status, content, in_pieces),
            Begun::Long(coming, rest) => {
                running.answered = true;
                Ok(Asked::Done(Reply::long(long(&running.peer, id, coming, rest))))
            }
        }
    }

    fn judge(mut self, status: StatusCode, content: Content, in_pieces: bool) -> Result<Asked, Fault> {
        let (reply, conversation) = match content {
            Content::Stream(messages) => {
                let stage = Stage::Events { messages: messages.into(), broken: 0 };
                return Ok(Asked::Done(Reply::reading(Conversation::new(stage, self, None, in_pieces))));
            }
            Content::Whole(message) => {
                let conversation = refuses_conversation(&message);
                (last(message, Era::Legacy, &self.id.to_string()).map(Reply::Whole), conversation)
            }
            Content::None => (Err(no_answer(status)), true),
        };
        self.answered = true;
        match status {
            // With an error about something else it is the answer.
            StatusCode::NOT_FOUND if self.peer.session.is_kept() && conversation => Ok(Asked::SessionLost),
            StatusCode::BAD_REQUEST => Ok(Asked::Refused { reply, conversation }),
            _ => reply.map(Asked::Done),
        }
    }

    /// A message of this call other than its answer, as an event; `None` where there is nothing to pass on.
    fn event(&self, message: Envelope) -> Option<Event> {
        match message.kind() {
            Kind::Request => match message.method() {
                "ping" => {
                    let pong = result_message(message.id().unwrap_or("null"), "{}");
                    self.peer.tell_later(pong);
                    None
                }
                _ => Some(Event::Question(Question::new(message, Line::Http(self.peer.clone())))),
            },
            Kind::Notification => {
                let token = self.progress_token.as_deref().filter(|_| message.method() == "notifications/progress");
                let restored = token.and_then(|token| with_token(&message, token));
                Some(Event::Notification(restored.unwrap_or(message)))
            }
            Kind::Response => None,
        }
    }
}

impl Peer {
    /// Sends one request of the gateway's own and waits for its answer.
    pub(in crate::targets) async fn request(&self, method: &str, params: &str) -> Result<Response, Fault> {
        match Running::start(self.clone(), Owner::Gateway, (method, params), Repeat::Safe, false).await? {
            Asked::Done(reply) => reply.last().await,
            Asked::SessionLost => Err(Fault::BrokenOff("it forgot the session".into())),
            Asked::Refused { reply, .. } => reply?.last().await,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.beside.is_some() {
            self.peer.session.hub.leave(self.id);
        }
        if !self.answered {
            self.peer.tell_later(cancelled(self.id));
        }
    }
}

/// The answer to the call `id`, which is long. Dropped before its end, it tells the target to stop.
fn long(peer: &Peer, id: u64, coming: Coming, rest: Rest) -> Long {
    let unread = Unread { peer: peer.clone(), id, is_read: false };
    let rest = streams::unfold((unread, rest), |(mut unread, mut rest)| async move {
        let part = rest.next().await;
        unread.is_read = !matches!(part, Some(Ok(_)));
        part.map(|part| (part, (unread, rest)))
    });
    Long::new(peer.target.name.clone(), coming, Box::pin(rest))
}

/// Of the answer to the call `id`, something is still to come.
struct Unread {
    peer: Peer,
    id: u64,
    is_read: bool,
}

impl Drop for Unread {
    fn drop(&mut self) {
        if !self.is_read {
            self.peer.tell_later(cancelled(self.id));
        }
    }
}

async fn next_beside(beside: &mut Option<mpsc::Receiver<Envelope>>) -> Option<Envelope> {
    match beside {
        Some(beside) => beside.recv().await,
        None => std::future::pending().await,
    }
}

impl Conversation {
    fn new(stage: Stage, running: Running, first: Option<Envelope>, in_pieces: bool) -> Self {
        Self { stage, in_pieces, running, talks_beside: first.is_some(), first, last: None }
    }
}

impl EventSource for Conversation {
    async fn next_event(&mut self) -> Result<Event, Fault> {
        loop {
            if let Some(last) = self.last.take() {
                let Ok(Some(late)) = timeout(OVERTAKEN, next_beside(&mut self.running.beside)).await else {
                    return Ok(Event::Last(last));
                };
                self.last = Some(last);
                match self.running.event(late) {
                    // Asked after the answer, it is about no call any more.
                    Some(event @ Event::Notification(_)) => return Ok(event),
                    Some(Event::Question(question)) => question.refuse("its call has been answered").await,
                    Some(Event::Last(_) | Event::Long(_)) | None => (),
                }
                continue;
            }
            let read = match self.first.take() {
                Some(first) => Read::Message(first),
                None => tokio::select! {
                    biased;
                    Some(message) = next_beside(&mut self.running.beside) => {
                        self.talks_beside = true;
                        Read::Message(message)
                    }
                    read = self.stage.read((&self.running.peer, self.running.id), self.in_pieces && !self.talks_beside) => read?,
                },
            };
            let message = match read {
                Read::Message(message) if message.kind() != Kind::Response => match self.running.event(message) {
                    Some(event) => return Ok(event),
                    None => continue,
                },
                Read::Message(message) | Read::Whole(message) => message,
                Read::Long(long) => {
                    self.running.answered = true;
                    return Ok(Event::Long(long));
                }
                Read::Held(answer) => {
                    self.running.answered = true;
                    self.last = Some(answer);
                    continue;
                }
            };
            self.running.answered = true;
            self.stage.release();
            let answer = last(message, Era::Legacy, &self.running.id.to_string())?;
            match self.talks_beside {
                true => self.last = Some(answer),
                false => return Ok(Event::Last(answer)),
            }
        }
    }
}

impl Stage {
    /// The next message of the reply. Dropped before it is there, it loses nothing.
    async fn read(&mut self, (peer, id): (&Peer, u64), in_pieces: bool) -> Result<Read, Fault> {
        let own = in_pieces.then(|| id.to_string());
        let awaited = own.as_deref().map(|id| Awaited { era: Era::Legacy, id });
        loop {
            match self {
                Self::Head(head) => match head.await? {
                    (_, Begun::Long(coming, rest)) => {
                        let long = long(peer, id, coming, rest);
                        match in_pieces {
                            true => return Ok(Read::Long(long)),
                            false => *self = Self::Held(Box::pin(long.whole())),
                        }
                    }
                    (_, Begun::Read(Content::Whole(message))) => return Ok(Read::Whole(message)),
                    (_, Begun::Read(Content::Stream(messages))) => {
                        *self = Self::Events { messages: messages.into(), broken: 0 };
                    }
                    (status, Begun::Read(Content::None)) => return Err(no_answer(status)),
                },
                Self::Events { messages, broken } => match messages.next(awaited).await {
                    Ok(Next::Message(message)) => {
                        *broken = 0;
                        return Ok(Read::Message(message));
                    }
                    Ok(Next::Long(coming)) => {
                        let rest = messages.rest(&coming);
                        return Ok(Read::Long(long(peer, id, *coming, rest)));
                    }
                    Err(fault @ Fault::BrokenOff(_)) => {
                        let broken = *broken + 1;
                        let rest = rest(peer, messages, broken).ok_or(fault)?;
                        *self = Self::Resuming { rest, broken };
                    }
                    Err(fault) => return Err(fault),
                },
                Self::Held(whole) => return whole.await.map(Read::Held),
                Self::Resuming { rest, broken } => {
                    *self = Self::Events { messages: rest.await?.into(), broken: *broken }
                }
            }
        }
    }

    fn release(&mut self) {
        if let Self::Events { messages, .. } = self {
            messages.release();
        }
    }
}

/// The rest of a reply stream that broke off, or that the target closed to be asked again later; `None` where it cannot go
/// on.
fn rest(peer: &Peer, messages: &Messages, broken: u32) -> Option<Pending<Messages>> {
    let (id, retry) = messages.resumption();
    // AgentCore Runtime takes nothing but POST.
    let id = id.filter(|_| broken <= RESUMPTIONS && !peer.target.runtime)?.to_owned();
    let pause = retry.map_or(PAUSE, Duration::from_millis).min(MOST_PAUSE);
    let peer = peer.clone();
    Some(Box::pin(async move {
        let refused = || Fault::BrokenOff("its stream ended and could not be resumed".into());
        let mut tries = broken;
        loop {
            sleep(pause).await;
            match stream::get(&peer.target, peer.session.headers(), Some(&id)).await {
                Ok(resumed) => return resumed.ok_or_else(refused),
                // The call itself was sent, whatever keeps its rest back.
                Err(fault) if tries >= RESUMPTIONS => {
                    return Err(Fault::BrokenOff(format!("its stream ended and could not be resumed: it {fault}")));
                }
                // What stands between may be gone for a moment; the call goes on behind it.
                Err(fault) => tracing::debug!(%fault, "a reply could not be resumed yet"),
            }
            tries += 1;
        }
    }))
}

impl std::fmt::Debug for Conversation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Conversation({:?})", self.running)
    }
}
