//! Expressions, by precedence: `or`, `and`, `not`, comparisons, `+ -`, `* / %`, `^`, unary `-`.

use super::Parser;
use crate::cloudwatch_insights::directory::{
    lexer::Token,
    syntax::{Binary, Expression, Mistake, Node, Unary},
};

/// Parentheses, calls and signs inside of each other.
const DEEPEST: usize = 50;

/// Operators in a query: SQLite bounds the depth of an expression.
const MOST_OPERATORS: usize = 250;

/// Values after `in`.
const MOST_VALUES: usize = 500;

/// Digits that every float holds.
const EXACT_DIGITS: usize = 15;

const COMPARISON: u8 = 4;
const NOT: u8 = 3;
const NEGATE: u8 = 8;

/// Words that are no fields.
const KEYWORDS: [&str; 9] = ["and", "or", "not", "like", "in", "as", "by", "asc", "desc"];

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Result<Expression, Mistake> {
        self.binding(0)
    }

    /// An expression whose operators bind at least as strongly as `least`.
    fn binding(&mut self, least: u8) -> Result<Expression, Mistake> {
        self.nesting += 1;
        if self.nesting > DEEPEST {
            return Err(self.mistake(format!("expressions are nested more than {DEEPEST} deep; write them flatter")));
        }
        let mut left = self.operand()?;
        loop {
            if let Some((operator, strength)) = self.operator(least)? {
                self.count_operator()?;
                // `^` groups to the right, the others to the left.
                let right = self.binding(if operator == Binary::Power { strength } else { strength + 1 })?;
                left = joined(left, operator, right);
            } else if least <= COMPARISON
                && let Some(negated) = self.membership()?
            {
                self.count_operator()?;
                left = self.tested(left, negated)?;
            } else {
                break;
            }
        }
        self.nesting -= 1;
        Ok(left)
    }

    /// Takes the next token if it is an operator that binds strongly enough.
    fn operator(&mut self, least: u8) -> Result<Option<(Binary, u8)>, Mistake> {
        let (token, at) = self.peek()?;
        let found = match &token {
            Token::Symbol("!~") => return Err(self.at(at.start, "`!~` is no operator; write `not like /.../`")),
            Token::Symbol(symbol) => symbol_operator(symbol),
            Token::Word(word) if word.eq_ignore_ascii_case("or") => Some((Binary::Or, 1)),
            Token::Word(word) if word.eq_ignore_ascii_case("and") => Some((Binary::And, 2)),
            _ => None,
        };
        let found = found.filter(|(_, strength)| *strength >= least);
        if found.is_some() {
            self.take()?;
        }
        Ok(found)
    }

    /// Whether `like`, `=~` or `in` follows, as `Some(negated)`. Takes the `not` before it, and nothing else.
    fn membership(&mut self) -> Result<Option<bool>, Mistake> {
        let is_test = |token: &Token| match token {
            Token::Word(word) => ["like", "in"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword)),
            Token::Symbol(symbol) => *symbol == "=~",
            _ => false,
        };
        if is_test(&self.peek()?.0) {
            return Ok(Some(false));
        }
        let mut ahead = self.lexer.clone();
        let negated = matches!(ahead.next()?.0, Token::Word(word) if word.eq_ignore_ascii_case("not"));
        if negated && is_test(&ahead.next()?.0) {
            self.take()?;
            return Ok(Some(true));
        }
        Ok(None)
    }

    fn tested(&mut self, value: Expression, negated: bool) -> Result<Expression, Mistake> {
        let (token, _) = self.take()?;
        let start = value.span.start;
        let value = Box::new(value);
        let node = match token {
            Token::Word(word) if word.eq_ignore_ascii_case("in") => Node::In(value, self.values()?),
            _ => Node::Like(value, self.pattern()?),
        };
        let test = Expression { span: start..self.last.end, node };
        Ok(if negated { unary(Unary::Not, start, test) } else { test })
    }

    fn values(&mut self) -> Result<Vec<Expression>, Mistake> {
        self.expect_symbol("[")?;
        let values = self.list(Self::expression)?;
        if values.len() > MOST_VALUES {
            return Err(self.mistake(format!("`in` has more than {MOST_VALUES} values; write fewer")));
        }
        self.expect_symbol("]")?;
        Ok(values)
    }

    fn operand(&mut self) -> Result<Expression, Mistake> {
        let (token, at) = self.take()?;
        let node = match token {
            Token::Symbol("(") => {
                let inner = self.expression()?;
                self.expect_symbol(")")?;
                return Ok(Expression { span: at.start..self.last.end, node: inner.node });
            }
            Token::Symbol("-") => return Ok(unary(Unary::Negate, at.start, self.binding(NEGATE)?)),
            Token::Word(word) if word.eq_ignore_ascii_case("not") => {
                self.count_operator()?;
                return Ok(unary(Unary::Not, at.start, self.binding(NOT)?));
            }
            Token::Word(word) => self.field_or_call(word, at.start)?,
            Token::Quoted(name) => Node::Field(name),
            Token::Text(text) => Node::Text(text),
            // As a float it would lose digits; as a text it compares by all of them, and is a number all the same.
            Token::Number(number) if number.len() > EXACT_DIGITS => Node::Text(number),
            Token::Number(number) => Node::Number(number.parse().map_err(|_| self.mistake("this is no number"))?),
            Token::Period(number, unit) => {
                let period = super::super::period::millis(&number, &unit);
                Node::Period(period.map_err(|message| self.at(at.start, message))?)
            }
            other => return Err(self.at(at.start, format!("expected a field or a value, found {other}"))),
        };
        Ok(Expression { span: at.start..self.last.end, node })
    }

    fn field_or_call(&mut self, word: String, start: usize) -> Result<Node, Mistake> {
        if self.takes_symbol("(")? {
            return Ok(Node::Call(word.to_ascii_lowercase(), self.arguments()?));
        }
        let lower = word.to_ascii_lowercase();
        if KEYWORDS.contains(&lower.as_str()) {
            let message =
                format!("expected a field or a value, found `{word}`; a field of that name is written `` `{word}` ``");
            return Err(self.at(start, message));
        }
        match lower.as_str() {
            "true" => Err(self.at(start, "`true` is no value; truth is `1`")),
            "false" => Err(self.at(start, "`false` is no value; it is `0`")),
            "null" => Err(self.at(start, "`null` is no value; ask with `ispresent(field)`")),
            _ => Ok(Node::Field(word)),
        }
    }

    fn arguments(&mut self) -> Result<Vec<Expression>, Mistake> {
        if self.takes_symbol(")")? {
            return Ok(Vec::new());
        }
        let arguments = match self.takes_symbol("*")? {
            true => vec![Expression { span: self.last.clone(), node: Node::Star }],
            false => self.list(Self::expression)?,
        };
        self.expect_symbol(")")?;
        Ok(arguments)
    }

    fn count_operator(&mut self) -> Result<(), Mistake> {
        self.operators += 1;
        match self.operators > MOST_OPERATORS {
            true => {
                Err(self.mistake(format!("the query has more than {MOST_OPERATORS} operators; `in [...]` may help")))
            }
            false => Ok(()),
        }
    }
}

fn symbol_operator(symbol: &str) -> Option<(Binary, u8)> {
    Some(match symbol {
        "=" => (Binary::Equal, COMPARISON),
        "!=" => (Binary::NotEqual, COMPARISON),
        "<" => (Binary::Less, COMPARISON),
        "<=" => (Binary::LessOrEqual, COMPARISON),
        ">" => (Binary::Greater, COMPARISON),
        ">=" => (Binary::GreaterOrEqual, COMPARISON),
        "+" => (Binary::Add, 5),
        "-" => (Binary::Subtract, 5),
        "*" => (Binary::Multiply, 6),
        "/" => (Binary::Divide, 6),
        "%" => (Binary::Remainder, 6),
        "^" => (Binary::Power, 7),
        _ => return None,
    })
}

fn joined(left: Expression, operator: Binary, right: Expression) -> Expression {
    let span = left.span.start..right.span.end;
    Expression { span, node: Node::Binary(Box::new(left), operator, Box::new(right)) }
}

fn unary(operator: Unary, start: usize, value: Expression) -> Expression {
    Expression { span: start..value.span.end, node: Node::Unary(operator, Box::new(value)) }
}
