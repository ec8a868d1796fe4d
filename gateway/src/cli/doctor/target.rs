//! A target as the gateway meets it: the way there, the credential for it, what it is and what it lists. Calls none of its
//! tools.

use std::time::Instant;

use causeway_core::{catalog::Kind, era::Era, name::TargetName};

use super::{Bench, Finding, Level};
use crate::{
    cli::screen::{count, printable},
    config,
    credentials::Credential,
    peer,
    targets::{About, Fault, Target, TargetError},
};

/// A list that takes longer makes people wait.
const SLOW_MILLIS: u128 = 5_000;

/// What is seen of it: ends with the first thing that makes the rest impossible. `named`: a person named it, and there is no
/// configuration to mend.
pub(super) async fn look(bench: &Bench, target: &Target, named: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut not_let_in = None;
    if let Some((of, url)) = bench.place(target) {
        not_let_in = named.then_some(&of.credential);
        findings.extend(bench.network().look(url).await);
        let hopeless = |finding: &Finding| finding.level == Level::Problem && finding.what != "clock";
        if findings.iter().any(hopeless) {
            return findings;
        }
        findings.extend(credential(bench, &of.name, &of.credential, url).await);
        if findings.iter().any(hopeless) {
            return findings;
        }
    }
    findings.push(listed(target).await.unwrap_or_else(|error| failed(&error.fault, not_let_in)));
    findings
}

/// Whether there is something to show.
async fn credential(bench: &Bench, name: &TargetName, config: &config::Credential, url: &url::Url) -> Option<Finding> {
    let what = match config {
        config::Credential::None => return None,
        config::Credential::ClientCredentials(_) => "the issuer gave a token",
        config::Credential::ApiKey(_) => "the key is there",
        config::Credential::Sigv4(_) => "requests can be signed",
    };
    let credential = Credential::new(name, config, &bench.sources);
    let (mut parts, ()) = http::Request::post(url.as_str()).body(()).ok()?.into_parts();
    Some(match credential.apply(&mut parts, b"{}").await {
        Ok(_) => Finding::good("credential", what),
        Err(error) => Finding::failed("credential", &error.failure),
    })
}

async fn listed(target: &Target) -> Result<Finding, TargetError> {
    let began = Instant::now();
    let about = match target.about().await {
        Ok(about) => Some(about),
        Err(error) if error.fault.is_of_the_question() => None,
        Err(error) => return Err(error),
    };
    let tools: usize = target.list(Kind::Tools).await?.iter().map(|page| page.entries.len()).sum();
    let millis = began.elapsed().as_millis();
    let seen = format!("{}{} in {millis} ms", about.as_ref().map(words).unwrap_or_default(), count(tools, "tool"));
    Ok(match (tools, millis > SLOW_MILLIS) {
        (0, _) => Finding::warning("list", format!("{seen}: nothing that a client could call"))
            .todo("check that this is the right server, and what its credential may see"),
        (_, true) => Finding::warning("list", seen).todo("it is slow to start or far away; keep it warm"),
        (_, false) => Finding::good("list", seen),
    })
}

fn words(about: &About) -> String {
    let era = match about.era {
        Era::Modern => "modern",
        Era::Legacy => "legacy",
    };
    let info: Option<serde_json::Value> = about.server_info.as_deref().and_then(|info| serde_json::from_str(info).ok());
    let name =
        info.as_ref().and_then(|info| info["name"].as_str()).map(|name| printable(name) + ", ").unwrap_or_default();
    format!("{name}MCP {} ({era}), ", printable(&about.version))
}

/// `shown` is what a person chose to show to a server.
fn failed(fault: &Fault, shown: Option<&config::Credential>) -> Finding {
    match (fault, shown) {
        (Fault::Unsent(fault), _) => failed(fault, shown),
        (Fault::Unauthorized(status), Some(shown)) => {
            Finding::problem("list", format!("it did not let us in (HTTP {status})")).todo(peer::advice(shown, *status))
        }
        (fault, _) => {
            let text = fault.to_string();
            // What follows is advice as well, and shorter.
            let seen = text.split_once("; ").map_or(&*text, |(seen, _)| seen);
            Finding::problem("list", seen).todo(fault.operators_step())
        }
    }
}
