//! What a target sends outside of calls: its lists changed, a resource was updated, a task went on. One stream of
//! notifications for one listener, whatever the target speaks.
//!
//! Source: MCP 2026-07-28, basic/patterns/subscriptions; MCP 2025-11-25, server/resources, "Subscriptions".

use std::{fmt, future::ready, pin::Pin, time::Duration};

use bytestring::ByteString;
use causeway_core::{
    canonical::{Client, Repeat, Request, Response},
    era::{Era, params::HeaderParams},
    wire::{Envelope, Object, ObjectEdit, json},
};
use futures::{Stream, StreamExt, stream};
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{Event, Events, Fault, Reply, fault::rpc_error, line::Subscription};

/// A modern target's word that a subscription begins.
const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";
/// For it to give that word; one that does not is taken to have begun.
const BEGIN: Duration = Duration::from_secs(2);
const OVER_AT_ONCE: &str = "it ended the subscription at once";

/// Whether a notification is for those who listen, not for one call or one client.
pub(super) fn is_news(method: &str) -> bool {
    method.ends_with("/list_changed")
        || matches!(
            method,
            "notifications/resources/updated" | "notifications/tasks" | "notifications/tasks/status" | ACKNOWLEDGED
        )
}

/// What a listener wants to hear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// That lists changed, of any kind.
    pub lists: bool,
    /// That one of these resources was updated.
    pub resources: Vec<String>,
    /// That one of these tasks went on, by the target's own ids.
    pub tasks: Vec<String>,
}

/// Notifications as the target wrote them, until the target ends them. Dropped, it ends the subscription.
pub struct Heard(Pin<Box<dyn Stream<Item = Envelope> + Send>>);

impl Wanted {
    /// The `subscriptions/listen` that asks for it.
    pub(super) fn request(&self, client: Client) -> Request {
        let mut notifications = ObjectEdit::empty();
        if self.lists {
            for list in ["toolsListChanged", "promptsListChanged", "resourcesListChanged"] {
                notifications.set(list, "true");
            }
        }
        for (key, wanted) in [("resourceSubscriptions", &self.resources), ("taskIds", &self.tasks)] {
            if !wanted.is_empty() {
                notifications.set(key, &json(wanted));
            }
        }
        Request {
            id: ByteString::from_static(r#""listen""#),
            method: ByteString::from_static("subscriptions/listen"),
            params: Object::of([("notifications", notifications.finish().as_str())]),
            era: Era::Legacy,
            client,
            param_headers: Vec::new(),
            header_params: HeaderParams::default(),
            in_pieces: false,
            repeat: Repeat::Safe,
        }
    }

    /// Whether a notification is one of those.
    fn includes(&self, message: &Envelope) -> bool {
        let param = |key| {
            let params = ObjectEdit::parse(message.params()?).ok()?;
            serde_json::from_str::<String>(params.get(key)?).ok()
        };
        match message.method() {
            "notifications/resources/updated" => param("uri").is_some_and(|uri| self.covers(&uri)),
            "notifications/tasks" | "notifications/tasks/status" => {
                param("taskId").is_some_and(|id| self.tasks.contains(&id))
            }
            method => self.lists && method.ends_with("/list_changed"),
        }
    }

    /// Whether `uri` is a wanted resource, or part of one: a target may report on what stands below it.
    fn covers(&self, uri: &str) -> bool {
        self.resources.iter().any(|wanted| {
            let rest = uri.strip_prefix(wanted.as_str());
            rest.is_some_and(|rest| rest.is_empty() || wanted.ends_with('/') || rest.starts_with(['/', '#', '?']))
        })
    }
}

impl Heard {
    /// What a modern target sends on its reply to `subscriptions/listen`, from when it says that it has begun: what changes
    /// before that it may miss, so nobody must think sooner that they would hear of it.
    pub(super) async fn replied(reply: Reply<Fault>) -> Result<Self, Fault> {
        let mut events: Events<Fault> = match reply {
            Reply::Stream(events) => events,
            Reply::Whole(response) => return Err(over_at_once(&response)),
        };
        let first = match timeout(BEGIN, events.next()).await {
            Ok(Some(Ok(Event::Notification(message)))) => Some(message),
            Ok(Some(Ok(Event::Last(response)))) => return Err(over_at_once(&response)),
            Ok(Some(Err(fault))) => return Err(fault),
            Ok(Some(Ok(Event::Question(_) | Event::Long(_))) | None) => {
                return Err(Fault::BrokenOff(OVER_AT_ONCE.into()));
            }
            Err(_) => None,
        };
        let later = stream::unfold(events, |mut events| async move {
            match events.next().await {
                Some(Ok(Event::Notification(message))) => Some((message, events)),
                Some(Ok(Event::Question(_) | Event::Last(_) | Event::Long(_)) | Err(_)) | None => None,
            }
        });
        let news = stream::iter(first).chain(later);
        Ok(Self(Box::pin(news.filter(|message| ready(message.method() != ACKNOWLEDGED)))))
    }

    /// What a legacy target sends beside its calls, as far as it is `wanted`, until it is `over`.
    pub(super) fn overheard(
        heard: broadcast::Receiver<Envelope>,
        wanted: Wanted,
        over: CancellationToken,
        subscriptions: Vec<Subscription>,
    ) -> Self {
        let state = (heard, wanted, over, subscriptions);
        Self(Box::pin(stream::unfold(state, |mut state| async move {
            loop {
                let heard = tokio::select! {
                    heard = state.0.recv() => heard,
                    () = state.2.cancelled() => return None,
                };
                match heard {
                    Ok(message) if state.1.includes(&message) => return Some((message, state)),
                    // What was missed is missed: these messages say no more than that something changed.
                    Ok(_) | Err(RecvError::Lagged(_)) => (),
                    Err(RecvError::Closed) => return None,
                }
            }
        })))
    }

    /// The next notification; `None` once the target has ended them.
    pub async fn next(&mut self) -> Option<Envelope> {
        self.0.next().await
    }
}

fn over_at_once(response: &Response) -> Fault {
    match response.error() {
        Some(error) => Fault::Refused(rpc_error(error)),
        None => Fault::BrokenOff(OVER_AT_ONCE.into()),
    }
}

impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Heard")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_hears_what_it_wanted() {
        let wanted = Wanted { lists: false, resources: vec!["file:///a".into()], tasks: vec!["t".into()] };
        let check = |method: &str, params: &str, included| {
            let message = format!(r#"{{"jsonrpc":"2.0","method":"notifications/{method}","params":{params}}}"#);
            assert_eq!(wanted.includes(&Envelope::parse(message.into()).unwrap()), included, "{method} {params}");
        };
        check("resources/updated", r#"{"uri":"file:///a"}"#, true);
        check("resources/updated", r#"{"uri":"file:///a/b"}"#, true);
        check("resources/updated", r#"{"uri":"file:///ab"}"#, false);
        check("tasks/status", r#"{"taskId":"t"}"#, true);
        check("tasks", r#"{"taskId":"other"}"#, false);
        check("tools/list_changed", "{}", false);
        check("message", r#"{"level":"info"}"#, false);
    }
}
