//! Turns the commands of a query into SQL for SQLite: each command is one more `WITH` step, each text of the query a
//! bound parameter, each name of the query a column of ours. Runs nothing.

mod expression;
mod stats;

use regex::Regex;
use rusqlite::types::Value;

use super::syntax::{Action, Column as Named, Command, Direction, Expression, Mistake, Node};

/// The table of events: `id`, `time` in milliseconds, and a column for each field that the query names.
pub(super) const EVENTS: &str = "event";

/// The events that match, before they are counted, cut off or deduplicated.
pub(super) const MATCHED: &str = "matched";

/// Columns that a query may compute, and fields of events that it may name: SQLite bounds the width of a table.
const MOST_COMPUTED: usize = 100;
const MOST_FIELDS: usize = 200;

/// What an unsorted query shows first: the newest event, and of one time the last line.
const NEWEST_FIRST: &str = "time DESC, id DESC";

/// A query, ready to run.
#[derive(Debug)]
pub(super) struct Plan {
    /// Fields of events in the order of their columns `f0`, `f1`, ...
    pub(super) fields: Vec<String>,
    /// By the numbers that the SQL knows them by.
    pub(super) regexes: Vec<Regex>,
    /// Makes the table [`MATCHED`] out of [`EVENTS`].
    pub(super) matching: Statement,
    /// Reads the rows out of [`MATCHED`].
    pub(super) rows: Statement,
    /// What the rows hold.
    pub(super) columns: Vec<(String, Kind)>,
}

#[derive(Debug)]
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) parameters: Vec<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Milliseconds, shown as a date and a time.
    Time,
    /// 1 or 0: what a condition gives.
    Truth,
    Other,
}

/// An expression in SQL: a column's name, or something in parentheses.
#[derive(Clone, Debug)]
struct Sql {
    text: String,
    kind: Kind,
}

#[derive(Debug)]
struct Planner<'q> {
    query: &'q str,
    /// Seconds since the epoch: `now()`.
    now: i64,
    fields: Vec<String>,
    regexes: Vec<Regex>,
    parameters: Vec<Value>,
    /// The steps of the statement being written; `s0` is the first.
    steps: Vec<String>,
    /// Columns made so far.
    made: usize,
    /// Names that the query gave, and their columns; of equal names the last one holds.
    scope: Vec<(String, Sql)>,
    /// Whether the fields of events can be named: not after `stats`.
    events: bool,
    /// Terms of `ORDER BY`.
    order: String,
    /// What the rows will show.
    shown: Vec<(String, Sql)>,
    /// Whether a command said what to show, other than `parse`, which adds to it.
    chosen: bool,
}

/// Plans `commands` of `query`. `now` in seconds since the epoch, `limit` rows at most.
pub(super) fn plan(query: &str, commands: Vec<Command>, now: i64, limit: u32) -> Result<Plan, Mistake> {
    let mut planner = Planner {
        query,
        now,
        fields: Vec::new(),
        regexes: Vec::new(),
        parameters: Vec::new(),
        steps: vec![format!("SELECT * FROM {EVENTS}")],
        made: 0,
        scope: Vec::new(),
        events: true,
        order: NEWEST_FIRST.to_owned(),
        shown: Vec::new(),
        chosen: false,
    };
    let mut matching = None;
    for command in commands {
        let reduces = matches!(command.action, Action::Stats { .. } | Action::Limit(_) | Action::Dedup(_));
        if reduces && matching.is_none() {
            matching = Some(planner.matching());
        }
        planner.command(command.action)?;
        planner.within_bounds(command.span.start)?;
    }
    // The last look at the scope: it may name more fields of events.
    let columns = planner.columns();
    let matching = matching.unwrap_or_else(|| planner.matching());
    let rows = planner.rows(&columns, limit);
    let columns = columns.into_iter().map(|(name, column)| (name, column.kind)).collect();
    Ok(Plan { fields: planner.fields, regexes: planner.regexes, matching, rows, columns })
}

impl Planner<'_> {
    fn command(&mut self, action: Action) -> Result<(), Mistake> {
        match action {
            Action::Fields(columns) => self.fields(columns),
            Action::Display(columns) => {
                self.shown.clear();
                self.fields(columns)
            }
            Action::Filter(condition) => {
                let condition = self.condition(&condition)?;
                self.step(|from| format!("SELECT * FROM {from} WHERE {condition}"));
                Ok(())
            }
            Action::Parse { from, regex, names } => self.parse(&from, regex, names),
            Action::Stats { values, by } => self.stats(&values, &by),
            Action::Sort(keys) => self.sort(&keys),
            Action::Limit(rows) => {
                let order = self.order.clone();
                self.step(|from| format!("SELECT * FROM {from} ORDER BY {order} LIMIT {rows}"));
                Ok(())
            }
            Action::Dedup(keys) => self.dedup(&keys),
        }
    }

    /// Checked after each command, which itself is bounded by the length of a query.
    fn within_bounds(&self, command: usize) -> Result<(), Mistake> {
        let refused = |message: String| Err(Mistake::new(self.query, command, message));
        if self.made > MOST_COMPUTED {
            return refused(format!("the query computes more than {MOST_COMPUTED} columns; compute fewer"));
        }
        if self.fields.len() > MOST_FIELDS {
            return refused(format!("the query names more than {MOST_FIELDS} fields; name fewer"));
        }
        Ok(())
    }

    fn fields(&mut self, columns: Vec<Named>) -> Result<(), Mistake> {
        self.names_differ(&columns)?;
        let values: Vec<_> = columns.iter().map(|column| &column.value).collect();
        let values = self.columns_of(&values)?;
        for (Named { name, .. }, column) in columns.into_iter().zip(values) {
            self.scope.push((name.clone(), column.clone()));
            self.show(name, column);
        }
        self.chosen = true;
        Ok(())
    }

    /// A row has one value of a name.
    fn names_differ(&self, columns: &[Named]) -> Result<(), Mistake> {
        for (at, Named { name, value }) in columns.iter().enumerate() {
            if columns[..at].iter().any(|before| before.name == *name) {
                let message = format!("two columns are called `{name}`; give one of them another name with `as`");
                return Err(self.mistake(value, message));
            }
        }
        Ok(())
    }

    fn parse(&mut self, from: &Expression, regex: Regex, names: Vec<String>) -> Result<(), Mistake> {
        if let Some(name) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)).map(|found| found.1)
        {
            return Err(
                self.mistake(from, format!("`parse` gives two fields the name `{name}`; name them differently"))
            );
        }
        let from = self.text_of(from)?;
        // A glob's groups have no names and are all of its fields.
        let named = |name: &String| regex.capture_names().position(|group| group == Some(name));
        let groups: Vec<_> = names.iter().enumerate().map(|(at, name)| named(name).unwrap_or(at + 1)).collect();
        let number = self.regex(regex);
        let captured = groups.iter().map(|group| (format!("capture({from}, {number}, {group})"), Kind::Other));
        let columns = self.made(captured.collect());
        for (name, column) in names.into_iter().zip(columns) {
            self.scope.push((name.clone(), column.clone()));
            self.show(name, column);
        }
        Ok(())
    }

    fn sort(&mut self, keys: &[(Expression, Direction)]) -> Result<(), Mistake> {
        let values: Vec<_> = keys.iter().map(|(key, _)| key).collect();
        let columns = self.columns_of(&values)?;
        let term = |((_, direction), Sql { text, .. }): (&(Expression, Direction), Sql)| {
            let direction = if *direction == Direction::Descending { "DESC" } else { "ASC" };
            format!("sort_key({text}) {direction}")
        };
        let mut terms: Vec<_> = keys.iter().zip(columns).map(term).collect();
        // Equal rows stay in the order that they had.
        terms.push(std::mem::take(&mut self.order));
        self.order = terms.join(", ");
        Ok(())
    }

    /// An absent field equals nothing, so such events all stay.
    fn dedup(&mut self, keys: &[Expression]) -> Result<(), Mistake> {
        let keys = self.columns_of(&keys.iter().collect::<Vec<_>>())?;
        let group: Vec<_> = keys.iter().map(|key| format!("shown({})", key.text)).collect();
        let absent: Vec<_> = keys.iter().map(|key| format!("{} IS NULL", key.text)).collect();
        let number = format!("row_number() OVER (PARTITION BY {} ORDER BY {})", group.join(", "), self.order);
        let number = self.made(vec![(number, Kind::Other)]).remove(0).text;
        self.step(|from| format!("SELECT * FROM {from} WHERE {number} = 1 OR {}", absent.join(" OR ")));
        Ok(())
    }

    /// The values as columns, so that later steps can name them. None of them sees another one.
    fn columns_of(&mut self, values: &[&Expression]) -> Result<Vec<Sql>, Mistake> {
        let sql = values.iter().map(|value| self.value(value)).collect::<Result<Vec<_>, _>>()?;
        let is_column = |value: &Expression| matches!(value.node, Node::Field(_));
        let computed = values.iter().zip(&sql).filter(|(value, _)| !is_column(value));
        let mut made = self.made(computed.map(|(_, sql)| (sql.text.clone(), sql.kind)).collect()).into_iter();
        let column = |(value, sql): (&&Expression, Sql)| if is_column(value) { Some(sql) } else { made.next() };
        Ok(values.iter().zip(sql).filter_map(column).collect())
    }

    /// One step that adds a column for each value.
    fn made(&mut self, values: Vec<(String, Kind)>) -> Vec<Sql> {
        let mut added = String::new();
        let mut columns = Vec::new();
        for (value, kind) in values {
            let text = format!("x{}", self.made);
            self.made += 1;
            added.push_str(&format!(", {value} AS {text}"));
            columns.push(Sql { text, kind });
        }
        if !columns.is_empty() {
            self.step(|from| format!("SELECT *{added} FROM {from}"));
        }
        columns
    }

    /// The limit lets everything through, and keeps SQLite from writing one step into the next: values that use a value
    /// twice, step after step, would grow without bound.
    fn step(&mut self, select: impl FnOnce(&str) -> String) {
        let from = format!("s{}", self.steps.len() - 1);
        let select = select(&from);
        self.steps.push(if select.contains(" LIMIT ") { select } else { format!("{select} LIMIT -1") });
    }

    fn regex(&mut self, regex: Regex) -> usize {
        self.regexes.push(regex);
        self.regexes.len() - 1
    }

    fn parameter(&mut self, value: Value) -> String {
        self.parameters.push(value);
        format!("?{}", self.parameters.len())
    }

    fn show(&mut self, name: String, column: Sql) {
        match self.shown.iter_mut().find(|(shown, _)| *shown == name) {
            Some(shown) => shown.1 = column,
            None => self.shown.push((name, column)),
        }
    }

    /// Ends the first statement and begins the second.
    fn matching(&mut self) -> Statement {
        let statement = self.statement("SELECT * FROM");
        self.steps.push(format!("SELECT * FROM {MATCHED}"));
        Statement { sql: format!("CREATE TEMP TABLE {MATCHED} AS {}", statement.sql), ..statement }
    }

    fn statement(&mut self, select: &str) -> Statement {
        let steps: Vec<_> = self.steps.drain(..).enumerate().map(|(at, sql)| format!("s{at} AS ({sql})")).collect();
        let sql = format!("WITH {} {select} s{}", steps.join(",\n"), steps.len() - 1);
        Statement { sql, parameters: std::mem::take(&mut self.parameters) }
    }

    /// What the rows show: what was chosen, else time and message and what `parse` found.
    fn columns(&mut self) -> Vec<(String, Sql)> {
        let default = if self.chosen { [].as_slice() } else { &["@timestamp", "@message"] };
        let default: Vec<_> = default.iter().map(|name| ((*name).to_owned(), self.event_field(name))).collect();
        default.into_iter().chain(self.shown.drain(..)).collect()
    }

    fn rows(&mut self, columns: &[(String, Sql)], limit: u32) -> Statement {
        let select: Vec<_> = columns.iter().map(|(_, column)| column.text.as_str()).collect();
        let mut statement = self.statement(&format!("SELECT {} FROM", select.join(", ")));
        statement.sql.push_str(&format!(" ORDER BY {} LIMIT {limit}", self.order));
        statement
    }
}
