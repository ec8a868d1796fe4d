//! Answering `tools/list` from the catalog: nobody is asked, nothing is serialized again.
//!
//! Source: MCP 2026-07-28, server/tools and server/utilities/caching.

use axum::{body::Body, response::Response};
use bytes::Bytes;
use causeway_core::{era::Era, wire::ObjectEdit};
use futures::stream;
use http::StatusCode;

use super::{Front, message};
use crate::error::Refused;

/// How long a client may take a list as fresh, in milliseconds. Short, because a target that comes back changes it.
pub(super) const TTL_MS: u32 = 10_000;

/// Checks the parameters. The list is one page, so there is no cursor that a client could have got from it.
pub(super) fn tools(params: &str) -> Result<(), Refused> {
    let edit =
        ObjectEdit::parse(params).map_err(|error| Refused::Params(format!("`params` must be an object: {error}")))?;
    match edit.get("cursor") {
        None | Some("null") => Ok(()),
        Some(_) => Err(Refused::Params("`cursor` is none of this gateway's: its list is one page".into())),
    }
}

/// The result of `tools/list`, in pieces: the catalog's part is shared by all answers.
pub(super) fn pieces(front: &Front, era: Era) -> [Bytes; 3] {
    let (before, after) = match era {
        Era::Modern => (
            Bytes::from_static(br#"{"resultType":"complete","tools":"#),
            format!(r#","ttlMs":{TTL_MS},"cacheScope":"public"}}"#).into(),
        ),
        Era::Legacy => (Bytes::from_static(br#"{"tools":"#), Bytes::from_static(b"}")),
    };
    [before, front.gateway.view().catalog.tools().clone(), after]
}

/// The whole response.
pub(super) fn respond(front: &Front, era: Era, id: &str) -> Response {
    let [before, tools, after] = pieces(front, era);
    let head = Bytes::from(format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"#));
    let pieces = [head, before, tools, after, Bytes::from_static(b"}")];
    let length: usize = pieces.iter().map(Bytes::len).sum();
    let body = Body::from_stream(stream::iter(pieces.map(Ok::<_, std::convert::Infallible>)));
    let mut response = message(StatusCode::OK, body);
    response.headers_mut().insert(http::header::CONTENT_LENGTH, length.into());
    response
}
