//! A modern target that gives each client an `Mcp-Session-Id` all the same, as AgentCore Runtime does to find its machine again:
//! a caller's requests carry the one that it was given last.

use serde_json::json;

use crate::{
    fake_target::{self, FakeTarget, Speaks, success},
    harness::{Gateway, http_target},
};

#[tokio::test]
async fn a_caller_stays_where_it_was() {
    let fake = FakeTarget::start(Speaks::Modern);
    fake.on("tools/call", |asked| async move {
        let mut answer = fake_target::json(200, success(&asked.id, r#"{"resultType":"complete","content":[]}"#));
        let machine = format!("machine-{}", asked.earlier);
        answer.headers_mut().insert("mcp-session-id", machine.parse().unwrap());
        answer
    });
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let (alice, bob) = (gateway.caller("alice").modern(), gateway.caller("bob").in_session().await);
    for caller in [&alice, &alice, &bob, &bob, &alice] {
        let called = caller.try_call("t___echo", json!({})).await;
        assert!(called.headers.get("mcp-session-id").is_none(), "it is between gateway and target");
    }
    let sent: Vec<_> =
        fake.asked("tools/call").iter().map(|asked| asked.headers.get("mcp-session-id").cloned()).collect();
    let sent: Vec<_> = sent.iter().map(|id| id.as_ref().map(|id| id.to_str().unwrap())).collect();
    assert_eq!(sent, [None, Some("machine-0"), None, Some("machine-2"), Some("machine-1")]);
}
