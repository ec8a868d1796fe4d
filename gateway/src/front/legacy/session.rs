//! Sessions of legacy clients: what `initialize` settled, sealed into the session's id, so that any replica can serve any
//! request of it.
//!
//! Source: MCP 2025-11-25, basic/lifecycle and basic/transports, "Session Management"; AgentCore's gateway sessions.

use std::{sync::Arc, time::Duration};

use axum::response::Response;
use bytestring::ByteString;
use causeway_core::{
    canonical::{Aside, Client, Logs, tasks},
    era,
    wire::ObjectEdit,
};
use http::{HeaderMap, HeaderValue, Method};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::live::Live;
use crate::{
    config::SessionMode,
    error::Refused,
    front::{Front, Post, text_header},
    headers::{SESSION, VERSION},
    opaque::random_text,
};

/// Keeps session ids apart from other sealed tokens.
const PURPOSE: &str = "session";
/// Bytes of a client's description of itself or of its capabilities; a longer one is not worth a longer header: of the
/// description nothing is kept, of the capabilities those that MCP defines.
const MOST_TEXT: usize = 384;
/// The capabilities that a target must know of to ask the client for something.
const ASKABLE: [&str; 3] = ["roots", "sampling", "elicitation"];

/// What a session id holds.
#[derive(Debug, Deserialize, Serialize)]
struct Sealed {
    #[serde(rename = "v")]
    version: String,
    /// Tells it from all other sessions.
    #[serde(rename = "n")]
    name: String,
    /// Since the Unix epoch.
    #[serde(rename = "o")]
    opened_seconds: u64,
    /// From then on; absent in ids of before it could change while the gateway runs.
    #[serde(rename = "l", default)]
    lasts_seconds: Option<u64>,
    #[serde(rename = "i", skip_serializing_if = "Option::is_none")]
    info: Option<Box<RawValue>>,
    #[serde(rename = "c", skip_serializing_if = "Option::is_none")]
    capabilities: Option<Box<RawValue>>,
    /// The replica in which the session lives: all of it is answered there for as long as there is somebody.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    home: Option<String>,
}

/// A session that a client showed the id of.
#[derive(Debug)]
pub(super) struct Session {
    sealed: Sealed,
    pub(super) live: Arc<Live>,
}

/// The parameters of `initialize`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Initialize<'a> {
    pub(super) protocol_version: String,
    #[serde(borrow)]
    client_info: Option<&'a RawValue>,
    #[serde(borrow)]
    capabilities: Option<&'a RawValue>,
}

/// Opens a session and gives its id as a header value.
pub(super) fn open(front: &Front, post: &Post, version: &str, asked: &Initialize<'_>) -> HeaderValue {
    let now = front.clock.now();
    let info = asked.client_info.filter(|info| info.get().len() <= MOST_TEXT).map(ToOwned::to_owned);
    let sealed = Sealed {
        version: version.to_owned(),
        name: random_text::<16>(),
        opened_seconds: now.as_secs(),
        lasts_seconds: Some(front.sessions.timeout.as_secs()),
        info,
        capabilities: asked.capabilities.and_then(|capabilities| short(capabilities.get())),
        home: front.replicas.own().map(ToOwned::to_owned),
    };
    let id = front.sealer.seal(PURPOSE, &post.caller.key, now + front.sessions.timeout, &sealed);
    HeaderValue::try_from(id).expect("Base64 fits a header")
}

/// Capabilities that are short enough to travel with each request.
fn short(capabilities: &str) -> Option<Box<RawValue>> {
    // In this era the extension means nothing (SEP-2663, "Backward Compatibility"): no target must answer with its tasks.
    let capabilities = &*tasks::undeclared(capabilities);
    let mut edit = ObjectEdit::parse(capabilities).ok()?;
    // Tasks that run in the client are not passed on.
    edit.remove("tasks");
    let whole = edit.finish();
    if whole.len() <= MOST_TEXT {
        return RawValue::from_string(whole).ok();
    }
    let mut kept = ObjectEdit::parse("{}").ok()?;
    let edit = ObjectEdit::parse(capabilities).ok()?;
    for key in ASKABLE {
        if let Some(value) = edit.get(key).filter(|value| value.len() <= MOST_TEXT / ASKABLE.len()) {
            kept.set(key, value);
        }
    }
    RawValue::from_string(kept.finish()).ok()
}

/// Where a request of a session is answered.
pub(super) enum Belongs {
    /// Here; in a session, if it names one.
    Here(Option<Session>),
    /// Where the session lives: this is the answer from there.
    Elsewhere(Response),
}

/// The session that a request with this `method` belongs to, if it names one, or what is answered where that lives. `id` is the
/// request's, JSON text.
pub(super) async fn read(front: &Front, method: &Method, post: &Post, id: &str) -> Result<Belongs, Refused> {
    let Some(sealed) = opened(front, post)? else { return Ok(Belongs::Here(None)) };
    if let Some(answer) = front.elsewhere(sealed.home.as_deref(), method, post, id).await {
        return Ok(Belongs::Elsewhere(answer));
    }
    let live = front.live.of(&sealed.name, sealed.rest(front)).await;
    match live.is_ended() {
        true => Err(Refused::UnknownSession),
        false => Ok(Belongs::Here(Some(Session { sealed, live }))),
    }
}

/// What the session id holds that a request shows, if it shows one.
fn opened(front: &Front, post: &Post) -> Result<Option<Sealed>, Refused> {
    let id = match (front.sessions.mode, session_id(&post.headers)?) {
        (SessionMode::Off, _) | (SessionMode::Optional, None) => return Ok(None),
        (SessionMode::Required, None) => return Err(Refused::NoSession),
        (SessionMode::Optional | SessionMode::Required, Some(id)) => id,
    };
    let opened = front.sealer.open(PURPOSE, &post.caller.key, front.clock.now(), id);
    opened.map(Some).map_err(|why| {
        tracing::debug!(%why, "refused a session id");
        Refused::UnknownSession
    })
}

fn session_id(headers: &HeaderMap) -> Result<Option<&str>, Refused> {
    text_header(headers, &SESSION).map_err(|_| Refused::UnknownSession)
}

impl Session {
    /// Tells it from all other sessions.
    pub(super) fn name(&self) -> &str {
        &self.sealed.name
    }

    /// How long it lives on.
    pub(super) fn rest(&self, front: &Front) -> Duration {
        self.sealed.rest(front)
    }
}

impl Sealed {
    fn rest(&self, front: &Front) -> Duration {
        let lasts = self.lasts_seconds.map_or(front.sessions.timeout, Duration::from_secs);
        (Duration::from_secs(self.opened_seconds) + lasts).saturating_sub(front.clock.now())
    }
}

/// Leaves what targets say beside calls for the client's stream.
fn aside(live: &Arc<Live>) -> Aside {
    let live = Arc::downgrade(live);
    Aside::new(move |message| {
        let Some(live) = live.upgrade() else { return };
        if live.logs().allow(message) {
            live.post(message.bytes().clone());
        }
    })
}

/// What is known of the client of a request: from its session, or without one only the version that it says it speaks.
pub(super) fn client(session: Option<&Session>, headers: &HeaderMap) -> Result<Client, Refused> {
    let said = text_header(headers, &VERSION)?;
    let Some(Session { sealed, live }) = session else {
        return Ok(Client {
            version: said.and_then(era::spoken).unwrap_or(era::UNSAID),
            info: None,
            capabilities: ByteString::from_static("{}"),
            logs: Logs::AsSent,
            session: None,
            aside: None,
        });
    };
    let text = |raw: &Option<Box<RawValue>>| raw.as_ref().map(|raw| raw.get().into());
    Ok(Client {
        version: era::spoken(said.unwrap_or(&sealed.version)).unwrap_or(era::LEGACY),
        info: text(&sealed.info),
        capabilities: text(&sealed.capabilities).unwrap_or(ByteString::from_static("{}")),
        logs: live.logs(),
        session: Some(sealed.name.as_str().into()),
        aside: Some(aside(live)),
    })
}
