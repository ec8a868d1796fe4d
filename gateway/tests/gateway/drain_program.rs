//! The program is told to end while many clients use it: every request that it got is answered, clients are told to close, and nothing
//! of it is left behind. Counted by the clients.

use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::JoinSet,
    time::sleep,
};

use crate::{
    caller::Caller,
    fake_target::{FakeTarget, Speaks, event_stream, json as answer, success},
    sample::CAUSEWAY,
};

const WORKERS: usize = 32;
/// Of a call, in milliseconds.
const LONGEST: u64 = 500;

/// A running `causeway serve`.
struct Program {
    process: Child,
    url: String,
}

impl Program {
    /// One that serves everyone on this machine, before these targets (tables of a config.toml).
    async fn start(directory: &tempfile::TempDir, tables: &str) -> Self {
        let path = directory.path().join("config.toml");
        let text = format!("authorizer = \"none\"\n[gateway]\nlisten = \"127.0.0.1:0\"\n{tables}");
        std::fs::write(&path, text).unwrap();
        let mut command = Command::new(CAUSEWAY);
        command.args(["serve", "--config"]).arg(&path).env_remove("RUST_LOG").kill_on_drop(true);
        let mut process = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let url = loop {
            let line = lines.next_line().await.unwrap().expect("it says where it listens");
            let line: Value = serde_json::from_str(&line).unwrap();
            if let Some(url) = line["message"].as_str().and_then(|text| text.strip_prefix("listening on ")) {
                break url.to_owned();
            }
        };
        // Else it could not write on.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let program = Self { process, url };
        while Caller::new(&program.url).get("/readyz").await.status != 200 {
            sleep(Duration::from_millis(20)).await;
        }
        program
    }

    fn told_to_end(&self) {
        let id = self.process.id().expect("it was not waited for yet");
        kill(Pid::from_raw(id.try_into().unwrap()), Signal::SIGTERM).unwrap();
    }
}

/// What clients count.
#[derive(Debug, Default)]
struct Counts {
    sent: AtomicUsize,
    answered: AtomicUsize,
    told_to_close: AtomicUsize,
}

/// Calls again and again, on a connection that stays open as long as it may, until nobody listens any more.
async fn calls_until_refused(url: String, worker: usize, counts: Arc<Counts>) {
    let http: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    for number in 0.. {
        let id = format!("{worker}-{number}");
        let arguments = json!({"milliseconds": fastrand::u64(..LONGEST), "id": id});
        let params = json!({"name": "t___echo", "arguments": arguments});
        let body = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}).to_string();
        let request = Request::post(&url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(
                header::ACCEPT,
                if number % 2 == 0 { "application/json" } else { "application/json, text/event-stream" },
            )
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        counts.sent.fetch_add(1, Ordering::Relaxed);
        let response = match http.request(request).await {
            Ok(response) => response,
            Err(error) if error.is_connect() => {
                // Nobody got it.
                counts.sent.fetch_sub(1, Ordering::Relaxed);
                return;
            }
            Err(error) => panic!("{id} was lost: {error:?}"),
        };
        if response.headers().get(header::CONNECTION).is_some_and(|value| value == "close") {
            counts.told_to_close.fetch_add(1, Ordering::Relaxed);
        }
        let body = response.into_body().collect().await.unwrap_or_else(|error| panic!("{id} broke off: {error:?}"));
        let body = String::from_utf8(body.to_bytes().to_vec()).unwrap();
        assert!(body.contains(&format!(r#""id":"{id}""#)) && body.contains(r#""done":true"#), "{id}: {body}");
        counts.answered.fetch_add(1, Ordering::Relaxed);
    }
}

/// A target that takes its time, and answers JSON and events by turns.
fn slow_target() -> FakeTarget {
    let fake = FakeTarget::start(Speaks::Modern);
    fake.on("tools/call", |asked| async move {
        let params: Value = serde_json::from_str(&asked.params).unwrap();
        sleep(Duration::from_millis(params["arguments"]["milliseconds"].as_u64().unwrap())).await;
        let done = success(&asked.id, r#"{"resultType":"complete","content":[],"done":true}"#);
        match asked.earlier % 2 {
            0 => answer(200, done),
            _ => event_stream(futures::stream::iter([Ok(done)])),
        }
    });
    fake
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_lost() {
    let (directory, fake) = (tempfile::tempdir().unwrap(), slow_target());
    let tables = format!("[[targets]]\nname = \"t\"\nhttp.endpoint = \"{}\"\n", fake.endpoint());
    let mut program = Program::start(&directory, &tables).await;
    let listener = Caller::new(&program.url).modern();
    let lists = json!({"notifications": {"toolsListChanged": true}});
    let mut listening = listener.under("listen").open("subscriptions/listen", lists).await;
    assert_eq!(listening.next().await["method"], "notifications/subscriptions/acknowledged");
    let (counts, mut workers) = (Arc::new(Counts::default()), JoinSet::new());
    for worker in 0..WORKERS {
        workers.spawn(calls_until_refused(program.url.clone(), worker, Arc::clone(&counts)));
    }
    while counts.answered.load(Ordering::Relaxed) < 5 * WORKERS {
        sleep(Duration::from_millis(5)).await;
    }
    program.told_to_end();
    let end = listening.next().await;
    assert_eq!((&end["id"], &end["result"]["resultType"]), (&json!("listen"), &json!("complete")), "it says goodbye");
    while let Some(ended) = workers.join_next().await {
        ended.unwrap();
    }
    assert!(program.process.wait().await.unwrap().success());
    let [sent, answered, closed] =
        [&counts.sent, &counts.answered, &counts.told_to_close].map(|count| count.load(Ordering::Relaxed));
    assert_eq!(sent, answered);
    assert!(closed >= WORKERS, "each connection that was in use is told to close: {closed}");
}

/// What takes longer than the drain is not cut off in silence.
#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_long_is_answered_with_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let fake = FakeTarget::start(Speaks::Modern);
    fake.on("tools/call", |asked| async move {
        match asked.params.contains("events") {
            true => event_stream(futures::stream::pending()),
            false => crate::fake_target::hang().await,
        }
    });
    let tables =
        format!("[limits]\ndrain_seconds = 1\n[[targets]]\nname = \"t\"\nhttp.endpoint = \"{}\"\n", fake.endpoint());
    let mut program = Program::start(&directory, &tables).await;
    let clients = [
        Caller::new(&program.url),
        Caller::new(&program.url).modern(),
        Caller::new(&program.url).in_session().await,
        Caller::new(&program.url).header("accept", "application/json"),
    ];
    let calls: Vec<_> = (0..)
        .zip(clients)
        .flat_map(|(at, client)| ["json", "events"].map(|how| (format!("{at}-{how}"), client.clone(), how)))
        .map(|(id, client, how)| {
            let client = client.under(id.clone());
            (id, tokio::spawn(async move { client.try_call("t___echo", json!({"how": how})).await }))
        })
        .collect();
    for _ in &calls {
        fake.until_asked(|asked| asked.method == "tools/call" && asked.earlier + 1 == calls.len()).await;
    }
    program.told_to_end();
    for (id, call) in calls {
        let message = call.await.unwrap().message();
        assert_eq!((&message["id"], &message["error"]["code"]), (&json!(id), &json!(-32603)), "{message}");
        let text = "the gateway stops: the call may or may not have been carried out, so check before you repeat it";
        assert_eq!(message["error"]["message"], text);
    }
    assert!(program.process.wait().await.unwrap().success());
}
