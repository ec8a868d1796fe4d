//! What the gateway shares with other replicas of itself, as config.toml and the environment say it.

use url::Url;

use crate::secret::Secret;

/// What replicas share, and how they reach each other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replicas {
    pub own: ReplicaUrl,
    /// The Redis that replicas share.
    pub redis: Option<Redis>,
}

/// A Redis, and how config.toml names it.
#[derive(Clone, Debug, PartialEq)]
pub struct Redis {
    /// Of the environment, which holds the URL.
    pub variable: String,
    /// It may hold a password.
    pub url: Secret,
}

/// Where other replicas reach this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplicaUrl {
    /// Nowhere.
    Off,
    /// Scheme, host and port.
    Given(Url),
    /// It is to be found out at start.
    Found {
        /// Where a container of Amazon ECS asks what it is.
        ecs: Option<Url>,
    },
}

impl Default for ReplicaUrl {
    fn default() -> Self {
        Self::Found { ecs: None }
    }
}
