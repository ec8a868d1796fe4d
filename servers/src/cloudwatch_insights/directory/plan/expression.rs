//! Expressions in SQL. Comparisons and arithmetic go through functions of ours, because a number in a log may be a text;
//! what is absent stays `NULL` throughout, which is neither true nor false.

use causeway_core::nearest::hint;
use rusqlite::types::Value;

use super::{Kind, Planner, Sql};
use crate::cloudwatch_insights::directory::{
    SYSTEM_FIELDS, functions,
    syntax::{Binary, Expression, Mistake, Node, Pattern, Unary},
};

/// The functions that are SQL of their own, beside those of `functions.rs`.
const SPECIAL: [&str; 8] = ["bin", "case", "coalesce", "dateceil", "datefloor", "if", "ispresent", "now"];

impl Planner<'_> {
    pub(super) fn value(&mut self, expression: &Expression) -> Result<Sql, Mistake> {
        let other = |text: String| Ok(Sql { text, kind: Kind::Other });
        let truth = |text: String| Ok(Sql { text, kind: Kind::Truth });
        match &expression.node {
            Node::Field(name) => self.field(name, expression),
            Node::Text(text) => other(self.parameter(Value::Text(text.clone()))),
            Node::Number(number) => other(self.parameter(Value::Real(*number))),
            Node::Period(_) => {
                Err(self.mistake(expression, "a period stands in `bin`, `datefloor` or `dateceil` only"))
            }
            Node::Star => Err(self.mistake(expression, "`*` stands in `count(*)` only")),
            Node::Unary(Unary::Not, value) => truth(format!("(NOT {})", self.condition(value)?)),
            Node::Unary(Unary::Negate, value) => other(format!("(-number({}))", self.value(value)?.text)),
            Node::Binary(left, operator @ (Binary::And | Binary::Or), right) => {
                let a = self.condition(left)?;
                let b = match operator {
                    Binary::Or => self.alternative(right, left)?,
                    _ => self.condition(right)?,
                };
                truth(binary_sql(&a, *operator, &b))
            }
            Node::Binary(left, operator, right) => self.binary(left, *operator, right),
            Node::Like(value, Pattern::Text(text)) => {
                let value = self.text_of(value)?;
                truth(format!("cw_strcontains({value}, {})", self.parameter(Value::Text(text.clone()))))
            }
            Node::Like(value, Pattern::Regex(regex)) => {
                let value = self.text_of(value)?;
                truth(format!("matches({value}, {})", self.regex(regex.clone())))
            }
            Node::In(value, values) => {
                let one = self.value(value)?;
                let mut texts = vec![one.text.clone()];
                for other in values {
                    let sql = self.value(other)?;
                    self.times_compare((&one, value), (&sql, other))?;
                    texts.push(sql.text);
                }
                truth(format!("one_of({})", texts.join(", ")))
            }
            Node::Call(name, arguments) => self.call(name, arguments, expression),
        }
    }

    /// What is true or not. Anything else is refused: AWS would have to guess too.
    pub(super) fn condition(&mut self, expression: &Expression) -> Result<String, Mistake> {
        let sql = self.value(expression)?;
        if sql.kind == Kind::Truth { Ok(sql.text) } else { Err(self.no_condition(expression)) }
    }

    /// A condition after `or`; what was left out of it may stand in the one before.
    fn alternative(&mut self, expression: &Expression, before: &Expression) -> Result<String, Mistake> {
        let sql = self.value(expression)?;
        if sql.kind == Kind::Truth {
            return Ok(sql.text);
        }
        let before = if let Node::Binary(_, Binary::And | Binary::Or, last) = &before.node { last } else { before };
        let (Node::Binary(field, Binary::Equal, first), Node::Text(_) | Node::Number(_)) =
            (&before.node, &expression.node)
        else {
            return Err(self.no_condition(expression));
        };
        let [field, first, value] = [&**field, &**first, expression].map(|part| &self.query[part.span.clone()]);
        let message = format!("`{value}` is no condition; write `{field} in [{first}, {value}]`");
        Err(self.mistake(expression, message))
    }

    pub(super) fn no_condition(&self, expression: &Expression) -> Mistake {
        let written = &self.query[expression.span.clone()];
        let instead = match expression.node {
            Node::Field(_) => format!("`ispresent({written})`, or compare it, as in `{written} = 1`"),
            Node::Text(_) | Node::Number(_) => format!("what is compared with it, as in `field = {written}`"),
            _ => format!("a comparison, as in `{written} > 0`"),
        };
        self.mistake(expression, format!("`{written}` is no condition; write {instead}"))
    }

    /// The value for a function of texts. A time is shown in another form than it is kept in, so it is refused.
    pub(super) fn text_of(&mut self, expression: &Expression) -> Result<String, Mistake> {
        let sql = self.value(expression)?;
        if sql.kind != Kind::Time {
            return Ok(sql.text);
        }
        Err(self.no_text(expression))
    }

    pub(super) fn no_text(&self, expression: &Expression) -> Mistake {
        let written = &self.query[expression.span.clone()];
        let message = format!(
            "`{written}` is a time and no text; compare it with milliseconds since the epoch, group it with `bin`, or \
             choose the time range with `start` and `end`"
        );
        self.mistake(expression, message)
    }

    fn times_compare(&self, (a, left): (&Sql, &Expression), (b, right): (&Sql, &Expression)) -> Result<(), Mistake> {
        let text_of_time = |kind: Kind, other: &Expression| kind == Kind::Time && matches!(other.node, Node::Text(_));
        if text_of_time(a.kind, right) || text_of_time(b.kind, left) {
            let message = "a time compares with milliseconds since the epoch, not with a text; `start` and `end` choose \
                           the time range";
            return Err(self.mistake(left, message));
        }
        Ok(())
    }

    pub(super) fn mistake(&self, at: &Expression, message: impl Into<String>) -> Mistake {
        Mistake::new(self.query, at.span.start, message)
    }

    /// What a name of the query stands for, if the query made it.
    pub(super) fn named(&self, name: &str) -> Option<Sql> {
        self.scope.iter().rev().find(|(known, _)| known == name).map(|(_, column)| column.clone())
    }

    /// A column of the table of events.
    pub(super) fn event_field(&mut self, name: &str) -> Sql {
        if name == "@timestamp" {
            return Sql { text: "time".into(), kind: Kind::Time };
        }
        let at = self.fields.iter().position(|field| field == name).unwrap_or_else(|| {
            self.fields.push(name.to_owned());
            self.fields.len() - 1
        });
        Sql { text: format!("f{at}"), kind: if name == "@ingestionTime" { Kind::Time } else { Kind::Other } }
    }

    fn field(&mut self, name: &str, expression: &Expression) -> Result<Sql, Mistake> {
        match self.named(name) {
            Some(column) => Ok(column),
            None if self.events && is_unknown(name) => {
                let known = SYSTEM_FIELDS.map(|name| format!("`{name}`")).join(", ");
                let hint = hint(name, SYSTEM_FIELDS);
                let message = format!(
                    "there is no field `{name}` with local log files{hint}; those that start with `@` are {known}, and \
                     a member of that name in a JSON line is `@{name}`"
                );
                Err(self.mistake(expression, message))
            }
            None if self.events => Ok(self.event_field(name)),
            None => {
                let hint = hint(name, self.scope.iter().map(|(name, _)| name.as_str()));
                let known: Vec<_> = self.scope.iter().map(|(name, _)| format!("`{name}`")).collect();
                let message = format!("after `stats` there is no field `{name}`{hint}; there are {}", known.join(", "));
                Err(self.mistake(expression, message))
            }
        }
    }

    fn binary(&mut self, left: &Expression, operator: Binary, right: &Expression) -> Result<Sql, Mistake> {
        let (a, b) = (self.value(left)?, self.value(right)?);
        self.times_compare((&a, left), (&b, right))?;
        Ok(Sql { text: binary_sql(&a.text, operator, &b.text), kind: kind_of(operator) })
    }

    fn call(&mut self, name: &str, arguments: &[Expression], call: &Expression) -> Result<Sql, Mistake> {
        // After `stats`, `count(*)` is the name of a column.
        if let Some(column) = self.written_as(call) {
            return Ok(column);
        }
        if super::stats::is_aggregate(name) {
            return Err(self.mistake(call, format!("`{name}` stands in `stats` only; name its value there with `as`")));
        }
        if SPECIAL.contains(&name) {
            return self.special(name, arguments, call);
        }
        let Some(function) = functions::find(name) else {
            return Err(self.mistake(call, unknown(name)));
        };
        if !function.takes(arguments.len()) {
            let message = format!("`{name}` takes {}, and here are {}", function.arity(), arguments.len());
            return Err(self.mistake(call, message));
        }
        let value = |value| if function.takes_texts { self.text_of(value) } else { Ok(self.value(value)?.text) };
        let values = arguments.iter().map(value).collect::<Result<Vec<_>, _>>()?;
        Ok(Sql { text: format!("{}({})", functions::sql_name(name), values.join(", ")), kind: function.gives })
    }

    fn special(&mut self, name: &str, arguments: &[Expression], call: &Expression) -> Result<Sql, Mistake> {
        let other = |text| Ok(Sql { text, kind: Kind::Other });
        match (name, arguments) {
            ("now", []) => other(self.now.to_string()),
            ("ispresent", [value]) => {
                Ok(Sql { text: format!("({} IS NOT NULL)", self.value(value)?.text), kind: Kind::Truth })
            }
            ("coalesce", [_, ..]) => self.coalesce(arguments),
            ("if", [condition, yes, no]) => self.case(&[condition, yes, no]),
            ("case", [_, _, ..]) => self.case(&arguments.iter().collect::<Vec<_>>()),
            ("bin", [Expression { node: Node::Period(period), .. }]) => {
                let time = Expression { span: call.span.clone(), node: Node::Field("@timestamp".into()) };
                let time = self.value(&time)?.text;
                Ok(Sql { text: format!("cw_floor_to({time}, {period})"), kind: Kind::Time })
            }
            ("datefloor", [time, Expression { node: Node::Period(period), .. }]) => {
                Ok(Sql { text: format!("cw_floor_to({}, {period})", self.value(time)?.text), kind: Kind::Time })
            }
            ("dateceil", [time, Expression { node: Node::Period(period), .. }]) => {
                Ok(Sql { text: format!("cw_ceil_to({}, {period})", self.value(time)?.text), kind: Kind::Time })
            }
            _ => Err(self.mistake(call, usage(name))),
        }
    }

    fn coalesce(&mut self, values: &[Expression]) -> Result<Sql, Mistake> {
        let values = values.iter().map(|value| self.value(value)).collect::<Result<Vec<_>, _>>()?;
        let kind = common(values.iter().map(|value| value.kind));
        let texts: Vec<_> = values.into_iter().map(|value| value.text).collect();
        // SQLite's own wants two values at least.
        Ok(Sql { text: format!("coalesce({}, NULL)", texts.join(", ")), kind })
    }

    fn case(&mut self, arguments: &[&Expression]) -> Result<Sql, Mistake> {
        let (mut text, mut kinds) = ("(CASE".to_owned(), Vec::new());
        for branch in arguments.chunks(2) {
            match branch {
                [condition, value] => {
                    let (condition, value) = (self.condition(condition)?, self.value(value)?);
                    text.push_str(&format!(" WHEN {condition} THEN {}", value.text));
                    kinds.push(value.kind);
                }
                _ => {
                    let value = self.value(branch[0])?;
                    text.push_str(&format!(" ELSE {}", value.text));
                    kinds.push(value.kind);
                }
            }
        }
        text.push_str(" END)");
        Ok(Sql { text, kind: common(kinds) })
    }

    /// The column that is called as `expression` is written, blanks and capitals aside.
    pub(super) fn written_as(&self, expression: &Expression) -> Option<Sql> {
        let plain = |text: &str| -> String {
            text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect()
        };
        let written = plain(&self.query[expression.span.clone()]);
        self.scope.iter().rev().find(|(name, _)| plain(name) == written).map(|(_, column)| column.clone())
    }
}

/// Events have no other ones of CloudWatch's own.
fn is_unknown(name: &str) -> bool {
    name.starts_with('@') && !name.starts_with("@@") && !SYSTEM_FIELDS.contains(&name)
}

/// The kind that all values have.
fn common(kinds: impl IntoIterator<Item = Kind>) -> Kind {
    kinds.into_iter().reduce(|a, b| if a == b { a } else { Kind::Other }).unwrap_or(Kind::Other)
}

pub(super) fn kind_of(operator: Binary) -> Kind {
    match operator {
        Binary::Or
        | Binary::And
        | Binary::Equal
        | Binary::NotEqual
        | Binary::Less
        | Binary::LessOrEqual
        | Binary::Greater
        | Binary::GreaterOrEqual => Kind::Truth,
        Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Remainder | Binary::Power => {
            Kind::Other
        }
    }
}

pub(super) fn binary_sql(a: &str, operator: Binary, b: &str) -> String {
    let compared = |test: &str| format!("(compare({a}, {b}) {test} 0)");
    let computed = |symbol: &str| format!("(number({a}) {symbol} number({b}))");
    match operator {
        Binary::Or => format!("({a} OR {b})"),
        Binary::And => format!("({a} AND {b})"),
        Binary::Equal => compared("="),
        Binary::NotEqual => compared("<>"),
        Binary::Less => compared("<"),
        Binary::LessOrEqual => compared("<="),
        Binary::Greater => compared(">"),
        Binary::GreaterOrEqual => compared(">="),
        Binary::Add => computed("+"),
        Binary::Subtract => computed("-"),
        Binary::Multiply => computed("*"),
        Binary::Divide => computed("/"),
        Binary::Remainder => format!("cw_remainder({a}, {b})"),
        Binary::Power => format!("cw_power({a}, {b})"),
    }
}

fn usage(name: &str) -> &'static str {
    match name {
        "bin" => "`bin` takes a period, as in `bin(5m)`",
        "datefloor" | "dateceil" => "this function takes a time and a period, as in `datefloor(@timestamp, 1h)`",
        "ispresent" => "`ispresent` takes one field",
        "coalesce" => "`coalesce` takes one field or more",
        "if" => "`if` takes a condition, a value if it is true and one if not",
        "case" => "`case` takes conditions and values in turn, as in `case(status >= 500, 'bad', 'good')`",
        _ => "`now` takes no argument",
    }
}

fn unknown(name: &str) -> String {
    if name == "jsonparse" {
        return "the function `jsonParse` is not available with local log files; fields of JSON lines are there \
                by their path, as in `request.headers.host` or `items.0.id`"
            .to_owned();
    }
    let mut known: Vec<_> = functions::public_names().chain(SPECIAL).collect();
    known.sort_unstable();
    let hint = hint(name, known.iter().copied());
    let known: Vec<_> = known.into_iter().map(|name| format!("`{name}`")).collect();
    format!("the function `{name}` is not available with local log files{hint}; the functions are {}", known.join(", "))
}
