//! A part of the catalog: what a toolset shows of the merged lists. Entries are taken as they were written; nothing is merged
//! again.

use std::collections::{BTreeSet, HashMap};

use super::{Catalog, Kind, List, Name, PerKind, Problem, Route, edits::unmatched, list::Writer};
use crate::name::{Selection, TargetName, ToolsetName};

/// What a toolset shows, by merged names and URIs. A kind without a choice is not shown at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    pub tools: Option<Selection>,
    pub prompts: Option<Selection>,
    /// Of templates by their text. It also says which resources that nobody lists may be asked for.
    pub resources: Option<Selection>,
}

impl Shown {
    /// What is shown of `kind`; nothing where it is not shown at all.
    pub fn of(&self, kind: Kind) -> Option<&Selection> {
        match kind {
            Kind::Tools => self.tools.as_ref(),
            Kind::Prompts => self.prompts.as_ref(),
            Kind::Resources | Kind::Templates => self.resources.as_ref(),
        }
    }

    /// Whether something of this merged name, URI or URI template may be shown.
    pub fn shows(&self, kind: Kind, full: &str) -> bool {
        self.of(kind).is_some_and(|selection| selection.selects(full))
    }
}

impl Catalog {
    /// What `shown` lets through of this catalog, without its problems. Nothing else is in it: neither under another name, nor by
    /// a template or on suspicion.
    pub fn part(&self, shown: &Shown) -> Self {
        let mut routes: PerKind<HashMap<String, Route>> = PerKind::default();
        let mut names: PerKind<Vec<Name>> = PerKind::default();
        let lists = PerKind::of(|kind| self.part_of(kind, shown, &mut routes[kind], &mut names[kind]));
        let templates = self.templates.iter().filter(|it| shown.shows(Kind::Templates, &it.route.first().name));
        let mut part = Self {
            lists,
            names,
            routes,
            templates: templates.cloned().collect(),
            readers: Vec::new(),
            held_back: self.held_back.clone(),
            unlisted: shown.resources.clone(),
            problems: Vec::new(),
        };
        let members = part.members();
        // Who has nothing else in it is not asked for what it does not list.
        let readers = self.readers.iter().filter(|_| shown.resources.is_some());
        let readers = readers.map(|targets| targets.iter().filter(|it| members.contains(it)).cloned().collect());
        part.readers = readers.filter(|targets: &Vec<TargetName>| !targets.is_empty()).collect();
        part
    }

    fn part_of(&self, kind: Kind, shown: &Shown, routes: &mut HashMap<String, Route>, names: &mut Vec<Name>) -> List {
        let all = self.list(kind);
        let mut list = Writer::new();
        list.hints(all.ttl_ms(), all.is_private());
        for (at, name) in self.names[kind].iter().enumerate() {
            if all.begins_target(at) {
                list.next_target();
            }
            if !shown.shows(kind, &name.full) {
                continue;
            }
            list.push(all.text(at));
            for key in [Some(&name.full), name.short.as_ref()].into_iter().flatten() {
                routes.extend(self.routes[kind].get(key).map(|route| (key.clone(), route.clone())));
            }
            names.push(name.clone());
        }
        list.finish()
    }

    /// The targets that anything in it leads to.
    pub fn members(&self) -> BTreeSet<TargetName> {
        let routes = Kind::ALL.into_iter().flat_map(|kind| self.routes[kind].values());
        routes.flat_map(|route| route.paths.iter().map(|path| path.target.clone())).collect()
    }

    /// The same with a problem for each pattern of `shown` that matches nothing of `whole`, which this is a part of.
    pub fn compared(mut self, toolset: &ToolsetName, whole: &Self, shown: &Shown) -> Self {
        for (kind, list) in [(Kind::Tools, "tools"), (Kind::Prompts, "prompts"), (Kind::Resources, "resources")] {
            let Some(selection) = shown.of(kind) else { continue };
            let kinds: &[Kind] = if kind == Kind::Resources { &[kind, Kind::Templates] } else { &[kind] };
            let names = kinds.iter().flat_map(|kind| &whole.names[*kind]);
            let names: Vec<&str> = names.map(|name| name.full.as_str()).collect();
            self.problems.extend(unmatched(selection, &names).map(|(setting, pattern)| {
                let (setting, name) = (format!("{list}.{setting}"), pattern.to_string());
                Problem::IdleOfToolset { toolset: toolset.clone(), kind, setting, name }
            }));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Because, Edits, Lists, Names, Offer, Page, merge},
        *,
    };
    use crate::name::Pattern;

    fn selection(include: &[&str], exclude: &[&str]) -> Option<Selection> {
        let patterns = |texts: &[&str]| texts.iter().map(|text| Pattern::new(text)).collect();
        Some(Selection { include: patterns(include), exclude: patterns(exclude) })
    }

    /// The merged catalog of targets that list these JSON arrays.
    fn whole(targets: &[(&str, &[(Kind, &str)])]) -> Catalog {
        let parsed: Vec<(TargetName, Lists)> = targets
            .iter()
            .map(|(name, listed)| {
                let mut lists = Lists::default();
                for (kind, list) in *listed {
                    let page = Page::parse(*kind, &format!(r#"{{"{}":{list},"ttlMs":7}}"#, kind.member())).unwrap();
                    lists[*kind] = Some([page].into());
                }
                (name.parse().unwrap(), lists)
            })
            .collect();
        let edits = Edits::default();
        let offers: Vec<Offer<'_>> = parsed
            .iter()
            .map(|(target, lists)| Offer {
                target,
                resource_priority: 0,
                has_resources: lists[Kind::Resources].is_some(),
                is_gateway: false,
                standby: &[],
                edits: &edits,
                lists,
                places: &[],
            })
            .collect();
        merge(Names::Prefixed, &offers)
    }

    fn two() -> Catalog {
        whole(&[
            (
                "one",
                &[
                    (Kind::Tools, r#"[{"name":"a", "v":1e2},{"name":"b"}]"#),
                    (Kind::Prompts, r#"[{"name":"p"}]"#),
                    (Kind::Resources, r#"[{"uri":"x://1"},{"uri":"y://1"}]"#),
                    (Kind::Templates, r#"[{"uriTemplate":"x://{id}"},{"uriTemplate":"{+any}"}]"#),
                ],
            ),
            ("two", &[(Kind::Tools, r#"[{"name":"a"}]"#), (Kind::Resources, "[]")]),
        ])
    }

    #[test]
    fn entries_are_the_very_bytes_of_the_whole() {
        let whole = two();
        let part = whole.part(&Shown { tools: selection(&["*___a"], &[]), ..Shown::default() });
        assert_eq!(part.list(Kind::Tools).json(), r#"[{"name":"one___a", "v":1e2},{"name":"two___a"}]"#);
        assert_eq!(part.list(Kind::Tools).ttl_ms(), Some(7));
        assert_eq!(part.list(Kind::Tools).page(0, super::super::Paging::Target).unwrap().next, Some(1));
        assert_eq!(part.route(Kind::Tools, "one___a"), whole.route(Kind::Tools, "one___a"));
        assert!(part.route(Kind::Tools, "one___b").is_err());
        for kind in [Kind::Prompts, Kind::Resources, Kind::Templates] {
            assert!(part.list(kind).is_empty(), "{kind}");
        }
        assert!(part.route(Kind::Prompts, "one___p").is_err());
        assert_eq!(part.readers("x://1"), []);
        assert_eq!(part.members().iter().map(TargetName::as_str).collect::<Vec<_>>(), ["one", "two"]);
    }

    #[test]
    fn all_of_it_is_the_whole() {
        let (whole, all) = (two(), selection(&[], &[]));
        let part = whole.part(&Shown { tools: all.clone(), prompts: all.clone(), resources: all });
        for kind in Kind::ALL {
            assert_eq!(part.list(kind).digest(), whole.list(kind).digest(), "{kind}");
        }
        for uri in ["x://1", "x://7", "other:"] {
            assert_eq!(part.readers(uri), whole.readers(uri), "{uri}");
        }
    }

    #[test]
    fn a_resource_is_read_if_its_uri_is_shown() {
        let shown = Shown { resources: selection(&["x://*", "{+any}"], &["x://secret"]), ..Shown::default() };
        let part = two().part(&shown);
        let readers = |uri: &str| -> Vec<(String, Because)> {
            part.readers(uri).iter().map(|reader| (reader.targets[0].to_string(), reader.because)).collect()
        };
        assert_eq!(readers("x://1"), [("one".into(), Because::Listed)]);
        assert_eq!(readers("x://2"), [("one".into(), Because::Template)], "`two` has nothing in it");
        for uri in ["y://1", "y://2", "x://secret", "x://%73ecret", "X://secret", "other:"] {
            assert_eq!(readers(uri), [], "{uri}");
            assert!(part.reference(uri).is_err(), "{uri}");
        }
        assert!(part.reference("x://{id}").is_ok() && part.reference("x://2").is_ok());
        assert!(two().part(&Shown::default()).reference("x://{id}").is_err());
    }

    #[test]
    fn a_pattern_that_matches_nothing_is_a_problem() {
        let (whole, shown) = (
            two(),
            Shown {
                tools: selection(&["one___*", "three___*"], &[]),
                prompts: selection(&[], &["two___*"]),
                resources: selection(&["x://{id}", "z://*"], &[]),
            },
        );
        let part = whole.part(&shown).compared(&"ops".parse().unwrap(), &whole, &shown);
        let problems: Vec<String> = part.problems().iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(problems.join("\n"), @"
        `tools.include` of toolset `ops` says `three___*`, and no target offers such a tool: correct it, or take it out
        `prompts.exclude` of toolset `ops` says `two___*`, and no target offers such a prompt: correct it, or take it out
        `resources.include` of toolset `ops` says `z://*`, and no target offers such a resource: correct it, or take it out
        ");
        assert_eq!(part.problems().iter().filter(|problem| problem.is_intended()).count(), 1);
    }
}
