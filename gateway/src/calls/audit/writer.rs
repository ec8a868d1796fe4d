//! The thread that writes the audit log. A line that could not be written is tried again until it is, from where it broke off;
//! what was dropped meanwhile is said in a line of its own before the next.

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
use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};
use tokio::sync::mpsc::Receiver;

use super::{Arguments, Entry, Shared, redact::Redaction};
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

/// Of one call.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    record: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments_omitted_bytes: Option<usize>,
}

impl Writer {
    pub(super) fn open(config: &config::Audit, clock: Clock, shared: Arc<Shared>) -> io::Result<Self> {
        let sink = match &config.sink {
            AuditSink::Stdout => Sink::Stdout,
            AuditSink::File(path) => Sink::File { path: path.clone(), file: open(path)? },
        };
        let redaction = Redaction::new(&config.redaction);
        Ok(Self { sink, redaction, clock, shared, failing: false })
    }

    /// Writes until nobody can send any more.
    pub(super) fn run(mut self, mut waiting: Receiver<Entry>) {
        while let Some(entry) = waiting.blocking_recv() {
            match entry {
                Entry::Call(record, arguments) => {
                    let line = self.line(&record, arguments);
                    self.write(&line);
                    self.shared.written.fetch_add(1, Ordering::Relaxed);
                }
                Entry::Flush(done) => {
                    self.note_dropped();
                    if let Sink::File { file, .. } = &self.sink {
                        // What is no file on a disk cannot be told to be on one.
                        let _ = file.sync_data();
                    }
                    // Who asked may have stopped waiting.
                    let _ = done.send(());
                }
            }
        }
    }

    fn line(&self, record: &CallRecord, arguments: Option<Arguments>) -> String {
        let (arguments, arguments_omitted_bytes) = match arguments {
            Some(Arguments::Kept(arguments)) => (Some(self.redaction.redacted(&arguments)), None),
            Some(Arguments::Omitted(bytes)) => (None, Some(bytes)),
            None => (None, None),
        };
        let line = Line { record: record.json(), arguments, arguments_omitted_bytes };
        serde_json::to_string(&line).expect("keys are texts")
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
        let mut written = 0;
        while let Err(error) = self.try_write(line.as_bytes(), &mut written) {
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

    /// Writes what is not `written` yet of a line.
    fn try_write(&mut self, line: &[u8], written: &mut usize) -> io::Result<()> {
        match &mut self.sink {
            Sink::Stdout => {
                let mut out = io::stdout().lock();
                go_on(&mut out, line, written)?;
                out.flush()
            }
            Sink::File { path, file } => {
                // A file that holds a part of a line gets the rest of it, unless somebody has moved it away.
                if self.shared.reopen.swap(false, Ordering::Relaxed) || (self.failing && *written == 0) {
                    *file = open(path).inspect_err(|_| self.shared.reopen.store(true, Ordering::Relaxed))?;
                    *written = 0;
                }
                go_on(file, line, written)
            }
        }
    }
}

/// Writes to `out` what is not `written` yet of `line`.
fn go_on(out: &mut impl Write, line: &[u8], written: &mut usize) -> io::Result<()> {
    while *written < line.len() {
        match out.write(&line[*written..]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(more) => *written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// For nobody but the owner to read: it says who did what.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes at each try, and fails between two.
    struct Nearly {
        bytes: Vec<u8>,
        most: usize,
        full: bool,
    }

    impl Write for Nearly {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.full = !self.full;
            if !self.full {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let taken = bytes.len().min(self.most);
            self.bytes.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_that_broke_off_goes_on_where_it_did() {
        let mut disk = Nearly { bytes: Vec::new(), most: 4, full: false };
        for line in ["{\"one\":1}\n", "{\"two\":2}\n"] {
            let mut written = 0;
            while go_on(&mut disk, line.as_bytes(), &mut written).is_err() {}
        }
        assert_eq!(String::from_utf8(disk.bytes).unwrap(), "{\"one\":1}\n{\"two\":2}\n");
    }
}
