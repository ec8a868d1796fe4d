//! What a configuration makes of the world outside: whom the gateway asks for tokens and secrets, and the targets. Serves nobody.

use std::{collections::HashMap, sync::Arc};

use anyhow::Context;
use causeway_aws::{Aws, Identity};
use causeway_core::name::TargetName;
use causeway_oidc::clock::Clock;

use super::http_client;
use crate::{
    config::{self, Config},
    credentials::Credential,
    shared::Shared,
    stored::Sources,
    targets::Target,
};

/// It, built and connected to nothing yet.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) config: Config,
    pub(super) sources: Sources,
    /// Each with what it was made from.
    credentials: HashMap<TargetName, (config::Credential, Credential)>,
    /// In config order, each place of a target for itself.
    pub(super) targets: Vec<Arc<Target>>,
}

impl Parts {
    /// What `config` names. What there was `before` is taken over as it is, as far as `config` says the same of it.
    pub(super) fn new(config: Config, clock: Clock, before: Option<&Self>) -> anyhow::Result<Self> {
        let kept = before.filter(|before| asks_the_same(&before.config, &config));
        let sources = match kept {
            Some(kept) => kept.sources.clone(),
            // What replicas share is reached in one way for the life of the process.
            None => match before {
                Some(before) => sources_with(&config, before.sources.shared.clone(), clock)?,
                None => sources(&config, clock)?,
            },
        };
        let credentials = config.targets.iter().map(|target| {
            let known = kept.and_then(|kept| kept.credentials.get(&target.name));
            let credential = match known.filter(|(made_of, _)| *made_of == target.credential) {
                Some((_, credential)) => credential.clone(),
                // Shared by all places of the target.
                None => Credential::new(&target.name, &target.credential, &sources),
            };
            (target.name.clone(), (target.credential.clone(), credential))
        });
        let credentials: HashMap<_, _> = credentials.collect();
        let known = before.map_or(&[][..], |before| &before.targets);
        let places = config.targets.iter().map(|target| {
            let (_, credential) = &credentials[&target.name];
            Target::places(target, &config, credential, known)
        });
        let places = places.collect::<Result<Vec<_>, _>>();
        let places = places.context("the system trusts no certificates: install `ca-certificates`")?;
        Ok(Self { sources, credentials, targets: places.into_iter().flatten().collect(), config })
    }
}

/// Whether both ask the same for tokens and secrets, in the same way.
pub(super) fn asks_the_same(before: &Config, now: &Config) -> bool {
    let by = |config: &Config| (config.limits.connect, config.limits.keep_connections);
    by(before) == by(now) && before.aws == now.aws && before.proxies == now.proxies
}

/// Whom everything that `config` names has its secrets and tokens from.
pub fn sources(config: &Config, clock: Clock) -> anyhow::Result<Sources> {
    let sources = sources_with(config, Shared::none(), clock)?;
    let Some(redis) = &config.replicas.redis else { return Ok(sources) };
    let shared = Shared::new(&redis.url, &config.gateway.name, sources.aws.identity(), &sources.clock)?;
    Ok(Sources { shared, ..sources })
}

fn sources_with(config: &Config, shared: Shared, clock: Clock) -> anyhow::Result<Sources> {
    let http = http_client(config)?;
    let identity = Identity::new(config.aws.identity.clone(), clock.clone());
    let aws = Aws::new(http.clone(), identity, config.aws.endpoints.clone(), clock.clone());
    Ok(Sources { http, aws, secret_refresh: config.aws.secret_refresh, shared, clock })
}
