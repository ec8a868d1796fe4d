//! One configuration in effect: the endpoints that clients meet, the targets behind them, and what is published of these. The next
//! one takes over what it has in common with the one before.

use std::{collections::HashMap, net::SocketAddr, sync::Arc};

use anyhow::Context;
use futures::future::join_all;
use tokio::{sync::watch, time::timeout};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Ground,
    lines::{Lines, OWN},
    merging,
    parts::{Parts, asks_the_same},
    settings_of,
};
use crate::{
    config::{Authorizer, Config, Toolset},
    discovery::{Followed, Outlets, TargetState, View, publish},
    front::Front,
    gateway::{Gateway, Lasting},
    http::{self, Endpoint, Served},
    inbound::Inbound,
    login::Login,
    rates::Rates,
    session_keys::NewKeys,
    targets::Target,
};

/// A configuration that can take effect at any moment: all targets are followed, nobody is served yet.
pub(super) struct Ready {
    pub(super) parts: Parts,
    pub(super) followed: Vec<Arc<Followed>>,
    outlets: Outlets,
    pub(super) gateway: Endpoint,
    pub(super) toolsets: HashMap<String, Endpoint>,
    pub(super) login: Option<Arc<Login>>,
    /// Those that take the place of the ones before.
    keys: Option<NewKeys>,
}

/// A configuration that clients are served by.
#[derive(Debug)]
pub(super) struct Effect {
    pub(super) parts: Parts,
    followed: Vec<Arc<Followed>>,
    pub(super) served: Arc<Served>,
    _publishing: AbortOnDropHandle<()>,
}

impl Ready {
    /// The first, with what is `known` of its targets.
    pub(super) fn first(parts: Parts, known: Vec<TargetState>, ground: &mut Ground) -> anyhow::Result<Self> {
        let followed = parts.targets.iter().zip(known);
        let followed = followed.map(|(target, known)| Arc::new(ground.pace.follow(Arc::clone(target), known)));
        let followed = followed.collect();
        Self::with(parts, followed, None, ground, None)
    }

    /// The one after `before`, once each target that is new was listed or has failed, and each issuer that is new was asked for its
    /// keys: nothing is missing in it that was there before.
    pub(super) async fn next(config: Config, before: &Effect, ground: &mut Ground) -> anyhow::Result<Self> {
        let parts = Parts::new(config, ground.clock.clone(), Some(&before.parts))?;
        ground.meet_replicas(&parts, before.served.local).await?;
        let asks_the_same = asks_the_same(&before.parts.config, &parts.config);
        let keys = ground.sealing.read(&parts.config, &parts.sources.aws, asks_the_same);
        let keys = keys.await.context("sessions cannot be sealed")?;
        let mut begun = Vec::new();
        let followed = parts.targets.iter().map(|target| {
            let kept = before.followed.iter().find(|followed| Arc::ptr_eq(followed.target(), target));
            kept.map(Arc::clone).unwrap_or_else(|| {
                let followed = Arc::new(ground.pace.follow(Arc::clone(target), before.known_of(target)));
                begun.push(Arc::clone(&followed));
                followed
            })
        });
        let followed: Vec<_> = followed.collect();
        join_all(begun.iter().map(|followed| followed.tried())).await;
        let patience = parts.config.limits.discovery;
        let ready = Self::with(parts, followed, Some(before), ground, keys)?;
        let known: Vec<&Inbound> = before.served.endpoints().map(|endpoint| &endpoint.inbound).collect();
        let inbounds = [&ready.gateway].into_iter().chain(ready.toolsets.values()).map(|endpoint| &endpoint.inbound);
        let asked = inbounds.filter(|inbound| !known.iter().any(|known| known.is_as(inbound))).map(Inbound::prepare);
        // One that cannot be reached is in the log; who calls later asks it again.
        let _ = timeout(patience, join_all(asked)).await;
        Ok(ready)
    }

    fn with(
        parts: Parts,
        followed: Vec<Arc<Followed>>,
        before: Option<&Effect>,
        ground: &mut Ground,
        keys: Option<NewKeys>,
    ) -> anyhow::Result<Self> {
        let config = &parts.config;
        let states = followed.iter().map(|followed| TargetState::clone(&followed.state())).collect();
        let outlets = Outlets::new(View::of(states, &merging(config)), &config.toolsets, config.gateway.names);
        let login =
            login(&parts, before, ground).context("the system trusts no certificates: install `ca-certificates`")?;
        let (gateway, toolsets) = endpoints(&parts, &outlets, before, ground);
        Ok(Self { parts, followed, outlets, gateway, toolsets, login, keys })
    }

    /// Publishes what becomes known of the targets, for as long as what it gives lives.
    pub(super) fn publishing(&self, ground: &Ground) -> AbortOnDropHandle<()> {
        let (followed, outlets, merging) = (self.followed.clone(), self.outlets.clone(), merging(&self.parts.config));
        let (pace, latest) = (ground.pace.clone(), ground.latest.clone());
        AbortOnDropHandle::new(tokio::spawn(async move {
            publish(&followed, &merging, &outlets, (&pace, &latest)).await;
        }))
    }

    /// What clients at `local` are served by from now on. Who listens is to be told by [`Effect::announce`] then.
    pub(super) fn serve(mut self, local: SocketAddr, ground: &mut Ground) -> Effect {
        if let Some(keys) = self.keys.take() {
            ground.sealing.take(keys);
        }
        let _publishing = self.publishing(ground);
        let Self { parts, followed, gateway, toolsets, login, .. } = self;
        let (limits, calls) = (parts.config.limits.clone(), ground.calls.clone());
        let replicas = ground.replicas(&parts.config);
        let served = Arc::new(Served { gateway, toolsets, login, limits, calls, replicas, local });
        Effect { parts, followed, served, _publishing }
    }
}

impl Effect {
    /// Tells who listens that this is in effect now.
    pub(super) fn announce(&self, lines: &mut Lines) {
        lines.go_on(&self.served.gateway, &self.served.toolsets);
    }

    /// Lets go of what only this had and `next` has not, once nobody uses it any more.
    pub(super) fn give_way_to(self, next: &Self, ground: &Ground) {
        let is_kept = |target: &&Arc<Target>| next.parts.targets.iter().any(|kept| kept.shares_reach(target));
        for target in self.parts.targets.iter().filter(|target| !is_kept(target)) {
            ground.leaving.spawn(target.farewell(ground.left.clone()));
        }
    }

    /// Lists nobody any more. These are its targets.
    pub(super) fn end(self) -> Vec<Arc<Target>> {
        self.parts.targets
    }

    /// What counts for `target` of what is known: its lists, if it was the same server before.
    fn known_of(&self, target: &Target) -> TargetState {
        let same = |followed: &&Arc<Followed>| {
            let before = followed.target();
            before.path() == target.path() && before.fingerprint() == target.fingerprint()
        };
        match self.followed.iter().find(same) {
            Some(followed) => followed.state().of_before(target),
            None => TargetState::new(target),
        }
    }
}

/// The gateway's own endpoint, and those of toolsets by their names: the same targets behind each, and before each an authorizer, a
/// view and what is said to clients of its own.
fn endpoints(
    parts: &Parts,
    outlets: &Outlets,
    before: Option<&Effect>,
    ground: &mut Ground,
) -> (Endpoint, HashMap<String, Endpoint>) {
    let config = &parts.config;
    let served = before.map(|before| &*before.served);
    let gateway = |view: &watch::Sender<Arc<View>>, before: Option<&Endpoint>| {
        let patience = (config.limits.discovery, config.failover.first_byte);
        let (sealer, clock) = (Arc::clone(ground.sealing.sealer()), ground.clock.clone());
        let gateway = Gateway::new(&parts.targets, view.subscribe(), patience, sealer, clock);
        Arc::new(match before {
            Some(before) => gateway.after(&before.front.gateway),
            None => gateway,
        })
    };
    let own = served.map(|served| &served.gateway);
    let of_toolset = |toolset: &Toolset| served.and_then(|served| served.toolsets.get(toolset.name.as_str()));
    let mut gateways = vec![(OWN.to_owned(), gateway(&outlets.whole, own))];
    gateways.extend(
        outlets.parts.iter().map(|(toolset, view)| (toolset.name.to_string(), gateway(view, of_toolset(toolset)))),
    );
    let lasting = gateways.into_iter().map(|(name, gateway)| {
        let lasting = ground.lines.of(&name, &gateway);
        (gateway, lasting)
    });
    let mut lasting: Vec<(Arc<Gateway>, Lasting)> = lasting.collect();
    let toolset_gateways = lasting.split_off(1);
    let first = lasting.remove(0);
    let (settings, sessions, limits) = (config.gateway.clone(), config.sessions.clone(), &config.limits);
    let front = match own {
        Some(own) => own.front.after(first, settings, sessions, limits),
        None => {
            let (sealer, clock) = (Arc::clone(ground.sealing.sealer()), ground.clock.clone());
            Front::new(first, settings, sessions, limits, sealer, clock, ground.stopping.clone())
        }
    };
    let rates = match own {
        Some(own) => own.front.rates().after(&config.rate_limits),
        None => Rates::new(&config.rate_limits, &parts.sources.shared, &ground.clock),
    };
    let front = front.limited(rates).among(ground.replicas(config));
    let authorizers =
        Authorizers { parts, before: before.filter(|before| asks_the_same(&before.parts.config, config)) };
    let inbound = authorizers.of(&config.authorizer, |before| Some((&before.authorizer, OWN)));
    let toolsets = outlets.parts.iter().zip(toolset_gateways).map(|((toolset, _), gateway)| {
        let own = toolset.authorizer.as_ref().map(|authorizer| {
            authorizers.of(authorizer, |before| {
                let before = before.toolsets.iter().find(|before| before.name == toolset.name)?;
                Some((before.authorizer.as_ref()?, before.name.as_str()))
            })
        });
        let inbound = own.as_ref().unwrap_or(&inbound).of_toolset(&toolset.name);
        let front = front.beside(gateway, settings_of(toolset, &config.gateway));
        let (shares_authorizer, shares_login) = (own.is_none(), shares_login(toolset, config));
        let path = [http::MCP_PATH, "/", toolset.name.as_str()].concat().into();
        (toolset.name.to_string(), Endpoint { path, inbound, front, shares_authorizer, shares_login })
    });
    let toolsets = toolsets.collect();
    let path = http::MCP_PATH.into();
    (Endpoint { path, inbound, front, shares_authorizer: true, shares_login: true }, toolsets)
}

/// Makes authorizers, or takes those of before.
struct Authorizers<'a> {
    parts: &'a Parts,
    /// Absent where it knows nothing that counts.
    before: Option<&'a Effect>,
}

impl Authorizers<'_> {
    /// What `config` asks for at an endpoint; `known` finds what was asked for there before, and its name.
    fn of<'c>(
        &'c self,
        config: &Authorizer,
        known: impl Fn(&'c Config) -> Option<(&'c Authorizer, &'c str)>,
    ) -> Inbound {
        let sources = &self.parts.sources;
        let before = self.before.and_then(|before| {
            let (authorizer, name) = known(&before.parts.config)?;
            let served = &before.served;
            let endpoint = if name == OWN { &served.gateway } else { served.toolsets.get(name)? };
            Some((authorizer, &endpoint.inbound))
        });
        match before {
            Some((before, inbound)) if before == config => inbound.clone(),
            Some((_, inbound)) => inbound.after(config, sources),
            None => Inbound::new(config, sources),
        }
    }
}

/// How people log in, if the configuration says how.
fn login(parts: &Parts, before: Option<&Effect>, ground: &Ground) -> Result<Option<Arc<Login>>, reqwest::Error> {
    let config = &parts.config;
    let (Some(login), Authorizer::CustomJwt(jwt)) = (&config.login, &config.authorizer) else { return Ok(None) };
    let names = |config: &Config| {
        let toolsets = config.toolsets.iter().filter(|toolset| shares_login(toolset, config));
        let toolsets: Vec<_> = toolsets.map(|toolset| toolset.name.clone()).collect();
        (config.gateway.name.clone(), toolsets)
    };
    let (name, toolsets) = names(config);
    if let Some(before) = before {
        let known = &before.parts.config;
        let is_same = (&known.login, &known.authorizer) == (&config.login, &config.authorizer)
            && names(known) == (name.clone(), toolsets.clone())
            && asks_the_same(known, config);
        if is_same {
            return Ok(before.served.login.clone());
        }
    }
    let login = Login::new(login, jwt, (&name, toolsets), &parts.sources, Arc::clone(ground.sealing.sealer()))?;
    Ok(Some(Arc::new(login)))
}

/// Whether the callers of a toolset log in where those of the gateway do.
fn shares_login(toolset: &Toolset, config: &Config) -> bool {
    match (&toolset.authorizer, &config.authorizer, &config.login) {
        (None, _, _) => true,
        (Some(Authorizer::CustomJwt(own)), Authorizer::CustomJwt(gateway), Some(login)) => login.serves(gateway, own),
        _ => false,
    }
}
