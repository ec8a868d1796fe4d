//! How the targets are, with all that is known of why: this is for who runs the gateway, so addresses may be in it.

use std::time::Duration;

use causeway_core::catalog::Kind;
use serde_json::{Value, json};

use crate::{
    discovery::{TargetState, View},
    gateway::Gateway,
    http::Served,
    reload::Standing,
    targets::{Counts, Target},
};

/// Everything about every target, whether each was asked once, and what toolsets show of them.
pub(super) fn detail(served: &Served, view: &View, now: Duration) -> Value {
    let gateway = &served.gateway.front.gateway;
    let targets: Vec<Value> = view.targets.iter().map(|target| of_target(gateway, view, target, now)).collect();
    json!({"ready": view.is_complete(), "targets": targets, "toolsets": served.toolset_states()})
}

fn of_target(gateway: &Gateway, view: &View, target: &TargetState, now: Duration) -> Value {
    let paths = gateway.paths(&target.name);
    let paths: Vec<Value> = paths.iter().map(|path| of_path(view, path, now)).collect();
    json!({
        "name": target.name.as_str(),
        "state": target.word(),
        "error": target.error_text(),
        "era": target.about.as_ref().map(|about| format!("{:?}", about.era).to_lowercase()),
        "listedSecondsAgo": age(target, now),
        "restored": target.restored,
        "tools": target.count(Kind::Tools),
        "prompts": target.count(Kind::Prompts),
        "resources": target.count(Kind::Resources),
        "templates": target.count(Kind::Templates),
        "paths": paths,
    })
}

fn of_path(view: &View, path: &Target, now: Duration) -> Value {
    let Counts { served, passed_on } = path.health().counts();
    let ((running, most), (waiting, most_waiting)) = (path.running(), path.waiting());
    let known = view.paths.iter().find(|known| known.path == *path.path());
    json!({
        "name": path.path().to_string(),
        "state": path.health().state().word(),
        "lists": known.map(TargetState::word),
        "error": known.and_then(TargetState::error_text),
        "listedSecondsAgo": known.and_then(|known| age(known, now)),
        "restored": known.is_some_and(|known| known.restored),
        "served": served,
        "passedOn": passed_on,
        "calls": running,
        "mostCalls": most,
        "waiting": waiting,
        "mostWaiting": most_waiting,
    })
}

/// How the configuration stands.
pub(super) fn of_configuration(standing: &Standing, now: Duration) -> Value {
    let ago = |then: Duration| now.saturating_sub(then).as_secs();
    json!({
        "generation": standing.generation,
        "inEffectSeconds": ago(standing.since),
        "lastReload": standing.last.map(|(outcome, at)| json!({"outcome": outcome.word(), "secondsAgo": ago(at)})),
        "error": standing.error,
        "atNextStart": standing.later,
    })
}

/// Seconds since the last listing that worked.
pub(super) fn age(target: &TargetState, now: Duration) -> Option<u64> {
    target.listed.map(|listed| now.saturating_sub(listed).as_secs())
}
