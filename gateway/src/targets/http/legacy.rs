//! The legacy era toward a target: a call in a session, with what the target asks back in between.

mod conversation;
mod hub;
mod listen;
mod session;
mod stream;

use std::sync::Arc;

use causeway_core::{
    canonical::{Repeat, Request, Response, with_own_token, with_token},
    era::Era,
    wire::{Envelope, Kind, request_message, result_message},
};
use http::StatusCode;
use tokio::sync::mpsc;

use self::conversation::{Conversation, Pending, Stage, long, next_beside};
pub(super) use self::{
    listen::listen,
    session::{Session, Sessions, own_session},
};
use super::{
    Fault, HttpTarget, Outcome, Reply,
    answer::{Awaited, Begun, Content, last, no_answer},
};
use crate::targets::{
    Event, OWN, Question,
    handshake::{cancelled, refuses_conversation},
    line::Line,
    owner::Owner,
};

pub(in crate::targets) use self::session::Peer;

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
