//! What all candidates of a run stand on: the upstream, the issuer, processors, a directory, the programs that are measured.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
};

use anyhow::Context;
use url::Url;

use crate::{
    candidate::Kind,
    form::{Form, Size},
    issuer::Issuer,
    machine,
    upstream::{HALVES, Server, Upstream},
};

/// Lives as long as the run.
#[derive(Debug)]
pub struct Ground {
    pub upstream: Upstream,
    pub issuer: Issuer,
    /// For clients, upstream and issuer: this process.
    pub load_cpu: usize,
    /// For what is measured.
    pub proxy_cpu: usize,
    pub programs: Programs,
    directory: tempfile::TempDir,
}

/// Where programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    pub causeway: PathBuf,
    pub nginx: PathBuf,
    /// The directory below which those of others are installed.
    pub peers: Option<PathBuf>,
}

impl Programs {
    /// Whether it can be measured.
    pub fn has(&self, kind: Kind) -> bool {
        self.of(kind).is_some_and(|program| program.exists())
    }

    /// What a peer says that it is.
    pub fn version(&self, kind: Kind) -> Option<String> {
        let program = self.of(kind).filter(|program| program.exists())?;
        let package = match kind {
            Kind::FastMcp => "fastmcp",
            Kind::ContextForge => "mcp-contextforge-gateway",
            // It has no `--version`; cargo remembers what it installed: `"mcp-proxy 0.6.0 (registry+...)" = [...]`.
            Kind::McpProxy => {
                let installed = std::fs::read_to_string(self.peers.as_ref()?.join(".tools/.crates.toml")).ok()?;
                let (_, version) = installed.split_once("\"mcp-proxy ")?;
                return version.split(' ').next().map(str::to_owned);
            }
            Kind::Direct | Kind::Nginx | Kind::Causeway { .. } => return None,
        };
        let say = format!(
            "import importlib.metadata as m, platform as p; print(m.version('{package}'), 'on Python', p.python_version())"
        );
        Some(machine::version(&program, &["-c", &say]))
    }

    /// The program of a peer, or the Python that has it.
    pub fn of(&self, kind: Kind) -> Option<PathBuf> {
        let peers = self.peers.as_ref()?;
        match kind {
            Kind::McpProxy => Some(peers.join(".tools/bin/mcp-proxy")),
            Kind::FastMcp => Some(peers.join(".fastmcp/bin/python")),
            Kind::ContextForge => Some(peers.join(".contextforge/bin/python")),
            Kind::Direct | Kind::Nginx | Kind::Causeway { .. } => None,
        }
    }
}

impl Ground {
    /// Starts upstream and issuer, and serves every form with and without a token.
    ///
    /// # Errors
    /// No port, no directory.
    pub async fn prepare(programs: Programs, load_cpu: usize, proxy_cpu: usize) -> anyhow::Result<Self> {
        let issuer = Issuer::start().await?;
        let upstream = Upstream::start(issuer.verifier()?).await?;
        for form in Form::ALL {
            for guarded in [false, true] {
                let tools = Size::ALL.map(Size::tool).into_iter().chain([HALVES]).map(str::to_owned).collect();
                upstream.serve(&path(form, guarded), &Server { form, guarded, tools });
            }
        }
        let directory = tempfile::tempdir().context("no directory for the run")?;
        Ok(Self { upstream, issuer, load_cpu, proxy_cpu, programs, directory })
    }

    /// Of all files of the run; gone with it.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Where the upstream serves `path`.
    pub fn url(&self, path: &str) -> Url {
        let mut url = Url::parse(&format!("http://{}", self.upstream.address())).expect("an address makes a URL");
        url.set_path(path);
        url
    }
}

/// Where the upstream serves a form.
pub fn path(form: Form, guarded: bool) -> String {
    let who = if guarded { "guarded" } else { "open" };
    format!("/{who}/{}/mcp", form.name())
}

/// A port on which nobody listens now.
///
/// # Errors
/// There is none.
pub fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no port is free")?;
    Ok(listener.local_addr()?.port())
}
