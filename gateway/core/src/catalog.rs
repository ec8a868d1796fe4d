//! What all targets offer, merged: one immutable value, serialized once. Contacts nobody and knows no clients.

pub mod capabilities;
pub mod edits;
pub mod kind;
pub mod lint;
pub mod list;
pub mod merge;
pub mod page;
pub mod template;
pub mod toolset;

use std::{collections::HashMap, sync::Arc};

pub use self::{
    edits::{Edit, Edits},
    kind::{Kind, PerKind},
    lint::{Misfit, Room},
    list::{List, Paging, Slice},
    merge::{Names, Naming, Offer, merge},
    page::{BadPage, Entry, Page},
    template::UriTemplate,
    toolset::Shown,
};
use crate::{
    era::params::{BadAnnotation, HeaderParams},
    name::{Profile, Selection, TargetName, ToolsetName},
};

/// What one target listed of each kind, page by page; `None` where it never gave a list.
pub type Lists = PerKind<Option<Arc<[Page]>>>;

/// The merged lists, and for each key in them where it leads.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Targets in config order, each in its target's own order.
    lists: PerKind<List>,
    /// Of each entry of the lists, in their order.
    names: PerKind<Vec<Name>>,
    /// By the name that an entry is listed under, and by its full one where that is another.
    routes: PerKind<HashMap<String, Route>>,
    /// Best first.
    templates: Vec<Template>,
    /// Targets that may know more resources than they list, best first, each with its standbys of that kind.
    readers: Vec<Vec<TargetName>>,
    /// Of targets that hold resources back: what they let through.
    held_back: HashMap<TargetName, Selection>,
    /// Of a part: which resources that nobody lists may be asked for.
    unlisted: Option<Selection>,
    problems: Vec<Problem>,
}

/// What an entry is called.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    /// Its name after merging; of a resource its URI.
    full: String,
    /// What it is listed as, where that is short for it.
    short: Option<String>,
}

/// Where a merged key leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Best first, never empty: that of the target whose entry clients see, then those of its standbys that list it too.
    pub paths: Vec<Path>,
    /// Asked twice, it does no more than asked once: a tool that says so of itself (`readOnlyHint` or `idempotentHint`) wherever it
    /// is listed, and whatever is no tool.
    pub repeatable: bool,
}

/// One way to serve a merged key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    pub target: TargetName,
    /// The name, URI or URI template as the target knows it.
    pub name: Arc<str>,
    /// What of a call the modern era repeats in headers: of a tool that wants it, else nothing.
    pub header_params: HeaderParams,
    /// A tool that can be called as a task only (MCP 2025-11-25, `execution.taskSupport`).
    pub wants_task: bool,
}

/// A target that may have a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// The target, and then its standbys that have what it has. Never empty.
    pub targets: Vec<TargetName>,
    pub because: Because,
}

/// Why a target may have a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// It lists it: nobody else is to be asked.
    Listed,
    /// One of its templates matches the URI.
    Template,
    /// It has resources, and need not list them all.
    Guess,
}

/// Something that a target offers and clients do not get, or not as it is meant, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("target `{target}` lists the {kind} `{key}` more than once: the first one counts")]
    Duplicate { target: TargetName, kind: Kind, key: String },
    /// Of a target in several places.
    #[error(
        "the endpoints of target `{target}` do not list the same: {count} of a kind ({kind}), such as `{key}`, are not at all of them \
         and fail where they are not; serve the same everywhere"
    )]
    Uneven { target: TargetName, kind: Kind, key: String, count: usize },
    #[error("target `{target}` lists a {kind} without a `{}`: it is left out", kind.key())]
    Keyless { target: TargetName, kind: Kind },
    #[error(
        "targets `{kept}` and `{left_out}` both list the {kind} `{name}`: that of `{kept}` counts, that of `{left_out}` is left \
         out; set `gateway.names = \"prefixed\"` to have both, or take it out of one of the two"
    )]
    Collision { kind: Kind, name: String, kept: TargetName, left_out: TargetName },
    /// One of the two is a gateway, whose names stay as they are, so that they can be another target's.
    #[error(
        "targets `{kept}` and `{left_out}` both offer the {kind} `{name}`, because a gateway's names stay as they are: that of \
         `{kept}` counts, that of `{left_out}` is left out; if it is the same {kind}, name the one target in the `standby` of the \
         other, else rename one of them"
    )]
    Shadowed { kind: Kind, name: String, kept: TargetName, left_out: TargetName },
    #[error(
        "targets `{kept}` and `{left_out}` both list the {kind} `{uri}` and have the same `resource_priority`: `{kept}`, which \
         comes first, serves it; give one of them a lower number to choose"
    )]
    Tie { kind: Kind, uri: String, kept: TargetName, left_out: TargetName },
    #[error(
        "targets `{kept}` and `{left_out}` both list the {kind} `{uri}`: `{kept}` serves it, by its `resource_priority`"
    )]
    Outranked { kind: Kind, uri: String, kept: TargetName, left_out: TargetName },
    #[error("target `{target}` lists `{template}`, which is no URI template: no URI is routed by it")]
    BadTemplate { target: TargetName, template: String },
    #[error(
        "target `{target}` lists the tool `{tool}` with an invalid `x-mcp-header` ({why}): it is called without such headers, and \
         clients of MCP 2026-07-28 leave it out"
    )]
    BadHeaders { target: TargetName, tool: String, why: BadAnnotation },
    /// A pattern or a name in the target's settings.
    #[error(
        "`{setting}` of target `{target}` says `{name}`, and the target lists no such {kind}: correct it, or take it out"
    )]
    Idle { target: TargetName, kind: Kind, setting: String, name: String },
    /// A pattern in the settings of a toolset.
    #[error(
        "`{setting}` of toolset `{toolset}` says `{name}`, and no target offers such a {kind}: correct it, or take it out"
    )]
    IdleOfToolset { toolset: ToolsetName, kind: Kind, setting: String, name: String },
    #[error(
        "target `{target}` lists a {kind} that is called `{name}` already: `{own}` keeps its name; rename it to something else, or \
         exclude or rename the other"
    )]
    NameTaken { target: TargetName, kind: Kind, own: String, name: String },
    /// At one endpoint.
    #[error(
        "{endpoint} lists tools under names that are too long: {}; {}; rename such a tool with `tools.rename` of its target, or set \
         `clients.shorten_names = true` to have it listed short",
        lint::Misfits(tools),
        lint::Rooms(rooms)
    )]
    TooLong { endpoint: String, tools: Vec<Misfit>, rooms: Vec<Room> },
    /// At one endpoint.
    #[error(
        "{endpoint} lists tools under names with characters that models refuse: {}; with {} all tools fail because of it; rename such a \
         tool with `tools.rename` of its target, or set `clients.shorten_names = true` to have it listed short",
        lint::Misfits(tools),
        lint::Clients(clients)
    )]
    Characters { endpoint: String, tools: Vec<Misfit>, clients: Vec<Profile> },
    /// At one endpoint.
    #[error(
        "{endpoint} lists tools without a description: {}; {client} leaves them out; give them one with `tools.describe` of their targets",
        lint::Misfits(tools)
    )]
    Undescribed { endpoint: String, tools: Vec<Misfit>, client: Profile },
    #[error(
        "{endpoint} lists {count} tools, and {client} takes {most}: {beyond}; choose among them with `tools.include` and \
         `tools.exclude` of the targets, or make `[[toolsets]]` of them"
    )]
    TooMany { endpoint: String, count: usize, client: Profile, most: usize, beyond: &'static str },
    #[error(
        "the tool `{name}` of target `{target}` is listed under its long name, because `{short}`, which would be short for it, is the \
         name of another; rename one of the two"
    )]
    ShortTaken { target: TargetName, name: String, short: String },
}

/// Nobody offers this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Unknown {kind}: {key}")]
pub struct Unknown {
    pub kind: Kind,
    pub key: String,
}

/// A template and whose it is.
#[derive(Clone, Debug)]
struct Template {
    pattern: UriTemplate,
    /// The `resource_priority` of its target.
    priority: u16,
    route: Route,
}

impl Catalog {
    /// The merged list of one kind.
    pub fn list(&self, kind: Kind) -> &List {
        &self.lists[kind]
    }

    /// Where the entry of this merged name, URI or URI template is.
    pub fn route(&self, kind: Kind, key: &str) -> Result<&Route, Unknown> {
        self.routes[kind].get(key).ok_or_else(|| Unknown { kind, key: key.to_owned() })
    }

    /// The targets that may have the resource `uri`, in the order in which they are to be asked: the one that lists it, or
    /// else those with a template for it and then all others that have resources, each by its priority.
    pub fn readers(&self, uri: &str) -> Vec<Reader> {
        let targets = |route: &Route| route.paths.iter().map(|path| path.target.clone()).collect();
        if let Some(route) = self.routes[Kind::Resources].get(uri) {
            return vec![Reader { targets: targets(route), because: Because::Listed }];
        }
        let by_template = self.matching(uri).map(|template| (targets(&template.route), Because::Template));
        let by_guess = self.readers.iter().map(|targets| (targets.clone(), Because::Guess));
        let mut readers: Vec<Reader> = Vec::new();
        for (mut targets, because) in by_template.chain(by_guess) {
            targets.retain(|target| self.lets_through(target, uri));
            let Some(first) = targets.first() else { continue };
            if readers.iter().all(|reader| !reader.targets.contains(first)) {
                readers.push(Reader { targets, because });
            }
        }
        readers
    }

    /// Where a reference of `completion/complete` leads, which is a URI template, or a URI.
    pub fn reference(&self, uri: &str) -> Result<&Route, Unknown> {
        let listed = [Kind::Templates, Kind::Resources].into_iter().find_map(|kind| self.routes[kind].get(uri));
        let by_template = || {
            let mut routes = self.matching(uri).map(|template| &template.route);
            routes.find(|route| self.lets_through(&route.first().target, uri))
        };
        listed.or_else(by_template).ok_or_else(|| Unknown { kind: Kind::Templates, key: uri.to_owned() })
    }

    /// What is not as its target means it.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether a URI that `target` does not list may be asked of it.
    fn lets_through(&self, target: &TargetName, uri: &str) -> bool {
        let both = [self.held_back.get(target), self.unlisted.as_ref()];
        both.into_iter().flatten().all(|selection| selection.selects_unlisted(uri))
    }

    fn matching(&self, uri: &str) -> impl Iterator<Item = &Template> {
        self.templates.iter().filter(move |template| template.pattern.matches(uri))
    }
}

impl Name {
    /// What the entry is listed as.
    fn shown(&self) -> &str {
        self.short.as_deref().unwrap_or(&self.full)
    }
}

impl Route {
    /// The path of the entry that clients see.
    pub fn first(&self) -> &Path {
        &self.paths[0]
    }
}

impl Problem {
    /// Whether it is about what this target offers.
    pub fn concerns(&self, name: &TargetName) -> bool {
        match self {
            Self::Duplicate { target, .. }
            | Self::Uneven { target, .. }
            | Self::Keyless { target, .. }
            | Self::BadTemplate { target, .. }
            | Self::BadHeaders { target, .. }
            | Self::Idle { target, .. }
            | Self::NameTaken { target, .. }
            | Self::ShortTaken { target, .. } => target == name,
            Self::Collision { kept, left_out, .. }
            | Self::Shadowed { kept, left_out, .. }
            | Self::Tie { kept, left_out, .. }
            | Self::Outranked { kept, left_out, .. } => kept == name || left_out == name,
            Self::TooLong { tools, .. } | Self::Characters { tools, .. } | Self::Undescribed { tools, .. } => {
                tools.iter().any(|tool| tool.target == *name)
            }
            Self::TooMany { .. } | Self::IdleOfToolset { .. } => false,
        }
    }

    /// Whether it is as the configuration wants it, and no news to the operator.
    pub fn is_intended(&self) -> bool {
        match self {
            Self::Outranked { .. } => true,
            // A resource need not be listed to be held back.
            Self::Idle { kind, .. } | Self::IdleOfToolset { kind, .. } => *kind == Kind::Resources,
            _ => false,
        }
    }
}
