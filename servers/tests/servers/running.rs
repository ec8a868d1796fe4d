//! A server in this process on a free port, and clients of both eras. Ends with the test.

use std::collections::HashMap;

use causeway_servers::{Sample, ServeArgs, serve};
use http::{HeaderName, HeaderValue};
use rmcp::{
    ClientHandler, ClientLifecycleMode, ClientServiceExt, RoleClient, ServiceError,
    model::{CallToolRequestParams, CallToolResult, ProgressNotificationParam, ProtocolVersion, Tool},
    service::{ClientInitializeError, NotificationContext, RunningService},
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    task::JoinHandle,
};

/// The two eras of MCP, as a client chooses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    Legacy,
    Modern,
}

pub(crate) const ERAS: [Era; 2] = [Era::Legacy, Era::Modern];

/// A server under test.
pub(crate) struct Running {
    pub(crate) origin: String,
    pub(crate) url: String,
    stop: oneshot::Sender<()>,
    served: JoinHandle<anyhow::Result<()>>,
}

/// A client with an MCP session or without one, by era. Every call of its asks for progress.
pub(crate) struct Client(RunningService<RoleClient, Listener>);

/// Keeps the progress that a client is told: the count and the message.
#[derive(Clone, Default)]
pub(crate) struct Listener(watch::Sender<Vec<(f64, String)>>);

impl Running {
    pub(crate) async fn start(sample: Sample) -> Self {
        Self::start_with(sample, args()).await
    }

    pub(crate) async fn start_with(sample: Sample, args: ServeArgs) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let url = format!("{origin}{}", args.path);
        let (stop, stopped) = oneshot::channel::<()>();
        let served =
            tokio::spawn(async move { serve(sample, &args, listener, async move { drop(stopped.await) }).await });
        Self { origin, url, stop, served }
    }

    pub(crate) async fn client(&self, era: Era) -> Client {
        connect(&self.url, era, &[]).await.unwrap()
    }

    /// Stops the server and waits for its end.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        drop(self.stop);
        self.served.await.unwrap()
    }
}

impl ClientHandler for Listener {
    async fn on_progress(&self, told: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        self.0.send_modify(|all| all.push((told.progress, told.message.unwrap_or_default())));
    }
}

impl Client {
    pub(crate) fn new(service: RunningService<RoleClient, Listener>) -> Self {
        Self(service)
    }

    pub(crate) async fn tools(&self) -> Vec<Tool> {
        self.0.peer().list_all_tools().await.unwrap()
    }

    pub(crate) async fn call(&self, tool: &'static str, arguments: Value) -> CallToolResult {
        self.try_call(tool, arguments).await.unwrap()
    }

    pub(crate) async fn try_call(&self, tool: &'static str, arguments: Value) -> Result<CallToolResult, ServiceError> {
        self.0.call_tool(params(tool, arguments)).await
    }

    /// The first `count` messages of progress, once they are there, by what they count: a client may take them up in
    /// another order.
    pub(crate) async fn progress(&self, count: usize) -> Vec<(f64, String)> {
        let mut told = self.0.service().0.subscribe();
        let mut told = told.wait_for(|told| told.len() >= count).await.unwrap().clone();
        told.sort_by(|a, b| a.0.total_cmp(&b.0));
        told
    }

    pub(crate) fn version(&self) -> ProtocolVersion {
        self.0.peer_info().unwrap().protocol_version.clone()
    }

    /// Ends the session; for a child that serves over stdio, waits until the child is gone.
    pub(crate) async fn close(self) {
        self.0.cancel().await.unwrap();
    }
}

/// What a server runs on without any flag.
pub(crate) fn args() -> ServeArgs {
    ServeArgs { path: "/mcp".into(), ..ServeArgs::default() }
}

pub(crate) fn params(tool: &'static str, arguments: Value) -> CallToolRequestParams {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    CallToolRequestParams::new(tool).with_arguments(arguments)
}

pub(crate) fn lifecycle(era: Era) -> ClientLifecycleMode {
    match era {
        Era::Legacy => ClientLifecycleMode::Initialize,
        Era::Modern => ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] },
    }
}

pub(crate) async fn connect(
    url: &str,
    era: Era,
    headers: &[(&'static str, &str)],
) -> Result<Client, ClientInitializeError> {
    let headers: HashMap<HeaderName, HeaderValue> = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
        .collect();
    let config = StreamableHttpClientTransportConfig::with_uri(url.to_owned()).custom_headers(headers);
    let transport = StreamableHttpClientTransport::from_config(config);
    Listener::default().serve_with_lifecycle(transport, lifecycle(era)).await.map(Client)
}

/// The first text of a result.
pub(crate) fn text(result: &CallToolResult) -> &str {
    &result.content[0].as_text().unwrap().text
}
