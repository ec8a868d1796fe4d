//! A target that AgentCore Runtime hosts: Runtime's own answers are typed faults, what it did not take is sent again, and the
//! same answers from any other server are that server's.

use std::sync::Arc;

use axum::{body::Body, http::Response};
use causeway::config::{Target, Transport};
use causeway_core::catalog::Kind;
use futures::future::BoxFuture;
use serde_json::json;

use crate::{
    fake_target::{self, Asked, FakeTarget, Speaks, error, status, success, typed},
    harness::{Gateway, http_target},
    targets_client::{self, Client},
};

const ERAS: [Speaks; 3] = [Speaks::Modern, Speaks::Sessions, Speaks::Stateless];
const THROTTLED: &str = "Rate limit exceeded - Too many requests";
const DONE: &str = r#"{"resultType":"complete","content":[]}"#;

type Script = Arc<dyn Fn(Asked) -> BoxFuture<'static, Response<Body>> + Send + Sync>;

/// The same server, behind Runtime.
fn hosted(mut target: Target) -> Target {
    if let Transport::Http(http) = &mut target.transport {
        http.runtime = true;
    }
    target
}

fn script<F>(script: impl Fn(Asked) -> F + Send + Sync + 'static) -> Script
where
    F: Future<Output = Response<Body>> + Send + 'static,
{
    Arc::new(move |asked| Box::pin(script(asked)))
}

/// A call that the server behind `target` answers with `answer`: what came of it, and how often it was sent.
async fn called(speaks: Speaks, runtime: bool, answer: &Script) -> (targets_client::Got, usize) {
    let fake = FakeTarget::start(speaks);
    let answer = Arc::clone(answer);
    fake.on("tools/call", move |asked| answer(asked));
    let target = http_target("t", &fake.endpoint());
    let gateway = Gateway::start([if runtime { hosted(target) } else { target }]).await;
    let got = Client::new(&gateway, targets_client::Speaks::Session).await.call("t___echo", "{}").await;
    (got, fake.asked("tools/call").len())
}

fn after(code: u16, seconds: &str) -> Response<Body> {
    let mut response = status(code);
    response.headers_mut().insert("retry-after", seconds.parse().unwrap());
    response
}

#[tokio::test]
async fn what_a_target_did_not_take_is_sent_again() {
    for speaks in ERAS {
        for code in [429, 503] {
            let twice = script(move |asked| async move {
                match asked.earlier {
                    0 | 1 => after(code, "0"),
                    _ => fake_target::json(200, success(&asked.id, DONE)),
                }
            });
            let (got, sent) = called(speaks, false, &twice).await;
            got.ok();
            assert_eq!(sent, 3, "{speaks:?} {code}");
            let (got, sent) = called(speaks, false, &script(move |_| async move { after(code, "0") })).await;
            assert_eq!(sent, 4, "{speaks:?} {code}");
            got.fault();
        }
    }
}

#[tokio::test]
async fn what_a_target_may_have_taken_is_not_sent_again() {
    let day = "86400";
    let cases = [
        script(|_| async { status(429) }),
        script(|_| async { status(503) }),
        script(move |_| async move { after(503, day) }),
        script(|_| async { after(500, "0") }),
        script(|asked| async move { error(200, &asked.id, -32003, THROTTLED) }),
    ];
    for (at, answer) in cases.iter().enumerate() {
        let (_, sent) = called(Speaks::Modern, false, answer).await;
        assert_eq!(sent, 1, "case {at}");
    }
}

#[tokio::test]
async fn runtime_that_throttles_is_asked_again() {
    for speaks in ERAS {
        let once = script(|asked| async move {
            match asked.earlier {
                0 => error(200, &asked.id, -32003, THROTTLED),
                1 => error(200, &asked.id, -32005, "Session operation in progress, please retry"),
                _ => fake_target::json(200, success(&asked.id, DONE)),
            }
        });
        let (got, sent) = called(speaks, true, &once).await;
        got.ok();
        assert_eq!(sent, 3, "{speaks:?}");
        let always = script(|_| async {
            let mut response = typed(429, "application/json", r#"{"message":"slow down"}"#);
            response.headers_mut().insert("x-amzn-errortype", "ThrottlingException".parse().unwrap());
            response
        });
        let (got, sent) = called(speaks, true, &always).await;
        assert_eq!((got.fault().as_str(), sent), ("throttled", 4), "{speaks:?}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(got.answer, @r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"target `t` takes no more calls for now; the call was not carried out; retry in a moment"}],"isError":true,"_meta":{"causeway/error":{"target":"t","kind":"throttled"}}}}"#);
        }
    }
}

#[tokio::test]
async fn where_others_serve_the_same_nobody_waits_for_runtime() {
    let (first, second) = (FakeTarget::start(Speaks::Modern), FakeTarget::start(Speaks::Modern));
    first.on("tools/call", |asked| async move { error(200, &asked.id, -32003, THROTTLED) });
    let mut target = hosted(http_target("t", &first.endpoint()));
    if let Transport::Http(http) = &mut target.transport {
        http.further.push(second.endpoint().parse().unwrap());
    }
    let gateway = Gateway::start([target]).await;
    Client::new(&gateway, targets_client::Speaks::Session).await.call("t___echo", "{}").await.ok();
    assert_eq!((first.asked("tools/call").len(), second.asked("tools/call").len()), (1, 1));
}

#[tokio::test]
async fn runtimes_errors_are_faults_each_of_its_kind() {
    let named = |code: u16, name: &'static str| {
        script(move |_| async move {
            let mut response = typed(code, "application/json", r#"{"message":"from AWS"}"#);
            response.headers_mut().insert("x-amzn-errortype", name.parse().unwrap());
            response
        })
    };
    let rpc = |code, text: &'static str| script(move |asked| async move { error(200, &asked.id, code, text) });
    let cases = [
        (named(402, "ServiceQuotaExceededException"), "quota_exceeded"),
        (named(403, "AccessDeniedException"), "access_denied"),
        (named(424, "RuntimeClientError"), "server_failed"),
        (named(500, "InternalServerException"), "runtime_failed"),
        (script(|_| async { status(504) }), "timeout"),
        (rpc(-32002, "Authorization error - Insufficient permissions"), "access_denied"),
        (rpc(-32004, "Resource not found - Requested resource does not exist"), "not_found"),
        (rpc(-32005, "Resource conflict - Resource already exists"), "conflict"),
        (rpc(-32006, "Validation error - Invalid request data"), "invalid"),
        (rpc(-32010, "Tool execution error - Please check your CloudWatch logs for more information"), "server_failed"),
    ];
    for (answer, kind) in cases {
        for speaks in ERAS {
            let (got, sent) = called(speaks, true, &answer).await;
            assert_eq!((got.fault().as_str(), sent), (kind, 1), "{speaks:?}");
            assert!(!got.answer.contains("from AWS") && !got.answer.contains("AgentCore"), "{}", got.answer);
        }
    }
}

#[tokio::test]
async fn the_same_errors_of_another_server_are_its_own() {
    for (code, text) in [(-32002, "Authorization error - Insufficient permissions"), (-32010, "Tool execution error")] {
        for (speaks, runtime) in [(Speaks::Modern, false), (Speaks::Sessions, false)] {
            let answer = script(move |asked| async move { error(200, &asked.id, code, text) });
            let (got, _) = called(speaks, runtime, &answer).await;
            assert!(got.answer.contains(&format!(r#""error":{{"code":{code},"message":"{text}"}}"#)), "{}", got.answer);
        }
    }
}

#[tokio::test]
async fn what_a_hosted_server_says_itself_is_passed_on_and_never_sent_again() {
    for speaks in ERAS {
        for (code, text) in [
            (-32002, "Resource not found: x:y"),
            (-32003, "Rate limit exceeded: 5 widgets a minute"),
            (-32005, "Session operation in progress"),
            (-32006, "Validation error - no such widget"),
        ] {
            let own = script(move |asked| async move { error(200, &asked.id, code, text) });
            let (got, sent) = called(speaks, true, &own).await;
            assert!(got.answer.contains(text) && got.answer.contains(r#""error":"#), "{speaks:?} {}", got.answer);
            assert_eq!(sent, 1, "{speaks:?} {text}");
        }
        for code in [409, 429] {
            let bare = script(move |_| async move { typed(code, "text/plain", "not now") });
            let (got, sent) = called(speaks, true, &bare).await;
            got.fault();
            assert_eq!(sent, 1, "{speaks:?} {code}");
        }
    }
}

#[tokio::test]
async fn a_caller_whose_machine_is_gone_gets_another() {
    for runtime in [true, false] {
        let fake = FakeTarget::start(Speaks::Modern);
        fake.on("tools/call", |asked| async move {
            match asked.headers.get("mcp-session-id").map(|id| id.to_str().unwrap()) {
                Some("machine-1") if asked.earlier == 1 => status(404),
                Some(_) => fake_target::json(200, success(&asked.id, DONE)),
                None => {
                    let mut answer = fake_target::json(200, success(&asked.id, DONE));
                    let machine = format!("machine-{}", asked.earlier + 1);
                    answer.headers_mut().insert("mcp-session-id", machine.parse().unwrap());
                    answer
                }
            }
        });
        let target = http_target("t", &fake.endpoint());
        let gateway = Gateway::start([if runtime { hosted(target) } else { target }]).await;
        let alice = gateway.caller("alice").modern();
        for _ in 0..3 {
            alice.try_call("t___echo", json!({})).await;
        }
        let calls = fake.asked("tools/call");
        let sent = calls.iter().map(|asked| asked.headers.get("mcp-session-id").map(|id| id.to_str().unwrap()));
        assert_eq!(sent.collect::<Vec<_>>(), [None, Some("machine-1"), None, Some("machine-3")], "{runtime}");
    }
}

#[tokio::test]
async fn a_missing_method_is_no_missing_machine() {
    let fake = FakeTarget::start(Speaks::Modern);
    fake.on("tools/call", |asked| async move {
        let mut answer = error(404, &asked.id, -32601, "Method not found");
        answer.headers_mut().insert("mcp-session-id", "machine".parse().unwrap());
        answer
    });
    let gateway = Gateway::start([hosted(http_target("t", &fake.endpoint()))]).await;
    let alice = gateway.caller("alice").modern();
    for _ in 0..2 {
        alice.try_call("t___echo", json!({})).await;
    }
    let calls = fake.asked("tools/call");
    assert_eq!(
        calls.iter().map(|asked| asked.headers.contains_key("mcp-session-id")).collect::<Vec<_>>(),
        [false, true]
    );
}

#[tokio::test]
async fn runtime_is_asked_by_post_alone() {
    let fake = FakeTarget::start(Speaks::Sessions);
    let gateway = Gateway::start([hosted(http_target("t", &fake.endpoint()))]).await;
    Client::new(&gateway, targets_client::Speaks::Session).await.call("t___echo", "{}").await.ok();
    gateway.stop().await.unwrap();
    assert!(fake.asked("GET").is_empty() && fake.asked("DELETE").is_empty());
}

/// What fails may have been done: a server that comes back as an older one gets the next call, not this one again.
#[tokio::test]
async fn a_call_that_failed_is_not_sent_again_to_what_the_server_has_become() {
    let fake = FakeTarget::start(Speaks::Modern);
    let gateway = Gateway::start([hosted(http_target("t", &fake.endpoint()))]).await;
    fake.become_one_that_speaks(Speaks::Sessions);
    let text = "Tool execution error - Please check your CloudWatch logs for more information";
    fake.on("tools/call", move |asked| async move {
        match asked.earlier {
            0 => error(200, &asked.id, -32010, text),
            _ => fake_target::json(200, success(&asked.id, r#"{"content":[]}"#)),
        }
    });
    let client = Client::new(&gateway, targets_client::Speaks::Session).await;
    assert_eq!(client.call("t___echo", "{}").await.fault(), "server_failed");
    assert_eq!(fake.asked("tools/call").len(), 1);
    client.call("t___echo", "{}").await.ok();
    assert!(fake.asked("tools/call")[1].headers.contains_key("mcp-session-id"), "in its new era");
}

#[tokio::test]
async fn an_older_server_that_fails_at_the_newer_handshake_is_found_out() {
    for speaks in [Speaks::Sessions, Speaks::Stateless] {
        let fake = FakeTarget::start(speaks);
        fake.on("server/discover", |asked| async move {
            error(
                200,
                &asked.id,
                -32010,
                "Tool execution error - Please check your CloudWatch logs for more information",
            )
        });
        let gateway = Gateway::start([hosted(http_target("t", &fake.endpoint()))]).await;
        gateway.target_where("t", |target| target.lists[Kind::Tools].is_some()).await;
        Client::new(&gateway, targets_client::Speaks::Session).await.call("t___echo", "{}").await.ok();
    }
}
