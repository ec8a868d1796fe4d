//! Asking a target over HTTP which era it speaks.
//!
//! Source: MCP 2026-07-28, basic/transports/streamable-http, "Backward Compatibility".

use causeway_core::{
    era::{self, Era, headers},
    wire::request_message,
};
use http::{HeaderMap, HeaderValue};

use super::{
    Fault, HttpTarget,
    answer::{Answer, Content, no_answer},
};
use crate::targets::handshake::{discover_params, discovered};

/// The era that `target` speaks with us: modern if it can.
pub(super) async fn era(target: &HttpTarget) -> Result<Era, Fault> {
    let mut map = HeaderMap::with_capacity(2);
    map.insert(headers::VERSION, HeaderValue::from_static(era::MODERN));
    map.insert(headers::METHOD, HeaderValue::from_static("server/discover"));
    let message = request_message(r#""discover""#, "server/discover", &discover_params());
    verdict(target.exchange(map, message).await?).await
}

async fn verdict(answer: Answer) -> Result<Era, Fault> {
    let status = answer.status();
    if matches!(status.as_u16(), 401 | 403) {
        return Err(no_answer(status));
    }
    let first = match answer.content().await {
        Ok(Content::Whole(message)) => Some(message),
        Ok(Content::Stream(mut messages)) => Some(messages.next_message().await?),
        Ok(Content::None) if status.is_server_error() => return Err(no_answer(status)),
        // A legacy server may answer an unknown method with anything.
        Ok(Content::None) | Err(Fault::Garbage(_)) => None,
        Err(fault) => return Err(fault),
    };
    let era = first.as_ref().map(discovered).transpose()?.flatten();
    Ok(era.unwrap_or(Era::Legacy))
}
