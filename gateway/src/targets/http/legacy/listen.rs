//! Listening to a legacy target: the stream of a session, and a subscription for each resource.

use std::sync::Arc;

use causeway_core::canonical::Client;

use super::{
    super::{Fault, HttpTarget},
    session::{self, Peer},
    stream,
};
use crate::targets::{
    line::Line,
    listen::{Heard, Wanted},
};

/// What `target` sends beside its calls in the session of `client`.
pub(in crate::targets::http) async fn listen(
    target: &Arc<HttpTarget>,
    caller_id: &str,
    client: &Client,
    wanted: Wanted,
) -> Result<Heard, Fault> {
    let session = session::session(target, caller_id, client).await?;
    session.streamed(target).await;
    if !session.hub.is_streaming() {
        // A target that has not answered the GET yet may still do so.
        let refused = session.hub.over().is_cancelled() || !session.is_kept();
        return Err(if refused { Fault::NoStream } else { Fault::Silent(stream::PATIENCE) });
    }
    let (heard, over) = (session.hub.listen(), session.hub.over().clone());
    let line = Line::Http(Peer { target: Arc::clone(target), session: Arc::clone(&session) });
    let mut subscriptions = Vec::with_capacity(wanted.resources.len());
    for uri in &wanted.resources {
        subscriptions.push(session.settings.subscribe(line.clone(), uri).await?);
    }
    Ok(Heard::overheard(heard, wanted, over, subscriptions))
}
