//! Log groups that are folders of local files, and queries over them: the language of CloudWatch Logs Insights,
//! translated to SQLite. Keeps nothing between two calls.

mod aggregates;
mod calls;
mod engine;
mod events;
mod files;
mod functions;
mod guard;
mod instant;
mod json;
mod lexer;
mod parser;
mod period;
mod plan;
mod root;
mod samples;
mod skipped;
mod syntax;
mod value;

#[cfg(test)]
mod tests;

use std::{collections::HashMap, fs, io, ops::ControlFlow, path::Path, sync::Arc};

use causeway_oidc::clock::Clock;
use tokio::sync::Semaphore;

use self::{
    engine::Engine,
    events::{Dated, Event},
    files::LogFile,
    plan::Plan,
    root::Root,
    skipped::Skipped,
    syntax::Mistake,
};
use super::{
    call::{Interrupted, Watch},
    fields::Field,
    found::{Found, Statistics},
    groups::LogGroup,
    query::Query,
};

/// Most bytes of messages that one query holds in memory. SQLite holds them twice for a moment, and what a query computes
/// beside them.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// Fields that every event has.
const SYSTEM_FIELDS: [&str; 5] = ["@ingestionTime", "@log", "@logStream", "@message", "@timestamp"];

/// Most fields that `fields` tells of.
const MOST_FIELDS: usize = 1000;

/// Calls that work at one time; the others wait. Each may hold [`MOST_BYTES`] several times.
const MOST_AT_ONCE: usize = 2;

/// A directory of logs, or the sample logs in its place.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    root: Root,
    clock: Clock,
    most_bytes: u64,
    places: Arc<Semaphore>,
}

/// Why a directory has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DirectoryError {
    #[error("the folder of log groups `{path}` cannot be read: {cause}; set `LOG_DIRECTORY` to one")]
    Unopened { path: String, cause: io::Error },
    #[error("the server's folder of log groups cannot be read: {0}; it needs the right to list its folders")]
    Unreadable(io::Error),
    #[error("the log stream `{stream}` of `{group}` cannot be read: {cause}; ask again, or leave the group out")]
    File { group: String, stream: String, cause: io::Error },
    // Names none that is like it: it may be one that the caller is not to know of.
    #[error("there is no log group `{group}` here; `list_log_groups` names those that are there")]
    NoGroup { group: String },
    #[error("{0}")]
    Query(#[from] Mistake),
    #[error(
        "the log events of the time range have more than {} MiB, the most that a query of local files holds; narrow the \
         time range or the log groups",
        .bytes / 1024 / 1024
    )]
    TooMuch { bytes: u64 },
    #[error(
        "a function of the query makes a text longer than {} MiB; shorten its arguments, for example with `substr`",
        guard::LONGEST / 1024 / 1024
    )]
    TooLong,
    #[error("the query computes more than the memory for local files holds; compute fewer columns, or filter first")]
    TooLarge,
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    #[error("the query ended abnormally")]
    Lost,
    #[error("SQLite refused the query: {0}")]
    Engine(#[from] rusqlite::Error),
}

/// What was read for a query.
#[derive(Debug, Default)]
struct Scanned {
    events: u64,
    bytes: u64,
    /// Events with the time of the event before them.
    follow: u64,
    /// Events with the time of their file.
    undated: u64,
    skipped: Skipped,
    /// What is said of fields that no event has.
    slips: Vec<String>,
}

impl Directory {
    /// # Errors
    /// `path` is no directory that can be read.
    pub(super) fn open(path: &Path, clock: Clock) -> Result<Self, DirectoryError> {
        let unopened = |cause| DirectoryError::Unopened { path: path.display().to_string(), cause };
        let real = fs::canonicalize(path).map_err(unopened)?;
        let (_, skipped) = files::groups(&real).map_err(unopened)?;
        for note in skipped.notes() {
            tracing::warn!("`{}`: {note}", path.display());
        }
        Ok(Self::of(Root::Folder(real), clock))
    }

    /// The logs that the program brings along, with times that end at the present minute.
    pub(super) fn samples(clock: Clock) -> Self {
        Self::of(Root::Samples, clock)
    }

    fn of(root: Root, clock: Clock) -> Self {
        Self { root, clock, most_bytes: MOST_BYTES, places: Arc::new(Semaphore::new(MOST_AT_ONCE)) }
    }

    /// Whether these are the sample logs.
    pub(super) fn is_samples(&self) -> bool {
        matches!(self.root, Root::Samples)
    }

    /// Every log group, by name, and what was left out. Reads the file system, so not for an async thread.
    ///
    /// # Errors
    /// A folder that cannot be read.
    fn groups(&self) -> Result<(Vec<LogGroup>, Skipped), DirectoryError> {
        self.root.groups(self.clock.now()).map_err(DirectoryError::Unreadable)
    }

    /// The fields of a group's events with the share of events that have them, by name, and what was left out. Reads the whole group, so not for an async thread.
    ///
    /// # Errors
    /// There is no such group, it cannot be read, or `watch` ended it.
    fn fields(&self, group: &str, watch: &Watch) -> Result<(Vec<Field>, Vec<String>), DirectoryError> {
        let (mut events, mut counts, mut complete) = (0_u64, HashMap::<String, u64>::new(), true);
        let (files, skipped) = self.streams(group)?;
        for file in files {
            each_event(group, &file, watch, |event| {
                events += 1;
                complete &= count_fields(&event, &mut counts);
                Ok(())
            })?;
        }
        let percent = |count: u64| i32::try_from(count * 100 / events.max(1)).unwrap_or(100);
        let system = SYSTEM_FIELDS.iter().map(|name| Field { name: (*name).to_owned(), percent: 100 });
        let members = counts.into_iter().map(|(name, count)| Field { name: queried(name), percent: percent(count) });
        let mut fields: Vec<_> = system.chain(members).collect();
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        let more = format!("there are more fields than the {MOST_FIELDS} that are told of");
        Ok((fields, (!complete).then_some(more).into_iter().chain(skipped.notes()).collect()))
    }

    /// Runs `query`. Takes as long as it takes, so not for an async thread.
    ///
    /// # Errors
    /// What the language here does not have, with its place; a log group that is not there; too much to hold; `watch`.
    fn query(&self, query: &Query, watch: &Watch) -> Result<Found, DirectoryError> {
        let now = i64::try_from(self.clock.now().as_secs()).unwrap_or(i64::MAX);
        let mut plan = plan::plan(&query.text, parser::parse(&query.text)?, now, query.limit)?;
        self.answer(query, &mut plan, watch).map_err(|error| match (error, watch.interrupted()) {
            (DirectoryError::Engine(_), Some(why)) => why.into(),
            (DirectoryError::Engine(error), None) if engine::is_too_large(&error) => DirectoryError::TooLarge,
            (error, _) => error,
        })
    }

    fn answer(&self, query: &Query, plan: &mut Plan, watch: &Watch) -> Result<Found, DirectoryError> {
        let engine = Engine::new(plan, watch)?;
        let scanned = self.load(query, &engine, watch)?;
        let (rows, matched) = engine.run(plan).map_err(|error| match engine.was_too_long() {
            true => DirectoryError::TooLong,
            false => error.into(),
        })?;
        let statistics = Statistics {
            records_matched: matched,
            records_scanned: float(scanned.events),
            bytes_scanned: float(scanned.bytes),
        };
        let notes = scanned.notes().into_iter().chain(engine.note()).collect();
        let columns = plan.columns.iter().map(|(name, _)| name.clone()).collect();
        Ok(Found { query_id: None, columns: Some(columns), rows, statistics: Some(statistics), notes })
    }

    /// Reads every file of the groups, because no file says what times are in it; the events of the time range stay.
    fn load(&self, query: &Query, engine: &Engine, watch: &Watch) -> Result<Scanned, DirectoryError> {
        // Both ends are seconds and belong to the range.
        let range = query.range.start * 1000..(query.range.end + 1) * 1000;
        let mut scanned = Scanned::default();
        let mut loading = engine.loading()?;
        for group in &query.log_groups {
            let (files, skipped) = self.streams(group)?;
            scanned.skipped += skipped;
            for file in files {
                each_event(group, &file, watch, |event| {
                    if !range.contains(&event.time) {
                        return Ok(());
                    }
                    scanned.events += 1;
                    scanned.bytes += event.message.len() as u64;
                    match event.dated {
                        Dated::Itself => {}
                        Dated::ByTheEventBefore => scanned.follow += 1,
                        Dated::ByItsFile => scanned.undated += 1,
                    }
                    if scanned.bytes > self.most_bytes {
                        return Err(DirectoryError::TooMuch { bytes: self.most_bytes });
                    }
                    Ok(loading.insert(&event)?)
                })?;
            }
        }
        scanned.slips = loading.slips();
        Ok(scanned)
    }

    fn streams(&self, group: &str) -> Result<(Vec<LogFile>, Skipped), DirectoryError> {
        let streams = self.root.streams(group, self.clock.now()).map_err(DirectoryError::Unreadable)?;
        streams.ok_or_else(|| DirectoryError::NoGroup { group: group.to_owned() })
    }
}

impl Scanned {
    fn notes(&self) -> Vec<String> {
        let dated = [
            (self.follow, "without a readable time of their own have that of the event before them in their file"),
            (self.undated, "without any time before them have that of their file's last change"),
        ];
        let dated = dated.into_iter().filter(|(count, _)| *count > 0);
        let dated = dated.map(|(count, how)| format!("{count} event(s) {how}"));
        dated.chain(self.skipped.notes()).chain(self.slips.iter().cloned()).collect()
    }
}

/// A member whose name starts with `@` is queried with another one.
fn queried(member: String) -> String {
    if member.starts_with('@') { format!("@{member}") } else { member }
}

/// Whether each of them is counted.
fn count_fields(event: &Event<'_>, counts: &mut HashMap<String, u64>) -> bool {
    let mut all = true;
    let Some(json) = &event.json else { return all };
    json::each_field(json, &mut |name| {
        if let Some(count) = counts.get_mut(name) {
            *count += 1;
        } else if counts.len() < MOST_FIELDS {
            counts.insert(name.to_owned(), 1);
        } else {
            all = false;
        }
    });
    all
}

/// Gives the events of a file to `on` until it fails or `watch` ends it.
fn each_event(
    group: &str,
    file: &LogFile,
    watch: &Watch,
    mut on: impl FnMut(Event<'_>) -> Result<(), DirectoryError>,
) -> Result<(), DirectoryError> {
    let outcome = events::each(group, file, |event| match watch.interrupted() {
        Some(why) => ControlFlow::Break(why.into()),
        None => on(event).map_or_else(ControlFlow::Break, ControlFlow::Continue),
    });
    match outcome {
        Ok(ControlFlow::Continue(())) => Ok(()),
        Ok(ControlFlow::Break(error)) => Err(error),
        Err(cause) => Err(DirectoryError::File { group: group.to_owned(), stream: file.stream.clone(), cause }),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53, as floats because AWS has them so")]
fn float(count: u64) -> f64 {
    count as f64
}
