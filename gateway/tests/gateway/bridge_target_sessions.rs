//! How long a session with a legacy target lives: until the last client that used it has left, and no shorter; whatever is
//! left when the gateway stops ends then.

use causeway::config::{Target, TargetSessions, Transport};
use http::Method;
use serde_json::json;

use crate::{
    caller::Caller,
    fake_target::{FakeTarget, Speaks, status},
    harness::{Gateway, http_target},
};

/// A target that takes the end of its sessions.
fn ending() -> FakeTarget {
    let fake = FakeTarget::start(Speaks::Sessions);
    fake.on("DELETE", |_| async { status(204) });
    fake
}

fn shared_as(fake: &FakeTarget, sessions: TargetSessions) -> Target {
    let mut target = http_target("t", &fake.endpoint());
    let Transport::Http(http) = &mut target.transport else { unreachable!("made a line above") };
    http.sessions = sessions;
    target
}

/// Calls the target and says in which of its sessions that was.
async fn session_of(fake: &FakeTarget, caller: &Caller) -> String {
    caller.call("t___echo", json!({})).await;
    let call = fake.asked("tools/call").pop().unwrap();
    call.headers["mcp-session-id"].to_str().unwrap().to_owned()
}

async fn leave(caller: &Caller) {
    assert_eq!(caller.send(Method::DELETE, "").await.status, 204);
}

fn ended(fake: &FakeTarget) -> Vec<String> {
    let ended = fake.asked("DELETE");
    ended.iter().map(|asked| asked.headers["mcp-session-id"].to_str().unwrap().to_owned()).collect()
}

async fn until_ended(fake: &FakeTarget, session: &str) {
    fake.until_asked(|asked| asked.method == "DELETE" && asked.headers["mcp-session-id"] == session).await;
}

#[tokio::test]
async fn clients_of_one_caller_share_one_by_default() {
    let fake = ending();
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let (one, two) = (gateway.caller("alice").in_session().await, gateway.caller("alice").in_session().await);
    let bob = gateway.caller("bob").in_session().await;
    let alices = session_of(&fake, &one).await;
    assert_eq!(session_of(&fake, &two).await, alices);
    let bobs = session_of(&fake, &bob).await;
    assert_ne!(bobs, alices);
    leave(&one).await;
    assert_eq!(session_of(&fake, &two).await, alices, "somebody is left");
    leave(&bob).await;
    until_ended(&fake, &bobs).await;
    assert_eq!(session_of(&fake, &two).await, alices, "somebody is left");
    assert_eq!(ended(&fake), [bobs], "only what nobody needs");
    leave(&two).await;
    until_ended(&fake, &alices).await;
}

#[tokio::test]
async fn a_client_without_a_session_keeps_it_open() {
    let fake = ending();
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let alice = gateway.caller("alice").in_session().await;
    let alices = session_of(&fake, &alice).await;
    let modern = gateway.caller("alice").modern();
    assert_eq!(session_of(&fake, &modern).await, alices);
    leave(&alice).await;
    assert_eq!(session_of(&fake, &modern).await, alices);
    gateway.stop().await.unwrap();
    until_ended(&fake, &alices).await;
}

#[tokio::test]
async fn each_client_may_have_its_own() {
    let fake = ending();
    let gateway = Gateway::start([shared_as(&fake, TargetSessions::PerSession)]).await;
    let (one, two) = (gateway.caller("alice").in_session().await, gateway.caller("alice").in_session().await);
    let (ones, twos) = (session_of(&fake, &one).await, session_of(&fake, &two).await);
    assert_ne!(ones, twos);
    leave(&one).await;
    until_ended(&fake, &ones).await;
    assert_eq!(session_of(&fake, &two).await, twos);
    assert_eq!(ended(&fake), [ones]);
}

#[tokio::test]
async fn all_may_share_one() {
    let fake = ending();
    let gateway = Gateway::start([shared_as(&fake, TargetSessions::Shared)]).await;
    let (alice, bob) = (gateway.caller("alice").in_session().await, gateway.caller("bob").in_session().await);
    let session = session_of(&fake, &alice).await;
    assert_eq!(session_of(&fake, &bob).await, session);
    leave(&alice).await;
    assert_eq!(session_of(&fake, &bob).await, session);
    leave(&bob).await;
    until_ended(&fake, &session).await;
}

#[tokio::test]
async fn a_client_that_left_and_comes_back_opens_a_new_one() {
    let fake = ending();
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let alice = gateway.caller("alice").in_session().await;
    let first = session_of(&fake, &alice).await;
    leave(&alice).await;
    until_ended(&fake, &first).await;
    let alice = gateway.caller("alice").in_session().await;
    assert_ne!(session_of(&fake, &alice).await, first);
}

#[tokio::test]
async fn all_end_when_the_gateway_stops() {
    let fake = ending();
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    for name in ["alice", "bob"] {
        session_of(&fake, &gateway.caller(name).in_session().await).await;
    }
    gateway.stop().await.unwrap();
    let mut ended = ended(&fake);
    ended.sort();
    assert_eq!(ended, ["session-0", "session-1", "session-2"], "that of the gateway itself too");
}

#[tokio::test]
async fn changed_roots_are_told_in_the_session_of_their_client_and_no_other() {
    let fake = ending();
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let (alice, bob) = (gateway.caller("alice").in_session().await, gateway.caller("bob").in_session().await);
    let alices = session_of(&fake, &alice).await;
    session_of(&fake, &bob).await;
    let changed = r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#;
    assert_eq!(alice.post(changed).await.status, 202);
    fake.until_asked(|asked| asked.method == "notifications/roots/list_changed").await;
    let told = fake.asked("notifications/roots/list_changed");
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].headers["mcp-session-id"].to_str().unwrap(), told[0].body.as_str()),
        (alices.as_str(), changed)
    );
}
