//! Serves a sample server over HTTP: routes, bounds of MCP's HTTP transport, graceful shutdown. Holds no sessions.

use std::{
    future::Future,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use axum::{
    Router, http::header::CONTENT_TYPE, middleware::from_fn_with_state, response::IntoResponse, routing::get,
    serve::ListenerExt as _,
};
use rmcp::{
    ServerHandler,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
    },
};
use tokio::{net::TcpListener, time};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Sample, ServeArgs,
    calculator::Calculator,
    cloudwatch_insights::Insights,
    hello::Hello,
    jwt::{self, JwtCheck},
    ready,
};

/// How long running calls may go on after the request to stop.
const GRACE: Duration = Duration::from_secs(3);

/// How long work that outlives its call (stopping a query) may take at the very end.
const LAST_WORK: Duration = Duration::from_secs(3);

/// Serves `sample` on `listener` until `shutdown` ends and its calls are done.
pub(crate) async fn over_http(
    sample: Sample,
    args: &ServeArgs,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let bound = listener.local_addr().context("cannot read the bound address")?;
    let cut_off = CancellationToken::new();
    let running = TaskTracker::new();
    let router = router(sample, args, bound, &cut_off, &running).await?;
    let url = ready::url(bound, &args.path);
    tracing::info!(sample = %sample, "serving `{sample}` on `{bound}`, at `{url}`");
    if args.ready_json {
        // The listener is bound, so a connection made from now on waits in its queue and is served.
        ready::announce(&url).context("cannot print the ready line on stdout")?;
    }
    let stopping = async move {
        shutdown.await;
        tokio::spawn(async move {
            time::sleep(GRACE).await;
            cut_off.cancel();
        });
    };
    let listener = listener.tap_io(|stream| {
        // Latency only; a socket that refuses the option still works.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).with_graceful_shutdown(stopping).await.context("cannot serve")?;
    finish(running).await;
    Ok(())
}

/// The routes of `sample`, which nobody reaches by an address that is known here.
pub(crate) async fn without_port(sample: Sample, args: &ServeArgs) -> anyhow::Result<Router> {
    let anywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    router(sample, args, anywhere, &CancellationToken::new(), &TaskTracker::new()).await
}

/// Waits for work that outlives its call.
pub(crate) async fn finish(running: TaskTracker) {
    running.close();
    if time::timeout(LAST_WORK, running.wait()).await.is_err() {
        tracing::warn!("{} piece(s) of work were still running and are abandoned", running.len());
    }
}

async fn router(
    sample: Sample,
    args: &ServeArgs,
    bound: SocketAddr,
    cut_off: &CancellationToken,
    running: &TaskTracker,
) -> anyhow::Result<Router> {
    let mcp = match sample {
        Sample::Calculator => route(args, Calculator::new(), bound, cut_off),
        Sample::Hello => route(args, Hello::new(), bound, cut_off),
        Sample::CloudwatchInsights => route(args, Insights::start(running.clone()).await?, bound, cut_off),
    };
    let mcp = match JwtCheck::new(&args.jwt, &args.path)? {
        Some(check) => {
            let check = Arc::new(check);
            mcp.route_layer(from_fn_with_state(check.clone(), jwt::check)).merge(jwt::metadata_routes(check))
        }
        None => mcp,
    };
    Ok(mcp.route("/healthz", get(healthz)))
}

/// Stateless, plain JSON where one message is the whole answer: what AgentCore Runtime and API Gateway need. A session
/// id that a platform adds is accepted and ignored.
fn route<S: ServerHandler + Clone>(
    args: &ServeArgs,
    server: S,
    bound: SocketAddr,
    cut_off: &CancellationToken,
) -> Router {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_cancellation_token(cut_off.clone());
    let config = if bound.ip().is_loopback() {
        // Guards a server on a developer's machine against DNS rebinding.
        config.with_allowed_hosts(["localhost".to_owned(), "127.0.0.1".into(), "::1".into(), bound.ip().to_string()])
    } else {
        // Which names lead to a container is not known in here; its platform or ingress checks them.
        config.disable_allowed_hosts()
    };
    let service =
        StreamableHttpService::new(move || Ok(server.clone()), Arc::new(NeverSessionManager::default()), config);
    Router::new().route_service(&args.path, service)
}

async fn healthz() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], r#"{"status":"ok"}"#)
}
