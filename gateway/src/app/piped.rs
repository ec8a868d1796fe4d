//! The gateway for one client that started it, over standard streams: the same gateway, with that client let in.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use tokio::io::{AsyncBufRead, AsyncWrite};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{App, merging};
use crate::{
    config::SessionMode,
    discovery::{self, Rules},
    front::Front,
    gateway::Gateway,
    session_keys::SessionKeys,
    stdio::{self, Explain, Manner},
};

/// A session lasts as long as the client does, which ends with the process.
const SESSION: Duration = Duration::from_secs(365 * 24 * 3600);

/// In whose name the client is answered.
pub enum Speaker {
    /// The gateway that the configuration describes.
    Gateway,
    /// Its only target: the client is to see that server and nothing of what lies between. Says in words what is wrong with it.
    Target(Explain),
}

impl std::fmt::Debug for Speaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Gateway => "Gateway",
            Self::Target(_) => "Target",
        })
    }
}

impl App {
    /// Serves the client on these streams until it closes its side, or `shutdown` is ready. Whoever could start the process
    /// is let in: the authorizer of the configuration is for those who come over the network.
    ///
    /// # Errors
    /// Session keys of the configuration that cannot be read.
    pub async fn run_piped(
        self,
        speaker: Speaker,
        streams: (impl AsyncBufRead + Unpin, impl AsyncWrite + Send + Unpin + 'static),
        shutdown: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        let Self { mut config, sources, targets, outlets, calls, .. } = self;
        let keys = SessionKeys::new(&config.sessions.keys, &sources.aws);
        let (sealer, current) = keys.sealer().await.context("sessions cannot be sealed")?;
        let following = keys.follow(Arc::clone(&sealer), current, config.aws.secret_refresh);
        let _following = AbortOnDropHandle::new(tokio::spawn(following));
        let clock = sources.clock;
        let rules = Rules { merging: merging(&config), refresh: config.limits.refresh, clock: clock.clone() };
        // What stands between here and a client over HTTP does not stand here.
        config.gateway.streaming = true;
        config.sessions.mode = SessionMode::Optional;
        config.sessions.timeout = SESSION;
        let alone = match speaker {
            Speaker::Gateway => None,
            Speaker::Target(explain) => Some(explain),
        };
        let (request_bytes, response_bytes) = (config.limits.request_bytes, config.limits.response_bytes);
        let patience = config.limits.discovery;
        let stopping = CancellationToken::new();
        let gateway = Arc::new(Gateway::new(
            &targets,
            outlets.whole.subscribe(),
            (config.limits.discovery, config.failover.first_byte),
            Arc::clone(&sealer),
            clock.clone(),
        ));
        let (settings, sessions) = (config.gateway, config.sessions);
        let front = Front::new(gateway, settings, sessions, &config.limits, sealer, clock, stopping.clone());
        let front = if alone.is_some() { front.in_its_name() } else { front };
        let manner = Manner { request_bytes, response_bytes, patience, alone, calls };
        let listed = targets.clone();
        let discovery = async move { discovery::run(&listed, &rules, outlets).await };
        let _discovery = AbortOnDropHandle::new(tokio::spawn(discovery));
        stdio::serve(front, manner, stopping, streams, shutdown).await;
        futures::future::join_all(targets.iter().map(|target| target.stop())).await;
        Ok(())
    }
}
