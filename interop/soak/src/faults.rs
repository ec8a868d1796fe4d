//! What happens around the gateway for as long as calls are made: a target dies, a child is killed, the token endpoint is down.

use std::{sync::Arc, time::Duration};

use nix::sys::signal::{Signal, kill};
use tokio::time::sleep;

use crate::{gateway::Gateway, target::Targets, tokens::Endpoint};

/// Lets one thing after the other fail, until it is dropped.
pub(crate) async fn run(targets: Targets, tokens: Endpoint, gateway: Arc<Gateway>) {
    loop {
        sleep(Duration::from_millis(fastrand::u64(200..1500))).await;
        let time = Duration::from_millis(fastrand::u64(50..700));
        match fastrand::u32(..4) {
            0 => {
                if let Some(child) = fastrand::choice(gateway.children()) {
                    // It may be gone already.
                    let _ = kill(child, Signal::SIGKILL);
                }
            }
            1 => tokens.fails(time).await,
            _ => {
                let dying = targets.all().filter(|target| ["dying", "older"].contains(&target.name));
                if let Some(target) = fastrand::choice(dying.collect::<Vec<_>>()) {
                    target.dies(time).await;
                }
            }
        }
    }
}
