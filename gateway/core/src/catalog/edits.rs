//! What a config changes in what one target lists: which entries count, and what they are called and described as. Applied by
//! `merge.rs`; everything that no setting names stays as the target sent it.

use std::collections::{BTreeMap, HashSet};

use super::{Entry, Kind, Problem};
use crate::{
    name::{DELIMITER, Pattern, Selection, TargetName},
    wire::{ObjectEdit, json},
};

/// The changes to one target's lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    pub tools: Edit,
    pub prompts: Edit,
    /// By URI, and of templates by their text.
    pub resources: Selection,
}

/// The changes to a list of one kind. Every name is the target's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    pub selection: Selection,
    /// Other names; of a name that has its target in it already, for what follows the first `___`.
    pub rename: BTreeMap<String, String>,
    pub title: BTreeMap<String, String>,
    pub describe: BTreeMap<String, String>,
}

/// The names under which entries of one target and kind go on to be merged, where they are not their own: by their own.
pub(super) type Renamed<'a> = BTreeMap<&'a str, String>;

impl Edits {
    /// Which entries of `kind` count, by their own keys.
    pub fn selection(&self, kind: Kind) -> &Selection {
        match kind {
            Kind::Tools => &self.tools.selection,
            Kind::Prompts => &self.prompts.selection,
            Kind::Resources | Kind::Templates => &self.resources,
        }
    }

    /// The texts that change in entries of `kind`.
    pub(super) fn of(&self, kind: Kind) -> Option<&Edit> {
        match kind {
            Kind::Tools => Some(&self.tools),
            Kind::Prompts => Some(&self.prompts),
            Kind::Resources | Kind::Templates => None,
        }
    }
}

impl Edit {
    /// What `entries`, those that count, are renamed to. One that would take the name of another keeps its own, and that is a
    /// problem.
    pub(super) fn renamed<'a>(
        &self,
        (target, kind, is_gateway): (&TargetName, Kind, bool),
        entries: &[&'a Entry],
        problems: &mut Vec<Problem>,
    ) -> Renamed<'a> {
        let mut renamed = Renamed::new();
        if self.rename.is_empty() {
            return renamed;
        }
        let mut kept = HashSet::new();
        for entry in entries {
            let own = entry.key.as_str();
            if let Some(name) = self.rename.get(own) {
                renamed.insert(own, new_name(own, name, is_gateway));
            } else {
                kept.insert(own);
            }
        }
        // A name that stays because its new one is taken may in turn be what another was to become.
        let is_taken = |own: &str, name: &str, kept: &HashSet<&str>| own != name && kept.contains(name);
        while let Some((&own, _)) = renamed.iter().find(|(own, name)| is_taken(own, name, &kept)) {
            let name = renamed.remove(own).expect("it was found a moment ago");
            kept.insert(own);
            problems.push(Problem::NameTaken { target: target.clone(), kind, own: own.to_owned(), name });
        }
        renamed
    }

    /// `entry` (JSON text) with the title and description that `own`, its name, has here.
    pub(super) fn worded<'a>(&self, own: &str, mut edit: ObjectEdit<'a>) -> ObjectEdit<'a> {
        for (key, texts) in [("title", &self.title), ("description", &self.describe)] {
            if let Some(text) = texts.get(own) {
                edit.set(key, &json(&text));
            }
        }
        edit
    }

    /// Whether the text of an entry with this name stays as it is, but for the name.
    pub(super) fn leaves(&self, own: &str) -> bool {
        !self.title.contains_key(own) && !self.describe.contains_key(own)
    }
}

/// `name` for the entry `own`. Of a gateway's names the part before the first `___`, a target behind it, stays.
fn new_name(own: &str, name: &str, is_gateway: bool) -> String {
    match own.split_once(DELIMITER).filter(|_| is_gateway) {
        Some((target, _)) => [target, DELIMITER, name].concat(),
        None => name.to_owned(),
    }
}

/// Settings of `edits` that name nothing of what a target lists. `keys` are those of all its entries of a kind; a kind that it
/// never listed is not judged.
pub(super) fn idle<'a>(
    target: &TargetName,
    edits: &Edits,
    keys: impl Fn(Kind) -> Option<Vec<&'a str>>,
    problems: &mut Vec<Problem>,
) {
    for (kind, list, edit) in [(Kind::Tools, "tools", &edits.tools), (Kind::Prompts, "prompts", &edits.prompts)] {
        let Some(keys) = keys(kind) else { continue };
        let mut note = |setting: &str, name: &str| {
            let (target, setting, name) = (target.clone(), format!("{list}.{setting}"), name.to_owned());
            problems.push(Problem::Idle { target, kind, setting, name });
        };
        unmatched(&edit.selection, &keys).for_each(|(setting, pattern)| note(setting, pattern.as_str()));
        for (setting, texts) in [("rename", &edit.rename), ("title", &edit.title), ("describe", &edit.describe)] {
            texts.keys().filter(|own| !keys.contains(&own.as_str())).for_each(|own| note(setting, own));
        }
    }
    let (Some(mut uris), Some(templates)) = (keys(Kind::Resources), keys(Kind::Templates)) else { return };
    uris.extend(templates);
    problems.extend(unmatched(&edits.resources, &uris).map(|(setting, pattern)| {
        let (setting, name) = (format!("resources.{setting}"), pattern.to_string());
        Problem::Idle { target: target.clone(), kind: Kind::Resources, setting, name }
    }));
}

/// The patterns that match none of `keys`, each with the setting that it stands in. One that stands for everything is right
/// whatever there is.
pub(super) fn unmatched<'s>(
    selection: &'s Selection,
    keys: &[&str],
) -> impl Iterator<Item = (&'static str, &'s Pattern)> {
    let settings = [("include", &selection.include), ("exclude", &selection.exclude)];
    let patterns = settings.into_iter().flat_map(|(setting, patterns)| patterns.iter().map(move |it| (setting, it)));
    patterns.filter(|(_, pattern)| !pattern.matches("") && !keys.iter().any(|key| pattern.matches(key)))
}
