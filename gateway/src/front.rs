//! The side of the gateway that clients see: which era a message is of, and what all eras have in common. `modern.rs` and
//! `legacy.rs` are the only places that know the eras of clients.

mod legacy;
mod list;
mod modern;
mod news;
mod reply;
mod streams;

pub(crate) use self::reply::PATH;

use std::sync::Arc;

use self::streams::Streams;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use causeway_core::{
    canonical::{Request, tasks},
    era::{self, Era},
    seal::Sealer,
    wire::{BadEnvelope, Envelope, Kind, Object, ObjectEdit, json, text},
};
use causeway_oidc::clock::Clock;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use tokio_util::sync::CancellationToken;

use crate::{
    calls, config,
    error::{Face, Refused},
    gateway::{Gateway, Lasting},
    headers::VERSION,
    inbound::Caller,
    rates::Rates,
    replicas::{Forwarded, Replicas, Unanswered},
    shared::Shared,
    targets::About,
};

/// Why a target's question goes to no client.
const UNDECLARED: &str = "it declared no capability for it";

/// What both fronts work with.
#[derive(Debug)]
pub struct Front {
    pub gateway: Arc<Gateway>,
    /// The same over all configurations.
    lasting: Lasting,
    pub settings: config::Gateway,
    pub sessions: config::Sessions,
    pub sealer: Arc<Sealer>,
    pub clock: Clock,
    /// What lives of the sessions of legacy clients.
    live: legacy::Sessions,
    /// Calls of modern clients that wait for input.
    lot: modern::Lot,
    streams: Streams,
    stopping: Stopping,
    /// Clients are told what the only target says of itself.
    in_its_name: bool,
    /// Where what lives elsewhere is answered.
    replicas: Replicas,
    /// How often targets may be asked for something.
    rates: Rates,
    /// The toolset whose endpoint it is for; `None`: the gateway's own.
    toolset: Option<String>,
}

/// The end of the gateway, in two steps.
#[derive(Clone, Debug, Default)]
pub struct Stopping {
    /// Set when it is to stop: streams without an end of their own end then.
    pub begun: CancellationToken,
    /// Set when there is no more time: calls that still run are answered with an error.
    pub closing: CancellationToken,
}

/// What is in use of what is bounded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occupancy {
    /// Of legacy clients, of which something lives in this process.
    pub(crate) sessions: usize,
    /// Streams on which clients listen, and how many there may be.
    pub(crate) streams: (usize, usize),
    /// Calls that wait for input, and how many may.
    pub(crate) parked: (usize, usize),
}

/// One request of a client, authenticated, its body read.
#[derive(Debug)]
pub struct Post {
    pub caller: Arc<Caller>,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Its client may get a long answer while it comes. Whoever reads a whole answer must not: one that breaks off says no more why.
    pub in_pieces: bool,
    /// Another replica of the gateway has passed it on: it goes no further.
    pub passed_on: bool,
}

impl Front {
    /// A front for `gateway`, the first of the endpoint that `lasting` follows.
    pub fn new(
        (gateway, lasting): (Arc<Gateway>, Lasting),
        settings: config::Gateway,
        sessions: config::Sessions,
        limits: &config::Limits,
        sealer: Arc<Sealer>,
        clock: Clock,
        stopping: Stopping,
    ) -> Self {
        let lot = modern::Lot::new(Arc::clone(&sealer), clock.clone(), limits.parked_calls, limits.parked);
        let (replicas, rates) = (Replicas::none(), Rates::new(&[], &Shared::none(), &clock));
        let (live, streams) = (legacy::Sessions::default(), Streams::new(limits.streams));
        let (in_its_name, toolset) = (false, None);
        Self {
            gateway,
            lasting,
            settings,
            sessions,
            sealer,
            clock,
            live,
            lot,
            streams,
            stopping,
            in_its_name,
            replicas,
            rates,
            toolset,
        }
    }

    /// The front of the same endpoint under another configuration: what is one client's goes on.
    pub fn after(
        &self,
        (gateway, lasting): (Arc<Gateway>, Lasting),
        settings: config::Gateway,
        sessions: config::Sessions,
        limits: &config::Limits,
    ) -> Self {
        Self {
            sessions,
            lot: self.lot.bounded(limits.parked_calls, limits.parked),
            streams: self.streams.bounded(limits.streams),
            toolset: self.toolset.clone(),
            ..self.beside((gateway, lasting), settings)
        }
    }

    /// The same as one of several replicas: what lives in another one is answered there.
    #[must_use]
    pub fn among(self, replicas: Replicas) -> Self {
        let lot = self.lot.at(replicas.own());
        Self { lot, replicas, ..self }
    }

    /// The same that keeps callers to these rates.
    #[must_use]
    pub fn limited(self, rates: Rates) -> Self {
        Self { rates, ..self }
    }

    /// What callers are kept to.
    pub(crate) fn rates(&self) -> &Rates {
        &self.rates
    }

    /// The same, speaking for the only target of the gateway: clients hear its name and its instructions.
    #[must_use]
    pub fn in_its_name(self) -> Self {
        Self { in_its_name: true, ..self }
    }

    /// What the target says of itself in whose name this front speaks.
    fn spoken_for(&self) -> Option<About> {
        let view = self.gateway.view();
        view.targets.first().filter(|_| self.in_its_name)?.about.clone()
    }

    /// A front with these settings for another gateway over the same targets: sessions, waiting calls and streams of both count
    /// together. What is one caller's at the one is not so at the other, for callers of two endpoints differ (`inbound::Caller::key`).
    pub fn beside(&self, (gateway, lasting): (Arc<Gateway>, Lasting), settings: config::Gateway) -> Self {
        Self {
            toolset: Some(settings.name.clone()),
            replicas: self.replicas.clone(),
            rates: self.rates.clone(),
            gateway,
            lasting,
            settings,
            sessions: self.sessions.clone(),
            sealer: Arc::clone(&self.sealer),
            clock: self.clock.clone(),
            live: self.live.clone(),
            lot: self.lot.clone(),
            streams: self.streams.clone(),
            stopping: self.stopping.clone(),
            in_its_name: self.in_its_name,
        }
    }

    /// Answers a GET: with the stream of a legacy session.
    pub async fn listen(&self, post: Post) -> Response {
        legacy::stream(self, &post).await
    }

    /// Answers a DELETE: it ends a legacy session.
    pub async fn end(&self, post: Post) -> Response {
        legacy::end(self, &post).await
    }

    /// Gives up what waits for clients that nobody will hear any more.
    pub(crate) fn close(&self) {
        self.lot.clear();
    }

    /// The answer of the replica at `home`, where what `post` is about lives, to a request with this `method`; `None` where that is
    /// this one, or where nobody is there any more.
    async fn elsewhere(&self, home: Option<&str>, method: &Method, post: &Post, id: &str) -> Option<Response> {
        let home = home.filter(|home| !post.passed_on && self.replicas.is_elsewhere(home))?;
        let broken = Refused::ReplicaBroken.face(Era::Legacy, id);
        let Post { caller, headers, body, .. } = post;
        let toolset = self.toolset.as_deref();
        let closing = &self.stopping.closing;
        let request = Forwarded { method, toolset, caller, headers, body, broken: &broken.message, closing };
        match self.replicas.pass_on(home, request).await {
            Ok(response) => Some(response),
            Err(Unanswered::Broken) => Some(face(broken)),
            Err(Unanswered::Unreached) => None,
        }
    }

    /// The refusal of `request`, which asks a target for something, if its caller has done so too often.
    async fn too_often(&self, post: &Post, request: &Request) -> Option<Response> {
        let exceeded = self.rates.take(&post.caller, request).await.err()?;
        let after = exceeded.retry_after.as_secs_f64().ceil().max(1.0) as u64;
        let mut response = face(Refused::TooOften(exceeded).face(request.era, &request.id));
        response.headers_mut().insert(header::RETRY_AFTER, after.into());
        Some(response)
    }

    /// What is in use.
    pub(crate) fn occupancy(&self) -> Occupancy {
        Occupancy { sessions: self.live.count(), streams: self.streams.occupancy(), parked: self.lot.occupancy() }
    }

    /// A place for one more stream on which a client listens.
    fn stream_place(&self) -> Result<streams::Place, Refused> {
        self.streams.take().ok_or_else(|| Refused::TooManyStreams(self.streams.occupancy().1))
    }

    /// Answers one POST.
    pub async fn answer(&self, post: Post) -> Response {
        let envelope = match Envelope::parse(post.body.clone()) {
            Ok(envelope) => envelope,
            Err(BadEnvelope::Batch) => return legacy::batch(self, &post).await,
            Err(error) => return face(Refused::from(error).face(Era::Legacy, "null")),
        };
        calls::note(|call| call.holds(&envelope));
        let params = params(&envelope);
        match classify(&post.headers, &envelope, params.1.as_ref().and_then(|meta| meta.as_ref().ok())) {
            Ok(Era::Modern) => modern::answer(self, &post, envelope, params).await,
            Ok(Era::Legacy) => legacy::answer(self, &post, envelope, params).await,
            Err(refused) => face(refused.face(Era::Modern, refused_id(&envelope))),
        }
    }

    /// Name, version and description of the endpoint toward clients, JSON text.
    fn server_info(&self) -> String {
        if let Some(info) = self.spoken_for().and_then(|about| about.server_info) {
            return info;
        }
        let description = self.settings.description.as_ref();
        let description = description.map(|text| format!(r#","description":{}"#, json(text))).unwrap_or_default();
        let (name, version) = (json(&self.settings.name), json(&env!("CARGO_PKG_VERSION")));
        format!(r#"{{"name":{name},"version":{version}{description}}}"#)
    }

    /// `"capabilities":{…}`, and `,"instructions":"…"` where there are any: the operator's, else the targets'. Each era has its
    /// own form of tasks, and must not be offered the other's (SEP-2663, "Backward Compatibility").
    fn self_description(&self, era: Era) -> String {
        let view = self.gateway.view();
        let capabilities = match era {
            Era::Modern => without(&view.capabilities, "tasks"),
            Era::Legacy => tasks::undeclared(&view.capabilities),
        };
        let instructions = match self.in_its_name {
            true => self.spoken_for().and_then(|about| about.instructions),
            false => self.settings.instructions.clone().or(view.instructions.as_deref().map(Into::into)),
        };
        let instructions = instructions.map(|text| format!(r#","instructions":{}"#, json(&text))).unwrap_or_default();
        format!(r#""capabilities":{capabilities}{instructions}"#)
    }
}

/// `object` (JSON text) without the member `key`.
fn without(object: &str, key: &str) -> String {
    let Ok(mut edit) = ObjectEdit::parse(object) else { return object.to_owned() };
    edit.remove(key);
    edit.finish()
}

/// The id of the answer that refuses a message: a request's own. A response gets none, for its id is the gateway's, and its
/// sender may wait for an answer to a request of its own under the same one.
fn refused_id(envelope: &Envelope) -> &str {
    match envelope.kind() {
        Kind::Request => envelope.id().unwrap_or("null"),
        Kind::Notification | Kind::Response => "null",
    }
}

/// The era of a client's message: the versions named by the header and by `_meta` decide, and no version means legacy;
/// `initialize` is legacy unless its body speaks modern.
fn classify(headers: &HeaderMap, envelope: &Envelope, meta: Option<&Object>) -> Result<Era, Refused> {
    let in_body = meta.and_then(|meta| text(meta.get(era::META_VERSION)?));
    if envelope.method() == "initialize" && in_body.is_none() {
        return Ok(Era::Legacy);
    }
    let in_header = text_header(headers, &VERSION)?;
    if let (Some(header), Some(body)) = (in_header, in_body.as_deref())
        && header != body
    {
        return Err(Refused::Header(format!("`{VERSION}` says `{header}`, the body says `{body}`")));
    }
    for version in [in_header, in_body.as_deref()].into_iter().flatten() {
        if era::era_of(version).is_none() {
            return Err(Refused::Version(version.to_owned()));
        }
    }
    let modern = [in_header, in_body.as_deref()].into_iter().flatten().any(|version| version == era::MODERN);
    Ok(if modern { Era::Modern } else { Era::Legacy })
}

/// What a message holds: its parameters, and their `_meta` if there is one.
type Params = (Result<Object, serde_json::Error>, Option<Result<Object, serde_json::Error>>);

fn params(envelope: &Envelope) -> Params {
    let params = envelope.object();
    let meta = params.as_ref().ok().and_then(|params| params.share("_meta")).map(Object::parse);
    (params, meta)
}

/// The parameters of a request.
fn check_params(params: Result<Object, serde_json::Error>) -> Result<Object, Refused> {
    let params = params.map_err(|error| not_an_object("params", &error))?;
    no_twin("params", params.twin())?;
    Ok(params)
}

/// What stands in `_meta` of them.
fn check_meta(meta: Result<Object, serde_json::Error>) -> Result<Object, Refused> {
    let meta = meta.map_err(|error| not_an_object("params._meta", &error))?;
    no_twin("params._meta", meta.twin())?;
    Ok(meta)
}

fn not_an_object(place: &str, error: &serde_json::Error) -> Refused {
    Refused::Params(format!("`{place}` must be an object: {error}"))
}

/// A key that stands twice would mean one thing here and another to a target that reads it otherwise.
fn no_twin(place: &str, twin: Option<&str>) -> Result<(), Refused> {
    twin.map_or(Ok(()), |key| Err(Refused::Params(format!("`{key}` stands twice in `{place}`"))))
}

/// A header that stands once and holds text.
fn text_header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refused> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(Refused::Header(format!("`{name}` stands more than once"))),
        (Some(value), None) => match value.to_str() {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Refused::Header(format!("`{name}` holds bytes that no header value may hold"))),
        },
    }
}

/// Whether the client reads server-sent events. A client that says nothing gets JSON.
fn accepts_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("text/event-stream")
    })
}

/// One JSON text as a response.
pub(crate) fn message(status: StatusCode, message: impl Into<axum::body::Body>) -> Response {
    let json = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, json)], message.into()).into_response()
}

/// An error as the whole response.
pub(crate) fn face(face: Face) -> Response {
    calls::note(|call| call.came_to(face.outcome));
    message(face.status, face.message)
}

/// The answer to a GET or DELETE that no session goes with: 405 and not 404, which legacy clients take for a lost session.
pub(crate) fn no_stream() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST")]).into_response()
}

/// The answer to a notification.
fn accepted() -> Response {
    StatusCode::ACCEPTED.into_response()
}
