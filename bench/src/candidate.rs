//! What is measured: how each is started, where it is reached, and what its tools are called there.

mod causeway;
mod nginx;
mod peers;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use tokio::time::sleep;

pub use self::causeway::{BETWEEN, Catalog, Start, configuration, resolved, start_with, state_directory};
use crate::{
    form::{Form, Request, Size, Speaks},
    ground::{Ground, path},
    load::{self, Ask, Entrance, Expected, Work},
    process::Process,
    upstream::HALVES,
};

/// Long enough for the slowest to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two looks.
const BREATH: Duration = Duration::from_millis(20);

/// Kinds of candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Nobody between client and upstream.
    Direct,
    /// `proxy_pass` with connections that are kept.
    Nginx,
    /// The gateway; `guarded`: callers show it a JWT, and it shows the upstream a token that it got by client_credentials.
    Causeway { guarded: bool },
    /// The crate `mcp-proxy`.
    McpProxy,
    /// The proxy of the Python package `fastmcp`.
    FastMcp,
    /// The Python package `mcp-contextforge-gateway`.
    ContextForge,
}

/// One of them, running.
#[derive(Debug)]
pub struct Candidate {
    pub kind: Kind,
    /// None where there is nothing between client and upstream.
    pub process: Option<Process>,
    ways: BTreeMap<Form, Way>,
}

/// How a form is served.
#[derive(Clone, Debug)]
struct Way {
    entrance: Entrance,
    /// What stands before the names of tools.
    prefix: String,
    /// Results pass byte for byte.
    verbatim: bool,
}

impl Kind {
    /// What this project is measured by.
    pub const OWN: [Self; 4] =
        [Self::Direct, Self::Nginx, Self::Causeway { guarded: false }, Self::Causeway { guarded: true }];

    /// MCP gateways of others.
    pub const PEERS: [Self; 3] = [Self::McpProxy, Self::FastMcp, Self::ContextForge];

    /// For tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Nginx => "nginx",
            Self::Causeway { guarded: false } => "causeway, no authorizer",
            Self::Causeway { guarded: true } => "causeway, JWT + client_credentials",
            Self::McpProxy => "mcp-proxy",
            Self::FastMcp => "fastmcp proxy",
            Self::ContextForge => "ContextForge",
        }
    }
}

impl Candidate {
    /// Starts it and waits until it answers a call in each form that it serves.
    ///
    /// # Errors
    /// It does not start, or does not answer as it should.
    pub async fn start(kind: Kind, ground: &Ground) -> anyhow::Result<Self> {
        let started = match kind {
            Kind::Direct => Self { kind, process: None, ways: direct(ground) },
            Kind::Nginx => nginx::start(ground)?,
            Kind::Causeway { guarded } => causeway::start(ground, guarded)?,
            Kind::McpProxy => peers::mcp_proxy(ground)?,
            Kind::FastMcp => peers::fastmcp(ground)?,
            Kind::ContextForge => peers::context_forge(ground).await?,
        };
        started.ready().await.with_context(|| format!("{} cannot be measured", kind.name()))
    }

    async fn ready(mut self) -> anyhow::Result<Self> {
        for form in self.forms().collect::<Vec<_>>() {
            let work = self.call(form, Size::Small).expect("it serves this form");
            answers(&work, self.process.as_mut()).await.with_context(|| format!("form `{}`", form.name()))?;
        }
        Ok(self)
    }

    /// For tables.
    pub fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// Forms that it serves.
    pub fn forms(&self) -> impl Iterator<Item = Form> + use<'_> {
        self.ways.keys().copied()
    }

    /// Calls of the tool with results of this size, if it serves the form.
    pub fn call(&self, form: Form, size: Size) -> Option<Work> {
        self.call_of(form, size.tool(), size)
    }

    /// Calls of the tool that stops in the middle.
    pub fn halves(&self, form: Form) -> Option<Work> {
        self.call_of(form, HALVES, Size::Large)
    }

    /// Serves `bytes`, where it serves files.
    ///
    /// # Errors
    /// It does not, or the file cannot be written.
    pub fn file(&self, ground: &Ground, name: &str, bytes: &[u8]) -> anyhow::Result<Entrance> {
        ensure!(self.kind == Kind::Nginx, "{} serves no files", self.name());
        let way = self.ways.values().next().context("it serves nothing")?;
        let path = nginx::file(ground, name, bytes)?;
        Ok(Entrance { address: way.entrance.address, path, token: None })
    }

    fn call_of(&self, form: Form, tool: &str, size: Size) -> Option<Work> {
        let way = self.ways.get(&form)?;
        let request = Request::call(form.speaks, &[&way.prefix, tool].concat());
        Some(Work {
            entrance: way.entrance.clone(),
            ask: Ask::Message(form.speaks, request),
            expected: Expected::Result { size, verbatim: way.verbatim.then_some(form.speaks) },
        })
    }
}

/// Every form at its path of the upstream, or of what passes paths on.
fn at_paths(ground: &Ground, address: std::net::SocketAddr) -> BTreeMap<Form, Way> {
    let token = ground.issuer.upstream_token();
    let way = |form| {
        let entrance = Entrance { address, path: path(form, true), token: Some(token.clone()) };
        (form, Way { entrance, prefix: String::new(), verbatim: true })
    };
    Form::ALL.into_iter().map(way).collect()
}

fn direct(ground: &Ground) -> BTreeMap<Form, Way> {
    at_paths(ground, ground.upstream.address())
}

/// Waits until `work` is answered as it should be.
///
/// # Errors
/// It is not for a long time, or `process` has ended.
pub async fn answers(work: &Work, mut process: Option<&mut Process>) -> anyhow::Result<()> {
    let begun = Instant::now();
    while let Err(error) = load::once(work).await {
        if let Some(process) = &mut process {
            process.check()?;
        }
        if begun.elapsed() > PATIENCE {
            return Err(error.context(format!("no right answer within {PATIENCE:?}")));
        }
        sleep(BREATH).await;
    }
    Ok(())
}

/// A list of `tools` tools at `entrance`.
pub fn list(entrance: Entrance, speaks: Speaks, tools: usize) -> Work {
    Work { entrance, ask: Ask::Message(speaks, Request::list(speaks)), expected: Expected::Tools(tools) }
}
