//! HTTP/1.1 written by hand, for requests that no client library would send.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Writes `request` to the gateway at `origin` and reads until it closes. The request must ask for that, or deserve it.
pub(crate) async fn exchange(origin: &str, request: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(origin.trim_start_matches("http://")).await.unwrap();
    // A gateway that refuses early may close before it has read everything; its answer is what counts.
    let _ = stream.write_all(request.as_ref()).await;
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut piece).await {
        answer.extend_from_slice(&piece[..read]);
    }
    String::from_utf8(answer).unwrap()
}

/// A POST to `/mcp` with these further header lines, each with its line end.
pub(crate) fn post(headers: &str, body: &str) -> String {
    format!("POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n{body}")
}
