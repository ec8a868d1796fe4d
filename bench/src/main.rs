//! The program `causeway-bench`: arguments in, figures out.

use std::{fs, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context;
use causeway_bench::{
    candidate::Kind,
    form::{Form, Size},
    ground::{Ground, Programs},
    pin, report,
    results::Results,
    run::{self, Place, Plan},
};
use clap::{Args, Parser, Subcommand};

/// Measures the gateway beside nginx and other MCP gateways. docs/benchmarks.md says how.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure. Prints each figure as it comes, and at the end what was to be reached; fails if an answer was wrong.
    Run(Box<Run>),
    /// Write the document and its pictures from the results of a run.
    Report {
        #[arg(long)]
        results: PathBuf,
        /// The directory of `benchmarks.md`.
        #[arg(long)]
        docs: PathBuf,
    },
    /// Serve the upstream alone, to try a proxy before it by hand. Prints where each form is.
    Upstream,
    /// Become a program on one processor. For this program's own use.
    #[command(hide = true)]
    Confined {
        #[arg(long)]
        cpu: usize,
        #[arg(last = true)]
        program: Vec<String>,
    },
}

#[derive(Debug, Args)]
struct Run {
    /// Every kind of measurement, none long enough for figures.
    #[arg(long)]
    smoke: bool,
    /// The gateway.
    #[arg(long)]
    causeway: PathBuf,
    #[arg(long, default_value = "/usr/sbin/nginx")]
    nginx: PathBuf,
    /// Where the peers are installed; without it they are left out.
    #[arg(long)]
    peers: Option<PathBuf>,
    /// The program that counts allocations; without it none are counted.
    #[arg(long)]
    allocations: Option<PathBuf>,
    /// Only these forms, by the part of their names that they share: `modern`, `session-json`.
    #[arg(long)]
    form: Option<String>,
    /// Only results of this size.
    #[arg(long)]
    size: Option<Size>,
    /// Only so many clients.
    #[arg(long)]
    clients: Option<usize>,
    /// Only candidates with this in their names; and only calls.
    #[arg(long)]
    only: Option<String>,
    #[arg(long)]
    rounds: Option<usize>,
    /// Of each figure in each round.
    #[arg(long)]
    seconds: Option<f64>,
    /// The processor of clients, upstream and issuer.
    #[arg(long, default_value_t = 0)]
    load_cpu: usize,
    /// The processor of whatever is measured.
    #[arg(long, default_value_t = 1)]
    proxy_cpu: usize,
    /// The file to write the results to.
    #[arg(long)]
    results: Option<PathBuf>,
    /// Said in the document.
    #[arg(long, default_value = "causeway-bench run")]
    command: String,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(arguments) => arguments.run(),
        Command::Report { results, docs } => read(&results).and_then(|results| report::write(&results, &docs)),
        Command::Upstream => upstream(),
        Command::Confined { cpu, program } => Err(pin::become_confined(cpu, &program)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Run {
    fn run(self) -> anyhow::Result<()> {
        let plan = self.plan()?;
        let programs = Programs { causeway: absolute(self.causeway)?, nginx: self.nginx, peers: self.peers };
        let place = Place { load_cpu: self.load_cpu, proxy_cpu: self.proxy_cpu, allocations: self.allocations };
        let results = run::run(&plan, programs, &place, self.command)?;
        if let Some(file) = &self.results {
            let text = serde_json::to_string_pretty(&results)?;
            fs::write(file, text).with_context(|| format!("`{}` cannot be written", file.display()))?;
        }
        println!("\n{}", report::goals_table(&results));
        let failures: Vec<String> = results.failures().collect();
        anyhow::ensure!(failures.is_empty(), "wrong answers:\n{}", failures.join("\n"));
        Ok(())
    }

    fn plan(&self) -> anyhow::Result<Plan> {
        let mut plan = if self.smoke { Plan::smoke() } else { Plan::full() };
        if let Some(part) = &self.form {
            plan.forms.retain(|form| form.name().contains(part.as_str()));
            let names = Form::ALL.map(Form::name).join(", ");
            anyhow::ensure!(!plan.forms.is_empty(), "no form `{part}`; there are {names}");
        }
        if let Some(part) = &self.only {
            let named = |kind: &Kind| kind.name().contains(part.as_str());
            plan.candidates.retain(named);
            plan.peers.retain(named);
            (plan.points, plan.streams, plan.starts) = (Vec::new(), 0, 0);
            anyhow::ensure!(plan.candidates.len() + plan.peers.len() > 0, "no candidate has `{part}` in its name");
        }
        plan.sizes.retain(|size| self.size.is_none_or(|wanted| wanted == *size));
        if let Some(clients) = self.clients {
            (plan.clients, plan.clients_elsewhere) = (vec![clients], vec![clients]);
        }
        plan.tempo.rounds = self.rounds.unwrap_or(plan.tempo.rounds);
        plan.tempo.length = self.seconds.map_or(plan.tempo.length, Duration::from_secs_f64);
        Ok(plan)
    }
}

/// Programs run in another directory than this one.
fn absolute(path: PathBuf) -> anyhow::Result<PathBuf> {
    fs::canonicalize(&path).with_context(|| format!("there is no `{}`", path.display()))
}

fn read(file: &PathBuf) -> anyhow::Result<Results> {
    let text = fs::read(file).with_context(|| format!("`{}` cannot be read", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("`{}` holds no results", file.display()))
}

fn upstream() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(async {
        let nothing = Programs { causeway: PathBuf::new(), nginx: PathBuf::new(), peers: None };
        let ground = Ground::prepare(nothing, 0, 0).await?;
        for form in Form::ALL {
            println!("{}", ground.url(&causeway_bench::ground::path(form, false)));
        }
        std::future::pending().await
    })
}
