//! Asking a target over HTTP which era it speaks.
//!
//! Source: MCP 2026-07-28, basic/transports/streamable-http, "Backward Compatibility".

use std::{sync::Arc, time::Duration};

use causeway_core::era::Era;
use tokio::time::timeout;

use super::{
    Fault, HttpTarget,
    answer::{Content, no_answer},
    legacy, modern,
};
use crate::targets::handshake::discovered;

/// A server that says nothing to `server/discover` for so long gets an `initialize` as well.
const PROBE: Duration = Duration::from_secs(3);

/// The era that `target` speaks with us: modern if it can. A server that answers late is still heard while `initialize` is
/// under way.
pub(super) async fn era(target: &Arc<HttpTarget>) -> Result<Era, Fault> {
    let discover = discover(target);
    tokio::pin!(discover);
    let patience = PROBE.min(target.limits.discovery / 3);
    if let Ok(era) = timeout(patience, &mut discover).await {
        return era;
    }
    let initialize = legacy::own_session(target);
    tokio::pin!(initialize);
    tokio::select! {
        era = &mut discover => era,
        session = &mut initialize => match session {
            Ok(_) => Ok(Era::Legacy),
            Err(_) => discover.await,
        },
    }
}

async fn discover(target: &Arc<HttpTarget>) -> Result<Era, Fault> {
    let answer = match modern::discover(target).await {
        Ok(answer) => answer,
        Err(fault @ Fault::BrokenOff(_)) => return initialize(target, fault).await,
        Err(Fault::Runtime(fault)) if fault.problem.may_be_of_the_era() => {
            return initialize(target, fault.into()).await;
        }
        Err(fault) => return Err(fault),
    };
    let status = answer.status();
    if matches!(status.as_u16(), 401 | 403) {
        return Err(no_answer(status));
    }
    let message = match answer.content().await {
        Ok(Content::Whole(message)) => Some(message),
        Ok(Content::Stream(mut messages)) => messages.response().await.ok(),
        // A server in front of one that is not there speaks no era.
        Ok(Content::None) if matches!(status.as_u16(), 429 | 502..=504) => return Err(no_answer(status)),
        Ok(Content::None) if status.is_server_error() => return initialize(target, no_answer(status)).await,
        // A legacy server may answer an unknown method with anything.
        Ok(Content::None) | Err(Fault::Garbage(_)) => None,
        Err(fault) => return Err(fault),
    };
    let era = message.as_ref().map(discovered).transpose()?.flatten();
    Ok(era.unwrap_or(Era::Legacy))
}

/// A server that fails at what it does not know may be a legacy one; if it is not, then `fault` is what is wrong with it.
async fn initialize(target: &Arc<HttpTarget>, fault: Fault) -> Result<Era, Fault> {
    legacy::own_session(target).await.map(|_| Era::Legacy).map_err(|_| fault)
}
