//! What one endpoint gave a caller is worth nothing at another, though the two may call different people the same: sessions,
//! sessions with targets, tasks, calls that wait for input.

use causeway_core::catalog::Kind;
use http::Method;
use serde_json::{Value, json};

use crate::{
    bridge_asking::AskingTarget,
    bridge_fixture::{Fixture, Kind as Way},
    bridge_talk::{everything, retry},
    caller::Caller,
    fake_target::{FakeTarget, Speaks},
    harness::{Gateway, http_target, toolsets},
    issuer::Issuer,
    offering::Offering,
    tasks_older_target::OlderTarget,
    tasks_talk::{EXTENSION, about, text},
};

/// The gateway before `target`, with a toolset that shows all tools to callers of another issuer. Both know an `alice`.
async fn gateway(target: causeway::config::Target) -> (Gateway, Issuer) {
    let other = Issuer::with_own_keys().await;
    let toolset = format!(
        "[[toolsets]]\nname = \"own\"\ntools = {{}}\n[toolsets.authorizer.custom_jwt]\ndiscovery_url = \"{}\"\nallowed_clients = [\"alice\"]\n",
        other.discovery_url()
    );
    let same = "[[toolsets]]\nname = \"same\"\ntools = {}\n";
    let text = [&toolset, same].concat();
    let gateway = Gateway::start_with([target], |config| config.toolsets = toolsets(&text)).await;
    (gateway, other)
}

/// Alice at the gateway, at the toolset of the gateway's own callers, and her namesake at the other one.
fn three(gateway: &Gateway, other: &Issuer) -> [Caller; 3] {
    let alice = || gateway.caller("alice");
    [alice(), alice().toolset("same"), gateway.with_token(&other.token("alice")).toolset("own")]
}

#[tokio::test]
async fn a_session_is_known_where_it_was_opened() {
    let t = Offering::start("t", Speaks::Modern, &[(Kind::Tools, r#"[{"name":"x"}]"#)]);
    let (gateway, other) = gateway(t.target()).await;
    let all = three(&gateway, &other);
    for (at, caller) in all.iter().enumerate() {
        let id = caller.clone().in_session().await.header_value("mcp-session-id").to_owned();
        for (other, elsewhere) in all.iter().enumerate() {
            let status = elsewhere.clone().header("mcp-session-id", &id).request("ping", json!({})).await.status;
            assert_eq!(status, if at == other { 200 } else { 404 }, "{at} {other}");
        }
        let ended = caller.clone().header("mcp-session-id", &id).send(Method::DELETE, "").await;
        assert_eq!(ended.status, 204);
    }
}

/// The session of a target with who called `caller`'s tool.
async fn session_of(fake: &FakeTarget, caller: &Caller) -> String {
    caller.call("t___echo", json!({})).await;
    fake.asked("tools/call").pop().unwrap().headers["mcp-session-id"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn namesakes_share_no_session_with_a_target() {
    let fake = FakeTarget::start(Speaks::Sessions);
    let (gateway, other) = gateway(http_target("t", &fake.endpoint())).await;
    let mut sessions = Vec::new();
    for caller in three(&gateway, &other) {
        let session = session_of(&fake, &caller).await;
        assert_eq!(session_of(&fake, &caller).await, session, "one caller at one endpoint has one");
        sessions.push(session);
    }
    sessions.dedup();
    assert_eq!(sessions.len(), 3);
    assert_ne!(sessions[0], sessions[2]);
}

#[tokio::test]
async fn a_task_is_known_where_it_was_begun() {
    let fixture = Fixture::start(Way::ModernHttp).await;
    let (gateway, other) = gateway(fixture.target()).await;
    let all = three(&gateway, &other).map(|caller| {
        let capabilities = json!({"elicitation": {"form": {}}, "extensions": {EXTENSION: {}}});
        caller.declaring(capabilities).modern()
    });
    for (at, caller) in all.iter().enumerate() {
        let begun = caller.call("f___slow_compute", json!({"seconds": 3600, "label": "x"})).await;
        let id = text(&begun["taskId"]);
        for (other, elsewhere) in all.iter().enumerate() {
            let seen = about(elsewhere, "tasks/get", &id).await;
            match at == other {
                true => assert_eq!(seen.result()["status"], "working"),
                false => assert_eq!(seen.refusal(), (200, -32602), "{at} {other}"),
            }
        }
        about(caller, "tasks/cancel", &id).await.result();
    }
}

#[tokio::test]
async fn a_list_of_tasks_holds_those_of_its_endpoint() {
    let older = OlderTarget::start("t");
    older.list(&[&["t-0", "t-1", "t-2"]]);
    let (gateway, other) = gateway(older.target()).await;
    let mut all = Vec::new();
    for caller in three(&gateway, &other) {
        let caller = caller.in_session().await;
        let params = json!({"name": "t___may", "arguments": {}, "task": {"ttl": 60000}});
        caller.request("tools/call", params).await.result();
        all.push(caller);
    }
    for caller in all {
        let listed = caller.request("tasks/list", json!({})).await.result();
        assert_eq!(listed["tasks"].as_array().unwrap().len(), 1, "{listed}");
    }
}

#[tokio::test]
async fn a_call_that_waits_goes_on_where_it_was_begun() {
    let asking = AskingTarget::start();
    let (gateway, other) = gateway(asking.target()).await;
    let all = three(&gateway, &other).map(|caller| caller.declaring(everything()).modern());
    let params = |number: usize| json!({"name": "t___echo", "arguments": {"n": number}});
    for (at, caller) in all.iter().enumerate() {
        let asked: Value = caller.request("tools/call", params(at)).await.result();
        assert_eq!(asked["resultType"], "input_required");
        let back = retry(&params(at), &asked);
        for (_, elsewhere) in all.iter().enumerate().filter(|(other, _)| *other != at) {
            assert_eq!(elsewhere.request("tools/call", back.clone()).await.refusal(), (200, -32602));
        }
        let done = caller.request("tools/call", back).await.result();
        assert_eq!(done["resultType"], "complete", "{done}");
    }
    assert_eq!(asking.fake.asked("tools/call").len(), 3, "no call was made twice");
}

/// The bounds are of the gateway, not of each endpoint.
#[tokio::test]
async fn calls_that_wait_and_streams_are_counted_together() {
    let asking = AskingTarget::start();
    let gateway = Gateway::start_with([asking.target()], |config| {
        config.limits.parked_calls = 1;
        config.limits.streams = 1;
        config.toolsets = toolsets("[[toolsets]]\nname = \"same\"\ntools = {}\n");
    })
    .await;
    let alice = gateway.caller("alice").declaring(everything()).modern();
    let params = json!({"name": "t___echo", "arguments": {}});
    assert_eq!(alice.request("tools/call", params.clone()).await.result()["resultType"], "input_required");
    let refused = alice.clone().toolset("same").request("tools/call", params).await.message();
    assert!(refused["error"]["message"].as_str().unwrap().contains("`limits.parked_calls`"), "{refused}");
    let mut listening = alice.open("subscriptions/listen", json!({"notifications": {"toolsListChanged": true}})).await;
    listening.next().await;
    let refused = alice.toolset("same").request("subscriptions/listen", json!({"notifications": {}})).await;
    assert_eq!(refused.status, 503, "{refused:?}");
}
