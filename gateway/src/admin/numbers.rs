//! All metrics of the gateway at one moment: what was counted of calls, and what the parts know of themselves. Counts nothing
//! itself. docs/observability.md explains each name.

use causeway_core::catalog::Kind;

use super::{Admin, health, process};
use crate::{
    config::TargetKind,
    discovery::View,
    gateway::Gateway,
    metrics::Family,
    targets::{Counts, PathState, Target},
};

/// Every family, in a fixed order.
pub(crate) fn families(admin: &Admin) -> Vec<Family> {
    let gateway = &admin.served.gateway.front.gateway;
    let view = gateway.view();
    let mut families = admin.served.calls.families();
    families.extend(of_targets(admin, gateway, &view));
    families.extend(of_paths(gateway, &view));
    families.push(entries(&view));
    families.extend(bounds(admin));
    let build = Family::gauge("causeway_build_info", "The version that runs; always 1.");
    families.push(build.with(&[("version", env!("CARGO_PKG_VERSION"))], 1_u64));
    families.extend(process::families(admin.started));
    families
}

fn of_targets(admin: &Admin, gateway: &Gateway, view: &View) -> [Family; 4] {
    let mut info = Family::gauge("causeway_target_info", "What each target is; always 1.");
    let mut kinds = Family::counter("causeway_target_type_total", "Requests by type of target (TargetType).");
    let mut up = Family::gauge("causeway_target_up", "1 if it could be listed last and a path to it is not down.");
    let mut age = Family::gauge("causeway_catalog_age_seconds", "Since the last listing that worked.");
    let invocations = admin.served.calls.by_target();
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
        if let Some(seconds) = health::age(target, admin.clock.now()) {
            age.add(&[name], seconds);
        }
    }
    of_kind.into_iter().for_each(|(kind, count)| kinds.add(&[("type", kind)], count));
    [info, kinds, up, age]
}

fn of_paths(gateway: &Gateway, view: &View) -> [Family; 5] {
    const STATES: [PathState; 4] = [PathState::Up, PathState::Down, PathState::Probation, PathState::Trying];
    let mut state = Family::gauge("causeway_path_state", "1 for the state in which a path is.");
    let mut requests = Family::counter("causeway_path_requests_total", "Requests that a path answered.");
    let mut failovers = Family::counter("causeway_path_failovers_total", "Requests that went on to the next path.");
    let mut calls = Family::gauge("causeway_target_calls", "Calls that run in a path now.");
    let mut most = Family::gauge("causeway_target_calls_limit", "The most that may (limits.target_calls).");
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
    }
    [state, requests, failovers, calls, most]
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

fn bounds(admin: &Admin) -> Vec<Family> {
    let front = admin.served.gateway.front.occupancy();
    let gauge = |name, help, value: usize| Family::gauge(name, help).with(&[], value);
    let connections = &admin.connections;
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
