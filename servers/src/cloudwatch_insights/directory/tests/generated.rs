//! Queries made at random out of everything that the language has, up to five commands long: each has an answer or a
//! mistake with a place, and none is refused by SQLite. Says nothing of long queries, whose bounds are tested beside this.

use proptest::prelude::*;

use super::{WEB, WORKER, hour, logs, never};
use crate::cloudwatch_insights::directory::DirectoryError;

const LEAVES: [&str; 14] = [
    "level",
    "latency",
    "status",
    "@timestamp",
    "@message",
    "user.name",
    "`request-id`",
    "x",
    "12",
    "1.5",
    "'WARN'",
    "''",
    "12345678901234567890",
    "now()",
];

const OPERATORS: [&str; 14] = ["=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "^", "and", "or"];

const CALLS: [&str; 14] = [
    "abs(_)",
    "round(_, 1)",
    "strlen(_)",
    "toupper(_)",
    "substr(_, 1, 2)",
    "concat(_, 'a', _)",
    "coalesce(_, _)",
    "if(_ = 1, _, 0)",
    "case(_ > 1, 1, _ like 'a', 2)",
    "ispresent(_)",
    "datefloor(_, 5m)",
    "toMillis(_)",
    "bin(1m)",
    "replace(_, 'a', _)",
];

const TESTS: [&str; 6] =
    ["_ like 'a'", "_ like /(?i)a+/", "_ not like 'b'", "_ in [_, 1]", "_ not in ['a']", "_ =~ /x|y/"];

const AGGREGATES: [&str; 12] = [
    "count(*)",
    "count(_)",
    "count_distinct(_)",
    "sum(_)",
    "avg(_) + 1",
    "min(_)",
    "max(_) / count(*)",
    "pct(_, 90)",
    "stddev(_)",
    "earliest(_)",
    "latest(_)",
    "round(sortsLast(_), 2)",
];

/// `text` with a value in place of each `_`.
fn filled(text: &'static str, value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let places = text.matches('_').count() - text.matches("t_d").count();
    prop::collection::vec(value, places).prop_map(move |values| {
        let text = text.replace("count_distinct", "count\u{1}distinct");
        let filled = values.into_iter().fold(text, |text, value| text.replacen('_', &value, 1));
        filled.replace('\u{1}', "_")
    })
}

fn expression() -> impl Strategy<Value = String> {
    prop::sample::select(&LEAVES[..]).prop_map(str::to_owned).prop_recursive(3, 12, 3, |inner| {
        let joined = (inner.clone(), prop::sample::select(&OPERATORS[..]), inner.clone());
        let templates = prop::sample::select([&CALLS[..], &TESTS[..]].concat());
        let of = inner.clone();
        prop_oneof![
            joined.prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
            templates.prop_flat_map(move |template| filled(template, of.clone())).prop_map(|text| format!("({text})")),
            inner.clone().prop_map(|value| format!("not {value}")),
            inner.prop_map(|value| format!("-{value}")),
        ]
    })
}

fn command() -> impl Strategy<Value = String> {
    let aggregate = prop::sample::select(&AGGREGATES[..]).prop_flat_map(|template| filled(template, expression()));
    prop_oneof![
        (expression(), expression()).prop_map(|(a, b)| format!("fields {a} as x, {b}")),
        expression().prop_map(|value| format!("display {value}, level")),
        expression().prop_map(|value| format!("filter {value}")),
        (expression(), expression()).prop_map(|(a, b)| format!("filter {a} = 1 or not {b} > 2")),
        Just("parse @message '* *' as x, y".to_owned()),
        Just("parse level /(?<x>[A-Z])(?<z>E)?/".to_owned()),
        (aggregate, expression()).prop_map(|(value, key)| format!("stats {value} as x, count(*) by {key}, level")),
        (expression(), expression()).prop_map(|(a, b)| format!("sort {a} desc, {b}")),
        (1..9).prop_map(|rows| format!("limit {rows}")),
        expression().prop_map(|value| format!("dedup {value}, x")),
    ]
}

proptest! {
    #[test]
    fn every_query_has_an_answer_or_a_mistake(commands in prop::collection::vec(command(), 1..6)) {
        let text = commands.join("\n| ");
        match logs().query(&hour(&text, &[WEB, WORKER]), &never()) {
            Ok(_) => {}
            Err(DirectoryError::Query(mistake)) => prop_assert!(mistake.at.line <= commands.len(), "{}", mistake),
            Err(other) => prop_assert!(false, "{text}\n{other}"),
        }
    }
}
