//! Merging the lists of all targets into one catalog: names joined, order fixed, everything else as the target sent it.

use std::{
    cmp::Reverse,
    collections::{HashMap, hash_map::Entry as Slot},
    sync::Arc,
};

use super::{Catalog, Entry, Kind, Lists, PerKind, Problem, Route, Template, UriTemplate, list::Writer};
use crate::{
    name::TargetName,
    wire::{ObjectEdit, json},
};

/// How tools and prompts are called toward clients. Resources keep their URIs in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Names {
    /// `target___name`: never the same for two targets.
    #[default]
    Prefixed,
    /// As their target calls them; of two of one name, that of the first target counts.
    Plain,
}

/// One target's part in the catalog.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    pub target: &'a TargetName,
    /// Of several targets with one URI, that with the lowest number serves it; of equal ones the first.
    pub resource_priority: u16,
    /// It says that it has resources, so it may know one that it does not list.
    pub has_resources: bool,
    pub lists: &'a Lists,
}

/// Who serves each merged key of one kind: the number of the offer.
type Owners = HashMap<String, usize>;

/// Merges what targets offer, in the order given.
pub fn merge(names: Names, offers: &[Offer<'_>]) -> Catalog {
    let mut by_priority: Vec<usize> = (0..offers.len()).collect();
    by_priority.sort_by_key(|at| offers[*at].resource_priority);
    let mut merging = Merging { names, offers, catalog: Catalog::default() };
    let lists = PerKind::of(|kind| merging.kind(kind, &by_priority));
    let Merging { mut catalog, .. } = merging;
    catalog.lists = lists;
    // A stable sort: where as much is fixed, the earlier target and its earlier template come first.
    catalog.templates.sort_by_key(|template| (template.priority, Reverse(template.pattern.fixed())));
    let readers = by_priority.iter().map(|at| &offers[*at]).filter(|offer| offer.has_resources);
    catalog.readers = readers.map(|offer| offer.target.clone()).collect();
    catalog
}

struct Merging<'a> {
    names: Names,
    offers: &'a [Offer<'a>],
    catalog: Catalog,
}

impl Merging<'_> {
    fn kind(&mut self, kind: Kind, by_priority: &[usize]) -> super::List {
        let owners = self.owners(kind, by_priority);
        let mut list = Writer::new();
        for (at, offer) in self.offers.iter().enumerate() {
            list.next_target();
            for page in offer.lists[kind].iter().flat_map(|pages| pages.iter()) {
                list.hints(page.ttl_ms, page.private);
                let keyless = (0..page.keyless).map(|_| Problem::Keyless { target: offer.target.clone(), kind });
                self.catalog.problems.extend(keyless);
                for entry in &page.entries {
                    self.entry(kind, &owners, at, entry, &mut list);
                }
            }
        }
        list.finish()
    }

    fn owners(&self, kind: Kind, by_priority: &[usize]) -> Owners {
        let mut owners = Owners::new();
        let in_order: Vec<usize> =
            if kind.is_named() { (0..self.offers.len()).collect() } else { by_priority.to_vec() };
        for at in in_order {
            let pages = self.offers[at].lists[kind].iter().flat_map(|pages| pages.iter());
            for entry in pages.flat_map(|page| &page.entries) {
                owners.entry(self.merged(kind, at, &entry.key)).or_insert(at);
            }
        }
        owners
    }

    /// What clients call the entry `key` of an offer.
    fn merged(&self, kind: Kind, offer: usize, key: &str) -> String {
        match self.names {
            Names::Prefixed if kind.is_named() => self.offers[offer].target.join(key),
            Names::Prefixed | Names::Plain => key.to_owned(),
        }
    }

    fn entry(&mut self, kind: Kind, owners: &Owners, offer: usize, entry: &Entry, list: &mut Writer) {
        let merged = self.merged(kind, offer, &entry.key);
        let owner = owners[&merged];
        if owner != offer {
            let problem = self.conflict(kind, owner, offer, entry.key.clone());
            self.catalog.problems.push(problem);
            return;
        }
        let target = self.offers[offer].target;
        let slot = match self.catalog.routes[kind].entry(merged) {
            Slot::Vacant(slot) => slot,
            Slot::Occupied(_) => {
                let (target, key) = (target.clone(), entry.key.clone());
                self.catalog.problems.push(Problem::Duplicate { target, kind, key });
                return;
            }
        };
        list.push(&renamed(entry, slot.key()));
        let route = Route { target: target.clone(), name: Arc::from(entry.key.as_str()) };
        slot.insert(route.clone());
        if kind == Kind::Templates {
            self.template(route, self.offers[offer].resource_priority);
        }
    }

    fn template(&mut self, route: Route, priority: u16) {
        match UriTemplate::parse(&route.name) {
            Ok(pattern) => self.catalog.templates.push(Template { pattern, priority, route }),
            Err(bad) => {
                self.catalog.problems.push(Problem::BadTemplate { target: route.target, template: bad.0 });
            }
        }
    }

    fn conflict(&self, kind: Kind, owner: usize, offer: usize, key: String) -> Problem {
        let (winner, loser) = (&self.offers[owner], &self.offers[offer]);
        let (kept, left_out) = (winner.target.clone(), loser.target.clone());
        if kind.is_named() {
            return Problem::Collision { kind, name: key, kept, left_out };
        }
        match winner.resource_priority == loser.resource_priority {
            true => Problem::Tie { kind, uri: key, kept, left_out },
            false => Problem::Outranked { kind, uri: key, kept, left_out },
        }
    }
}

/// The entry's text under its merged key; untouched where that is its own.
fn renamed(entry: &Entry, merged: &str) -> String {
    if entry.key == merged {
        return entry.json.to_string();
    }
    let mut edit = ObjectEdit::parse(&entry.json).expect("a page holds only entries that were read as objects");
    edit.set("name", &json(&merged));
    edit.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{Because, Reader},
        *,
    };
    use crate::catalog::Page;

    struct Target {
        name: TargetName,
        priority: u16,
        lists: Lists,
    }

    /// A target that lists these JSON arrays.
    fn target(name: &str, priority: u16, listed: &[(Kind, &str)]) -> Target {
        let mut lists = Lists::default();
        for (kind, list) in listed {
            let page = Page::parse(*kind, &format!(r#"{{"{}":{list}}}"#, kind.member())).unwrap();
            lists[*kind] = Some([page].into());
        }
        Target { name: name.parse().unwrap(), priority, lists }
    }

    fn merged(names: Names, targets: &[Target]) -> Catalog {
        let offer = |target: &'_ Target| -> (TargetName, u16, Lists) {
            (target.name.clone(), target.priority, target.lists.clone())
        };
        let offers: Vec<_> = targets.iter().map(offer).collect();
        let offers: Vec<Offer<'_>> = offers
            .iter()
            .map(|(target, priority, lists)| {
                let has_resources = lists[Kind::Resources].is_some() || lists[Kind::Templates].is_some();
                Offer { target, resource_priority: *priority, has_resources, lists }
            })
            .collect();
        merge(names, &offers)
    }

    fn problems(catalog: &Catalog) -> String {
        let lines: Vec<String> = catalog.problems().iter().map(ToString::to_string).collect();
        lines.join("\n")
    }

    fn readers(catalog: &Catalog, uri: &str) -> Vec<(String, Because)> {
        let readers = catalog.readers(uri).into_iter();
        readers.map(|Reader { target, because }| (target.to_string(), because)).collect()
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
            let route = Route { target: "a".parse().unwrap(), name: "x___y".into() };
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
    fn plain_names_are_those_of_the_target_and_collide() {
        let one = target("one", 0, &[(Kind::Tools, r#"[{"name": "x","v":1},{"name":"y"}]"#)]);
        let two = target("two", 0, &[(Kind::Tools, r#"[{"name":"z"},{"name":"x","v":2}]"#)]);
        let catalog = merged(Names::Plain, &[one, two]);
        assert_eq!(catalog.list(Kind::Tools).json(), r#"[{"name": "x","v":1},{"name":"y"},{"name":"z"}]"#);
        let route = |name| catalog.route(Kind::Tools, name).unwrap().target.to_string();
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
        assert_eq!(
            catalog.list(Kind::Resources).json(),
            r#"[{"uri":"x://0"},{"uri":"x://both","v":1},{"uri":"x://1"}]"#
        );
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
        let a =
            target("a", 1000, &[(Kind::Templates, r#"[{"uriTemplate":"x://{+all}"},{"uriTemplate":"x://{a}/z"}]"#)]);
        let b =
            target("b", 1000, &[(Kind::Templates, r#"[{"uriTemplate":"x://y/{id}"},{"uriTemplate":"x://y/{id}"}]"#)]);
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
        assert_eq!(catalog.reference("x://y/{id}").unwrap().target.as_str(), "b");
        assert_eq!(catalog.reference("x://y/7").unwrap().target.as_str(), "b");
        assert_eq!(&*catalog.reference("x://y/7").unwrap().name, "x://y/{id}");
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
                    Problem::Keyless { .. } | Problem::BadTemplate { .. } => false,
                }).count();
                prop_assert_eq!(keys.len() + refused, offered, "nothing is lost without a word");
                for key in &keys {
                    let route = catalog.route(kind, key).unwrap();
                    prop_assert!(targets.iter().any(|target| target.name == route.target));
                }
                let count = keys.len();
                keys.sort_unstable();
                keys.dedup();
                prop_assert_eq!(keys.len(), count);
            }
        }
    }
}
