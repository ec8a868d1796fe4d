//! What is sent too slowly, too long, or not taken, by clients and by targets: each is bounded in time and size, and holds up nobody
//! else. Real sockets on both sides.

use std::{net::SocketAddr, time::Duration};

use causeway::config::Config;
use causeway_core::catalog::Kind;
use futures::stream;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

use crate::{
    caller::Caller,
    controlled_target::ControlledTarget,
    fake_target::{FakeTarget, Speaks, event_stream, json as answer, success},
    harness::{Gateway, http_target},
    raw,
    raw_target::{DONE, Does, LARGE, RawTarget, http, result},
    targets_client::{self, Client},
};

const SOON: Duration = Duration::from_millis(300);

async fn lab(change: impl FnOnce(&mut Config)) -> (ControlledTarget, Gateway) {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start_with([lab.target("lab")], change).await;
    (lab, gateway)
}

fn address(gateway: &Gateway) -> SocketAddr {
    gateway.origin.trim_start_matches("http://").parse().unwrap()
}

/// A connection that takes little at once.
async fn narrow(gateway: &Gateway) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8192).unwrap();
    socket.connect(address(gateway)).await.unwrap()
}

/// A call of alice's, as it goes over the wire.
fn call(gateway: &Gateway, tool: &str) -> Vec<u8> {
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{{"name":"{tool}","arguments":{{}},"_meta":{{"progressToken":1}}}}}}"#
    );
    let token = gateway.issuer.token("alice");
    let length = body.len();
    let head = "Host: localhost\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n";
    format!("POST /mcp HTTP/1.1\r\n{head}Authorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n{body}")
        .into()
}

/// Waits until so many connections of clients are open.
async fn until_connections(gateway: &Gateway, count: usize) {
    let admin = Caller::new(&format!("{}/mcp", gateway.admin));
    // One more is waited for.
    let line = format!("causeway_connections {}\n", count + 1);
    while !admin.get("/metrics").await.text().contains(&line) {
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn the_head_of_a_request_has_a_size() {
    let (_lab, gateway) = lab(|config| config.limits.header_bytes = 8192).await;
    let answer = raw::exchange(&gateway.origin, raw::post(&format!("X-Long: {}\r\n", "x".repeat(20_000)), "")).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    gateway.caller("alice").header("x-long", &"x".repeat(5000)).call("lab___echo", json!({})).await;
}

#[tokio::test]
async fn a_client_that_sends_slowly_is_not_waited_for() {
    let (_lab, gateway) = lab(|config| (config.limits.idle, config.limits.request_time) = (SOON, SOON)).await;
    for begun in ["", "PRI", "POST /mcp HTTP/1.1\r\nHost: localhost\r\n"] {
        let mut stream = TcpStream::connect(address(&gateway)).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
        assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 408 "), "{begun}: {rest}");
    }
    let head = format!(
        "Content-Length: 100\r\nContent-Type: application/json\r\nAuthorization: Bearer {}\r\n",
        gateway.issuer.token("alice")
    );
    let answer = raw::exchange(&gateway.origin, raw::post(&head, r#"{"jsonrpc""#)).await;
    assert!(
        answer.starts_with("HTTP/1.1 408 ") && answer.contains("did not come within 300ms (`limits.request_seconds`)"),
        "{answer}"
    );
}

#[tokio::test]
async fn connections_are_counted_and_the_next_one_waits() {
    let (_lab, gateway) = lab(|config| config.limits.connections = 1).await;
    let first = TcpStream::connect(address(&gateway)).await.unwrap();
    let request = raw::post("", "");
    let mut second = Box::pin(raw::exchange(&gateway.origin, request));
    assert!(timeout(SOON, &mut second).await.is_err(), "it waits");
    drop(first);
    assert!(second.await.starts_with("HTTP/1.1 401 "));
}

/// The call of a client that takes nothing is given up, and its place in the target is another's.
#[tokio::test]
async fn a_client_that_does_not_read_holds_no_place() {
    let fake = FakeTarget::start(Speaks::Modern);
    fake.on("tools/call", |asked| async move {
        match asked.params.contains("endless") {
            // More than all buffers on the way hold.
            true => event_stream(stream::repeat_with(|| {
                Ok(format!(
                    r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":1,"progress":1,"message":"{}"}}}}"#,
                    "x".repeat(10_000)
                ))
            })),
            false => answer(200, success(&asked.id, r#"{"resultType":"complete","content":[]}"#)),
        }
    });
    fake.offer(r#"[{"name":"echo","inputSchema":{}},{"name":"endless","inputSchema":{}}]"#);
    let gateway = Gateway::start_with([http_target("t", &fake.endpoint())], |config| {
        (config.limits.target_calls, config.limits.stalled) = (1, SOON);
    })
    .await;
    let mut stream = narrow(&gateway).await;
    stream.write_all(&call(&gateway, "t___endless")).await.unwrap();
    let asked = fake.until_asked(|asked| asked.method == "tools/call").await;
    fake.until_dropped(&asked.id).await;
    Client::new(&gateway, targets_client::Speaks::Modern).await.call("t___echo", "{}").await.ok();
}

/// Over HTTP/2 a client may take one answer and let another one stand on the same connection.
#[tokio::test]
async fn an_answer_that_stands_still_on_a_connection_that_goes_on_holds_no_place() {
    let fake = FakeTarget::start(Speaks::Modern);
    fake.on("tools/call", |asked| async move {
        match asked.params.contains("endless") {
            true => event_stream(stream::repeat_with(|| {
                Ok(format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":1,"progress":1,"message":"{}"}}}}"#, "x".repeat(10_000)))
            })),
            false => answer(200, success(&asked.id, r#"{"resultType":"complete","content":[]}"#)),
        }
    });
    fake.offer(r#"[{"name":"echo","inputSchema":{}},{"name":"endless","inputSchema":{}}]"#);
    let gateway = Gateway::start_with([http_target("t", &fake.endpoint())], |config| {
        (config.limits.target_calls, config.limits.stalled) = (1, SOON);
    })
    .await;
    let http: hyper_util::client::legacy::Client<_, http_body_util::Full<bytes::Bytes>> =
        hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).http2_only(true).build_http();
    let request = |tool: &str| {
        let params = json!({"name": tool, "arguments": {}, "_meta": {"progressToken": 1}});
        let body = json!({"jsonrpc": "2.0", "id": "c", "method": "tools/call", "params": params}).to_string();
        ::http::Request::post(&gateway.url)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("authorization", format!("Bearer {}", gateway.issuer.token("alice")))
            .body(http_body_util::Full::new(body.into()))
            .unwrap()
    };
    let stands = http.request(request("t___endless")).await.unwrap();
    assert_eq!(stands.version(), ::http::Version::HTTP_2);
    let asked = fake.until_asked(|asked| asked.method == "tools/call").await;
    fake.until_dropped(&asked.id).await;
    let goes_on = http.request(request("t___echo")).await.unwrap();
    assert_eq!(goes_on.status(), 200, "on the same connection");
}

/// A large answer that is there as a whole, for a client that takes none of it, or a little at a time.
#[tokio::test]
async fn a_large_answer_waits_for_a_slow_client_and_not_for_one_that_has_stopped() {
    const BYTES: usize = 16 << 20;
    let lab = RawTarget::start(|called| {
        let text = "x".repeat(BYTES);
        Does::Writes(result(
            called,
            &format!(r#"{{"resultType":"complete","content":[{{"type":"text","text":"{text}"}}]}}"#),
        ))
    })
    .await;
    let gateway = Gateway::start_with([lab.target()], |config| config.limits.stalled = Duration::from_secs(1)).await;
    let mut stopped = narrow(&gateway).await;
    stopped.write_all(&call(&gateway, "t___act")).await.unwrap();
    let mut slow = narrow(&gateway).await;
    slow.write_all(&call(&gateway, "t___look")).await.unwrap();
    let (mut read, mut piece) = (0, vec![0; BYTES / 32]);
    // Slower as a whole than anybody may stand still.
    while read < BYTES {
        sleep(Duration::from_millis(60)).await;
        read += slow.read_exact(&mut piece).await.unwrap();
    }
    drop(slow);
    until_connections(&gateway, 0).await;
    let mut rest = Vec::new();
    let _ = stopped.read_to_end(&mut rest).await;
    assert!(rest.len() < BYTES, "it was cut off");
}

#[tokio::test]
async fn the_head_of_an_answer_has_a_size() {
    let lab = RawTarget::start(|called| {
        let headers = match called.tool.as_str() {
            "act" => format!("x-long: {}\r\n", "x".repeat(200_000)),
            _ => (0..200).map(|number| format!("x-{number}: x\r\n")).collect(),
        };
        Does::Writes(http(&headers, DONE))
    })
    .await;
    let gateway = Gateway::start([lab.target()]).await;
    let client = Client::new(&gateway, targets_client::Speaks::Modern).await;
    for tool in ["t___act", "t___look"] {
        let got = client.call(tool, "{}").await;
        assert_eq!(got.fault(), "too_large");
        assert!(
            got.answer
                .contains("sent a head of more than 65536 bytes, or of more than 100 lines (`limits.header_bytes`)"),
            "{}",
            got.answer
        );
    }
}

/// It takes the head of a request and a part of its body, and then nothing: whoever sends it more is not held up for ever, and
/// others not at all.
#[tokio::test]
async fn a_target_that_stops_reading_holds_up_its_own_caller_alone() {
    let lab = RawTarget::start(|called| Does::Writes(result(called, DONE))).await;
    let gateway = Gateway::start_with([lab.target()], |config| config.limits.first_byte = Duration::from_secs(2)).await;
    let client = Client::new(&gateway, targets_client::Speaks::Modern).await;
    let large = format!(r#"{{"x":"{}"}}"#, "x".repeat(5 * LARGE));
    let (stuck, other) = (client.call("t___act", &large), client.call("t___look", "{}"));
    tokio::pin!(stuck, other);
    tokio::select! {
        got = &mut other => drop(got.ok()),
        got = &mut stuck => panic!("it ended first: {got:?}"),
    }
    assert_eq!(stuck.await.fault(), "timeout");
}

/// It begins its answer and does not end it.
#[tokio::test]
async fn an_answer_that_stands_still_ends_with_its_call() {
    let lab = RawTarget::start(|called| {
        let mut answer = result(called, DONE);
        answer.truncate(answer.len() - 5);
        Does::Stops(answer)
    })
    .await;
    let gateway = Gateway::start_with([lab.target()], |config| {
        (config.limits.call, config.limits.first_byte) = (SOON, SOON);
    })
    .await;
    let client = Client::new(&gateway, targets_client::Speaks::Modern).await;
    assert_eq!(client.call("t___look", "{}").await.fault(), "timeout");
}

#[tokio::test]
async fn a_list_has_a_size() {
    let check = async |change: fn(&mut Config), told: &str| {
        let fake = FakeTarget::start(Speaks::Modern);
        fake.offer(
            r#"[{"name":"one","inputSchema":{}},{"name":"two","inputSchema":{}},{"name":"three","inputSchema":{}}]"#,
        );
        let gateway = Gateway::start_with([http_target("t", &fake.endpoint())], change).await;
        let target = gateway.target_where("t", |target| target.error.is_some()).await;
        assert!(target.lists[Kind::Tools].is_none());
        assert_eq!(target.error.unwrap().to_string(), told);
    };
    check(
        |config| config.limits.catalog_entries = 2,
        "sent a list without an end: it has more than 2 entries (`limits.catalog_entries`)",
    )
    .await;
    check(
        |config| config.limits.catalog_bytes = 100,
        "sent a list without an end: it has more than 100 bytes (`limits.catalog_bytes`)",
    )
    .await;
}

/// What goes on and on is at an end with the time of its call, although there is always a next message.
#[tokio::test]
async fn a_stream_that_never_pauses_ends_with_its_call() {
    let fake = FakeTarget::start(Speaks::Modern);
    fake.on("tools/call", |_| async {
        let progress =
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}"#;
        event_stream(stream::repeat_with(move || Ok(progress.to_owned())))
    });
    let gateway = Gateway::start_with([http_target("t", &fake.endpoint())], |config| {
        (config.limits.call, config.limits.first_byte) = (SOON, SOON);
    })
    .await;
    let client = Client::new(&gateway, targets_client::Speaks::Session).await;
    assert_eq!(client.call_with_progress("t___echo", "1").await.fault(), "timeout");
}
