//! The rows of a query as a model reads them: typed in the structured content, a table in the text. Asks nothing of AWS.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::{
    found::{Found, Statistics},
    notes,
    query::{MAX_LIMIT, Query},
    table::Table,
    time_range::iso8601,
};

/// AWS adds this pointer to every row; it is of use to GetLogRecord only.
const POINTER: &str = "@ptr";

/// Most bytes of the cells and their names in one answer, which holds them twice: for programs and as a table.
pub(super) const MOST_BYTES: usize = 2 * 1024 * 1024;

/// No count of events or bytes reaches 2^63.
const MOST_COUNTED: f64 = 9_223_372_036_854_775_808.0;

/// Log groups that the text names; the structured content has all.
const NAMED_GROUPS: usize = 50;

/// The answer to `query_cloudwatch_insights`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    /// Id of the query at CloudWatch; absent where the logs are not there
    #[serde(skip_serializing_if = "Option::is_none")]
    query_id: Option<String>,
    /// The log groups that were queried
    log_groups: Vec<String>,
    /// Begin of the time range, ISO 8601
    start: String,
    /// End of the time range, ISO 8601
    end: String,
    /// Names of the columns, in order
    columns: Vec<String>,
    /// One object a row, keyed by column. A column has numbers if every value in it is written as JSON writes numbers
    /// (`1.5`, but not `1.50`, `007` or `1e3`), and texts otherwise; a field that a row lacks is absent
    rows: Vec<Map<String, Value>>,
    /// Whether there may be more rows: exactly `limit` rows came, or the answer is cut off because it is too long
    limit_reached: bool,
    #[serde(skip)]
    is_cut: bool,
    /// What else there is to know, such as files that were not read; often none
    notes: Vec<String>,
    /// What the query read; absent where CloudWatch does not say
    #[serde(skip_serializing_if = "Option::is_none")]
    statistics: Option<Scanned>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Scanned {
    /// Log events that matched
    records_matched: Number,
    /// Log events that were read
    records_scanned: Number,
    /// Bytes of the log events that were read: what the query is billed by
    bytes_scanned: Number,
}

impl Answer {
    pub(super) fn new(query: &Query, found: Found) -> Self {
        let Found { query_id, columns: known_columns, rows, statistics, mut notes } = found;
        let keep_pointer = query.text.contains(POINTER);
        let mut cells: Vec<Vec<_>> = rows.into_iter().map(|row| cells(row, keep_pointer)).collect();
        let columns = known_columns.unwrap_or_else(|| columns(&cells));
        let fit = fitting(&cells);
        let is_cut = fit < cells.len();
        if is_cut {
            cells.truncate(fit);
            notes.insert(0, cut(fit));
        }
        let limit_reached = is_cut || cells.len() >= usize::try_from(query.limit).unwrap_or(usize::MAX);
        Self {
            query_id,
            log_groups: query.log_groups.clone(),
            start: iso8601(query.range.start),
            end: iso8601(query.range.end),
            rows: typed(cells, &columns),
            columns,
            limit_reached,
            is_cut,
            notes,
            statistics: statistics.and_then(Scanned::of),
        }
    }

    pub(super) fn text(&self) -> String {
        let (rows, groups) = (self.rows.len(), self.groups());
        let mut text = format!("{rows} row(s) from {groups}, {} to {}\n", self.start, self.end);
        if self.limit_reached && !self.is_cut {
            text.push_str(&more(rows));
        }
        if rows > 0 {
            text.push_str(&format!("\n{}", self.table()));
        }
        if let Some(Scanned { records_matched, records_scanned, bytes_scanned }) = &self.statistics {
            text.push_str(&format!(
                "\nmatched {records_matched} of {records_scanned} records scanned ({bytes_scanned} bytes)\n"
            ));
        }
        text.push_str(&notes::text(&self.notes));
        text
    }

    /// The first ones, and how many more there are.
    fn groups(&self) -> String {
        let (first, others) = self.log_groups.split_at(self.log_groups.len().min(NAMED_GROUPS));
        let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
        format!("{}{more}", first.join(", "))
    }

    fn table(&self) -> Table {
        let cell = |value: Option<&Value>| match value {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let columns: Vec<_> = self.columns.iter().map(String::as_str).collect();
        let line = |row: &Map<String, Value>| columns.iter().map(|name| cell(row.get(*name))).collect();
        Table::new(&columns, self.rows.iter().map(line))
    }
}

/// Says that as many rows came as may come, and how to see the others.
fn more(rows: usize) -> String {
    let most = usize::try_from(MAX_LIMIT).is_ok_and(|most| rows >= most);
    let raise = if most { "it cannot be more" } else { "raise it" };
    format!(
        "There may be more rows: `limit` ({rows}) is reached; {raise}, narrow the time range, filter, or aggregate with \
         `stats`.\n"
    )
}

/// Bytes of a row in an answer.
pub(super) fn bytes(row: &[(String, String)]) -> usize {
    row.iter().map(|(name, value)| name.len() + value.len()).sum()
}

/// How many rows an answer can hold.
fn fitting(rows: &[Vec<(String, String)>]) -> usize {
    let mut total = 0;
    rows.iter()
        .take_while(|row| {
            total += bytes(row);
            total <= MOST_BYTES
        })
        .count()
}

fn cut(rows: usize) -> String {
    let most = MOST_BYTES / 1024 / 1024;
    format!(
        "the answer ends after {rows} row(s), because one answer holds {most} MiB; name fewer or shorter fields \
         (`display`, `substr`), or aggregate with `stats`"
    )
}

impl Scanned {
    /// AWS sends counts as floats. What is no count is not told.
    fn of(statistics: Statistics) -> Option<Self> {
        Some(Self {
            records_matched: count(statistics.records_matched)?,
            records_scanned: count(statistics.records_scanned)?,
            bytes_scanned: count(statistics.bytes_scanned)?,
        })
    }
}

fn count(value: f64) -> Option<Number> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range, and parts do not count")]
    let whole = (0.0..MOST_COUNTED).contains(&value).then(|| Number::from(value as u64));
    whole
}

fn cells(row: Vec<(String, String)>, keep_pointer: bool) -> Vec<(String, String)> {
    row.into_iter().filter(|(name, _)| keep_pointer || name != POINTER).collect()
}

/// The columns in the order in which rows first name them.
fn columns(rows: &[Vec<(String, String)>]) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let names = rows.iter().flatten().map(|(name, _)| name);
    names.filter(|name| seen.insert(*name)).cloned().collect()
}

fn typed(rows: Vec<Vec<(String, String)>>, columns: &[String]) -> Vec<Map<String, Value>> {
    // A column of which one cell is no number holds texts that look like numbers. So do the fields of AWS's own.
    let mut numeric: std::collections::HashSet<&str> =
        columns.iter().map(String::as_str).filter(|name| !name.starts_with('@')).collect();
    for (name, text) in rows.iter().flatten() {
        if number(text).is_none() {
            numeric.remove(name.as_str());
        }
    }
    let value = |name: &str, text: String| match number(&text) {
        Some(number) if numeric.contains(name) => Value::Number(number),
        _ => Value::String(text),
    };
    let typed =
        |row: Vec<(String, String)>| row.into_iter().map(|(name, text)| (name.clone(), value(&name, text))).collect();
    rows.into_iter().map(typed).collect()
}

/// A number that is written as JSON writes it, so that no digit is lost or added: not `007`, `1e3` or twenty digits.
fn number(text: &str) -> Option<Number> {
    let number: Number = serde_json::from_str(text).ok()?;
    let as_written = number.to_string() == text || number.is_f64() && number.to_string() == format!("{text}.0");
    as_written.then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudwatch_insights::time_range::TimeRange;

    fn answer(text: &str, rows: &[&[(&str, &str)]]) -> Answer {
        let range = TimeRange { start: 1_769_860_800, end: 1_769_864_400 };
        let query = Query { text: text.into(), log_groups: vec!["/a".into(), "/b".into()], range, limit: 2 };
        let field = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let rows = rows.iter().map(|row| row.iter().map(field).collect()).collect();
        Answer::new(&query, Found { query_id: Some("q".into()), columns: None, rows, statistics: None, notes: vec![] })
    }

    #[test]
    fn too_long_an_answer_is_cut_and_says_so() {
        let long = "x".repeat(MOST_BYTES / 2);
        let answer = answer("", &[&[("a", &long)], &[("a", &long)]]);
        assert_eq!((answer.rows.len(), answer.limit_reached), (1, true));
        let said = "\nnote: the answer ends after 1 row(s), because one answer holds 2 MiB; name fewer or shorter fields \
                    (`display`, `substr`), or aggregate with `stats`\n";
        assert!(answer.text().ends_with(said));
        assert!(!answer.text().contains("There may be more rows"));
    }

    #[test]
    fn counts() {
        assert_eq!(count(12.0), Some(Number::from(12)));
        for none in [-1.0, 1e30, f64::NAN, f64::INFINITY] {
            assert_eq!(count(none), None, "{none}");
        }
    }

    #[test]
    fn a_known_column_stays_without_values() {
        let range = TimeRange { start: 0, end: 1 };
        let query = Query { text: String::new(), log_groups: vec!["/a".into()], range, limit: 2 };
        let columns = Some(vec!["a".to_owned(), "b".to_owned()]);
        let rows = vec![vec![("b".to_owned(), "1".to_owned())]];
        let found = Found { query_id: None, columns, rows, statistics: None, notes: vec!["x".to_owned()] };
        insta::assert_snapshot!(Answer::new(&query, found).text(), @"
        1 row(s) from /a, 1970-01-01T00:00:00Z to 1970-01-01T00:00:01Z

        a | b
        - | -
          | 1

        note: x
        ");
    }

    #[test]
    fn rows_are_typed_by_column() {
        let answer = answer(
            "stats ...",
            &[
                &[("@message", "1"), ("n", "12"), ("avg", "0.5"), ("id", "007"), ("mix", "1"), ("@ptr", "x")],
                &[("@message", "2"), ("n", "-3"), ("id", "8"), ("mix", "a")],
            ],
        );
        insta::assert_snapshot!(serde_json::to_string(&answer.rows).unwrap(), @r#"[{"@message":"1","n":12,"avg":0.5,"id":"007","mix":"1"},{"@message":"2","n":-3,"id":"8","mix":"a"}]"#);
        assert_eq!(answer.columns, ["@message", "n", "avg", "id", "mix"]);
        assert!(answer.limit_reached);
    }

    #[test]
    fn the_pointer_stays_when_asked_for() {
        assert_eq!(answer("fields @ptr", &[&[("@ptr", "x")]]).columns, ["@ptr"]);
    }

    #[test]
    fn a_table_to_read() {
        let answer = answer("", &[&[("@timestamp", "2026-01-31 12:00:00.000"), ("@message", "a | b\nc\td\n")]]);
        insta::assert_snapshot!(answer.text(), @r#"
        1 row(s) from /a, /b, 2026-01-31T12:00:00Z to 2026-01-31T13:00:00Z

        @timestamp              | @message
        ----------------------- | -----------
        2026-01-31 12:00:00.000 | a \| b\nc d

        (Line breaks, tabs and `|` in cells are written `\n`, as a blank and `\|`.)
        "#);
    }

    #[test]
    fn a_reached_limit_is_said() {
        let answer = answer("", &[&[("n", "1")], &[("n", "2")]]);
        insta::assert_snapshot!(answer.text(), @"
        2 row(s) from /a, /b, 2026-01-31T12:00:00Z to 2026-01-31T13:00:00Z
        There may be more rows: `limit` (2) is reached; raise it, narrow the time range, filter, or aggregate with `stats`.

        n
        -
        1
        2
        ");
        insta::assert_snapshot!(more(10_000), @"There may be more rows: `limit` (10000) is reached; it cannot be more, narrow the time range, filter, or aggregate with `stats`.");
    }

    #[test]
    fn numbers_keep_their_digits() {
        for text in ["0", "-1", "0.5", "18446744073709551615", "1234567890123"] {
            assert_eq!(number(text).map(|number| number.to_string()).as_deref(), Some(text));
        }
        for text in ["007", "1e3", "1.50", "18446744073709551616", "NaN", "", " 1", "true"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
