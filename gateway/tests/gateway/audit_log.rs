//! The audit log on a real file: a line for each call, nothing in it that must not be, and a stated end when it cannot be written.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use causeway::config::{Audit, AuditSink, Config, OnFull, Redaction};
use causeway_servers::Sample;
use serde_json::{Value, json};

use crate::{caller::Caller, harness::Gateway, issuer::Issuer, sample::Server};

const PATIENCE: Duration = Duration::from_secs(60);

fn audit(path: &Path) -> Audit {
    let (sink, redaction) = (AuditSink::File(path.to_owned()), Redaction::default());
    Audit { sink, on_full: OnFull::Drop, arguments: false, argument_bytes: 100, redaction }
}

async fn lines(gateway: &Gateway, path: &Path) -> Vec<Value> {
    gateway.calls.audit().unwrap().flush(PATIENCE).await;
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Waits until as many calls have ended as were made.
async fn ended(gateway: &Gateway, calls: usize) {
    while gateway.calls.recent().len() < calls {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn each_call_has_its_line_and_no_arguments() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    let calculator = Server::start(Sample::Calculator).await;
    let change = |config: &mut Config| config.audit = Some(audit(&path));
    let gateway = Gateway::start_with([calculator.target()], change).await;
    gateway.caller("alice").call("calculator___add_numbers", json!({"a": 424_242, "b": 3})).await;
    gateway.anonymous().try_call("calculator___add_numbers", json!({"a": 424_242})).await;
    ended(&gateway, 2).await;
    let lines = lines(&gateway, &path).await;
    let said = |line: &Value| format!("{} {} {} {}", line["caller"], line["name"], line["outcome"], line["detail"]);
    let said: Vec<String> = lines.iter().map(said).collect();
    assert_eq!(
        said,
        [
            r#""alice" "calculator___add_numbers" "ok" null"#,
            r#"null "calculator___add_numbers" "refused" "missing_token""#
        ]
    );
    let text = fs::read_to_string(&path).unwrap();
    let token = gateway.caller("alice").header_value("authorization").replace("Bearer ", "");
    assert!(!text.contains("424242") && !text.contains(&token), "{text}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn arguments_are_kept_without_what_is_secret() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    let change = |config: &mut Config| {
        let redaction = Redaction { names: vec!["iban".into()], ..Redaction::default() };
        config.audit = Some(Audit { arguments: true, redaction, ..audit(&path) });
    };
    let gateway = Gateway::launch(Issuer::start().await, [], change).await;
    let alice = gateway.caller("alice");
    alice
        .try_call(
            "t___x",
            json!({"city": "Berlin", "password": "hunter2", "deep": {"IBAN": "DE00"}, "raw": r#"{"iban": "DE"}"#}),
        )
        .await;
    alice.try_call("t___x", json!({"text": "x".repeat(100)})).await;
    ended(&gateway, 2).await;
    let lines = lines(&gateway, &path).await;
    let redacted = json!({
        "city": "Berlin", "password": "[redacted]", "deep": {"IBAN": "[redacted]"}, "raw": r#"{"iban":"[redacted]"}"#
    });
    assert_eq!(lines[0]["arguments"], redacted);
    assert_eq!((&lines[1]["arguments"], &lines[1]["arguments_omitted_bytes"]), (&Value::Null, &json!(111)));
}

#[tokio::test]
async fn a_file_that_was_moved_away_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let (path, old) = (directory.path().join("audit.jsonl"), directory.path().join("audit.jsonl.1"));
    let gateway = Gateway::launch(Issuer::start().await, [], |config| config.audit = Some(audit(&path))).await;
    let alice = gateway.caller("alice");
    alice.request("ping", json!({})).await;
    ended(&gateway, 1).await;
    assert_eq!(lines(&gateway, &path).await.len(), 1);
    fs::rename(&path, &old).unwrap();
    gateway.calls.audit().unwrap().reopen();
    alice.request("ping", json!({})).await;
    ended(&gateway, 2).await;
    assert_eq!((lines(&gateway, &path).await.len(), lines(&gateway, &old).await.len()), (1, 1));
}

/// Linux' own disk that is always full.
const FULL: &str = "/dev/full";

fn ping(id: usize) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "ping"})
}

/// Sends many calls in each request.
async fn pings(gateway: &Gateway, batches: usize) -> Vec<u16> {
    let alice: Caller = gateway.caller("alice").header("mcp-protocol-version", "2025-03-26");
    let batch = Value::from((0..100).map(ping).collect::<Vec<_>>()).to_string();
    let mut statuses = Vec::new();
    for _ in 0..batches {
        statuses.push(alice.post(batch.clone()).await.status.as_u16());
    }
    statuses
}

#[tokio::test]
async fn a_full_disk_refuses_calls_where_each_must_be_kept() {
    let change = |config: &mut Config| {
        config.audit = Some(Audit { on_full: OnFull::Refuse, ..audit(Path::new(FULL)) });
    };
    let gateway = Gateway::launch(Issuer::start().await, [], change).await;
    let statuses = pings(&gateway, 90).await;
    assert_eq!((statuses[0], statuses[89]), (200, 503));
}

#[tokio::test]
async fn a_full_disk_costs_lines_where_calls_matter_more() {
    let gateway =
        Gateway::launch(Issuer::start().await, [], |config| config.audit = Some(audit(Path::new(FULL)))).await;
    let statuses = pings(&gateway, 90).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    let metrics = Caller::new(&format!("{}/mcp", gateway.admin)).get("/metrics").await;
    let dropped = metrics.text().lines().find_map(|line| line.strip_prefix("causeway_audit_dropped_total "));
    let dropped: u64 = dropped.unwrap().parse().unwrap();
    assert!(dropped > 500, "{dropped}");
}
