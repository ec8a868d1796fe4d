//! What is secret in a text: by what it looks like, and by the words before it.

use std::borrow::Cow;

use super::{
    REDACTED,
    names::{bare, is_secret},
};

/// Tokens of GitHub, OpenAI, Slack and GitLab begin so, and nothing else of their length does.
pub(in crate::wire_log) const TOKEN_STARTS: [&str; 9] =
    ["ghp_", "gho_", "ghu_", "ghs_", "github_pat_", "sk-", "xoxb-", "xoxp-", "glpat-"];

/// Any text: tokens by their looks, values behind names, users of URLs.
pub(in crate::wire_log) fn text(text: &str) -> String {
    let text = plain(&without_private_keys(text));
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let word = &rest[..rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())];
        if let Some(after) = word.is_empty().then(|| after_user(rest)).flatten() {
            shown.push_str("://");
            shown.push_str(REDACTED);
            rest = after;
            continue;
        }
        if word.is_empty() {
            shown.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let after = &rest[word.len()..];
        let before = shown.chars().last();
        if word.starts_with("eyJ") && word.len() > 16 {
            shown.push_str("eyJ…");
            rest = &after[after.find(|c: char| !is_word(c) && !".+/=".contains(c)).unwrap_or(after.len())..];
        } else if word.len() >= 16 && TOKEN_STARTS.iter().any(|start| word.starts_with(start)) {
            shown.push_str(REDACTED);
            rest = after;
        } else if let Some((between, value)) =
            in_element(before, word, after).or_else(|| shown_after(before, word, after))
        {
            shown.push_str(word);
            shown.push_str(between);
            shown.push_str(REDACTED);
            rest = &after[between.len() + value.len()..];
        } else {
            shown.push_str(word);
            rest = after;
        }
    }
    shown
}

/// What follows the user and password of a URL whose `://` is the start of `rest`: `@` and the host.
fn after_user(rest: &str) -> Option<&str> {
    let authority = rest.strip_prefix("://")?;
    let end = authority.find(|c: char| c.is_whitespace() || "/?#\\\"'<>".contains(c)).unwrap_or(authority.len());
    authority[..end].rfind('@').map(|at| &authority[at..])
}

/// The same as [`shown_after`] for the text of an XML element of this name.
fn in_element<'a>(before: Option<char>, word: &str, after: &'a str) -> Option<(&'a str, &'a str)> {
    // Looked for only where one may begin: a long text has many words, and the next `>` may be far from all of them.
    let begins = matches!(before, Some('<' | ':')) && after.starts_with(['>', ' ']) && is_secret(word);
    let value_at = begins.then(|| after.find('>')).flatten().filter(|at| !after[..*at].contains(['<', '/']))? + 1;
    let value = &after[value_at..];
    let value = &value[..value.find('<').unwrap_or(value.len())];
    (!value.trim().is_empty()).then(|| (&after[..value_at], value))
}

/// What stands between `word` and the secret after it, and the secret. `before` is the character before the word.
fn shown_after<'a>(before: Option<char>, word: &str, after: &'a str) -> Option<(&'a str, &'a str)> {
    // Of `%26code`, the first two belong to the sign; `%accessKey` may be one as well, or just behind a percent sign.
    let is_encoded = before == Some('%') && !is_secret(word);
    let word = if is_encoded { word.get(2..).unwrap_or(word) } else { word };
    if word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic") {
        let value = after.strip_prefix(' ')?;
        let end = value.find(|c: char| !is_word(c) && !"._~+/=".contains(c)).unwrap_or(value.len());
        // A parameter of a challenge is none.
        let is_parameter = value[..end].ends_with('=') && value[end..].starts_with('"');
        return (end >= 8 && !is_parameter).then(|| (&after[..1], &value[..end]));
    }
    let is_code = bare(word) == "code";
    if !is_secret(word) && !is_code {
        return None;
    }
    let start = |text: &'a str, skip: &[char]| text.len() - text.trim_start_matches(skip).len();
    let to_sign = start(after, &['"', '\'', '\\', ' ']);
    let sign = sign(&after[to_sign..]).filter(|sign| !is_code || *sign != ":")?;
    let value_at = to_sign + sign.len();
    let value_at = value_at + start(&after[value_at..], &['"', '\'', '\\', ' ']);
    let value = &after[value_at..];
    let end =
        end_of(value, &after[..value_at], ["authorization", "cookie"].iter().any(|name| bare(word).contains(name)));
    (end > 0).then(|| (&after[..value_at], &value[..end]))
}

/// What stands between a name and its value; in a URL within a URL `=` is encoded, perhaps twice.
fn sign(text: &str) -> Option<&str> {
    let encoded =
        ["%3d", "%253d"].iter().filter_map(|sign| text.get(..sign.len()).filter(|of| of.eq_ignore_ascii_case(sign)));
    encoded.chain(text.get(..1).filter(|sign| matches!(*sign, "=" | ":"))).next()
}

/// Where the secret ends that `value` begins with, after what stood `before` it.
fn end_of(value: &str, before: &str, to_line_end: bool) -> usize {
    let end = if before.ends_with("\\\"") {
        // JSON in JSON.
        value.find("\\\"")
    } else if let Some(quote) = before.chars().last().filter(|last| matches!(last, '"' | '\'')) {
        let is_end = |at: usize| !value[..at].ends_with('\\');
        value.match_indices(quote).map(|(at, _)| at).find(|at| is_end(*at))
    } else if to_line_end {
        // A scheme stands before credentials; they, and cookies, may have several parts.
        value.find('\n')
    } else {
        value.find(|c: char| c.is_whitespace() || "&,;\"'\\}])<>".contains(c))
    };
    end.unwrap_or(value.len())
}

/// A text of several lines, each as `shown` has it. A secret may stand below its name, and a private key has many lines.
pub(super) fn lines(whole: &str, shown: fn(&str) -> String) -> String {
    let whole = without_private_keys(whole);
    let indent = |line: &str| line.len() - line.trim_start().len();
    // How far the name is indented below which a secret stands, and whether anything of it was there yet.
    let mut below: Option<(usize, bool)> = None;
    let each = whole.split('\n').map(|line| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        below = below.filter(|(of_name, begun)| !begun || line.trim().is_empty() || indent(line) > *of_name);
        match &mut below {
            Some(_) if line.trim().is_empty() => String::new(),
            Some((_, begun)) => {
                *begun = true;
                [&plain(&line[..indent(line)]), REDACTED].concat()
            }
            None => {
                below = ends_with_a_name(line).then(|| (indent(line), false));
                shown(line)
            }
        }
    });
    each.collect::<Vec<_>>().join("\n")
}

/// Whether nothing follows the name of a secret: `password:`, as in YAML also `password: |`, or `"password":`.
fn ends_with_a_name(line: &str) -> bool {
    let line = line.trim_end().trim_end_matches(['|', '>', '-']).trim_end();
    let Some(name) = line.strip_suffix([':', '=']) else { return false };
    let name = name.trim_end_matches(['"', '\'', ' ']);
    let start = name.rfind(|c: char| !is_word(c)).map_or(0, |at| at + 1);
    name.get(start..).is_some_and(is_secret)
}

/// A line that cannot be one of base64 stands at either end of a key (RFC 7468).
fn without_private_keys(text: &str) -> Cow<'_, str> {
    const BEGIN: &str = "-----BEGIN ";
    if !text.contains("PRIVATE KEY") {
        return text.into();
    }
    let (mut shown, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(BEGIN) {
        let (before, block) = rest.split_at(at);
        let (label, body) = block[BEGIN.len()..].split_once("-----").unwrap_or((&block[BEGIN.len()..], ""));
        shown.push_str(before);
        if label.contains("PRIVATE KEY") {
            shown.push_str(REDACTED);
            let end = body.split_once("-----END ").and_then(|(_, end)| end.split_once("-----"));
            rest = end.map_or("", |(_, after)| after);
        } else {
            shown.push_str(BEGIN);
            rest = &block[BEGIN.len()..];
        }
    }
    (shown + rest).into()
}

pub(super) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// Without what could steer a terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
