//! A client of the gateway: the headers it sends stand in it, so a test reads as what the client does. Adds no header that
//! was not asked for.

use causeway_core::era::{self, headers};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rmcp::{
    ClientLifecycleMode, ClientServiceExt, RoleClient,
    model::ProtocolVersion,
    service::RunningService,
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use serde_json::{Value, json};

use crate::answer::Answer;

/// One client: legacy and without a session until it is told otherwise.
#[derive(Clone)]
pub(crate) struct Caller {
    url: String,
    headers: HeaderMap,
    modern: bool,
    http: Client<HttpConnector, Full<bytes::Bytes>>,
}

impl Caller {
    pub(crate) fn new(url: &str) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        let caller = Self { url: url.to_owned(), headers: HeaderMap::new(), modern: false, http };
        caller.header("content-type", "application/json").header("accept", "application/json, text/event-stream")
    }

    /// The same client with one more header, or another value of it.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        self
    }

    /// The same client with one more line of a header that it may send already.
    pub(crate) fn again(mut self, name: &str, value: &str) -> Self {
        self.headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        self
    }

    /// The same client without a header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// What the client sends in this header.
    pub(crate) fn header_value(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// The same client in the modern era: each request says everything about itself.
    pub(crate) fn modern(mut self) -> Self {
        self.modern = true;
        self.header(headers::VERSION, era::MODERN)
    }

    /// The same client in a session that it opens now.
    pub(crate) async fn in_session(self) -> Self {
        let answer = self.initialize(era::LEGACY).await;
        let id = answer.header(headers::SESSION);
        self.header(headers::SESSION, &id).header(headers::VERSION, era::LEGACY)
    }

    /// `initialize`, asking for `version`.
    pub(crate) async fn initialize(&self, version: &str) -> Answer {
        let info = json!({"name": "test", "version": "1"});
        self.request("initialize", json!({"protocolVersion": version, "capabilities": {}, "clientInfo": info})).await
    }

    /// Sends a request of the client's era under the id 1.
    pub(crate) async fn request(&self, method: &str, params: Value) -> Answer {
        let (caller, body) = self.framed(method, params);
        caller.post(body.to_string()).await
    }

    /// Such a request and the client with the headers that go with it, for a test that changes one of the two.
    pub(crate) fn framed(&self, method: &str, mut params: Value) -> (Self, Value) {
        let mut caller = self.clone();
        if self.modern {
            params["_meta"][era::META_VERSION] = json!(era::MODERN);
            params["_meta"][era::META_CLIENT_INFO] = json!({"name": "test", "version": "1"});
            params["_meta"][era::META_CAPABILITIES] = json!({});
            caller = caller.header(headers::METHOD, method);
            if let Some(name) = headers::named_by(method).and_then(|member| params[member].as_str()) {
                caller = caller.header(headers::NAME, &headers::encode(name));
            }
        }
        (caller, json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
    }

    /// The answer to a `tools/call`.
    pub(crate) async fn try_call(&self, tool: &str, arguments: Value) -> Answer {
        self.request("tools/call", json!({"name": tool, "arguments": arguments})).await
    }

    /// The result of a `tools/call` that has one.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Value {
        self.try_call(tool, arguments).await.result()
    }

    /// The names of the tools.
    pub(crate) async fn tools(&self) -> Vec<String> {
        let result = self.request("tools/list", json!({})).await.result();
        let tools = result["tools"].as_array().unwrap();
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Posts `body` with the client's headers and nothing more.
    pub(crate) async fn post(&self, body: impl Into<bytes::Bytes>) -> Answer {
        self.send(Method::POST, body).await
    }

    /// Sends `body` with any method.
    pub(crate) async fn send(&self, method: Method, body: impl Into<bytes::Bytes>) -> Answer {
        let mut request = Request::builder().method(method).uri(&self.url);
        *request.headers_mut().unwrap() = self.headers.clone();
        let request = request.body(Full::new(body.into())).unwrap();
        Answer::read(self.http.request(request).await.unwrap()).await
    }

    /// GETs another path of the same gateway.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let origin = self.url.strip_suffix(causeway::http::MCP_PATH).unwrap();
        let caller = Self { url: [origin, path].concat(), ..self.clone() };
        caller.send(Method::GET, "").await
    }

    /// The official client in this client's place, in its era, after its handshake.
    pub(crate) async fn rmcp(&self) -> RunningService<RoleClient, ()> {
        let own = ["authorization"].map(HeaderName::from_static);
        let headers = own.into_iter().filter_map(|name| Some((name.clone(), self.headers.get(&name)?.clone())));
        let config = StreamableHttpClientTransportConfig::with_uri(self.url.clone()).custom_headers(headers.collect());
        let lifecycle = match self.modern {
            false => ClientLifecycleMode::Initialize,
            true => ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] },
        };
        let transport = StreamableHttpClientTransport::from_config(config);
        ().serve_with_lifecycle(transport, lifecycle).await.unwrap()
    }
}
