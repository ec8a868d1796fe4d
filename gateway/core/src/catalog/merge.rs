//! Merging the lists of all targets into one catalog: names joined, order fixed, everything else as the target sent it.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap, HashSet, hash_map::Entry as Slot},
    sync::Arc,
};

use super::{
    Catalog, Edits, Entry, Kind, Lists, Name, Path, PerKind, Problem, Route, Template, UriTemplate,
    edits::{self, Renamed},
    list::Writer,
};
use crate::{
    era::params::HeaderParams,
    name::{Fit, TargetName},
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

/// How what targets list is named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Naming {
    pub names: Names,
    /// Names of tools that do not fit are listed short, and go by both names.
    pub shorten: Option<Fit>,
}

/// One target's part in the catalog.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    pub target: &'a TargetName,
    /// Of several targets with one URI, that with the lowest number serves it; of equal ones the first.
    pub resource_priority: u16,
    /// It says that it has resources, so it may know one that it does not list.
    pub has_resources: bool,
    /// It is a gateway itself: the names that it lists have their target in them already, and stay as they are.
    pub is_gateway: bool,
    /// Targets that serve the same names where this one does not, best first.
    pub standby: &'a [TargetName],
    /// What of its lists counts, and under which names.
    pub edits: &'a Edits,
    pub lists: &'a Lists,
    /// What it lists at each of its places, where it is in several.
    pub places: &'a [Lists],
}

/// Who serves each merged key of one kind. Best first, never empty: the one whose entry clients see, then its standbys.
type Servers<'a> = HashMap<String, Vec<Server<'a>>>;

/// An offer that holds a merged key.
#[derive(Clone, Copy, Debug)]
struct Server<'a> {
    /// The number of the offer.
    offer: usize,
    entry: &'a Entry,
}

/// Merges what targets offer, in the order given.
pub fn merge(naming: impl Into<Naming>, offers: &[Offer<'_>]) -> Catalog {
    let naming = naming.into();
    let mut by_priority: Vec<usize> = (0..offers.len()).collect();
    by_priority.sort_by_key(|at| offers[*at].resource_priority);
    let mut merging = Merging { naming, offers, renamed: Vec::new(), catalog: Catalog::default() };
    merging.edit();
    let lists = PerKind::of(|kind| merging.kind(kind, &by_priority));
    let Merging { mut catalog, .. } = merging;
    catalog.lists = lists;
    // A stable sort: where as much is fixed, the earlier target and its earlier template come first.
    catalog.templates.sort_by_key(|template| (template.priority, Reverse(template.pattern.fixed())));
    let held_back = offers.iter().filter(|offer| !offer.edits.resources.is_everything());
    catalog.held_back = held_back.map(|offer| (offer.target.clone(), offer.edits.resources.clone())).collect();
    let with_resources: Vec<&Offer<'_>> =
        by_priority.iter().map(|at| &offers[*at]).filter(|offer| offer.has_resources).collect();
    catalog.readers = readers(&with_resources);
    catalog
}

/// Each of these offers with its standbys among them; one that only stands by is none of its own.
fn readers(offers: &[&Offer<'_>]) -> Vec<Vec<TargetName>> {
    let stands_by = |target| offers.iter().any(|offer| offer.standby.contains(target));
    let there = |target: &&TargetName| offers.iter().any(|offer| offer.target == *target);
    let first = offers.iter().filter(|offer| !stands_by(offer.target));
    first.map(|offer| [offer.target].into_iter().chain(offer.standby).filter(there).cloned().collect()).collect()
}

impl From<Names> for Naming {
    fn from(names: Names) -> Self {
        Self { names, shorten: None }
    }
}

struct Merging<'a> {
    naming: Naming,
    offers: &'a [Offer<'a>],
    /// Of each offer.
    renamed: Vec<PerKind<Renamed<'a>>>,
    catalog: Catalog,
}

impl<'a> Offer<'a> {
    /// The entries that count, of those that it lists.
    fn counted(&self, kind: Kind) -> impl Iterator<Item = &'a Entry> + use<'a> {
        let selection = self.edits.selection(kind);
        entries(self.lists, kind).filter(move |entry| selection.selects(&entry.key))
    }
}

impl<'a> Merging<'a> {
    /// Finds out what each entry is renamed to, and which settings name nothing.
    fn edit(&mut self) {
        let Self { offers, renamed, catalog, .. } = self;
        for offer in *offers {
            let listed = |kind| offer.lists[kind].is_some();
            let keys = |kind| listed(kind).then(|| entries(offer.lists, kind).map(|it| it.key.as_str()).collect());
            edits::idle(offer.target, offer.edits, keys, &mut catalog.problems);
            renamed.push(PerKind::of(|kind| {
                let Some(edit) = offer.edits.of(kind) else { return Renamed::new() };
                let counted: Vec<&Entry> = offer.counted(kind).collect();
                edit.renamed((offer.target, kind, offer.is_gateway), &counted, &mut catalog.problems)
            }));
        }
    }

    fn kind(&mut self, kind: Kind, by_priority: &[usize]) -> super::List {
        let servers = self.servers(kind, by_priority);
        let short = self.shortened(kind, &servers);
        let mut list = Writer::new();
        for (at, offer) in self.offers.iter().enumerate() {
            list.next_target();
            self.catalog.problems.extend(uneven(kind, offer));
            for page in offer.lists[kind].iter().flat_map(|pages| pages.iter()) {
                list.hints(page.ttl_ms, page.private);
                let keyless = (0..page.keyless).map(|_| Problem::Keyless { target: offer.target.clone(), kind });
                self.catalog.problems.extend(keyless);
            }
            for entry in offer.counted(kind) {
                self.entry(kind, (&servers, &short), at, entry, &mut list);
            }
        }
        list.finish()
    }

    fn servers(&self, kind: Kind, by_priority: &[usize]) -> Servers<'a> {
        let mut servers = Servers::new();
        let in_order: Vec<usize> =
            if kind.is_named() { (0..self.offers.len()).collect() } else { by_priority.to_vec() };
        for offer in in_order {
            for entry in self.offers[offer].counted(kind) {
                let of_key: &mut Vec<Server<'a>> = servers.entry(self.merged(kind, offer, &entry.key)).or_default();
                if of_key.iter().all(|server| server.offer != offer) {
                    of_key.push(Server { offer, entry });
                }
            }
        }
        for of_key in servers.values_mut().filter(|of_key| of_key.len() > 1) {
            *of_key = self.chosen(of_key);
        }
        servers
    }

    /// Of all that hold a key, the one that comes first, or the one that it stands by for, and those that stand by for that.
    fn chosen(&self, all: &[Server<'a>]) -> Vec<Server<'a>> {
        let stands_by = |one: &Server<'_>, other: &Server<'_>| {
            self.offers[other.offer].standby.contains(self.offers[one.offer].target)
        };
        let first = all.iter().find(|other| stands_by(&all[0], other)).unwrap_or(&all[0]);
        let standby = self.offers[first.offer].standby.iter();
        let standby = standby.filter_map(|name| all.iter().find(|other| self.offers[other.offer].target == name));
        [first].into_iter().chain(standby).copied().collect()
    }

    /// What clients call the entry `key` of an offer. Who stands by for a gateway has its target in its names in any case.
    fn merged(&self, kind: Kind, offer: usize, key: &str) -> String {
        let Offer { target, is_gateway, .. } = self.offers[offer];
        let prefixed = match self.naming.names {
            _ if is_gateway || !kind.is_named() => false,
            Names::Prefixed => true,
            Names::Plain => self.offers.iter().any(|other| other.standby.contains(target)),
        };
        let key = self.renamed[offer][kind].get(key).map_or(key, String::as_str);
        if prefixed { target.join(key) } else { key.to_owned() }
    }

    /// Short names of those of `servers` that need one, by their full names: the same whatever the order of targets is.
    fn shortened(&mut self, kind: Kind, servers: &Servers<'a>) -> HashMap<String, String> {
        let Some(fit) = self.naming.shorten.filter(|_| kind == Kind::Tools) else { return HashMap::new() };
        let (mut long, fitting): (Vec<&String>, Vec<&String>) = servers.keys().partition(|name| !fit.takes(name));
        long.sort_unstable();
        let mut taken: HashSet<String> = fitting.into_iter().cloned().collect();
        let mut shortened = HashMap::new();
        for name in long {
            let short = fit.shorten(name);
            if taken.insert(short.clone()) {
                shortened.insert(name.clone(), short);
            } else {
                let target = self.offers[servers[name][0].offer].target.clone();
                self.catalog.problems.push(Problem::ShortTaken { target, name: name.clone(), short });
            }
        }
        shortened
    }

    fn entry(
        &mut self,
        kind: Kind,
        (servers, short): (&Servers<'a>, &HashMap<String, String>),
        offer: usize,
        entry: &Entry,
        list: &mut Writer,
    ) {
        let merged = self.merged(kind, offer, &entry.key);
        let servers = &servers[&merged];
        if servers[0].offer != offer {
            // Who stands by offers nothing else than what is listed already.
            if servers.iter().all(|server| server.offer != offer) {
                let problem = self.conflict(kind, servers[0].offer, offer, merged);
                self.catalog.problems.push(problem);
            }
            return;
        }
        let target = self.offers[offer].target;
        let name = Name { short: short.get(&merged).cloned(), full: merged };
        let slot = match self.catalog.routes[kind].entry(name.shown().to_owned()) {
            Slot::Vacant(slot) => slot,
            Slot::Occupied(_) => {
                let (target, key) = (target.clone(), entry.key.clone());
                self.catalog.problems.push(Problem::Duplicate { target, kind, key });
                return;
            }
        };
        list.push(&worded(kind, entry, self.offers[offer].edits, slot.key()));
        let problems = &mut self.catalog.problems;
        let paths = servers.iter().map(|server| path(kind, self.offers[server.offer].target, server.entry, problems));
        let repeatable = kind != Kind::Tools || servers.iter().all(|server| Self::is_repeatable(self.offers, server));
        let route = Route { paths: paths.collect(), repeatable };
        slot.insert(route.clone());
        if name.short.is_some() {
            // Whoever knows the long name, from before or from elsewhere, may go on using it.
            self.catalog.routes[kind].insert(name.full.clone(), route.clone());
        }
        self.catalog.names[kind].push(name);
        if kind == Kind::Templates {
            self.template(route, self.offers[offer].resource_priority);
        }
    }

    /// Whether a tool says everywhere where its target lists it that it may be called twice. A place that does not list it
    /// refuses it, which does no harm.
    fn is_repeatable(offers: &[Offer<'_>], server: &Server<'_>) -> bool {
        let places = offers[server.offer].places;
        let mut twins =
            places.iter().flat_map(|lists| entries(lists, Kind::Tools)).filter(|twin| twin.key == server.entry.key);
        is_repeatable(server.entry) && twins.all(is_repeatable)
    }

    fn template(&mut self, route: Route, priority: u16) {
        match UriTemplate::parse(&route.first().name) {
            Ok(pattern) => self.catalog.templates.push(Template { pattern, priority, route }),
            Err(bad) => {
                let target = route.first().target.clone();
                self.catalog.problems.push(Problem::BadTemplate { target, template: bad.0 });
            }
        }
    }

    fn conflict(&self, kind: Kind, owner: usize, offer: usize, key: String) -> Problem {
        let (winner, loser) = (&self.offers[owner], &self.offers[offer]);
        let (kept, left_out) = (winner.target.clone(), loser.target.clone());
        if kind.is_named() {
            return match winner.is_gateway || loser.is_gateway {
                true => Problem::Shadowed { kind, name: key, kept, left_out },
                false => Problem::Collision { kind, name: key, kept, left_out },
            };
        }
        match winner.resource_priority == loser.resource_priority {
            true => Problem::Tie { kind, uri: key, kept, left_out },
            false => Problem::Outranked { kind, uri: key, kept, left_out },
        }
    }
}

/// What a target does not list at all of its places, where it has given a list.
fn uneven(kind: Kind, offer: &Offer<'_>) -> Option<Problem> {
    let listed = offer.places.iter().filter(|lists| lists[kind].is_some());
    let counts = |key: &&str| offer.edits.selection(kind).selects(key);
    let keys: Vec<BTreeSet<&str>> = listed
        .map(|lists| entries(lists, kind).map(|entry| entry.key.as_str()).filter(|key| counts(key)).collect())
        .collect();
    let some: BTreeSet<&str> = keys.iter().flatten().copied().collect();
    let mut missing = some.into_iter().filter(|key| keys.iter().any(|keys| !keys.contains(key)));
    let key = missing.next()?.to_owned();
    Some(Problem::Uneven { target: offer.target.clone(), kind, key, count: 1 + missing.count() })
}

fn entries(lists: &Lists, kind: Kind) -> impl Iterator<Item = &Entry> {
    lists[kind].iter().flat_map(|pages| pages.iter()).flat_map(|page| &page.entries)
}

fn path(kind: Kind, target: &TargetName, entry: &Entry, problems: &mut Vec<Problem>) -> Path {
    let header_params = match kind {
        Kind::Tools => header_params(target, entry, problems),
        Kind::Prompts | Kind::Resources | Kind::Templates => HeaderParams::default(),
    };
    let wants_task = kind == Kind::Tools && wants_task(entry);
    Path { target: target.clone(), name: Arc::from(entry.key.as_str()), header_params, wants_task }
}

/// Whether a tool says that it changes nothing, or nothing more when it is called again (MCP 2025-11-25, schema,
/// `ToolAnnotations`). One that says nothing may do anything.
fn is_repeatable(tool: &Entry) -> bool {
    let entry = ObjectEdit::parse(&tool.json).ok();
    let annotations = entry.as_ref().and_then(|entry| ObjectEdit::parse(entry.get("annotations")?).ok());
    let says = |hint| annotations.as_ref().is_some_and(|all| all.get(hint) == Some("true"));
    says("readOnlyHint") || says("idempotentHint")
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

/// The entry's text under its merged key and with the texts that it has here; untouched where nothing of it changes.
fn worded(kind: Kind, entry: &Entry, edits: &Edits, merged: &str) -> String {
    let edits = edits.of(kind);
    if entry.key == merged && edits.is_none_or(|edits| edits.leaves(&entry.key)) {
        return entry.json.to_string();
    }
    let mut edit = ObjectEdit::parse(&entry.json).expect("a page holds only entries that were read as objects");
    if entry.key != merged {
        edit.set("name", &json(&merged));
    }
    match edits {
        Some(edits) => edits.worded(&entry.key, edit).finish(),
        None => edit.finish(),
    }
}

#[cfg(test)]
mod tests;
