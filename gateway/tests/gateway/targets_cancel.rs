//! A client that goes away, and a call that takes too long: the target hears of it in its era's way.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    fake_target::{FakeTarget, Speaks, event_stream, hang, progress_message},
    harness::{Gateway, http_target},
    targets_calls,
    targets_child::{scripted, seen},
    targets_client::{self, Client, Got},
};

/// How a call ends before its answer.
#[derive(Clone, Copy, PartialEq)]
enum Ended {
    /// The client's connection closes.
    ByTheClient,
    /// `limits.call` is over.
    ByTheGateway,
}

const WAYS: [Ended; 2] = [Ended::ByTheClient, Ended::ByTheGateway];

/// A call of `t___echo` by a client that reads events, ended once the target has it.
async fn end_call(fake: &FakeTarget, ended: Ended) -> Gateway {
    let gateway = Gateway::start_with([http_target("t", &fake.endpoint())], |config| {
        config.limits.target_calls = 1;
        if ended == Ended::ByTheGateway {
            config.limits.call = Duration::from_secs(1);
            config.limits.first_byte = Duration::from_secs(1);
        }
    })
    .await;
    let client = Client::new(&gateway, targets_client::Speaks::Session).await;
    let waiting = targets_calls::start(&client, "t___echo");
    fake.until_asked(|asked| asked.method == "tools/call").await;
    end(waiting, ended).await;
    gateway
}

async fn end(waiting: tokio::task::JoinHandle<Got>, ended: Ended) {
    match ended {
        Ended::ByTheClient => waiting.abort(),
        Ended::ByTheGateway => assert_eq!(waiting.await.unwrap().fault(), "timeout"),
    }
}

#[tokio::test]
async fn a_modern_target_sees_its_stream_close() {
    for ended in WAYS {
        for streams in [false, true] {
            let fake = FakeTarget::start(Speaks::Modern);
            fake.on("tools/call", move |_| async move {
                if streams { event_stream(futures::stream::pending()) } else { hang().await }
            });
            let gateway = end_call(&fake, ended).await;
            fake.until_dropped("7").await;
            assert!(fake.asked("notifications/cancelled").is_empty());
            the_place_is_free(&gateway, &fake).await;
        }
    }
}

#[tokio::test]
async fn a_legacy_target_is_told() {
    for ended in WAYS {
        for speaks in [Speaks::Sessions, Speaks::Stateless] {
            for streams in [false, true] {
                let fake = FakeTarget::start(speaks);
                fake.on("tools/call", move |_| async move {
                    if streams { event_stream(futures::stream::pending()) } else { hang().await }
                });
                let gateway = end_call(&fake, ended).await;
                let told = fake.until_asked(|asked| asked.method == "notifications/cancelled").await;
                let call = &fake.asked("tools/call")[0];
                let params: Value = serde_json::from_str(&told.params).unwrap();
                assert_eq!(params["requestId"].to_string(), call.id);
                assert_eq!(told.headers.get("mcp-session-id"), call.headers.get("mcp-session-id"));
                the_place_is_free(&gateway, &fake).await;
            }
        }
    }
}

/// The one call that the target gets at a time can be made again.
async fn the_place_is_free(gateway: &Gateway, fake: &FakeTarget) {
    fake.usual("tools/call");
    Client::new(gateway, targets_client::Speaks::Session).await.call("t___echo", "{}").await.ok();
}

#[tokio::test]
async fn a_client_that_leaves_while_progress_flows() {
    let fake = FakeTarget::start(Speaks::Sessions);
    fake.on("tools/call", |_| async {
        let first = futures::stream::iter([Ok(progress_message("1", 1))]);
        event_stream(futures::StreamExt::chain(first, futures::stream::pending()))
    });
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let client = Client::new(&gateway, targets_client::Speaks::Session).await;
    let mut response = client.request("tools/call", "7", r#"{"name":"t___echo"}"#).send().await.unwrap();
    assert!(response.chunk().await.unwrap().unwrap().starts_with(b"event: message"));
    drop(response);
    fake.until_asked(|asked| asked.method == "notifications/cancelled").await;
}

#[tokio::test]
async fn a_child_is_told() {
    for speaks in ["modern", "legacy"] {
        for ended in WAYS {
            let target = scripted("t", speaks, &["hang", "seen"]);
            let gateway = Gateway::start_with([target], |config| {
                if ended == Ended::ByTheGateway {
                    config.limits.call = Duration::from_secs(2);
                }
            })
            .await;
            let client = Client::new(&gateway, targets_client::Speaks::Modern).await;
            let waiting = targets_calls::start(&client, "t___hang");
            let calls = async || seen(&client, "t").await.into_iter().find(|line| line["params"]["name"] == "hang");
            let call = loop {
                if let Some(call) = calls().await {
                    break call;
                }
            };
            end(waiting, ended).await;
            let cancelled = json!("notifications/cancelled");
            loop {
                if let Some(told) = seen(&client, "t").await.into_iter().find(|line| line["method"] == cancelled) {
                    assert_eq!(told["params"]["requestId"], call["id"]);
                    break;
                }
            }
        }
    }
}

/// What never reached the target is not cancelled there.
#[tokio::test]
async fn a_call_that_was_never_sent_is_not_cancelled() {
    let mut fake = FakeTarget::start(Speaks::Stateless);
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let client = Client::new(&gateway, targets_client::Speaks::Session).await;
    client.call("t___echo", "{}").await.ok();
    fake.down();
    assert_eq!(client.call("t___echo", "{}").await.fault(), "unreachable");
    fake.up();
    client.call("t___echo", "{}").await.ok();
    assert!(fake.asked("notifications/cancelled").is_empty());
}
