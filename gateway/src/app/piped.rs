//! The gateway for one client that started it, over standard streams: the same gateway, with that client let in.

use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncBufRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::{App, begin, effect::Ready, exported};
use crate::{
    config::{AuditSink, SessionMode},
    discovery::TargetState,
    stdio::{self, Explain, Manner},
};

/// A session lasts as long as the client does, which ends with the process.
const SESSION: Duration = Duration::from_secs(365 * 24 * 3600);

/// In whose name the client is answered.
pub enum Speaker {
    /// The gateway that the configuration describes.
    Gateway,
    /// One of its toolsets, by name.
    Toolset(String),
    /// Its only target: the client is to see that server and nothing of what lies between. Says in words what is wrong with it.
    Target(Explain),
}

impl std::fmt::Debug for Speaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Gateway => "Gateway",
            Self::Toolset(_) => "Toolset",
            Self::Target(_) => "Target",
        })
    }
}

impl App {
    /// Serves the client on these streams until it closes its side, or `shutdown` is ready. Whoever could start the process
    /// is let in: the authorizer of the configuration is for those who come over the network.
    ///
    /// # Errors
    /// An audit log that cannot be opened, or would go to standard output; session keys that cannot be read; a toolset that it does not have.
    pub async fn run_piped(
        self,
        speaker: Speaker,
        streams: (impl AsyncBufRead + Unpin, impl AsyncWrite + Send + Unpin + 'static),
        shutdown: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        let audit = self.parts.config.audit.as_ref();
        if audit.is_some_and(|audit| audit.sink == AuditSink::Stdout) {
            bail!("the audit log would go to standard output, which is the client's: set `audit.file`");
        }
        let (mut parts, export, mut ground) = begin(self, true).await?;
        // What stands between here and a client over HTTP does not stand here.
        parts.config.gateway.streaming = true;
        parts.config.sessions.mode = SessionMode::Optional;
        parts.config.sessions.timeout = SESSION;
        let known = parts.targets.iter().map(|target| TargetState::new(target)).collect();
        let ready = Ready::first(parts, known, &mut ground)?;
        let publishing = ready.publishing(&ground);
        let Ready { parts, followed, gateway, mut toolsets, .. } = ready;
        let (front, alone) = match speaker {
            Speaker::Gateway => (gateway.front, None),
            Speaker::Toolset(name) => {
                let toolset = toolsets.remove(&name).with_context(|| format!("there is no toolset `{name}`"))?;
                (toolset.front, None)
            }
            Speaker::Target(explain) => (gateway.front.in_its_name(), Some(explain)),
        };
        let (limits, calls) = (&parts.config.limits, ground.calls.clone());
        let (request_bytes, response_bytes) = (limits.request_bytes, limits.response_bytes);
        let manner = Manner { request_bytes, response_bytes, patience: limits.discovery, alone, calls: calls.clone() };
        let (stopping, over) = (ground.stopping.begun.clone(), CancellationToken::new());
        // Of the metrics those of calls: the rest is of ports that are not there.
        let exported = exported(export, || (calls.families(), ground.clock.now()), &over);
        let serving = async {
            stdio::serve(front, manner, stopping, streams, shutdown).await;
            over.cancel();
        };
        futures::future::join(serving, exported).await;
        drop((publishing, followed));
        ground.end(parts.targets).await;
        Ok(())
    }
}
