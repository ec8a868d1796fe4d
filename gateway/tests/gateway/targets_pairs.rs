//! Every kind of client with every kind of target: listing, calling, progress in order and under the client's own token.

use causeway::config::Target;
use causeway_servers::Sample;

use crate::{
    fake_target::{self, Asked, FakeTarget},
    harness::{Gateway, http_target},
    sample::{self, Server},
    targets_child::scripted,
    targets_client::{Client, Speaks},
};

const CLIENTS: [(Speaks, bool); 6] = [
    (Speaks::Modern, true),
    (Speaks::Modern, false),
    (Speaks::Session, true),
    (Speaks::Session, false),
    (Speaks::NoSession, true),
    (Speaks::NoSession, false),
];

/// A call of `tool` of target `t`, by each client.
async fn check(target: Target, tool: &str, arguments: &str, answers: &str) {
    let gateway = Gateway::start([target]).await;
    for (speaks, events) in CLIENTS {
        let client = Client::reading(&gateway, speaks, events).await;
        assert!(client.list().await.contains(&tool.to_owned()), "{speaks:?} {events}");
        let got = client.call(tool, arguments).await.ok();
        assert_eq!(got.status, 200);
        assert!(got.answer.contains(answers), "{speaks:?} {events}: {}", got.answer);
        assert_eq!(got.answer.contains(r#""resultType":"complete""#), speaks == Speaks::Modern, "{}", got.answer);
    }
    gateway.stop().await.unwrap();
}

/// Progress of a call of `tool`, by each client.
async fn check_progress(target: Target, tool: &str) {
    let gateway = Gateway::start([target]).await;
    for (speaks, events) in CLIENTS {
        for token in ["7", r#""a\u0062 ""#] {
            let client = Client::reading(&gateway, speaks, events).await;
            let got = client.call_with_progress(tool, token).await.ok();
            let steps = (1..=3).map(|step| fake_target::progress_message(token, step));
            let expected: Vec<_> = steps.filter(|_| events).collect();
            assert_eq!(got.notifications, expected, "{speaks:?}");
        }
    }
}

#[tokio::test]
async fn a_sample_server_over_http() {
    let server = Server::start(Sample::Calculator).await;
    check(server.target(), "calculator___add_numbers", r#"{"a":2,"b":3}"#, r#""result":5"#).await;
}

#[tokio::test]
async fn a_sample_server_as_a_child() {
    let target = sample::child(Sample::Calculator);
    check(target, "calculator___add_numbers", r#"{"a":2,"b":3}"#, r#""result":5"#).await;
}

#[tokio::test]
async fn a_modern_target() {
    let fake = FakeTarget::start(fake_target::Speaks::Modern);
    check(http_target("t", &fake.endpoint()), "t___echo", r#"{"x":1e400}"#, r#""arguments":{"x":1e400}"#).await;
    assert!(fake.asked("initialize").is_empty());
}

#[tokio::test]
async fn a_modern_target_that_streams() {
    let fake = FakeTarget::streaming(fake_target::Speaks::Modern);
    let target = http_target("t", &fake.endpoint());
    check(target.clone(), "t___echo", "{}", r#""arguments":{}"#).await;
    check_progress(target, "t___echo").await;
}

#[tokio::test]
async fn a_legacy_target_with_sessions() {
    let fake = FakeTarget::start(fake_target::Speaks::Sessions);
    check(http_target("t", &fake.endpoint()), "t___echo", r#"{"x":1e400}"#, r#""arguments":{"x":1e400}"#).await;
    for call in fake.asked("tools/call") {
        assert_eq!(call.headers["mcp-protocol-version"], "2025-11-25");
        assert!(!call.body.contains("io.modelcontextprotocol/"), "{}", call.body);
    }
    assert_eq!(fake.asked("initialize").len(), 2, "one session to list, one for the caller");
    let opened = |asked: &Asked| asked.headers.contains_key("mcp-protocol-version");
    assert!(!fake.asked("initialize").iter().any(opened), "the version is not settled yet");
    assert!(fake.asked("notifications/initialized").iter().all(opened));
}

#[tokio::test]
async fn a_legacy_target_with_sessions_that_streams() {
    let fake = FakeTarget::streaming(fake_target::Speaks::Sessions);
    let target = http_target("t", &fake.endpoint());
    check(target.clone(), "t___echo", "{}", r#""arguments":{}"#).await;
    check_progress(target, "t___echo").await;
}

#[tokio::test]
async fn a_legacy_target_without_sessions() {
    let fake = FakeTarget::start(fake_target::Speaks::Stateless);
    check(http_target("t", &fake.endpoint()), "t___echo", "{}", r#""arguments":{}"#).await;
}

#[tokio::test]
async fn a_legacy_target_without_sessions_that_streams() {
    let fake = FakeTarget::streaming(fake_target::Speaks::Stateless);
    let target = http_target("t", &fake.endpoint());
    check(target.clone(), "t___echo", "{}", r#""arguments":{}"#).await;
    check_progress(target, "t___echo").await;
}

#[tokio::test]
async fn a_modern_child() {
    let target = scripted("t", "modern", &["echo", "progress"]);
    check_progress(target, "t___progress").await;
    // The script answers without `resultType`, which its era demands of it, so only the relay is looked at.
    let gateway = Gateway::start([scripted("t", "modern", &["echo"])]).await;
    for (speaks, events) in CLIENTS {
        let got = Client::reading(&gateway, speaks, events).await.call("t___echo", r#"{"x":1e400}"#).await.ok();
        assert!(got.answer.contains(r#""arguments":{"x":1e400}"#), "{}", got.answer);
    }
}

#[tokio::test]
async fn a_legacy_child() {
    let target = scripted("t", "legacy", &["echo", "progress"]);
    check(target.clone(), "t___echo", r#"{"x":1e400}"#, r#""arguments":{"x":1e400}"#).await;
    check_progress(target, "t___progress").await;
}
