//! The functions of the query language that work on the values of one row, and those that the planner's SQL is made of.
//! Aggregates are in `aggregates.rs`.
//!
//! Source: the page `CWL_QuerySyntax-operations-functions` of the CloudWatch Logs user guide.

mod number;
mod text;

use std::{borrow::Cow, ops::RangeInclusive, sync::Arc};

use regex::Regex;
use rusqlite::{
    Connection,
    functions::{Context, FunctionFlags},
    types::{Value, ValueRef},
};

use super::{
    guard::{Guard, Halt, LONGEST},
    plan::Kind,
    value,
};

/// SQLite's own bound of arguments, less one.
const MANY: usize = 100;

/// The result does not depend on anything but the arguments.
const PURE: FunctionFlags = FunctionFlags::SQLITE_DETERMINISTIC.union(FunctionFlags::SQLITE_UTF8);

/// A function that a query can call.
pub(super) struct Function {
    /// In lower case.
    name: &'static str,
    arguments: RangeInclusive<usize>,
    pub(super) gives: Kind,
    /// Whether a time is no argument for it.
    pub(super) takes_texts: bool,
    body: Body,
}

enum Body {
    /// Its result is not longer than its arguments, or hardly.
    Short(fn(&[ValueRef<'_>]) -> Value),
    /// Its result may be, and is not made then.
    Long(fn(&[ValueRef<'_>]) -> Result<Value, TooLong>),
}

/// A text would have more than [`LONGEST`] bytes.
#[derive(Debug)]
struct TooLong;

const fn function(
    name: &'static str,
    arguments: RangeInclusive<usize>,
    body: fn(&[ValueRef<'_>]) -> Value,
) -> Function {
    Function { name, arguments, gives: Kind::Other, takes_texts: false, body: Body::Short(body) }
}

const fn condition(
    name: &'static str,
    arguments: RangeInclusive<usize>,
    body: fn(&[ValueRef<'_>]) -> Value,
) -> Function {
    Function { gives: Kind::Truth, ..function(name, arguments, body) }
}

const fn of_texts(function: Function) -> Function {
    Function { takes_texts: true, ..function }
}

const fn long(
    name: &'static str,
    arguments: RangeInclusive<usize>,
    body: fn(&[ValueRef<'_>]) -> Result<Value, TooLong>,
) -> Function {
    Function { name, arguments, gives: Kind::Other, takes_texts: true, body: Body::Long(body) }
}

const FUNCTIONS: [&[Function]; 2] = [number::FUNCTIONS, text::FUNCTIONS];

/// The function that a query calls `name`, in lower case.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.into_iter().flatten().find(|function| function.name == name)
}

pub(super) fn public_names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.into_iter().flatten().map(|function| function.name)
}

/// SQLite has functions of some of these names, and others by them.
pub(super) fn sql_name(name: &str) -> String {
    format!("cw_{name}")
}

impl Function {
    pub(super) fn takes(&self, count: usize) -> bool {
        self.arguments.contains(&count)
    }

    pub(super) fn arity(&self) -> String {
        match (*self.arguments.start(), *self.arguments.end()) {
            (1, 1) => "one argument".to_owned(),
            (least, MANY) => format!("{least} or more arguments"),
            (least, most) if least == most => format!("{least} arguments"),
            (least, most) => format!("{least} to {most} arguments"),
        }
    }
}

/// Makes all of them known to `connection`; `regexes` are those that the SQL calls by number.
pub(super) fn register(connection: &Connection, regexes: Vec<Regex>, guard: &Arc<Guard>) -> rusqlite::Result<()> {
    for Function { name, body, .. } in FUNCTIONS.into_iter().chain([number::INTERNAL]).flatten() {
        add(connection, guard, &sql_name(name), -1, move |values, guard| match body {
            Body::Short(body) => bounded(body(values), guard),
            Body::Long(body) => body(values).map_err(|TooLong| guard.too_long()),
        })?;
    }
    add(connection, guard, "sort_key", 1, |values, _| Ok(value::sort_key(values[0]).map_or(Value::Null, Value::Blob)))?;
    add(connection, guard, "shown", 1, |values, _| Ok(text(value::text(values[0]))))?;
    add(connection, guard, "number", 1, |values, _| Ok(value::number(values[0]).map_or(Value::Null, Value::Real)))?;
    add(connection, guard, "compare", 2, |values, _| {
        let ordering = value::compare(values[0], values[1]);
        Ok(ordering.map_or(Value::Null, |ordering| Value::Integer(ordering as i64)))
    })?;
    add(connection, guard, "one_of", -1, |values, _| Ok(truth(one_of(values))))?;
    register_regexes(connection, Arc::from(regexes), guard)
}

fn register_regexes(connection: &Connection, regexes: Arc<[Regex]>, guard: &Arc<Guard>) -> rusqlite::Result<()> {
    let all = regexes.clone();
    add(connection, guard, "matches", 2, move |values, guard| {
        let (Some(text), Some(regex)) = (value::text(values[0]), all.get(index(values[1]))) else {
            return Ok(Value::Null);
        };
        Ok(truth(Some(regex.is_match(guard.matched(&text)))))
    })?;
    add(connection, guard, "capture", 3, move |values, guard| {
        let (Some(whole), Some(regex)) = (value::text(values[0]), regexes.get(index(values[1]))) else {
            return Ok(Value::Null);
        };
        let captured = regex.captures(guard.matched(&whole)).and_then(|found| found.get(index(values[2])));
        Ok(text(captured.map(|found| found.as_str().into())))
    })
}

/// A function that does not work on when its query has to end.
fn add(
    connection: &Connection,
    guard: &Arc<Guard>,
    name: &str,
    arguments: i32,
    body: impl Fn(&[ValueRef<'_>], &Guard) -> Result<Value, Halt> + Send + 'static,
) -> rusqlite::Result<()> {
    let guard = guard.clone();
    connection.create_scalar_function(name, arguments, PURE, move |context: &Context<'_>| {
        guard.go_on()?;
        let values: Vec<_> = (0..context.len()).map(|at| context.get_raw(at)).collect();
        Ok(body(&values, &guard)?)
    })
}

fn bounded(value: Value, guard: &Guard) -> Result<Value, Halt> {
    match &value {
        Value::Text(text) if text.len() > LONGEST => Err(guard.too_long()),
        _ => Ok(value),
    }
}

fn fits(length: Option<usize>) -> Result<(), TooLong> {
    length.filter(|length| *length <= LONGEST).map(|_| ()).ok_or(TooLong)
}

fn text(text: Option<Cow<'_, str>>) -> Value {
    text.map_or(Value::Null, |text| Value::Text(text.into_owned()))
}

fn truth(truth: Option<bool>) -> Value {
    truth.map_or(Value::Null, |truth| Value::Integer(truth.into()))
}

/// A number that the planner wrote.
fn index(value: ValueRef<'_>) -> usize {
    value.as_i64().ok().and_then(|number| usize::try_from(number).ok()).unwrap_or(usize::MAX)
}

/// Whether the first value equals one of the others; absent if it is absent itself.
fn one_of(values: &[ValueRef<'_>]) -> Option<bool> {
    let (first, others) = values.split_first()?;
    if *first == ValueRef::Null {
        return None;
    }
    Some(others.iter().any(|other| value::compare(*first, *other).is_some_and(std::cmp::Ordering::is_eq)))
}
