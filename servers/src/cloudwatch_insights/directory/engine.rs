//! SQLite in memory, for one query: the table of events, the plan's two statements, the rows. Ends when told to.

use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

use causeway_core::nearest::nearest;
use rusqlite::{Connection, Error, ErrorCode, limits::Limit, params_from_iter, types::ValueRef};

use super::{
    aggregates,
    events::Event,
    functions,
    guard::Guard,
    instant, json,
    plan::{EVENTS, Kind, MATCHED, Plan},
    value,
};
use crate::cloudwatch_insights::{answer, call::Watch};

/// Steps of SQLite's machine between two looks at the clock. Functions look at it themselves.
const STEPS: i32 = 1000;

/// Most bytes of a row or a value.
const LONGEST_ROW: i32 = 32 * 1024 * 1024;

/// Most bytes that all queries of this process together take from SQLite: a second guard, behind the bounds of events and
/// texts.
const MOST_MEMORY: i64 = 2 * 1024 * 1024 * 1024;

/// Events whose fields are remembered, and fields of them.
const SAMPLE: usize = 100;
const MOST_OTHERS: usize = 1000;

#[derive(Debug)]
pub(super) struct Engine {
    connection: Connection,
    insert: String,
    fields: Vec<String>,
    guard: Arc<Guard>,
}

/// Fills the table of events.
#[derive(Debug)]
pub(super) struct Loading<'e> {
    insert: rusqlite::Statement<'e>,
    fields: &'e [String],
    /// By field, whether an event had it.
    seen: Vec<bool>,
    /// Fields of the first [`SAMPLE`] events, which the query may have meant.
    others: BTreeSet<String>,
    loaded: usize,
}

/// The rows, and how many events matched.
pub(super) type Outcome = (Vec<Vec<(String, String)>>, f64);

impl Engine {
    /// An empty table of events for the fields of `plan`.
    pub(super) fn new(plan: &mut Plan, watch: &Watch) -> rusqlite::Result<Self> {
        let connection = Connection::open_in_memory()?;
        // Nothing of a log goes to a file.
        connection.pragma_update(None, "temp_store", "memory")?;
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST_ROW)?;
        connection.pragma_update(None, "hard_heap_limit", MOST_MEMORY)?;
        let guard = Arc::new(Guard::new(watch.clone()));
        functions::register(&connection, std::mem::take(&mut plan.regexes), &guard)?;
        aggregates::register(&connection)?;
        let mut engine = Self { connection, insert: String::new(), fields: std::mem::take(&mut plan.fields), guard };
        engine.create_table()?;
        let watch = watch.clone();
        engine.connection.progress_handler(STEPS, Some(move || watch.interrupted().is_some()))?;
        Ok(engine)
    }

    /// Takes events in. The table is there for no more than one of these.
    pub(super) fn loading(&self) -> rusqlite::Result<Loading<'_>> {
        let insert = self.connection.prepare(&self.insert)?;
        let seen = vec![false; self.fields.len()];
        Ok(Loading { insert, fields: &self.fields, seen, others: BTreeSet::new(), loaded: 0 })
    }

    pub(super) fn run(&self, plan: &Plan) -> rusqlite::Result<Outcome> {
        self.connection.execute(&plan.matching.sql, params_from_iter(&plan.matching.parameters))?;
        self.connection.execute_batch(&format!("DROP TABLE {EVENTS}"))?;
        let count = format!("SELECT CAST(count(*) AS REAL) FROM {MATCHED}");
        let matched = self.connection.query_row(&count, [], |row| row.get(0))?;
        let mut statement = self.connection.prepare(&plan.rows.sql)?;
        let mut found = statement.query(params_from_iter(&plan.rows.parameters))?;
        let (mut rows, mut bytes) = (Vec::new(), 0);
        // The row that is too much stays, so that the answer says so.
        while bytes <= answer::MOST_BYTES
            && let Some(row) = found.next()?
        {
            let mut cells = Vec::new();
            for (at, (name, kind)) in plan.columns.iter().enumerate() {
                cells.extend(cell(row.get_ref(at)?, *kind).map(|text| (name.clone(), text)));
            }
            bytes += answer::bytes(&cells);
            rows.push(cells);
        }
        Ok((rows, matched))
    }

    /// Whether a function made too long a text.
    pub(super) fn was_too_long(&self) -> bool {
        self.guard.was_too_long()
    }

    /// What the functions had to leave undone.
    pub(super) fn note(&self) -> Option<String> {
        self.guard.note()
    }

    fn create_table(&mut self) -> rusqlite::Result<()> {
        let columns: String = (0..self.fields.len()).map(|at| format!(", f{at}")).collect();
        let places: String = (0..self.fields.len()).map(|_| ", ?").collect();
        self.insert = format!("INSERT INTO {EVENTS} (time{columns}) VALUES (?{places})");
        // Columns without a type keep each value as it is.
        self.connection.execute_batch(&format!("CREATE TABLE {EVENTS} (id INTEGER PRIMARY KEY, time{columns})"))
    }
}

impl Loading<'_> {
    pub(super) fn insert(&mut self, event: &Event<'_>) -> rusqlite::Result<()> {
        self.insert.raw_bind_parameter(1, event.time)?;
        for (at, field) in self.fields.iter().enumerate() {
            let value = event.field(field);
            self.seen[at] |= value.is_some();
            self.insert.raw_bind_parameter(at + 2, value)?;
        }
        self.loaded += 1;
        if let Some(json) = event.json.as_ref().filter(|_| self.loaded <= SAMPLE) {
            json::each_field(json, &mut |name| {
                if self.others.len() < MOST_OTHERS {
                    self.others.insert(name.to_owned());
                }
            });
        }
        self.insert.raw_execute().map(|_| ())
    }

    /// What is to be said of fields that no event has and that are written nearly as one that some have.
    pub(super) fn slips(&self) -> Vec<String> {
        let missing = self.fields.iter().zip(&self.seen).filter(|(_, seen)| !**seen).map(|(field, _)| field);
        let meant = missing.filter_map(|field| Some((field, nearest(field, self.others.iter().map(String::as_str))?)));
        meant.map(|(field, other)| format!("no event here has the field `{field}`; did you mean `{other}`?")).collect()
    }
}

/// Whether SQLite gave up because something is too large.
pub(super) fn is_too_large(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::TooBig | ErrorCode::OutOfMemory))
}

fn cell(value: ValueRef<'_>, kind: Kind) -> Option<String> {
    match kind {
        // The largest of some times is a float, as any other largest number.
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and a time has no fraction")]
        Kind::Time => value::number(value).map(|millis| instant::shown(millis as i64)),
        Kind::Truth | Kind::Other => value::text(value).map(Cow::into_owned),
    }
}
