//! Merging the lists of all targets into one catalog: names joined, order fixed, everything else as the target sent it.

use std::{
    cmp::Reverse,
    collections::{HashMap, hash_map::Entry as Slot},
    sync::Arc,
};

use super::{Catalog, Entry, Kind, Lists, PerKind, Problem, Route, Template, UriTemplate, list::Writer};
use crate::{
    era::params::HeaderParams,
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
        let header_params = match kind {
            Kind::Tools => header_params(target, entry, &mut self.catalog.problems),
            Kind::Prompts | Kind::Resources | Kind::Templates => HeaderParams::default(),
        };
        let wants_task = kind == Kind::Tools && wants_task(entry);
        let route = Route { target: target.clone(), name: Arc::from(entry.key.as_str()), header_params, wants_task };
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

fn wants_task(tool: &Entry) -> bool {
    let entry = ObjectEdit::parse(&tool.json).ok();
    let execution = entry.as_ref().and_then(|entry| ObjectEdit::parse(entry.get("execution")?).ok());
    execution.is_some_and(|execution| execution.get("taskSupport") == Some(r#""required""#))
}

/// What of a call of a tool travels as headers; of a tool that says it wrongly nothing, which becomes a problem.
fn header_params(target: &TargetName, tool: &Entry, problems: &mut Vec<Problem>) -> HeaderParams {
    let entry = ObjectEdit::parse(&tool.json).expect("a page holds only entries that were read as objects");
    let header_params = entry.get("inputSchema").map_or_else(|| Ok(HeaderParams::default()), HeaderParams::of_schema);
    header_params.unwrap_or_else(|why| {
        problems.push(Problem::BadHeaders { target: target.clone(), tool: tool.key.clone(), why });
        HeaderParams::default()
    })
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
mod tests;
