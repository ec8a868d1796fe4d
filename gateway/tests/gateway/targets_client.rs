//! Raw clients of every kind: they show each byte that the gateway wrote, and send each byte that a test wrote.

use causeway_core::{
    era::headers,
    wire::{Envelope, ObjectEdit, json, sse},
};

use crate::harness::Gateway;

/// How a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    Modern,
    Session,
    NoSession,
}

/// One client.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    authorization: String,
    speaks: Speaks,
    /// Reads events.
    events: bool,
    session: Option<String>,
}

/// What a client got for one request.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    /// Which path served it, where the gateway says so.
    pub(crate) path: Option<String>,
    pub(crate) notifications: Vec<String>,
    /// The answer, byte for byte.
    pub(crate) answer: String,
}

impl Client {
    /// A client with a token of `alice`'s that reads JSON and events.
    pub(crate) async fn new(gateway: &Gateway, speaks: Speaks) -> Self {
        Self::reading(gateway, speaks, true).await
    }

    /// The same, that says whether it reads events.
    pub(crate) async fn reading(gateway: &Gateway, speaks: Speaks, events: bool) -> Self {
        let authorization = format!("Bearer {}", gateway.issuer.token("alice"));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut client = Self { http, url: gateway.url.clone(), authorization, speaks, events, session: None };
        if speaks == Speaks::Session {
            let params =
                r#"{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}"#;
            let response = client.request("initialize", "0", params).send().await.unwrap();
            let id = response.headers().get("mcp-session-id").expect("the gateway opens a session").to_str().unwrap();
            client.session = Some(id.to_owned());
        }
        client
    }

    /// Names of all tools, in order.
    pub(crate) async fn list(&self) -> Vec<String> {
        let answer = self.ask("tools/list", "{}").await.answer;
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("{answer}"));
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Calls `tool`; `arguments` are JSON text.
    pub(crate) async fn call(&self, tool: &str, arguments: &str) -> Got {
        self.ask("tools/call", &format!(r#"{{"name":{},"arguments":{arguments}}}"#, json(&tool))).await
    }

    /// Calls `tool` and asks for progress under `token`, JSON text.
    pub(crate) async fn call_with_progress(&self, tool: &str, token: &str) -> Got {
        let params = format!(r#"{{"name":{},"arguments":{{}},"_meta":{{"progressToken":{token}}}}}"#, json(&tool));
        self.ask("tools/call", &params).await
    }

    pub(crate) async fn ask(&self, method: &str, params: &str) -> Got {
        let response = self.request(method, "7", params).send().await.unwrap();
        let status = response.status().as_u16();
        let path = response.headers().get("x-causeway-path").map(|path| path.to_str().unwrap().to_owned());
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        let body = response.bytes().await.unwrap();
        let mut messages = match kind.as_str() {
            "text/event-stream" => {
                let mut decoder = sse::Decoder::new(64 << 20);
                decoder.push(&body).unwrap();
                std::iter::from_fn(|| decoder.next_event()).map(|event| event.data).collect()
            }
            _ => vec![String::from_utf8(body.to_vec()).unwrap()],
        };
        let answer = messages.pop().expect("an answer ends the body");
        assert!(Envelope::parse(answer.clone().into()).is_ok(), "{status} {answer}");
        Got { status, path, notifications: messages, answer }
    }

    /// The HTTP request that carries a message with this id.
    pub(crate) fn request(&self, method: &str, id: &str, params: &str) -> reqwest::RequestBuilder {
        let accept = if self.events { "application/json, text/event-stream" } else { "application/json" };
        let mut request = self.http.post(&self.url).header("content-type", "application/json").header("accept", accept);
        request = request.header("authorization", &self.authorization);
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session).header("mcp-protocol-version", "2025-11-25");
        }
        let params = match self.speaks {
            Speaks::Session | Speaks::NoSession => params.to_owned(),
            Speaks::Modern => {
                request = request.header("mcp-protocol-version", "2026-07-28").header("mcp-method", method);
                if let Some(name) = name_of(params) {
                    let name = headers::encode(&name).into_owned();
                    request = request.header("mcp-name", name);
                }
                with_modern_meta(params)
            }
        };
        request.body(format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#))
    }
}

impl Got {
    /// The kind of the fault that the gateway reports instead of an answer.
    pub(crate) fn fault(&self) -> String {
        let answer: serde_json::Value =
            serde_json::from_str(&self.answer).unwrap_or_else(|error| panic!("{error}: {}", self.answer));
        let kind = &answer["result"]["_meta"]["causeway/error"]["kind"];
        kind.as_str().unwrap_or_else(|| panic!("no fault: {}", self.answer)).to_owned()
    }

    /// Asserts that a target answered.
    pub(crate) fn ok(self) -> Self {
        let envelope = Envelope::parse(self.answer.clone().into()).unwrap();
        let result = envelope.result().unwrap_or_else(|| panic!("no result: {}", self.answer));
        assert!(!result.contains("causeway/error"), "{}", self.answer);
        self
    }
}

fn name_of(params: &str) -> Option<String> {
    let edit = ObjectEdit::parse(params).unwrap();
    serde_json::from_str(edit.get("name")?).ok()
}

/// The parameters with what a modern client says about itself in them.
fn with_modern_meta(params: &str) -> String {
    let mut edit = ObjectEdit::parse(params).unwrap();
    let mut meta = ObjectEdit::parse(edit.get("_meta").unwrap_or("{}")).unwrap();
    meta.set("io.modelcontextprotocol/protocolVersion", r#""2026-07-28""#);
    meta.set("io.modelcontextprotocol/clientInfo", r#"{"name":"c","version":"1"}"#);
    meta.set("io.modelcontextprotocol/clientCapabilities", "{}");
    let meta = meta.finish();
    edit.set("_meta", &meta);
    edit.finish()
}
