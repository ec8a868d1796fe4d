//! Shows HTTP exchanges on standard error, readable for a person: what `--debug` asks for. What is secret was taken out of them
//! before they got here.

use std::{
    fmt::{self, Write as _},
    io::Write as _,
    sync::atomic::{AtomicBool, Ordering},
};

use causeway_oidc::wire_log::{ANSWERED, FAILED, SENT, TARGET};
use console::Style;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

static WANTED: AtomicBool = AtomicBool::new(false);

/// From the start of logging on, exchanges are shown.
pub fn show() {
    WANTED.store(true, Ordering::Relaxed);
}

/// What the filter of all events says of these: no other setting turns them on.
pub(super) fn directive() -> String {
    format!("{TARGET}={}", if WANTED.load(Ordering::Relaxed) { "trace" } else { "off" })
}

/// Whether an event is one of these.
pub(super) fn is(metadata: &Metadata<'_>) -> bool {
    metadata.target() == TARGET
}

/// Writes them.
#[derive(Debug)]
pub(super) struct WireLayer;

#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}

impl<S: Subscriber> Layer<S> for WireLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if !is(event.metadata()) {
            return;
        }
        let mut message = Message::default();
        event.record(&mut message);
        // Nobody can be told that it cannot be written.
        let _ = std::io::stderr().lock().write_all(painted(&message.0).as_bytes());
    }
}

/// The first line stands out, headers step back.
fn painted(text: &str) -> String {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let style = match first.chars().next().map(String::from).as_deref() {
        Some(SENT) => Style::new().cyan().bold(),
        Some(ANSWERED) => Style::new().green().bold(),
        Some(FAILED) => Style::new().red().bold(),
        _ => Style::new(),
    };
    let mut shown = format!("{}\n", style.for_stderr().apply_to(first));
    let mut in_headers = true;
    for line in rest.lines() {
        in_headers &= !line.is_empty();
        match in_headers {
            true => {
                let _ = writeln!(shown, "{}", Style::new().dim().for_stderr().apply_to(line));
            }
            false => {
                let _ = writeln!(shown, "{line}");
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_keeps_its_lines() {
        console::set_colors_enabled_stderr(false);
        assert_eq!(painted("→ #1 POST u\n    a: b\n\n    {}"), "→ #1 POST u\n    a: b\n\n    {}\n");
        assert_eq!(painted("✗ #1 gone"), "✗ #1 gone\n");
    }
}
