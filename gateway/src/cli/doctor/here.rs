//! What can be seen on this machine: the configuration, files with secrets, the address to listen on. Reaches no other
//! machine.

use std::{
    io::ErrorKind,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;
use tokio::net::TcpListener;

use super::{Bench, Finding};
use crate::{
    cli::{regions, screen::count},
    config::{Authorizer, Config, file},
};

/// A gateway answers its health check sooner.
const HEALTHY: Duration = Duration::from_secs(3);

/// The files of a configuration that hold one secret each.
pub(super) fn secret_files(file: &file::File, directory: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    let targets = file.targets.iter().flat_map(|targets| &targets.value);
    for credential in targets.filter_map(|target| target.value.credential.as_ref()) {
        let client = credential.value.client_credentials.as_ref();
        paths.extend(client.and_then(|client| client.value.client_secret_file.as_ref()));
        let key = credential.value.api_key.as_ref();
        paths.extend(key.and_then(|key| key.value.key_file.as_ref()));
    }
    for authorizer in file.authorizers() {
        let file::Authorizer::AwsIam(iam) = authorizer else { continue };
        paths.extend(iam.value.access_keys.iter().filter_map(|key| key.value.secret_access_key_file.as_ref()));
    }
    paths.into_iter().map(|path| directory.join(&path.value)).collect()
}

/// What a good configuration says, and what of it may not be meant so.
pub(super) fn of_config(config: &Config, files: &[PathBuf]) -> Vec<Finding> {
    let callers = match &config.authorizer {
        Authorizer::None => "anyone who reaches it",
        Authorizer::CustomJwt(_) => "callers with a token",
        Authorizer::AwsIam(_) => "AWS principals",
    };
    let seen = format!("no mistakes; {}, serves {callers}", count(config.targets.len(), "target"));
    let mut findings = vec![Finding::good("config", seen)];
    findings.extend(regions::unknown(config).into_iter().map(|unknown| {
        let advice = unknown.nearest.map_or("check its name".into(), |nearest| format!("write `{nearest}`"));
        Finding::warning("region", format!("AWS has no region `{}`, which {} names", unknown.region, unknown.place))
            .todo(advice)
    }));
    findings.extend(files.iter().filter_map(|path| open_to_others(path)));
    if !files.is_empty() && findings.iter().all(|finding| finding.what != "secret file") {
        findings.push(Finding::good(
            "secret file",
            format!("{}, none of which others may read", count(files.len(), "file")),
        ));
    }
    findings
}

/// A group may be meant to read it, as with mounted secrets; everybody is not.
fn open_to_others(path: &Path) -> Option<Finding> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    let open = mode & 0o006 != 0;
    open.then(|| {
        let seen = format!("everybody on this machine may read `{}` (mode {mode:o})", path.display());
        Finding::warning("secret file", seen).todo(format!("chmod 600 {}", path.display()))
    })
}

/// Whether the gateway can listen at `address`, which the setting `key` says, or does so already.
pub(super) async fn listen(bench: &Bench, address: SocketAddr, key: &'static str) -> Vec<Finding> {
    let error = match TcpListener::bind(address).await {
        Ok(_) => return vec![Finding::good("address", format!("{address} is free"))],
        Err(error) => error,
    };
    if error.kind() != ErrorKind::AddrInUse {
        return vec![
            Finding::problem("address", format!("{address} cannot be listened on: {error}"))
                .todo(format!("choose another `{key}`")),
        ];
    }
    let finding = match is_served(bench, address).await {
        true => Finding::good("address", format!("{address} is served by a gateway already")),
        false => Finding::warning("address", format!("{address} is taken by another program"))
            .todo(format!("stop it, or choose another `{key}`")),
    };
    vec![finding]
}

/// Whether a gateway answers there: its health check has a form of its own.
async fn is_served(bench: &Bench, mut address: SocketAddr) -> bool {
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let asked = bench.sources.http.get(format!("http://{address}/healthz")).timeout(HEALTHY).send().await;
    let Ok(answer) = asked.and_then(reqwest::Response::error_for_status) else { return false };
    let body = answer.bytes().await.unwrap_or_default();
    serde_json::from_slice::<Value>(&body).is_ok_and(|body| body["status"] == "ok")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_nobody_elses() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        std::fs::write(&path, "s").unwrap();
        for (mode, warned) in [(0o600, false), (0o640, false), (0o644, true), (0o666, true)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let advice = open_to_others(&path).and_then(|finding| finding.advice);
            assert_eq!(advice.is_some_and(|advice| advice.starts_with("chmod 600 ")), warned, "{mode:o}");
        }
        assert!(open_to_others(&directory.path().join("gone")).is_none());
    }
}
