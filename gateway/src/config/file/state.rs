//! The mirror of the section `[state]` of config.toml. It checks nothing; `resolve/state.rs` does.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{FilePath, Member};

/// A week: long enough for a holiday, and what a target listed before that is a guess.
pub const SNAPSHOT_SECONDS: u64 = 7 * 24 * 3600;

/// What the gateway keeps beyond the end of its process.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Where it is kept, in a file of its own for each config.toml. Default: `$STATE_DIRECTORY` (systemd sets it), else
    /// `$XDG_STATE_HOME/causeway`, else `$HOME/.local/state/causeway`.
    pub directory: Member<FilePath>,
    /// Keep what the targets listed last, so that the next start has complete lists at once, also of targets that are down then.
    /// Default: `true`.
    #[schemars(extend("default" = true))]
    pub snapshot: Member<bool>,
    /// Seconds after which what a target listed counts no more at a start. Default: 604800, a week.
    #[schemars(range(min = 1, max = 31_536_000), extend("default" = SNAPSHOT_SECONDS))]
    pub snapshot_max_age_seconds: Member<u64>,
}
