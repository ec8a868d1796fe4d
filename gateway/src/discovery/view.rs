//! What is known of all targets at one moment, and what the gateway says about itself because of it. Asks nobody.

use std::{sync::Arc, time::Duration};

use causeway_core::{
    catalog::{
        self, Catalog, Edits, Kind, Lists, Names, Naming, Offer,
        capabilities::{self, Serves},
    },
    name::{Audience, PathName, TargetName},
    wire::ObjectEdit,
};

use super::Part;
use crate::{
    config::TargetKind,
    targets::{About, Fault, Target},
};

/// What is known of all targets at one moment.
#[derive(Clone, Debug)]
pub struct View {
    pub catalog: Arc<Catalog>,
    /// What the gateway declares toward clients: a `ServerCapabilities` object, as JSON text.
    pub capabilities: Arc<str>,
    /// What the targets say to a client's model, each under its name.
    pub instructions: Option<Arc<str>>,
    /// In config order. Of a target in several places, what the best of them says that can be listed, or else could be.
    pub targets: Vec<TargetState>,
    /// In the same order, each place of a target for itself.
    pub paths: Vec<TargetState>,
    /// Set where it is what a toolset shows: all but `targets` and `paths` is of that then.
    pub part: Option<Part>,
}

/// What is made of the lists of targets, and for whom.
#[derive(Clone, Debug, Default)]
pub struct Merging {
    pub naming: Naming,
    /// Who uses it at `/mcp`.
    pub audience: Audience,
}

/// What is known of one target, or of one of its places.
#[derive(Clone, Debug)]
pub struct TargetState {
    pub name: TargetName,
    /// Of a target in several places, that of none of them.
    pub path: PathName,
    /// Of which server it is.
    pub fingerprint: Arc<str>,
    pub kind: TargetKind,
    pub resource_priority: u16,
    /// What of its lists clients see, and under which names.
    pub edits: Arc<Edits>,
    /// What it said about itself when it was asked last.
    pub about: Option<About>,
    /// Its last list of each kind.
    pub lists: Lists,
    /// The last lists of each of its places, where it is in several.
    pub lists_of_places: Vec<Lists>,
    /// Whether listing it was tried, with whatever outcome.
    pub tried: bool,
    /// Why the last try failed, or a part of it.
    pub error: Option<Fault>,
    /// When the last try began, since the Unix epoch.
    pub asked: Option<Duration>,
    /// When the last try began that did not fail, since the Unix epoch.
    pub listed: Option<Duration>,
    /// How long that try took.
    pub took: Option<Duration>,
    /// Its lists are from before the start, or from before its settings changed: it could not be listed since.
    pub restored: bool,
}

/// What the gateway passes on by now. A capability that it cannot serve is switched off here, and so not declared.
pub(super) fn serves() -> Serves {
    Serves { list_changed: true, subscribe: true, logging: true, tasks: true }
}

impl View {
    /// What is known before any target was asked.
    pub fn unlisted(targets: &[Arc<Target>]) -> Self {
        Self::of(targets.iter().map(|target| TargetState::new(target)).collect(), &Merging::default())
    }

    /// What is known of these places of targets, merged.
    pub fn of(paths: Vec<TargetState>, merging: &Merging) -> Self {
        let (catalog, instructions, targets, part) = Default::default();
        let mut view = Self { catalog, capabilities: "".into(), instructions, targets, paths, part };
        view.join();
        view.merge(merging);
        view
    }

    /// Whether nothing is missing that could be there: every target was asked once since the start, or its lists from before are
    /// here.
    pub fn is_complete(&self) -> bool {
        self.targets.iter().all(|target| target.tried || target.restored)
    }

    /// Whether every target was asked once since the start.
    pub fn is_settled(&self) -> bool {
        self.targets.iter().all(|target| target.tried)
    }

    /// Puts together anew what is known of each target from its places.
    pub(super) fn join(&mut self) {
        let of_each_target = self.paths.chunk_by(|one, next| one.name == next.name);
        self.targets = of_each_target.map(TargetState::joined).collect();
    }

    /// Merges anew what the targets offer.
    pub(super) fn merge(&mut self, merging: &Merging) {
        let offers: Vec<Offer<'_>> = self.targets.iter().map(TargetState::offer).collect();
        let catalog = catalog::merge(merging.naming, &offers).judged("the gateway", &merging.audience);
        let declared: Vec<String> = self.targets.iter().filter_map(|target| target.declared(|_| true)).collect();
        let declared: Vec<&str> = declared.iter().map(String::as_str).collect();
        self.capabilities = capabilities::union(&declared, &catalog, serves()).into();
        self.instructions =
            instructions(merging.naming.names, &self.targets.iter().collect::<Vec<_>>()).map(Into::into);
        self.catalog = Arc::new(catalog);
    }
}

impl TargetState {
    /// Of a target that nobody has asked yet.
    pub fn new(target: &Target) -> Self {
        Self {
            name: target.name().clone(),
            path: target.path().clone(),
            fingerprint: Arc::clone(target.fingerprint()),
            kind: target.kind().clone(),
            resource_priority: target.resource_priority(),
            edits: Arc::clone(target.edits()),
            about: None,
            lists: Lists::default(),
            lists_of_places: Vec::new(),
            tried: false,
            error: None,
            asked: None,
            listed: None,
            took: None,
            restored: false,
        }
    }

    /// The same lists for `target`, which is another value of the same and was asked for nothing yet.
    pub fn of_before(&self, target: &Target) -> Self {
        Self {
            about: self.about.clone(),
            lists: self.lists.clone(),
            listed: self.listed,
            took: self.took,
            restored: self.listed.is_some(),
            ..Self::new(target)
        }
    }

    /// A target from its places, best first and not none. The first of those that could be listed last says what it offers; what
    /// one was that cannot be any more counts only where none can.
    fn joined(places: &[Self]) -> Self {
        let [first, _, ..] = places else { return places[0].clone() };
        let (working, others): (Vec<&Self>, Vec<&Self>) =
            places.iter().partition(|place| place.tried && place.error.is_none());
        let by_worth = || working.iter().chain(&others);
        Self {
            path: PathName::only(first.name.clone()),
            about: by_worth().find_map(|place| place.about.clone()),
            lists: Lists::of(|kind| by_worth().find_map(|place| place.lists[kind].clone())),
            lists_of_places: by_worth().map(|place| place.lists.clone()).collect(),
            tried: places.iter().all(|place| place.tried),
            error: first.error.clone().filter(|_| working.is_empty()),
            asked: places.iter().filter_map(|place| place.asked).max(),
            listed: places.iter().filter_map(|place| place.listed).max(),
            took: by_worth().find_map(|place| place.took),
            restored: working.is_empty() && places.iter().any(|place| place.restored),
            ..first.clone()
        }
    }

    /// How many entries its last list of this kind had; none if it never gave one.
    pub fn count(&self, kind: Kind) -> Option<usize> {
        Some(self.lists[kind].as_ref()?.iter().map(|page| page.entries.len()).sum())
    }

    /// Why the last try failed, as a sentence about this place.
    pub fn error_text(&self) -> Option<String> {
        self.error.as_ref().map(|fault| format!("target `{}` {fault}", self.path))
    }

    /// Whether this leads to another catalog than `other`, which is of the same target.
    pub(super) fn would_merge_otherwise(&self, other: &Self) -> bool {
        let offer = |it: &Self| (it.tried, it.restored, it.error_text());
        offer(self) != offer(other) || self.about != other.about || self.lists != other.lists
    }

    /// In a word: `pending`, `restored`, `listed` or `failed`.
    pub fn word(&self) -> &'static str {
        match (&self.error, self.tried) {
            (None, true) => "listed",
            (None, false) if self.restored => "restored",
            (None, false) => "pending",
            (Some(_), _) => "failed",
        }
    }

    fn capabilities(&self) -> Option<&str> {
        self.about.as_ref().map(|about| about.capabilities.as_str())
    }

    /// Its capabilities (JSON text) without those of kinds of which nothing is `shown`, or nothing let through.
    pub(super) fn declared(&self, shown: impl Fn(Kind) -> bool) -> Option<String> {
        let capabilities = self.capabilities()?;
        let Ok(mut edit) = ObjectEdit::parse(capabilities) else { return Some(capabilities.to_owned()) };
        let gone = |kind| !shown(kind) || self.holds_back(kind);
        let [tools, prompts, resources] = [Kind::Tools, Kind::Prompts, Kind::Resources].map(gone);
        let gone =
            [("tasks", tools), ("prompts", prompts), ("resources", resources), ("completions", prompts && resources)];
        gone.into_iter().filter(|(_, gone)| *gone).for_each(|(capability, _)| edit.remove(capability));
        Some(edit.finish())
    }

    /// Whether clients get nothing of this kind that it has. A resource need not be listed to be had.
    fn holds_back(&self, kind: Kind) -> bool {
        let selection = self.edits.selection(kind);
        let mut listed =
            self.lists[kind].iter().flat_map(|pages| pages.iter()).flat_map(|page| &page.entries).peekable();
        let is_listed_alone = matches!(kind, Kind::Tools | Kind::Prompts);
        let mut all_are_out = || listed.peek().is_some() && !listed.any(|entry| selection.selects(&entry.key));
        selection.is_nothing() || (is_listed_alone && all_are_out())
    }

    fn offer(&self) -> Offer<'_> {
        let declared =
            self.capabilities().is_some_and(|capabilities| capabilities::declares(capabilities, "resources"));
        let listed = [Kind::Resources, Kind::Templates].into_iter().any(|kind| self.count(kind) > Some(0));
        Offer {
            target: &self.name,
            resource_priority: self.resource_priority,
            has_resources: (declared || listed) && !self.holds_back(Kind::Resources),
            is_gateway: self.kind != TargetKind::Server,
            standby: self.kind.standby(),
            edits: &self.edits,
            lists: &self.lists,
            places: &self.lists_of_places,
        }
    }
}

/// What the targets say to a client's model, each under its name; without a name where there is but one and clients see no
/// names of targets.
pub(super) fn instructions(names: Names, targets: &[&TargetState]) -> Option<String> {
    let said =
        targets.iter().filter_map(|target| Some((&target.name, target.about.as_ref()?.instructions.as_deref()?)));
    let said: Vec<_> = said.filter(|(_, text)| !text.trim().is_empty()).collect();
    match (names, targets, &said[..]) {
        (_, _, []) => None,
        (Names::Plain, [_], [(_, text)]) => Some((*text).to_owned()),
        _ => {
            let chapters: Vec<String> =
                said.iter().map(|(name, text)| format!("# {name}\n\n{}", text.trim())).collect();
            Some(chapters.join("\n\n"))
        }
    }
}

#[cfg(test)]
mod tests {
    use causeway_core::{
        catalog::{Edit, Page},
        era::Era,
        name::{Pattern, Selection},
    };

    use super::*;

    fn state(name: &str, instructions: Option<&str>) -> TargetState {
        let about = About {
            era: Era::Modern,
            version: String::new(),
            capabilities: "{}".into(),
            server_info: None,
            instructions: instructions.map(ToOwned::to_owned),
        };
        let (lists, lists_of_places, about) = (Lists::default(), Vec::new(), Some(about));
        let (path, kind, resource_priority) = (name.parse().unwrap(), TargetKind::Server, 0);
        let name = name.parse().unwrap();
        TargetState {
            name,
            path,
            fingerprint: "".into(),
            kind,
            resource_priority,
            edits: Arc::default(),
            about,
            lists,
            lists_of_places,
            tried: true,
            error: None,
            asked: None,
            listed: None,
            took: None,
            restored: false,
        }
    }

    fn check(names: Names, targets: &[TargetState], expected: Option<&str>) {
        let targets: Vec<&TargetState> = targets.iter().collect();
        assert_eq!(instructions(names, &targets).as_deref(), expected);
    }

    #[test]
    fn what_is_held_back_is_not_declared() {
        let declared = |prompts: Selection, resources: Selection| {
            let mut state = state("a", None);
            let about = state.about.as_mut().unwrap();
            about.capabilities = r#"{"prompts":{},"resources":{ },"completions":{},"tasks":{},"x":1}"#.into();
            let page = Page::parse(Kind::Prompts, r#"{"prompts":[{"name":"p"},{"name":"q"}]}"#).unwrap();
            state.lists[Kind::Prompts] = Some([page].into());
            let prompts = Edit { selection: prompts, ..Edit::default() };
            state.edits = Arc::new(Edits { prompts, resources, ..Edits::default() });
            state.declared(|_| true).unwrap()
        };
        let but = |texts: &[&str]| {
            let exclude = texts.iter().map(|text| Pattern::new(text)).collect();
            Selection { exclude, ..Selection::default() }
        };
        let all = r#"{"prompts":{},"resources":{ },"completions":{},"tasks":{},"x":1}"#;
        assert_eq!(declared(but(&["p"]), but(&["x://*"])), all);
        assert_eq!(declared(but(&["p", "q"]), but(&[])), r#"{"resources":{ },"completions":{},"tasks":{},"x":1}"#);
        assert_eq!(declared(but(&["*"]), but(&["*"])), r#"{"tasks":{},"x":1}"#);
    }

    #[test]
    fn instructions_stand_under_the_name_of_their_target() {
        let targets = [state("a", Some("Add.\n")), state("b", None), state("c", Some("Count."))];
        for names in [Names::Prefixed, Names::Plain] {
            check(names, &targets, Some("# a\n\nAdd.\n\n# c\n\nCount."));
        }
        check(Names::Prefixed, &targets[..1], Some("# a\n\nAdd."));
        check(Names::Plain, &targets[..1], Some("Add.\n"));
        check(Names::Prefixed, &[state("a", Some(" ")), state("b", None)], None);
    }
}
