//! What a legacy target sends outside of its replies, on the stream of the session, and to whom in the gateway it goes.
//! Reads no streams.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use causeway_core::{
    canonical::progress_of,
    wire::{Envelope, Kind},
};
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

use crate::targets::{
    listen::is_news,
    owner::{Ended, Meant, Owner},
};

/// Messages that one call has not read yet; more are dropped.
const QUEUE: usize = 256;
/// Messages that a listener may be behind.
const BEHIND: usize = 256;

/// The calls that run in a session, and who listens to what belongs to none of them.
#[derive(Debug)]
pub(super) struct Hub {
    /// In the order in which they began.
    calls: Mutex<Vec<Call>>,
    ended: Ended,
    heard: broadcast::Sender<Envelope>,
    streaming: AtomicBool,
    over: CancellationToken,
}

/// A call that runs.
#[derive(Debug)]
struct Call {
    id: u64,
    messages: mpsc::Sender<Envelope>,
    owner: Owner,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            calls: Mutex::default(),
            ended: Ended::default(),
            heard: broadcast::channel(BEHIND).0,
            streaming: AtomicBool::new(false),
            over: CancellationToken::new(),
        }
    }
}

impl Hub {
    /// Says that the target sends something here.
    pub(super) fn begin(&self) {
        self.streaming.store(true, Ordering::Relaxed);
    }

    /// Says that nothing more will come: whoever listens must do so anew.
    pub(super) fn end(&self) {
        self.streaming.store(false, Ordering::Relaxed);
        self.over.cancel();
    }

    /// Set once nothing more will come.
    pub(super) fn over(&self) -> &CancellationToken {
        &self.over
    }

    /// Whether the target sends anything here.
    pub(super) fn is_streaming(&self) -> bool {
        self.streaming.load(Ordering::Relaxed)
    }

    /// What is heard from now on.
    pub(super) fn listen(&self) -> broadcast::Receiver<Envelope> {
        self.heard.subscribe()
    }

    /// What is sent for the call `id` of `owner`, until [`Hub::leave`]; what comes later goes aside.
    pub(super) fn join(&self, id: u64, owner: Owner) -> mpsc::Receiver<Envelope> {
        let (messages, receiver) = mpsc::channel(QUEUE);
        self.calls.lock().expect("no holder of this lock panics").push(Call { id, messages, owner });
        receiver
    }

    pub(super) fn leave(&self, id: u64) {
        let mut calls = self.calls.lock().expect("no holder of this lock panics");
        let Some(at) = calls.iter().position(|call| call.id == id) else { return };
        self.ended.note(&calls.remove(at).owner);
    }

    /// Gives a message to whom it belongs: progress to its call; news to who listens; everything else, which does not say
    /// what it is about, to the call that it can only be about. Gives back a request that nobody takes.
    pub(super) fn hear(&self, message: Envelope) -> Option<Envelope> {
        let calls = self.calls.lock().expect("no holder of this lock panics");
        let call = match (message.kind(), message.method()) {
            (Kind::Notification, "notifications/progress") => {
                let id = progress_of(&message);
                let call = calls.iter().find(|call| Some(call.id) == id);
                call.map_or(Meant::Over, |call| Meant::Call(&call.messages))
            }
            (Kind::Notification, method) if is_news(method) => {
                // Nobody may be listening.
                let _ = self.heard.send(message);
                return None;
            }
            (Kind::Notification, _) => Meant::late(calls.iter().map(|call| (&call.owner, &call.messages)), &self.ended),
            _ => Meant::of(calls.iter().map(|call| (&call.owner, &call.messages))),
        };
        match (call, message.kind()) {
            (Meant::Call(call), Kind::Request) => {
                call.try_send(message).err().map(mpsc::error::TrySendError::into_inner)
            }
            (Meant::Call(call), _) => {
                // Its reader is gone or hopelessly behind.
                let _ = call.try_send(message);
                None
            }
            (Meant::Over | Meant::Unclear, Kind::Request) => Some(message),
            (Meant::Unclear, _) => None,
            (Meant::Over, _) => {
                self.ended.say(&message);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::handshake::own_client;

    fn message(text: &str) -> Envelope {
        Envelope::parse(text.to_owned().into()).unwrap()
    }

    #[test]
    fn a_message_goes_to_whom_it_belongs() {
        let hub = Hub::default();
        let of = |caller| Owner::of(caller, &own_client());
        let progress = message(r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1}}"#);
        let question = message(r#"{"jsonrpc":"2.0","id":9,"method":"roots/list"}"#);
        let changed = message(r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#);
        assert!(hub.hear(question.clone()).is_some(), "no call runs that it could belong to");
        let (mut first, mut second, mut listener) = (hub.join(1, of("alice")), hub.join(2, of("alice")), hub.listen());
        assert!(hub.hear(progress).is_none());
        assert!(hub.hear(question.clone()).is_none());
        assert!(hub.hear(changed).is_none());
        assert_eq!(first.try_recv().unwrap().method(), "notifications/progress");
        assert_eq!(second.try_recv().unwrap().method(), "roots/list");
        assert_eq!(listener.try_recv().unwrap().method(), "notifications/tools/list_changed");
        let _bobs = hub.join(3, of("bob"));
        assert!(hub.hear(question.clone()).is_some(), "it could be the one's or the other's");
        hub.leave(3);
        hub.leave(2);
        assert!(hub.hear(question).is_none());
        assert_eq!(first.try_recv().unwrap().method(), "roots/list");
    }
}
