//! Functions of texts. A number is the text that a row shows; what is absent has no result, but where the user guide says
//! otherwise.

use rusqlite::types::{Value, ValueRef};

use super::{Function, MANY, function};
use crate::cloudwatch_insights::directory::value::{number, text};

pub(super) const FUNCTIONS: &[Function] = &[
    function("concat", 1..=MANY, |values| of(values.iter().map(|value| text(*value)).collect())),
    function("isblank", 1..=1, |values| truth(text(values[0]).is_none_or(|text| text.trim().is_empty()))),
    function("isempty", 1..=1, |values| truth(text(values[0]).is_none_or(|text| text.is_empty()))),
    function("ltrim", 1..=2, |values| trimmed(values, true, false)),
    function("replace", 3..=3, replace),
    function("rtrim", 1..=2, |values| trimmed(values, false, true)),
    function("strcontains", 2..=2, contains),
    function("strlen", 1..=1, |values| text(values[0]).map_or(Value::Null, |text| count(text.chars().count()))),
    function("substr", 2..=3, substring),
    function("tolower", 1..=1, |values| of(text(values[0]).map(|text| text.to_lowercase()))),
    function("toupper", 1..=1, |values| of(text(values[0]).map(|text| text.to_uppercase()))),
    function("trim", 1..=2, |values| trimmed(values, true, true)),
];

fn of(text: Option<String>) -> Value {
    text.map_or(Value::Null, Value::Text)
}

fn truth(value: bool) -> Value {
    Value::Integer(value.into())
}

fn count(count: usize) -> Value {
    Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

fn contains(values: &[ValueRef<'_>]) -> Value {
    match (text(values[0]), text(values[1])) {
        (Some(text), Some(part)) => truth(text.contains(&*part)),
        _ => Value::Null,
    }
}

fn replace(values: &[ValueRef<'_>]) -> Value {
    match (text(values[0]), text(values[1]), text(values[2])) {
        // Nothing is in every place of a text.
        (Some(text), Some(old), Some(_)) if old.is_empty() => Value::Text(text.into_owned()),
        (Some(text), Some(old), Some(new)) => Value::Text(text.replace(&*old, &new)),
        _ => Value::Null,
    }
}

/// White space, or the characters of the second argument, in any order.
fn trimmed(values: &[ValueRef<'_>], left: bool, right: bool) -> Value {
    let Some(text) = text(values[0]) else { return Value::Null };
    let characters = match values.get(1) {
        None => None,
        Some(characters) => match self::text(*characters) {
            None => return Value::Null,
            characters => characters,
        },
    };
    let goes = |c: char| characters.as_ref().map_or(c.is_whitespace(), |characters| characters.contains(c));
    let rest = if left { text.trim_start_matches(goes) } else { &text };
    Value::Text(if right { rest.trim_end_matches(goes) } else { rest }.to_owned())
}

/// From an index that counts from 0, to the end or for a number of characters.
fn substring(values: &[ValueRef<'_>]) -> Value {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, and below 0 is 0")]
    let index = |value: &ValueRef<'_>| number(*value).map(|number| number as usize);
    let length = values.get(2).map_or(Some(usize::MAX), index);
    match (text(values[0]), index(&values[1]), length) {
        (Some(text), Some(from), Some(length)) => Value::Text(text.chars().skip(from).take(length).collect()),
        _ => Value::Null,
    }
}
