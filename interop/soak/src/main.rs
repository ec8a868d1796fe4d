//! Very many calls through a real gateway while everything around it fails: targets that die, hang, break off and answer nonsense,
//! children that are killed, a token endpoint that is down, clients that vanish, cancel and send garbage. Counts what becomes of each
//! call and checks each answer; at the end the gateway must be as it was: memory, file descriptors, tasks.

mod client;
mod faults;
mod gateway;
mod outcome;
mod target;
mod tokens;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use clap::Parser;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use self::{
    client::Worker,
    gateway::{Gateway, Usage},
    outcome::Counts,
};

/// Calls through a gateway while everything around it fails.
#[derive(Debug, Parser)]
struct Arguments {
    /// The program.
    #[arg(long)]
    causeway: PathBuf,
    /// How many calls.
    #[arg(long, default_value_t = 1_000_000)]
    calls: usize,
    /// How many clients at once.
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// Of what is left to chance; the same again gives the same faults, if not at the same moments.
    #[arg(long)]
    seed: Option<u64>,
}

/// Looks at the gateway in between.
const LOOKS: usize = 10;
/// Before the first look it has met everything: what it keeps for its whole life is there.
const WARM: f64 = 0.2;
/// More than this is a leak: of what it had when it was warm, and what allocators keep for themselves.
const GROWTH: (f64, u64) = (1.25, 24 << 20);
/// What is bound to end by itself ends within so long: idle connections to targets among it, which last for 60 s and are looked for
/// every 10 s.
const PATIENCE: Duration = Duration::from_secs(150);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    fastrand::seed(seed);
    println!("{} calls of {} clients, seed {seed}", arguments.calls, arguments.clients);
    let targets = target::Targets::start().await?;
    let tokens = tokens::Endpoint::start().await?;
    let gateway = Arc::new(Gateway::start(&arguments.causeway, &targets, &tokens).await?);
    let idle = gateway.usage().await?;
    println!("{idle}  before the first call");
    let counts = Arc::new(Counts::new(arguments.calls));
    let faults = tokio::spawn(faults::run(targets.clone(), tokens.clone(), Arc::clone(&gateway)));
    let began = Instant::now();
    let mut workers = JoinSet::new();
    for number in 0..arguments.clients {
        let worker = Worker::new(number, Arc::clone(&gateway), Arc::clone(&counts), fastrand::u64(..));
        workers.spawn(worker.run());
    }
    let warm = looked_after(&gateway, &counts, arguments.calls).await?;
    while let Some(ended) = workers.join_next().await {
        ended.context("a client panicked")?;
    }
    let took = began.elapsed();
    faults.abort();
    let _ = faults.await;
    targets.up();
    tokens.up();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = arguments.calls as f64 / took.as_secs_f64();
    println!("{} calls in {took:.0?}, {rate:.0} a second\n{counts}", arguments.calls);
    let end = settled(&gateway, &idle).await?;
    println!("{end}  at the end");
    counts.check()?;
    check(&idle, &warm, &end)?;
    gateway.stop().await?;
    println!("no call was lost, no answer was wrong, nothing was left behind");
    Ok(())
}

/// Looks at the gateway from time to time until all calls were made: how it was once it was warm.
async fn looked_after(gateway: &Gateway, counts: &Counts, calls: usize) -> anyhow::Result<Usage> {
    let mut warm = None;
    for look in 1..=LOOKS {
        while counts.made() < calls * look / LOOKS {
            sleep(Duration::from_millis(100)).await;
        }
        let usage = gateway.usage().await?;
        println!("{usage}  after {} calls", counts.made());
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        if look as f64 / LOOKS as f64 >= WARM {
            warm.get_or_insert(usage);
        }
    }
    warm.context("it was looked at")
}

/// How the gateway is once all that ends by itself has ended, or there is no more patience.
async fn settled(gateway: &Gateway, idle: &Usage) -> anyhow::Result<Usage> {
    let began = Instant::now();
    loop {
        let usage = gateway.usage().await?;
        if usage.is_no_more_than(idle) || began.elapsed() > PATIENCE {
            return Ok(usage);
        }
        sleep(Duration::from_millis(500)).await;
    }
}

fn check(idle: &Usage, warm: &Usage, end: &Usage) -> anyhow::Result<()> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a bound, no sum"
    )]
    let most = (warm.memory as f64 * GROWTH.0) as u64 + GROWTH.1;
    ensure!(end.memory <= most, "its memory grew from {} bytes when it was warm to {}", warm.memory, end.memory);
    ensure!(end.is_no_more_than(idle), "it keeps more than it had before the first call: {end}, and had {idle}");
    Ok(())
}
