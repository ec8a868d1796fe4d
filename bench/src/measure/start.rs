//! From the start of the program to its first list that holds every tool.

use std::{
    fs, io,
    time::{Duration, Instant},
};

use tokio::{task::yield_now, time::sleep};

use super::catalogs::Among;
use crate::{
    candidate::{self, Catalog, Kind, Start},
    form::Form,
    ground::{Ground, path},
    load,
    results::{self, Results},
};

const FORM: Form = Form::ALL[0];
/// Each target has the four tools of a form.
const AMONG: Among = Among { tools: 12, targets: 3 };
/// For a gateway to keep the lists that it has.
const KEEPING: Duration = Duration::from_secs(5);
/// Between two looks.
const BREATH: Duration = Duration::from_millis(20);

/// So often with nothing but a config.toml, and so often with what an earlier start has kept, in turns.
///
/// # Errors
/// The gateway ends before it has answered.
pub async fn starts(ground: &Ground, times: usize, results: &mut Results) -> anyhow::Result<()> {
    let name = "causeway-kept";
    let keeps = keep(ground, name).await?;
    if !keeps {
        results.left_out.push("a start with a snapshot: this gateway keeps none".to_owned());
    }
    let (mut fresh, mut kept) = (Vec::new(), Vec::new());
    for number in 0..times {
        fresh.push(start(ground, &format!("causeway-fresh-{number}")).await?.0);
        if keeps {
            kept.push(start(ground, name).await?.0);
        }
    }
    add(results, false, fresh);
    if keeps {
        add(results, true, kept);
    }
    Ok(())
}

/// Has a gateway keep its lists, if it does so.
async fn keep(ground: &Ground, name: &str) -> anyhow::Result<bool> {
    let (_, _started) = start(ground, name).await?;
    let begun = Instant::now();
    let directory = candidate::state_directory(ground, name);
    // It has another name until it is whole.
    let is_whole =
        |file: io::Result<fs::DirEntry>| file.is_ok_and(|file| file.path().extension() == Some("json".as_ref()));
    let keeps = || fs::read_dir(&directory).is_ok_and(|mut files| files.any(is_whole));
    while !keeps() && begun.elapsed() < KEEPING {
        sleep(BREATH).await;
    }
    Ok(keeps())
}

/// Starts a gateway: after how many milliseconds it lists.
async fn start(ground: &Ground, name: &str) -> anyhow::Result<(f64, Start)> {
    let targets = (1..=AMONG.targets).map(|number| (format!("target-{number}"), path(FORM, true))).collect();
    let catalog = Catalog { name: name.to_owned(), targets, guarded: true, limits: String::new() };
    let begun = Instant::now();
    let mut started = candidate::start_with(ground, &catalog)?;
    let list = candidate::list(started.entrance.clone(), FORM.speaks, AMONG.tools);
    // As fast as can be asked: this processor has nothing else to do.
    while load::once(&list).await.is_err() {
        started.process.check()?;
        yield_now().await;
    }
    Ok((begun.elapsed().as_secs_f64() * 1e3, started))
}

fn add(results: &mut Results, kept: bool, millis: Vec<f64>) {
    println!("first list, {}: {millis:.1?} ms", if kept { "with a snapshot" } else { "nothing kept" });
    let candidate = Kind::Causeway { guarded: true }.name().to_owned();
    results.starts.push(results::Start { candidate, kept, millis });
}
