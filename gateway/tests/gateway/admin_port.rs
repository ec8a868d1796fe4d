//! The admin port: what it says, to whom, and to whom not.

use causeway::config::{Admin, Config};
use causeway_servers::Sample;
use serde_json::json;

use crate::{
    answer::Answer,
    caller::Caller,
    harness::{Gateway, resolve},
    issuer::Issuer,
    sample::Server,
};

fn admin(gateway: &Gateway) -> Caller {
    Caller::new(&format!("{}/mcp", gateway.admin))
}

/// The lines of the metric `name`, without its comments.
fn lines(metrics: &Answer, name: &str) -> Vec<String> {
    let is_of = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
    metrics.text().lines().filter(is_of).map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn metrics_count_what_happened() {
    let calculator = Server::start(Sample::Calculator).await;
    let gateway = Gateway::start([calculator.target()]).await;
    let mut records = gateway.calls.follow();
    let alice = gateway.caller("alice");
    alice.call("calculator___add_numbers", json!({"a": 2, "b": 3})).await;
    alice.call("calculator___add_numbers", json!({"a": 2, "b": 3})).await;
    alice.try_call("calculator___steal", json!({})).await;
    alice.request("tools/steal", json!({})).await;
    gateway.anonymous().request("tools/list", json!({})).await;
    for _ in 0..5 {
        records.recv().await.unwrap();
    }
    let metrics = admin(&gateway).get("/metrics").await;
    assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let names = [
        "causeway_invocations_total",
        "causeway_user_errors_total",
        "causeway_latency_seconds_count",
        "causeway_target_execution_seconds_count",
        "causeway_target_type_total",
        "causeway_target_info",
        "causeway_target_up",
        "causeway_path_state",
        "causeway_path_requests_total",
        "causeway_catalog_entries",
        "causeway_connections_limit",
    ];
    let said: Vec<String> = names.iter().flat_map(|name| lines(&metrics, name)).collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    causeway_invocations_total{method="tools/call",target="calculator",tool="add_numbers",outcome="ok"} 2
    causeway_invocations_total{method="tools/call",target="unknown",tool="unknown",outcome="error"} 1
    causeway_invocations_total{method="tools/list",target="",tool="",outcome="refused"} 1
    causeway_invocations_total{method="unknown",target="",tool="",outcome="error"} 1
    causeway_user_errors_total{method="tools/call",target="calculator",tool="add_numbers"} 0
    causeway_user_errors_total{method="tools/call",target="unknown",tool="unknown"} 1
    causeway_user_errors_total{method="tools/list",target="",tool=""} 1
    causeway_user_errors_total{method="unknown",target="",tool=""} 1
    causeway_latency_seconds_count{method="tools/call",target="calculator",tool="add_numbers"} 2
    causeway_latency_seconds_count{method="tools/call",target="unknown",tool="unknown"} 1
    causeway_latency_seconds_count{method="tools/list",target="",tool=""} 1
    causeway_latency_seconds_count{method="unknown",target="",tool=""} 1
    causeway_target_execution_seconds_count{method="tools/call",target="calculator",tool="add_numbers"} 2
    causeway_target_type_total{type="mcp-server"} 2
    causeway_target_type_total{type="agentcore-gateway"} 0
    causeway_target_info{target="calculator",type="mcp-server",transport="http"} 1
    causeway_target_up{target="calculator"} 1
    causeway_path_state{target="calculator",path="calculator",state="up"} 1
    causeway_path_state{target="calculator",path="calculator",state="down"} 0
    causeway_path_state{target="calculator",path="calculator",state="probation"} 0
    causeway_path_state{target="calculator",path="calculator",state="trying"} 0
    causeway_path_requests_total{target="calculator",path="calculator"} 2
    causeway_catalog_entries{kind="tools"} 2
    causeway_catalog_entries{kind="prompts"} 0
    causeway_catalog_entries{kind="resources"} 0
    causeway_catalog_entries{kind="templates"} 0
    causeway_connections_limit 5000
    "#);
    assert_eq!(lines(&metrics, "process_resident_memory_bytes").len(), 1);
}

#[tokio::test]
async fn readiness_says_why() {
    let gateway = Gateway::start([crate::harness::http_target("gone", "http://127.0.0.1:1/mcp")]).await;
    let said = admin(&gateway).get("/readyz").await.json();
    let error = said["targets"][0]["error"].as_str().unwrap();
    assert!(error.contains("could not be reached") && error.contains("refused"), "{said}");
    assert_eq!(admin(&gateway).get("/healthz").await.json(), json!({"status": "ok"}));
}

#[tokio::test]
async fn pages_of_strangers_are_refused() {
    let gateway = Gateway::launch(Issuer::start().await, [], |_| ()).await;
    let of_page = admin(&gateway).header("origin", "https://evil.example").get("/metrics").await;
    let rebound = admin(&gateway).header("host", "evil.example:8081").get("/readyz").await;
    assert_eq!((of_page.status.as_u16(), rebound.status.as_u16()), (403, 403));
}

/// As if it listened where other machines reach it.
fn reachable(config: &mut Config, open_metrics: bool) {
    config.admin = Some(Admin { listen: "0.0.0.0:0".parse().unwrap(), open_metrics, try_tools: false });
}

#[tokio::test]
async fn elsewhere_the_authorizer_decides() {
    for open_metrics in [false, true] {
        let gateway = Gateway::launch(Issuer::start().await, [], |config| reachable(config, open_metrics)).await;
        let stranger = admin(&gateway);
        let alice = stranger.clone().header("authorization", gateway.caller("alice").header_value("authorization"));
        let mut statuses = Vec::new();
        for path in ["/healthz", "/metrics", "/readyz"] {
            let (open, known) = (stranger.get(path).await.status.as_u16(), alice.get(path).await.status.as_u16());
            statuses.push((path, open, known));
        }
        let metrics = if open_metrics { 200 } else { 401 };
        assert_eq!(statuses, [("/healthz", 200, 200), ("/metrics", metrics, 200), ("/readyz", 401, 200)]);
    }
}

#[test]
fn without_the_section_there_is_none() {
    let text = "authorizer = \"none\"\n[[targets]]\nname = \"a\"\nhttp.endpoint = \"http://127.0.0.1:1/mcp\"";
    assert_eq!(resolve(text).admin, None);
    let with = resolve(&format!("{text}\n[admin]\n")).admin.unwrap();
    assert_eq!((with.listen.to_string().as_str(), with.open_metrics, with.try_tools), ("127.0.0.1:8081", false, true));
    let elsewhere = "[admin]\nlisten = \"0.0.0.0:8081\"\nallow_unauthenticated = true";
    assert!(!resolve(&format!("{text}\n{elsewhere}\n")).admin.unwrap().try_tools);
    assert!(resolve(&format!("{text}\n{elsewhere}\ntry_tools = true\n")).admin.unwrap().try_tools);
}
