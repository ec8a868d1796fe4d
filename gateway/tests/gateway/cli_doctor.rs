//! `causeway doctor`: real faults, each found and said with what to do.

use causeway_servers::Sample;
use serde_json::Value;

use crate::{command::run, issuer::Issuer, sample::Server};

/// What `doctor` finds with this configuration, and with which status it ends.
async fn looked(config: &str) -> (Option<i32>, Vec<Value>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    std::fs::write(&path, config).unwrap();
    let ended = run(&["doctor", "--json", "--config", path.to_str().unwrap()]).await;
    let findings = ended.json()["findings"].as_array().unwrap().clone();
    (ended.code, findings)
}

/// Level and words of what was found of this.
fn found(findings: &[Value], subject: &str, what: &str) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = findings.iter().find(|one| one["subject"] == subject && one["what"] == what);
    let one = one.unwrap_or_else(|| panic!("nothing is said of {what} of {subject}: {findings:?}"));
    (text(&one["level"]), [text(&one["seen"]), text(&one["advice"])].join(" → "))
}

#[tokio::test]
async fn each_part_is_judged_for_itself() {
    let (issuer, calculator) = (Issuer::start().await, Server::start(Sample::Calculator).await);
    let config = format!(
        r#"
        gateway.listen = "127.0.0.1:0"
        [authorizer.custom_jwt]
        discovery_url = "{}"
        allowed_clients = ["alice"]
        [[targets]]
        name = "calculator"
        http.endpoint = "{}"
        [[targets]]
        name = "gone"
        http.endpoint = "http://127.0.0.1:1/mcp"
        "#,
        issuer.discovery_url(),
        calculator.url
    );
    let (code, findings) = looked(&config).await;
    assert_eq!(code, Some(1));
    for (subject, what) in [("listen", "address"), ("authorizer", "discovery"), ("authorizer", "keys")] {
        assert_eq!(found(&findings, subject, what).0, "ok", "{findings:?}");
    }
    let (level, words) = found(&findings, "target calculator", "list");
    assert!(level == "ok" && words.contains("MCP 2026-07-28 (modern), 2 tools in"), "{words}");
    let (level, words) = found(&findings, "target gone", "network");
    assert!(level == "problem" && words.contains("no connection to `127.0.0.1`"), "{words}");
    let (code, findings) = looked(&config.replace("http://127.0.0.1:1/mcp", &calculator.url)).await;
    assert_eq!(code, Some(0), "{findings:?}");
    issuer.set_down(true);
    let (code, findings) = looked(&config).await;
    assert_eq!(code, Some(1));
    assert_eq!(found(&findings, "authorizer", "discovery").0, "problem", "{findings:?}");
    calculator.stop().await;
}

#[tokio::test]
async fn one_server_is_enough() {
    let calculator = Server::start(Sample::Calculator).await;
    let well = run(&["doctor", &calculator.url]).await;
    assert_eq!(well.code, Some(0), "{well:?}");
    assert!(well.stdout.contains("everything is well"), "{well:?}");
    let mistaken = run(&["doctor", "--config", "/nowhere/config.toml"]).await;
    assert_eq!(mistaken.code, Some(64));
    calculator.stop().await;
}

#[tokio::test]
async fn who_names_a_gateway_by_its_id_is_asked_for_the_region_once() {
    for command in ["doctor", "import"] {
        let ended = run(&[command, "tools-a1b2c3d4e5"]).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert_eq!(ended.stderr.matches("region").count(), 3, "the advice stands there once: {ended:?}");
        assert!(ended.stderr.contains("or say which region with `--region`"), "{ended:?}");
    }
}
