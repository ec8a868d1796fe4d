//! What a legacy client hears outside of its calls: the stream that it opens with GET, and the resources that it subscribes
//! to.
//!
//! Source: MCP 2025-11-25, basic/transports, "Listening for Messages from the Server"; server/resources, "Subscriptions".

use std::{borrow::Cow, sync::Arc};

use axum::response::Response;
use bytes::Bytes;
use causeway_core::{
    era::{self, Era},
    wire::{Envelope, ObjectEdit, result_message},
};
use futures::stream;
use http::{Method, StatusCode};
use tokio::time::Sleep;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    live::Live,
    session::{self, Belongs, Session},
};
use crate::{
    calls,
    error::Refused,
    front::{
        Front, Post, accepts_events, face, message,
        news::{Changes, Listener, MOST, Reports},
        no_stream,
        reply::{Exchange, Item, event_stream},
        streams::Place,
    },
    gateway::CallError,
    targets::{Fault, TargetError},
};

/// A client that listens.
struct Stream {
    live: Arc<Live>,
    changes: Changes,
    /// Messages that go out next.
    ready: Vec<Bytes>,
    /// Set once the client opens another one.
    replaced: CancellationToken,
    /// The end of the session.
    ends: std::pin::Pin<Box<Sleep>>,
    stopping: CancellationToken,
    _place: Place,
}

/// Answers a GET with the stream of the session that it names.
pub(in crate::front) async fn stream(front: &Front, post: &Post) -> Response {
    let opened = match session::read(front, &Method::GET, post, "null").await {
        Ok(Belongs::Elsewhere(answer)) => return answer,
        Ok(Belongs::Here(Some(session))) => open(front, post, &session),
        Ok(Belongs::Here(None)) => return no_stream(),
        Err(refused) => Err(refused),
    };
    match opened {
        Ok(opened) => {
            let items = stream::unfold(opened, |mut opened| async move {
                let item = opened.next().await?;
                Some((item, opened))
            });
            event_stream(Bytes::from_static(b": listening\n\n"), Box::pin(items))
        }
        Err(refused) => face(refused.face(Era::Legacy, "null")),
    }
}

fn open(front: &Front, post: &Post, session: &Session) -> Result<Stream, Refused> {
    if !front.settings.streaming || !accepts_events(&post.headers) {
        return Err(Refused::NoEvents);
    }
    // Before another stream is ended: a client that is refused keeps the one that it has.
    let place = front.stream_place()?;
    Ok(Stream {
        changes: Changes::new(front),
        ready: Vec::new(),
        replaced: session.live.listen(),
        ends: Box::pin(tokio::time::sleep(session.rest(front))),
        stopping: front.stopping.begun.clone(),
        _place: place,
        live: Arc::clone(&session.live),
    })
}

impl Stream {
    /// The next message; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Item> {
        loop {
            if let Some(message) = self.ready.pop() {
                return Some(Item::Between(message));
            }
            tokio::select! {
                // What there is to say is said before the gateway ends.
                biased;
                () = self.replaced.cancelled() => return None,
                () = &mut self.ends => return None,
                methods = self.changes.next() => {
                    let messages = methods?.into_iter().map(|method| format!(r#"{{"jsonrpc":"2.0","method":"{method}"}}"#));
                    self.ready = messages.map(Bytes::from).collect();
                }
                message = self.live.next_posted() => return Some(Item::Between(message)),
                () = self.stopping.cancelled() => return None,
            }
        }
    }
}

/// Answers `resources/subscribe` once the resource's target has been asked, `resources/unsubscribe` at once.
pub(super) async fn subscribe(front: &Front, exchange: &Exchange, session: &Session, subscribes: bool) -> Response {
    let request = &exchange.request;
    let Some(uri) = request.param("uri").map(Cow::into_owned) else { return exchange.refuse(&CallError::NoUri) };
    calls::note(|call| call.names(&uri));
    let done = || message(StatusCode::OK, result_message(&request.id, "{}"));
    if !subscribes {
        session.live.unsubscribe(&uri);
        return done();
    }
    if session.live.is_subscribed(&uri) {
        return done();
    }
    if session.live.subscriptions() >= MOST {
        return face(Refused::TooManySubscriptions(MOST).face(Era::Legacy, &request.id));
    }
    if front.gateway.holder(&uri).is_none() {
        return exchange.refuse(&CallError::NoResource(uri));
    }
    let (lasting, caller) = (front.lasting.clone(), exchange.caller.clone());
    let listener = Listener { lasting, caller, client: request.client.clone() };
    match Reports::on_one(&listener, uri.clone()).await {
        Ok(reports) => {
            let reporting = tokio::spawn(report(reports, Arc::downgrade(&session.live)));
            session.live.subscribe(uri, AbortOnDropHandle::new(reporting));
            done()
        }
        Err(TargetError { target, fault: Fault::Refused(_) }) => {
            exchange.refuse(&CallError::NotReported { target, uri })
        }
        Err(error) => exchange.refuse(&CallError::Target(error)),
    }
}

/// Leaves what targets report for the client's stream, as long as the session lives.
async fn report(mut reports: Reports, live: std::sync::Weak<Live>) {
    loop {
        let message = reports.next().await;
        let Some(live) = live.upgrade() else { return };
        live.post(unstamped(&message).unwrap_or_else(|| message.bytes().clone()));
    }
}

/// A modern target's notification without the subscription that it came on; `None` where it names none.
fn unstamped(message: &Envelope) -> Option<Bytes> {
    let mut params = ObjectEdit::parse(message.params()?).ok()?;
    let mut meta = ObjectEdit::parse(params.get("_meta")?).ok()?;
    meta.get(era::META_SUBSCRIPTION)?;
    meta.remove(era::META_SUBSCRIPTION);
    match meta.is_empty() {
        true => params.remove("_meta"),
        false => params.set("_meta", &meta.finish()),
    }
    message.with_params(&params.finish()).map(|message| message.bytes().clone())
}
