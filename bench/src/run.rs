//! A run: everything that is measured, in its order.

use std::{path::PathBuf, process::Command, time::Duration};

use anyhow::{Context, ensure};

use crate::{
    candidate::{Candidate, Kind},
    form::{Form, Size},
    goals::{CLIENTS, FORM, STREAMS},
    ground::{Ground, Programs},
    machine,
    measure::{self, Among, Tempo},
    pin,
    results::{Results, Settings},
};

/// What a run measures, and how long.
#[derive(Clone, Debug)]
pub struct Plan {
    pub candidates: Vec<Kind>,
    pub peers: Vec<Kind>,
    pub forms: Vec<Form>,
    pub sizes: Vec<Size>,
    /// In the form that goals are measured in; of others, in the first that they serve.
    pub clients: Vec<usize>,
    pub clients_elsewhere: Vec<usize>,
    pub tempo: Tempo,
    /// Lists, and calls among so many tools.
    pub points: Vec<Among>,
    /// Clients that list at once.
    pub listing: Vec<usize>,
    pub streams: usize,
    pub starts: usize,
}

/// Processors, and programs beside those that are measured.
#[derive(Clone, Debug)]
pub struct Place {
    pub load_cpu: usize,
    pub proxy_cpu: usize,
    /// Counts allocations, and prints what it counted as JSON.
    pub allocations: Option<PathBuf>,
}

impl Plan {
    /// Everything.
    pub fn full() -> Self {
        let points = [(3, 3), (1_000, 3), (10_000, 3), (100, 100), (1_000, 100), (10_000, 100)];
        Self {
            candidates: Kind::OWN.to_vec(),
            peers: Kind::PEERS.to_vec(),
            forms: Form::ALL.to_vec(),
            sizes: Size::ALL.to_vec(),
            clients: vec![1, CLIENTS, 256],
            clients_elsewhere: vec![CLIENTS],
            tempo: Tempo { rounds: 5, length: Duration::from_secs(1) },
            points: points.map(|(tools, targets)| Among { tools, targets }).to_vec(),
            listing: vec![1, CLIENTS, 256],
            streams: STREAMS,
            starts: 11,
        }
    }

    /// Every kind of measurement and every check of an answer, none of them long enough for figures.
    pub fn smoke() -> Self {
        let points = [(3, 3), (1_000, 100)];
        Self {
            peers: Vec::new(),
            clients: vec![1, CLIENTS],
            tempo: Tempo { rounds: 1, length: Duration::from_millis(250) },
            points: points.map(|(tools, targets)| Among { tools, targets }).to_vec(),
            listing: vec![CLIENTS],
            streams: 500,
            starts: 2,
            ..Self::full()
        }
    }
}

/// Measures as planned. Wrong answers are in the results.
///
/// # Errors
/// Something that is to be measured does not start, or does not work at all.
pub fn run(plan: &Plan, programs: Programs, place: &Place, command: String) -> anyhow::Result<Results> {
    let mut results = Results {
        machine: machine::machine(place.proxy_cpu),
        settings: Settings {
            command,
            rounds: plan.tempo.rounds,
            seconds: plan.tempo.length.as_secs_f64(),
            load_cpu: place.load_cpu,
            proxy_cpu: place.proxy_cpu,
        },
        versions: versions(&programs),
        ..Results::default()
    };
    pin::raise_open_files()?;
    pin::pin(place.load_cpu)?;
    // One thread for clients, upstream and issuer: they share a processor, and threads would only take turns on it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(async {
        let ground = Ground::prepare(programs, place.load_cpu, place.proxy_cpu).await?;
        measure(plan, &ground, &mut results).await
    })?;
    if let Some(program) = &place.allocations {
        let output = Command::new(program).output().context("the program that counts allocations cannot be started")?;
        ensure!(output.status.success(), "counting allocations failed: {}", String::from_utf8_lossy(&output.stderr));
        results.allocations = serde_json::from_slice(&output.stdout).context("no counts of allocations")?;
    }
    Ok(results)
}

async fn measure(plan: &Plan, ground: &Ground, results: &mut Results) -> anyhow::Result<()> {
    let mut own = Vec::new();
    for kind in &plan.candidates {
        own.push(Candidate::start(*kind, ground).await?);
    }
    measure::idle(&own, results);
    measure::streaming(ground, &own, results).await?;
    let asked = measure::Asked {
        forms: &plan.forms,
        sizes: &plan.sizes,
        main: FORM,
        clients: &plan.clients,
        clients_elsewhere: &plan.clients_elsewhere,
    };
    measure::calls(&own.iter().collect::<Vec<_>>(), asked, plan.tempo, results).await?;
    for kind in &plan.peers {
        peer(*kind, &own, asked, plan.tempo, ground, results).await?;
    }
    if let Some(nginx) = own.iter().find(|candidate| candidate.kind == Kind::Nginx) {
        measure::catalogs(ground, nginx, &plan.points, &plan.listing, plan.tempo, results).await?;
    }
    drop(own);
    if plan.starts > 0 {
        measure::starts(ground, plan.starts, results).await?;
    }
    if plan.streams > 0 {
        measure::streams(ground, plan.streams, results).await?;
    }
    Ok(())
}

/// Measures somebody else's gateway beside ours and nginx, in the forms that it serves.
async fn peer(
    kind: Kind,
    own: &[Candidate],
    asked: measure::Asked<'_>,
    tempo: Tempo,
    ground: &Ground,
    results: &mut Results,
) -> anyhow::Result<()> {
    if !ground.programs.has(kind) {
        results.left_out.push(format!("{}: it is not installed", kind.name()));
        return Ok(());
    }
    let peer = Candidate::start(kind, ground).await?;
    measure::idle(std::slice::from_ref(&peer), results);
    let forms: Vec<Form> = peer.forms().collect();
    let beside =
        own.iter().filter(|candidate| matches!(candidate.kind, Kind::Nginx | Kind::Causeway { guarded: true }));
    let candidates: Vec<&Candidate> = beside.chain([&peer]).collect();
    let main = *forms.first().context("it serves no form")?;
    let mut calls = Results::default();
    measure::calls(&candidates, measure::Asked { forms: &forms, main, ..asked }, tempo, &mut calls).await?;
    results.add_beside(kind.name(), calls);
    Ok(())
}

fn versions(programs: &Programs) -> std::collections::BTreeMap<String, String> {
    let mut versions = std::collections::BTreeMap::from([
        ("causeway".to_owned(), machine::version(&programs.causeway, &["--version"])),
        ("nginx".to_owned(), machine::version(&programs.nginx, &["-v"])),
    ]);
    for kind in Kind::PEERS {
        if let Some(version) = programs.version(kind) {
            versions.insert(kind.name().to_owned(), version);
        }
    }
    versions
}
