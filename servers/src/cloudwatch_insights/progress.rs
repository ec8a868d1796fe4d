//! Tells the caller how its call goes on, where the request asked for that with a progress token. Never holds a call up:
//! a caller that has gone is told nothing.
//!
//! Source: the page `basic/utilities/progress` of MCP.

use std::sync::atomic::{AtomicU32, Ordering};

use rmcp::{
    Peer, RoleServer,
    model::{ProgressNotificationParam, ProgressToken},
    service::RequestContext,
};

/// Where to tell it. How far the end is, nobody knows, so there is no total: the value counts what was told.
#[derive(Debug)]
pub(super) struct Progress {
    to: Option<(Peer<RoleServer>, ProgressToken)>,
    told: AtomicU32,
}

impl Progress {
    pub(super) fn of(context: &RequestContext<RoleServer>) -> Self {
        let token = context.meta.get_progress_token();
        Self { to: token.map(|token| (context.peer.clone(), token)), told: AtomicU32::new(0) }
    }

    pub(super) fn to_nobody() -> Self {
        Self { to: None, told: AtomicU32::new(0) }
    }

    /// Says what happens now, in one line.
    pub(super) async fn say(&self, message: impl Into<String>) {
        let Some((peer, token)) = &self.to else { return };
        let step = self.told.fetch_add(1, Ordering::Relaxed) + 1;
        let told = ProgressNotificationParam::new(token.clone(), f64::from(step)).with_message(message);
        if let Err(error) = peer.notify_progress(told).await {
            tracing::debug!("cannot tell the caller of progress: {error}");
        }
    }
}
