//! A target that is a child process: started when first needed, started again when it ended, one for all callers. What
//! goes through its streams is in `stdio/process.rs`.

mod errors;
mod framing;
mod handshake;
mod link;
mod process;

use std::{sync::Arc, time::Duration};

use causeway_core::{
    canonical::{Client, Request},
    era::Era,
    name::TargetName,
};
use tokio::{
    sync::{Mutex, Notify},
    time::Instant,
};

pub(super) use self::link::Link;
use self::process::Process;
use super::{About, Fault, Heard, Reply, Wanted};
use crate::config::{self, EraChoice, Limits};

/// A process that lived so long was no failed start.
const SETTLED: Duration = Duration::from_secs(10);
/// Between starts after failures: doubled from the first to the last.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// A target behind standard streams.
#[derive(Debug)]
pub(super) struct StdioTarget {
    name: TargetName,
    config: config::StdioTarget,
    limits: Limits,
    changed: Arc<Notify>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: Option<Arc<Process>>,
    /// What the program turned out to speak; asked again when it starts anew and does not.
    era: Option<Era>,
    failures: u32,
    /// Why the last process that ran, or was to run, does not.
    why: String,
    started: Option<Instant>,
    stopped: bool,
}

impl StdioTarget {
    pub(super) fn new(name: &TargetName, config: &config::StdioTarget, limits: &Limits, changed: Arc<Notify>) -> Self {
        let (name, config, limits) = (name.clone(), config.clone(), limits.clone());
        Self { name, config, limits, changed, state: Mutex::default() }
    }

    /// What the program says about itself.
    pub(super) async fn about(self: &Arc<Self>) -> Result<About, Fault> {
        self.process().await?.about().await
    }

    /// Sends `request` with `changes` made to its parameters.
    pub(super) async fn send(
        self: Arc<Self>,
        caller_id: &str,
        request: Request,
        changes: &[(&str, &str)],
    ) -> Result<Reply<Fault>, Fault> {
        let process = self.process().await.map_err(Fault::unsent)?;
        let params = match process.era() {
            Era::Modern => request.modern_params(changes),
            Era::Legacy => request.legacy_params(changes),
        };
        let params = params.finish();
        if process.era() == Era::Legacy && request.brings_input() {
            // The call that it is to go on with waits elsewhere or no more; to begin it anew would do its work twice.
            return Err(Fault::UnknownState);
        }
        process.call(caller_id, &request, &params).await
    }

    /// What the program sends beside its calls.
    pub(super) async fn listen(self: &Arc<Self>, client: &Client, wanted: Wanted) -> Result<Heard, Fault> {
        self.process().await?.listen(client, wanted).await
    }

    /// Ends the process, politely first, and starts no other.
    pub(super) async fn stop(&self) {
        let mut state = self.state.lock().await;
        state.stopped = true;
        if let Some(process) = state.running.take() {
            process.stop().await;
        }
    }

    /// The running process; started now if there is none. A start goes on when the caller that needed it goes away.
    async fn process(self: &Arc<Self>) -> Result<Arc<Process>, Fault> {
        let target = Arc::clone(self);
        let started = tokio::spawn(async move { target.running().await }).await;
        started.unwrap_or_else(|error| Err(Fault::NotRunning(error.to_string())))
    }

    async fn running(&self) -> Result<Arc<Process>, Fault> {
        let mut state = self.state.lock().await;
        if let Some(process) = state.running.as_ref().filter(|process| process.is_alive()) {
            return Ok(Arc::clone(process));
        }
        if state.stopped {
            return Err(Fault::NotRunning("the gateway is stopping".into()));
        }
        state.judge_last_start(Instant::now())?;
        state.started = Some(Instant::now());
        state.running = None;
        let era = match self.config.era {
            EraChoice::Auto => state.era,
            EraChoice::Modern => Some(Era::Modern),
            EraChoice::Legacy => Some(Era::Legacy),
        };
        let started = handshake::start(&self.name, &self.config, &self.limits, era, &self.changed).await;
        match started {
            Ok(process) => {
                tracing::info!(target.name = %self.name, era = ?process.era(), "started target `{}`", self.name);
                state.era = Some(process.era());
                state.running = Some(Arc::new(process));
                Ok(Arc::clone(state.running.as_ref().expect("set in the line above")))
            }
            Err(fault) => {
                state.era = None;
                state.why = match &fault {
                    Fault::NotRunning(why) => why.clone(),
                    fault => fault.to_string(),
                };
                Err(fault)
            }
        }
    }
}

impl State {
    /// Counts a start that did not last, and refuses the next one until its time has come.
    fn judge_last_start(&mut self, now: Instant) -> Result<(), Fault> {
        let Some(started) = self.started else { return Ok(()) };
        if let Some(process) = self.running.take() {
            self.why = process.why_ended();
            let lasted = now.duration_since(started) >= SETTLED;
            self.failures = if lasted { 0 } else { self.failures + 1 };
        } else {
            self.failures = self.failures.max(1);
        }
        let Some(exponent) = self.failures.checked_sub(1) else { return Ok(()) };
        let pause = BACK_OFF.0.saturating_mul(1 << exponent.min(10)).min(BACK_OFF.1);
        let since = now.duration_since(started);
        if since < pause {
            let left = pause - since;
            return Err(Fault::NotRunning(format!("{}; next try in {left:.1?}", self.why)));
        }
        // The next start counts as failed until it is known better.
        self.failures += 1;
        Ok(())
    }
}
