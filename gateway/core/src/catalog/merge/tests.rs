//! Lists of several targets, and what clients get of them.

mod clients;
mod edits;
mod paths;

use proptest::prelude::*;

use super::{
    super::{Because, Reader},
    *,
};
use crate::catalog::Page;

struct Target {
    name: TargetName,
    priority: u16,
    /// Set for a gateway.
    standby: Option<Vec<TargetName>>,
    edits: Edits,
    lists: Lists,
    places: Vec<Lists>,
}

impl Target {
    /// The same with these changes to what it lists.
    fn edited(self, change: impl FnOnce(&mut Edits)) -> Self {
        let mut edits = Edits::default();
        change(&mut edits);
        Self { edits, ..self }
    }

    /// The same as a gateway that these targets stand by for.
    fn backed_by(self, standby: &[&str]) -> Self {
        Self { standby: Some(standby.iter().map(|name| name.parse().unwrap()).collect()), ..self }
    }

    /// The same, also in a further place, where it lists this.
    fn and_at(mut self, listed: &[(Kind, &str)]) -> Self {
        if self.places.is_empty() {
            self.places.push(self.lists.clone());
        }
        self.places.push(target("t", 0, listed).lists);
        self
    }
}

/// A target that lists these JSON arrays.
fn target(name: &str, priority: u16, listed: &[(Kind, &str)]) -> Target {
    let mut lists = Lists::default();
    for (kind, list) in listed {
        let page = Page::parse(*kind, &format!(r#"{{"{}":{list}}}"#, kind.member())).unwrap();
        lists[*kind] = Some([page].into());
    }
    let (standby, edits, places) = Default::default();
    Target { name: name.parse().unwrap(), priority, standby, edits, lists, places }
}

fn merged(naming: impl Into<Naming>, targets: &[Target]) -> Catalog {
    let offers: Vec<Offer<'_>> = targets
        .iter()
        .map(|Target { name, priority, standby, edits, lists, places }| Offer {
            target: name,
            resource_priority: *priority,
            has_resources: lists[Kind::Resources].is_some() || lists[Kind::Templates].is_some(),
            is_gateway: standby.is_some(),
            standby: standby.as_deref().unwrap_or_default(),
            edits,
            lists,
            places,
        })
        .collect();
    merge(naming, &offers)
}

fn problems(catalog: &Catalog) -> String {
    let lines: Vec<String> = catalog.problems().iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn readers(catalog: &Catalog, uri: &str) -> Vec<(String, Because)> {
    let readers = catalog.readers(uri).into_iter();
    let names = |targets: Vec<TargetName>| targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    readers.map(|Reader { targets, because }| (names(targets), because)).collect()
}

/// The paths of a route: targets and the names that they know.
fn paths(catalog: &Catalog, kind: Kind, key: &str) -> String {
    let paths = catalog.route(kind, key).unwrap().paths.iter();
    paths.map(|path| format!("{}:{}", path.target, path.name)).collect::<Vec<_>>().join(" ")
}

#[test]
fn lists_are_joined_in_order_and_only_names_change() {
    for kind in [Kind::Tools, Kind::Prompts] {
        let b = target("b", 0, &[(kind, r#"[{"name":"z","execution":{"vendor":0.1}},{"name":"y"}]"#)]);
        let a = target("a", 0, &[(kind, r#"[{ "title":"T","name" : "x___y" }]"#)]);
        let catalog = merged(Names::Prefixed, &[b, a]);
        assert_eq!(
            catalog.list(kind).json(),
            r#"[{"name":"b___z","execution":{"vendor":0.1}},{"name":"b___y"},{ "title":"T","name" : "a___x___y" }]"#
        );
        let (name, header_params) = ("x___y".into(), HeaderParams::default());
        let path = Path { target: "a".parse().unwrap(), name, header_params, wants_task: false };
        let route = Route { paths: vec![path], repeatable: kind == Kind::Prompts };
        assert_eq!(catalog.route(kind, "a___x___y"), Ok(&route));
        assert_eq!(catalog.route(kind, "b___x").unwrap_err().to_string(), format!("Unknown {kind}: b___x"));
        assert_eq!(catalog.list(kind).len(), 3);
    }
}

#[test]
fn what_is_left_out_is_said() {
    let tools = r#"[{"name":"a","v":1},{"name":"a","v":2},{}]"#;
    let templates = r#"[{"uriTemplate":"x://{"},{"uri":"x"}]"#;
    let catalog = merged(Names::Prefixed, &[target("t", 0, &[(Kind::Tools, tools), (Kind::Templates, templates)])]);
    assert_eq!(catalog.list(Kind::Tools).json(), r#"[{"name":"t___a","v":1}]"#);
    assert_eq!(catalog.list(Kind::Templates).json(), r#"[{"uriTemplate":"x://{"}]"#);
    insta::assert_snapshot!(problems(&catalog), @"
    target `t` lists a tool without a `name`: it is left out
    target `t` lists the tool `a` more than once: the first one counts
    target `t` lists a resource template without a `uriTemplate`: it is left out
    target `t` lists `x://{`, which is no URI template: no URI is routed by it
    ");
}

#[test]
fn a_tool_with_invalid_headers_stays_and_is_said() {
    let tools = r#"[{"name":"good","inputSchema":{"properties":{"r":{"type":"string","x-mcp-header":"R"}}}},{"name":"bad","inputSchema":{"properties":{"r":{"type":"string","x-mcp-header":"R"},"n":{"type":"number","x-mcp-header":"N"}}}},{"name":"plain"}]"#;
    let catalog = merged(Names::Plain, &[target("t", 0, &[(Kind::Tools, tools)])]);
    assert_eq!(catalog.list(Kind::Tools).json(), tools);
    let headers = |tool| catalog.route(Kind::Tools, tool).unwrap().first().header_params.headers(r#"{"r":"x","n":1}"#);
    assert_eq!(headers("good"), [("mcp-param-r".to_owned(), "x".to_owned())]);
    assert_eq!((headers("bad"), headers("plain")), (Vec::new(), Vec::new()));
    insta::assert_snapshot!(problems(&catalog), @"target `t` lists the tool `bad` with an invalid `x-mcp-header` (`properties/n/x-mcp-header` stands at a parameter whose `type` is neither `string` nor `integer` nor `boolean`): it is called without such headers, and clients of MCP 2026-07-28 leave it out");
    assert!(!catalog.problems().iter().any(Problem::is_intended));
}

#[test]
fn plain_names_are_those_of_the_target_and_collide() {
    let one = target("one", 0, &[(Kind::Tools, r#"[{"name": "x","v":1},{"name":"y"}]"#)]);
    let two = target("two", 0, &[(Kind::Tools, r#"[{"name":"z"},{"name":"x","v":2}]"#)]);
    let catalog = merged(Names::Plain, &[one, two]);
    assert_eq!(catalog.list(Kind::Tools).json(), r#"[{"name": "x","v":1},{"name":"y"},{"name":"z"}]"#);
    let route = |name| catalog.route(Kind::Tools, name).unwrap().first().target.to_string();
    assert_eq!((route("x"), route("z")), ("one".into(), "two".into()));
    insta::assert_snapshot!(problems(&catalog), @r#"targets `one` and `two` both list the tool `x`: that of `one` counts, that of `two` is left out; set `gateway.names = "prefixed"` to have both, or take it out of one of the two"#);
}

#[test]
fn of_one_uri_the_lowest_priority_serves_list_and_read() {
    let list = |v| format!(r#"[{{"uri":"x://both","v":{v}}},{{"uri":"x://{v}"}}]"#);
    let targets = |one, two| {
        let listed = |v| target(["one", "two"][v], [one, two][v], &[(Kind::Resources, &list(v))]);
        merged(Names::Prefixed, &[listed(0), listed(1)])
    };
    let catalog = targets(1000, 5);
    assert_eq!(catalog.list(Kind::Resources).json(), r#"[{"uri":"x://0"},{"uri":"x://both","v":1},{"uri":"x://1"}]"#);
    assert_eq!(readers(&catalog, "x://both"), [("two".into(), Because::Listed)]);
    insta::assert_snapshot!(problems(&catalog), @"targets `two` and `one` both list the resource `x://both`: `two` serves it, by its `resource_priority`");
    assert!(catalog.problems().iter().all(Problem::is_intended));
    let catalog = targets(7, 7);
    assert_eq!(readers(&catalog, "x://both"), [("one".into(), Because::Listed)]);
    insta::assert_snapshot!(problems(&catalog), @"targets `one` and `two` both list the resource `x://both` and have the same `resource_priority`: `one`, which comes first, serves it; give one of them a lower number to choose");
    assert!(!catalog.problems().iter().any(Problem::is_intended));
}

#[test]
fn an_unlisted_uri_goes_by_template_and_then_to_all_that_have_resources() {
    let a = target("a", 1000, &[(Kind::Templates, r#"[{"uriTemplate":"x://{+all}"},{"uriTemplate":"x://{a}/z"}]"#)]);
    let b = target("b", 1000, &[(Kind::Templates, r#"[{"uriTemplate":"x://y/{id}"},{"uriTemplate":"x://y/{id}"}]"#)]);
    let c = target("c", 3, &[(Kind::Resources, "[]")]);
    let d = target("d", 0, &[(Kind::Tools, "[]")]);
    let e = target("e", 1000, &[(Kind::Templates, r#"[{"uriTemplate":"x://y/{id}"}]"#)]);
    let catalog = merged(Names::Prefixed, &[a, b, c, d, e]);
    let (template, guess) = (Because::Template, Because::Guess);
    let all = |first: &[(&str, Because)]| -> Vec<(String, Because)> {
        first.iter().map(|(name, because)| ((*name).to_owned(), *because)).collect()
    };
    assert_eq!(readers(&catalog, "x://y/1"), all(&[("b", template), ("a", template), ("c", guess), ("e", guess)]));
    assert_eq!(readers(&catalog, "x://k/z"), all(&[("a", template), ("c", guess), ("b", guess), ("e", guess)]));
    assert_eq!(readers(&catalog, "other:"), all(&[("c", guess), ("a", guess), ("b", guess), ("e", guess)]));
    assert_eq!(catalog.reference("x://y/{id}").unwrap().first().target.as_str(), "b");
    assert_eq!(catalog.reference("x://y/7").unwrap().first().target.as_str(), "b");
    assert_eq!(&*catalog.reference("x://y/7").unwrap().first().name, "x://y/{id}");
    assert!(catalog.reference("other:").is_err());
}

#[test]
fn a_list_is_as_fresh_as_its_oldest_part_and_private_if_one_is() {
    let mut targets = ["a", "b"].map(|name| target(name, 0, &[(Kind::Tools, "[]"), (Kind::Prompts, "[]")]));
    let page = |ttl_ms, private| Page { ttl_ms, private, ..Page::default() };
    targets[0].lists[Kind::Tools] = Some([page(Some(9), false), page(None, false)].into());
    targets[1].lists[Kind::Tools] = Some([page(Some(8), true)].into());
    let catalog = merged(Names::Plain, &targets);
    let hints = |kind| (catalog.list(kind).ttl_ms(), catalog.list(kind).is_private());
    assert_eq!(hints(Kind::Tools), (Some(8), true));
    assert_eq!(hints(Kind::Prompts), (None, false));
}

proptest! {
    /// Whatever targets list, each entry of the merged lists can be asked for, and each key stands there once.
    #[test]
    fn what_is_listed_is_routed(
        targets in proptest::collection::btree_map("[a-c]", (0u16..3, proptest::collection::vec(("[p-s]", any::<bool>()), 0..5)), 0..4),
        plain: bool,
    ) {
        let targets: Vec<Target> = targets.iter().map(|(name, (priority, keys))| {
            let list = |kind: Kind| {
                let keys: Vec<String> = keys.iter().filter(|(_, in_all)| *in_all || kind == Kind::Resources)
                    .map(|(key, _)| format!(r#"{{"{}":"{key}"}}"#, kind.key())).collect();
                format!("[{}]", keys.join(","))
            };
            let lists = Kind::ALL.map(|kind| (kind, list(kind)));
            target(name, *priority, &lists.each_ref().map(|(kind, list)| (*kind, list.as_str())))
        }).collect();
        let catalog = merged(if plain { Names::Plain } else { Names::Prefixed }, &targets);
        for kind in Kind::ALL {
            let list: Vec<serde_json::Value> = serde_json::from_slice(catalog.list(kind).json()).unwrap();
            let mut keys: Vec<&str> = list.iter().map(|entry| entry[kind.key()].as_str().unwrap()).collect();
            let offered: usize = targets.iter().map(|target| target.lists[kind].as_ref().unwrap()[0].entries.len()).sum();
            let refused = catalog.problems().iter().filter(|problem| match problem {
                Problem::Duplicate { kind: of, .. } | Problem::Collision { kind: of, .. } => *of == kind,
                Problem::Tie { kind: of, .. } | Problem::Outranked { kind: of, .. } => *of == kind,
                _ => false,
            }).count();
            prop_assert_eq!(keys.len() + refused, offered, "nothing is lost without a word");
            for key in &keys {
                let route = catalog.route(kind, key).unwrap();
                prop_assert!(targets.iter().any(|target| target.name == route.first().target));
            }
            let count = keys.len();
            keys.sort_unstable();
            keys.dedup();
            prop_assert_eq!(keys.len(), count);
        }
    }
}
