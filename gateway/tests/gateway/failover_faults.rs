//! A first path that fails in every way that there is: what no harm can come of goes on to the second, what could be carried out
//! twice never does. Counted by the servers.

use std::time::Duration;

use axum::{body::Body, http::Response};
use futures::{StreamExt, stream};

use crate::{
    failover_pair::{BOTH, PATIENT, Pair, Runs, call, hosted},
    fake_target::{Asked, Speaks, broken, event_stream, events, hang, progress_message, progress_token, status, typed},
    targets_client::{self, Client, Got},
};

const CLIENTS: [targets_client::Speaks; 2] = [targets_client::Speaks::Modern, targets_client::Speaks::Session];
const TARGETS: [Speaks; 2] = [Speaks::Modern, Speaks::Sessions];

/// What a client is to get for a call.
#[derive(Clone, Copy, Debug)]
enum Gets {
    /// The answer of the second path.
    Answer,
    /// An error of this kind.
    Fault(&'static str),
}
use Gets::{Answer, Fault};

impl Gets {
    fn check(self, got: Got, pair: &Pair, what: &str) {
        match self {
            Answer => assert_eq!(got.ok().path.as_deref(), Some(pair.paths()[1]), "{what}"),
            Fault(kind) => assert_eq!(got.fault(), kind, "{what}"),
        }
    }
}

/// Has the first path answer calls with `script`, in each arrangement and between each pair of eras: a call of `act` and one of
/// `look` get what is said.
async fn check<F>(script: impl Fn(Runs, Asked) -> F + Clone + Send + Sync + 'static, act: Gets, look: Gets)
where
    F: Future<Output = Response<Body>> + Send + 'static,
{
    for (arranged, speaks) in BOTH.into_iter().flat_map(|arranged| TARGETS.map(|speaks| (arranged, speaks))) {
        let pair = Pair::start(arranged, speaks, PATIENT).await;
        pair.first_does(script.clone());
        for (client, base) in CLIENTS.into_iter().zip([0, 10]) {
            let client = Client::new(&pair.gateway, client).await;
            let what = format!("{arranged:?}, {speaks:?}, client {base}");
            act.check(call(&client, "act", base + 1).await, &pair, &what);
            look.check(call(&client, "look", base + 2).await, &pair, &what);
            assert_eq!(pair.runs.of(base + 1), 1, "carried out once: {what}");
            assert!(pair.runs.of(base + 2) >= 1, "{what}");
        }
        // It is asked again as soon as it works, for nothing spoke for long against it.
        pair.first_works();
        let client = Client::new(&pair.gateway, CLIENTS[0]).await;
        assert_eq!(call(&client, "act", 99).await.ok().path.as_deref(), Some(pair.paths()[0]));
    }
}

/// Refusals before any work.
async fn refuses(make: impl Fn() -> Response<Body> + Clone + Send + Sync + 'static) {
    let script = move |_: Runs, _: Asked| {
        let answer = make();
        async move { answer }
    };
    check(script, Answer, Answer).await;
}

/// The work is done, and then something goes wrong.
async fn fails(make: impl Fn(&Asked) -> Response<Body> + Clone + Send + Sync + 'static, kind: &'static str) {
    let script = move |runs: Runs, asked: Asked| {
        runs.note(&asked);
        let answer = make(&asked);
        async move { answer }
    };
    check(script, Fault(kind), Answer).await;
}

fn later(code: u16) -> Response<Body> {
    let mut response = status(code);
    response.headers_mut().insert("retry-after", "1".parse().unwrap());
    response
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_refuses_connections() {
    for (arranged, speaks) in BOTH.into_iter().flat_map(|arranged| TARGETS.map(|speaks| (arranged, speaks))) {
        let mut pair = Pair::start(arranged, speaks, PATIENT).await;
        for (client, base) in CLIENTS.into_iter().zip([0, 10]) {
            let client = Client::new(&pair.gateway, client).await;
            // One that has been used before has connections and sessions.
            call(&client, "act", base + 3).await.ok();
            tokio::task::block_in_place(|| pair.first.down());
            Answer.check(call(&client, "act", base + 1).await, &pair, "act");
            Answer.check(call(&client, "look", base + 2).await, &pair, "look");
            assert_eq!([1, 2, 3].map(|number| pair.runs.of(base + number)), [1, 1, 1]);
            tokio::task::block_in_place(|| pair.first.up());
        }
    }
}

#[tokio::test]
async fn a_path_that_lets_nobody_in() {
    refuses(|| status(401)).await;
    refuses(|| status(403)).await;
}

#[tokio::test]
async fn a_path_that_takes_no_requests_for_now() {
    refuses(|| status(429)).await;
    refuses(|| later(429)).await;
    refuses(|| later(503)).await;
}

#[tokio::test]
async fn a_path_that_is_not_there_any_more() {
    refuses(|| typed(404, "text/html", "<html>no such service</html>")).await;
}

#[tokio::test]
async fn a_path_that_answers_5xx_may_have_done_the_work() {
    for code in [500, 502, 503, 504] {
        fails(move |_| status(code), "status").await;
    }
}

/// What AgentCore Runtime means by a status counts only where it says so: the server that it hosts may have given it.
#[tokio::test]
async fn a_hosted_path_that_answers_a_bare_status_may_have_done_the_work() {
    for arranged in BOTH {
        let pair = Pair::start_with(arranged, Speaks::Modern, PATIENT, |_, _| (), hosted).await;
        let client = Client::new(&pair.gateway, CLIENTS[0]).await;
        for (number, code, kind) in [(1, 402, "quota_exceeded"), (2, 406, "invalid"), (3, 409, "conflict")] {
            pair.first_does(move |runs, asked| async move {
                runs.note(&asked);
                status(code)
            });
            Fault(kind).check(call(&client, "act", number).await, &pair, kind);
            assert_eq!(pair.runs.of(number), 1, "carried out once: {kind}");
        }
        // What Runtime itself says was not carried out, it says without doubt.
        for (number, name) in [(4, "ServiceQuotaExceededException"), (5, "ValidationException")] {
            pair.first_does(move |_, _| async move {
                let mut response = typed(402, "application/json", r#"{"message":"no"}"#);
                response.headers_mut().insert("x-amzn-errortype", name.parse().unwrap());
                response
            });
            Answer.check(call(&client, "act", number).await, &pair, name);
        }
    }
}

#[tokio::test]
async fn a_path_that_answers_garbage() {
    fails(|_| typed(200, "text/html", "<html>sign in</html>"), "garbage").await;
    fails(|_| events([Ok("no JSON".into())]), "garbage").await;
}

#[tokio::test]
async fn a_path_that_breaks_off_after_the_head() {
    fails(|_| event_stream(stream::iter([broken()])), "broken_off").await;
    let cut = |_: &Asked| {
        let parts = [Ok(bytes::Bytes::from_static(b"{\"jsonrpc\":\"2.0\",")), broken()];
        typed(200, "application/json", Body::from_stream(stream::iter(parts)))
    };
    fails(cut, "broken_off").await;
}

/// What a client has heard of a call cannot be taken back.
#[tokio::test]
async fn a_path_that_breaks_off_after_a_notification() {
    let script = |runs: Runs, asked: Asked| async move {
        runs.note(&asked);
        let progress = progress_message(&progress_token(&asked.params).unwrap(), 1);
        // It ends, rather than breaks: what was sent last arrives for certain.
        events([Ok(progress)])
    };
    check(script, Fault("broken_off"), Fault("broken_off")).await;
}

/// What a client does not get to hear it has not heard: it wants no log messages of this level.
#[tokio::test]
async fn a_path_that_breaks_off_after_a_message_that_no_client_wants() {
    let script = |runs: Runs, asked: Asked| async move {
        runs.note(&asked);
        let log = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"debug","data":"x"}}"#;
        events([Ok(log.to_owned())])
    };
    for arranged in BOTH {
        let pair = Pair::start(arranged, Speaks::Modern, PATIENT).await;
        pair.first_does(script);
        let client = Client::new(&pair.gateway, targets_client::Speaks::Modern).await;
        let got = call(&client, "look", 1).await;
        assert!(got.notifications.is_empty());
        Answer.check(got, &pair, "look");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_dies_before_the_head() {
    for (arranged, speaks) in BOTH.into_iter().flat_map(|arranged| TARGETS.map(|speaks| (arranged, speaks))) {
        let mut pair = Pair::start(arranged, speaks, PATIENT).await;
        for (client, base) in CLIENTS.into_iter().zip([0, 10]) {
            let client = Client::new(&pair.gateway, client).await;
            for (tool, number, gets) in [("act", base + 1, Fault("broken_off")), ("look", base + 2, Answer)] {
                pair.first_does(|runs, asked| async move {
                    runs.note(&asked);
                    hang().await
                });
                let caller = client.clone();
                let waiting = tokio::spawn(async move { call(&caller, tool, number).await });
                pair.first.until_asked(|asked| asked.params.contains(&format!(r#""n":{number}}}"#))).await;
                tokio::task::block_in_place(|| pair.first.down());
                gets.check(waiting.await.unwrap(), &pair, tool);
                tokio::task::block_in_place(|| pair.first.up());
            }
            assert_eq!((pair.runs.of(base + 1), pair.runs.of(base + 2)), (1, 2));
        }
    }
}

/// A path that hangs is waited for where the call must not be made twice, and else only as long as `first_byte` says: what it
/// says later is nobody's, and it is told so.
#[tokio::test]
async fn a_path_that_hangs() {
    for (arranged, speaks) in BOTH.into_iter().flat_map(|arranged| TARGETS.map(|speaks| (arranged, speaks))) {
        let failover = causeway::config::Failover { first_byte: Duration::from_millis(300), ..PATIENT };
        let limit = |config: &mut causeway::config::Config| config.limits.first_byte = Duration::from_secs(2);
        let pair = Pair::start_with(arranged, speaks, failover, |_, _| (), limit).await;
        pair.first_does(|runs, asked| async move {
            runs.note(&asked);
            hang().await
        });
        for (client, base) in CLIENTS.into_iter().zip([0, 10]) {
            let client = Client::new(&pair.gateway, client).await;
            Answer.check(call(&client, "look", base + 2).await, &pair, "look");
            let looked = pair.first.until_asked(|asked| asked.params.contains(&format!(r#""n":{}}}"#, base + 2))).await;
            pair.first.until_dropped(&looked.id).await;
            if speaks == Speaks::Sessions {
                let id = format!(r#""requestId":{},"#, looked.id);
                let cancels =
                    move |asked: &Asked| asked.method == "notifications/cancelled" && asked.params.contains(&id);
                pair.first.until_asked(cancels).await;
            }
            Fault("timeout").check(call(&client, "act", base + 1).await, &pair, "act");
            assert_eq!((pair.runs.of(base + 1), pair.runs.of(base + 2)), (1, 2));
        }
    }
}

/// A head is no answer: a stream that says nothing is a path that hangs.
#[tokio::test]
async fn a_path_that_hangs_after_the_head() {
    for arranged in BOTH {
        let failover = causeway::config::Failover { first_byte: Duration::from_millis(300), ..PATIENT };
        let pair = Pair::start(arranged, Speaks::Modern, failover).await;
        pair.first_does(|runs, asked| async move {
            runs.note(&asked);
            event_stream(stream::pending().boxed())
        });
        let client = Client::new(&pair.gateway, targets_client::Speaks::Session).await;
        Answer.check(call(&client, "look", 1).await, &pair, "look");
        assert_eq!(pair.runs.of(1), 2);
    }
}

/// What goes wrong before a call is sent is no reason not to send it elsewhere, whatever the call does.
#[tokio::test]
async fn a_path_that_opens_no_session() {
    for arranged in BOTH {
        let pair = Pair::start(arranged, Speaks::Sessions, PATIENT).await;
        for script in [|| status(500), || typed(200, "text/html", "<html>"), || event_stream(stream::iter([broken()]))]
        {
            pair.first.on("initialize", move |_| {
                let answer = script();
                async move { answer }
            });
            pair.first.on("server/discover", |_| async { status(500) });
            pair.first.forget_sessions();
            let client = Client::new(&pair.gateway, targets_client::Speaks::Session).await;
            let before = pair.runs.of(1);
            Answer.check(call(&client, "act", 1).await, &pair, "act");
            assert_eq!(pair.runs.of(1), before + 1);
        }
    }
}

/// An error of the tool, or of JSON-RPC, is the answer: nobody else is asked.
#[tokio::test]
async fn an_error_of_the_tool_is_an_answer() {
    let failed = |asked: &Asked| {
        crate::fake_target::json(
            200,
            crate::fake_target::success(&asked.id, r#"{"resultType":"complete","isError":true,"content":[]}"#),
        )
    };
    let unknown = |asked: &Asked| crate::fake_target::error(200, &asked.id, -32602, "no such tool");
    for (arranged, number) in BOTH.into_iter().zip([1, 2]) {
        let pair = Pair::start(arranged, Speaks::Modern, PATIENT).await;
        let client = Client::new(&pair.gateway, targets_client::Speaks::Modern).await;
        for script in [failed as fn(&Asked) -> Response<Body>, unknown] {
            pair.first_does(move |_, asked| {
                let answer = script(&asked);
                async move { answer }
            });
            let got = call(&client, "look", number).await;
            assert_eq!(got.path.as_deref(), Some(pair.paths()[0]));
        }
        assert_eq!(pair.runs.of(number), 0, "the second was not asked");
        assert_eq!(pair.states().await, [("up".into(), 2, 0), ("up".into(), 0, 0)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_no_path_left_the_error_is_typed() {
    for arranged in BOTH {
        let mut pair = Pair::start(arranged, Speaks::Modern, PATIENT).await;
        tokio::task::block_in_place(|| {
            pair.first.down();
            pair.second.down();
        });
        let client = Client::new(&pair.gateway, targets_client::Speaks::Modern).await;
        for tool in ["act", "look"] {
            let got = call(&client, tool, 1).await;
            assert_eq!((got.fault().as_str(), got.path), ("unreachable", None));
        }
    }
}
