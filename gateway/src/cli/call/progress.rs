//! What a tool says while it works, on standard error: how far it is, and its log messages. Keeps nothing.

use std::{io::IsTerminal, time::Duration};

use causeway_core::wire::Envelope;
use causeway_oidc::wire_log;
use console::Style;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Deserialize;
use serde_json::Value;

use crate::cli::screen::{notice, printable, tell};

/// The line at the bottom of the terminal.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    quiet: bool,
}

/// While this lives, the line is away and stays away.
#[derive(Debug)]
pub(super) struct Held<'a>(&'a ProgressBar);

/// Between two steps of what turns.
const TICK: Duration = Duration::from_millis(100);

#[derive(Deserialize)]
struct Step {
    progress: f64,
    total: Option<f64>,
    message: Option<String>,
}

impl Progress {
    pub(super) fn new(tool: &str, quiet: bool) -> Self {
        let bar = ProgressBar::new_spinner().with_message(printable(tool));
        if quiet || !std::io::stderr().is_terminal() || wire_log::is_on() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        bar.set_style(style("{spinner} {msg}  {elapsed}"));
        bar.enable_steady_tick(TICK);
        Self { bar, quiet }
    }

    /// Takes note of a notification.
    pub(super) fn note(&self, message: &Envelope) {
        let params = message.params().unwrap_or("{}");
        match message.method() {
            "notifications/progress" => self.step(params),
            "notifications/message" if !self.quiet => self.log(params),
            _ => (),
        }
    }

    /// Says what a person must know, however quiet it is to be.
    pub(super) fn warn(&self, text: &str) {
        self.bar.suspend(|| tell!("{}", notice("warning", text)));
    }

    /// Frees the terminal.
    pub(super) fn held(&self) -> Held<'_> {
        self.bar.disable_steady_tick();
        self.bar.suspend(|| ());
        Held(&self.bar)
    }

    fn step(&self, params: &str) {
        let Ok(step) = serde_json::from_str::<Step>(params) else { return };
        if let Some(total) = step.total.filter(|total| *total > 0.0) {
            self.bar.set_style(style("{spinner} {msg}  {wide_bar} {percent:>3}%  {elapsed}"));
            // In thousandths: a total may be 1.
            self.bar.set_length(1000);
            self.bar.set_position((step.progress / total * 1000.0).clamp(0.0, 1000.0) as u64);
        }
        if let Some(message) = step.message {
            self.bar.set_message(printable(&message));
        }
    }

    fn log(&self, params: &str) {
        let params: Value = serde_json::from_str(params).unwrap_or_default();
        let text = |key: &str| params[key].as_str().map(printable);
        let level = text("level").unwrap_or_else(|| "info".into());
        let logger = text("logger").map(|logger| format!(" {logger}")).unwrap_or_default();
        let data = match &params["data"] {
            Value::String(text) => printable(text),
            other => printable(&other.to_string()),
        };
        let style = match level.as_str() {
            "debug" | "info" | "notice" => Style::new().dim(),
            "warning" => Style::new().yellow(),
            _ => Style::new().red(),
        };
        let head = style.for_stderr().apply_to(format!("{level}{logger}:"));
        self.bar.suspend(|| tell!("{head} {data}"));
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.enable_steady_tick(TICK);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("a template that was tried")
}
