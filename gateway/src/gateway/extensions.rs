//! Methods that the gateway does not know: they go to the one target that declares the extension they belong to.
//!
//! Source: MCP 2026-07-28, basic/versioning, "Extension Negotiation".

use causeway_core::{canonical::tasks, name::TargetName, wire::ObjectEdit};

use super::Gateway;
use crate::discovery::TargetState;

/// What stands before the first `/` of the methods that MCP defines itself, whatever the version.
const OWN: [&str; 14] = [
    "initialize",
    "ping",
    "server",
    "subscriptions",
    "tools",
    "prompts",
    "resources",
    "completion",
    "logging",
    "tasks",
    "sampling",
    "elicitation",
    "roots",
    "notifications",
];

impl Gateway {
    /// The target that `method`, which is none of MCP's own, is for: the one that declares an extension whose name ends like
    /// the method begins (`search/query` of `com.example/search`), else the only one that declares any extension at all.
    pub(super) fn declarer(&self, method: &str) -> Option<TargetName> {
        let beginning = method.split('/').next().unwrap_or_default();
        if beginning.is_empty() || OWN.contains(&beginning) {
            return None;
        }
        let view = self.view();
        let declared: Vec<(&TargetState, Vec<String>)> = view
            .targets
            .iter()
            .filter(|target| view.has(&target.name))
            .map(|target| (target, extensions(target)))
            .filter(|(_, extensions)| !extensions.is_empty())
            .collect();
        let belongs = |name: &String| name.rsplit(['/', '.']).next() == Some(beginning);
        let named: Vec<_> = declared.iter().filter(|(_, names)| names.iter().any(belongs)).collect();
        let target = match (&named[..], &declared[..]) {
            ([(one, _)], _) | ([], [(one, _)]) => one,
            _ => return None,
        };
        Some(target.name.clone())
    }
}

/// The names of the extensions, official and experimental, that a target declares, but for those that the gateway knows.
fn extensions(target: &TargetState) -> Vec<String> {
    let Some(about) = &target.about else { return Vec::new() };
    let Ok(all) = ObjectEdit::parse(&about.capabilities) else { return Vec::new() };
    let of = |key| all.get(key).and_then(|extensions| ObjectEdit::parse(extensions).ok());
    let declared = [of("extensions"), of("experimental")];
    let names = declared.iter().flatten().flat_map(ObjectEdit::members).map(|(name, _)| name.to_owned());
    names.filter(|name| name != tasks::EXTENSION).collect()
}
