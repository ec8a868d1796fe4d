//! Trials: each candidate at each case, one after the other, and all of it again, so that what else the machine does meets all of
//! them alike.

use std::time::Duration;

use crate::{
    load::{self, Pace, Work},
    process::Process,
    results::{Case, Results, Round},
};

/// One candidate at one case.
#[derive(Debug)]
pub struct Trial<'a> {
    pub candidate: String,
    /// None where nothing stands between client and upstream.
    pub process: Option<&'a Process>,
    pub case: Case,
    pub clients: usize,
    pub work: Work,
}

/// How often and how long.
#[derive(Clone, Copy, Debug)]
pub struct Tempo {
    pub rounds: usize,
    /// What is counted of each trial.
    pub length: Duration,
}

impl Tempo {
    /// As long in all, in so many times as many rounds.
    pub fn finer(self, times: u32) -> Self {
        Self { rounds: self.rounds * times as usize, length: self.length / times }
    }
}

/// Of the time that is counted, so much again is not, before it.
const WARM: f64 = 0.25;

/// Does all trials in their order, round by round; a trial no more once its answers came too slowly for figures, which the results say.
///
/// # Errors
/// A candidate does not let clients in. Wrong answers are no error here, but failures in the results.
pub async fn interleave(trials: &[Trial<'_>], tempo: Tempo, results: &mut Results) -> anyhow::Result<()> {
    let pace = |clients| Pace { clients, warm: tempo.length.mul_f64(WARM), length: tempo.length };
    let mut left: Vec<_> = trials.iter().collect();
    for round in 1..=tempo.rounds {
        for trial in std::mem::take(&mut left) {
            if let Some(process) = trial.process {
                process.forget_peak();
            }
            let used = || trial.process.map(Process::used);
            let (came, before, after) = load::run(&trial.work, pace(trial.clients), used).await?;
            if came.is_too_slow() {
                let why = format!("too slow for figures: {} answers within {:.0?}", came.calls, came.elapsed);
                println!("{round} {:<36} {:<28} x{:<4} {why}", trial.candidate, trial.case.to_string(), trial.clients);
                results.leave_out(&trial.candidate, trial.case, trial.clients, &why);
                continue;
            }
            left.push(trial);
            let used = after.zip(before).map(|(after, before)| after.since(&before));
            let came = Round::new(came, used, trial.process.map(Process::peak_memory));
            say(round, trial, &came);
            results.add(&trial.candidate, trial.case, trial.clients, came);
        }
    }
    Ok(())
}

fn say(round: usize, trial: &Trial<'_>, came: &Round) {
    let cpu = came.cpu.map_or_else(|| "-".to_owned(), |cpu| format!("{cpu:.1}"));
    let failure = came.failure.as_ref().map(|failure| format!(", {} failures: {failure}", came.failures));
    println!(
        "{round} {:<36} {:<28} x{:<4} {:>9.0}/s, p50 {:>9.0} us, p99 {:>9.0} us, {cpu:>8} us of CPU{}",
        trial.candidate,
        trial.case.to_string(),
        trial.clients,
        came.rate,
        came.p50,
        came.p99,
        failure.unwrap_or_default(),
    );
}
