//! `subscriptions/listen`: a stream of news that lasts until the client leaves, or the gateway stops, or a new configuration has no
//! such endpoint any more.
//!
//! Source: MCP 2026-07-28, basic/patterns/subscriptions.

use axum::response::Response;
use bytes::Bytes;
use bytestring::ByteString;
use causeway_core::{
    canonical::{Request, tasks},
    era::{self, Era},
    wire::{Envelope, ObjectEdit, json, result_message},
};
use futures::stream;
use http::StatusCode;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::{
    error::Refused,
    front::{
        Front, Post, accepts_events, face,
        news::{Changes, Interest, Listener, MOST, Reports},
        reply::{Item, event_stream},
        streams::Place,
    },
};

/// What a client wants to hear, and in the acknowledgment what it will.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Filter {
    tools_list_changed: bool,
    prompts_list_changed: bool,
    resources_list_changed: bool,
    resource_subscriptions: Vec<String>,
    /// Of the extension `io.modelcontextprotocol/tasks` (SEP-2663).
    task_ids: Vec<String>,
}

/// A client that listens.
struct Subscription {
    /// Of the request, JSON text: it names the subscription.
    id: ByteString,
    filter: Filter,
    changes: Changes,
    reports: Reports,
    /// Messages that go out next.
    ready: Vec<Bytes>,
    stopping: CancellationToken,
    _place: Place,
}

/// Answers with the stream.
pub(super) async fn answer(front: &Front, post: &Post, request: Request) -> Response {
    match open(front, post, &request).await {
        Ok(subscription) => {
            let first = Bytes::from_static(b": listening\n\n");
            // In a box: what waits for its next message has room for it twice, as long as it lasts.
            let items = stream::unfold(Some(Box::new(subscription)), |subscription| async move {
                let mut subscription = subscription?;
                let item = subscription.next().await;
                let over = matches!(item, Item::Last(..));
                Some((item, (!over).then_some(subscription)))
            });
            event_stream(first, Box::pin(items))
        }
        Err(refused) => face(refused.face(Era::Modern, &request.id)),
    }
}

async fn open(front: &Front, post: &Post, request: &Request) -> Result<Subscription, Refused> {
    if !front.settings.streaming || !accepts_events(&post.headers) {
        return Err(Refused::NoEvents);
    }
    let filter =
        request.params.get("notifications").map_or_else(|| Ok(Filter::default()), serde_json::from_str::<Filter>);
    let mut filter = filter.map_err(|error| Refused::Params(format!("`params.notifications`: {error}")))?;
    if !filter.task_ids.is_empty() && !tasks::known_by(&request.client.capabilities) {
        return Err(Refused::MissingCapability(tasks::EXTENSION));
    }
    if filter.resource_subscriptions.len() + filter.task_ids.len() > MOST {
        return Err(Refused::TooManySubscriptions(MOST));
    }
    let place = front.stream_place()?;
    // Before anything is asked of targets, so that no change in between is missed.
    let changes = Changes::new(front);
    let listener =
        Listener { lasting: front.lasting.clone(), caller: post.caller.clone(), client: request.client.clone() };
    let (resources, tasks) = (filter.resource_subscriptions, filter.task_ids);
    let (reports, honoured) = Reports::on(&listener, Interest { resources, tasks }).await;
    (filter.resource_subscriptions, filter.task_ids) = (honoured.resources, honoured.tasks);
    // A copy: it is a part of the body of the request, which would last as long.
    let id = ByteString::from(&*request.id);
    let ready = vec![acknowledged(&id, &filter)];
    let stopping = front.stopping.begun.clone();
    Ok(Subscription { id, filter, changes, reports, ready, stopping, _place: place })
}

impl Subscription {
    async fn next(&mut self) -> Item {
        loop {
            if let Some(message) = self.ready.pop() {
                return Item::Between(message);
            }
            tokio::select! {
                // What there is to say is said before the end.
                biased;
                methods = self.changes.next() => {
                    let Some(methods) = methods else { return self.last() };
                    let wanted = methods.into_iter().filter(|method| self.filter.includes(method));
                    self.ready = wanted.map(|method| changed(method, &self.id)).collect();
                }
                message = self.reports.next() => self.ready.extend(stamped(&message, &self.id)),
                () = self.stopping.cancelled() => return self.last(),
            }
        }
    }

    /// That it is over.
    fn last(&self) -> Item {
        let result = format!(r#"{{"resultType":"complete",{}}}"#, meta(&self.id));
        Item::Last(StatusCode::OK, result_message(&self.id, &result).into())
    }
}

impl Filter {
    fn includes(&self, method: &str) -> bool {
        match method {
            "notifications/tools/list_changed" => self.tools_list_changed,
            "notifications/prompts/list_changed" => self.prompts_list_changed,
            _ => self.resources_list_changed,
        }
    }
}

/// The first message: what the client will hear of what it wanted.
fn acknowledged(id: &str, filter: &Filter) -> Bytes {
    let mut honoured = ObjectEdit::parse("{}").expect("an object");
    let lists = [
        ("toolsListChanged", filter.tools_list_changed),
        ("promptsListChanged", filter.prompts_list_changed),
        ("resourcesListChanged", filter.resources_list_changed),
    ];
    lists.iter().filter(|(_, wanted)| *wanted).for_each(|(key, _)| honoured.set(key, "true"));
    let lists = [("resourceSubscriptions", &filter.resource_subscriptions), ("taskIds", &filter.task_ids)];
    lists.iter().filter(|(_, wanted)| !wanted.is_empty()).for_each(|(key, wanted)| honoured.set(key, &json(wanted)));
    let (meta, honoured) = (meta(id), honoured.finish());
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{{{meta},"notifications":{honoured}}}}}"#
    )
    .into()
}

fn changed(method: &str, id: &str) -> Bytes {
    format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{{{}}}}}"#, meta(id)).into()
}

/// A target's notification under the subscription of this client.
fn stamped(message: &Envelope, id: &str) -> Option<Bytes> {
    let mut params = ObjectEdit::parse(message.params().unwrap_or("{}")).ok()?;
    let mut meta = ObjectEdit::parse(params.get("_meta").unwrap_or("{}")).ok()?;
    meta.set(era::META_SUBSCRIPTION, id);
    params.set("_meta", &meta.finish());
    message.with_params(&params.finish()).map(|message| message.bytes().clone())
}

/// `"_meta":{…}` that names the subscription.
fn meta(id: &str) -> String {
    format!(r#""_meta":{{"{}":{id}}}"#, era::META_SUBSCRIPTION)
}
