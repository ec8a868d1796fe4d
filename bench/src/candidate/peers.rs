//! MCP gateways of others, each before one server of the upstream, without a token on either side unless it insists, set up as its
//! own documents say.

use std::{collections::BTreeMap, fs, net::SocketAddr, path::PathBuf, time::Instant};

use anyhow::{Context, ensure};
use tokio::time::sleep;

use super::{BREATH, Candidate, Kind, PATIENCE, Way};
use crate::{
    form::{Answers, Form, Speaks},
    ground::{Ground, free_port, path},
    load::Entrance,
    process::{Process, Program},
};

/// `initialize` and a session, as all of them had it first.
const SESSION: Form = Form { speaks: Speaks::Session, answers: Answers::Json };
const STATELESS: Form = Form { speaks: Speaks::Stateless, answers: Answers::Json };
const MODERN: Form = Form { speaks: Speaks::Modern, answers: Answers::Json };

/// The crate: one process, its log and its metrics as small as they can be made.
pub(super) fn mcp_proxy(ground: &Ground) -> anyhow::Result<Candidate> {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
    let file = ground.directory().join("mcp-proxy.toml");
    let text = format!(
        "[proxy]\nname = \"mcp-proxy\"\nversion = \"1\"\nseparator = \"/\"\n\
         [proxy.listen]\nhost = \"{}\"\nport = {}\n\
         [[backends]]\nname = \"upstream\"\ntransport = \"http\"\nurl = \"{}\"\n\
         [observability]\naudit = false\nlog_level = \"error\"\n",
        address.ip(),
        address.port(),
        ground.url(&path(SESSION, false)),
    );
    fs::write(&file, text)?;
    let arguments = ["--config".to_owned(), file.display().to_string()];
    let process = start(ground, Kind::McpProxy, &arguments)?;
    let entrance = Entrance { address, path: "/".to_owned(), token: None };
    Ok(candidate(Kind::McpProxy, process, SESSION, entrance, "upstream/"))
}

/// The Python package: its proxy, which speaks with the upstream as its client speaks with it.
pub(super) fn fastmcp(ground: &Ground) -> anyhow::Result<Candidate> {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
    let url = ground.url(&path(MODERN, false)).to_string();
    let arguments = [file(ground, "fastmcp_proxy.py")?, address.port().to_string(), url];
    let process = start(ground, Kind::FastMcp, &arguments)?;
    let entrance = Entrance { address, path: "/mcp".to_owned(), token: None };
    Ok(candidate(Kind::FastMcp, process, MODERN, entrance, ""))
}

/// The Python package: one worker, its database in a file, its limits of rates off, a JWT of its own asked for.
pub(super) async fn context_forge(ground: &Ground) -> anyhow::Result<Candidate> {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
    let directory = ground.directory().join("contextforge");
    fs::create_dir_all(&directory)?;
    let url = ground.url(&path(STATELESS, false)).to_string();
    let arguments =
        [file(ground, "contextforge.py")?, address.port().to_string(), url, directory.display().to_string()];
    let mut process = start(ground, Kind::ContextForge, &arguments)?;
    // It writes how it is reached once the upstream is registered with it.
    let begun = Instant::now();
    let told = loop {
        if let Ok(told) = fs::read_to_string(directory.join("ready")) {
            break told;
        }
        process.check()?;
        ensure!(begun.elapsed() < PATIENCE, "it is not ready within {PATIENCE:?}");
        sleep(BREATH).await;
    };
    let (path, rest) = told.split_once('\n').context("it says no path")?;
    let (prefix, token) = rest.split_once('\n').context("it says no token")?;
    let entrance = Entrance { address, path: path.to_owned(), token: Some(token.trim().to_owned()) };
    Ok(candidate(Kind::ContextForge, process, STATELESS, entrance, prefix))
}

fn start(ground: &Ground, kind: Kind, arguments: &[String]) -> anyhow::Result<Process> {
    let program = ground.programs.of(kind).context("it is not installed")?;
    let command = [program.display().to_string()].iter().chain(arguments).cloned().collect();
    // Those in Python read all certificates of authorities for each call, also where there is no TLS, and most of a call would be that.
    let authority = ("SSL_CERT_FILE".to_owned(), file(ground, "authority.pem")?);
    let program = Program { name: kind.name().replace(' ', "-"), command, environment: vec![authority] };
    Process::start(&program, ground.proxy_cpu, ground.directory())
}

/// A file that belongs to how a peer is run.
fn file(ground: &Ground, name: &str) -> anyhow::Result<String> {
    let peers: &PathBuf = ground.programs.peers.as_ref().context("no peers are installed")?;
    Ok(peers.join("peers").join(name).display().to_string())
}

/// Peers read results and write them anew, so they need only say the same.
fn candidate(kind: Kind, process: Process, form: Form, entrance: Entrance, prefix: &str) -> Candidate {
    let way = Way { entrance, prefix: prefix.to_owned(), verbatim: false };
    Candidate { kind, process: Some(process), ways: BTreeMap::from([(form, way)]) }
}
