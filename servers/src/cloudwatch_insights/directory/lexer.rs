//! Cuts a query into tokens, on demand, because `/` starts a regular expression in one place and divides in another.
//! Knows no command.

use std::{fmt, ops::Range};

use super::syntax::Mistake;

/// Longest first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 21] =
    ["!=", "<=", ">=", "=~", "!~", "=", "<", ">", "+", "-", "*", "/", "%", "^", "(", ")", "[", "]", ",", "|", ";"];

/// What other languages write, and what is written here.
const FOREIGN: [(&str, &str); 4] = [("==", "="), ("&&", "and"), ("||", "or"), ("<>", "!=")];

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A field, function, command or keyword, as it is written.
    Word(String),
    /// A field of which a part was in backticks: no keyword.
    Quoted(String),
    Text(String),
    Number(String),
    /// A number and the letters at its end: `5m`.
    Period(String, String),
    Symbol(&'static str),
    End,
}

#[derive(Clone, Debug)]
pub(super) struct Lexer<'q> {
    query: &'q str,
    /// In bytes.
    at: usize,
}

impl<'q> Lexer<'q> {
    pub(super) fn new(query: &'q str) -> Self {
        Self { query, at: 0 }
    }

    pub(super) fn query(&self) -> &'q str {
        self.query
    }

    /// The next token and its bytes; at the end of the query `End`, again and again.
    pub(super) fn next(&mut self) -> Result<(Token, Range<usize>), Mistake> {
        self.skip_blanks();
        let start = self.at;
        let rest = self.rest();
        let token = match rest.chars().next() {
            None => Token::End,
            Some(quote @ ('"' | '\'')) => Token::Text(self.text(quote)?),
            Some(c) if c.is_ascii_digit() => self.number(),
            Some(c) if c == '`' || is_name(c) && c != '.' => self.name()?,
            Some(c) => {
                if let Some((foreign, ours)) = FOREIGN.iter().find(|(foreign, _)| rest.starts_with(foreign)) {
                    return Err(self.mistake(start, format!("`{foreign}` is no operator; write `{ours}`")));
                }
                let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol));
                let symbol = symbol.ok_or_else(|| self.mistake(start, format!("`{c}` means nothing here")))?;
                self.at += symbol.len();
                Token::Symbol(symbol)
            }
        };
        Ok((token, start..self.at))
    }

    /// The pattern between slashes, if one starts here. A slash in it is written `\/`.
    pub(super) fn regex(&mut self) -> Result<Option<(String, Range<usize>)>, Mistake> {
        self.skip_blanks();
        let start = self.at;
        let Some(body) = self.rest().strip_prefix('/') else { return Ok(None) };
        let mut pattern = String::new();
        let mut characters = body.char_indices();
        while let Some((at, c)) = characters.next() {
            match c {
                '/' => {
                    self.at += at + 2;
                    return Ok(Some((pattern, start..self.at)));
                }
                '\\' => match characters.next() {
                    Some((_, '/')) => pattern.push('/'),
                    Some((_, escaped)) => pattern.extend(['\\', escaped]),
                    None => break,
                },
                other => pattern.push(other),
            }
        }
        Err(self.mistake(start, "the regular expression does not end; close it with `/`"))
    }

    fn rest(&self) -> &'q str {
        &self.query[self.at..]
    }

    fn mistake(&self, at: usize, message: impl Into<String>) -> Mistake {
        Mistake::new(self.query, at, message)
    }

    /// White space, and comments from `#` to the end of their line.
    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    /// A backslash takes the meaning from a quote and from itself; before anything else it stays.
    fn text(&mut self, quote: char) -> Result<String, Mistake> {
        let start = self.at;
        let mut text = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((at, c)) = characters.next() {
            match c {
                '\\' => match characters.next() {
                    Some((_, escaped @ ('"' | '\'' | '\\'))) => text.push(escaped),
                    Some((_, other)) => text.extend(['\\', other]),
                    None => break,
                },
                c if c == quote => {
                    self.at = start + at + 1;
                    return Ok(text);
                }
                other => text.push(other),
            }
        }
        Err(self.mistake(start, format!("the text does not end; close it with `{quote}`")))
    }

    fn number(&mut self) -> Token {
        let rest = self.rest();
        let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let mut end = digits(rest);
        if let Some(fraction) = rest[end..].strip_prefix('.') {
            let length = digits(fraction);
            end += if length > 0 { 1 + length } else { 0 };
        }
        let after = &rest[end..];
        let unit = after.find(|c: char| !is_name(c) || c == '.').unwrap_or(after.len());
        self.at += end + unit;
        let number = rest[..end].to_owned();
        if unit > 0 { Token::Period(number, after[..unit].to_owned()) } else { Token::Number(number) }
    }

    fn name(&mut self) -> Result<Token, Mistake> {
        let start = self.at;
        let (mut name, mut quoted) = (String::new(), false);
        while let Some(c) = self.rest().chars().next() {
            if c == '`' {
                let part = self.rest()[1..].split_once('`').map(|(part, _)| part);
                let part =
                    part.ok_or_else(|| self.mistake(start, "the name does not end; close it with a backtick"))?;
                name.push_str(part);
                quoted = true;
                self.at += part.len() + 2;
            } else if is_name(c) {
                name.push(c);
                self.at += c.len_utf8();
            } else {
                break;
            }
        }
        if name.is_empty() {
            return Err(self.mistake(start, "the name between the backticks is empty"));
        }
        Ok(if quoted { Token::Quoted(name) } else { Token::Word(name) })
    }
}

/// Everything else in a name of a field needs backticks, as in CloudWatch.
fn is_name(c: char) -> bool {
    c.is_alphanumeric() || "_@.$".contains(c)
}

/// As a message names what was found.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "`{word}`"),
            Self::Quoted(name) => write!(f, "the field `{name}`"),
            Self::Text(text) => write!(f, "the text `{text}`"),
            Self::Number(number) => write!(f, "`{number}`"),
            Self::Period(number, unit) => write!(f, "`{number}{unit}`"),
            Self::Symbol(symbol) => write!(f, "`{symbol}`"),
            Self::End => f.write_str("the end of the query"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(query: &str) -> String {
        let mut lexer = Lexer::new(query);
        let mut seen = Vec::new();
        loop {
            match lexer.next() {
                Ok((Token::End, _)) => return seen.join(" "),
                Ok((token, _)) => seen.push(format!("{token}")),
                Err(mistake) => return mistake.to_string(),
            }
        }
    }

    #[test]
    fn what_it_reads() {
        let check = |query, expected: &str| assert_eq!(tokens(query), expected, "{query}");
        check("fields a.b.0, @x # why\n|limit 5", "`fields` `a.b.0` `,` `@x` `|` `limit` `5`");
        check("`a-b` a.`b c`.d `by`", "the field `a-b` the field `a.b c.d` the field `by`");
        check(
            r#"'it''s' "say \"hi\" \d \\" '#'"#,
            r#"the text `it` the text `s` the text `say "hi" \d \` the text `#`"#,
        );
        check("1.5 5m 2.x a<=-3 x!=y", "line 1, column 9: `.` means nothing here");
        check("a<=-3 x!=y b=~c", "`a` `<=` `-` `3` `x` `!=` `y` `b` `=~` `c`");
    }

    #[test]
    fn what_does_not_end() {
        assert_eq!(tokens("a\n  'b"), "line 2, column 3: the text does not end; close it with `'`");
        assert_eq!(tokens("ü `b"), "line 1, column 3: the name does not end; close it with a backtick");
        let unclosed = Lexer::new("/a\\/").regex().unwrap_err().to_string();
        assert_eq!(unclosed, "line 1, column 1: the regular expression does not end; close it with `/`");
        let (pattern, span) = Lexer::new(r" /a\/b\d/ x").regex().unwrap().unwrap();
        assert_eq!((pattern.as_str(), span), (r"a/b\d", 1..9));
    }
}
