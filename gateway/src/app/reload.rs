//! Taking one configuration after the other. Each takes effect as a whole or not at all, and nothing that is in flight notices.

use tokio::sync::mpsc;

use super::{Effect, effect::Ready, ports::Ports};
use crate::reload::{Outcome, Wanted};

impl Ports {
    /// Takes each configuration that is `wanted`. Ends never: whoever serves ends this.
    pub(super) async fn take_what_is(&mut self, mut wanted: mpsc::Receiver<Wanted>) {
        while let Some(wanted) = wanted.recv().await {
            self.take(wanted).await;
        }
        std::future::pending().await
    }

    async fn take(&mut self, Wanted { config, later }: Wanted) {
        let came = match config {
            Err(mistakes) => Err(mistakes),
            Ok(config) if *config == self.effect.parts.config => Ok(Outcome::Unchanged),
            Ok(config) => match Ready::next(*config, &self.effect, &mut self.ground).await {
                Ok(next) => {
                    let changes = changes(&self.effect, &next);
                    self.go_on_with(next);
                    tracing::info!("{changes}");
                    Ok(Outcome::Applied)
                }
                Err(error) => Err(format!("{error:#}")),
            },
        };
        match &came {
            Err(why) => {
                for line in why.lines() {
                    tracing::error!("{line}");
                }
                tracing::error!("the configuration was read again and is not used; the one before stays in effect");
            }
            Ok(Outcome::Unchanged) => tracing::info!("the configuration was read again and says what it said before"),
            Ok(Outcome::Applied | Outcome::Refused) => (),
        }
        if let Ok(_) = &came
            && !later.is_empty()
        {
            let names: Vec<String> = later.iter().map(|name| format!("`{name}`")).collect();
            tracing::warn!("{} of the new configuration: takes effect at the next start", names.join(", "));
        }
        let now = self.ground.clock.now();
        self.ground.standing.send_modify(|standing| {
            if came.is_ok() {
                standing.later = later;
            }
            standing.note(came.map_err(Into::into), now);
        });
    }
}

/// What is told of `next`, by the names of what it changes.
fn changes(before: &Effect, next: &Ready) -> String {
    let (old, new) = (&before.parts.config, &next.parts.config);
    let mut said = Vec::new();
    let list = |names: Vec<String>| names.join(", ");
    let targets = Difference::of(&old.targets, &new.targets, |target| target.name.as_str());
    let toolsets = Difference::of(&old.toolsets, &new.toolsets, |toolset| toolset.name.as_str());
    for (what, difference) in [("target", targets), ("toolset", toolsets)] {
        for (how, names) in [("new", difference.new), ("changed", difference.changed), ("gone", difference.gone)] {
            if !names.is_empty() {
                said.push(format!("{how} {what}{} {}", if names.len() == 1 { "" } else { "s" }, list(names)));
            }
        }
    }
    if old.authorizer != new.authorizer {
        said.push("another authorizer".into());
    }
    let said = if said.is_empty() { String::new() } else { format!(": {}", said.join("; ")) };
    format!("a new configuration is in effect{said}")
}

/// What tells two lists apart whose entries have names, by these.
struct Difference {
    new: Vec<String>,
    changed: Vec<String>,
    gone: Vec<String>,
}

impl Difference {
    fn of<T: PartialEq>(old: &[T], new: &[T], name: impl Fn(&T) -> &str) -> Self {
        let quoted = |entry: &T| format!("`{}`", name(entry));
        let known = |entry: &T, among: &[T]| among.iter().position(|other| name(other) == name(entry));
        let is_changed = |entry: &&T| known(entry, old).is_some_and(|at| old[at] != **entry);
        Self {
            new: new.iter().filter(|entry| known(entry, old).is_none()).map(quoted).collect(),
            changed: new.iter().filter(is_changed).map(quoted).collect(),
            gone: old.iter().filter(|entry| known(entry, new).is_none()).map(quoted).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_by_names() {
        let Difference { new, changed, gone } =
            Difference::of(&[("a", 1), ("b", 1), ("c", 1)], &[("b", 2), ("c", 1), ("d", 1)], |entry| entry.0);
        assert_eq!((new, changed, gone), (vec!["`d`".into()], vec!["`b`".into()], vec!["`a`".into()]));
    }
}
