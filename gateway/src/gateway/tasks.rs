//! Tasks: a target gives them names, and a client knows them by names that say, to the gateway alone, whose they are. So any
//! replica finds the target of a task, and a stolen name is worth nothing to another caller.
//!
//! Source: MCP 2025-11-25, basic/utilities/tasks; SEP-2663 (the extension `io.modelcontextprotocol/tasks`).

mod wait;

use std::sync::Arc;

use causeway_core::{
    canonical::{Request, tasks},
    catalog,
    name::PathName,
    seal::Sealer,
    wire::{Envelope, ObjectEdit, json},
};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    CallError, Gateway,
    paths::{Served, Way},
};
use crate::{
    calls,
    inbound::Caller,
    targets::{Full, Reply, Target},
};

/// Keeps names of tasks apart from other sealed texts.
const PURPOSE: &str = "task";
/// Keeps cursors of `tasks/list` apart from other sealed texts.
const CURSOR: &str = "tasks cursor";

/// Tasks that are remembered as a caller's, and for how long.
const MOST_GIVEN: u64 = 100_000;

/// Whose the tasks are that targets gave. To a target all callers are the gateway, so its list of tasks is everybody's: a caller
/// sees of it what it was given here. Lost with the process; a name that a caller kept is good all the same.
#[derive(Clone, Debug)]
pub(super) struct Given(Cache<(String, PathName, String), ()>);

impl Default for Given {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST_GIVEN).time_to_live(DAY).build())
    }
}

impl Given {
    fn note(&self, owner: &str, path: &PathName, id: &str) {
        self.0.insert((owner.to_owned(), path.clone(), id.to_owned()), ());
    }

    /// The result of a `tasks/list` (JSON text) with the tasks of this caller alone.
    fn of(&self, (owner, path): &(String, PathName), result: &str) -> Option<String> {
        let mut edit = ObjectEdit::parse(result).ok()?;
        let tasks: Vec<&RawValue> = serde_json::from_str(edit.get("tasks")?).ok()?;
        let is_own = |task: &&&RawValue| {
            let task = ObjectEdit::parse(task.get()).ok();
            let id = task.as_ref().and_then(|task| serde_json::from_str::<String>(task.get("taskId")?).ok());
            id.is_some_and(|id| self.0.contains_key(&(owner.clone(), path.clone(), id)))
        };
        let own: Vec<&str> = tasks.iter().filter(is_own).map(|task| task.get()).collect();
        edit.set("tasks", &["[", &own.join(","), "]"].concat());
        Some(edit.finish())
    }
}

/// What the name of a task holds.
#[derive(Debug, Deserialize, Serialize)]
struct Name {
    /// The path that it lives on.
    #[serde(rename = "t")]
    path: String,
    /// As the target knows it.
    #[serde(rename = "i")]
    id: String,
}

/// Where the next page of a list of tasks is.
#[derive(Debug, Deserialize, Serialize)]
struct Page {
    #[serde(rename = "t")]
    path: String,
    /// The target's own cursor.
    #[serde(rename = "c")]
    cursor: Option<String>,
}

impl Gateway {
    /// Carries out `tasks/get`, `tasks/result`, `tasks/update` or `tasks/cancel`.
    pub(super) async fn task(&self, caller: &Caller, request: Request) -> Result<Served, CallError> {
        let name = request.param("taskId").ok_or(CallError::Taskless)?.into_owned();
        calls::note(|call| call.names(&name));
        let (target, id) = self.task_named(caller, &name).ok_or(CallError::UnknownTask(name))?;
        let reply = target.call(&caller.key, request, &[("taskId", &json(&id))], Full::Wait).await?;
        Ok(self.on_its_path(caller, &target, reply))
    }

    /// Calls a tool of a target that may answer with a task.
    pub(super) async fn call_with_tasks(
        &self,
        caller: &Caller,
        way: &Way<'_>,
        path: &catalog::Path,
        mut request: Request,
    ) -> Result<Reply, CallError> {
        let target = &way.target;
        // Whether it is a task shows in the whole of it.
        request.in_pieces = false;
        let call = self.followed(caller, target, &request);
        if let Some(state) = request.param("requestState").filter(|state| wait::is_state(state)) {
            return Ok(self.with_task_names(caller, target.path(), call.resumed(&state)?));
        }
        let own_name = json(&&*path.name);
        let mut changes = vec![("name", own_name.as_str())];
        if path.wants_task && !tasks::asks_for_task(&request) && self.takes_tasks(target.path()) {
            // The tool does its work in no other way. That the client gets no task of it is seen to below.
            changes.push(("task", "{}"));
        }
        let reply = target.call(&caller.key, request, &changes, way.full).await?;
        Ok(self.with_task_names(caller, target.path(), call.waited_for(reply)))
    }

    /// Carries out `tasks/list`: the tasks of one target after the other, a page of its own at least for each.
    pub(super) async fn list_tasks(&self, caller: &Caller, request: Request) -> Result<Served, CallError> {
        let asked = match request.param("cursor") {
            None => None,
            Some(cursor) => Some(self.page(caller, &cursor).ok_or(CallError::BadCursor)?),
        };
        let listing = self.listing_tasks();
        let first = asked.as_ref().and_then(|page| listing.iter().position(|t| t.path().to_string() == page.path));
        let at = match (&asked, first) {
            (Some(_), None) => return Err(CallError::BadCursor),
            (_, at) => at.unwrap_or_default(),
        };
        let Some(target) = listing.get(at) else { return Err(CallError::NoTasks) };
        let request = with_cursor(request, asked.and_then(|page| page.cursor));
        let reply = target.call(&caller.key, request, &[], Full::Wait).await?;
        let (given, asker) = (self.tasks.clone(), (caller.key.clone(), target.path().clone()));
        let reply = reply.map_result(move |result| given.of(&asker, result));
        let served = self.on_its_path(caller, target, reply);
        let own = target.path().to_string();
        let after = listing.get(at + 1).map(|target| target.path().to_string());
        let (sealer, owner, now) = (Arc::clone(&self.sealer), caller.key.clone(), self.clock.now());
        let reply = served.reply.map_result(move |result| {
            let mut edit = ObjectEdit::parse(result).ok()?;
            let next = edit.get("nextCursor").and_then(|cursor| serde_json::from_str::<String>(cursor).ok());
            let page = match (next, after.clone()) {
                (Some(cursor), _) => Page { path: own.clone(), cursor: Some(cursor) },
                (None, Some(path)) => Page { path, cursor: None },
                (None, None) => return None,
            };
            let sealed = sealer.seal(CURSOR, &owner, now + DAY, &page);
            edit.set("nextCursor", &json(&sealed));
            Some(edit.finish())
        });
        Ok(Served { reply, ..served })
    }

    /// The target of the task that this caller knows as `name`, and the target's own name for it.
    pub fn task_named(&self, caller: &Caller, name: &str) -> Option<(Arc<Target>, String)> {
        let opened: Name = self.sealer.open(PURPOSE, &caller.key, self.clock.now(), name).ok()?;
        let target = self.place(&opened.path.parse().ok()?)?;
        Some((Arc::clone(target), opened.id))
    }

    /// What a place says of its tasks, which no other place knows.
    fn on_its_path(&self, caller: &Caller, target: &Target, reply: Reply) -> Served {
        let path = target.path();
        let reply = self.with_task_names(caller, path, reply);
        Served { reply, path: target.has_others().then(|| path.clone()) }
    }

    /// `reply` with the names of tasks as `caller` knows them.
    fn with_task_names(&self, caller: &Caller, path: &PathName, reply: Reply) -> Reply {
        let (sealer, owner, path) = (Arc::clone(&self.sealer), caller.key.clone(), path.clone());
        let given = self.tasks.clone();
        reply.renamed(Arc::new(move |id| {
            given.note(&owner, &path, id);
            Some(named(&sealer, &owner, &path, id))
        }))
    }

    /// A notification that came by `path` with the names of tasks as `caller` knows them.
    pub fn with_task_name(&self, caller: &Caller, path: &PathName, message: Envelope) -> Envelope {
        let rename = |id: &str| Some(named(&self.sealer, &caller.key, path, id));
        let params = message.params().and_then(|params| tasks::renamed(params, &rename));
        params.and_then(|params| message.with_params(&params)).unwrap_or(message)
    }

    fn page(&self, caller: &Caller, cursor: &str) -> Option<Page> {
        self.sealer.open(CURSOR, &caller.key, self.clock.now(), cursor).ok()
    }

    fn followed(&self, caller: &Caller, target: &Arc<Target>, request: &Request) -> wait::Call {
        wait::Call {
            target: Arc::clone(target),
            caller_id: caller.key.clone(),
            request: request.clone(),
            sealer: Arc::clone(&self.sealer),
            clock: self.clock.clone(),
        }
    }

    /// Whether a call of a tool by `path` may ask for a task, in the older form.
    fn takes_tasks(&self, path: &PathName) -> bool {
        let view = self.view();
        let state = view.paths.iter().find(|state| state.path == *path);
        state.and_then(|state| state.about.as_ref()).is_some_and(|about| about.capability("tasks", "requests"))
    }

    /// The targets that list tasks, in config order.
    fn listing_tasks(&self) -> Vec<Arc<Target>> {
        let view = self.view();
        let lists = view
            .paths
            .iter()
            .filter(|target| view.has(&target.name))
            .filter(|target| target.about.as_ref().is_some_and(|about| about.capability("tasks", "list")));
        lists.filter_map(|target| self.place(&target.path).cloned()).collect()
    }
}

/// `request` with this cursor, or without any.
fn with_cursor(mut request: Request, cursor: Option<String>) -> Request {
    request.change(|params| match cursor {
        Some(cursor) => params.set("cursor", &json(&cursor)),
        None => params.remove("cursor"),
    });
    request
}

/// How long a cursor is good.
const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

fn named(sealer: &Sealer, owner: &str, path: &PathName, id: &str) -> String {
    sealer.name(PURPOSE, owner, &Name { path: path.to_string(), id: id.to_owned() })
}
