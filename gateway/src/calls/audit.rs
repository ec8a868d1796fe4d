//! The audit log: one line of JSON for each call, whoever made it and however it ended. Lines are written by a thread of their
//! own, in the order of the calls' ends; what happens when it cannot keep up is the operator's choice, and nothing is left
//! out unsaid. Arguments only if asked for, and never without `audit/redact.rs`.

pub(crate) mod redact;
mod writer;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use causeway_oidc::clock::Clock;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use self::writer::Writer;
use super::CallRecord;
use crate::{
    config::{self, OnFull},
    metrics::Family,
};

/// Lines that wait to be written: a slow disk may take a moment.
const QUEUE: usize = 8192;

/// Where lines go.
#[derive(Debug)]
pub struct Audit {
    entries: mpsc::Sender<Entry>,
    on_full: OnFull,
    /// Arguments are kept up to so many bytes; absent where none are.
    arguments: Option<usize>,
    shared: Arc<Shared>,
}

/// What the writer tells, and is told without waiting.
#[derive(Debug, Default)]
struct Shared {
    written: AtomicU64,
    /// Not written, and not yet said so.
    dropped: AtomicU64,
    /// In all.
    dropped_in_all: AtomicU64,
    refused: AtomicU64,
    reopen: AtomicBool,
}

/// A line to be, kept free for a call.
pub(super) type Place = mpsc::OwnedPermit<Entry>;

/// What the writer does next.
#[derive(Debug)]
pub(super) enum Entry {
    /// With its arguments, where they are kept.
    Call(Arc<CallRecord>, Option<Arguments>),
    /// Everything before it is to be on the disk, or wherever it goes.
    Flush(oneshot::Sender<()>),
}

/// What a tool or a prompt was given.
#[derive(Debug)]
pub(super) enum Arguments {
    /// JSON text, not redacted yet.
    Kept(String),
    /// So many bytes, which are too many to wait for the writer.
    Omitted(usize),
}

/// A call may not be answered, because it could not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the audit log takes no more for now")]
pub struct Unaudited;

impl Arguments {
    /// Of `arguments` (JSON text), which are kept up to `most` bytes.
    pub(super) fn of(arguments: &str, most: usize) -> Self {
        match arguments.len() <= most {
            true => Self::Kept(arguments.to_owned()),
            false => Self::Omitted(arguments.len()),
        }
    }
}

impl Audit {
    /// Opens the log and starts its writer.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(crate) fn open(config: &config::Audit, clock: Clock) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let writer = Writer::open(config, clock, Arc::clone(&shared))?;
        let (entries, waiting) = mpsc::channel(QUEUE);
        std::thread::Builder::new().name("audit".into()).spawn(move || writer.run(waiting))?;
        let arguments = config.arguments.then_some(config.argument_bytes);
        Ok(Self { entries, on_full: config.on_full, arguments, shared })
    }

    /// Opens the file anew, before the next line: somebody has moved the old one away.
    pub fn reopen(&self) {
        self.shared.reopen.store(true, Ordering::Relaxed);
    }

    /// Waits until all calls that ended are written, for so long at most.
    pub async fn flush(&self, patience: Duration) {
        let (done, flushed) = oneshot::channel();
        let flushing = async {
            if self.entries.send(Entry::Flush(done)).await.is_ok() {
                let _ = flushed.await;
            }
        };
        if timeout(patience, flushing).await.is_err() {
            tracing::error!("the audit log was not written to its end within {patience:?}");
        }
    }

    /// How many bytes of arguments are kept; `None` where none are.
    pub(super) fn keeps_arguments(&self) -> Option<usize> {
        self.arguments
    }

    /// A place for a call that begins, where calls may be refused for want of one.
    pub(super) fn place(&self) -> Result<Option<Place>, Unaudited> {
        match self.on_full {
            OnFull::Drop => Ok(None),
            OnFull::Refuse => match self.entries.clone().try_reserve_owned() {
                Ok(place) => Ok(Some(place)),
                Err(_) => {
                    self.shared.refused.fetch_add(1, Ordering::Relaxed);
                    Err(Unaudited)
                }
            },
        }
    }

    /// A call ended.
    pub(super) fn take(&self, record: Arc<CallRecord>, arguments: Option<Arguments>, place: Option<Place>) {
        let entry = Entry::Call(record, arguments);
        match place {
            Some(place) => {
                place.send(entry);
            }
            None if self.entries.try_send(entry).is_err() => {
                self.shared.dropped.fetch_add(1, Ordering::Relaxed);
                self.shared.dropped_in_all.fetch_add(1, Ordering::Relaxed);
            }
            None => {}
        }
    }

    pub(super) fn families(&self) -> [Family; 4] {
        let counter =
            |name, help, count: &AtomicU64| Family::counter(name, help).with(&[], count.load(Ordering::Relaxed));
        let waiting =
            Family::gauge("causeway_audit_waiting", "Lines that are not written yet, or kept free for calls.");
        let shared = &self.shared;
        [
            counter("causeway_audit_written_total", "Lines of the audit log.", &shared.written),
            counter("causeway_audit_dropped_total", "Calls that have none.", &shared.dropped_in_all),
            counter("causeway_audit_refused_total", "Calls refused for want of a place.", &shared.refused),
            waiting.with(&[], QUEUE - self.entries.capacity()),
        ]
    }
}
