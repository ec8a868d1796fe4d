//! Starting a child process and finding out which era it speaks.
//!
//! Source: MCP 2026-07-28, basic/transports/stdio, "Backward Compatibility".

use std::{sync::Arc, time::Duration};

use causeway_core::{era::Era, name::TargetName};
use tokio::{sync::Notify, time::timeout};

use super::{
    link::Link,
    process::{Process, Settled},
};
use crate::{
    config::{self, Limits},
    targets::{
        About, Fault,
        handshake::{INITIALIZED, discover_params, discovered, initialize_params, own_client},
        owner::Owner,
    },
};

/// A server that says nothing to `server/discover` for so long gets an `initialize` as well.
const PROBE: Duration = Duration::from_secs(3);

/// Starts the process and settles its era, unless that is known.
pub(super) async fn start(
    name: &TargetName,
    config: &config::StdioTarget,
    limits: &Limits,
    known: Option<Era>,
    changed: &Arc<Notify>,
) -> Result<Process, Fault> {
    let (link, ended) = Process::spawn(name, config, limits.response_bytes, changed)?;
    // A start that is given up leaves no process behind.
    let given_up = link.end_on_drop();
    let settled = timeout(limits.start, settle(&link, known)).await;
    let settled = settled.unwrap_or(Err(Fault::Silent(limits.start)));
    match settled {
        Ok(settled) => {
            given_up.disarm();
            Ok(Process::new(settled, link, ended))
        }
        Err(fault) => {
            let process = Process::new(Settled::Modern, link, ended);
            process.stop().await;
            // By now it is known how it ended.
            Err(if matches!(fault, Fault::BrokenOff(_)) { Fault::NotRunning(process.why_ended()) } else { fault })
        }
    }
}

async fn settle(link: &Arc<Link>, known: Option<Era>) -> Result<Settled, Fault> {
    match known {
        Some(Era::Modern) => Ok(Settled::Modern),
        Some(Era::Legacy) => initialize(link).await,
        None => probe(link).await,
    }
}

/// Asks `server/discover`; a server that answers late is still heard while `initialize` is under way.
async fn probe(link: &Arc<Link>) -> Result<Settled, Fault> {
    let mut call = link.call(Era::Modern, Owner::Gateway, "server/discover", &discover_params()).await?;
    if let Ok(answer) = timeout(PROBE, call.answer()).await {
        return match discovered(&answer?)? {
            Some(Era::Modern) => Ok(Settled::Modern),
            Some(Era::Legacy) | None => initialize(link).await,
        };
    }
    let initialize = initialize(link);
    tokio::pin!(initialize);
    tokio::select! {
        settled = &mut initialize => settled,
        answer = call.answer() => match discovered(&answer?)? {
            Some(Era::Modern) => Ok(Settled::Modern),
            Some(Era::Legacy) | None => initialize.await,
        },
    }
}

async fn initialize(link: &Arc<Link>) -> Result<Settled, Fault> {
    let params = initialize_params(&own_client().declared());
    let answer = link.call(Era::Legacy, Owner::Gateway, "initialize", &params).await?.answer().await?;
    let about = About::initialized(&answer)?;
    link.write(INITIALIZED.into()).await?;
    Ok(Settled::Legacy(about))
}
