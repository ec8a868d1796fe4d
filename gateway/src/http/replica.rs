//! What another replica of the gateway passes on: it has let the caller in, and here is what the request is about. Who is no replica
//! gets the answer that he gets at a path where nothing is.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::BytesMut;
use futures::StreamExt;
use http::{Request, StatusCode};
use memchr::memchr;
use tokio::time::timeout;

use super::{Served, respond, unaudited};
use crate::{
    calls,
    front::Post,
    replicas::{self, Letter},
};

/// Bytes of the sealed part of a letter: headers and claims.
const MOST_SEALED: usize = 256 * 1024;

/// Takes a request that another replica passes on.
pub(super) async fn answer(State(served): State<Arc<Served>>, request: Request<Body>) -> Response {
    let taken = timeout(served.limits.request_time, take(&served, request.into_body())).await;
    let Ok(Some(letter)) = taken else { return StatusCode::NOT_FOUND.into_response() };
    if letter.toolset.as_ref().is_some_and(|toolset| !served.toolsets.contains_key(toolset)) {
        // It has another configuration. The other one does without.
        return StatusCode::NOT_FOUND.into_response();
    }
    served.replicas.took();
    replicas::begun(answered(served, letter))
}

/// The letter that `body` is, if it is one. Of what is none, no more is read than its sealed part could be.
async fn take(served: &Served, body: Body) -> Option<Letter> {
    let mut pieces = body.into_data_stream();
    let mut read = BytesMut::new();
    let end = loop {
        if let Some(end) = memchr(replicas::END, &read) {
            break end;
        }
        if read.len() > MOST_SEALED {
            return None;
        }
        read.extend_from_slice(&pieces.next().await?.ok()?);
    };
    let sealed = read.split_to(end + 1);
    let opened = served.replicas.open(&sealed[..end]).ok()?;
    while let Some(piece) = pieces.next().await {
        read.extend_from_slice(&piece.ok()?);
        if read.len() > served.limits.request_bytes {
            return None;
        }
    }
    opened.holding(read.freeze()).ok()
}

async fn answered(served: Arc<Served>, letter: Letter) -> Response {
    let Letter { method, toolset, caller, headers, body } = letter;
    let endpoint = toolset.as_ref().and_then(|name| served.toolsets.get(name)).unwrap_or(&served.gateway);
    let Ok(call) = served.calls.begin(&headers, Arc::clone(&endpoint.path)) else { return unaudited() };
    let answer = async {
        let caller = Arc::new(caller);
        calls::note(|call| {
            if method != http::Method::POST {
                call.is_for(method.as_str());
            }
            call.took(&body);
            call.called_by(&caller);
        });
        respond(&endpoint.front, &method, Post { caller, headers, body, in_pieces: false, passed_on: true }).await
    };
    call.watch(answer).await
}
