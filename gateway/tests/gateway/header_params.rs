//! Arguments that travel as headers (`x-mcp-header`): checked for modern clients, written for legacy ones, whatever the
//! target speaks; and a target that wants other headers than it listed.

use causeway::config::Target;
use causeway_core::catalog::Kind;
use rmcp::model::CallToolRequestParams;
use serde_json::{Value, json};

use crate::{
    bridge_fixture::{Fixture, KINDS, Kind as FixtureKind},
    caller::Caller,
    fake_target::{Asked, FakeTarget, Speaks, error, events},
    harness::{Gateway, http_target},
    targets_child::{scripted, with_env},
};

const REGION: &str = "mcp-param-region";
const ATTEMPT: &str = "mcp-param-attempt";
/// Tools with headers as they should be, and one as it should not.
const TOOLS: &str = r#"[
    {"name":"echo","inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},"deep":{"properties":{"attempt":{"type":"integer","x-mcp-header":"Attempt"}}}}}},
    {"name":"bad","inputSchema":{"type":"object","properties":{"region":{"type":"number","x-mcp-header":"Region"}}}}
]"#;

/// A tool of the fixture that is as `echo` in `TOOLS`, without the depth.
const OF_FIXTURE: &str = "f___test_header_parameter";

fn offering(speaks: Speaks) -> FakeTarget {
    let fake = FakeTarget::start(speaks);
    fake.offer(TOOLS);
    fake
}

fn child(speaks: &str) -> Target {
    with_env(scripted("t", speaks, &[]), "TOOLS", &TOOLS.replace('\n', ""))
}

/// What a modern client gets that calls `tool` with the region `eu` and these headers.
async fn refusal(caller: &Caller, tool: &str, headers: &[(&str, &str)]) -> (u16, i64) {
    let caller = headers.iter().fold(caller.clone().modern(), |caller, (name, value)| caller.again(name, value));
    caller.try_call(tool, json!({"region": "eu"})).await.refusal()
}

async fn check_refusals(target: Target, tool: &str) {
    let gateway = Gateway::start([target]).await;
    let caller = gateway.caller("alice");
    let mismatch: [&[(&str, &str)]; 6] = [
        &[],
        &[(REGION, "EU")],
        &[(REGION, "=?base64?ZXU?=")],
        &[(REGION, "eu"), (REGION, "eu")],
        &[(REGION, "eu"), (ATTEMPT, "1")],
        &[("mcp-param-other", "eu")],
    ];
    for headers in mismatch {
        assert_eq!(refusal(&caller, tool, headers).await, (400, -32020), "{headers:?}");
    }
    for region in ["eu", "=?base64?ZXU=?="] {
        let right = caller.clone().modern().header(REGION, region).header("mcp-param-other", "passes");
        let result = right.call(tool, json!({"region": "eu"})).await;
        assert!(result.to_string().contains("eu") && result["isError"] != true, "{result}");
    }
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn headers_of_modern_clients_are_checked_for_targets_of_every_kind() {
    for kind in KINDS {
        let fixture = Fixture::start(kind).await;
        check_refusals(fixture.target(), OF_FIXTURE).await;
    }
}

#[tokio::test]
async fn children_that_know_nothing_of_headers_are_protected() {
    check_refusals(child("modern"), "t___echo").await;
    check_refusals(child("legacy"), "t___echo").await;
}

#[tokio::test]
async fn a_mismatch_is_explained_without_values() {
    let fake = offering(Speaks::Sessions);
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let caller = gateway.caller("alice").modern().header(REGION, "secret");
    let answer = caller.try_call("t___echo", json!({"region": "other"})).await.json();
    insta::assert_snapshot!(answer, @r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"Header mismatch: `mcp-param-region` and the body's `region` differ"}}"#);
    assert!(fake.asked("tools/call").is_empty());
}

#[tokio::test]
async fn legacy_clients_call_tools_that_want_headers() {
    for kind in KINDS {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        for caller in [gateway.caller("alice"), gateway.caller("alice").in_session().await] {
            for region in ["eu-west-1", "", " Zürich\n", "=?base64?eA==?="] {
                let arguments = json!({"region": region, "attempt": 7, "note": "n"});
                let result = caller.call(OF_FIXTURE, arguments).await;
                assert_eq!(result["content"][0]["text"], format!("Region: {region}"), "{kind:?}");
            }
        }
        gateway.stop().await.unwrap();
    }
}

#[tokio::test]
async fn the_official_modern_client_calls_tools_that_want_headers() {
    for kind in [FixtureKind::ModernHttp, FixtureKind::LegacyHttp] {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        let client = gateway.caller("alice").modern().rmcp().await;
        assert!(client.list_all_tools().await.unwrap().iter().any(|tool| tool.name == OF_FIXTURE));
        let Value::Object(arguments) = json!({"region": "Zürich", "attempt": 7}) else { unreachable!() };
        let call = CallToolRequestParams::new(OF_FIXTURE).with_arguments(arguments);
        let result = client.call_tool(call).await.unwrap();
        assert_eq!(serde_json::to_value(result).unwrap()["content"][0]["text"], "Region: Zürich");
        client.cancel().await.unwrap();
        gateway.stop().await.unwrap();
    }
}

/// The `Mcp-Param-*` headers that came with a call.
fn param_headers(asked: &Asked) -> Vec<(&str, &str)> {
    let params = asked.headers.iter().filter(|(name, _)| name.as_str().starts_with("mcp-param-"));
    let mut params: Vec<_> = params.map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    params.sort_unstable();
    params
}

#[tokio::test]
async fn a_modern_target_gets_what_a_modern_client_wrote_and_what_a_legacy_one_could_not() {
    let fake = offering(Speaks::Modern);
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let caller = gateway.caller("alice");
    let modern = caller.clone().modern();
    let modern = modern.header(REGION, "=?base64?ZXU=?=").header(ATTEMPT, "7.0").header("Mcp-Param-Other", "\"x\"");
    modern.call("t___echo", json!({"region": "eu", "deep": {"attempt": 7}})).await;
    // Nobody can check what `bad` wants, so nothing is taken for wrong.
    modern.call("t___bad", json!({"region": 1.5})).await;
    let legacy = caller.in_session().await.header(REGION, "means nothing in this era");
    legacy.call("t___echo", json!({"region": " eu", "deep": {"attempt": 7.0}})).await;
    legacy.call("t___echo", json!({"region": null, "attempt": 7})).await;
    legacy.call("t___bad", json!({"region": 1.5})).await;
    let calls = fake.asked("tools/call");
    let given = [(ATTEMPT, "7.0"), ("mcp-param-other", "\"x\""), (REGION, "=?base64?ZXU=?=")];
    let written = [(ATTEMPT, "7"), (REGION, "=?base64?IGV1?=")];
    let expected: [&[(&str, &str)]; 5] = [&given, &given, &written, &[], &[]];
    assert_eq!(calls.iter().map(param_headers).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_legacy_target_gets_no_such_headers() {
    let fake = offering(Speaks::Sessions);
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let caller = gateway.caller("alice");
    caller.clone().modern().header(REGION, "eu").call("t___echo", json!({"region": "eu"})).await;
    caller.call("t___echo", json!({"region": "eu"})).await;
    let calls = fake.asked("tools/call");
    assert_eq!(calls.iter().map(param_headers).collect::<Vec<_>>(), [[]; 2]);
}

#[tokio::test]
async fn a_tool_that_wants_headers_wrongly_is_listed_and_said() {
    let fake = offering(Speaks::Modern);
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    for caller in [gateway.caller("alice"), gateway.caller("alice").modern()] {
        assert_eq!(caller.tools().await, ["t___echo", "t___bad"]);
    }
    let view = gateway.view_where(|_| true).await;
    let problems: Vec<String> = view.catalog.problems().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(problems.join("\n"), @"target `t` lists the tool `bad` with an invalid `x-mcp-header` (`properties/region/x-mcp-header` stands at a parameter whose `type` is neither `string` nor `integer` nor `boolean`): it is called without such headers, and clients of MCP 2026-07-28 leave it out");
}

/// A target that wants another header than it listed: what clients are told, and what is known of it afterwards.
async fn check_listed_again(answer: impl Fn(&Asked) -> axum::response::Response + Send + Sync + Copy + 'static) {
    let fake = FakeTarget::start(Speaks::Modern);
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    fake.offer(TOOLS);
    fake.on("tools/call", move |asked| async move { answer(&asked) });
    let caller = gateway.caller("alice");
    let refused = caller.try_call("t___echo", json!({"region": "eu"})).await;
    assert_eq!(refused.message()["error"]["code"], -32020);
    gateway.view_where(|view| view.catalog.list(Kind::Tools).len() == 2).await;
    fake.usual("tools/call");
    caller.call("t___echo", json!({"region": "eu"})).await;
    assert_eq!(param_headers(&fake.asked("tools/call")[1]), [(REGION, "eu")]);
}

#[tokio::test]
async fn a_target_that_takes_headers_for_wrong_is_listed_again() {
    let message =
        |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32020,"message":"Header mismatch"}}}}"#);
    check_listed_again(|asked| error(400, &asked.id, -32020, "Header mismatch")).await;
    check_listed_again(move |asked| events([Ok(message(&asked.id))])).await;
}

#[tokio::test]
async fn a_modern_client_is_told_of_a_mismatch_by_its_status_too() {
    let fake = FakeTarget::start(Speaks::Modern);
    fake.on("tools/call", |asked| async move { error(400, &asked.id, -32020, "its own words") });
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let answer = gateway.caller("alice").modern().try_call("t___echo", json!({})).await;
    assert_eq!(answer.refusal(), (400, -32020));
    assert_eq!(answer.json()["error"]["message"], "its own words");
    assert_eq!(fake.asked("tools/call").len(), 1);
}
