//! Attacks on the way in: requests that two readers of HTTP may read in two ways, connections that cost a place and bring nothing,
//! bodies that are more than they seem.

use std::time::{Duration, Instant};

use axum::Router;
use causeway::serve::{Bounds, Connections, Pages, Site, serve};
use http::{Request, StatusCode, Version};
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_util::sync::CancellationToken;

use crate::{
    controlled_target::ControlledTarget,
    harness::Gateway,
    raw::{exchange, post},
};

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

async fn lab() -> (Gateway, ControlledTarget, String) {
    let target = ControlledTarget::start().await;
    let gateway = Gateway::start([target.target("lab")]).await;
    let bearer = gateway.caller("alice").header_value("authorization").to_owned();
    (gateway, target, bearer)
}

/// How many answers came.
fn answers(text: &str) -> usize {
    text.matches("HTTP/1.1 ").count()
}

#[tokio::test]
async fn a_body_with_two_lengths_is_refused() {
    let (gateway, target, bearer) = lab().await;
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"lab___echo"}}"#;
    for lengths in [
        format!("Content-Length: {}\r\nContent-Length: 1\r\n", call.len()),
        format!("Content-Length: 1\r\nContent-Length: {}\r\n", call.len()),
        format!("Content-Length: {}, 1\r\n", call.len()),
        format!("Content-Length: +{}\r\n", call.len()),
        format!("Content-Length: 0x{:x}\r\n", call.len()),
        format!("Content-Length : {}\r\n", call.len()),
        format!("Content-Length: {}\r\nTransfer-Encoding: identity\r\n", call.len()),
        format!("Content-Length: {}\r\nTransfer-Encoding: xchunked\r\n", call.len()),
        "Transfer-Encoding: chunked, identity\r\n".into(),
        "Transfer-Encoding : chunked\r\n".into(),
        "Transfer-Encoding:\r\n chunked\r\n".into(),
    ] {
        let answer = exchange(&gateway.origin, post(&format!("Authorization: {bearer}\r\n{lengths}"), call)).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{lengths}: {answer}");
        assert_eq!(answers(&answer), 1, "{lengths}: {answer}");
    }
    assert!(target.seen().is_empty(), "no reading of any of them reached a target");
}

/// Where a body is in chunks, a length that stands beside counts for nobody (RFC 9112, section 6.1): what follows the last chunk is
/// the next request, which has no token and so opens nothing.
#[tokio::test]
async fn a_request_within_a_body_opens_nothing() {
    let (gateway, target, bearer) = lab().await;
    let call = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"lab___echo"}}"#;
    let hidden = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{call}",
        call.len()
    );
    let chunked = format!("{:x}\r\n{PING}\r\n0\r\n\r\n{hidden}", PING.len());
    for lengths in [
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", chunked.len()),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", chunked.len()),
    ] {
        let head = format!("POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: {bearer}\r\n{lengths}\r\n");
        let answer = exchange(&gateway.origin, [head, chunked.clone()].concat()).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answers(&answer) == 1 || answer.contains("HTTP/1.1 401 "), "{answer}");
    }
    assert!(target.seen().is_empty());
}

#[tokio::test]
async fn lines_within_a_header_are_refused() {
    let (gateway, target, bearer) = lab().await;
    for header in [
        "X-Note: a\r\n b\r\n",
        "X-Note: a\nAuthorization: Bearer x\r\n",
        "X-Note: a\rb\r\n",
        "X-Note: a\0b\r\n",
        " X-Note: a\r\n",
        "X Note: a\r\n",
        "X-Note\r\n",
        ": a\r\n",
    ] {
        let headers = format!("{header}Authorization: {bearer}\r\nContent-Length: {}\r\n", PING.len());
        let answer = exchange(&gateway.origin, post(&headers, PING)).await;
        // A bare line feed ends a line for lenient readers: then the token stands twice.
        assert!(
            ["HTTP/1.1 400 ", "HTTP/1.1 401 "].iter().any(|refused| answer.starts_with(refused)),
            "{header:?}: {answer}"
        );
    }
    assert!(target.seen().is_empty());
}

#[tokio::test]
async fn a_request_names_one_host() {
    let (gateway, _target, bearer) = lab().await;
    let rest = format!("Authorization: {bearer}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{PING}", PING.len());
    for hosts in [
        "Host: localhost\r\nHost: evil.example\r\n",
        "Host: evil.example\r\nHost: localhost\r\n",
        "Host: localhost\r\nhost: localhost\r\n",
    ] {
        let answer = exchange(&gateway.origin, format!("POST /mcp HTTP/1.1\r\n{hosts}{rest}")).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{hosts}: {answer}");
    }
    // Whom a target of a request in absolute form names, that is who is called, whatever `Host` says.
    let absolute =
        |authority: &str, host: &str| format!("POST http://{authority}/mcp HTTP/1.1\r\nHost: {host}\r\n{rest}");
    let rebound = exchange(&gateway.origin, absolute("evil.example", "localhost")).await;
    assert!(rebound.starts_with("HTTP/1.1 403 "), "{rebound}");
    let own = exchange(&gateway.origin, absolute("localhost", "localhost")).await;
    assert!(own.starts_with("HTTP/1.1 200 "), "{own}");
}

#[tokio::test]
async fn over_http_2_the_authority_is_the_host() {
    let (gateway, _target, bearer) = lab().await;
    let client: Client<_, Full<bytes::Bytes>> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let send = async |host: Option<&str>| {
        let mut request = Request::post(&gateway.url).version(Version::HTTP_2).header("authorization", &bearer);
        request = request.header("content-type", "application/json");
        if let Some(host) = host {
            request = request.header("host", host);
        }
        client.request(request.body(Full::from(PING)).unwrap()).await.unwrap().status()
    };
    assert_eq!(send(None).await, StatusCode::OK);
    assert_eq!(send(Some("evil.example")).await, StatusCode::OK, "`:authority` says who is called");
}

/// What is in a body counts as it came: nothing is unpacked, so nothing can grow.
#[tokio::test]
async fn a_packed_body_is_not_unpacked() {
    let (gateway, target, bearer) = lab().await;
    for encoding in ["gzip", "br", "deflate", "zstd"] {
        let head = format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {bearer}\r\nContent-Encoding: {encoding}\r\nContent-Length: {}\r\n\r\n",
            BOMB.len()
        );
        let answer = exchange(&gateway.origin, [head.as_bytes(), BOMB].concat()).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("-32700"), "{encoding}: {answer}");
    }
    assert!(target.seen().is_empty());
}

/// One million spaces, packed with gzip.
pub(crate) const BOMB: &[u8] = include_bytes!("bomb.gz");

/// A place is held by who brings a request, not by who connects.
#[tokio::test]
async fn who_says_nothing_loses_the_connection() {
    const PATIENCE: Duration = Duration::from_millis(300);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let bounds = Bounds {
        header_bytes: 16 * 1024,
        idle: PATIENCE,
        stalled: PATIENCE,
        drain: Duration::from_secs(1),
        linger: Duration::ZERO,
        closing: CancellationToken::new(),
    };
    let router = Router::new().route("/", axum::routing::get(|| async { "here" }));
    let (_site, site) = watch::channel(Site { pages: Pages::Others(router), bounds });
    tokio::spawn(serve(listener, site, Connections::new(3), std::future::pending()));
    let connect = async |said: &'static [u8]| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(said).await.unwrap();
        stream
    };
    let began = Instant::now();
    // All places: one who says nothing, one who stops within the preface of HTTP/2, one within the head of a request.
    let silent = [connect(b"").await, connect(b"PRI * HTTP/2.0\r\n").await, connect(b"GET / HTTP/1.1\r\nHost: ").await];
    let mut waiting = connect(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("here"), "{answer}");
    assert!(began.elapsed() >= PATIENCE, "there was no free place before");
    for mut stream in silent {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&rest));
    }
}

#[tokio::test]
async fn who_stops_within_a_body_is_given_up() {
    let target = ControlledTarget::start().await;
    let gateway = Gateway::start_with([target.target("lab")], |config| {
        config.limits.request_time = Duration::from_millis(300);
    })
    .await;
    let bearer = gateway.caller("alice").header_value("authorization").to_owned();
    let head = post(&format!("Authorization: {bearer}\r\nContent-Length: {}\r\n", PING.len()), "{");
    let answer = exchange(&gateway.origin, head).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn a_head_has_a_bound() {
    let (gateway, _target, bearer) = lab().await;
    let long = format!("X-Note: {}\r\n", "a".repeat(1 << 20));
    let many = (0..1000).map(|at| format!("X-Note-{at}: a\r\n")).collect::<String>();
    for headers in [long, many] {
        let answer = exchange(&gateway.origin, post(&format!("{headers}Authorization: {bearer}\r\n"), "")).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431 ") || answer.starts_with("HTTP/1.1 400 "),
            "{answer}"
        );
    }
    gateway.caller("alice").post(PING).await.result();
}

/// Nobody writes a header of an answer by what he sends.
#[tokio::test]
async fn what_comes_back_in_headers_is_no_header_of_its_own() {
    let (gateway, _target, _bearer) = lab().await;
    let host = "localhost\", evil=\"1";
    let request = format!("POST /mcp HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    let answer = exchange(&gateway.origin, request).await;
    assert!(!answer.contains("evil=\"1\""), "{answer}");
    let path = exchange(
        &gateway.origin,
        "GET /mcp/%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(path.starts_with("HTTP/1.1 404 ") && !path.to_ascii_lowercase().contains("set-cookie"), "{path}");
    let id = gateway.anonymous().header("x-request-id", "a b\tc").post(PING).await;
    assert_ne!(id.header("x-request-id"), "a b\tc");
}
