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

use super::{plan::Kind, value};

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
    body: fn(&[ValueRef<'_>]) -> Value,
}

const fn function(
    name: &'static str,
    arguments: RangeInclusive<usize>,
    body: fn(&[ValueRef<'_>]) -> Value,
) -> Function {
    Function { name, arguments, gives: Kind::Other, body }
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
pub(super) fn register(connection: &Connection, regexes: Vec<Regex>) -> rusqlite::Result<()> {
    for Function { name, body, .. } in FUNCTIONS.into_iter().chain([number::INTERNAL]).flatten() {
        connection.create_scalar_function(&*sql_name(name), -1, PURE, |context| Ok(body(&values(context))))?;
    }
    let bytes = |context: &Context<'_>| Ok(value::sort_key(context.get_raw(0)));
    connection.create_scalar_function("sort_key", 1, PURE, bytes)?;
    let shown = |context: &Context<'_>| Ok(value::text(context.get_raw(0)).map(Cow::into_owned));
    connection.create_scalar_function("shown", 1, PURE, shown)?;
    let number = |context: &Context<'_>| Ok(value::number(context.get_raw(0)));
    connection.create_scalar_function("number", 1, PURE, number)?;
    let compare = |context: &Context<'_>| {
        Ok(value::compare(context.get_raw(0), context.get_raw(1)).map(|ordering| ordering as i64))
    };
    connection.create_scalar_function("compare", 2, PURE, compare)?;
    connection.create_scalar_function("one_of", -1, PURE, |context| Ok(one_of(&values(context))))?;
    register_regexes(connection, Arc::from(regexes))
}

fn register_regexes(connection: &Connection, regexes: Arc<[Regex]>) -> rusqlite::Result<()> {
    let all = regexes.clone();
    connection.create_scalar_function("matches", 2, PURE, move |context| {
        let regex = all.get(index(context, 1)?);
        Ok(regex.and_then(|regex| Some(regex.is_match(&value::text(context.get_raw(0))?))))
    })?;
    connection.create_scalar_function("capture", 3, PURE, move |context| {
        let (regex, group) = (regexes.get(index(context, 1)?), index(context, 2)?);
        let captured = |regex: &Regex| {
            let text = value::text(context.get_raw(0))?;
            Some(regex.captures(&text)?.get(group)?.as_str().to_owned())
        };
        Ok(regex.and_then(captured))
    })
}

/// A number that the planner wrote.
fn index(context: &Context<'_>, argument: usize) -> rusqlite::Result<usize> {
    Ok(usize::try_from(context.get::<i64>(argument)?).unwrap_or(usize::MAX))
}

fn values<'c>(context: &'c Context<'_>) -> Vec<ValueRef<'c>> {
    (0..context.len()).map(|at| context.get_raw(at)).collect()
}

/// Whether the first value equals one of the others; absent if it is absent itself.
fn one_of(values: &[ValueRef<'_>]) -> Option<bool> {
    let (first, others) = values.split_first()?;
    if *first == ValueRef::Null {
        return None;
    }
    Some(others.iter().any(|other| value::compare(*first, *other).is_some_and(std::cmp::Ordering::is_eq)))
}
