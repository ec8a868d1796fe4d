//! A legacy target in one session or process, and what the gateway settles with it beside the calls: its log level and the
//! resources that it reports on. What several clients want of one target is joined here.
//!
//! Source: MCP 2025-11-25, server/utilities/logging and server/resources, "Subscriptions".

use std::{collections::HashMap, sync::Arc, time::Duration};

use causeway_core::{
    canonical::{Level, Logs},
    era::Era,
    wire::json,
};
use tokio::{sync::Mutex, time::timeout};

use super::{About, Fault, fault::rpc_error, http::Peer, owner::Owner, stdio::Link};

/// Others wait meanwhile: a target that does not answer must not hold them up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where messages go that are not the client's own.
#[derive(Clone, Debug)]
pub(super) enum Line {
    Http(Peer),
    Stdio(Arc<Link>),
}

/// What was settled in a session or with a process.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// The level that the target was told, if any.
    level: Mutex<Option<Level>>,
    /// How many want to hear of each resource.
    subscribed: Mutex<HashMap<String, usize>>,
}

/// One who wants to hear of a resource. Dropped, it wants so no more.
#[derive(Debug)]
pub(super) struct Subscription {
    line: Line,
    settings: Arc<Settings>,
    uri: String,
}

impl Line {
    /// Sends one message and waits until the target has taken it.
    pub(super) async fn tell(&self, message: String) -> Result<(), Fault> {
        match self {
            Self::Http(peer) => peer.tell(message).await,
            Self::Stdio(link) => link.write(message.into()).await,
        }
    }

    /// Sends one request and waits a while for its answer, of which only the success counts.
    async fn request(&self, method: &str, params: &str) -> Result<(), Fault> {
        let answered = timeout(PATIENCE, self.ask(method, params)).await;
        answered.unwrap_or(Err(Fault::Silent(PATIENCE)))
    }

    async fn ask(&self, method: &str, params: &str) -> Result<(), Fault> {
        let error = match self {
            Self::Http(peer) => peer.request(method, params).await?.error().map(ToOwned::to_owned),
            Self::Stdio(link) => {
                let mut call = link.call(Era::Legacy, Owner::Gateway, method, params).await?;
                call.answer().await?.error().map(ToOwned::to_owned)
            }
        };
        error.map_or(Ok(()), |error| Err(Fault::Refused(rpc_error(&error))))
    }
}

impl Settings {
    /// Tells the target to send log messages from the wanted level on, unless it does so already. It gets the least that
    /// anybody wanted; each front passes on what its client wants.
    pub(super) async fn set_level(&self, line: &Line, about: &About, logs: Logs) {
        let Logs::AtLeast(wanted) = logs else { return };
        if !about.declares("logging") {
            return;
        }
        let mut level = self.level.lock().await;
        if level.is_some_and(|level| level <= wanted) {
            return;
        }
        match line.request("logging/setLevel", &format!(r#"{{"level":{}}}"#, json(&wanted.to_string()))).await {
            Ok(()) => *level = Some(wanted),
            Err(fault) => tracing::debug!(%fault, "a target did not take a log level"),
        }
    }

    /// Has the target report on the resource `uri`, if it does not yet.
    pub(super) async fn subscribe(self: &Arc<Self>, line: Line, uri: &str) -> Result<Subscription, Fault> {
        let mut subscribed = self.subscribed.lock().await;
        if !subscribed.contains_key(uri) {
            line.request("resources/subscribe", &uri_params(uri)).await?;
        }
        *subscribed.entry(uri.to_owned()).or_default() += 1;
        Ok(Subscription { line, settings: Arc::clone(self), uri: uri.to_owned() })
    }

    async fn unsubscribe(&self, line: &Line, uri: &str) {
        let mut subscribed = self.subscribed.lock().await;
        let Some(count) = subscribed.get_mut(uri) else { return };
        *count -= 1;
        if *count > 0 {
            return;
        }
        subscribed.remove(uri);
        if let Err(fault) = line.request("resources/unsubscribe", &uri_params(uri)).await {
            tracing::debug!(%fault, "a target did not take the end of a subscription");
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // Without a runtime the session ends as well.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (line, settings, uri) = (self.line.clone(), Arc::clone(&self.settings), std::mem::take(&mut self.uri));
        runtime.spawn(async move { settings.unsubscribe(&line, &uri).await });
    }
}

fn uri_params(uri: &str) -> String {
    format!(r#"{{"uri":{}}}"#, json(&uri))
}
