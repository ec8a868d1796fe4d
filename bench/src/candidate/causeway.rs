//! The gateway: `causeway serve` with a config.toml that says no more than it must.

use std::{
    fmt::Write as _,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use ::causeway::config::{Config, Draft, Environment, Mistakes};
use anyhow::anyhow;

use super::{Candidate, Kind, Way};
use crate::{
    form::Form,
    ground::{Ground, free_port, path},
    issuer::{CALLER, CALLER_SCOPE, CLIENT, CLIENT_SCOPE, CLIENT_SECRET},
    load::Entrance,
    process::{Process, Program},
};

const SECRET_VARIABLE: &str = "CAUSEWAY_BENCH_SECRET";

/// What stands between the name of a target and that of its tool.
pub const BETWEEN: &str = "___";

/// A gateway before servers of the upstream.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// Of its files. A gateway that is started again under it finds what the one before has kept.
    pub name: String,
    /// Names of targets, and where the upstream serves them.
    pub targets: Vec<(String, String)>,
    pub guarded: bool,
    /// Further lines of `[limits]`.
    pub limits: String,
}

/// A gateway that was started just now.
#[derive(Debug)]
pub struct Start {
    pub process: Process,
    pub entrance: Entrance,
}

/// Before one target for each form.
pub(super) fn start(ground: &Ground, guarded: bool) -> anyhow::Result<Candidate> {
    let targets = Form::ALL.into_iter().map(|form| (form.name().to_owned(), path(form, guarded))).collect();
    let name = if guarded { "causeway-guarded" } else { "causeway-open" };
    let catalog = Catalog { name: name.to_owned(), targets, guarded, limits: String::new() };
    let Start { process, entrance } = start_with(ground, &catalog)?;
    let way = |form: Form| {
        let prefix = [form.name(), BETWEEN].concat();
        (form, Way { entrance: entrance.clone(), prefix, verbatim: true })
    };
    let ways = Form::ALL.into_iter().map(way).collect();
    Ok(Candidate { kind: Kind::Causeway { guarded }, process: Some(process), ways })
}

/// Starts a gateway on a free port, and waits for nothing.
///
/// # Errors
/// Its file cannot be written, or it cannot be started.
pub fn start_with(ground: &Ground, catalog: &Catalog) -> anyhow::Result<Start> {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
    let file = ground.directory().join([&catalog.name, ".toml"].concat());
    fs::write(&file, configuration(ground, catalog, address))?;
    let state = state_directory(ground, &catalog.name);
    fs::create_dir_all(&state)?;
    let words = [&ground.programs.causeway.display().to_string(), "serve", "--config", &file.display().to_string()];
    let program = Program {
        name: catalog.name.clone(),
        command: words.map(str::to_owned).to_vec(),
        environment: vec![
            (SECRET_VARIABLE.to_owned(), CLIENT_SECRET.to_owned()),
            ("STATE_DIRECTORY".to_owned(), state.display().to_string()),
        ],
    };
    let process = Process::start(&program, ground.proxy_cpu, ground.directory())?;
    let token = catalog.guarded.then(|| ground.issuer.caller_token());
    Ok(Start { process, entrance: Entrance { address, path: "/mcp".to_owned(), token } })
}

/// Where the gateway of this name keeps what it is to have at its next start.
pub fn state_directory(ground: &Ground, name: &str) -> PathBuf {
    ground.directory().join([name, "-state"].concat())
}

/// Its config.toml.
pub fn configuration(ground: &Ground, catalog: &Catalog, address: SocketAddr) -> String {
    let mut text = String::new();
    if !catalog.guarded {
        text.push_str("authorizer = \"none\"\n");
    }
    let limits = &catalog.limits;
    let _ = write!(text, "[gateway]\nlisten = \"{address}\"\n[telemetry]\nlog_level = \"warn\"\n[limits]\n{limits}\n");
    if catalog.guarded {
        let url = ground.issuer.discovery_url();
        let _ = write!(
            text,
            "[authorizer.custom_jwt]\ndiscovery_url = \"{url}\"\nallowed_clients = [\"{CALLER}\"]\n\
             allowed_scopes = [\"{CALLER_SCOPE}\"]\n"
        );
    }
    for (name, path) in &catalog.targets {
        let _ = write!(text, "[[targets]]\nname = \"{name}\"\nhttp.endpoint = \"{}\"\n", ground.url(path));
        if catalog.guarded {
            let _ = write!(
                text,
                "[targets.credential.client_credentials]\ntoken_endpoint = \"{}\"\nclient_id = \"{CLIENT}\"\n\
                 client_secret_env = \"{SECRET_VARIABLE}\"\nscopes = [\"{CLIENT_SCOPE}\"]\n",
                ground.issuer.token_endpoint()
            );
        }
    }
    text
}

/// The configuration that `text`, made by [`configuration`], is in the end.
///
/// # Errors
/// The mistakes in it.
pub fn resolved(text: &str) -> anyhow::Result<Config> {
    let mistakes = |mistakes: Mistakes| anyhow!("{mistakes}");
    let draft = Draft::parse(Path::new("config.toml"), text).map_err(mistakes)?;
    draft.resolve(&Environment::of([(SECRET_VARIABLE, CLIENT_SECRET)])).map_err(mistakes)
}
