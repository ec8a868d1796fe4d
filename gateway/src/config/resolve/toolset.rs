//! Resolves the toolsets: names, what each shows, who may call it. What there is to show is known once targets were asked.

use std::{collections::HashMap, ops::Range, sync::Arc};

use causeway_core::{
    catalog::Shown,
    name::{Audience, Selection, ToolsetName},
};

use super::{
    super::{
        Authorizer, Gateway, Toolset,
        file::{self, selection as mirror, toolset::Toolset as Mirror},
        located::{Located, Member},
    },
    Resolver,
};

impl Resolver<'_> {
    pub(super) fn toolsets(&mut self, file: &file::File, gateway: Option<&Gateway>) -> Option<Vec<Toolset>> {
        let toolsets = file.toolsets.as_ref().map_or(&[][..], |member| &member.value);
        let resolved: Vec<_> = toolsets.iter().map(|toolset| self.toolset(file, toolset, gateway)).collect();
        self.twins(toolsets);
        self.findings.concern(None);
        resolved.into_iter().collect()
    }

    fn toolset(
        &mut self,
        file: &file::File,
        Located { value: toolset, at }: &Located<Mirror>,
        gateway: Option<&Gateway>,
    ) -> Option<Toolset> {
        self.findings.concern(Some(at));
        let name = self.toolset_name(at, &toolset.name);
        let shown = self.shown(at, toolset);
        let authorizer = toolset.authorizer.as_ref().map(|member| self.own_authorizer(file, member, gateway));
        let description = self.filled("description", &toolset.description).map(str::to_owned);
        let audience = self.audience_of(file, toolset, name.as_ref());
        Some(Toolset {
            name: name?,
            description,
            shown: Arc::new(shown),
            authorizer: match authorizer {
                Some(authorizer) => Some(authorizer?),
                None => None,
            },
            instructions: toolset.instructions.as_ref().map(|text| text.value.clone()),
            audience,
        })
    }

    fn toolset_name(&mut self, at: &Range<usize>, name: &Member<String>) -> Option<ToolsetName> {
        let name = self.required(at, "name", name, "\"my-toolset\"")?;
        let parsed = name.value.parse();
        parsed.map_err(|why: causeway_core::name::BadToolsetName| self.findings.report(&name.at, why.to_string())).ok()
    }

    /// Letter case does not tell names apart, as people would not.
    fn twins(&mut self, toolsets: &[Located<Mirror>]) {
        let mut seen: HashMap<String, usize> = HashMap::new();
        for toolset in toolsets {
            let Some(name) = &toolset.value.name else { continue };
            let line = self.findings.line(&name.at);
            if let Some(first) = seen.get(&name.value.to_ascii_lowercase()) {
                self.findings.concern(Some(&toolset.at));
                let message = format!("the toolset on line {first} has the same name; rename this one");
                self.findings.report(&name.at, message);
            } else {
                seen.insert(name.value.to_ascii_lowercase(), line);
            }
        }
    }

    fn shown(&mut self, at: &Range<usize>, toolset: &Mirror) -> Shown {
        let lists = [("tools", &toolset.tools), ("prompts", &toolset.prompts), ("resources", &toolset.resources)];
        if lists.iter().all(|(_, list)| list.is_none()) {
            let message =
                "the toolset shows nothing; write `tools.include = [\"my-target___*\"]`, `prompts` or `resources`";
            self.missing(at, &["tools", "prompts", "resources"], message);
        }
        let mut of = |list: &str, member: &Member<mirror::Selection>| -> Option<Selection> {
            member.is_some().then(|| self.selection_of(list, member.as_ref()))
        };
        let [tools, prompts, resources] = lists.map(|(list, member)| of(list, member));
        Shown { tools, prompts, resources }
    }

    fn own_authorizer(
        &mut self,
        file: &file::File,
        member: &Located<file::Authorizer>,
        gateway: Option<&Gateway>,
    ) -> Option<Authorizer> {
        let mut authorizer = self.authorizer(Some(member));
        self.address(&member.at, gateway, authorizer.as_mut());
        self.exposure(file, &member.at, gateway, authorizer.as_ref());
        authorizer
    }

    /// Who uses a toolset: the clients that it names, else those of the gateway, by a name of its own in any case.
    fn audience_of(&mut self, file: &file::File, toolset: &Mirror, name: Option<&ToolsetName>) -> Audience {
        let own = toolset.clients.as_ref().map(|member| &member.value);
        let server_name = own.map_or(&None, |clients| &clients.server_name);
        let used = match own.and_then(|clients| clients.used.as_ref()) {
            Some(used) => {
                self.each_client_once("clients.used", &used.value);
                &used.value[..]
            }
            None => file.clients.as_ref().map_or(&[][..], |clients| &clients.value.used),
        };
        let at = toolset.name.as_ref().map(|name| &name.at);
        self.audience((used, server_name), (name.map_or("toolset", ToolsetName::as_str), at))
    }
}
