//! The mirror of the section `[state]` of config.toml. It checks nothing; `resolve/state.rs` does.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{FilePath, Member};

/// A week: long enough for a holiday, and what a target listed before that is a guess.
pub const SNAPSHOT_SECONDS: u64 = 7 * 24 * 3600;

/// The variable that holds the URL of a Redis where `state.redis_url_env` names no other.
pub const REDIS_URL: &str = "CAUSEWAY_REDIS_URL";
/// The variable that holds this replica's own address where `state.replica_url` does not say it.
pub const REPLICA_URL: &str = "CAUSEWAY_REPLICA_URL";
/// In place of an address: other replicas are to pass nothing on to this one.
pub const NO_REPLICAS: &str = "off";

/// What the gateway keeps beyond the end of its process, and what it shares with other replicas of itself.
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
    /// Where other replicas reach this one, for example `http://10.0.0.7:8080`; `"off"`: nowhere. What belongs to a call that waits in
    /// one replica is passed on to that one. Needs `sessions.key_env` or `key_arn`. Default: the variable `CAUSEWAY_REPLICA_URL`, else
    /// the address of the task on Amazon ECS, else the address that the gateway listens on, where it is one.
    pub replica_url: Member<String>,
    /// Name of the variable that holds the URL of a Redis or Valkey that all replicas share: `redis://user:password@host:6379`, with
    /// TLS `rediss://`. Tokens of targets are kept there, sealed, and calls are counted there for `rate_limits`. Needs
    /// `sessions.key_env` or `key_arn`. Default: `CAUSEWAY_REDIS_URL`, where it is set.
    pub redis_url_env: Member<String>,
}

impl State {
    /// Whether something is shared with other replicas.
    pub fn shares(&self) -> bool {
        self.replica_url.is_some() || self.redis_url_env.is_some()
    }
}
