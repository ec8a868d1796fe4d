//! A configuration in the place of the one before, as clients meet it: who is let in, what they hear of it, and that nothing of theirs
//! ends which is under way.

use std::time::Duration;

use causeway::{
    config::{Authorizer, SecretSource},
    secret::Secret,
};
use causeway_core::catalog::Kind;
use serde_json::{Value, json};

use crate::{
    bridge_asking::AskingTarget,
    bridge_fixture::{Fixture, KINDS},
    bridge_talk::{Era, able, everything, retry},
    caller::Caller,
    fake_target::Speaks,
    harness::{Gateway, toolsets},
    offering::Offering,
    stream::Stream,
};

const WATCHED: &str = "test://watched-resource";

fn offering(name: &'static str) -> Offering {
    Offering::start(name, Speaks::Sessions, &[(Kind::Tools, r#"[{"name":"x"}]"#)])
}

fn method(message: &Value) -> &str {
    message["method"].as_str().unwrap_or_else(|| panic!("no notification: {message}"))
}

/// Listens for all lists.
async fn listening(caller: Caller, era: Era) -> (Caller, Stream) {
    let caller = caller.declaring(everything());
    match era {
        Era::Legacy => {
            let caller = caller.in_session().await;
            let stream = caller.listen().await;
            (caller, stream)
        }
        Era::Modern => {
            let caller = caller.modern();
            let lists = json!({"toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true});
            let mut stream = caller.open("subscriptions/listen", json!({"notifications": lists})).await;
            stream.next().await;
            (caller, stream)
        }
    }
}

/// What alone lets a caller in, by the rules of the gateway.
fn allow(config: &mut causeway::config::Config, clients: &[&str]) {
    let Authorizer::CustomJwt(jwt) = &mut config.authorizer else { panic!("by tokens") };
    jwt.rules.allowed_clients = clients.iter().map(ToString::to_string).collect();
}

#[tokio::test]
async fn a_token_is_good_by_the_rules_of_the_moment() {
    let t = offering("t");
    let gateway = Gateway::start([t.target()]).await;
    let (alice, bob, carol) = (gateway.caller("alice"), gateway.caller("bob"), gateway.caller("carol"));
    let status = async |caller: &Caller| caller.request("tools/list", json!({})).await.status.as_u16();
    assert_eq!((status(&alice).await, status(&bob).await, status(&carol).await), (200, 200, 401));
    gateway.reload(|config| allow(config, &["alice", "carol"])).await;
    // That his was known to be good counts for nothing.
    assert_eq!((status(&alice).await, status(&bob).await, status(&carol).await), (200, 401, 200));
    gateway.reload(|config| config.authorizer = Authorizer::None).await;
    assert_eq!(status(&gateway.anonymous()).await, 200);
    gateway
        .reload(|config| {
            config.authorizer = crate::harness::resolve(
                "authorizer = \"none\"\n[[targets]]\nname = \"t\"\nhttp.endpoint = \"http://127.0.0.1:1/mcp\"",
            )
            .authorizer
        })
        .await;
    assert_eq!(gateway.standing.borrow().generation, 3, "that is what it says already");
}

#[tokio::test]
async fn who_listens_hears_of_the_new_lists() {
    for era in [Era::Legacy, Era::Modern] {
        let (one, two) = (offering("one"), offering("two"));
        let gateway = Gateway::start([one.target()]).await;
        let (alice, mut stream) = listening(gateway.caller("alice"), era).await;
        gateway.reload(|config| config.targets.push(two.target())).await;
        assert_eq!(method(&stream.next().await), "notifications/tools/list_changed");
        assert_eq!(alice.tools().await, ["one___x", "two___x"], "who hears of it finds it");
        // Nothing of the lists changes, and then something does: it is heard once.
        gateway.reload(|config| config.limits.request_bytes = 5_000_000).await;
        gateway.reload(|config| drop(config.targets.pop())).await;
        assert_eq!(method(&stream.next().await), "notifications/tools/list_changed");
        assert_eq!(alice.tools().await, ["one___x"]);
        two.list(Kind::Tools, r#"[{"name":"z"}]"#);
        gateway.stop().await.unwrap();
        let news = stream.rest().await;
        assert!(news.iter().all(|message| message.get("method").is_none()), "{news:?}");
    }
}

#[tokio::test]
async fn a_target_that_changes_its_lists_after_a_reload_is_heard_too() {
    for era in [Era::Legacy, Era::Modern] {
        let t = offering("t");
        let gateway = Gateway::start_with([t.target()], |config| config.limits.refresh = Duration::from_secs(1)).await;
        let (_alice, mut stream) = listening(gateway.caller("alice"), era).await;
        gateway.reload(|config| config.gateway.instructions = Some("more".into())).await;
        t.list(Kind::Tools, r#"[{"name":"y"}]"#);
        assert_eq!(method(&stream.next().await), "notifications/tools/list_changed");
        assert_eq!(gateway.caller("alice").tools().await, ["t___y"]);
    }
}

#[tokio::test]
async fn toolsets_come_and_go() {
    const ONE: &str = "[[toolsets]]\nname = \"one\"\ntools = {}\n";
    const TWO: &str = "[[toolsets]]\nname = \"two\"\ntools = {}\n";
    for era in [Era::Legacy, Era::Modern] {
        let t = offering("t");
        let gateway = Gateway::start_with([t.target()], |config| config.toolsets = toolsets(ONE)).await;
        let at = |toolset: &str| gateway.caller("alice").toolset(toolset);
        assert_eq!(at("two").request("tools/list", json!({})).await.status, 404);
        let (_alice, stream) = listening(at("one"), era).await;
        gateway.reload(|config| config.toolsets = toolsets(TWO)).await;
        assert_eq!(at("two").tools().await, ["t___x"]);
        assert_eq!(at("one").request("tools/list", json!({})).await.status, 404);
        // It ends in order, for there is no such endpoint to hear of.
        stream.rest().await;
    }
}

#[tokio::test]
async fn sessions_go_on_and_bounds_of_clients_change() {
    let t = offering("t");
    let gateway = Gateway::start([t.target()]).await;
    let alice = gateway.caller("alice").in_session().await;
    let (_bob, _stream) = listening(gateway.caller("bob"), Era::Legacy).await;
    gateway
        .reload(|config| {
            config.limits.streams = 1;
            config.limits.request_bytes = 1000;
            config.limits.connections = 50;
            config.sessions.timeout = Duration::from_secs(60);
        })
        .await;
    assert_eq!(alice.tools().await, ["t___x"]);
    assert_eq!(alice.listen().await.status, 503, "the place is taken");
    let large = alice.request("tools/call", json!({"name": "t___x", "arguments": "x".repeat(1000)})).await;
    assert_eq!(large.status, 413);
    let short = gateway.caller("alice").in_session().await;
    gateway.clock.advance(Duration::from_secs(61));
    assert_eq!(alice.tools().await, ["t___x"], "it was opened for longer");
    assert_eq!(short.request("tools/list", json!({})).await.status, 404);
}

/// A key in front of the others seals from now on; one that is taken out opens nothing any more.
#[tokio::test]
async fn keys_of_sessions_change() {
    let t = offering("t");
    let key = |name: &str| SecretSource::Here(Secret::new(name.repeat(32)));
    let gateway = Gateway::start([t.target()]).await;
    let status = async |caller: &Caller| caller.request("tools/list", json!({})).await.status.as_u16();
    let of_start = gateway.caller("alice").in_session().await;
    gateway.reload(|config| config.sessions.keys = vec![key("a")]).await;
    let of_a = gateway.caller("alice").in_session().await;
    gateway.reload(|config| config.sessions.keys = vec![key("b"), key("a")]).await;
    let of_b = gateway.caller("alice").in_session().await;
    assert_eq!((status(&of_start).await, status(&of_a).await, status(&of_b).await), (200, 200, 200));
    gateway.reload(|config| config.sessions.keys = vec![key("b")]).await;
    assert_eq!((status(&of_start).await, status(&of_a).await, status(&of_b).await), (200, 404, 200));
}

#[tokio::test]
async fn a_call_that_waits_for_its_client_goes_on() {
    let asking = AskingTarget::start();
    let gateway = Gateway::start([asking.target()]).await;
    let alice = able(&gateway, Era::Modern).await;
    let params = json!({"name": "t___echo", "arguments": {"n": 1}});
    let asked = alice.request("tools/call", params.clone()).await.result();
    assert_eq!(asked["resultType"], "input_required");
    // Not even its target is there any more.
    let other = offering("other");
    gateway.reload(|config| config.targets = vec![other.target()]).await;
    let done = alice.request("tools/call", retry(&params, &asked)).await.result();
    assert_eq!(done["resultType"], "complete");
    assert_eq!(asking.fake.asked("tools/call").len(), 1, "the call was not repeated");
}

/// The resource is another server's from now on: that one reports.
#[tokio::test]
async fn who_listens_to_a_resource_hears_of_it_wherever_it_is() {
    for era in [Era::Legacy, Era::Modern] {
        let (first, second) = (Fixture::start(KINDS[0]).await, Fixture::start(KINDS[0]).await);
        let gateway = Gateway::start([first.target()]).await;
        let alice = able(&gateway, era).await;
        let mut stream = match era {
            Era::Legacy => {
                let stream = alice.listen().await;
                assert_eq!(alice.request("resources/subscribe", json!({"uri": WATCHED})).await.result(), json!({}));
                stream
            }
            Era::Modern => {
                let wanted = json!({"notifications": {"resourceSubscriptions": [WATCHED]}});
                let mut stream = alice.open("subscriptions/listen", wanted).await;
                stream.next().await;
                stream
            }
        };
        assert_eq!(method(&touched(&alice, &mut stream).await), "notifications/resources/updated");
        let second = second.target();
        gateway.reload(|config| config.targets = vec![second]).await;
        assert_eq!(touched(&alice, &mut stream).await["params"]["uri"], WATCHED);
    }
}

/// The notification that comes of touching the resource. Who begins to report may not do so yet when a reload is through.
async fn touched(alice: &Caller, stream: &mut Stream) -> Value {
    loop {
        alice.call("f___touch_resource", json!({"uri": WATCHED})).await;
        if let Ok(message) = tokio::time::timeout(Duration::from_millis(300), stream.next()).await {
            // All that was touched so far has been heard of then.
            while tokio::time::timeout(Duration::from_millis(300), stream.next()).await.is_ok() {}
            return message;
        }
    }
}
