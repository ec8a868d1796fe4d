//! Clients of the legacy era: `initialize`, and a session that rides in its own id.
//!
//! Source: MCP 2025-11-25, basic/lifecycle and basic/transports.

mod batch;

use std::time::Duration;

use axum::response::Response;
use causeway_core::{
    canonical::{Client, Request},
    catalog,
    era::{self, Era, headers},
    wire::{Envelope, Kind, result_message},
};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub(super) use self::batch::answer as batch;
use super::{Front, Post, accepted, check_object, face, list, message, refused_id, reply, text_header};
use crate::{config::SessionMode, error::Refused, gateway::Call};

/// Keeps session ids apart from other sealed tokens.
const PURPOSE: &str = "session";

/// What a session id holds: all that `initialize` settled, so that any replica can serve any request.
#[derive(Debug, Deserialize, Serialize)]
struct Session {
    #[serde(rename = "v")]
    version: String,
    /// Makes two sessions of one caller differ.
    #[serde(rename = "n")]
    opened_nanos: u128,
    #[serde(rename = "i", skip_serializing_if = "Option::is_none")]
    info: Option<Box<RawValue>>,
}

/// Bytes of a client's description of itself; a longer one is not worth a longer header and is left out.
const MOST_INFO: usize = 384;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Initialize<'a> {
    protocol_version: String,
    #[serde(borrow)]
    client_info: Option<&'a RawValue>,
}

/// Answers one message.
pub(super) async fn answer(front: &Front, post: &Post, envelope: Envelope) -> Response {
    let id = refused_id(&envelope).to_owned();
    if envelope.method() == "initialize" && envelope.kind() == Kind::Request {
        return initialize(front, post, &envelope);
    }
    let client = match client(front, post) {
        Ok(client) => client,
        Err(refused) => return face(refused.face(Era::Legacy, &id)),
    };
    match envelope.kind() {
        Kind::Request => serve(front, post, &envelope, client).await,
        Kind::Notification => accepted(),
        Kind::Response => face(Refused::Unasked.face(Era::Legacy, &id)),
    }
}

async fn serve(front: &Front, post: &Post, envelope: &Envelope, client: Client) -> Response {
    let id = envelope.id().unwrap_or("null").to_owned();
    let params = envelope.params().unwrap_or("{}");
    let refuse = |refused: Refused| face(refused.face(Era::Legacy, &id));
    if let Err(refused) = check_params(params) {
        return refuse(refused);
    }
    if let Some(kind) = catalog::Kind::of_method(envelope.method()) {
        return list::answer(front, post, Era::Legacy, kind, &id, params);
    }
    match (envelope.method(), Call::of_method(envelope.method())) {
        ("ping", _) => message(StatusCode::OK, result_message(&id, "{}")),
        (_, Some(call)) => {
            let request = Request {
                id,
                method: envelope.method().to_owned(),
                params: params.to_owned(),
                era: Era::Legacy,
                client,
                param_headers: Vec::new(),
            };
            reply::call(front, post, call, request, true).await
        }
        (method, None) => refuse(Refused::Method(method.to_owned())),
    }
}

/// `params` and its `_meta` must be objects in which no key stands twice.
fn check_params(params: &str) -> Result<(), Refused> {
    match check_object("params", params)?.get("_meta") {
        None | Some("null") => Ok(()),
        Some(meta) => check_object("params._meta", meta).map(|_| ()),
    }
}

fn initialize(front: &Front, post: &Post, envelope: &Envelope) -> Response {
    let id = envelope.id().unwrap_or("null");
    let asked: Initialize<'_> = match serde_json::from_str(envelope.params().unwrap_or("{}")) {
        Ok(asked) => asked,
        Err(error) => return face(Refused::Params(format!("`initialize`: {error}")).face(Era::Legacy, id)),
    };
    let version = era::negotiate(&asked.protocol_version);
    let result = format!(
        r#"{{"protocolVersion":"{version}",{},"serverInfo":{}}}"#,
        front.self_description(),
        front.server_info(),
    );
    let mut response = message(StatusCode::OK, result_message(id, &result));
    if front.sessions.mode != SessionMode::Off {
        let sealed = open_session(front, post, version, &asked);
        let sealed = HeaderValue::try_from(sealed).expect("Base64 fits a header");
        response.headers_mut().insert(headers::SESSION, sealed);
    }
    response
}

fn open_session(front: &Front, post: &Post, version: &str, asked: &Initialize<'_>) -> String {
    let now = front.clock.now();
    let info = asked.client_info.filter(|info| info.get().len() <= MOST_INFO).map(ToOwned::to_owned);
    let session = Session { version: version.to_owned(), opened_nanos: now.as_nanos(), info };
    front.sealer.seal(PURPOSE, &post.caller.id, now + front.sessions.timeout, &session)
}

/// What is known of the client: from its session, or without one only the version that it says it speaks.
fn client(front: &Front, post: &Post) -> Result<Client, Refused> {
    let said = text_header(&post.headers, headers::VERSION)?;
    let session = match (front.sessions.mode, session_id(&post.headers)?) {
        (SessionMode::Off, _) | (SessionMode::Optional, None) => None,
        (SessionMode::Required, None) => return Err(Refused::NoSession),
        (SessionMode::Optional | SessionMode::Required, Some(id)) => Some(read_session(front, post, id)?),
    };
    Ok(match session {
        None => Client { version: said.unwrap_or(era::UNSAID).to_owned(), info: None, capabilities: "{}".into() },
        Some(session) => Client {
            version: said.map_or(session.version, ToOwned::to_owned),
            info: session.info.map(|info| info.get().to_owned()),
            // What a target could ask this client for does not reach it yet, so no target is told that it may ask.
            capabilities: "{}".into(),
        },
    })
}

fn session_id(headers: &HeaderMap) -> Result<Option<&str>, Refused> {
    text_header(headers, headers::SESSION).map_err(|_| Refused::UnknownSession)
}

fn read_session(front: &Front, post: &Post, id: &str) -> Result<Session, Refused> {
    let now: Duration = front.clock.now();
    front.sealer.open(PURPOSE, &post.caller.id, now, id).map_err(|why| {
        tracing::debug!(%why, "refused a session id");
        Refused::UnknownSession
    })
}
