//! Functions of numbers and times. What is no number has no result.

use rusqlite::types::{Value, ValueRef};

use super::{Function, MANY, condition, function};
use crate::cloudwatch_insights::directory::{
    plan::Kind,
    value::{finite, number},
};

pub(super) const FUNCTIONS: &[Function] = &[
    function("abs", 1..=1, |values| of_one(values, f64::abs)),
    function("ceil", 1..=1, |values| of_one(values, f64::ceil)),
    function("floor", 1..=1, |values| of_one(values, f64::floor)),
    function("greatest", 1..=MANY, |values| of_all(values, f64::max)),
    condition("isnumeric", 1..=1, |values| Value::Integer(number(values[0]).is_some().into())),
    function("least", 1..=MANY, |values| of_all(values, f64::min)),
    function("log", 1..=1, |values| of_one(values, f64::ln)),
    function("round", 1..=2, round),
    function("sqrt", 1..=1, |values| of_one(values, f64::sqrt)),
    function("tomillis", 1..=1, |values| of_one(values, |millis| millis)),
    Function { gives: Kind::Time, ..function("frommillis", 1..=1, from_millis) },
];

/// Operators and helpers of the planner's SQL; a query cannot call them.
pub(super) const INTERNAL: &[Function] = &[
    function("remainder", 2..=2, |values| of_two(values, |a, b| a % b)),
    function("power", 2..=2, |values| of_two(values, f64::powf)),
    function("floor_to", 2..=2, |values| to_period(values, |time, period| time.div_euclid(period) * period)),
    function("ceil_to", 2..=2, |values| to_period(values, |time, period| -((-time).div_euclid(period)) * period)),
];

fn of_one(values: &[ValueRef<'_>], compute: fn(f64) -> f64) -> Value {
    number(values[0]).map_or(Value::Null, |number| finite(compute(number)))
}

fn of_two(values: &[ValueRef<'_>], compute: fn(f64, f64) -> f64) -> Value {
    match (number(values[0]), number(values[1])) {
        (Some(a), Some(b)) => finite(compute(a, b)),
        _ => Value::Null,
    }
}

/// Absent if one of the values is no number: SQLite's `max` and `min` of several values do the same with `NULL`.
fn of_all(values: &[ValueRef<'_>], compute: fn(f64, f64) -> f64) -> Value {
    let numbers: Option<Vec<_>> = values.iter().map(|value| number(*value)).collect();
    numbers.and_then(|numbers| numbers.into_iter().reduce(compute)).map_or(Value::Null, finite)
}

/// Halves go away from zero.
fn round(values: &[ValueRef<'_>]) -> Value {
    let places = values.get(1).map_or(Some(0.0), |places| number(*places));
    match (number(values[0]), places) {
        (Some(value), Some(places)) if places.abs() <= 15.0 => {
            let scale = 10_f64.powf(places.trunc());
            finite((value * scale).round() / scale)
        }
        _ => Value::Null,
    }
}

fn from_millis(values: &[ValueRef<'_>]) -> Value {
    number(values[0]).and_then(whole).map_or(Value::Null, Value::Integer)
}

fn to_period(values: &[ValueRef<'_>], compute: fn(i64, i64) -> i64) -> Value {
    match (number(values[0]).and_then(whole), number(values[1]).and_then(whole)) {
        (Some(time), Some(period)) if period > 0 => Value::Integer(compute(time, period)),
        _ => Value::Null,
    }
}

/// Milliseconds, where they are not absurd.
#[expect(clippy::cast_possible_truncation, reason = "the bound is far below that of the integer")]
fn whole(number: f64) -> Option<i64> {
    (number.abs() < 1e15).then_some(number as i64)
}
