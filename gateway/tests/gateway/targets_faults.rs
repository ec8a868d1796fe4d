//! Targets that are down, die, hang or answer what is no answer: a typed error each, and nobody else is affected.

use std::{collections::HashSet, sync::Arc, time::Duration};

use axum::{body::Body, http::Response};
use causeway::config::Config;
use causeway_core::catalog::Kind;
use causeway_servers::Sample;
use futures::StreamExt;
use tokio::sync::{Barrier, Semaphore};

use crate::{
    fake_target::{Asked, FakeTarget, Speaks, broken, error, event_stream, events, hang, json, status, success, typed},
    harness::{Gateway, http_target},
    sample::Server,
    targets_calls,
    targets_client::{self, Client},
};

const ERAS: [Speaks; 3] = [Speaks::Modern, Speaks::Sessions, Speaks::Stateless];

/// A call that a target of each era answers with `script` ends with this fault, and was made once.
async fn check<F>(script: impl Fn(Asked) -> F + Clone + Send + Sync + 'static, kind: &str)
where
    F: Future<Output = Response<Body>> + Send + 'static,
{
    for speaks in ERAS {
        let (fake, well) = (FakeTarget::start(speaks), FakeTarget::start(speaks));
        fake.on("tools/call", script.clone());
        let targets = [http_target("t", &fake.endpoint()), http_target("well", &well.endpoint())];
        let gateway = Gateway::start_with(targets, |config| config.limits.response_bytes = 10_000).await;
        let client = Client::new(&gateway, targets_client::Speaks::Session).await;
        assert_eq!(client.call("t___echo", "{}").await.fault(), kind, "{speaks:?}");
        assert_eq!(fake.asked("tools/call").len(), 1, "never repeated");
        client.call("well___echo", "{}").await.ok();
        // The next call of the same target is a matter of its own.
        fake.usual("tools/call");
        client.call("t___echo", "{}").await.ok();
    }
}

#[tokio::test]
async fn answers_that_are_none() {
    check(|_| async { typed(200, "text/html", "<html>sign in</html>") }, "garbage").await;
    check(|_| async { json(200, "") }, "garbage").await;
    check(|_| async { status(202) }, "garbage").await;
    check(|_| async { json(200, "{\"jsonrpc\":") }, "garbage").await;
    check(|_| async { json(200, r#"{"hello":1}"#) }, "garbage").await;
    check(|_| async { events([Ok("no JSON".into())]) }, "garbage").await;
    check(|_| async { status(500) }, "status").await;
    check(|_| async { typed(503, "text/html", "<html>later</html>") }, "status").await;
    check(|_| async { status(302) }, "status").await;
    check(|_| async { status(403) }, "unauthorized").await;
    check(|_| async { status(401) }, "unauthorized").await;
}

/// What a target says of the gateway's credential is not the caller's business, however it says it.
#[tokio::test]
async fn a_refusal_of_the_gateway_is_none_of_the_caller() {
    let refused = |code, rpc| move |asked: Asked| async move { error(code, &asked.id, rpc, "Authorization error") };
    check(refused(403, -32002), "unauthorized").await;
    check(refused(401, -32001), "unauthorized").await;
}

#[tokio::test]
async fn an_answer_to_another_request_is_no_answer() {
    check(|_| async { json(200, success("\"another\"", r#"{"content":[]}"#)) }, "garbage").await;
    check(|_| async { events([Ok(success("987654321", r#"{"content":[]}"#))]) }, "garbage").await;
}

/// JSON knows one number in many spellings.
#[tokio::test]
async fn an_id_may_come_back_spelled_otherwise() {
    let fake = FakeTarget::start(Speaks::Sessions);
    fake.on("tools/call", |asked| async move { json(200, success(&format!("{}.0", asked.id), r#"{"content":[]}"#)) });
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    Client::new(&gateway, targets_client::Speaks::Session).await.call("t___echo", "{}").await.ok();
}

#[tokio::test]
async fn answers_that_are_too_large() {
    let large = |id: &str| success(id, &format!(r#"{{"content":[],"x":"{}"}}"#, "y".repeat(20_000)));
    check(move |asked| async move { json(200, large(&asked.id)) }, "too_large").await;
    check(move |asked| async move { events([Ok(large(&asked.id))]) }, "too_large").await;
}

#[tokio::test]
async fn answers_that_break_off() {
    check(|_| async { event_stream(futures::stream::iter([broken()])) }, "broken_off").await;
    let cut = |_| async {
        let parts = [Ok(bytes::Bytes::from_static(b"{\"jsonrpc\":\"2.0\",")), broken()];
        typed(200, "application/json", Body::from_stream(futures::stream::iter(parts)))
    };
    check(cut, "broken_off").await;
    check(|_| async { events([]) }, "broken_off").await;
}

#[tokio::test]
async fn a_target_that_is_down_at_start_is_named_and_comes_up_later() {
    let server = Server::start(Sample::Calculator).await;
    let mut fake = FakeTarget::start(Speaks::Modern);
    fake.down();
    let gateway = Gateway::start([http_target("t", &fake.endpoint()), server.target()]).await;
    let ready = gateway.anonymous().get("/readyz").await;
    assert_eq!(
        ready.json(),
        serde_json::json!({"ready": true, "targets": [
            {"name": "t", "state": "failed", "error": "unreachable", "tools": null, "prompts": null, "resources": null, "templates": null},
            {"name": "calculator", "state": "listed", "tools": 2, "prompts": 0, "resources": 0, "templates": 0},
        ]})
    );
    let client = Client::new(&gateway, targets_client::Speaks::Session).await;
    assert_eq!(client.list().await, ["calculator___add_numbers", "calculator___multiply_numbers"]);
    assert_eq!(client.call("t___echo", "{}").await.fault(), "unreachable", "not that there is no such tool");
    assert!(client.call("nobody___echo", "{}").await.answer.contains("Unknown tool: nobody___echo"));
    fake.up();
    gateway.target_where("t", |target| target.error.is_none() && target.lists[Kind::Tools].is_some()).await;
    let tools = ["t___echo", "calculator___add_numbers", "calculator___multiply_numbers"];
    assert_eq!(client.list().await, tools, "in the order of the config");
    client.call("t___echo", "{}").await.ok();
}

#[tokio::test]
async fn a_target_that_dies_between_calls_keeps_its_tools() {
    for speaks in ERAS {
        let mut fake = FakeTarget::start(speaks);
        let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
        let client = Client::new(&gateway, targets_client::Speaks::Modern).await;
        client.call("t___echo", "{}").await.ok();
        fake.down();
        assert_eq!(client.call("t___echo", "{}").await.fault(), "unreachable");
        assert_eq!(client.list().await, ["t___echo"]);
        fake.up();
        client.call("t___echo", "{}").await.ok();
    }
}

#[tokio::test]
async fn a_target_that_hangs_ends_in_time_and_holds_up_nobody() {
    for speaks in ERAS {
        let (fake, well) = (FakeTarget::start(speaks), FakeTarget::start(speaks));
        fake.on("tools/call", |_| hang());
        let targets = [http_target("t", &fake.endpoint()), http_target("well", &well.endpoint())];
        let gateway = Gateway::start_with(targets, |config| config.limits.first_byte = Duration::from_secs(2)).await;
        let client = Client::new(&gateway, targets_client::Speaks::Session).await;
        let waiting = targets_calls::start(&client, "t___echo");
        fake.until_asked(|asked| asked.method == "tools/call").await;
        client.call("well___echo", "{}").await.ok();
        assert_eq!(waiting.await.unwrap().fault(), "timeout");
    }
}

/// The head of an answer came, the rest does not: the bound of the whole call counts from its beginning.
#[tokio::test]
async fn a_stream_without_an_end_is_cut_off() {
    for speaks in ERAS {
        let fake = FakeTarget::start(speaks);
        fake.on("tools/call", |_| async { event_stream(futures::stream::pending()) });
        let gateway = Gateway::start_with([http_target("t", &fake.endpoint())], |config| {
            config.limits.call = Duration::from_secs(1);
        })
        .await;
        let client = Client::new(&gateway, targets_client::Speaks::Session).await;
        assert_eq!(client.call("t___echo", "{}").await.fault(), "timeout");
        let call = fake.asked("tools/call")[0].id.clone();
        fake.until_dropped(&call).await;
    }
}

#[tokio::test]
async fn an_answer_does_not_wait_for_the_end_of_its_stream() {
    for speaks in ERAS {
        let fake = FakeTarget::start(speaks);
        fake.on("tools/call", |asked| async move {
            let answer = Ok(success(&asked.id, r#"{"resultType":"complete","content":[]}"#));
            event_stream(futures::stream::iter([answer]).chain(futures::stream::pending()))
        });
        let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
        Client::new(&gateway, targets_client::Speaks::Session).await.call("t___echo", "{}").await.ok();
        assert!(fake.asked("notifications/cancelled").is_empty());
    }
}

/// The end of a stream comes after its answer; a connection that was dropped there could not be used again.
#[tokio::test]
async fn streams_leave_their_connections_in_use() {
    for speaks in ERAS {
        let fake = FakeTarget::start(speaks);
        let read = Arc::new(Semaphore::new(0));
        let ends = read.clone();
        fake.on("tools/call", move |asked| {
            let answer = Ok(success(&asked.id, r#"{"resultType":"complete","content":[]}"#));
            let ends = ends.clone();
            let end = futures::stream::once(async move {
                ends.acquire().await.unwrap().forget();
                Ok(String::new())
            });
            async { event_stream(futures::stream::iter([answer]).chain(end)) }
        });
        let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
        let client = Client::new(&gateway, targets_client::Speaks::Session).await;
        for _ in 0..40 {
            client.call("t___echo", "{}").await.ok();
            // Only now does the stream of that call end.
            read.add_permits(1);
        }
        let peers: HashSet<_> = fake.asked("tools/call").iter().map(|asked| asked.peer).collect();
        // A call that comes before that end was read takes another one.
        assert!(peers.len() < 40, "{} connections for 40 calls", peers.len());
    }
}

#[tokio::test]
async fn a_legacy_target_that_asks_back_is_answered_and_goes_on() {
    for speaks in [Speaks::Sessions, Speaks::Stateless] {
        let fake = FakeTarget::start(speaks);
        let answers = Arc::new(Semaphore::new(0));
        let (arrived, both) = (answers.clone(), answers);
        fake.on("", move |_| {
            arrived.add_permits(1);
            async { status(202) }
        });
        fake.on("tools/call", move |asked| {
            let both = both.clone();
            async move {
                let ping = r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#;
                let roots = r#"{"jsonrpc":"2.0","id":5,"method":"roots/list"}"#;
                let answer = async move {
                    both.acquire_many(2).await.unwrap().forget();
                    Ok(success(&asked.id, r#"{"content":[]}"#))
                };
                let asks = futures::stream::iter([Ok(ping.to_owned()), Ok(roots.to_owned())]);
                event_stream(asks.chain(futures::stream::once(answer)))
            }
        });
        let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
        Client::new(&gateway, targets_client::Speaks::Session).await.call("t___echo", "{}").await.ok();
        let call = &fake.asked("tools/call")[0];
        let answers = fake.asked("");
        assert!(
            answers.iter().all(|answer| answer.headers.get("mcp-session-id") == call.headers.get("mcp-session-id"))
        );
        let mut answers: Vec<_> = answers.into_iter().map(|answer| answer.body).collect();
        answers.sort();
        insta::allow_duplicates! {
            insta::assert_snapshot!(answers.join("\n"), @r#"
            {"jsonrpc":"2.0","id":"p","result":{}}
            {"jsonrpc":"2.0","id":5,"error":{"code":-32601,"message":"the client cannot be asked for `roots/list`: it declared no capability for it"}}
            "#);
        }
    }
}

#[tokio::test]
async fn a_lost_session_is_opened_again_once_and_the_call_made_once() {
    let fake = FakeTarget::start(Speaks::Sessions);
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let client = Client::new(&gateway, targets_client::Speaks::Session).await;
    client.call("t___echo", "{}").await.ok();
    let before = fake.asked("initialize").len();
    fake.forget_sessions();
    for got in targets_calls::all(&client, "t___echo", 100).await {
        got.ok();
    }
    assert_eq!(fake.asked("initialize").len(), before + 1);
    let discovered = fake.asked("server/discover").len();
    assert_eq!(discovered, 1, "a lost session is no reason to doubt the era");
}

#[tokio::test]
async fn a_failed_initialize_fails_all_who_wait_alike() {
    let fake = FakeTarget::start(Speaks::Sessions);
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let client = Client::new(&gateway, targets_client::Speaks::Session).await;
    fake.on("initialize", |_| async { status(503) });
    let kinds = targets_calls::all(&client, "t___echo", 20)
        .await
        .iter()
        .map(super::targets_client::Got::fault)
        .collect::<Vec<_>>();
    assert_eq!(kinds, ["status"; 20]);
    assert!(fake.asked("tools/call").is_empty());
    fake.usual("initialize");
    client.call("t___echo", "{}").await.ok();
    // An error of JSON-RPC in an error status is read as well.
    fake.forget_sessions();
    fake.on("initialize", |asked| async move { error(400, &asked.id, -32000, "full") });
    assert_eq!(client.call("t___echo", "{}").await.fault(), "refused");
}

/// Whoever waits to learn its era fails with the one that asks, not one after the other.
#[tokio::test]
async fn calls_to_a_target_that_hangs_wait_together_to_learn_its_era() {
    const CALLS: usize = 20;
    let fake = FakeTarget::start(Speaks::Modern);
    let change = |config: &mut Config| config.limits.discovery = Duration::from_secs(1);
    let gateway = Gateway::start_with([http_target("t", &fake.endpoint())], change).await;
    let client = Client::new(&gateway, targets_client::Speaks::Modern).await;
    let all_there = Arc::new(Barrier::new(CALLS));
    fake.on("tools/call", move |_| {
        let all_there = Arc::clone(&all_there);
        // So a server refuses that does not speak like this any more.
        async move {
            all_there.wait().await;
            status(404)
        }
    });
    fake.on("*", |_| hang());
    fake.forget();
    let got = targets_calls::all(&client, "t___echo", CALLS).await;
    assert!(got.iter().all(|got| got.fault() == "status"), "{got:?}");
    let probes = fake.asked("server/discover").len();
    assert!(probes < CALLS / 2, "{probes} probes for {CALLS} calls");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_calls_while_the_target_restarts() {
    let mut fake = FakeTarget::start(Speaks::Sessions);
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let client = Client::new(&gateway, targets_client::Speaks::NoSession).await;
    let calls: Vec<_> = (0..50)
        .map(|worker| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut all = Vec::new();
                for number in 0..20 {
                    let arguments = format!(r#"{{"n":{}}}"#, worker * 20 + number);
                    all.push((arguments.clone(), client.call("t___echo", &arguments).await));
                }
                all
            })
        })
        .collect();
    fake.until_asked(|asked| asked.params.contains(r#""n":103"#)).await;
    tokio::task::block_in_place(|| {
        fake.down();
        fake.up();
    });
    let got: Vec<_> = futures::future::join_all(calls).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(got.len(), 1000);
    let asked = fake.asked("tools/call");
    for (arguments, got) in got {
        let sent = |asked: &&Asked| asked.params.contains(&format!(r#""arguments":{arguments}"#));
        let answered_404 = 1;
        assert!(asked.iter().filter(sent).count() <= 1 + answered_404, "{arguments}");
        if !got.answer.contains(r#""asked":"#) {
            assert!(["unreachable", "broken_off", "down"].contains(&got.fault().as_str()), "{}", got.answer);
        }
    }
    // It may have gone down meanwhile, and is up again as soon as it gives its lists.
    gateway.target_where("t", |target| target.error.is_none()).await;
    while client.call("t___echo", "{}").await.answer.contains(r#""kind":"down""#) {}
    client.call("t___echo", "{}").await.ok();
}

#[tokio::test]
async fn one_call_more_than_the_target_gets_is_refused_and_the_place_comes_back() {
    let fake = FakeTarget::start(Speaks::Modern);
    fake.on("tools/call", |_| hang());
    let gateway = Gateway::start_with([http_target("t", &fake.endpoint())], |config| {
        (config.limits.target_calls, config.limits.target_queue) = (1, 0);
    })
    .await;
    let client = Client::new(&gateway, targets_client::Speaks::Session).await;
    let mut waiting = targets_calls::start(&client, "t___echo");
    tokio::select! {
        _ = fake.until_asked(|asked| asked.method == "tools/call") => (),
        ended = &mut waiting => panic!("it ended before the target was asked: {ended:?}"),
    }
    assert_eq!(client.call("t___echo", "{}").await.fault(), "busy");
    waiting.abort();
    fake.usual("tools/call");
    fake.until_dropped("7").await;
    client.call("t___echo", "{}").await.ok();
}
