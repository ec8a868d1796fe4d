//! Several clients that listen to one resource of one legacy target share one subscription there: it begins with the first
//! of them and ends with the last.

use causeway_core::catalog::Kind;
use http::Method;
use serde_json::{Value, json};

use crate::{
    bridge_talk::{Era, able},
    caller::Caller,
    fake_target::{self, FakeTarget, Speaks, event, success, written},
    harness::Gateway,
    offering::Offering,
    stream::Stream,
};

/// A legacy target with two resources that reports on both, on its stream, at each `resources/subscribe`.
fn reporting() -> Offering {
    let list = r#"[{"uri":"x:one","name":"one"},{"uri":"x:two","name":"two"}]"#;
    let offering = Offering::start("t", Speaks::Sessions, &[(Kind::Resources, list)]);
    let streams = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let opened = streams.clone();
    offering.fake.on("GET", move |_| {
        let (stream, response) = written();
        opened.lock().unwrap().push(stream);
        async { response }
    });
    for method in ["resources/subscribe", "resources/unsubscribe"] {
        let streams = streams.clone();
        offering.fake.on(method, move |asked| {
            let uri: Value = serde_json::from_str::<Value>(&asked.params).unwrap()["uri"].take();
            let news = json!({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": uri}});
            for stream in streams.lock().unwrap().iter() {
                let _ = stream.unbounded_send(event(None, &news.to_string()));
            }
            async move { fake_target::json(200, success(&asked.id, "{}")) }
        });
    }
    offering.fake.on("DELETE", |_| async { fake_target::status(200) });
    offering
}

/// URIs in the order in which the target was asked so.
fn asked(fake: &FakeTarget, method: &str) -> Vec<String> {
    let asked = fake.asked(method);
    asked.iter().map(|asked| serde_json::from_str::<Value>(&asked.params).unwrap()["uri"].to_string()).collect()
}

async fn subscribe(caller: &Caller, method: &str, uri: &str) {
    assert_eq!(caller.request(method, json!({"uri": uri})).await.result(), json!({}));
}

async fn listen(caller: &Caller, uris: &[&str]) -> Stream {
    let wanted = json!({"notifications": {"resourceSubscriptions": uris}});
    let mut stream = caller.open("subscriptions/listen", wanted).await;
    assert_eq!(stream.next().await["params"]["notifications"]["resourceSubscriptions"], json!(uris));
    stream
}

#[tokio::test]
async fn one_subscription_serves_all_who_listen() {
    let offering = reporting();
    let fake = &offering.fake;
    let gateway = Gateway::start([offering.target()]).await;
    let (one, two) = (able(&gateway, Era::Legacy).await, able(&gateway, Era::Legacy).await);
    let modern = able(&gateway, Era::Modern).await;
    subscribe(&one, "resources/subscribe", "x:one").await;
    subscribe(&two, "resources/subscribe", "x:one").await;
    let listening = listen(&modern, &["x:one"]).await;
    assert_eq!(asked(fake, "resources/subscribe"), [r#""x:one""#]);
    subscribe(&one, "resources/unsubscribe", "x:one").await;
    assert_eq!(two.send(Method::DELETE, "").await.status, 204);
    // All that has happened so far is over at the target when this is.
    let other = listen(&modern, &["x:two"]).await;
    assert_eq!(asked(fake, "resources/subscribe"), [r#""x:one""#, r#""x:two""#]);
    drop(other);
    fake.until_asked(|asked| asked.method == "resources/unsubscribe" && asked.params.contains("x:two")).await;
    assert_eq!(asked(fake, "resources/unsubscribe"), [r#""x:two""#], "somebody listens to the first still");
    drop(listening);
    fake.until_asked(|asked| asked.method == "resources/unsubscribe" && asked.params.contains("x:one")).await;
    let again = listen(&modern, &["x:one"]).await;
    assert_eq!(asked(fake, "resources/subscribe"), [r#""x:one""#, r#""x:two""#, r#""x:one""#]);
    drop(again);
}

/// Whoever still listens, the target hears of its session's end.
#[tokio::test]
async fn what_is_subscribed_to_ends_with_the_gateway() {
    let offering = reporting();
    let fake = &offering.fake;
    let gateway = Gateway::start([offering.target()]).await;
    subscribe(&able(&gateway, Era::Legacy).await, "resources/subscribe", "x:one").await;
    let listening = listen(&able(&gateway, Era::Modern).await, &["x:two"]).await;
    let session = fake.asked("resources/subscribe")[0].headers["mcp-session-id"].clone();
    gateway.stop().await.unwrap();
    let rest = listening.rest().await;
    let (last, reports) = rest.split_last().expect("the result that ends it");
    assert_eq!(last["result"]["resultType"], "complete", "{rest:?}");
    // The target reported when it was subscribed to, which comes before the end or not at all.
    assert!(reports.iter().all(|report| report["params"]["uri"] == "x:two"), "{rest:?}");
    fake.until_asked(|asked| asked.method == "DELETE" && asked.headers["mcp-session-id"] == session).await;
}

/// Another caller has a session of its own there.
#[tokio::test]
async fn callers_do_not_share() {
    let offering = reporting();
    let gateway = Gateway::start([offering.target()]).await;
    let alice = able(&gateway, Era::Legacy).await;
    let bob = gateway.caller("bob").in_session().await;
    subscribe(&alice, "resources/subscribe", "x:one").await;
    subscribe(&bob, "resources/subscribe", "x:one").await;
    let sessions: Vec<_> = offering.fake.asked("resources/subscribe").into_iter().map(|asked| asked.headers).collect();
    assert_ne!(sessions[0]["mcp-session-id"], sessions[1]["mcp-session-id"]);
}

/// A target without a stream has no way to report.
#[tokio::test]
async fn a_target_without_a_stream_is_not_subscribed_to() {
    let list = r#"[{"uri":"x:one","name":"one"}]"#;
    let offering = Offering::start("t", Speaks::Sessions, &[(Kind::Resources, list)]);
    let gateway = Gateway::start([offering.target()]).await;
    let alice = able(&gateway, Era::Legacy).await;
    let refused = alice.request("resources/subscribe", json!({"uri": "x:one"})).await.message();
    assert_eq!(refused["error"]["data"]["target"], "t", "{refused}");
    assert!(offering.fake.asked("resources/subscribe").is_empty());
}
