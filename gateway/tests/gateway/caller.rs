//! A client of the gateway: the headers it sends stand in it, so a test reads as what the client does. Adds no header that
//! was not asked for.

use aws_credential_types::Credentials;
use causeway_aws::sign::{Scope, sign};
use causeway_core::era::{self, headers};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rmcp::{
    ClientHandler, ClientLifecycleMode, ClientServiceExt, RoleClient,
    model::ProtocolVersion,
    service::RunningService,
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use serde_json::{Value, json};

use crate::{answer::Answer, harness::TestClock, stream::Stream};

/// Signs requests with SigV4, for the region `us-east-1`.
#[derive(Clone)]
pub(crate) struct Signer {
    pub(crate) access_key: (&'static str, &'static str),
    pub(crate) service: &'static str,
    /// Reads the time of the signature, since the Unix epoch.
    pub(crate) clock: TestClock,
}

/// One client: legacy and without a session until it is told otherwise.
#[derive(Clone)]
pub(crate) struct Caller {
    url: String,
    headers: HeaderMap,
    modern: bool,
    /// What it says that it can be asked for.
    capabilities: Value,
    /// Of its requests.
    id: Value,
    signer: Option<Signer>,
    http: Client<HttpConnector, Full<bytes::Bytes>>,
}

impl Caller {
    pub(crate) fn new(url: &str) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        let (headers, capabilities) = (HeaderMap::new(), json!({}));
        let (modern, signer) = (false, None);
        let caller = Self { url: url.to_owned(), headers, modern, capabilities, id: json!(1), signer, http };
        caller.header("content-type", "application/json").header("accept", "application/json, text/event-stream")
    }

    /// The same client at the endpoint of a toolset.
    pub(crate) fn toolset(self, toolset: &str) -> Self {
        Self { url: [&self.url, "/", toolset].concat(), ..self }
    }

    /// The same client at another gateway.
    pub(crate) fn through(self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self }
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

    /// The same client that signs its requests.
    pub(crate) fn signing(self, signer: Signer) -> Self {
        Self { signer: Some(signer), ..self }
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

    pub(crate) fn is_modern(&self) -> bool {
        self.modern
    }

    /// The same client with these capabilities; a legacy one says so when it opens a session.
    pub(crate) fn declaring(self, capabilities: Value) -> Self {
        Self { capabilities, ..self }
    }

    /// The same client that sends its requests under this id.
    pub(crate) fn under(self, id: impl Into<Value>) -> Self {
        Self { id: id.into(), ..self }
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
        self.request(
            "initialize",
            json!({"protocolVersion": version, "capabilities": self.capabilities, "clientInfo": info}),
        )
        .await
    }

    /// Sends a request of the client's era.
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
            params["_meta"][era::META_CAPABILITIES] = self.capabilities.clone();
            caller = caller.header(headers::METHOD, method);
            if let Some(name) = headers::named_by(method).and_then(|member| params[member].as_str()) {
                caller = caller.header(headers::NAME, &headers::encode(name));
            }
        }
        (caller, json!({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params}))
    }

    /// Sends such a request and leaves the reading of its answer to the test.
    pub(crate) async fn open(&self, method: &str, params: Value) -> Stream {
        let (caller, body) = self.framed(method, params);
        caller.opened(Method::POST, body.to_string()).await
    }

    /// The stream on which a client in a session hears what belongs to no request.
    pub(crate) async fn listen(&self) -> Stream {
        self.opened(Method::GET, "").await
    }

    /// Sends a notification.
    pub(crate) async fn notify(&self, method: &str, params: Value) -> Answer {
        self.post(json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string()).await
    }

    /// Answers a request of the gateway.
    pub(crate) async fn respond(&self, id: &Value, result: Value) -> Answer {
        self.post(json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string()).await
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
        Answer::read(self.exchange(method, body).await).await
    }

    async fn opened(&self, method: Method, body: impl Into<bytes::Bytes>) -> Stream {
        Stream::new(self.exchange(method, body).await)
    }

    async fn exchange(&self, method: Method, body: impl Into<bytes::Bytes>) -> http::Response<Incoming> {
        let mut request = Request::builder().method(method).uri(&self.url);
        *request.headers_mut().unwrap() = self.headers.clone();
        let body = body.into();
        let (mut head, ()) = request.body(()).unwrap().into_parts();
        if let Some(Signer { access_key: (id, secret), service, clock }) = &self.signer {
            let credentials = Credentials::new(*id, *secret, None, None, "test");
            sign(&mut head, &body, &credentials, Scope { service, region: "us-east-1" }, clock.now()).unwrap();
        }
        self.http.request(Request::from_parts(head, Full::new(body))).await.unwrap()
    }

    /// The same client at another path of the same gateway.
    pub(crate) fn at(self, path: &str) -> Self {
        let origin = self.url.strip_suffix(causeway::http::MCP_PATH).unwrap();
        Self { url: [origin, path].concat(), ..self }
    }

    /// GETs another path of the same gateway.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let caller = self.clone().at(path);
        caller.send(Method::GET, "").await
    }

    /// The official client in this client's place, in its era, after its handshake.
    pub(crate) async fn rmcp(&self) -> RunningService<RoleClient, ()> {
        self.rmcp_as(()).await
    }

    /// The same, that answers what it is asked as `handler` does.
    pub(crate) async fn rmcp_as<H: ClientHandler>(&self, handler: H) -> RunningService<RoleClient, H> {
        let own = ["authorization"].map(HeaderName::from_static);
        let headers = own.into_iter().filter_map(|name| Some((name.clone(), self.headers.get(&name)?.clone())));
        let config = StreamableHttpClientTransportConfig::with_uri(self.url.clone()).custom_headers(headers.collect());
        let lifecycle = match self.modern {
            false => ClientLifecycleMode::Initialize,
            true => ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] },
        };
        let transport = StreamableHttpClientTransport::from_config(config);
        handler.serve_with_lifecycle(transport, lifecycle).await.unwrap()
    }
}
