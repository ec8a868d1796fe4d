//! One client after the other: each calls as MCP of some age has it, now and then goes away, cancels or sends garbage, and knows what
//! it must get.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use fastrand::Rng;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::Incoming,
    header::{ACCEPT, CONTENT_TYPE},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    gateway::Gateway,
    outcome::{Counts, Outcome},
};

/// Makes one call after the other.
pub(crate) struct Worker {
    number: usize,
    gateway: Arc<Gateway>,
    counts: Arc<Counts>,
    chance: Rng,
    http: Client<HttpConnector, Full<Bytes>>,
    /// Of a client of the older era.
    session: Option<String>,
}

/// Whatever happens, there is an answer by then: the gateway's own bounds are far below.
const PATIENCE: Duration = Duration::from_secs(30);
/// Milliseconds: within so long a client asks again that was told to come back later.
const LATER: u64 = 40;
/// What the gateway may say of a target.
const KINDS: [&str; 13] = [
    "unreachable",
    "down",
    "busy",
    "timeout",
    "broken_off",
    "status",
    "unavailable",
    "garbage",
    "credential",
    "unauthorized",
    "not_running",
    "refused",
    "too_large",
];

/// How a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaks {
    Modern,
    Stateless,
    Session,
}

impl Worker {
    pub(crate) fn new(number: usize, gateway: Arc<Gateway>, counts: Arc<Counts>, seed: u64) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self { number, gateway, counts, chance: Rng::with_seed(seed), http, session: None }
    }

    pub(crate) async fn run(mut self) {
        while let Some(call) = self.counts.next() {
            let outcome = self.call(call).await;
            self.counts.note(&outcome);
            // Or there would soon be little else than calls that are refused at once.
            if matches!(&outcome, Outcome::Fault(kind) if ["busy", "down"].contains(&kind.as_str())) {
                sleep(Duration::from_millis(self.chance.u64(..LATER))).await;
            }
        }
    }

    async fn call(&mut self, call: usize) -> Outcome {
        match self.chance.u32(..1000) {
            0..5 => self.garbage().await,
            5..15 => self.vanish(call).await,
            15..20 => self.cancel(call).await,
            _ => {
                let speaks = self.chance.choice([Speaks::Modern, Speaks::Stateless, Speaks::Session]);
                self.ask(call, speaks.unwrap_or(Speaks::Modern)).await
            }
        }
    }

    /// A call whose answer is waited for and checked.
    async fn ask(&mut self, call: usize, speaks: Speaks) -> Outcome {
        if speaks == Speaks::Session && self.session.is_none() {
            self.session = match self.opened().await {
                Ok(session) => Some(session),
                Err(why) => return Outcome::Wrong(format!("call {call}: no session: {why}")),
            };
        }
        let (params, expected) = self.params(call);
        let id = json!(format!("{}-{call}", self.number));
        let answered = timeout(PATIENCE, self.exchange(speaks, &id, "tools/call", params)).await;
        match answered {
            Err(_) => Outcome::Wrong(format!("call {call} ({speaks:?}): no answer within {PATIENCE:?}")),
            Ok(Err(why)) => Outcome::Wrong(format!("call {call} ({speaks:?}): {why}")),
            Ok(Ok(message)) => judge(call, &id, &message, &expected),
        }
    }

    /// A call whose client goes away before the answer is there.
    async fn vanish(&mut self, call: usize) -> Outcome {
        let (params, _) = self.params(call);
        let patience = Duration::from_micros(self.chance.u64(..3000));
        let id = json!(format!("{}-{call}", self.number));
        // Dropped, it closes its connection.
        drop(timeout(patience, self.exchange(Speaks::Modern, &id, "tools/call", params)).await);
        Outcome::Left("vanished")
    }

    /// A call that its client cancels while it waits for the answer, which may be quicker.
    async fn cancel(&mut self, call: usize) -> Outcome {
        if self.session.is_none() {
            self.session = self.opened().await.ok();
        }
        let (params, _) = self.params(call);
        let id = json!(format!("{}-{call}", self.number));
        let calling = self.exchange(Speaks::Session, &id, "tools/call", params);
        let cancelling = async {
            tokio::task::yield_now().await;
            self.send(
                Speaks::Session,
                &json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}),
            )
            .await
        };
        let (called, told) = futures::future::join(timeout(PATIENCE, calling), cancelling).await;
        match (called, told) {
            (Err(_), _) => Outcome::Wrong(format!("call {call}: cancelled, and no answer within {PATIENCE:?}")),
            (Ok(_), Ok(told)) if told.status() == 202 => Outcome::Left("cancelled"),
            (_, told) => Outcome::Wrong(format!("call {call}: cancelling came to {told:?}")),
        }
    }

    /// What is no call.
    async fn garbage(&mut self) -> Outcome {
        let (url, head) = (
            &self.gateway.url,
            "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\n",
        );
        let authority = url.trim_start_matches("http://").trim_end_matches("/mcp");
        let sent = match self.chance.u32(..5) {
            0 => format!("{head}content-length: 9\r\n\r\n{{\"jsonrpc"),
            1 => format!("{head}content-length: 2\r\n\r\n[]"),
            2 => format!("{head}content-length: 100\r\n\r\n{{\"half"),
            3 => "NONSENSE\r\n\r\n".to_owned(),
            _ => format!(
                "{head}mcp-session-id: nobody's\r\ncontent-length: 44\r\n\r\n{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}}"
            ),
        };
        let mut answer = Vec::new();
        let exchange = async {
            let mut stream = TcpStream::connect(authority).await?;
            stream.write_all(sent.as_bytes()).await?;
            // One that is not whole ends here.
            stream.shutdown().await?;
            stream.read_to_end(&mut answer).await
        };
        // It may close before it has read everything: whether the exchange failed says nothing.
        if timeout(PATIENCE, exchange).await.is_err() {
            return Outcome::Wrong(format!("no end within {PATIENCE:?} for garbage: {sent}"));
        }
        let text = String::from_utf8_lossy(&answer);
        match text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()) {
            Some(status @ 400..=499) => Outcome::Refused(status),
            // Nobody is there to be told.
            None if answer.is_empty() => Outcome::Left("sent half a request"),
            _ => Outcome::Wrong(format!("garbage was answered with {text}")),
        }
    }

    /// The parameters of a call, and the text that its answer must hold.
    fn params(&mut self, call: usize) -> (Value, String) {
        let target = self.chance.choice(["flaky", "dying", "locked", "older", "child"]).unwrap_or("flaky");
        let meta = json!({"progressToken": format!("p{call}")});
        if target == "child" {
            let (a, b) = (self.chance.u32(..1000), self.chance.u32(..1000));
            let params = json!({"name": "child___add_numbers", "arguments": {"a": a, "b": b}, "_meta": meta});
            return (params, (a + b).to_string());
        }
        let text = format!("{} of {call}", self.chance.u64(..));
        let tool = if self.chance.bool() { "act" } else { "look" };
        (json!({"name": format!("{target}___{tool}"), "arguments": {"text": text}, "_meta": meta}), text)
    }

    async fn opened(&self) -> Result<String, String> {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "soak", "version": "1"}});
        let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        let response = self.send(Speaks::Stateless, &initialize).await?;
        let id = response.headers().get("mcp-session-id").and_then(|id| id.to_str().ok());
        Ok(id.ok_or_else(|| format!("{response:?}"))?.to_owned())
    }

    /// The last message of the answer.
    async fn exchange(&self, speaks: Speaks, id: &Value, method: &str, mut params: Value) -> Result<Value, String> {
        if speaks == Speaks::Modern {
            params["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
            params["_meta"]["io.modelcontextprotocol/clientInfo"] = json!({"name": "soak", "version": "1"});
            params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
        }
        let response =
            self.send(speaks, &json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await?;
        let is_events = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let status = response.status();
        let body = response.into_body().collect().await.map_err(|error| format!("it broke off: {error:?}"))?.to_bytes();
        let text = String::from_utf8_lossy(&body);
        let last = match is_events {
            true => text.lines().filter_map(|line| line.strip_prefix("data: ")).next_back().unwrap_or_default(),
            false => &text,
        };
        serde_json::from_str(last).map_err(|error| format!("{error}: HTTP {status}: {text}"))
    }

    async fn send(&self, speaks: Speaks, message: &Value) -> Result<Response<Incoming>, String> {
        let mut request = Request::post(&self.gateway.url)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json, text/event-stream");
        match speaks {
            Speaks::Modern => {
                request = request.header("mcp-protocol-version", "2026-07-28");
                request = request.header("mcp-method", message["method"].as_str().unwrap_or_default());
                request = request.header("mcp-name", message["params"]["name"].as_str().unwrap_or_default());
            }
            Speaks::Session => {
                request = request.header("mcp-protocol-version", "2025-11-25");
                request = request.header("mcp-session-id", self.session.as_deref().unwrap_or_default());
            }
            Speaks::Stateless => (),
        }
        let request = request.body(Full::new(Bytes::from(message.to_string()))).map_err(|error| error.to_string())?;
        self.http.request(request).await.map_err(|error| format!("{error:?}"))
    }
}

/// Whether `message` is the answer to the call of this id.
fn judge(call: usize, id: &Value, message: &Value, expected: &str) -> Outcome {
    let wrong = |what: &str| Outcome::Wrong(format!("call {call}: {what}: {message}"));
    if message["id"] != *id {
        return wrong("another id");
    }
    let result = &message["result"];
    match result["_meta"]["causeway/error"]["kind"].as_str() {
        Some(kind) if KINDS.contains(&kind) => Outcome::Fault(kind.to_owned()),
        Some(_) => wrong("a fault of no known kind"),
        None => match result["content"][0]["text"].as_str() {
            Some(text) if text.contains(expected) => Outcome::Answered,
            _ => wrong("another answer"),
        },
    }
}
