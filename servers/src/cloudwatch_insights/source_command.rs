//! Finds the command SOURCE in a query: it names log groups inside the query text, past the allow list, also in a
//! subquery. Every bare word `source` counts as the command, unless what stands around it makes it a field: an odd query
//! is rather refused than let through. Parses no more of the language than that needs.
//!
//! Source: the page `CWL_QuerySyntax-Source` of the CloudWatch Logs user guide.

mod tokens;

use self::tokens::{Quote, READINGS, Reading, Token, tokens};

const WORD: &str = "SOURCE";

/// After these comes a field, as long as a field's use follows.
const BEFORE_A_FIELD: [&str; 12] =
    ["FIELDS", "DISPLAY", "FILTER", "WHERE", "BY", "SORT", "DEDUP", "PARSE", "AND", "OR", "NOT", "AS"];

/// So do these, whatever the words before them.
const OPERATORS: [&str; 13] = ["=", "!=", "<", ">", "<=", ">=", "=~", "+", "-", "*", "/", "%", "^"];

const COMPARISONS: [&str; 7] = ["=", "!=", "<", ">", "<=", ">=", "=~"];

/// What may begin a condition in parentheses: a subquery has other words before it.
const BEFORE_A_CONDITION: [&str; 5] = ["FILTER", "WHERE", "AND", "OR", "NOT"];

/// Why a query may choose its log groups itself.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SourceCommand {
    #[error(
        "the command SOURCE is not available, because it passes the list of log groups that may be read; name them in \
         `log_groups` instead (a field called source is written `` `source` ``, and a comment does without the word)"
    )]
    Word,
    #[error(
        "the query has the character U+{:04X} outside of quotes, where CloudWatch may read a command after it; write a \
         blank, or put it in quotes",
        u32::from(*.0)
    )]
    Unseen(char),
}

/// # Errors
/// The word `source` stands where a command could, or characters that cannot be seen leave open where one could.
pub(super) fn check(query: &str) -> Result<(), SourceCommand> {
    READINGS.into_iter().try_for_each(|reading| check_as(query, reading))
}

fn check_as(query: &str, reading: Reading) -> Result<(), SourceCommand> {
    let tokens = tokens(query, reading);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Word(word) if word == WORD && !is_field(&tokens[..at], &tokens[at + 1..]) => {
                return Err(SourceCommand::Word);
            }
            // `@` begins a field, so the word may end there.
            Token::Word(word) if word.strip_prefix(WORD).is_some_and(|rest| rest.starts_with('@')) => {
                return Err(SourceCommand::Word);
            }
            Token::Loose(word) if word == WORD => return Err(SourceCommand::Word),
            _ => {}
        }
    }
    let unseen = tokens.iter().find_map(|token| if let Token::Unseen(c) = token { Some(*c) } else { None });
    unseen.map_or(Ok(()), |c| Err(SourceCommand::Unseen(c)))
}

/// Whether the word between these is a field. When in doubt it is not.
fn is_field(before: &[Token], after: &[Token]) -> bool {
    let ends = match after {
        [] => true,
        [Token::Symbol(symbol), ..] => [",", "|", ")", "]"].contains(symbol),
        [Token::Word(word), ..] => ["AS", "ASC", "DESC"].contains(&word.as_str()),
        _ => false,
    };
    match before {
        [.., Token::Word(word)] if word == "PARSE" => {
            matches!(after, [Token::Quoted(Quote::Text | Quote::Regex), ..])
        }
        [.., Token::Word(word)] if word == "AS" => ends || matches!(after, [Token::Word(by), ..] if by == "BY"),
        [.., Token::Word(word)] if BEFORE_A_FIELD.contains(&word.as_str()) => ends || is_compared(after),
        [.., Token::Symbol(symbol)] if OPERATORS.contains(symbol) => ends || is_compared(after),
        [.., Token::Symbol(",")] => ends,
        // The argument of a function, or a condition.
        [outside @ .., Token::Symbol("(")] => {
            let closes = matches!(after, [Token::Symbol("," | ")"), ..]);
            let begins = outside.iter().rev().find(|token| **token != Token::Symbol("("));
            let condition = matches!(begins, Some(Token::Word(word)) if BEFORE_A_CONDITION.contains(&word.as_str()));
            closes || condition && is_compared(after)
        }
        _ => false,
    }
}

/// Whether a field stands before these: it is compared, or a condition ends with it.
fn is_compared(after: &[Token]) -> bool {
    let word = |token: &Token, words: &[&str]| matches!(token, Token::Word(word) if words.contains(&word.as_str()));
    match after {
        [Token::Symbol(symbol), ..] => COMPARISONS.contains(symbol),
        [like, Token::Quoted(Quote::Text | Quote::Regex), ..] if word(like, &["LIKE"]) => true,
        [is_in, Token::Symbol("["), ..] if word(is_in, &["IN"]) => true,
        [not, after @ ..] if word(not, &["NOT"]) => {
            matches!(after, [next, ..] if word(next, &["LIKE", "IN"])) && is_compared(after)
        }
        [and, _, ..] => word(and, &["AND", "OR"]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_found() {
        for query in [
            "SOURCE logGroups(namePrefix: ['/secret']) | fields @message",
            "  source  logGroups() | limit 1",
            "# a comment\nSOURCE logGroups()",
            "# a comment\rSOURCE logGroups()",
            "fields @message | SOURCE dataSource(['x'])",
            "fields @message |source\tlogGroups()",
            "fields a | join type=left (SOURCE logGroups(namePrefix: ['/b'])) on a",
            "fields a | join type=left ( source # why\n logGroups()) on a",
            "/* c */ source logGroups()",
            "SOURCE\nlogGroups()",
            "source=x | SOURCE logGroups()",
            "Source(logGroups())",
            "source 'x'",
            "SOURCE in-house/payroll | limit 1",
            "SOURCE by-team | limit 1",
            "SOURCE -x",
            "SOURCE *",
            "SOURCE=lg",
            "SOURCE`x`",
            "fields a, SOURCE logGroups()",
            "SOURCE 'a', SOURCE 'b'",
            "SOURCE, 'a'",
            "ſource logGroups()",
            "SOURCE@x",
            "fields a\nSOURCE logGroups()",
            "stats count(*) by\nSOURCE logGroups()",
            "filter a and\nSOURCE in-house",
            "filter a and SOURCE like b",
            "filter a in (SOURCE=x)",
            "fields a # it's\n | SOURCE logGroups() | filter b = 'x'",
            "filter a > 1 # '\n | filter b = 'SOURCE logGroups() #'",
            "filter b = 'x' # \r SOURCE lg",
            "fields a / 'b | SOURCE lg / 2",
            "fields `a | SOURCE lg",
            "fields (/'/) | SOURCE lg | filter a = 'x'",
            "fields a / b | SOURCE lg | fields c / d",
        ] {
            assert_eq!(check(query), Err(SourceCommand::Word), "{query}");
        }
    }

    #[test]
    fn what_cannot_be_seen_hides_no_command() {
        for c in ['\u{1c}', '\u{1f}', '\u{feff}', '\u{200b}', '\u{85}', '\u{2028}', '\u{b}', '\0', '\u{a0}', '\r'] {
            assert_eq!(check(&format!("fields a |{c}SOURCE lg")), Err(SourceCommand::Word), "{c:?}");
            assert_eq!(check(&format!("fields a {c}| limit 1")), Err(SourceCommand::Unseen(c)), "{c:?}");
            assert_eq!(check(&format!("filter a = 'x{c}y'")), Ok(()), "{c:?}");
        }
        assert_eq!(check("fields SOUR\u{200b}CE lg"), Err(SourceCommand::Unseen('\u{200b}')));
        assert_eq!(check("fields a\r\n| limit 1"), Ok(()));
        let refusal = SourceCommand::Unseen('\u{200b}').to_string();
        insta::assert_snapshot!(refusal, @"the query has the character U+200B outside of quotes, where CloudWatch may read a command after it; write a blank, or put it in quotes");
    }

    #[test]
    fn a_field_is_not_the_command() {
        for query in [
            "fields source, @message",
            "fields @message, source",
            "fields @message, source | limit 1",
            "fields @message | filter source = 'x'",
            "filter (source like 'x') and (source in ['y'])",
            "filter level = 'x' and ((source != 'x'))",
            "filter not source not like /x/ and source not in ['a', 'b']",
            "stats count(*) by\n source\n | sort count desc",
            "stats count(*) by\n source, detail",
            "stats count(*) as source by level | sort source desc",
            "stats count_distinct(source), latest(source) by bin(5m)",
            "fields @source, detail.source, data_source, resource, sources, source.ip",
            "filter @message like /source/",
            "filter @message like /\\/source '/ or source =~ /it's the source/",
            "parse source '* *' as a, b | parse @message /source (?<x>.)/",
            "parse source /(?<a>.)/ | sort source desc",
            "filter @message like \"\\\"source\\\": 1\"",
            "filter `source` = 'x'",
            "filter a = 'the source of it # is | SOURCE'",
        ] {
            assert_eq!(check(query), Ok(()), "{query}");
        }
    }
}
