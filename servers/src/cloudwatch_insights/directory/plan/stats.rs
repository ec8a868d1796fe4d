//! The command `stats`: groups, and aggregate functions over them, also inside of expressions. After it only what it
//! names is there.

use causeway_core::nearest::hint;
use rusqlite::types::Value;

use super::{
    Kind, Planner, Sql,
    expression::{binary_sql, kind_of},
};
use crate::cloudwatch_insights::directory::{
    functions,
    syntax::{Binary, Column, Expression, Mistake, Node, Unary},
};

const AGGREGATES: [&str; 12] = [
    "avg",
    "count",
    "count_distinct",
    "earliest",
    "latest",
    "max",
    "min",
    "pct",
    "sortsfirst",
    "sortslast",
    "stddev",
    "sum",
];

pub(super) fn is_aggregate(name: &str) -> bool {
    AGGREGATES.contains(&name)
}

impl Planner<'_> {
    pub(super) fn stats(&mut self, values: &[Column], by: &[Column]) -> Result<(), Mistake> {
        self.names_differ(by)?;
        self.names_differ(values)?;
        if let Some(Column { name, value }) = values.iter().find(|value| by.iter().any(|key| key.name == value.name)) {
            return Err(self.mistake(value, format!("`{name}` is in `by` too; give this value another name with `as`")));
        }
        let mut computed = Vec::new();
        for Column { value, .. } in by {
            let Sql { text, kind } = self.value(value)?;
            // Times stay numbers, for `dateceil`; of everything else `1` and `1.0` are one group.
            computed.push((if kind == Kind::Time { text } else { format!("shown({text})") }, kind));
        }
        let names = by.iter().map(|Column { name, .. }| name.clone());
        let keys: Vec<_> = names.zip(self.made(computed)).collect();
        let mut results = Vec::new();
        for Column { value, name } in values {
            let sql = self.aggregated(value, &keys)?;
            let column = format!("x{}", self.made);
            self.made += 1;
            results.push((name.clone(), sql, column));
        }
        self.group(&keys, &results);
        let results = results.into_iter().map(|(name, sql, text)| (name, Sql { text, kind: sql.kind }));
        self.order = order(&keys);
        self.scope = keys.into_iter().chain(results).collect();
        self.shown = self.scope.clone();
        (self.events, self.chosen) = (false, true);
        Ok(())
    }

    fn group(&mut self, keys: &[(String, Sql)], results: &[(String, Sql, String)]) {
        let keys: Vec<_> = keys.iter().map(|(_, key)| key.text.clone()).collect();
        let results = results.iter().map(|(_, sql, column)| format!("{} AS {column}", sql.text));
        let select: Vec<_> = keys.iter().cloned().chain(results).collect();
        let group = if keys.is_empty() { String::new() } else { format!(" GROUP BY {}", keys.join(", ")) };
        self.step(|from| format!("SELECT {} FROM {from}{group}", select.join(", ")));
    }

    /// A value of a group: aggregate functions, keys, constants, and what is computed of them.
    fn aggregated(&mut self, expression: &Expression, keys: &[(String, Sql)]) -> Result<Sql, Mistake> {
        if let Some((_, key)) = keys.iter().find(|(name, _)| *name == self.query[expression.span.clone()]) {
            return Ok(key.clone());
        }
        let other = |text| Ok(Sql { text, kind: Kind::Other });
        match &expression.node {
            Node::Call(name, arguments) if is_aggregate(name) => self.aggregate(name, arguments, expression),
            Node::Binary(left, operator, right) => {
                let (a, b) = (self.aggregated(left, keys)?, self.aggregated(right, keys)?);
                if matches!(operator, Binary::And | Binary::Or) {
                    let mut sides = [(&a, left), (&b, right)].into_iter();
                    if let Some((_, side)) = sides.find(|(sql, _)| sql.kind != Kind::Truth) {
                        return Err(self.no_condition(side));
                    }
                }
                Ok(Sql { text: binary_sql(&a.text, *operator, &b.text), kind: kind_of(*operator) })
            }
            Node::Unary(Unary::Negate, value) => other(format!("(-number({}))", self.aggregated(value, keys)?.text)),
            Node::Number(number) => other(self.parameter(Value::Real(*number))),
            Node::Field(name) => match keys.iter().find(|(key, _)| key == name) {
                Some((_, key)) => Ok(key.clone()),
                None => Err(self.mistake(
                    expression,
                    format!(
                        "`{name}` is neither in `by` nor in a function such as `count({name})` or `latest({name})`"
                    ),
                )),
            },
            Node::Call(name, arguments) => self.function_of_aggregates(name, arguments, expression, keys),
            _ => Err(self.mistake(expression, "`stats` takes aggregate functions and arithmetic with their values")),
        }
    }

    /// `round(avg(x), 2)` and the like.
    fn function_of_aggregates(
        &mut self,
        name: &str,
        arguments: &[Expression],
        call: &Expression,
        keys: &[(String, Sql)],
    ) -> Result<Sql, Mistake> {
        let Some(function) = functions::find(name) else {
            let known: Vec<_> = AGGREGATES.iter().map(|name| format!("`{name}`")).collect();
            let hint = hint(name, AGGREGATES.iter().copied().chain(functions::public_names()));
            let message = format!(
                "the function `{name}` is not available in `stats` with local log files{hint}; it has {}",
                known.join(", ")
            );
            return Err(self.mistake(call, message));
        };
        if !function.takes(arguments.len()) {
            let message = format!("`{name}` takes {}, and here are {}", function.arity(), arguments.len());
            return Err(self.mistake(call, message));
        }
        let mut values = Vec::new();
        for argument in arguments {
            let value = self.aggregated(argument, keys)?;
            if function.takes_texts && value.kind == Kind::Time {
                return Err(self.no_text(argument));
            }
            values.push(value.text);
        }
        Ok(Sql { text: format!("{}({})", functions::sql_name(name), values.join(", ")), kind: function.gives })
    }

    fn aggregate(&mut self, name: &str, arguments: &[Expression], call: &Expression) -> Result<Sql, Mistake> {
        let other = |text| Ok(Sql { text, kind: Kind::Other });
        match (name, arguments) {
            ("count", [] | [Expression { node: Node::Star, .. }]) => other("count(*)".into()),
            ("pct", [value, percent]) => {
                let percent = self.percent(percent)?;
                let value = self.value(value)?;
                Ok(Sql { text: format!("pct({}, {percent})", value.text), kind: value.kind })
            }
            ("pct", _) => Err(self.mistake(call, "`pct` takes a field and a percentage, as in `pct(latency, 95)`")),
            (_, [value]) => {
                let Sql { text: x, kind } = self.value(value)?;
                let newest =
                    || self.named("@timestamp").filter(|_| !self.events).map_or("time".into(), |time| time.text);
                match name {
                    "count" => other(format!("count({x})")),
                    "count_distinct" => other(format!("count(DISTINCT shown({x}))")),
                    "sum" => other(format!("sum(number({x}))")),
                    "avg" => other(format!("avg(number({x}))")),
                    "stddev" => other(format!("stddev({x})")),
                    "min" => {
                        Ok(Sql { text: format!("coalesce(min(number({x})), first_by(sort_key({x}), {x}))"), kind })
                    }
                    "max" => Ok(Sql { text: format!("coalesce(max(number({x})), last_by(sort_key({x}), {x}))"), kind }),
                    "sortsfirst" => Ok(Sql { text: format!("first_by(sort_key({x}), {x})"), kind }),
                    "sortslast" => Ok(Sql { text: format!("last_by(sort_key({x}), {x})"), kind }),
                    _ if !self.events && self.named("@timestamp").is_none() => {
                        let message =
                            format!("`{name}` needs `@timestamp`, which is not there after the first `stats`");
                        Err(self.mistake(call, message))
                    }
                    "earliest" => Ok(Sql { text: format!("first_by(sort_key({}), {x})", newest()), kind }),
                    _ => Ok(Sql { text: format!("last_by(sort_key({}), {x})", newest()), kind }),
                }
            }
            _ => Err(self.mistake(call, format!("`{name}` takes one field"))),
        }
    }

    fn percent(&self, expression: &Expression) -> Result<f64, Mistake> {
        match expression.node {
            Node::Number(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
            _ => Err(self.mistake(expression, "expected a percentage from 0 to 100")),
        }
    }
}

/// CloudWatch promises no order of groups; here the newest time is first, other keys ascend.
fn order(keys: &[(String, Sql)]) -> String {
    let term = |(_, key): &(String, Sql)| match key.kind {
        Kind::Time => format!("{} DESC", key.text),
        Kind::Truth | Kind::Other => format!("sort_key({}) ASC", key.text),
    };
    let terms: Vec<_> = keys.iter().map(term).collect();
    if terms.is_empty() { "1".to_owned() } else { terms.join(", ") }
}
