//! Asking a running server whether it is well, for the health check of a container, which has no other program in it.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, bail};

/// For the whole answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks the one that listens at `address`.
///
/// # Errors
/// It does not answer, or not that it is well.
pub(crate) async fn check(address: SocketAddr) -> anyhow::Result<()> {
    let url = format!("http://{}/healthz", reachable(address));
    let http = reqwest::Client::builder().no_proxy().build().context("the HTTP client could not be built")?;
    let answered = http.get(&url).timeout(PATIENCE).send().await;
    let answer = answered.with_context(|| format!("nothing answers at {url}"))?;
    if !answer.status().is_success() {
        bail!("{url} answers HTTP {}", answer.status());
    }
    Ok(())
}

/// Whoever listens on every interface listens on loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let mut address = address;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    address
}
