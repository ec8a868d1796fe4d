//! Resolves what is chosen among what targets list. What they list, nobody knows yet: a name that is not there is found when
//! they are asked.

use std::collections::{BTreeMap, HashMap};

use causeway_core::{
    catalog::{Edit, Edits},
    name::{Pattern, Selection},
};

use super::{
    super::{
        file::{self, Map, selection as mirror},
        located::{Located, Member},
    },
    Resolver,
};

/// MCP 2025-11-25, server/tools, "Tool Names".
const MOST_CHARACTERS: usize = 128;

impl Resolver<'_> {
    /// What is changed in what a target lists.
    pub(super) fn edits(&mut self, target: &file::Target) -> Edits {
        let is_gateway =
            matches!(target.kind.as_ref().map(|kind| kind.value), Some(file::target::Kind::AgentcoreGateway));
        Edits {
            tools: self.edit("tools", target.tools.as_ref(), is_gateway),
            prompts: self.edit("prompts", target.prompts.as_ref(), is_gateway),
            resources: self.selection_of("resources", target.resources.as_ref()),
        }
    }

    fn edit(&mut self, list: &str, member: Option<&Located<mirror::Listing>>, is_gateway: bool) -> Edit {
        let Some(Located { value: listing, .. }) = member else { return Edit::default() };
        let selection = self.selection(list, &listing.include, &listing.exclude);
        for (setting, texts) in
            [("rename", &listing.rename), ("title", &listing.title), ("describe", &listing.describe)]
        {
            self.texts_of_selected(&format!("{list}.{setting}"), texts, &selection);
        }
        self.new_names(&format!("{list}.rename"), &listing.rename, is_gateway);
        let texts = |map: &Map<String>| map.iter().map(|(own, text)| (own.clone(), text.value.clone())).collect();
        let texts: [BTreeMap<String, String>; 3] = [&listing.rename, &listing.title, &listing.describe].map(texts);
        let [rename, title, describe] = texts;
        Edit { selection, rename, title, describe }
    }

    pub(super) fn selection_of(&mut self, list: &str, member: Option<&Located<mirror::Selection>>) -> Selection {
        let Some(Located { value: mirror::Selection { include, exclude }, .. }) = member else {
            return Selection::default();
        };
        self.selection(list, include, exclude)
    }

    fn selection(
        &mut self,
        list: &str,
        include: &Member<Vec<Located<String>>>,
        exclude: &[Located<String>],
    ) -> Selection {
        if let Some(include) = include.as_ref().filter(|include| include.value.is_empty()) {
            let message = format!(
                "`{list}.include` is empty, which would leave nothing; write `exclude = [\"*\"]` if that is meant, or leave it out \
                 for everything"
            );
            self.findings.report(&include.at, message);
        }
        let include = include.as_ref().map_or(&[][..], |include| &include.value);
        let include = self.patterns(&format!("{list}.include"), include);
        Selection { include, exclude: self.patterns(&format!("{list}.exclude"), exclude) }
    }

    pub(super) fn patterns(&mut self, name: &str, patterns: &[Located<String>]) -> Vec<Pattern> {
        for (at, pattern) in patterns.iter().enumerate() {
            let message = match pattern.value.as_str() {
                "" => format!("a pattern of `{name}` is empty and matches nothing; write `\"*\"` for everything"),
                text if patterns[..at].iter().any(|before| before.value == text) => {
                    format!("`{name}` holds `{text}` twice; leave one out")
                }
                _ => continue,
            };
            self.findings.report(&pattern.at, message);
        }
        patterns.iter().map(|pattern| Pattern::new(&pattern.value)).collect()
    }

    /// Texts for what clients never see would say that they do.
    fn texts_of_selected(&mut self, name: &str, texts: &Map<String>, selection: &Selection) {
        for (own, text) in texts {
            if text.value.is_empty() {
                self.findings.report(&text.at, format!("`{name}` of `{own}` is empty; write a text or leave it out"));
            } else if !selection.selects(own) {
                let list = name.split('.').next().unwrap_or(name);
                let message = format!(
                    "`{name}` names `{own}`, which `{list}.include` and `{list}.exclude` leave out; take it out here, or let it \
                     through there"
                );
                self.findings.report(&text.at, message);
            }
        }
    }

    fn new_names(&mut self, name: &str, rename: &Map<String>, is_gateway: bool) {
        let mut seen: HashMap<&str, &str> = HashMap::new();
        for (own, new) in rename.iter().filter(|(_, new)| !new.value.is_empty()) {
            let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
            if !new.value.chars().all(is_allowed) || new.value.len() > MOST_CHARACTERS {
                let message = format!(
                    "`{name}` gives `{own}` a name that clients refuse; write at most {MOST_CHARACTERS} letters, digits, `_` and `-`"
                );
                self.findings.report(&new.at, message);
            }
            // Of a gateway's names another part may tell them apart.
            if let Some(first) = seen.insert(&new.value, own).filter(|_| !is_gateway) {
                let message =
                    format!("`{name}` gives `{first}` and `{own}` the same name; rename one of them to something else");
                self.findings.report(&new.at, message);
            }
        }
    }
}
