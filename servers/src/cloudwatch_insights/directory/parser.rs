//! Reads a query of CloudWatch Logs Insights: commands between pipes. What it does not know it refuses by name, with the
//! place; it knows no functions.
//!
//! Source: the pages `CWL_QuerySyntax*` of the CloudWatch Logs user guide.

mod expression;
mod order;
mod pattern;

use std::ops::Range;

use causeway_core::nearest::hint;

use super::{
    lexer::{Lexer, Token},
    syntax::{Action, Column, Command, Direction, Expression, Mistake, Node},
};

/// Longest query that StartQuery takes, in characters.
const LONGEST: usize = 10_000;

/// Commands in a query. Each is one more step for SQLite to nest.
const MOST_COMMANDS: usize = 50;

/// Most rows that a query of CloudWatch gives.
const MOST_ROWS: u32 = 10_000;

const NAMES: [&str; 8] = ["fields", "display", "filter", "parse", "stats", "sort", "limit", "dedup"];
const COMMANDS: &str = "`fields`, `display`, `filter`, `parse`, `stats`, `sort`, `limit` and `dedup`";

#[derive(Debug)]
struct Parser<'q> {
    lexer: Lexer<'q>,
    /// Bytes of the token taken last.
    last: Range<usize>,
    /// Expressions inside of expressions, right now.
    nesting: usize,
    /// Operators in the whole query.
    operators: usize,
}

/// The commands of `query`.
pub(super) fn parse(query: &str) -> Result<Vec<Command>, Mistake> {
    if query.chars().count() > LONGEST {
        let message = format!("the query is longer than {LONGEST} characters, the most that CloudWatch takes");
        return Err(Mistake::new(query, 0, message));
    }
    let mut parser = Parser { lexer: Lexer::new(query), last: 0..0, nesting: 0, operators: 0 };
    let mut commands = vec![parser.command()?];
    while parser.takes_symbol("|")? {
        if commands.len() == MOST_COMMANDS {
            return Err(parser.mistake(format!("the query has more than {MOST_COMMANDS} commands; write fewer")));
        }
        commands.push(parser.command()?);
    }
    parser.expect_end()?;
    order::check(query, &commands)?;
    Ok(commands)
}

impl Parser<'_> {
    fn command(&mut self) -> Result<Command, Mistake> {
        let (token, at) = self.take()?;
        let Token::Word(word) = &token else {
            return Err(self.at(at.start, format!("expected a command, found {token}; the commands are {COMMANDS}")));
        };
        let action = match word.to_ascii_lowercase().as_str() {
            "fields" => Action::Fields(self.columns()?),
            "display" => Action::Display(self.columns()?),
            "filter" | "where" => Action::Filter(self.expression()?),
            "parse" => self.parse_command()?,
            "stats" => self.stats()?,
            "sort" => Action::Sort(self.list(Self::sort_key)?),
            "limit" => self.limit()?,
            "dedup" => Action::Dedup(self.list(Self::expression)?),
            _ => return Err(self.at(at.start, unknown_command(word))),
        };
        Ok(Command { span: at.start..self.last.end, action })
    }

    fn stats(&mut self) -> Result<Action, Mistake> {
        let values = self.columns()?;
        let by = if self.takes_word("by")? { self.columns()? } else { Vec::new() };
        Ok(Action::Stats { values, by })
    }

    fn limit(&mut self) -> Result<Action, Mistake> {
        let (token, at) = self.take()?;
        let limit = match &token {
            Token::Number(number) => number.parse().ok().filter(|limit| (1..=MOST_ROWS).contains(limit)),
            _ => None,
        };
        let message = || format!("expected a whole number of rows from 1 to {MOST_ROWS}, found {token}");
        limit.map(Action::Limit).ok_or_else(|| self.at(at.start, message()))
    }

    fn columns(&mut self) -> Result<Vec<Column>, Mistake> {
        self.list(Self::column)
    }

    fn column(&mut self) -> Result<Column, Mistake> {
        let value = self.expression()?;
        let name = if self.takes_word("as")? { self.name()? } else { self.name_of(&value) };
        Ok(Column { value, name })
    }

    fn sort_key(&mut self) -> Result<(Expression, Direction), Mistake> {
        let value = self.expression()?;
        let direction = if self.takes_word("desc")? {
            Direction::Descending
        } else {
            self.takes_word("asc")?;
            Direction::Ascending
        };
        Ok((value, direction))
    }

    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Result<T, Mistake>) -> Result<Vec<T>, Mistake> {
        let mut items = vec![item(self)?];
        while self.takes_symbol(",")? {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// A value without `as` is called as it is written.
    fn name_of(&self, value: &Expression) -> String {
        match &value.node {
            Node::Field(name) => name.clone(),
            _ => self.lexer.query()[value.span.clone()].to_owned(),
        }
    }

    fn name(&mut self) -> Result<String, Mistake> {
        match self.take()? {
            (Token::Word(name) | Token::Quoted(name), _) => Ok(name),
            (token, at) => Err(self.at(at.start, format!("expected a name, found {token}"))),
        }
    }

    fn take(&mut self) -> Result<(Token, Range<usize>), Mistake> {
        let (token, at) = self.lexer.next()?;
        self.last = at.clone();
        Ok((token, at))
    }

    fn peek(&self) -> Result<(Token, Range<usize>), Mistake> {
        self.lexer.clone().next()
    }

    fn takes_symbol(&mut self, symbol: &str) -> Result<bool, Mistake> {
        let found = matches!(self.peek()?.0, Token::Symbol(found) if found == symbol);
        if found {
            self.take()?;
        }
        Ok(found)
    }

    fn takes_word(&mut self, word: &str) -> Result<bool, Mistake> {
        let found = matches!(self.peek()?.0, Token::Word(found) if found.eq_ignore_ascii_case(word));
        if found {
            self.take()?;
        }
        Ok(found)
    }

    fn expect_symbol(&mut self, symbol: &str) -> Result<(), Mistake> {
        let (token, at) = self.take()?;
        if matches!(token, Token::Symbol(found) if found == symbol) {
            return Ok(());
        }
        Err(self.at(at.start, format!("expected `{symbol}`, found {token}")))
    }

    fn expect_end(&mut self) -> Result<(), Mistake> {
        let (token, at) = self.take()?;
        match &token {
            Token::End => Ok(()),
            Token::Word(word) if word.eq_ignore_ascii_case("is") => {
                Err(self.at(at.start, "`is` is no operator; write `ispresent(field)`, or `not ispresent(field)`"))
            }
            _ => Err(self.at(at.start, format!("expected `|` or the end of the query, found {token}"))),
        }
    }

    fn at(&self, offset: usize, message: impl Into<String>) -> Mistake {
        Mistake::new(self.lexer.query(), offset, message)
    }

    /// A mistake at the token taken last.
    fn mistake(&self, message: impl Into<String>) -> Mistake {
        self.at(self.last.start, message)
    }
}

fn unknown_command(word: &str) -> String {
    let hint = hint(word, NAMES);
    format!("the command `{word}` is not available with local log files{hint}; the commands are {COMMANDS}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of queries, so that random ones get further than their first token.
    const PIECES: [&str; 48] = [
        "fields ",
        "display ",
        "filter ",
        "parse ",
        "stats ",
        "sort ",
        "limit ",
        "dedup ",
        "by ",
        "as ",
        "asc ",
        "desc ",
        "like ",
        "in ",
        "not ",
        "and ",
        "or ",
        "| ",
        ", ",
        "(",
        ")",
        "[",
        "]",
        "/",
        "'",
        "\"",
        "`",
        "\\",
        "#",
        "\n",
        "*",
        "a ",
        "@message ",
        "b.c ",
        "5m ",
        "12 ",
        "1.5 ",
        "count(*) ",
        "bin(5m) ",
        "/(?<x>a+)/ ",
        "'x*y' ",
        "= ",
        "!= ",
        "< ",
        "=~ ",
        "- ",
        "^ ",
        "ü",
    ];

    fn no_panic_and_a_position(query: &str) {
        if let Err(mistake) = parse(query) {
            let lines: Vec<_> = query.split('\n').collect();
            let line = lines.get(mistake.at.line - 1).expect("a line of the query");
            assert!((1..=line.chars().count() + 1).contains(&mistake.at.column), "{query:?}: {mistake}");
            assert!(!mistake.message.is_empty());
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(query in any::<String>()) {
            no_panic_and_a_position(&query);
        }

        #[test]
        fn no_mixture_of_pieces_panics(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40)) {
            no_panic_and_a_position(&pieces.concat());
        }
    }

    #[test]
    fn nothing_is_too_deep() {
        for query in [
            format!("filter {}a", "(".repeat(9_000)),
            format!("filter {}a", "not ".repeat(2_000)),
            format!("filter a{}", " or a".repeat(1_900)),
            format!("fields {}", "-".repeat(9_000)),
            format!("fields a{}", "| limit 1".repeat(1_000)),
            format!("fields a{}", "^a".repeat(4_000)),
        ] {
            assert!(parse(&query).is_err(), "{}", &query[..30]);
        }
    }
}
