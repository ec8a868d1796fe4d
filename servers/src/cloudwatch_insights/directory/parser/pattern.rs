//! The command `parse`, and what follows `like`: texts with `*`, regular expressions.

use regex::{Regex, RegexBuilder};

use super::Parser;
use crate::cloudwatch_insights::directory::{
    lexer::Token,
    syntax::{Action, Expression, Mistake, Node, Pattern},
};

/// Compiled size of a regular expression, in bytes: a few hundred characters of any alphabet.
const LARGEST_REGEX: usize = 256 * 1024;

impl Parser<'_> {
    /// `parse [field] "glob" as name, ...` or `parse [field] /regex with (?<name>...)/`.
    pub(super) fn parse_command(&mut self) -> Result<Action, Mistake> {
        let field = |name: &str, span| Expression { span, node: Node::Field(name.to_owned()) };
        let (token, at) = self.peek()?;
        let from = match token {
            Token::Word(name) | Token::Quoted(name) => {
                self.take()?;
                field(&name, at)
            }
            _ => field("@message", self.last.clone()),
        };
        if let Some(regex) = self.regex()? {
            let names: Vec<_> = regex.capture_names().flatten().map(str::to_owned).collect();
            if names.is_empty() {
                return Err(self.mistake("the regular expression names no group; write `(?<name>...)` for each field"));
            }
            return Ok(Action::Parse { from, regex, names });
        }
        let (token, at) = self.take()?;
        let Token::Text(glob) = &token else { return Err(self.at(at.start, no_pattern(&token))) };
        if !self.takes_word("as")? {
            return Err(self.at(self.peek()?.1.start, "expected `as` and a name for each `*` of the text"));
        }
        let names = self.list(Self::name)?;
        let wildcards = glob.matches('*').count();
        if wildcards != names.len() {
            let message = format!("the text has {wildcards} `*`, and `as` names {} field(s)", names.len());
            return Err(self.at(at.start, message));
        }
        let regex = glob_regex(glob).map_err(|error| self.at(at.start, reason(&error)))?;
        Ok(Action::Parse { from, regex, names })
    }

    /// A text to contain, or a regular expression.
    pub(super) fn pattern(&mut self) -> Result<Pattern, Mistake> {
        if let Some(regex) = self.regex()? {
            return Ok(Pattern::Regex(regex));
        }
        match self.take()? {
            (Token::Text(text), _) => Ok(Pattern::Text(text)),
            (token, at) => {
                let message = format!("expected a text in quotes or a `/regular expression/`, found {token}");
                Err(self.at(at.start, message))
            }
        }
    }

    fn regex(&mut self) -> Result<Option<Regex>, Mistake> {
        let Some((pattern, at)) = self.lexer.regex()? else { return Ok(None) };
        self.last = at.clone();
        let regex = RegexBuilder::new(&pattern).size_limit(LARGEST_REGEX).build();
        regex.map(Some).map_err(|error| self.at(at.start, reason(&error)))
    }
}

/// The text may stand anywhere in the value. A `*` stops at the first match of what follows it; one at the end takes the
/// rest.
fn glob_regex(glob: &str) -> Result<Regex, regex::Error> {
    let parts: Vec<_> = glob.split('*').map(regex::escape).collect();
    let mut pattern = parts.join("(.*?)");
    if glob.ends_with('*') {
        pattern.push('$');
    }
    RegexBuilder::new(&pattern).dot_matches_new_line(true).size_limit(LARGEST_REGEX).build()
}

fn no_pattern(token: &Token) -> String {
    match token {
        Token::Word(mode) => format!(
            "`parse` in the mode `{mode}` is not available with local log files; write a text with `*`, or a \
             `/regular expression/` with named groups"
        ),
        _ => format!("expected a text with `*` in quotes or a `/regular expression/`, found {token}"),
    }
}

/// The crate's message without the picture of the pattern that it starts with.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default().trim();
    format!("the regular expression cannot be used here: {}", reason.strip_prefix("error: ").unwrap_or(reason))
}
