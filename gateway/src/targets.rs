//! The MCP servers behind the gateway: one value a target, whatever it speaks and however it is reached. Knows no
//! clients and no merged names.

mod about;
pub mod fault;
mod handshake;
mod health;
mod http;
mod line;
mod listen;
mod listing;
mod long;
mod owner;
mod places;
mod question;
mod reach;
mod reply;
mod runtime;
mod stdio;

use std::{
    num::NonZeroU16,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use causeway_core::{
    canonical::{Client, Request},
    catalog::Edits,
    name::{PathName, TargetName},
};
use causeway_oidc::kept::Standing;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit},
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

pub use self::{
    about::About,
    fault::{Fault, TargetError},
    health::{Admission, Counts, Health, PathState, Sent, Trial},
    listen::{Heard, Wanted},
    long::{Long, Piece},
    places::Full,
    question::Question,
    reply::{Event, Events, Rename, Reply},
    runtime::{Problem, RuntimeFault},
};
use self::{
    handshake::own_client,
    http::HttpTarget,
    places::Places,
    reach::{Adapter, Makeup, Reach},
    reply::Bounds,
    stdio::StdioTarget,
};
use crate::{
    calls,
    config::{self, Config, Limits, TargetKind, Transport},
    credentials::Credential,
};

/// The caller id under which the gateway asks for itself.
const OWN: &str = "";

/// A call waits no longer for a target to open the stream of its session.
const ATTEND: Duration = Duration::from_secs(2);

/// One target, or one of the places where it is.
#[derive(Debug)]
pub struct Target {
    path: PathName,
    /// Of what decides what it lists.
    fingerprint: Arc<str>,
    kind: TargetKind,
    /// It is one of several paths to what it offers.
    has_others: bool,
    health: Arc<Health>,
    resource_priority: u16,
    edits: Arc<Edits>,
    /// Of `reach`.
    adapter: Adapter,
    /// As long as it or a call of it is there, what reaches it is.
    reach: Arc<Reach>,
    limits: Limits,
    places: Arc<Places>,
    /// Told when the target says that its lists changed.
    changed: Arc<Notify>,
    /// Whether it said when it was asked last that it answers calls with tasks.
    gives_tasks: AtomicBool,
}

impl Target {
    /// All places of `target`, best first. Connects to nothing yet. What there was `before` is taken over, as far as it would be the
    /// same: connections, sessions, a child process, how it is.
    ///
    /// # Errors
    /// The system trusts no certificates at all, so TLS to a target is impossible.
    pub fn places(
        target: &config::Target,
        config: &Config,
        credential: &Credential,
        before: &[Arc<Self>],
    ) -> Result<Vec<Arc<Self>>, rustls::Error> {
        let place = |target: &config::Target, path: PathName| {
            let before = before.iter().find(|before| before.path == path);
            Self::place(target, path, config, credential, before)
        };
        let Transport::Http(http) = &target.transport else {
            return Ok(vec![place(target, PathName::only(target.name.clone()))?]);
        };
        let endpoints = [&http.endpoint].into_iter().chain(&http.further).zip(1..);
        let places = endpoints.map(|(endpoint, number)| {
            let number = NonZeroU16::new(number).filter(|_| !http.further.is_empty());
            let path = match number {
                Some(number) => PathName::endpoint(target.name.clone(), number),
                None => PathName::only(target.name.clone()),
            };
            let here = config::HttpTarget { endpoint: endpoint.clone(), further: Vec::new(), ..http.clone() };
            place(&config::Target { transport: Transport::Http(here), ..target.clone() }, path)
        });
        places.collect()
    }

    fn place(
        target: &config::Target,
        path: PathName,
        config: &Config,
        credential: &Credential,
        before: Option<&Arc<Self>>,
    ) -> Result<Arc<Self>, rustls::Error> {
        let stands_by = config.targets.iter().any(|other| other.kind.standby().contains(&target.name));
        let is_only = path == PathName::only(target.name.clone()) && target.kind.standby().is_empty() && !stands_by;
        let made_of = Makeup::new(target, config, !is_only);
        let kept = before.filter(|before| before.reach.is_made_of(&made_of));
        let reach = match kept {
            Some(kept) => Arc::clone(&kept.reach),
            None => {
                let changed = Arc::new(Notify::new());
                let adapter = match &target.transport {
                    Transport::Http(http) => Adapter::Http(Arc::new(HttpTarget::new(
                        (&target.name, http),
                        config,
                        credential.clone(),
                        !is_only,
                    )?)),
                    Transport::Stdio(stdio) => {
                        let limits = &config.limits;
                        Adapter::Stdio(Arc::new(StdioTarget::new(&target.name, stdio, limits, changed.clone())))
                    }
                };
                Arc::new(Reach::new(adapter, changed, made_of))
            }
        };
        let limits = reach::of_targets(&config.limits);
        let health = kept.filter(|kept| kept.health.goes_by(!is_only, &config.failover)).map(|kept| &kept.health);
        let bounds = |limits: &Limits| (limits.target_calls, limits.target_queue, limits.queue);
        let places = kept.filter(|kept| bounds(&kept.limits) == bounds(&limits)).map(|kept| &kept.places);
        let place = Self {
            health: match health {
                Some(health) => Arc::clone(health),
                None => Arc::new(Health::new(path.clone(), !is_only, config.failover)),
            },
            path,
            fingerprint: reach::fingerprint(target).into(),
            kind: target.kind.clone(),
            has_others: !is_only,
            resource_priority: target.resource_priority,
            edits: Arc::clone(&target.edits),
            adapter: reach.adapter.clone(),
            places: places.map_or_else(|| Arc::new(Places::new(&limits)), Arc::clone),
            limits,
            changed: Arc::clone(&reach.changed),
            gives_tasks: AtomicBool::new(kept.is_some_and(|kept| kept.gives_tasks())),
            reach,
        };
        Ok(match kept.filter(|kept| kept.is_like(&place)) {
            Some(kept) => Arc::clone(kept),
            None => Arc::new(place),
        })
    }

    /// Whether nothing but their values tells the two apart.
    fn is_like(&self, other: &Self) -> bool {
        (&self.kind, self.has_others, self.resource_priority)
            == (&other.kind, other.has_others, other.resource_priority)
            && (&self.edits, &self.limits) == (&other.edits, &other.limits)
            && Arc::ptr_eq(&self.reach, &other.reach)
            && Arc::ptr_eq(&self.health, &other.health)
            && Arc::ptr_eq(&self.places, &other.places)
    }

    /// Whether both are reached by the same connections, sessions or child process.
    pub fn shares_reach(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.reach, &other.reach)
    }

    /// Waits until nobody can use what reaches this target any more, neither by this value nor by another, or until it is to be `sooner`,
    /// and then lets go of it. What waits does not count as somebody.
    pub fn farewell(&self, sooner: CancellationToken) -> impl Future<Output = ()> + Send + 'static {
        self.reach.farewell(sooner)
    }

    /// Its name in the config.
    pub fn name(&self) -> &TargetName {
        self.path.target()
    }

    /// The name of this place among the target's.
    pub fn path(&self) -> &PathName {
        &self.path
    }

    /// What it lists counts for another value of the same: a digest of which server this is, as the configuration says it. Holds no
    /// credential and no value of a variable.
    pub fn fingerprint(&self) -> &Arc<str> {
        &self.fingerprint
    }

    /// What it is.
    pub fn kind(&self) -> &TargetKind {
        &self.kind
    }

    /// Whether it is one of several paths to what it offers: it has several places, others stand by for it, or it stands by.
    pub fn has_others(&self) -> bool {
        self.has_others
    }

    /// How it is reached, in a word: `http` or `stdio`.
    pub fn transport(&self) -> &'static str {
        match &self.adapter {
            Adapter::Http(_) => "http",
            Adapter::Stdio(_) => "stdio",
        }
    }

    /// How many calls run in it, and how many may.
    pub fn running(&self) -> (usize, usize) {
        self.places.running()
    }

    /// How many calls wait until it has a place for them, and how many may.
    pub fn waiting(&self) -> (usize, usize) {
        self.places.waiting()
    }

    /// How the token stands that it is shown, if it is shown one.
    pub fn token_standing(&self) -> Option<Standing> {
        match &self.adapter {
            Adapter::Http(http) => http.token_standing(),
            Adapter::Stdio(_) => None,
        }
    }

    /// How its requests went.
    pub fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// Takes note that the listing `sent` came to an end, and how. `is_mcp`: it said what it is.
    pub fn note_listing(&self, sent: &Sent, is_mcp: bool, error: Option<&TargetError>) {
        match error.map(|error| &error.fault) {
            None => sent.listed(),
            // There is a server that answers, if not a page that something else shows in its place.
            Some(fault) if fault.is_of_the_question() && (is_mcp || !matches!(fault, Fault::Garbage(_))) => {
                sent.listed();
            }
            Some(fault) => sent.not_listed(fault),
        }
    }

    /// Takes note that the call `sent` was given up after so long a silence, and says so.
    pub fn fell_silent(&self, sent: &Sent, after: Duration) -> TargetError {
        let fault = Fault::Silent(after);
        sent.failed(&fault);
        self.error(fault)
    }

    /// Of several targets with one resource, the one with the lowest number serves it.
    pub fn resource_priority(&self) -> u16 {
        self.resource_priority
    }

    /// What of its lists clients see, and under which names.
    pub fn edits(&self) -> &Arc<Edits> {
        &self.edits
    }

    /// Waits until the target says that its lists changed.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Passes a request of the caller `caller_id` on, with `changes` (key, JSON text) made to its parameters. `full`: what it does
    /// while there is no place for it.
    pub async fn call(
        &self,
        caller_id: &str,
        mut request: Request,
        changes: &[(&str, &str)],
        full: Full,
    ) -> Result<Reply, TargetError> {
        let name = changes.iter().find(|(key, _)| *key == "name").map(|(_, name)| *name);
        let tool = name.filter(|_| request.method == "tools/call");
        let path = self.has_others.then_some(&self.path);
        let most = self.limits.call;
        let deadline = Instant::now() + most;
        let (trial, place) = self.admit(caller_id, full, deadline).await.map_err(|fault| {
            calls::note(|call| drop(call.leads_to(self.name(), path, tool)));
            self.error(fault)
        })?;
        let mut attempt = calls::attempt(self.name(), path, tool, self.transport());
        if let Some(attempt) = &attempt {
            attempt.put_into(&mut request);
        }
        let sent = self.health.sent(&request.method, name);
        let outcome = timeout_at(deadline, self.send(caller_id, request, changes)).await;
        let reply = outcome.unwrap_or(Err(Fault::Silent(most))).map_err(|fault| {
            sent.failed(&fault);
            if let Some(attempt) = &mut attempt {
                attempt.failed(fault.kind());
            }
            self.error(fault)
        })?;
        let (target, changed) = (self.name().clone(), Arc::clone(&self.changed));
        let (place, places) = (Some(place), Arc::clone(&self.places));
        let (limit, _reach) = (most, Arc::clone(&self.reach));
        Ok(reply.bounded(Bounds { target, deadline, limit, changed, place, places, trial, sent, attempt, _reach }))
    }

    /// Lets a call in: it does not go to a target that is down and has nobody to stand in for it, and waits for a place, if it is to.
    async fn admit(
        &self,
        caller_id: &str,
        full: Full,
        deadline: Instant,
    ) -> Result<(Option<Trial>, OwnedSemaphorePermit), Fault> {
        let is_up = || match self.has_others {
            // Whoever goes from path to path has asked.
            true => Ok(None),
            false => self.health.try_alone().map_err(|outage| Fault::Down(outage.into())),
        };
        let trial = is_up()?;
        let place = self.places.take(caller_id, full, deadline).await?;
        // Those before it may have found out meanwhile that it is down.
        let trial = if trial.is_none() { is_up()? } else { trial };
        Ok((trial, place))
    }

    /// What it says about itself. A modern target is asked now; a legacy one said it when its session was opened.
    pub async fn about(&self) -> Result<About, TargetError> {
        let asking = async {
            match &self.adapter {
                Adapter::Http(http) => http.about().await,
                Adapter::Stdio(stdio) => stdio.about().await,
            }
        };
        let asked = timeout(self.limits.discovery, asking).await;
        let about = asked.unwrap_or(Err(Fault::Silent(self.limits.discovery))).map_err(|fault| self.error(fault))?;
        self.gives_tasks.store(about.gives_tasks(), Ordering::Relaxed);
        Ok(about)
    }

    /// What one call of it has from its beginning to its end.
    pub fn call_limit(&self) -> Duration {
        self.limits.call
    }

    /// Whether it may answer calls with tasks.
    pub fn gives_tasks(&self) -> bool {
        self.gives_tasks.load(Ordering::Relaxed)
    }

    /// What it sends beside its calls about its lists.
    pub async fn listen_for_lists(&self) -> Result<Heard, TargetError> {
        self.listen(OWN, &own_client(), Wanted { lists: true, ..Wanted::default() }).await
    }

    /// Takes note that its lists may have changed.
    pub fn note_change(&self) {
        self.changed.notify_one();
    }

    /// What it sends beside its calls, for `client` of the caller `caller_id`.
    pub async fn listen(&self, caller_id: &str, client: &Client, wanted: Wanted) -> Result<Heard, TargetError> {
        let listening = async {
            match &self.adapter {
                Adapter::Http(http) => http.listen(caller_id, client, wanted).await,
                Adapter::Stdio(stdio) => stdio.listen(client, wanted).await,
            }
        };
        let most = self.limits.discovery;
        let listening = timeout(most, listening).await;
        listening.unwrap_or(Err(Fault::Silent(most))).map_err(|fault| self.error(fault))
    }

    /// Keeps the way open, as long as what is given back lives, on which a legacy target sends what belongs to a call of `client`
    /// but does not come in its reply. None where it has no such way, or is not known yet to be one.
    pub async fn attend(&self, caller_id: &str, client: &Client) -> Option<Heard> {
        match &self.adapter {
            Adapter::Http(http) => {
                timeout(self.limits.discovery.min(ATTEND), http.attend(caller_id, client)).await.ok().flatten()
            }
            Adapter::Stdio(_) => None,
        }
    }

    /// Passes on a notification (JSON text) of the client session `session` of `caller_id` to whoever it has a session with. A child process
    /// was told of no such notifications.
    pub fn notify(&self, caller_id: &str, session: &str, message: &str) {
        if let Adapter::Http(http) = &self.adapter {
            http.notify(caller_id, session, message);
        }
    }

    /// Lets go of the sessions with it that only the client session `session` used.
    pub fn end_session(&self, session: &str) {
        if let Adapter::Http(http) = &self.adapter {
            http.end_session(session);
        }
    }

    /// Lets go of what runs for this target: sessions and a child process end.
    pub async fn stop(&self) {
        self.adapter.stop().await;
    }

    async fn send(&self, caller_id: &str, request: Request, changes: &[(&str, &str)]) -> Result<Reply<Fault>, Fault> {
        match &self.adapter {
            // In a box: whoever asks several paths would hold its state several times over on the stack.
            Adapter::Http(http) => Box::pin(Arc::clone(http).send(caller_id, request, changes)).await,
            Adapter::Stdio(stdio) => Box::pin(Arc::clone(stdio).send(caller_id, request, changes)).await,
        }
    }

    fn error(&self, fault: Fault) -> TargetError {
        TargetError { target: self.name().clone(), fault }
    }
}
