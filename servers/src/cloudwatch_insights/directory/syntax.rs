//! A query as the parser reads it: commands and the expressions in them, each with its place in the text. Says nothing
//! of what they mean.

use std::ops::Range;

use regex::Regex;

/// A place in a query, for people: both count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// What is wrong with a query, and where. Lower case, with the next step.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {message}", .at.line, .at.column)]
pub(crate) struct Mistake {
    pub(crate) at: Position,
    pub(crate) message: String,
}

/// One command between pipes.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) span: Range<usize>,
    pub(super) action: Action,
}

#[derive(Debug)]
pub(super) enum Action {
    Fields(Vec<Column>),
    Display(Vec<Column>),
    Filter(Expression),
    /// Without names in the expression, the fields are its groups in order.
    Parse {
        from: Expression,
        regex: Regex,
        names: Vec<String>,
    },
    Stats {
        values: Vec<Column>,
        by: Vec<Column>,
    },
    Sort(Vec<(Expression, Direction)>),
    Limit(u32),
    Dedup(Vec<Expression>),
}

/// A value and the name under which it goes on: that after `as`, else its own text.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) value: Expression,
    pub(super) name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Ascending,
    Descending,
}

/// What a text is compared with.
#[derive(Debug)]
pub(super) enum Pattern {
    /// Contains this, character by character.
    Text(String),
    Regex(Regex),
}

#[derive(Debug)]
pub(super) struct Expression {
    /// Bytes of the query.
    pub(super) span: Range<usize>,
    pub(super) node: Node,
}

#[derive(Debug)]
pub(super) enum Node {
    Field(String),
    Text(String),
    Number(f64),
    /// Milliseconds.
    Period(i64),
    /// The `*` of `count(*)`.
    Star,
    Unary(Unary, Box<Expression>),
    Binary(Box<Expression>, Binary, Box<Expression>),
    Like(Box<Expression>, Pattern),
    In(Box<Expression>, Vec<Expression>),
    /// The name in lower case.
    Call(String, Vec<Expression>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unary {
    Not,
    Negate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

impl Mistake {
    /// `offset` counts bytes of `query`.
    pub(super) fn new(query: &str, offset: usize, message: impl Into<String>) -> Self {
        Self { at: Position::new(query, offset), message: message.into() }
    }
}

impl Position {
    fn new(query: &str, offset: usize) -> Self {
        let before = query.get(..offset).unwrap_or(query);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}
