//! A target that speaks streamable HTTP: which era it speaks, and the exchange of one request for one answer with the
//! target's credential on it. The two eras themselves are in `modern.rs` and `legacy.rs`.

mod answer;
mod client;
mod connections;
mod legacy;
mod modern;
mod probe;
mod retry;
mod runtime;
mod trust;

use std::{
    sync::{Arc, RwLock},
    time::Duration,
};

use bytes::Bytes;
use causeway_core::{
    canonical::{Client, Repeat, Request},
    era::Era,
    name::TargetName,
};
use causeway_oidc::{
    kept::Standing,
    wire_log::{self, Exchange},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout},
};
use tokio_util::task::TaskTracker;

pub(super) use self::legacy::Peer;
use self::{
    answer::{Answer, Body},
    client::{Failed, Over, WireClient},
    legacy::Sessions,
    modern::Affinities,
    retry::Tries,
};
use super::{About, Fault, Heard, OWN, Reply, Wanted};
use crate::{
    calls,
    config::{self, Config, EraChoice, Limits},
    credentials::Credential,
    headers::SESSION,
};

/// A target behind a URL.
#[derive(Debug)]
pub(super) struct HttpTarget {
    name: TargetName,
    endpoint: http::Uri,
    client: WireClient,
    credential: Credential,
    /// AgentCore Runtime answers in the server's place where something is wrong, and takes nothing but POST.
    runtime: bool,
    /// Others serve the same.
    has_others: bool,
    limits: Limits,
    choice: EraChoice,
    /// What the last probe found.
    era: RwLock<Option<Era>>,
    /// Held while a probe runs, so that one is enough for all who wait; when the last one failed, and why.
    probing: Mutex<Option<(Instant, Fault)>>,
    sessions: Sessions,
    affinities: Affinities,
    /// What runs for the target beside its calls: messages that nobody waits for, streams that stay open.
    background: TaskTracker,
}

/// A call waits no longer than this for a target that takes no calls for now.
const MOST_PATIENCE: Duration = Duration::from_secs(30);

/// Headers of most requests: with room for them, none is moved on the way.
const MOST_HEADERS: usize = 12;

/// A target that is let go of gets so long to hear of it.
const FAREWELL: Duration = Duration::from_secs(2);

/// What came of a request in one era.
enum Outcome {
    Done(Reply<Fault>),
    /// The target may speak the other era by now. Unless this says otherwise it did nothing yet; if its era turns out to be the
    /// same, then this is what came of the request.
    OtherEra(Result<Reply<Fault>, Fault>),
}

impl HttpTarget {
    pub(super) fn new(
        (name, http): (&TargetName, &config::HttpTarget),
        config: &Config,
        credential: Credential,
        has_others: bool,
    ) -> Result<Self, rustls::Error> {
        let limits = &config.limits;
        let endpoint: http::Uri = http.endpoint.as_str().parse().expect("a URL with a host is a URI");
        Ok(Self {
            name: name.clone(),
            client: WireClient::new(&endpoint, limits, &config.proxies)?,
            endpoint,
            credential,
            runtime: http.runtime,
            has_others,
            limits: limits.clone(),
            choice: http.era,
            era: RwLock::new(None),
            probing: Mutex::new(None),
            sessions: Sessions::new(http.sessions),
            affinities: Affinities::default(),
            background: TaskTracker::new(),
        })
    }

    /// Whether the client of `request` may get a long answer while it comes from here, where `era` is spoken: in its own form, and not from
    /// one of several places, of which another one may have to answer in the place of this one.
    fn gives_pieces(&self, request: &Request, era: Era) -> bool {
        request.in_pieces && request.era == era && !self.has_others
    }

    /// How the token stands that the target is shown, if it is shown one.
    pub(super) fn token_standing(&self) -> Option<Standing> {
        self.credential.token_standing()
    }

    /// What the target says about itself.
    pub(super) async fn about(self: &Arc<Self>) -> Result<About, Fault> {
        match self.era().await? {
            Era::Modern => modern::about(self).await,
            Era::Legacy => Ok(legacy::own_session(self).await?.about().clone()),
        }
    }

    /// Sends `request` with `changes` made to its parameters, in the target's era.
    pub(super) async fn send(
        self: Arc<Self>,
        caller_id: &str,
        request: Request,
        changes: &[(&str, &str)],
    ) -> Result<Reply<Fault>, Fault> {
        let assumed = self.era().await.map_err(Fault::unsent)?;
        let as_it_stands = match self.send_in(assumed, caller_id, &request, changes).await? {
            Outcome::Done(reply) => return Ok(reply),
            Outcome::OtherEra(as_it_stands) => as_it_stands,
        };
        self.forget_era(assumed);
        match self.era().await {
            // What failed inside Runtime may have been carried out: the other era is for what comes next.
            Ok(_) if matches!(&as_it_stands, Err(Fault::Runtime(fault)) if !fault.is_before_the_work()) => as_it_stands,
            Ok(era) if era != assumed => match self.send_in(era, caller_id, &request, changes).await? {
                Outcome::Done(reply) => Ok(reply),
                Outcome::OtherEra(as_it_stands) => as_it_stands,
            },
            Ok(_) | Err(_) => as_it_stands,
        }
    }

    /// What the target sends beside its calls.
    pub(super) async fn listen(
        self: &Arc<Self>,
        caller_id: &str,
        client: &Client,
        wanted: Wanted,
    ) -> Result<Heard, Fault> {
        match self.era().await? {
            Era::Legacy => legacy::listen(self, caller_id, client, wanted).await,
            Era::Modern => {
                let request = wanted.request(client.clone());
                let reply = match modern::send(self, caller_id, &request, &[]).await? {
                    Outcome::Done(reply) => reply,
                    Outcome::OtherEra(as_it_stands) => as_it_stands?,
                };
                Heard::replied(reply).await
            }
        }
    }

    /// The stream of the session of `client`, where the target is known to be a legacy one.
    pub(super) async fn attend(self: &Arc<Self>, caller_id: &str, client: &Client) -> Option<Heard> {
        let is_legacy =
            matches!((self.choice, self.known_era()), (EraChoice::Legacy, _) | (EraChoice::Auto, Some(Era::Legacy)));
        let wanted = Wanted { lists: true, ..Wanted::default() };
        if is_legacy { legacy::listen(self, caller_id, client, wanted).await.ok() } else { None }
    }

    /// Passes on what the client session `session` of `caller_id` notifies of, in the sessions that it uses.
    pub(super) fn notify(self: &Arc<Self>, caller_id: &str, session: &str, message: &str) {
        self.sessions.tell(self, caller_id, session, message);
    }

    /// Ends the sessions that only the client session `session` used.
    pub(super) fn end_session(&self, session: &str) {
        self.sessions.leave(session);
    }

    /// Ends all sessions and waits a moment for the target to take it.
    pub(super) async fn stop(&self) {
        self.sessions.end_all().await;
        self.background.close();
        if timeout(FAREWELL, self.background.wait()).await.is_err() {
            tracing::debug!("a target did not take the end of its sessions in time");
        }
    }

    async fn send_in(
        self: &Arc<Self>,
        era: Era,
        caller_id: &str,
        request: &Request,
        changes: &[(&str, &str)],
    ) -> Result<Outcome, Fault> {
        match era {
            Era::Modern => modern::send(self, caller_id, request, changes).await,
            Era::Legacy => Box::pin(legacy::send(self, caller_id, request, changes)).await,
        }
    }

    /// The target's era: pinned, remembered, or asked for now.
    async fn era(self: &Arc<Self>) -> Result<Era, Fault> {
        match self.choice {
            EraChoice::Modern => return Ok(Era::Modern),
            EraChoice::Legacy => return Ok(Era::Legacy),
            EraChoice::Auto => (),
        }
        match self.known_era() {
            Some(era) => Ok(era),
            // In a box: every call would need room for what one of them does.
            None => Box::pin(self.learn_era()).await,
        }
    }

    async fn learn_era(self: &Arc<Self>) -> Result<Era, Fault> {
        let came = Instant::now();
        let mut failed = self.probing.lock().await;
        if let Some(era) = self.known_era() {
            return Ok(era);
        }
        // One that failed while this waited for it: all who wait would else probe a target that hangs one after the other.
        if let Some((_, fault)) = failed.as_ref().filter(|(at, _)| *at >= came) {
            return Err(fault.clone());
        }
        let most = self.limits.discovery;
        let probed = timeout(most, probe::era(self)).await.unwrap_or(Err(Fault::Silent(most)));
        let era = probed.inspect_err(|fault| *failed = Some((Instant::now(), fault.clone())))?;
        tracing::debug!(target.endpoint = %self.endpoint.host().unwrap_or_default(), ?era, "learned the era of a target");
        *self.era.write().expect("no holder of this lock panics") = Some(era);
        Ok(era)
    }

    fn known_era(&self) -> Option<Era> {
        *self.era.read().expect("no holder of this lock panics")
    }

    /// Forgets that the era is `assumed`, unless somebody learned better meanwhile.
    fn forget_era(&self, assumed: Era) {
        let mut era = self.era.write().expect("no holder of this lock panics");
        if *era == Some(assumed) {
            *era = None;
        }
    }

    /// Posts one message of `caller_id` and reads the head of the answer. While the target says that it did not take the
    /// message, it is sent again.
    async fn exchange(
        &self,
        caller_id: &str,
        headers: &HeaderMap,
        message: impl Into<Bytes>,
        repeat: Repeat,
    ) -> Result<Answer, Fault> {
        let message = message.into();
        let in_session = headers.contains_key(SESSION);
        let mut tries = Tries::new(self.patience(caller_id));
        loop {
            let answer = self.request(Method::POST, headers, &message, repeat).await?;
            let asked = retry::asked(answer.status(), answer.headers());
            let answer = match self.runtime {
                true => runtime::of_the_server(answer, in_session).await,
                false => Ok(answer),
            };
            let later = match &answer {
                Err(Fault::Runtime(fault)) if fault.is_for_now() => Some(asked.unwrap_or_default()),
                _ => asked,
            };
            match later.and_then(|asked| tries.pause(asked)) {
                Some(pause) => sleep(pause).await,
                None => return answer,
            }
        }
    }

    /// How long a message of `caller_id` may wait for a target that does not take it: its answer must still have time. Not at
    /// all where others serve the same, who are asked next.
    fn patience(&self, caller_id: &str) -> Duration {
        if self.has_others {
            return Duration::ZERO;
        }
        let whole = if caller_id == OWN { self.limits.discovery } else { self.limits.call };
        MOST_PATIENCE.min(whole / 2)
    }

    /// Makes one HTTP request and reads the head of the answer. One that refuses the credential is answered once with a
    /// fresh one. Where the connection was gone, the request is made once more if it may be (`repeat`).
    async fn request(
        &self,
        method: Method,
        headers: &HeaderMap,
        body: &Bytes,
        repeat: Repeat,
    ) -> Result<Answer, Fault> {
        let (answer, shown) = match self.request_once(&method, headers, body, Over::Any).await {
            Err(Failed::Gone(_)) if repeat == Repeat::Safe => {
                tracing::debug!("a connection to a target was gone when it was used again; another one is made");
                self.request_once(&method, headers, body, Over::Fresh).await?
            }
            outcome => outcome?,
        };
        if !self.credential.is_refused_by(answer.status(), answer.headers()) {
            return Ok(answer);
        }
        // A token that the target refused was not used, so the call was surely not processed.
        if !self.credential.renew(&shown).await? {
            return let_in(answer);
        }
        let (answer, shown) = self.request_once(&method, headers, body, Over::Any).await?;
        if self.credential.is_refused_by(answer.status(), answer.headers()) {
            // Tells the credential that the fresh one was refused too, so that it is not renewed for each call.
            let _ = self.credential.renew(&shown).await?;
        }
        let_in(answer)
    }

    async fn request_once(
        &self,
        method: &Method,
        own_headers: &HeaderMap,
        body: &Bytes,
        over: Over,
    ) -> Result<(Answer, crate::credentials::Shown), Failed> {
        let mut headers = HeaderMap::with_capacity(MOST_HEADERS);
        headers.extend(own_headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        let accepted = match *method {
            Method::POST => "application/json, text/event-stream",
            _ => "text/event-stream",
        };
        if *method == Method::POST {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        headers.insert(header::ACCEPT, HeaderValue::from_static(accepted));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(concat!("causeway/", env!("CARGO_PKG_VERSION"))));
        calls::add_headers(&mut headers);
        let (mut parts, ()) = http::Request::new(()).into_parts();
        (parts.method, parts.uri, parts.headers) = (method.clone(), self.endpoint.clone(), headers);
        let shown = self.credential.apply(&mut parts, body).await?;
        let exchange = match wire_log::is_on() {
            true => Exchange::begin(&parts.method, &parts.uri.to_string(), &parts.headers, body),
            false => Exchange::default(),
        };
        let request = http::Request::from_parts(parts, Body::new(body.clone()));
        let answer = timeout(self.limits.first_byte, self.client.send(request, over, exchange)).await;
        let answer = answer.unwrap_or(Err(Fault::Silent(self.limits.first_byte).into()))?;
        Ok((Answer::new(answer, self.limits.response_bytes), shown))
    }
}

/// An answer other than 401. A 403 says more where it is read.
fn let_in(answer: Answer) -> Result<Answer, Fault> {
    match answer.status() {
        StatusCode::UNAUTHORIZED => Err(Fault::Unauthorized(401)),
        _ => Ok(answer),
    }
}

/// A header value from text that came over the wire as one, or that is known to fit.
fn header_value(text: &str) -> Result<HeaderValue, Fault> {
    HeaderValue::from_str(text).map_err(|_| Fault::Unsendable("a text that no header can carry".into()))
}
