//! Serves one client over stdin and stdout, one JSON-RPC message a line. No JWT check: the parent process is the caller.

use std::{future::Future, pin::pin};

use anyhow::Context as _;
use rmcp::{
    ServerHandler, ServiceExt,
    service::{QuitReason, ServerInitializeError},
    transport::io::stdio_pipes,
};
use tokio_util::task::TaskTracker;

use crate::{Sample, calculator::Calculator, cloudwatch_insights::Insights, hello::Hello, serve::finish};

/// Serves until the client closes stdin or `stop` ends.
pub(crate) async fn serve(sample: Sample, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let running = TaskTracker::new();
    let outcome = match sample {
        Sample::Calculator => session(Calculator::new(), stop).await,
        Sample::Hello => session(Hello::new(), stop).await,
        Sample::CloudwatchInsights => session(Insights::start(running.clone()).await?, stop).await,
    };
    finish(running).await;
    outcome
}

async fn session<S: ServerHandler>(server: S, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let mut stop = pin!(stop);
    let started = tokio::select! {
        started = server.serve(stdio_pipes()) => started,
        () = &mut stop => return Ok(()),
    };
    let service = match started {
        Ok(service) => service,
        // A client that leaves before it says anything is no failure of the server.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(error).context("the client did not start an MCP session"),
    };
    let cancel = service.cancellation_token();
    let mut ended = pin!(service.waiting());
    let reason = tokio::select! {
        reason = &mut ended => reason,
        () = &mut stop => {
            cancel.cancel();
            ended.await
        }
    };
    match reason.context("the MCP session ended abnormally")? {
        QuitReason::JoinError(error) => Err(error).context("the MCP session ended abnormally"),
        _ => Ok(()),
    }
}
