//! Settings written as text: a JSON object or lines `NAME=value`. What cannot be read is described without quoting it,
//! because it may be a secret.

use std::{collections::HashMap, io::Cursor};

use serde_json::{Map, Value};

/// Names and values.
pub(super) type Values = HashMap<String, String>;

/// A text that holds no settings.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadContent {
    #[error("it begins like JSON and is none from line {line}, column {column} on")]
    Json { line: usize, column: usize },
    #[error("the value of `{0}` is an object; write a text, a number, a boolean or a list of texts")]
    Value(String),
    #[error("it is neither a JSON object nor lines `NAME=value`: line {0} cannot be read")]
    Line(usize),
}

/// Reads a JSON object where the text begins with `{`, else lines as in a `.env` file.
pub(super) fn parse(text: &str) -> Result<Values, BadContent> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('{') { from_json(text) } else { from_lines(text) }
}

fn from_json(text: &str) -> Result<Values, BadContent> {
    let object: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| BadContent::Json { line: error.line(), column: error.column() })?;
    let said = object.into_iter().filter(|(_, value)| !value.is_null());
    said.map(|(name, value)| plain(&value).map(|text| (name.clone(), text)).ok_or(BadContent::Value(name))).collect()
}

/// A list is written with commas, as the settings that are lists have it.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
            Some(items?.join(","))
        }
        Value::Object(_) | Value::Null => None,
    }
}

fn from_lines(text: &str) -> Result<Values, BadContent> {
    let mut values = Values::new();
    for line in dotenvy::from_read_iter(Cursor::new(text)) {
        let (name, value) = line.map_err(|error| BadContent::Line(line_of(&error, text)))?;
        // Of two lines with a name the first counts, as for every reader of such files.
        values.entry(name).or_insert(value);
    }
    Ok(values)
}

/// The number of the line that the error is about: it holds the line itself, which is not shown.
fn line_of(error: &dotenvy::Error, text: &str) -> usize {
    let dotenvy::Error::LineParse(line, _) = error else { return 1 };
    let first = line.lines().next().unwrap_or_default();
    text.lines().position(|candidate| candidate == first).unwrap_or_default() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(text: &str) -> Result<Vec<(String, String)>, String> {
        let mut values: Vec<_> = parse(text).map_err(|error| error.to_string())?.into_iter().collect();
        values.sort();
        Ok(values)
    }

    fn check(text: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> = expected.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        assert_eq!(sorted(text), Ok(expected), "{text}");
    }

    #[test]
    fn lines() {
        check("A=1\nexport B='two words' # why\n\n# C=3\n", &[("A", "1"), ("B", "two words")]);
        check("\u{feff}A=1\r\nA=2\r\n", &[("A", "1")]);
        check("ALLOWED_LOG_GROUPS=/a,/ecs/*\n", &[("ALLOWED_LOG_GROUPS", "/a,/ecs/*")]);
        check("", &[]);
    }

    #[test]
    fn json() {
        let text = r#" {"A": "x", "B": 5, "C": true, "D": ["/a", "/b*"], "E": null} "#;
        check(text, &[("A", "x"), ("B", "5"), ("C", "true"), ("D", "/a,/b*")]);
    }

    #[test]
    fn mistakes_are_placed_and_not_quoted() {
        let error = |text: &str| sorted(text).unwrap_err();
        insta::assert_snapshot!(error("{\"A\": \"hidden\",\n \"B\": hidden}"), @"it begins like JSON and is none from line 2, column 7 on");
        insta::assert_snapshot!(error(r#"{"A": {"B": "hidden"}}"#), @"the value of `A` is an object; write a text, a number, a boolean or a list of texts");
        insta::assert_snapshot!(error("A=1\n\nhidden words\n"), @"it is neither a JSON object nor lines `NAME=value`: line 3 cannot be read");
        insta::assert_snapshot!(error("A=1\nB='hidden\n\n"), @"it is neither a JSON object nor lines `NAME=value`: line 2 cannot be read");
    }
}
