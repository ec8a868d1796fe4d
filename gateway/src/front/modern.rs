//! Clients of the modern era: each request says everything about itself, in its body and again in its headers.
//!
//! Source: MCP 2026-07-28, basic/index, basic/transports/streamable-http, server/discover.

mod call;
mod elsewhere;
mod listen;
mod park;

use axum::response::Response;
use causeway_core::{
    canonical::{Client, Logs, Repeat, Request, tasks},
    catalog,
    era::{self, Era, headers, params::HeaderParams},
    wire::{Envelope, Kind, Object, json, result_message, text},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

pub(crate) use self::park::Lot;
use super::{
    Front, Params, Post, accepted, accepts_events, check_meta, check_params, face, list, message, refused_id,
    reply::{Exchange, respond},
    text_header,
};
use crate::{
    calls,
    error::Refused,
    gateway::Call,
    headers::{METHOD, NAME, VERSION},
};

/// Answers one message.
pub(super) async fn answer(front: &Front, post: &Post, envelope: Envelope, params: Params) -> Response {
    let id = refused_id(&envelope);
    match envelope.kind() {
        Kind::Request => match accept(front, post, &envelope, params).await {
            Ok(request) => serve(front, post, request).await,
            Err(refused) => face(refused.face(Era::Modern, id)),
        },
        // The era has no notification that a client could send over HTTP: nothing to do, nothing to refuse.
        Kind::Notification => accepted(),
        Kind::Response => face(Refused::Unasked.face(Era::Modern, id)),
    }
}

async fn serve(front: &Front, post: &Post, request: Request) -> Response {
    let id = request.id.clone();
    if let Some(kind) = catalog::Kind::of_method(&request.method) {
        return list::answer(front, post, Era::Modern, kind, &id, &request.params);
    }
    match (&*request.method, front.gateway.asked_by(&request.method)) {
        ("server/discover", _) => message(StatusCode::OK, result_message(&id, &discovered(front))),
        // Of the older form of tasks.
        (method @ ("tasks/result" | "tasks/list"), _) => {
            face(Refused::Method(method.to_owned()).face(Era::Modern, &id))
        }
        (_, Some(Call::Task)) if !tasks::known_by(&request.client.capabilities) => {
            face(Refused::MissingCapability(tasks::EXTENSION).face(Era::Modern, &id))
        }
        ("subscriptions/listen", _) => listen::answer(front, post, request).await,
        (_, Some(call)) => {
            // What it goes on with waits where it began.
            let home = request.brings_input().then(|| front.lot.home(&post.caller.key, &request)).flatten();
            if let Some(answer) = front.elsewhere(home.as_deref(), &Method::POST, post, &id).await {
                return answer;
            }
            if let Some(refusal) = front.too_often(post, &request).await {
                return refusal;
            }
            let events = front.settings.streaming && accepts_events(&post.headers);
            let exchange = Exchange::new(front, post, call, request);
            let served_by = exchange.served_by.clone();
            respond(call::begin(exchange, front.lot.clone()).await, events, served_by).await
        }
        (method, None) => face(Refused::Method(method.to_owned()).face(Era::Modern, &id)),
    }
}

/// Checks the request's metadata, in `_meta` and in the headers, and gives it its canonical form.
async fn accept(front: &Front, post: &Post, envelope: &Envelope, (params, meta): Params) -> Result<Request, Refused> {
    let (params, headers) = (check_params(params)?, &post.headers);
    let meta = check_meta(meta.ok_or_else(|| missing("_meta"))?)?;
    calls::note(|call| call.continues(&meta));
    let version = meta.get(era::META_VERSION).and_then(text).ok_or_else(|| missing(era::META_VERSION))?;
    let capabilities = meta.get(era::META_CAPABILITIES).ok_or_else(|| missing(era::META_CAPABILITIES))?;
    agree(headers, &VERSION, &version)?;
    agree(headers, &METHOD, envelope.method())?;
    if let Some(member) = headers::named_by(envelope.method()) {
        let name = params.get(member).and_then(text);
        let name = name.ok_or_else(|| Refused::Params(format!("`params.{member}` must be a text")))?;
        calls::note(|call| call.names(&name));
        agree(headers, &NAME, &name)?;
        if Call::of_method(envelope.method()) == Some(Call::Tool) {
            arguments_agree(front, headers, &name, params.get("arguments").unwrap_or("{}")).await?;
        }
    }
    let client = Client {
        version: era::spoken(&version).unwrap_or(era::MODERN),
        info: meta.share(era::META_CLIENT_INFO),
        capabilities: meta.text().slice_ref(capabilities),
        logs: logs(&meta)?,
        session: None,
        aside: None,
    };
    Ok(Request {
        id: envelope.shared_id(),
        method: envelope.shared_method(),
        params,
        era: Era::Modern,
        client,
        param_headers: param_headers(headers),
        header_params: HeaderParams::default(),
        in_pieces: post.in_pieces,
        repeat: Repeat::Never,
    })
}

/// The log messages that the client wants for this request.
fn logs(meta: &Object) -> Result<Logs, Refused> {
    let Some(level) = meta.get(era::META_LOG_LEVEL) else { return Ok(Logs::Unwanted) };
    let level = text(level).ok_or_else(|| Refused::Params(format!("`{}` must be a text", era::META_LOG_LEVEL)))?;
    level.parse().map(Logs::AtLeast).map_err(|error| Refused::Params(format!("{error}")))
}

/// The header must be there and say what the body says.
fn agree(headers: &HeaderMap, name: &HeaderName, body: &str) -> Result<(), Refused> {
    let value = text_header(headers, name)?.ok_or_else(|| Refused::Header(format!("`{name}` is missing")))?;
    let said = match *name == NAME {
        true => headers::decode(value),
        false => Some(value.into()),
    };
    match said {
        Some(said) if said == body => Ok(()),
        Some(said) => Err(Refused::Header(format!("`{name}` says `{said}`, the body says `{body}`"))),
        None => Err(Refused::Header(format!("`{name}` holds broken Base64"))),
    }
}

/// The headers that repeat arguments (JSON text) must say what these say, whatever the target speaks: one that has no such
/// headers cannot check them itself, and whoever stands before the gateway may have gone by them.
async fn arguments_agree(front: &Front, headers: &HeaderMap, tool: &str, arguments: &str) -> Result<(), Refused> {
    let view = front.gateway.view_with(catalog::Kind::Tools, tool).await;
    // A tool that nobody offers is refused where it is looked for.
    let Ok(route) = view.catalog.route(catalog::Kind::Tools, tool) else { return Ok(()) };
    let lines = |name: &str| headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
    route.first().header_params.check(arguments, lines).map_err(|mismatch| Refused::Header(mismatch.to_string()))
}

fn missing(key: &str) -> Refused {
    Refused::Params(format!("`{key}` is missing: each request carries it since MCP {}", era::MODERN))
}

fn param_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let params = headers.iter().filter(|(name, _)| name.as_str().starts_with(headers::PARAM_PREFIX));
    params.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))).collect()
}

fn discovered(front: &Front) -> String {
    format!(
        r#"{{"resultType":"complete","supportedVersions":{},{},"ttlMs":{},"cacheScope":"public","_meta":{{"{}":{}}}}}"#,
        json(&era::SUPPORTED),
        front.self_description(Era::Modern),
        list::TTL_MS,
        era::META_SERVER_INFO,
        front.server_info(),
    )
}
