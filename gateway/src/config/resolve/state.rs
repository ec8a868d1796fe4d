//! Resolves the section `[state]`: what is kept beyond the end of the process, and where.

use std::{path::PathBuf, time::Duration};

use super::{
    super::{
        Snapshot, State,
        environment::{Environment, Reference},
        file,
        located::Located,
    },
    Resolver,
};

/// A year.
const MOST_AGE: u64 = 365 * 24 * 3600;

impl Resolver<'_> {
    pub(super) fn state(&mut self, section: Option<&Located<file::State>>) -> State {
        let default = file::State::default();
        let state = section.map_or(&default, |section| &section.value);
        let age = "state.snapshot_max_age_seconds";
        let seconds = self.number(age, &state.snapshot_max_age_seconds, 1..=MOST_AGE, file::state::SNAPSHOT_SECONDS);
        let wanted = state.snapshot.as_ref().is_none_or(|snapshot| snapshot.value);
        if let (false, Some(member)) = (wanted, &state.snapshot_max_age_seconds) {
            let message = format!("`{age}` has no effect with `snapshot = false`; leave one of the two out");
            self.findings.report(&member.at, message);
        }
        let directory = match &state.directory {
            Some(member) if member.value.as_os_str().is_empty() => {
                let message = "`state.directory` is empty; write a path, or `snapshot = false` to keep nothing";
                self.findings.report(&member.at, message);
                None
            }
            Some(member) => Some(self.directory.join(&member.value)),
            None => by_environment(self.environment),
        };
        let snapshot = directory.filter(|_| wanted);
        State { snapshot: snapshot.map(|directory| Snapshot { directory, max_age: Duration::from_secs(seconds) }) }
    }
}

/// Where state is kept by the customs of the system: systemd's `StateDirectory=` (systemd.exec(5)), else the XDG Base Directory
/// Specification. None where nothing says so; a path that is not absolute counts as nothing there.
fn by_environment(environment: &Environment) -> Option<PathBuf> {
    let directory = |name| {
        let value = environment.look_up(Reference::Variable(name)).ok()?;
        // systemd puts a colon between several.
        let first = value.expose().split(':').next().unwrap_or_default();
        Some(PathBuf::from(first)).filter(|path| path.is_absolute())
    };
    directory("STATE_DIRECTORY")
        .or_else(|| Some(directory("XDG_STATE_HOME")?.join("causeway")))
        .or_else(|| Some(directory("HOME")?.join(".local/state/causeway")))
}
