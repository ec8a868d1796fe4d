//! The fixture as a target: an MCP server with every feature, made with the official SDK, in this process or as a child.
//! Asserts nothing.

use causeway::{
    config::{EraChoice, Target, Transport},
    secret::Secret,
};
use causeway_fixture::{Era, Options, serve, serve_stdio};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot};

use crate::{
    caller::Caller,
    harness::{http_target, stdio_target},
    sample::CAUSEWAY,
};

/// How a fixture is reached and which era it speaks, it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    LegacyHttp,
    ModernHttp,
    LegacyChild,
    ModernChild,
    /// A modern one over HTTP, behind `causeway stdio`, which is spoken to as in the legacy era.
    LegacyPipe,
    /// The other way round.
    ModernPipe,
}

pub(crate) const KINDS: [Kind; 6] =
    [Kind::LegacyHttp, Kind::ModernHttp, Kind::LegacyChild, Kind::ModernChild, Kind::LegacyPipe, Kind::ModernPipe];

/// The variable that tells a child its era.
const ERA: &str = "FIXTURE_ERA";

/// A running fixture; over HTTP it ends when this is dropped, as a child with the gateway.
#[derive(Debug)]
pub(crate) struct Fixture {
    target: Target,
    /// Where a child writes its process id.
    pid: Option<tempfile::NamedTempFile>,
    _stop: Option<oneshot::Sender<()>>,
}

impl Fixture {
    pub(crate) async fn start(kind: Kind) -> Self {
        match kind {
            Kind::LegacyHttp => Self::over_http(Era::Legacy).await,
            Kind::ModernHttp => Self::over_http(Era::Modern).await,
            Kind::LegacyChild => Self::as_child("legacy"),
            Kind::ModernChild => Self::as_child("modern"),
            Kind::LegacyPipe => Self::over_http(Era::Modern).await.piped(EraChoice::Legacy),
            Kind::ModernPipe => Self::over_http(Era::Legacy).await.piped(EraChoice::Modern),
        }
    }

    /// The same, reached over `causeway stdio`.
    fn piped(self, era: EraChoice) -> Self {
        let Transport::Http(http) = &self.target.transport else { unreachable!("it is one over HTTP") };
        let mut target = stdio_target("f", &[CAUSEWAY, "stdio", "--auth", "none", "--url", http.endpoint.as_str()]);
        let Transport::Stdio(stdio) = &mut target.transport else { unreachable!("made a line above") };
        stdio.era = era;
        Self { target, ..self }
    }

    /// It as a target named `f`.
    pub(crate) fn target(&self) -> Target {
        self.target.clone()
    }

    async fn over_http(era: Era) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let options = Options { era, page_size: None };
        tokio::spawn(async move { serve(listener, options, async move { drop(stopped.await) }).await });
        Self { target: http_target("f", &url), pid: None, _stop: Some(stop) }
    }

    fn as_child(era: &str) -> Self {
        let tests = std::env::current_exe().unwrap();
        let pid = tempfile::NamedTempFile::new().unwrap();
        // The shell becomes the server, so that the id it wrote is the server's.
        let script = r#"echo $$ > "$1"; exec "$0" --exact bridge_fixture::serves_as_a_child --ignored"#;
        let command = ["sh", "-c", script, tests.to_str().unwrap(), pid.path().to_str().unwrap()];
        let mut target = stdio_target("f", &command);
        let Transport::Stdio(stdio) = &mut target.transport else { unreachable!("made a line above") };
        stdio.env.insert(ERA.into(), Secret::new(era));
        Self { target, pid: Some(pid), _stop: None }
    }

    /// Ends the child at once.
    pub(crate) fn kill(&self) {
        let pid = std::fs::read_to_string(self.pid.as_ref().expect("it is a child")).unwrap();
        kill(Pid::from_raw(pid.trim().parse().unwrap()), Signal::SIGKILL).unwrap();
    }
}

/// How often the tool was begun and came to its end.
pub(crate) async fn runs_of(caller: &Caller, tool: &str) -> Value {
    caller.call("f___runs_of", json!({"tool": tool})).await["structuredContent"].take()
}

/// One run that came to its end.
pub(crate) fn once() -> Value {
    json!({"begun": 1, "ended": 1})
}

/// What the child process runs: this very program, told to run this one test.
#[tokio::test]
#[ignore = "the child process of other tests"]
async fn serves_as_a_child() {
    let era = std::env::var_os(ERA).expect("other tests start this");
    let era = if era == "modern" { Era::Modern } else { Era::Legacy };
    // The test runner may have begun a line.
    std::io::Write::write_all(&mut std::io::stdout(), b"\n").unwrap();
    serve_stdio(Options { era, page_size: None }, std::future::pending()).await.unwrap();
    // A thread may still wait for a line of stdin, which nothing ends.
    std::process::exit(0);
}
