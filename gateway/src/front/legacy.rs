//! Clients of the legacy era: `initialize`, a session that rides in its own id, and requests in both directions.
//!
//! Source: MCP 2025-11-25, basic/lifecycle and basic/transports.

mod batch;
mod call;
mod listen;
mod live;
mod session;

use axum::response::{IntoResponse, Response};
use bytestring::ByteString;
use causeway_core::{
    canonical::{Client, Logs, Repeat, Request},
    catalog,
    era::{self, Era, params::HeaderParams},
    wire::{Envelope, Kind, Object, ObjectEdit, result_message, text},
};
use http::{Method, StatusCode};

pub(crate) use self::live::Sessions;
use self::session::{Belongs, Initialize, Session};
pub(super) use self::{batch::answer as batch, listen::stream};
use super::{
    Front, Params, Post, accepted, accepts_events, check_meta, check_params, face, list, message, no_stream,
    refused_id,
    reply::{Exchange, respond},
};
use crate::{
    calls,
    config::SessionMode,
    error::Refused,
    gateway::{Call, CallError},
    headers::SESSION,
};

/// Answers one message.
pub(super) async fn answer(front: &Front, post: &Post, envelope: Envelope, params: Params) -> Response {
    let id = refused_id(&envelope).to_owned();
    if envelope.method() == "initialize" && envelope.kind() == Kind::Request {
        return initialize(front, post, &envelope);
    }
    let refuse = |refused: Refused| face(refused.face(Era::Legacy, &id));
    let session = match session::read(front, &Method::POST, post, &id).await {
        Ok(Belongs::Here(session)) => session,
        Ok(Belongs::Elsewhere(answer)) => return answer,
        Err(refused) => return refuse(refused),
    };
    match envelope.kind() {
        Kind::Request => match session::client(session.as_ref(), &post.headers) {
            Ok(client) => serve(front, post, &envelope, params, (session, client)).await,
            Err(refused) => refuse(refused),
        },
        Kind::Notification => {
            notice(front, post, session.as_ref(), &envelope);
            accepted()
        }
        Kind::Response => match session.is_some_and(|session| session.live.respond(envelope)) {
            true => accepted(),
            false => refuse(Refused::Unasked),
        },
    }
}

/// Ends the session that the client names.
pub(super) async fn end(front: &Front, post: &Post) -> Response {
    match session::read(front, &Method::DELETE, post, "null").await {
        Ok(Belongs::Elsewhere(answer)) => answer,
        Ok(Belongs::Here(Some(session))) => {
            session.live.end();
            front.gateway.end_session(session.name());
            StatusCode::NO_CONTENT.into_response()
        }
        Ok(Belongs::Here(None)) => no_stream(),
        Err(refused) => face(refused.face(Era::Legacy, "null")),
    }
}

async fn serve(
    front: &Front,
    post: &Post,
    envelope: &Envelope,
    params: Params,
    (session, client): (Option<Session>, Client),
) -> Response {
    let id = envelope.shared_id();
    let refuse = |refused: Refused| face(refused.face(Era::Legacy, &id));
    let params = match check(params) {
        Ok(params) => params,
        Err(refused) => return refuse(refused),
    };
    if let Some(kind) = catalog::Kind::of_method(envelope.method()) {
        return list::answer(front, post, Era::Legacy, kind, &id, &params);
    }
    match (envelope.method(), front.gateway.asked_by(envelope.method())) {
        ("ping", _) => message(StatusCode::OK, result_message(&id, "{}")),
        ("logging/setLevel", _) => match set_level(session.as_ref(), &params) {
            Ok(()) => message(StatusCode::OK, result_message(&id, "{}")),
            Err(refused) => refuse(refused),
        },
        ("resources/subscribe" | "resources/unsubscribe", _) => {
            let subscribes = envelope.method() == "resources/subscribe";
            let exchange = Exchange::new(front, post, Call::Resource, request(post, id, envelope, params, client));
            match &session {
                Some(session) => listen::subscribe(front, &exchange, session, subscribes).await,
                None => exchange.refuse(&CallError::NoSession),
            }
        }
        (_, Some(kind)) => call(front, post, session, kind, request(post, id, envelope, params, client)).await,
        (method, None) => refuse(Refused::Method(method.to_owned())),
    }
}

fn request(post: &Post, id: ByteString, envelope: &Envelope, params: Object, client: Client) -> Request {
    Request {
        id,
        method: envelope.shared_method(),
        params,
        era: Era::Legacy,
        client,
        param_headers: Vec::new(),
        header_params: HeaderParams::default(),
        in_pieces: post.in_pieces,
        repeat: Repeat::Never,
    }
}

/// Passes a request on; its target may ask the client for something in between.
async fn call(front: &Front, post: &Post, session: Option<Session>, kind: Call, mut request: Request) -> Response {
    if let Some(refusal) = front.too_often(post, &request).await {
        return refusal;
    }
    let events = front.settings.streaming && accepts_events(&post.headers);
    let running = session.as_ref().map(|session| session.live.run(&request.id));
    let live = session.map(|session| session.live).filter(|_| events);
    if live.is_none() {
        // What the client cannot be asked for, no target must count on.
        request.client.capabilities = ByteString::from_static("{}");
    }
    if !events {
        request.client.logs = Logs::Unwanted;
    }
    let exchange = Exchange::new(front, post, kind, request);
    let served_by = exchange.served_by.clone();
    respond(call::begin(exchange, live, running), events, served_by).await
}

/// A notification of the client. What means nothing here is as good as taken.
fn notice(front: &Front, post: &Post, session: Option<&Session>, envelope: &Envelope) {
    let Some(session) = session else { return };
    match envelope.method() {
        "notifications/cancelled" => {
            let params = envelope.params().and_then(|params| ObjectEdit::parse(params).ok());
            if let Some(id) = params.as_ref().and_then(|params| params.get("requestId")) {
                session.live.cancel(id);
            }
        }
        // Whose roots changed, targets learn by the session.
        "notifications/roots/list_changed" => {
            front.gateway.notify(&post.caller, session.name(), &String::from_utf8_lossy(envelope.bytes()));
        }
        _ => (),
    }
}

/// Sets the least level of the log messages that the client gets. Without a session there is nothing to keep it in.
fn set_level(session: Option<&Session>, params: &Object) -> Result<(), Refused> {
    let level = params.get("level").and_then(text);
    let level = level.ok_or_else(|| Refused::Params("`params.level` must be the name of a log level".into()))?;
    let level = level.parse().map_err(|error| Refused::Params(format!("{error}")))?;
    if let Some(session) = session {
        session.live.set_level(level);
    }
    Ok(())
}

/// `params` and its `_meta` must be objects in which no key stands twice.
fn check((params, meta): Params) -> Result<Object, Refused> {
    let params = check_params(params)?;
    if let Some(meta) = meta.filter(|_| params.get("_meta") != Some("null")) {
        let meta = check_meta(meta)?;
        calls::note(|call| call.continues(&meta));
    }
    Ok(params)
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
        front.self_description(Era::Legacy),
        front.server_info(),
    );
    let mut response = message(StatusCode::OK, result_message(id, &result));
    if front.sessions.mode != SessionMode::Off {
        response.headers_mut().insert(SESSION, session::open(front, post, version, &asked));
    }
    response
}
