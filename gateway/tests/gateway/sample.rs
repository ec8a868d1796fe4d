//! The sample servers as targets: in this process on a free port, or as children. They are what users run, not fakes.

use causeway::config::Target;
use causeway_servers::{Sample, ServeArgs, serve};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::harness::{http_target, stdio_target};

/// The program under test.
pub(crate) const CAUSEWAY: &str = env!("CARGO_BIN_EXE_causeway");
/// Where programs that tests start keep their state: not where that of whoever runs the tests is.
pub(crate) const STATE_HOME: &str = env!("CARGO_TARGET_TMPDIR");

/// A sample server in this process.
pub(crate) struct Server {
    pub(crate) url: String,
    sample: Sample,
    stop: oneshot::Sender<()>,
    served: JoinHandle<anyhow::Result<()>>,
}

impl Server {
    /// Serves to everyone.
    pub(crate) async fn start(sample: Sample) -> Self {
        Self::start_with(sample, ServeArgs::default()).await
    }

    /// Serves as `args` say, on a free port.
    pub(crate) async fn start_with(sample: Sample, args: ServeArgs) -> Self {
        let args = ServeArgs { path: "/mcp".into(), ..args };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{}", listener.local_addr().unwrap(), args.path);
        let (stop, stopped) = oneshot::channel::<()>();
        let served =
            tokio::spawn(async move { serve(sample, &args, listener, async move { drop(stopped.await) }).await });
        Self { url, sample, stop, served }
    }

    /// It as a target that has its name.
    pub(crate) fn target(&self) -> Target {
        http_target(self.sample.name(), &self.url)
    }

    /// Stops it and waits for its end.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.served.await.unwrap().unwrap();
    }
}

/// A sample server that the gateway starts as its child, named after it.
pub(crate) fn child(sample: Sample) -> Target {
    stdio_target(sample.name(), &[CAUSEWAY, "sample", sample.name(), "--stdio"])
}
