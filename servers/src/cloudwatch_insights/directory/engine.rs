//! SQLite in memory, for one query: the table of events, the plan's two statements, the rows. Ends when told to.

use std::{borrow::Cow, sync::Arc};

use rusqlite::{Connection, Error, ErrorCode, limits::Limit, params_from_iter, types::ValueRef};

use super::{
    aggregates,
    events::Event,
    functions,
    guard::Guard,
    instant,
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
        Ok(Loading { insert: self.connection.prepare(&self.insert)?, fields: &self.fields })
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
            self.insert.raw_bind_parameter(at + 2, event.field(field))?;
        }
        self.insert.raw_execute().map(|_| ())
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
