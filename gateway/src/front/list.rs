//! Answering the four lists from the catalog: nobody is asked, nothing is serialized again.
//!
//! Source: MCP 2026-07-28, server/utilities/pagination and server/utilities/caching.

use axum::{body::Body, response::Response};
use bytes::Bytes;
use causeway_core::{
    catalog::{Kind, List, Slice},
    era::Era,
    wire::{Object, json},
};
use futures::stream;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Front, Post, face, message};
use crate::error::Refused;

/// How long a client may take a list as fresh at most, in milliseconds. Short, because a target that comes back changes it.
pub(super) const TTL_MS: u64 = 10_000;

/// Keeps cursors apart from other sealed tokens.
const PURPOSE: &str = "cursor";

/// What a cursor holds.
#[derive(Debug, Deserialize, Serialize)]
struct Cursor {
    #[serde(rename = "m")]
    method: String,
    /// Of the list that the pages before came from.
    #[serde(rename = "d")]
    digest: u64,
    /// Of the last entry of those pages: a list that has changed meanwhile goes on after it.
    #[serde(rename = "l")]
    last: u64,
    /// The entry with which the page begins.
    #[serde(rename = "f")]
    from: usize,
}

/// The response to a request for the list of `kind` with these `params`.
pub(super) fn answer(front: &Front, post: &Post, era: Era, kind: Kind, id: &str, params: &Object) -> Response {
    let view = front.gateway.view();
    let list = view.catalog.list(kind);
    match page(front, post, kind, list, params) {
        Ok(page) => respond(pieces(front, post, era, kind, list, page), id),
        Err(refused) => face(refused.face(era, id)),
    }
}

/// The page that the cursor in `params` asks for; the first one where there is none.
fn page(front: &Front, post: &Post, kind: Kind, list: &List, params: &Object) -> Result<Slice, Refused> {
    let from = match params.get("cursor") {
        None | Some("null") => 0,
        Some(cursor) => position(front, post, kind, list, cursor)?,
    };
    match from {
        // What followed is gone from the list.
        from if from > 0 && from == list.len() => Ok(Slice { entries: Bytes::new(), next: None }),
        from => list.page(from, front.settings.paging).ok_or(Refused::Cursor),
    }
}

/// Where the page of `cursor` (JSON text) starts.
fn position(front: &Front, post: &Post, kind: Kind, list: &List, cursor: &str) -> Result<usize, Refused> {
    let sealed: String = serde_json::from_str(cursor).map_err(|_| Refused::Cursor)?;
    let opened = front.sealer.open(PURPOSE, &post.caller.key, front.clock.now(), &sealed);
    let cursor: Cursor = opened.map_err(|why| {
        tracing::debug!(%why, "refused a cursor");
        Refused::Cursor
    })?;
    match cursor.method == kind.method() {
        true if cursor.digest == list.digest() => Ok(cursor.from),
        true => list.after(cursor.last).ok_or(Refused::Cursor),
        false => Err(Refused::Cursor),
    }
}

/// The result, in pieces: the catalog's part is shared by all answers.
fn pieces(front: &Front, post: &Post, era: Era, kind: Kind, list: &List, page: Slice) -> [Bytes; 3] {
    let result_type = if era == Era::Modern { r#""resultType":"complete","# } else { "" };
    let before = format!(r#"{{{result_type}"{}":["#, kind.member());
    let mut after = "]".to_owned();
    if let Some(from) = page.next {
        let cursor = Cursor { method: kind.method().into(), digest: list.digest(), last: list.mark(from), from };
        let expires = front.clock.now() + front.sessions.timeout;
        let sealed = front.sealer.seal(PURPOSE, &post.caller.key, expires, &cursor);
        after.push_str(&format!(r#","nextCursor":{}"#, json(&sealed)));
    }
    if era == Era::Modern {
        let ttl = list.ttl_ms().unwrap_or(TTL_MS).min(TTL_MS);
        let scope = if list.is_private() { "private" } else { "public" };
        after.push_str(&format!(r#","ttlMs":{ttl},"cacheScope":"{scope}""#));
    }
    after.push('}');
    [before.into(), page.entries, after.into()]
}

fn respond([before, entries, after]: [Bytes; 3], id: &str) -> Response {
    let head = Bytes::from(format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"#));
    let pieces = [head, before, entries, after, Bytes::from_static(b"}")];
    let length: usize = pieces.iter().map(Bytes::len).sum();
    let body = Body::from_stream(stream::iter(pieces.map(Ok::<_, std::convert::Infallible>)));
    let mut response = message(StatusCode::OK, body);
    response.headers_mut().insert(http::header::CONTENT_LENGTH, length.into());
    response
}
