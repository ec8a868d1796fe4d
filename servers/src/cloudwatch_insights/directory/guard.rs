//! What the functions of one query share: whether the query goes on, and what they had to leave undone. SQLite looks at
//! nothing of it, so each function does before it works.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::cloudwatch_insights::call::Watch;

/// Longest text that a function makes, in bytes: as long as an event can be.
pub(super) const LONGEST: usize = 1024 * 1024;

/// So many bytes of a text a regular expression looks at: time may grow with the product of both.
pub(super) const MATCHED: usize = 64 * 1024;

/// The state of one query.
#[derive(Debug)]
pub(super) struct Guard {
    watch: Watch,
    too_long: AtomicBool,
    shortened: AtomicU64,
}

/// Why a function has no result; SQLite keeps the words only, so the state says it too.
#[derive(Debug, thiserror::Error)]
pub(super) enum Halt {
    #[error("the query was interrupted")]
    Interrupted,
    #[error("a text is too long")]
    TooLong,
}

impl Guard {
    pub(super) fn new(watch: Watch) -> Self {
        Self { watch, too_long: AtomicBool::new(false), shortened: AtomicU64::new(0) }
    }

    pub(super) fn go_on(&self) -> Result<(), Halt> {
        self.watch.interrupted().map_or(Ok(()), |_| Err(Halt::Interrupted))
    }

    pub(super) fn too_long(&self) -> Halt {
        self.too_long.store(true, Ordering::Relaxed);
        Halt::TooLong
    }

    /// Whether a function ended the query so.
    pub(super) fn was_too_long(&self) -> bool {
        self.too_long.load(Ordering::Relaxed)
    }

    /// What a regular expression looks at.
    pub(super) fn matched<'t>(&self, text: &'t str) -> &'t str {
        if text.len() <= MATCHED {
            return text;
        }
        self.shortened.fetch_add(1, Ordering::Relaxed);
        &text[..text.floor_char_boundary(MATCHED)]
    }

    pub(super) fn note(&self) -> Option<String> {
        let times = self.shortened.load(Ordering::Relaxed);
        let most = MATCHED / 1024;
        let note =
            || format!("{times} time(s) a regular expression or glob looked at the first {most} KiB of a longer text");
        (times > 0).then(note)
    }
}

impl From<Halt> for rusqlite::Error {
    fn from(halt: Halt) -> Self {
        Self::UserFunctionError(halt.into())
    }
}
