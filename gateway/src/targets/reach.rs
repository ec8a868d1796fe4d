//! How one place of a target is reached, and for how long: it goes over from one configuration to the next where both say the same
//! of it, and is let go of when nobody can use it any more. Sends nothing.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{HttpTarget, StdioTarget};
use crate::{
    config::{self, Config, Limits, Proxies, Transport},
    opaque::digest_of,
};

/// What reaches it. Clones are the same.
#[derive(Clone, Debug)]
pub(super) enum Adapter {
    Http(Arc<HttpTarget>),
    Stdio(Arc<StdioTarget>),
}

/// An adapter, with what it was built from. Held by every target that it is for and by every call that runs in it.
#[derive(Debug)]
pub(super) struct Reach {
    pub(super) adapter: Adapter,
    /// Told when the target says that its lists changed.
    pub(super) changed: Arc<Notify>,
    made_of: Makeup,
    released: CancellationToken,
    _holding: DropGuard,
}

/// Everything that an adapter goes by. What it does not go by is as it is nowhere, so that it makes no difference.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Makeup {
    transport: Transport,
    credential: config::Credential,
    limits: Limits,
    proxies: Proxies,
    /// By whom the credential is had.
    aws: config::Aws,
    has_others: bool,
}

impl Makeup {
    /// Of the only place of `target`, which may have others beside it.
    pub(super) fn new(target: &config::Target, config: &Config, has_others: bool) -> Self {
        let limits = of_targets(&config.limits);
        let limits = Limits {
            target_calls: 0,
            target_queue: 0,
            queue: Duration::ZERO,
            catalog_pages: 0,
            catalog_entries: 0,
            catalog_bytes: 0,
            ..limits
        };
        let (limits, has_others) = match &target.transport {
            Transport::Http(_) => (Limits { start: Duration::ZERO, ..limits }, has_others),
            Transport::Stdio(_) => {
                let none = Duration::ZERO;
                let limits = Limits { connect: none, first_byte: none, call: none, discovery: none, ..limits };
                (Limits { header_bytes: 0, keep_connections: true, ..limits }, false)
            }
        };
        Self {
            transport: target.transport.clone(),
            credential: target.credential.clone(),
            limits,
            proxies: config.proxies.clone(),
            aws: config.aws.clone(),
            has_others,
        }
    }
}

impl Reach {
    pub(super) fn new(adapter: Adapter, changed: Arc<Notify>, made_of: Makeup) -> Self {
        let released = CancellationToken::new();
        Self { adapter, changed, made_of, _holding: released.clone().drop_guard(), released }
    }

    /// Whether it would be the same if it was built from this.
    pub(super) fn is_made_of(&self, makeup: &Makeup) -> bool {
        self.made_of == *makeup
    }

    /// Waits until nobody can use it any more, or until it is to be `sooner`, and ends what runs for it. What waits does not count as
    /// somebody.
    pub(super) fn farewell(&self, sooner: CancellationToken) -> impl Future<Output = ()> + Send + 'static {
        let (released, adapter) = (self.released.clone(), self.adapter.clone());
        async move {
            tokio::select! {
                () = released.cancelled() => (),
                () = sooner.cancelled() => (),
            }
            adapter.stop().await;
        }
    }
}

impl Adapter {
    /// Ends sessions and a child process.
    pub(super) async fn stop(&self) {
        match self {
            Self::Http(http) => http.stop().await,
            Self::Stdio(stdio) => stdio.stop().await,
        }
    }
}

/// A digest of which server a place of `target` is. Credentials and values of variables are not in it: they decide whether it answers,
/// and may change without its lists becoming another's.
pub(super) fn fingerprint(target: &config::Target) -> String {
    let parts: Vec<String> = match &target.transport {
        Transport::Http(http) => vec!["http".into(), http.endpoint.to_string(), format!("{:?}", http.era)],
        Transport::Stdio(stdio) => {
            let names = stdio.env.keys().map(|name| [name, "="].concat());
            let directory = stdio.working_directory.iter().map(|path| path.display().to_string());
            let rest = stdio.command.iter().cloned().chain(names).chain(directory);
            ["stdio".into(), format!("{:?}", stdio.era)].into_iter().chain(rest).collect()
        }
    };
    digest_of(parts.join("\0"))
}

/// The limits that a target goes by; the others as they are nowhere, so that they make no difference to it.
pub(super) fn of_targets(limits: &Limits) -> Limits {
    let none = Duration::ZERO;
    Limits {
        request_bytes: 0,
        request_time: none,
        idle: none,
        stalled: none,
        drain: none,
        connections: 0,
        refresh: none,
        parked_calls: 0,
        parked: none,
        streams: 0,
        ..limits.clone()
    }
}
