//! The HTTP side: routes, sessions that a platform invents, hosts, shutdown.

use causeway_servers::{Sample, ServeArgs};
use reqwest::{Client, RequestBuilder, StatusCode, header::HOST};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot};

use crate::running::{Era, Running, args};

pub(crate) fn http() -> Client {
    Client::builder().build().unwrap()
}

/// A legacy tools/list without a handshake before it.
pub(crate) fn list(url: &str) -> RequestBuilder {
    http()
        .post(url)
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .header("mcp-protocol-version", "2025-11-25")
        .body(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string())
}

async fn json(request: RequestBuilder) -> Value {
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn healthz_says_ok() {
    for sample in Sample::all() {
        let server = Running::start(*sample).await;
        let response = http().get(format!("{}/healthz", server.origin)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.text().await.unwrap(), r#"{"status":"ok"}"#);
    }
}

#[tokio::test]
async fn answers_are_plain_json_with_any_session_id_or_none() {
    let server = Running::start(Sample::Hello).await;
    let plain = json(list(&server.url)).await;
    assert_eq!(plain["result"]["tools"][0]["name"], "greet_user");
    let with_session = list(&server.url).header("mcp-session-id", "made-up-by-the-platform-0123456789");
    assert_eq!(json(with_session).await, plain);
}

#[tokio::test]
async fn no_stream_and_no_session_to_end() {
    let server = Running::start(Sample::Hello).await;
    for method in [reqwest::Method::GET, reqwest::Method::DELETE] {
        let request = http().request(method, &server.url).header("accept", "text/event-stream");
        let response = request.header("mcp-session-id", "x").send().await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}

#[tokio::test]
async fn the_path_can_be_chosen() {
    let server = Running::start_with(Sample::Hello, ServeArgs { path: "/a/b".into(), ..args() }).await;
    assert!(server.url.ends_with("/a/b"));
    assert_eq!(server.client(Era::Modern).await.tools().await.len(), 1);
    let elsewhere = list(&format!("{}/mcp", server.origin)).send().await.unwrap();
    assert_eq!(elsewhere.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_foreign_host_is_refused_on_loopback_only() {
    let server = Running::start(Sample::Hello).await;
    let rebound = list(&server.url).header(HOST, "evil.example").send().await.unwrap();
    assert_eq!(rebound.status(), StatusCode::FORBIDDEN);

    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/mcp", listener.local_addr().unwrap().port());
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(async move {
        causeway_servers::serve(Sample::Hello, &args(), listener, async move { drop(stopped.await) }).await
    });
    let behind_a_name = list(&url).header(HOST, "mcp.example").send().await.unwrap();
    assert_eq!(behind_a_name.status(), StatusCode::OK);
    drop(stop);
    served.await.unwrap().unwrap();
}

#[tokio::test]
async fn it_stops_when_asked() {
    let server = Running::start(Sample::Hello).await;
    let origin = server.origin.clone();
    assert_eq!(server.client(Era::Modern).await.tools().await.len(), 1);
    server.stop().await.unwrap();
    assert!(http().get(format!("{origin}/healthz")).send().await.unwrap_err().is_connect());
}
