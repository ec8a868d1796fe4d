//! A modern target that writes its HTTP/1.1 by hand, so that a test says what happens to each connection. Knows the tools `act`, which
//! says nothing about itself, and `look`, which only reads.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use causeway::config::Target;
use causeway_core::wire::{Envelope, ObjectEdit, result_message};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::harness::http_target;

/// What becomes of one call.
pub(crate) enum Does {
    /// This is written, head and body.
    Writes(Vec<u8>),
    /// The connection ends.
    Closes,
    /// This is written, and nothing more; the connection stays open.
    Stops(Vec<u8>),
}

/// One call of a tool.
#[derive(Clone, Debug)]
pub(crate) struct Called {
    pub(crate) tool: String,
    /// JSON text.
    pub(crate) id: String,
    /// How many requests its connection carried before.
    pub(crate) before: usize,
}

type Script = dyn Fn(&Called) -> Does + Send + Sync;

/// A running one; it ends with the test's runtime.
pub(crate) struct RawTarget {
    address: SocketAddr,
    calls: Arc<Mutex<Vec<Called>>>,
}

impl RawTarget {
    /// One that answers calls as `script` says.
    pub(crate) async fn start(script: impl Fn(&Called) -> Does + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (calls, script): (Arc<Mutex<Vec<Called>>>, Arc<Script>) = (Arc::default(), Arc::new(script));
        let noted = Arc::clone(&calls);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&noted), Arc::clone(&script)));
            }
        });
        Self { address, calls }
    }

    /// It as a target named `t`.
    pub(crate) fn target(&self) -> Target {
        http_target("t", &format!("http://{}/mcp", self.address))
    }

    /// The calls that it got of this tool.
    pub(crate) fn calls(&self, tool: &str) -> Vec<Called> {
        self.calls.lock().unwrap().iter().filter(|called| called.tool == tool).cloned().collect()
    }
}

/// A whole answer with this result.
pub(crate) fn result(called: &Called, result: &str) -> Vec<u8> {
    http("", &result_message(&called.id, result))
}

/// A whole answer with these further header lines, each with its line end.
pub(crate) fn http(headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
        .into()
}

/// What a call is answered with that nothing is wrong with.
pub(crate) const DONE: &str = r#"{"resultType":"complete","content":[]}"#;

async fn serve(stream: TcpStream, calls: Arc<Mutex<Vec<Called>>>, script: Arc<Script>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut before = 0;
    loop {
        let body = request(&mut stream).await?;
        let message = Envelope::parse(body.into()).unwrap();
        let id = message.id().unwrap_or("null").to_owned();
        let does = match message.method() {
            "server/discover" => Does::Writes(http("", &result_message(&id, ABOUT))),
            "tools/list" => Does::Writes(http("", &result_message(&id, TOOLS))),
            "tools/call" => {
                let params = ObjectEdit::parse(message.params().unwrap()).unwrap();
                let tool = serde_json::from_str(params.get("name").unwrap()).unwrap();
                let called = Called { tool, id, before };
                calls.lock().unwrap().push(called.clone());
                script(&called)
            }
            method => panic!("it was asked for `{method}`"),
        };
        before += 1;
        match does {
            Does::Writes(bytes) => stream.get_mut().write_all(&bytes).await.ok()?,
            Does::Closes => return None,
            Does::Stops(bytes) => {
                stream.get_mut().write_all(&bytes).await.ok()?;
                // Until the other end has enough of it.
                let _ = stream.read(&mut [0]).await;
                return None;
            }
        }
    }
}

/// It does not read requests of more bytes than this, and says nothing of it.
pub(crate) const LARGE: usize = 1_000_000;

/// The body of the next request.
async fn request(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
            _ if line == "\r\n" => break,
            _ => (),
        }
    }
    if length > LARGE {
        // It reads no more of it.
        std::future::pending::<()>().await;
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(body)
}

const ABOUT: &str = r#"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"public"}"#;
const TOOLS: &str = r#"{"resultType":"complete","tools":[{"name":"act","inputSchema":{"type":"object"}},{"name":"look","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}],"ttlMs":0,"cacheScope":"public"}"#;
