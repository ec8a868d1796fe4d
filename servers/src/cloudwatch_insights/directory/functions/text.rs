//! Functions of texts. A number is the text that a row shows; what is absent has no result, but where the user guide says
//! otherwise.

use std::collections::HashSet;

use rusqlite::types::{Value, ValueRef};

use super::{Function, MANY, TooLong, condition, fits, function, long, of_texts};
use crate::cloudwatch_insights::directory::value::{number, text};

pub(super) const FUNCTIONS: &[Function] = &[
    long("concat", 1..=MANY, concat),
    condition("isblank", 1..=1, |values| truth(text(values[0]).is_none_or(|text| text.trim().is_empty()))),
    condition("isempty", 1..=1, |values| truth(text(values[0]).is_none_or(|text| text.is_empty()))),
    of_texts(function("ltrim", 1..=2, |values| trimmed(values, true, false))),
    long("replace", 3..=3, replace),
    of_texts(function("rtrim", 1..=2, |values| trimmed(values, false, true))),
    of_texts(condition("strcontains", 2..=2, contains)),
    of_texts(function("strlen", 1..=1, |values| {
        text(values[0]).map_or(Value::Null, |text| count(text.chars().count()))
    })),
    of_texts(function("substr", 2..=3, substring)),
    of_texts(function("tolower", 1..=1, |values| of(text(values[0]).map(|text| text.to_lowercase())))),
    of_texts(function("toupper", 1..=1, |values| of(text(values[0]).map(|text| text.to_uppercase())))),
    of_texts(function("trim", 1..=2, |values| trimmed(values, true, true))),
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

fn concat(values: &[ValueRef<'_>]) -> Result<Value, TooLong> {
    let mut whole = String::new();
    for value in values {
        let Some(part) = text(*value) else { return Ok(Value::Null) };
        fits(Some(whole.len() + part.len()))?;
        whole.push_str(&part);
    }
    Ok(Value::Text(whole))
}

fn replace(values: &[ValueRef<'_>]) -> Result<Value, TooLong> {
    Ok(match (text(values[0]), text(values[1]), text(values[2])) {
        // Nothing is in every place of a text.
        (Some(text), Some(old), Some(_)) if old.is_empty() => Value::Text(text.into_owned()),
        (Some(text), Some(old), Some(new)) => {
            let found = text.matches(&*old).count();
            let added = found.checked_mul(new.len()).and_then(|added| added.checked_add(text.len()));
            fits(added.map(|length| length - found * old.len()))?;
            Value::Text(text.replace(&*old, &new))
        }
        _ => Value::Null,
    })
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
    let characters: Option<HashSet<char>> = characters.map(|characters| characters.chars().collect());
    let goes = |c: char| characters.as_ref().map_or(c.is_whitespace(), |characters| characters.contains(&c));
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
