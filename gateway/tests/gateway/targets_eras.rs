//! Finding out which era a target speaks, whatever it answers to the question, and noticing that it changed.

use std::time::Duration;

use axum::{body::Body, http::Response};

use crate::{
    fake_target::{
        Asked, FakeTarget, Speaks, broken, error, event_stream, events, hang, json, progress_message, status, success,
        typed,
    },
    harness::{Gateway, http_target},
    targets_client::{self, Client},
};

/// A legacy server that answers `server/discover` with `script` is still listed and called.
async fn check<F>(script: impl Fn(Asked) -> F + Send + Sync + 'static)
where
    F: Future<Output = Response<Body>> + Send + 'static,
{
    for speaks in [Speaks::Sessions, Speaks::Stateless] {
        let fake = FakeTarget::start(speaks);
        let script = &script;
        // Called here, so that one script serves both servers.
        let (ask, mut asks) = tokio::sync::mpsc::channel::<(Asked, tokio::sync::oneshot::Sender<Response<Body>>)>(8);
        fake.on("server/discover", move |asked| {
            let ask = ask.clone();
            async move {
                let (answer, answered) = tokio::sync::oneshot::channel();
                ask.send((asked, answer)).await.unwrap();
                match answered.await {
                    Ok(response) => response,
                    Err(_) => hang().await,
                }
            }
        });
        let answering = async {
            while let Some((asked, answer)) = asks.recv().await {
                let _ = answer.send(script(asked).await);
            }
        };
        let using = async {
            let gateway = Gateway::start_with([http_target("t", &fake.endpoint())], |config| {
                config.limits.discovery = Duration::from_secs(6);
            })
            .await;
            let client = Client::new(&gateway, targets_client::Speaks::Modern).await;
            assert_eq!(client.list().await, ["t___echo"]);
            client.call("t___echo", "{}").await.ok();
        };
        tokio::select! {
            () = answering => unreachable!("the fake holds the sender"),
            () = using => (),
        }
    }
}

#[tokio::test]
async fn a_legacy_server_may_answer_with_an_rpc_error() {
    check(|asked| async move { error(200, &asked.id, -32601, "Method not found") }).await;
    check(|asked| async move { error(400, &asked.id, -32600, "Bad Request") }).await;
    check(|asked| async move { error(404, &asked.id, -32601, "Method not found") }).await;
    check(|asked| async move { error(500, &asked.id, -32603, "Internal error") }).await;
    check(|_| async {
        events([Ok(r#"{"jsonrpc":"2.0","id":"discover","error":{"code":-32601,"message":"x"}}"#.into())])
    })
    .await;
}

#[tokio::test]
async fn a_legacy_server_may_answer_with_a_bare_status() {
    for code in [202, 400, 404, 405, 406, 415, 422, 500, 501] {
        check(move |_| async move { status(code) }).await;
    }
}

#[tokio::test]
async fn a_legacy_server_may_answer_with_anything() {
    check(|asked| async move { json(200, success(&asked.id, "{}")) }).await;
    check(|_| async { typed(200, "text/html", "<html>hello</html>") }).await;
    check(|_| async { typed(500, "text/html", "<html>oh no</html>") }).await;
    check(|_| async { events([broken()]) }).await;
}

#[tokio::test]
async fn a_legacy_server_may_not_answer_at_all() {
    check(|_| hang()).await;
    check(|_| async { event_stream(futures::stream::pending()) }).await;
}

#[tokio::test]
async fn a_modern_server_may_answer_with_events_and_notify_before() {
    let fake = FakeTarget::start(Speaks::Modern);
    fake.on("server/discover", |asked| async move {
        let answer = success(&asked.id, r#"{"supportedVersions":["2026-07-28"]}"#);
        events([Ok(progress_message("1", 1)), Ok(answer)])
    });
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    Client::new(&gateway, targets_client::Speaks::Session).await.call("t___echo", "{}").await.ok();
    assert!(fake.asked("initialize").is_empty());
}

/// A modern server that is slow to say so is taken for what it is.
#[tokio::test]
async fn a_late_answer_counts() {
    let fake = FakeTarget::start(Speaks::Modern);
    let refused = tokio_util::sync::CancellationToken::new();
    let initialize_came = refused.clone();
    fake.on("server/discover", move |asked| {
        let refused = refused.clone();
        async move {
            refused.cancelled().await;
            json(200, success(&asked.id, r#"{"supportedVersions":["2026-07-28"]}"#))
        }
    });
    fake.on("initialize", move |asked| {
        initialize_came.cancel();
        async move { error(404, &asked.id, -32601, "Method not found") }
    });
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    assert_eq!(Client::new(&gateway, targets_client::Speaks::Modern).await.list().await, ["t___echo"]);
}

#[tokio::test]
async fn a_server_without_a_common_version_is_named_as_such() {
    let fake = FakeTarget::start(Speaks::Modern);
    fake.on("server/discover", |asked| async move {
        json(200, success(&asked.id, r#"{"supportedVersions":["2031-01-01"]}"#))
    });
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let state = gateway.target_where("t", |target| target.tried).await;
    assert_eq!(state.error_text().unwrap(), "target `t` speaks MCP 2031-01-01, which the gateway does not");
}

/// From each way of speaking to each other one and back, while calls go on.
#[tokio::test]
async fn a_change_of_era_heals_itself() {
    let ways = [Speaks::Modern, Speaks::Sessions, Speaks::Stateless];
    for before in ways {
        let fake = FakeTarget::start(before);
        let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
        let client = Client::new(&gateway, targets_client::Speaks::Session).await;
        client.call("t___echo", "{}").await.ok();
        for after in ways.into_iter().flat_map(|after| [after, before]) {
            fake.become_one_that_speaks(after);
            client.call("t___echo", "{}").await.ok();
        }
        for got in crate::targets_calls::all(&client, "t___echo", 50).await {
            got.ok();
        }
    }
}

/// A refusal that only looks like another era is the answer, and the call is not repeated.
#[tokio::test]
async fn a_refusal_of_the_same_era_is_passed_on() {
    for speaks in [Speaks::Modern, Speaks::Sessions, Speaks::Stateless] {
        let fake = FakeTarget::start(speaks);
        fake.on("tools/call", |asked| async move { error(400, &asked.id, -32600, "not like this") });
        let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
        let got = Client::new(&gateway, targets_client::Speaks::Session).await.call("t___echo", "{}").await;
        assert!(got.answer.contains(r#""error":{"code":-32600,"message":"not like this"}"#), "{}", got.answer);
        assert_eq!(fake.asked("tools/call").len(), 1);
        for (code, rpc) in [(404, -32601), (400, -32602), (200, -32602), (500, -32603)] {
            fake.on("tools/call", move |asked| async move { error(code, &asked.id, rpc, "no") });
            let probes = fake.asked("server/discover").len();
            let got = Client::new(&gateway, targets_client::Speaks::Session).await.call("t___echo", "{}").await;
            // Also 404 in a session, which says that the session is lost only without an error about something else.
            assert!(got.answer.contains(&format!(r#""code":{rpc}"#)), "{speaks:?} {code} {}", got.answer);
            // A modern server refuses legacy requests with 400, so there the question is asked again.
            let doubted = speaks != Speaks::Modern && code == 400;
            assert_eq!(fake.asked("server/discover").len(), probes + usize::from(doubted), "{speaks:?} {code}");
        }
    }
}
