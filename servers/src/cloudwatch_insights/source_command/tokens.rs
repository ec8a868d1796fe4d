//! Cuts a query of CloudWatch Logs Insights into pieces, as far as it takes to know which words stand outside of quotes.
//! Where the user guide leaves open how a query is read, it is read in both ways. Knows no command.

/// A piece of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Letters, digits and `_@.`, in capitals: also `ſ` is an `S`.
    Word(String),
    /// A word in a comment, or in a quotation that does not end.
    Loose(String),
    /// A text in quotes, a name in backticks, a regular expression.
    Quoted(Quote),
    /// Operators of two characters are one.
    Symbol(&'static str),
    /// Outside of quotes, and neither visible nor a blank, a tab or the end of a line.
    Unseen(char),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quote {
    Text,
    Name,
    Regex,
}

/// What the user guide leaves open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// A comment begins at any `#`, rather than at one that begins its line.
    pub(super) comments_anywhere: bool,
    /// A regular expression begins at any `/` that cannot divide, rather than after `like`, `=~` and `parse` only.
    pub(super) regexes_anywhere: bool,
}

/// Every way to read a query.
pub(super) const READINGS: [Reading; 4] = [
    Reading { comments_anywhere: true, regexes_anywhere: false },
    Reading { comments_anywhere: true, regexes_anywhere: true },
    Reading { comments_anywhere: false, regexes_anywhere: false },
    Reading { comments_anywhere: false, regexes_anywhere: true },
];

/// Longest first. Whatever else is visible comes as the last one.
const SYMBOLS: [&str; 20] =
    ["!=", "<=", ">=", "=~", "=", "<", ">", "+", "-", "*", "/", "%", "^", "(", ")", "[", "]", ",", "|", OTHER];

const OTHER: &str = "?";

/// The pieces of `query`.
pub(super) fn tokens(query: &str, reading: Reading) -> Vec<Token> {
    let mut found = Vec::new();
    let (mut rest, mut begins_line) = (query, true);
    while let Some(c) = rest.chars().next() {
        let at_begin = begins_line;
        begins_line = c == '\n' || at_begin && " \t".contains(c);
        let taken = match c {
            ' ' | '\t' | '\n' => 1,
            '\r' if rest.starts_with("\r\n") => 1,
            '#' if at_begin || reading.comments_anywhere => comment(rest, &mut found),
            '\'' | '"' => quotation(rest, c, Quote::Text, &mut found),
            '`' => quotation(rest, c, Quote::Name, &mut found),
            '/' if begins_regex(&found, reading) => quotation(rest, c, Quote::Regex, &mut found),
            c if is_word(c) => {
                let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                found.push(Token::Word(rest[..end].to_uppercase()));
                end
            }
            c if c.is_control() || c.is_whitespace() || is_format(c) => {
                found.push(Token::Unseen(c));
                c.len_utf8()
            }
            _ => {
                let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)).unwrap_or(OTHER);
                found.push(Token::Symbol(symbol));
                symbol.len().max(c.len_utf8())
            }
        };
        rest = &rest[taken..];
    }
    found
}

/// Bytes of the comment.
fn comment(rest: &str, found: &mut Vec<Token>) -> usize {
    let end = rest.find('\n').unwrap_or(rest.len());
    loose(&rest[..end], found);
    end
}

/// Bytes of the quotation. One that does not end is none, and what it would hold is looked at.
fn quotation(rest: &str, quote: char, kind: Quote, found: &mut Vec<Token>) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if c == quote && !escaped {
            found.push(Token::Quoted(kind));
            return at + 1;
        }
        // A name has no escapes.
        escaped = c == '\\' && !escaped && kind != Quote::Name;
    }
    loose(rest, found);
    rest.len()
}

fn loose(text: &str, found: &mut Vec<Token>) {
    let words = text.split(|c| !is_word(c)).filter(|word| !word.is_empty());
    found.extend(words.map(|word| Token::Loose(word.to_uppercase())));
    let unseen = |c: &char| c.is_control() && !matches!(c, '\t' | '\r' | '\n') || is_format(*c);
    found.extend(text.chars().filter(unseen).map(Token::Unseen));
    // In a comment, the end of a line of old is one to some.
    if text.trim_end_matches('\r').contains('\r') {
        found.push(Token::Unseen('\r'));
    }
}

fn begins_regex(before: &[Token], reading: Reading) -> bool {
    let is = |token: &Token, word: &str| matches!(token, Token::Word(found) if found == word);
    match before {
        [.., Token::Symbol("=~")] => true,
        [.., last] if is(last, "LIKE") || is(last, "PARSE") => true,
        [.., parse, Token::Word(_) | Token::Quoted(Quote::Name)] if is(parse, "PARSE") => true,
        [.., Token::Symbol(symbol)] => reading.regexes_anywhere && ![")", "]", "*"].contains(symbol),
        _ => false,
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || "_@.".contains(c)
}

/// What Unicode calls format characters (`Cf`), and what else shows nothing: fillers, variation selectors.
fn is_format(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
            | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}'
            | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}
