//! What the gateway declares toward clients: the union of what its targets declare, as far as the gateway can serve it.
//!
//! Source: MCP 2025-11-25, basic/lifecycle, "Capability Negotiation"; MCP 2026-07-28, server/discover.

use super::{Catalog, Kind};
use crate::wire::{ObjectEdit, json};

/// The extension that brings tasks (MCP 2026-07-28); before, tasks were a capability of their own.
const TASKS: &str = "io.modelcontextprotocol/tasks";

/// Capabilities are joined so many objects deep, far deeper than MCP has them: targets write them, and may write any number.
const DEEPEST: usize = 16;

/// What the gateway can pass on besides requests and their answers. What it cannot is not declared, whoever declares it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Serves {
    /// `notifications/*/list_changed` to clients.
    pub list_changed: bool,
    /// Subscriptions to resources.
    pub subscribe: bool,
    /// `logging/setLevel`, and log messages outside of calls.
    pub logging: bool,
    /// Tasks, in both forms.
    pub tasks: bool,
}

/// The lists that a server with these `capabilities` (JSON text of an object) is asked for: those that it declares; all, if
/// it declares none, for then it says nothing about itself.
pub fn lists(capabilities: &str) -> Vec<Kind> {
    let declared: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| declares(capabilities, kind.capability())).collect();
    if declared.is_empty() { Kind::ALL.into() } else { declared }
}

/// Whether `capabilities` (JSON text of an object) hold `capability`.
pub fn declares(capabilities: &str, capability: &str) -> bool {
    let object = ObjectEdit::parse(capabilities).ok();
    object.and_then(|object| object.get(capability)).is_some_and(is_declared)
}

/// The capabilities of a gateway before targets with these `capabilities` (JSON texts of objects), in config order. `tools`
/// is always among them. Of an extension that several declare, what the first says counts, to the byte.
pub fn union(capabilities: &[&str], catalog: &Catalog, serves: Serves) -> String {
    let targets: Vec<ObjectEdit<'_>> = capabilities.iter().filter_map(|text| ObjectEdit::parse(text).ok()).collect();
    let declared = |capability| targets.iter().any(|target| target.get(capability).is_some_and(is_declared));
    let listed = |kind: Kind| declared(kind.capability()) || !catalog.list(kind).is_empty();
    // The gateway lists its targets again and again, so it learns of changes from those that do not tell as well.
    let list_changed = serves.list_changed.then_some(r#""listChanged":true"#);
    let mut members = vec![member("tools", &list_changed)];
    if listed(Kind::Prompts) {
        members.push(member("prompts", &list_changed));
    }
    if listed(Kind::Resources) || listed(Kind::Templates) {
        let subscribe = serves.subscribe && targets.iter().any(subscribes);
        members.push(member("resources", subscribe.then_some(r#""subscribe":true"#).iter().chain(&list_changed)));
    }
    members.extend(declared("completions").then(|| member("completions", [])));
    members.extend((serves.logging && declared("logging")).then(|| member("logging", [])));
    if serves.tasks {
        let tasks: Vec<&str> =
            targets.iter().filter_map(|target| target.get("tasks")).filter(|it| is_declared(it)).collect();
        members.extend(united(&tasks, DEEPEST).map(|tasks| format!(r#""tasks":{tasks}"#)));
    }
    let tasks = if serves.tasks { "" } else { TASKS };
    members.extend(["experimental", "extensions"].iter().filter_map(|key| merged(&targets, key, tasks)));
    format!("{{{}}}", members.join(","))
}

fn is_declared(value: &str) -> bool {
    !matches!(value, "null" | "false")
}

fn subscribes(target: &ObjectEdit<'_>) -> bool {
    let resources = target.get("resources").and_then(|resources| ObjectEdit::parse(resources).ok());
    resources.is_some_and(|resources| resources.get("subscribe") == Some("true"))
}

/// `"name":{…}` with these members.
fn member<'a>(name: &str, members: impl IntoIterator<Item = &'a &'a str>) -> String {
    let members: Vec<&str> = members.into_iter().copied().collect();
    format!(r#""{name}":{{{}}}"#, members.join(","))
}

/// `"key":{…}` with each member that a target has in its own, but for `except`; nothing where none has one.
fn merged(targets: &[ObjectEdit<'_>], key: &str, except: &str) -> Option<String> {
    let mut members: Vec<(String, &str)> = Vec::new();
    for object in targets.iter().filter_map(|target| ObjectEdit::parse(target.get(key)?).ok()) {
        for (name, value) in object.members() {
            if name != except && is_declared(value) && members.iter().all(|(there, _)| there != name) {
                members.push((name.to_owned(), value));
            }
        }
    }
    let members: Vec<String> = members.iter().map(|(name, value)| format!("{}:{value}", json(name))).collect();
    (!members.is_empty()).then(|| format!(r#""{key}":{{{}}}"#, members.join(",")))
}

/// Objects (JSON texts) as one with all that is declared in any of them; what is no object, or too deep, counts as the first says
/// it. Nothing of nothing.
fn united(values: &[&str], depth: usize) -> Option<String> {
    let objects: Vec<ObjectEdit<'_>> = values.iter().filter_map(|value| ObjectEdit::parse(value).ok()).collect();
    let ([_, _, ..], Some(depth)) = (&objects[..], depth.checked_sub(1)) else {
        return values.first().map(|&only| only.to_owned());
    };
    let mut names: Vec<&str> = Vec::new();
    for (name, value) in objects.iter().flat_map(ObjectEdit::members) {
        if is_declared(value) && !names.contains(&name) {
            names.push(name);
        }
    }
    let members = names.into_iter().filter_map(|name| {
        let said: Vec<&str> =
            objects.iter().filter_map(|object| object.get(name)).filter(|value| is_declared(value)).collect();
        Some(format!("{}:{}", json(&name), united(&said, depth)?))
    });
    Some(format!("{{{}}}", members.collect::<Vec<_>>().join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Serves = Serves { list_changed: true, subscribe: true, logging: true, tasks: true };
    const FULL: &str = r#"{"tools":{},"prompts":{"listChanged":true},"resources":{"subscribe":true},"completions":{},"logging":{},
        "tasks":{"list":{}},"experimental":{"x": {"a":1e2}},"extensions":{"io.modelcontextprotocol/tasks":{},"e/f":{ }}}"#;

    fn check(capabilities: &[&str], serves: Serves, expected: &str) {
        assert_eq!(union(capabilities, &Catalog::default(), serves), expected);
    }

    /// Two targets that agree on it could make the gateway go as deep as they like.
    #[test]
    fn what_is_too_deep_is_not_joined() {
        let deep = |last: &str| {
            let depth = 100_000;
            format!(r#"{{"tasks":{}{last}{}}}"#, r#"{"a":"#.repeat(depth), "}".repeat(depth))
        };
        let serves = Serves { tasks: true, ..Serves::default() };
        let joined = union(&[&deep("1"), &deep("2")], &Catalog::default(), serves);
        assert!(joined.contains(r#""a":1}"#) && !joined.contains(r#""a":2}"#));
    }

    #[test]
    fn what_one_target_declares_the_gateway_does() {
        check(
            &["{}", FULL, r#"{"experimental":{"x":{"b":2},"y":true,"z":null}}"#],
            ALL,
            r#"{"tools":{"listChanged":true},"prompts":{"listChanged":true},"resources":{"subscribe":true,"listChanged":true},"completions":{},"logging":{},"tasks":{"list":{}},"experimental":{"x":{"a":1e2},"y":true},"extensions":{"io.modelcontextprotocol/tasks":{},"e/f":{ }}}"#,
        );
    }

    #[test]
    fn tasks_are_united_part_by_part() {
        check(
            &[
                r#"{"tasks":{"cancel":{ },"requests":{"tools":{"call":{}}}}}"#,
                "{}",
                r#"{"tasks":{"list":{},"cancel":{"v":1},"requests":{"x":{},"tools":{"y":null}}}}"#,
            ],
            Serves { tasks: true, ..Serves::default() },
            r#"{"tools":{},"tasks":{"cancel":{"v":1},"requests":{"tools":{"call":{}},"x":{}},"list":{}}}"#,
        );
    }

    #[test]
    fn what_the_gateway_cannot_serve_it_does_not_declare() {
        check(
            &[FULL],
            Serves::default(),
            r#"{"tools":{},"prompts":{},"resources":{},"completions":{},"experimental":{"x":{"a":1e2}},"extensions":{"e/f":{ }}}"#,
        );
    }

    #[test]
    fn there_are_always_tools() {
        check(&[], ALL, r#"{"tools":{"listChanged":true}}"#);
        check(&["{}", "[]", r#"{"prompts":null,"extensions":7}"#], Serves::default(), r#"{"tools":{}}"#);
    }

    #[test]
    fn what_is_listed_is_declared_whatever_its_target_says() {
        use super::super::{Edits, Lists, Names, Offer, Page, merge};
        let target = "t".parse().unwrap();
        let mut lists = Lists::default();
        let page = Page::parse(Kind::Templates, r#"{"resourceTemplates":[{"uriTemplate":"x:{y}"}]}"#).unwrap();
        lists[Kind::Templates] = Some([page].into());
        let (is_gateway, standby) = (false, &[][..]);
        let offer = Offer {
            target: &target,
            resource_priority: 0,
            has_resources: false,
            is_gateway,
            standby,
            edits: &Edits::default(),
            lists: &lists,
            places: &[],
        };
        let catalog = merge(Names::Prefixed, &[offer]);
        assert_eq!(union(&["{}"], &catalog, Serves::default()), r#"{"tools":{},"resources":{}}"#);
    }

    #[test]
    fn a_target_is_asked_for_the_lists_that_it_declares() {
        assert_eq!(lists(r#"{"tools":{},"logging":{}}"#), [Kind::Tools]);
        assert_eq!(lists(r#"{"resources":{}}"#), [Kind::Resources, Kind::Templates]);
        assert_eq!(lists(r#"{"logging":{},"prompts":null}"#), Kind::ALL, "it says nothing about its lists");
        assert_eq!(lists("7"), Kind::ALL);
    }
}
