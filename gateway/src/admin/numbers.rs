//! All metrics of the gateway at one moment: what was counted of calls, and what the parts know of themselves. Counts nothing
//! itself. docs/observability.md explains each name.

use std::{sync::Arc, time::Duration};

use causeway_core::catalog::Kind;
use causeway_oidc::clock::Clock;
use tokio::sync::watch;

use super::{health, process};
use crate::{
    config::TargetKind,
    discovery::View,
    gateway::Gateway,
    http::Served,
    inbound::Inbound,
    metrics::Family,
    reload::Standing,
    serve::Connections,
    shared::{self, Shared},
    targets::{Counts, PathState, Target},
};

/// Whoever knows a number.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    pub(crate) served: Arc<Served>,
    /// Of clients.
    pub(crate) connections: Connections,
    pub(crate) shared: Shared,
    pub(crate) clock: Clock,
    /// When the gateway started, since the Unix epoch.
    pub(crate) started: Duration,
    /// How the configuration stands.
    pub(crate) standing: watch::Receiver<Standing>,
}

impl Numbers {
    /// Every family, in a fixed order.
    pub(crate) fn families(&self) -> Vec<Family> {
        let gateway = &self.served.gateway.front.gateway;
        let view = gateway.view();
        let mut families = self.served.calls.families();
        families.extend(of_targets(self, gateway, &view));
        families.extend(of_paths(gateway, &view));
        families.push(entries(&view));
        families.extend(of_tokens(self, gateway, &view));
        families.extend(bounds(self));
        families.extend(of_replicas(self));
        let build = Family::gauge("causeway_build_info", "The version that runs; always 1.");
        families.push(build.with(&[("version", env!("CARGO_PKG_VERSION"))], 1_u64));
        families.extend(self.standing.borrow().families());
        families.extend(process::families(self.started));
        families
    }

    /// The time now, since the Unix epoch.
    pub(crate) fn now(&self) -> Duration {
        self.clock.now()
    }
}

/// Of what targets are shown, and of what callers showed.
fn of_tokens(numbers: &Numbers, gateway: &Gateway, view: &View) -> Vec<Family> {
    let mut fetches = Family::counter("causeway_token_cache_fetches_total", "Tokens that were asked for.");
    let mut failures = Family::counter("causeway_token_cache_failures_total", "Of those, tokens that were not given.");
    let mut hits =
        Family::counter("causeway_token_cache_hits_total", "Requests to a target that found a living token.");
    let mut left = Family::gauge("causeway_token_cache_seconds_left", "Until the token of a target expires.");
    for target in &view.targets {
        let paths = gateway.paths(&target.name);
        let token = paths.iter().find(|path| *path.name() == target.name).and_then(|path| path.token_standing());
        let Some(token) = token else { continue };
        let name = [("target", target.name.as_str())];
        fetches.add(&name, token.fetches);
        failures.add(&name, token.failures);
        hits.add(&name, token.hits);
        left.add(&name, token.expires_at.map_or(0, |at| at.saturating_sub(numbers.now()).as_secs()));
    }
    let known = Family::gauge("causeway_inbound_tokens", "Tokens of callers that are known to be good.");
    // Endpoints that share an authorizer share what it knows.
    let own = numbers.served.toolsets.values().filter(|toolset| !toolset.shares_authorizer);
    let inbounds = [&numbers.served.gateway].into_iter().chain(own).map(|endpoint| &endpoint.inbound);
    let remembered: usize = inbounds.map(Inbound::remembered).sum();
    let known = known.with(&[], remembered);
    vec![fetches, failures, hits, left, known]
}

fn of_targets(numbers: &Numbers, gateway: &Gateway, view: &View) -> [Family; 4] {
    let mut info = Family::gauge("causeway_target_info", "What each target is; always 1.");
    let mut kinds = Family::counter("causeway_target_type_total", "Requests by type of target (TargetType).");
    let mut up = Family::gauge("causeway_target_up", "1 if it could be listed last and a path to it is not down.");
    let mut age = Family::gauge("causeway_catalog_age_seconds", "Since the last listing that worked.");
    let invocations = numbers.served.calls.by_target();
    let mut of_kind = [("mcp-server", 0), ("agentcore-gateway", 0)];
    for target in &view.targets {
        let name = ("target", target.name.as_str());
        let kind = matches!(target.kind, TargetKind::Gateway { .. });
        let of_kind = &mut of_kind[usize::from(kind)];
        of_kind.1 += invocations.get(target.name.as_str()).copied().unwrap_or_default();
        let paths = gateway.paths(&target.name);
        let transport = paths.first().map_or("", |path| path.transport());
        info.add(&[name, ("type", of_kind.0), ("transport", transport)], 1_u64);
        let works = target.error.is_none() && target.tried && paths.iter().any(|path| !path.health().is_down());
        up.add(&[name], u64::from(works));
        if let Some(seconds) = health::age(target, numbers.now()) {
            age.add(&[name], seconds);
        }
    }
    of_kind.into_iter().for_each(|(kind, count)| kinds.add(&[("type", kind)], count));
    [info, kinds, up, age]
}

fn of_paths(gateway: &Gateway, view: &View) -> [Family; 7] {
    const STATES: [PathState; 4] = [PathState::Up, PathState::Down, PathState::Probation, PathState::Trying];
    let mut state = Family::gauge("causeway_path_state", "1 for the state in which a path is.");
    let mut requests = Family::counter("causeway_path_requests_total", "Requests that a path answered.");
    let mut failovers = Family::counter("causeway_path_failovers_total", "Requests that went on to the next path.");
    let mut calls = Family::gauge("causeway_target_calls", "Calls that run in a path now.");
    let mut most = Family::gauge("causeway_target_calls_limit", "The most that may (limits.target_calls).");
    let mut waiting = Family::gauge("causeway_target_queue", "Calls that wait for a place in a path.");
    let mut most_waiting = Family::gauge("causeway_target_queue_limit", "The most that may (limits.target_queue).");
    // In the order of the configuration.
    let paths: Vec<&Target> =
        view.paths.iter().filter_map(|known| gateway.place(&known.path)).map(|it| &**it).collect();
    for path in paths {
        let (name, now) = (path.path().to_string(), path.health().state());
        let labels = [("target", path.name().as_str()), ("path", name.as_str())];
        for each in STATES {
            state.add(&[labels[0], labels[1], ("state", each.word())], u64::from(each == now));
        }
        let Counts { served, passed_on } = path.health().counts();
        requests.add(&labels, served);
        failovers.add(&labels, passed_on);
        let (running, limit) = path.running();
        calls.add(&labels, running);
        most.add(&labels, limit);
        let (queued, limit) = path.waiting();
        waiting.add(&labels, queued);
        most_waiting.add(&labels, limit);
    }
    [state, requests, failovers, calls, most, waiting, most_waiting]
}

fn entries(view: &View) -> Family {
    const KINDS: [(Kind, &str); 4] = [
        (Kind::Tools, "tools"),
        (Kind::Prompts, "prompts"),
        (Kind::Resources, "resources"),
        (Kind::Templates, "templates"),
    ];
    let family = Family::gauge("causeway_catalog_entries", "Entries of the merged lists.");
    KINDS.iter().fold(family, |family, (kind, word)| family.with(&[("kind", word)], view.catalog.list(*kind).len()))
}

/// Of other replicas and of what all share; nothing where there are none.
fn of_replicas(numbers: &Numbers) -> Vec<Family> {
    let passed = numbers.served.replicas.passed().map(|passed| {
        let family = Family::counter(
            "causeway_replica_requests_total",
            "Requests that belong to another replica, or came from one.",
        );
        family
            .with(&[("outcome", "passed_on")], passed.on)
            .with(&[("outcome", "taken")], passed.taken)
            .with(&[("outcome", "unreached")], passed.unreached)
            .with(&[("outcome", "broken")], passed.broken)
    });
    let shared = numbers.shared.standing().map(|standing| {
        let up = Family::gauge("causeway_state_up", "1 if the Redis that replicas share can be reached.");
        let asked = Family::counter("causeway_state_requests_total", "What the Redis was asked for.");
        let failed = Family::counter("causeway_state_failures_total", "Of those, what it did not do in time.");
        let shared::Standing { up: is_up, asked: count, failed: failures } = standing;
        [up.with(&[], u64::from(is_up)), asked.with(&[], count), failed.with(&[], failures)]
    });
    passed.into_iter().chain(shared.into_iter().flatten()).collect()
}

fn bounds(numbers: &Numbers) -> Vec<Family> {
    // Of all endpoints, which count together.
    let front = numbers.served.gateway.front.occupancy();
    let gauge = |name, help, value: usize| Family::gauge(name, help).with(&[], value);
    let connections = &numbers.connections;
    vec![
        gauge("causeway_connections", "Connections of clients.", connections.in_use()),
        gauge("causeway_connections_limit", "The most that there may be (limits.connections).", connections.most()),
        gauge(
            "causeway_sessions",
            "Sessions of clients of MCP 2025-11-25 and older of which something lives here.",
            front.sessions,
        ),
        gauge("causeway_streams", "Streams on which clients listen.", front.streams.0),
        gauge("causeway_streams_limit", "The most that there may be (limits.streams).", front.streams.1),
        gauge("causeway_parked_calls", "Calls that wait for input.", front.parked.0),
        gauge("causeway_parked_calls_limit", "The most that may (limits.parked_calls).", front.parked.1),
    ]
}
