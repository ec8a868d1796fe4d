//! Resolves what the section `[state]` says of other replicas: where they reach this one, and what all of them share.

use url::Url;

use super::{
    super::{
        Redis, ReplicaUrl, Replicas, Sessions,
        environment::Reference,
        file::{self, state},
        located::{Located, Member},
    },
    Resolver,
};
use crate::secret::Secret;

/// Where Amazon ECS tells a container what it is.
const ECS_METADATA: &str = "ECS_CONTAINER_METADATA_URI_V4";

impl Resolver<'_> {
    pub(super) fn replicas(
        &mut self,
        section: Option<&Located<file::State>>,
        sessions: Option<&Sessions>,
    ) -> Option<Replicas> {
        let default = file::State::default();
        let written = section.map_or(&default, |section| &section.value);
        let replica = self.replica(&written.replica_url)?;
        let redis = self.redis(&written.redis_url_env)?;
        // What one replica seals, the others must be able to open.
        let keyless = sessions.is_some_and(|sessions| sessions.keys.is_empty());
        if let (Some(member), true) = (&written.replica_url, keyless && matches!(replica, ReplicaUrl::Given(_))) {
            self.findings.report(&member.at, needs_keys("state.replica_url"));
        }
        if redis.is_some() && keyless {
            let at = written.redis_url_env.as_ref().map(|member| member.at.clone());
            match at {
                Some(at) => self.findings.report(&at, needs_keys("state.redis_url_env")),
                None => self.findings.report_for_file(needs_keys(&format!("the variable `{}`", state::REDIS_URL))),
            }
        }
        Some(Replicas { own: replica, redis })
    }

    fn replica(&mut self, member: &Member<String>) -> Option<ReplicaUrl> {
        const EXAMPLE: &str = "http://10.0.0.7:8080";
        let written = match member {
            Some(member) if member.value == state::NO_REPLICAS => return Some(ReplicaUrl::Off),
            Some(member) => self.url("state.replica_url", member, EXAMPLE).map(|url| (url, Some(&member.at))),
            None => {
                let Some(given) = self.set(state::REPLICA_URL) else {
                    let ecs = self.set(ECS_METADATA).and_then(|url| Url::parse(url.expose()).ok());
                    return Some(ReplicaUrl::Found { ecs });
                };
                let url = Url::parse(given.expose()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
                if url.is_none() {
                    let name = state::REPLICA_URL;
                    let message = format!("the variable `{name}` is no `https` or `http` URL; set it like `{EXAMPLE}`");
                    self.findings.report_for_file(message);
                }
                url.map(|url| (url, None))
            }
        };
        let (url, at) = written?;
        if url.path() != "/" || url.query().is_some() {
            let message = format!(
                "the address of a replica has no path: write `{}`, which is the replica itself and no proxy in front of it",
                url.origin().ascii_serialization()
            );
            match at {
                Some(at) => self.findings.report(at, message),
                None => self.findings.report_for_file(format!("the variable `{}`: {message}", state::REPLICA_URL)),
            }
        }
        Some(ReplicaUrl::Given(url))
    }

    /// `Some(None)` where there is none.
    fn redis(&mut self, member: &Member<String>) -> Option<Option<Redis>> {
        let url = match member {
            Some(member) => Some(self.variable("state.redis_url_env", member, "")?),
            None => self.set(state::REDIS_URL),
        };
        let Some(url) = url else { return Some(None) };
        let name = member.as_ref().map_or(state::REDIS_URL, |member| &member.value);
        if !self.environment.is_elsewhere() && !is_redis(url.expose()) {
            let message = format!(
                "the variable `{name}` holds no URL of a Redis; set it like `rediss://user:password@redis.example.com:6379`"
            );
            match member {
                Some(member) => self.findings.report(&member.at, message),
                None => self.findings.report_for_file(message),
            }
        }
        Some(Some(Redis { variable: name.to_owned(), url }))
    }

    /// What a variable holds that the file need not name.
    fn set(&self, variable: &str) -> Option<Secret> {
        self.environment.look_up(Reference::Variable(variable)).ok()
    }
}

fn needs_keys(what: &str) -> String {
    format!(
        "{} needs `sessions.key_env` or `sessions.key_arn`, the same keys in all replicas: what one seals, the others must open",
        if what.contains(' ') { what.to_owned() } else { format!("`{what}`") }
    )
}

/// Whether a text is the URL of a Redis. Its parts are looked at when it is connected to.
fn is_redis(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "redis" | "rediss") && url.host().is_some())
}
