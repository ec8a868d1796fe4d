//! What all targets offer, merged: one immutable value, serialized once. Contacts nobody and knows no clients.

pub mod merge;
pub mod page;

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;

pub use merge::merge;
pub use page::{BadPage, Page, Tool};

use crate::name::TargetName;

/// The merged lists, and for each name in them where it leads.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// JSON array of all tools under their merged names, targets in config order, each in its target's own order.
    tools: Bytes,
    routes: HashMap<String, Route>,
    problems: Vec<Problem>,
}

/// Where a merged name leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub target: TargetName,
    /// The name as the target knows it.
    pub name: Arc<str>,
}

/// Something that a target offers and clients do not get, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("target `{target}` lists the tool `{name}` more than once: the first one counts")]
    Duplicate { target: TargetName, name: String },
    #[error("target `{target}` lists a tool without a name: it is left out")]
    Nameless { target: TargetName },
}

/// Nobody offers this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Unknown tool: {0}")]
pub struct UnknownTool(pub String);

impl Default for Catalog {
    /// Of no tools: an empty array, which is a list too.
    fn default() -> Self {
        Self { tools: Bytes::from_static(b"[]"), routes: HashMap::new(), problems: Vec::new() }
    }
}

impl Catalog {
    /// All tools as a JSON array.
    pub fn tools(&self) -> &Bytes {
        &self.tools
    }

    /// How many tools there are.
    pub fn len(&self) -> usize {
        self.routes.len()
    }

    /// Whether there is no tool.
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    /// Where the tool of this merged name is.
    pub fn route(&self, name: &str) -> Result<&Route, UnknownTool> {
        self.routes.get(name).ok_or_else(|| UnknownTool(name.to_owned()))
    }

    /// What was left out.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}
