//! `causeway health`: whether a gateway is well. What the health check of a container runs, which has no other program in it.

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use url::Url;

/// For the whole answer. A gateway that takes longer is not well.
const PATIENCE: Duration = Duration::from_secs(3);

/// Which gateway.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES:
  In a container:             causeway health
  Whether targets are ready:  causeway health http://127.0.0.1:8081/readyz")]
pub struct HealthArgs {
    /// Its health check
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:8080/healthz")]
    url: Url,
}

/// Says nothing if it is.
///
/// # Errors
/// It does not answer, or not that it is well.
pub(super) async fn run(args: &HealthArgs) -> anyhow::Result<()> {
    let http = reqwest::Client::builder().no_proxy().build().context("the HTTP client could not be built")?;
    let answered = http.get(args.url.clone()).timeout(PATIENCE).send().await;
    let answer = answered.with_context(|| format!("nothing answers at {}", args.url))?;
    if !answer.status().is_success() {
        bail!("{} answers HTTP {}", args.url, answer.status());
    }
    Ok(())
}
