//! The stream that a legacy session keeps open for what its target sends outside of replies. Passes messages on; answers
//! nothing but what nobody takes.
//!
//! Source: MCP 2025-11-25, basic/transports, "Listening for Messages from the Server" and "Resumability and Redelivery".

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use causeway_core::canonical::Repeat;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    super::{
        Fault, HttpTarget,
        answer::{Content, Messages},
    },
    session::{Peer, Session},
};
use crate::targets::handshake::refusal;

/// Where a reader of events left off.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// A target that has not answered the GET by then may answer it later: calls do not wait for it any longer.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
/// Between a stream and the next: what the target says, else the first, doubled to the last while it fails.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// A target cannot make the gateway wait longer than this for what it has yet to say.
const MOST_PAUSE: Duration = Duration::from_secs(30);
/// Nor can it make the gateway ask without end.
const LEAST_PAUSE: Duration = Duration::from_millis(100);

/// Opens the stream of `session` and waits until the target sends on it or refuses to. It closes with the session.
pub(super) async fn open(target: &Arc<HttpTarget>, session: &Arc<Session>) {
    if !session.is_kept() {
        return;
    }
    if target.runtime {
        session.hub.end();
        return;
    }
    let (opened, is_open) = oneshot::channel();
    let (hub, ended) = (Arc::clone(&session.hub), session.ended().clone());
    let following = follow(Arc::downgrade(target), Arc::downgrade(session), ended, opened);
    target.background.spawn(async move {
        following.await;
        hub.end();
    });
    // An error means that it was refused, and says as much.
    let _ = timeout(PATIENCE, is_open).await;
}

/// Reads streams, one after the other, until the session ends or the target refuses them.
async fn follow(
    target: Weak<HttpTarget>,
    session: Weak<Session>,
    ended: CancellationToken,
    opened: oneshot::Sender<()>,
) {
    let mut opened = Some(opened);
    let mut last_event = None;
    let mut pause = PAUSE.0;
    loop {
        let Some(peer) = target.upgrade().zip(session.upgrade()).map(|(target, session)| Peer { target, session })
        else {
            return;
        };
        let (hub, headers) = (Arc::clone(&peer.session.hub), peer.session.headers());
        let got = tokio::select! {
            got = get(&peer.target, headers, last_event.as_deref()) => got,
            () = ended.cancelled() => return,
        };
        // Held only while needed: the last holder of a session that is dropped ends it.
        drop(peer);
        let wait = match got {
            Ok(Some(mut messages)) => {
                hub.begin();
                drop(opened.take());
                tokio::select! {
                    () = read(&mut messages, &target, &session) => (),
                    () = ended.cancelled() => return,
                }
                let (id, retry) = messages.resumption();
                last_event = id.map(ToOwned::to_owned);
                pause = PAUSE.0;
                retry.map_or(pause, |retry| Duration::from_millis(retry).clamp(LEAST_PAUSE, MOST_PAUSE))
            }
            Ok(None) => return,
            Err(fault) => {
                tracing::debug!(%fault, "a stream of a target could not be opened");
                pause = (pause * 2).min(PAUSE.1);
                pause
            }
        };
        tokio::select! {
            () = sleep(wait) => (),
            () = ended.cancelled() => return,
        }
    }
}

async fn read(messages: &mut Messages, target: &Weak<HttpTarget>, session: &Weak<Session>) {
    while let Ok(message) = messages.next_message().await {
        let Some((target, session)) = target.upgrade().zip(session.upgrade()) else { return };
        if let Some(request) = session.hub.hear(message) {
            Peer { target, session }.tell_later(refusal(&request));
        }
    }
}

/// A stream of the session; `None` where the target has none.
pub(super) async fn get(
    target: &HttpTarget,
    mut headers: HeaderMap,
    last_event: Option<&str>,
) -> Result<Option<Messages>, Fault> {
    if let Some(id) = last_event.and_then(|id| HeaderValue::from_str(id).ok()) {
        headers.insert(LAST_EVENT_ID, id);
    }
    let answer = target.request(Method::GET, &headers, &bytes::Bytes::new(), Repeat::Safe).await?;
    match answer.status() {
        StatusCode::TOO_MANY_REQUESTS => Err(Fault::Status(429)),
        status if status.is_server_error() => Err(Fault::Status(status.as_u16())),
        status if !status.is_success() => Ok(None),
        _ => match answer.content().await? {
            Content::Stream(messages) => Ok(Some(messages.after(last_event))),
            Content::Whole(_) | Content::None => Ok(None),
        },
    }
}
