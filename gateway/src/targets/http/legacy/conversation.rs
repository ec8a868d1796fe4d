//! The reply of a legacy target as it comes: its messages, those that come beside it, and its rest where it broke off.

use std::{pin::Pin, time::Duration};

use causeway_core::{
    canonical::{Coming, Response},
    era::Era,
    wire::{Envelope, Kind},
};
use futures::{StreamExt, stream as streams};
use http::StatusCode;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use super::{Peer, Running, stream};
use crate::targets::{
    Event, Long,
    handshake::cancelled,
    http::{
        Fault,
        answer::{Awaited, Begun, Content, Messages, Next, last, no_answer},
    },
    long::Rest,
    reply::EventSource,
};

/// How often in a row a reply stream may break off without a message before it is given up.
const RESUMPTIONS: u32 = 5;
/// A target that does not say how long to wait before its stream is asked for again.
const PAUSE: Duration = Duration::from_millis(500);
/// A target cannot make a call wait longer than this for the rest of its reply.
const MOST_PAUSE: Duration = Duration::from_secs(30);

pub(super) type Pending<T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send>>;

/// The messages of a legacy target's reply.
pub(super) struct Conversation {
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
pub(super) enum Stage {
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

impl Conversation {
    pub(super) fn new(stage: Stage, running: Running, first: Option<Envelope>, in_pieces: bool) -> Self {
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

/// The answer to the call `id`, which is long. Dropped before its end, it tells the target to stop.
pub(super) fn long(peer: &Peer, id: u64, coming: Coming, rest: Rest) -> Long {
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

pub(super) async fn next_beside(beside: &mut Option<mpsc::Receiver<Envelope>>) -> Option<Envelope> {
    match beside {
        Some(beside) => beside.recv().await,
        None => std::future::pending().await,
    }
}
