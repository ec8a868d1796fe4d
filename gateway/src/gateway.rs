//! The product in a few lines: look up what is asked for, check the call, pass it on. Knows no HTTP and no eras.

mod extensions;
mod lasting;
mod paths;
mod read;
mod tasks;

use std::{collections::HashMap, sync::Arc, time::Duration};

use causeway_core::{
    canonical::{Repeat, Request},
    catalog::{self, Kind, Route, Unknown},
    name::{PathName, TargetName},
    seal::Sealer,
    wire::{ObjectEdit, json},
};
use causeway_oidc::clock::Clock;
use tokio::{sync::watch, time::timeout};

use self::paths::Way;
pub use self::{lasting::Lasting, paths::Served};
use crate::{
    calls,
    discovery::{TargetState, View},
    inbound::Caller,
    targets::{PathState, Target, TargetError},
};

/// All targets behind one front.
#[derive(Debug)]
pub struct Gateway {
    tasks: tasks::Given,
    sealer: Arc<Sealer>,
    clock: Clock,
    /// The places of each target, best first.
    targets: HashMap<TargetName, Vec<Arc<Target>>>,
    view: watch::Receiver<Arc<View>>,
    /// For a target that is asked for something that nobody says it has.
    patience: Duration,
    /// For a path to begin its answer where another one is up.
    first_byte: Duration,
}

/// What clients ask targets for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `tools/call`
    Tool,
    /// `prompts/get`
    Prompt,
    /// `resources/read`
    Resource,
    /// `completion/complete`
    Completion,
    /// `tasks/get`, `tasks/result`, `tasks/update`, `tasks/cancel`
    Task,
    /// `tasks/list`
    Tasks,
    /// What an extension of a target defines.
    Extension,
}

/// Why a call has no reply.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// `params` without a text `name`.
    #[error("`params.name` must be the name of a {0}")]
    Nameless(Kind),
    /// `params` without a text `uri`.
    #[error("`params.uri` must be the URI of a resource")]
    NoUri,
    #[error("`params.ref` must be a `ref/prompt` with a `name` or a `ref/resource` with a `uri`")]
    BadReference,
    #[error(transparent)]
    Unknown(#[from] Unknown),
    #[error("`params.taskId` must be the name of a task")]
    Taskless,
    /// A name that the gateway did not give this caller.
    #[error("Unknown task: {0}")]
    UnknownTask(String),
    #[error("no target lists tasks")]
    NoTasks,
    #[error("`cursor` is none of this gateway's, or has expired: list anew without it")]
    BadCursor,
    #[error("Method not found: {0}")]
    NoMethod(String),
    /// Nobody has the resource of this URI.
    #[error("Resource not found: {0}")]
    NoResource(String),
    /// A retry whose call does not wait for it.
    #[error(
        "`requestState` is unknown or has expired: send the call anew, without `requestState` and `inputResponses`"
    )]
    UnknownState,
    /// A retry whose call waited in another replica, which cannot be reached.
    #[error(
        "the replica of the gateway in which this call waited is gone, and the call with it: see what it has done, then send it anew, without `requestState` and `inputResponses`"
    )]
    ReplicaGone,
    /// The target does not want to report on this resource.
    #[error("target `{target}` does not report on `{uri}`: see with `resources/read` whether it has it")]
    NotReported { target: TargetName, uri: String },
    /// A subscription of a legacy client without a session.
    #[error("subscriptions need a session: send `initialize` first, and its `Mcp-Session-Id` with each request")]
    NoSession,
    /// The gateway was told to stop, and has waited for the answer for as long as it may.
    #[error("the gateway stops: the call may or may not have been carried out, so check before you repeat it")]
    Stopping,
    #[error("{0} calls wait for input already (`limits.parked_calls`): retry in a moment")]
    TooManyParked(usize),
    /// A modern client did not declare what the target needs.
    #[error("Missing required client capability: {0}")]
    MissingCapability(&'static str),
    /// The target asks for input in a way that this client has no means to answer.
    #[error("the call needs input (`{method}`) that this client cannot give: {why}")]
    CannotAsk { method: String, why: &'static str },
    #[error("the target asked for input {0} times and still has not enough")]
    TooManyRounds(usize),
    /// The client answered a question of the target with an error.
    #[error("the client answered `{method}` with an error: {error}")]
    Declined { method: String, error: String },
    #[error(transparent)]
    Target(#[from] TargetError),
}

/// What `completion/complete` is about.
enum Reference {
    Prompt(Route),
    Resource(Route),
}

impl Call {
    /// What `method` asks for.
    pub fn of_method(method: &str) -> Option<Self> {
        match method {
            "tools/call" => Some(Self::Tool),
            "prompts/get" => Some(Self::Prompt),
            "resources/read" => Some(Self::Resource),
            "completion/complete" => Some(Self::Completion),
            "tasks/get" | "tasks/result" | "tasks/update" | "tasks/cancel" => Some(Self::Task),
            "tasks/list" => Some(Self::Tasks),
            _ => None,
        }
    }
}

impl Gateway {
    /// A gateway over `places` of targets, best first, routing by the newest view. `patience` is for a target that is asked for a
    /// resource which nobody says it has, `first_byte` for one to begin its answer where another path is up.
    pub fn new(
        places: &[Arc<Target>],
        view: watch::Receiver<Arc<View>>,
        (patience, first_byte): (Duration, Duration),
        sealer: Arc<Sealer>,
        clock: Clock,
    ) -> Self {
        let mut targets: HashMap<TargetName, Vec<Arc<Target>>> = HashMap::new();
        for place in places {
            targets.entry(place.name().clone()).or_default().push(Arc::clone(place));
        }
        Self { tasks: tasks::Given::default(), targets, view, patience, first_byte, sealer, clock }
    }

    /// The same with what the gateway `before` it remembers of callers.
    #[must_use]
    pub fn after(self, before: &Self) -> Self {
        Self { tasks: before.tasks.clone(), ..self }
    }

    /// What is known of all targets now.
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.borrow())
    }

    /// What is known of all targets, as it changes.
    pub fn views(&self) -> watch::Receiver<Arc<View>> {
        self.view.clone()
    }

    /// A view in which `name` stands. Where it does not, it may be a target's that was not asked yet since the start: then the
    /// first view of all targets, or what is known when they have had their time.
    pub async fn view_with(&self, kind: Kind, name: &str) -> Arc<View> {
        let settled = |view: &Arc<View>| view.is_settled() || view.catalog.route(kind, name).is_ok();
        let view = self.view();
        if settled(&view) {
            return view;
        }
        let mut views = self.views();
        // The guard must not live on while somebody waits for the lock that it holds.
        let found = timeout(self.patience, views.wait_for(settled)).await.is_ok();
        tracing::debug!(found, "waited for what was not listed yet");
        self.view()
    }

    /// The target that most likely has the resource `uri`; none where no target has resources.
    pub fn holder(&self, uri: &str) -> Option<Arc<Target>> {
        let readers = self.view().catalog.readers(uri);
        let mut ways = self.ways(&readers.first()?.targets);
        let up = ways.iter().position(|way| way.target.health().state() == PathState::Up);
        Some(ways.swap_remove(up.unwrap_or_default()).target)
    }

    /// Passes on a notification (JSON text) of the client session `session` of `caller`.
    pub fn notify(&self, caller: &Caller, session: &str, message: &str) {
        self.places().for_each(|target| target.notify(&caller.key, session, message));
    }

    /// Lets go of what targets keep only for the client session `session`.
    pub fn end_session(&self, session: &str) {
        self.places().for_each(|target| target.end_session(session));
    }

    fn places(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.targets.values().flatten()
    }

    /// The place of this name.
    pub(crate) fn place(&self, path: &PathName) -> Option<&Arc<Target>> {
        self.targets.get(path.target())?.iter().find(|target| target.path() == path)
    }

    /// What `method` asks targets for, if any; of a method that MCP does not define, a target must declare the extension.
    pub fn asked_by(&self, method: &str) -> Option<Call> {
        Call::of_method(method).or_else(|| self.declarer(method).map(|_| Call::Extension))
    }

    /// Carries out a call; `request` is one of the method that `call` stands for.
    pub async fn call(
        self: Arc<Self>,
        caller: Arc<Caller>,
        call: Call,
        mut request: Request,
    ) -> Result<Served, CallError> {
        // What else is asked for is looked into on its way back.
        request.in_pieces &= matches!(call, Call::Tool | Call::Prompt | Call::Resource | Call::Extension);
        match call {
            Call::Tool => self.call_named(Kind::Tools, &caller, request).await,
            Call::Prompt => self.call_named(Kind::Prompts, &caller, request).await,
            // In boxes: calls of tools are the most, and each would need room for what the others do.
            Call::Resource => Box::pin(self.read(&caller, request)).await,
            Call::Completion => Box::pin(self.complete(&caller, request)).await,
            Call::Task => Box::pin(self.task(&caller, request)).await,
            Call::Tasks => Box::pin(self.list_tasks(&caller, request)).await,
            Call::Extension => Box::pin(self.extend(&caller, request)).await,
        }
    }

    async fn call_named(&self, kind: Kind, caller: &Caller, request: Request) -> Result<Served, CallError> {
        let name = request.param("name").ok_or(CallError::Nameless(kind))?;
        calls::note(|call| {
            call.names(&name);
            call.brings(&request.params);
        });
        let view = self.view_with(kind, &name).await;
        let route = view
            .catalog
            .route(kind, &name)
            .map_err(|unknown| unlisted(&view, kind, &name).unwrap_or(unknown.into()))?;
        let repeat = if route.repeatable { Repeat::Safe } else { Repeat::Never };
        self.serve(caller, self.ways_of(route), repeat, request, |way, request| async move {
            let path = way.path.unwrap_or(route.first());
            let request = for_path(route, path, request);
            match kind == Kind::Tools && way.target.gives_tasks() {
                true => Box::pin(self.call_with_tasks(caller, &way, path, request)).await,
                false => {
                    let own_name = json(&&*path.name);
                    Ok(way.target.call(&caller.key, request, &[("name", &own_name)], way.full).await?)
                }
            }
        })
        .await
    }

    /// Passes on what only the target that declares it understands.
    async fn extend(&self, caller: &Caller, request: Request) -> Result<Served, CallError> {
        let target = self.declarer(&request.method).ok_or_else(|| CallError::NoMethod(request.method.to_string()))?;
        // What it does, nobody here knows.
        let ways = self.ways([&target]);
        let ask =
            |way: Way<'_>, request| async move { Ok(way.target.call(&caller.key, request, &[], way.full).await?) };
        self.serve(caller, ways, Repeat::Never, request, ask).await
    }

    async fn complete(&self, caller: &Caller, request: Request) -> Result<Served, CallError> {
        let reference = request.params.share("ref").ok_or(CallError::BadReference)?;
        let edit = ObjectEdit::parse(&reference).map_err(|_| CallError::BadReference)?;
        let (route, is_prompt) = match self.reference(&edit)? {
            Reference::Resource(route) => (route, false),
            Reference::Prompt(route) => (route, true),
        };
        let reference = &reference;
        self.serve(caller, self.ways_of(&route), Repeat::Safe, request, |way, request| async move {
            let own = way.path.filter(|_| is_prompt).map(|path| {
                let mut edit = ObjectEdit::parse(reference).expect("it was read above");
                edit.set("name", &json(&&*path.name));
                edit.finish()
            });
            let changes: Vec<(&str, &str)> = own.iter().map(|reference| ("ref", reference.as_str())).collect();
            Ok(way.target.call(&caller.key, request, &changes, way.full).await?)
        })
        .await
    }

    fn reference(&self, reference: &ObjectEdit<'_>) -> Result<Reference, CallError> {
        let text = |key| reference.get(key).and_then(|text| serde_json::from_str::<String>(text).ok());
        let view = self.view();
        match (text("type").as_deref(), text("name"), text("uri")) {
            (Some("ref/prompt"), Some(name), _) => {
                calls::note(|call| call.names(&name));
                Ok(Reference::Prompt(view.catalog.route(Kind::Prompts, &name)?.clone()))
            }
            (Some("ref/resource"), _, Some(uri)) => {
                calls::note(|call| call.names(&uri));
                Ok(Reference::Resource(view.catalog.reference(&uri)?.clone()))
            }
            _ => Err(CallError::BadReference),
        }
    }
}

/// Why the target that `name` leads to could not be listed, if that is why nobody knows the name.
fn unlisted(view: &View, kind: Kind, name: &str) -> Option<CallError> {
    let is_of = |target: &&TargetState| name.starts_with(&target.name.join("")) && view.may_show(kind, name);
    let target = view.targets.iter().filter(|target| target.lists[kind].is_none()).find(is_of)?;
    let fault = target.error.clone()?.unsent();
    calls::note(|call| drop(call.leads_to(&target.name, None, None)));
    Some(TargetError { target: target.name.clone(), fault }.into())
}

/// A request as one of the paths of its route wants it. A client wrote the headers that repeat arguments for the entry that it
/// knows; another path may want others.
fn for_path(route: &Route, path: &catalog::Path, request: Request) -> Request {
    let header_params = path.header_params.clone();
    if header_params == route.first().header_params {
        return Request { header_params, ..request };
    }
    let param_headers = header_params.headers(request.params.get("arguments").unwrap_or("{}"));
    Request { header_params, param_headers, ..request }
}
