//! The rows of a query as a model reads them: typed in the structured content, a table in the text. Asks nothing of AWS.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::{
    found::{Found, Statistics},
    query::{MAX_LIMIT, Query},
    table::Table,
    time_range::iso8601,
};

/// AWS adds this pointer to every row; it is of use to GetLogRecord only.
const POINTER: &str = "@ptr";

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
    /// One object a row, keyed by column. A column that holds numbers only has numbers; a field that a row lacks is
    /// absent
    rows: Vec<Map<String, Value>>,
    /// Whether there may be more rows than `limit` let through: exactly `limit` rows came
    limit_reached: bool,
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
        let Found { query_id, rows, statistics } = found;
        let keep_pointer = query.text.contains(POINTER);
        let cells: Vec<Vec<_>> = rows.into_iter().map(|row| cells(row, keep_pointer)).collect();
        let columns = columns(&cells);
        let limit_reached = cells.len() >= usize::try_from(query.limit).unwrap_or(usize::MAX);
        Self {
            query_id,
            log_groups: query.log_groups.clone(),
            start: iso8601(query.range.start),
            end: iso8601(query.range.end),
            rows: typed(cells, &columns),
            columns,
            limit_reached,
            statistics: statistics.map(Scanned::from),
        }
    }

    pub(super) fn text(&self) -> String {
        let (rows, groups) = (self.rows.len(), self.log_groups.join(", "));
        let mut text = format!("{rows} row(s) from {groups}, {} to {}\n", self.start, self.end);
        if self.limit_reached {
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
        text
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

impl From<Statistics> for Scanned {
    fn from(statistics: Statistics) -> Self {
        Self {
            records_matched: count(statistics.records_matched),
            records_scanned: count(statistics.records_scanned),
            bytes_scanned: count(statistics.bytes_scanned),
        }
    }
}

/// AWS sends counts as floats.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and a count is not negative"
)]
fn count(value: f64) -> Number {
    Number::from(value as u64)
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
        Answer::new(&query, Found { query_id: Some("q".into()), rows, statistics: None })
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
