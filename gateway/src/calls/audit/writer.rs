//! The thread that writes the audit log. A line that could not be written is tried again until it is; what was dropped meanwhile
//! is said in a line of its own before the next.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use causeway_oidc::clock::Clock;
use serde_json::{Value, json};
use tokio::sync::mpsc::Receiver;

use super::{Entry, Shared, redact::Redaction};
use crate::{
    calls::record::{CallRecord, rfc3339},
    config::{self, AuditSink},
};

/// Before a line that could not be written is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// What writes the log.
#[derive(Debug)]
pub(super) struct Writer {
    sink: Sink,
    redaction: Redaction,
    /// Arguments that are larger are left out, and their size is said.
    argument_bytes: usize,
    clock: Clock,
    shared: Arc<Shared>,
    /// The last try to write failed.
    failing: bool,
}

#[derive(Debug)]
enum Sink {
    Stdout,
    File { path: PathBuf, file: File },
}

impl Writer {
    pub(super) fn open(config: &config::Audit, clock: Clock, shared: Arc<Shared>) -> io::Result<Self> {
        let sink = match &config.sink {
            AuditSink::Stdout => Sink::Stdout,
            AuditSink::File(path) => Sink::File { path: path.clone(), file: open(path)? },
        };
        let redaction = Redaction::new(&config.redaction);
        Ok(Self { sink, redaction, argument_bytes: config.argument_bytes, clock, shared, failing: false })
    }

    /// Writes until nobody can send any more.
    pub(super) fn run(mut self, mut waiting: Receiver<Entry>) {
        while let Some(entry) = waiting.blocking_recv() {
            match entry {
                Entry::Call(record, arguments) => {
                    let line = self.line(&record, arguments.as_deref());
                    self.write(&line);
                    self.shared.written.fetch_add(1, Ordering::Relaxed);
                }
                Entry::Flush(done) => {
                    self.note_dropped();
                    // Who asked may have stopped waiting.
                    let _ = done.send(());
                }
            }
        }
    }

    fn line(&self, record: &CallRecord, arguments: Option<&str>) -> String {
        let mut line = record.json();
        if let Some(arguments) = arguments {
            match arguments.len() <= self.argument_bytes {
                true => line.insert("arguments".into(), self.redaction.redacted(arguments)),
                false => line.insert("arguments_omitted_bytes".into(), arguments.len().into()),
            };
        }
        Value::from(line).to_string()
    }

    fn write(&mut self, line: &str) {
        self.note_dropped();
        self.insist(line);
    }

    /// Says how many calls have no line here. Not taken as said before it is written.
    fn note_dropped(&mut self) {
        let dropped = self.shared.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let line = json!({"time": rfc3339(self.clock.now()), "event": "dropped", "calls": dropped}).to_string();
            self.insist(&line);
        }
    }

    fn insist(&mut self, line: &str) {
        let line = [line, "\n"].concat();
        while let Err(error) = self.try_write(&line) {
            if !self.failing {
                self.failing = true;
                tracing::error!(%error, "the audit log cannot be written; it is tried again until it can");
            }
            thread::sleep(PAUSE);
        }
        if std::mem::take(&mut self.failing) {
            tracing::info!("the audit log can be written again");
        }
    }

    fn try_write(&mut self, line: &str) -> io::Result<()> {
        if let Sink::File { path, file } = &mut self.sink
            && (self.shared.reopen.swap(false, Ordering::Relaxed) || self.failing)
        {
            *file = open(path).inspect_err(|_| self.shared.reopen.store(true, Ordering::Relaxed))?;
        }
        match &mut self.sink {
            Sink::Stdout => {
                let mut out = io::stdout().lock();
                out.write_all(line.as_bytes())?;
                out.flush()
            }
            // In one piece: a part of a line would spoil the next one.
            Sink::File { file, .. } => file.write_all(line.as_bytes()),
        }
    }
}

/// For nobody but the owner to read: it says who did what.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}
