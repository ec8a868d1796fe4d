//! What a toolset shows of a view: a part of its catalog, and what the gateway says about itself there. Asks nobody and merges
//! nothing.

use std::{collections::BTreeSet, sync::Arc};

use causeway_core::{
    catalog::{Kind, Names, Shown, capabilities},
    name::TargetName,
};

use super::{
    TargetState, View,
    view::{instructions, serves},
};
use crate::config::Toolset;

/// What makes a view that of a toolset.
#[derive(Clone, Debug)]
pub struct Part {
    shown: Arc<Shown>,
    /// Targets that it shows something of.
    members: BTreeSet<TargetName>,
}

impl View {
    /// What `toolset` shows of this view, which is of all that there is.
    pub fn part(&self, toolset: &Toolset, names: Names) -> Self {
        let mut catalog = self.catalog.part(&toolset.shown);
        // A pattern may be for a target that is still to be listed.
        if self.is_complete() {
            catalog = catalog.compared(&toolset.name, &self.catalog, &toolset.shown);
        }
        let catalog = catalog.judged(&format!("toolset `{}`", toolset.name), &toolset.audience);
        let part = Part { shown: Arc::clone(&toolset.shown), members: catalog.members() };
        let members: Vec<&TargetState> =
            self.targets.iter().filter(|target| part.members.contains(&target.name)).collect();
        let shown = |kind| toolset.shown.of(kind).is_some();
        let declared: Vec<String> = members.iter().filter_map(|target| target.declared(shown)).collect();
        let declared: Vec<&str> = declared.iter().map(String::as_str).collect();
        Self {
            capabilities: capabilities::union(&declared, &catalog, serves()).into(),
            instructions: instructions(names, &members).map(Into::into),
            catalog: Arc::new(catalog),
            targets: self.targets.clone(),
            paths: self.paths.clone(),
            part: Some(part),
        }
    }

    /// The same part of a view in which nothing changed but how the targets are.
    pub(super) fn part_as_before(&self, before: &Self) -> Self {
        Self { targets: self.targets.clone(), paths: self.paths.clone(), ..before.clone() }
    }

    /// Whether anything of this target is in it.
    pub fn has(&self, target: &TargetName) -> bool {
        self.part.as_ref().is_none_or(|part| part.members.contains(target))
    }

    /// Whether something of this name is in it, or may come to be.
    pub fn may_show(&self, kind: Kind, name: &str) -> bool {
        self.part.as_ref().is_none_or(|part| part.shown.shows(kind, name))
    }
}
