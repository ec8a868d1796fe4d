//! Patterns over names and URIs, as a config writes them: `*` stands for any text, `?` for one character, everything else for
//! itself. Knows no names of its own.

use std::fmt;

/// One pattern, case-sensitive. There is no way to write a `*` that stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Box<str>);

/// What is let through: what one of `include` matches, or anything where that is empty, and none of `exclude` does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    pub include: Vec<Pattern>,
    pub exclude: Vec<Pattern>,
}

impl Pattern {
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for the whole of `text`.
    pub fn matches(&self, text: &str) -> bool {
        // Where the last `*` was, and up to where it stands for text so far: on a mismatch it takes one character more. An
        // earlier `*` never needs to.
        let mut star: Option<(&str, &str)> = None;
        let (mut pattern, mut rest) = (&*self.0, text);
        loop {
            if let Some(after) = pattern.strip_prefix('*') {
                star = Some((after, rest));
                pattern = after;
                continue;
            }
            match (pattern.chars().next(), rest.chars().next()) {
                (None, None) => return true,
                (Some(wanted), Some(found)) if wanted == '?' || wanted == found => {
                    pattern = &pattern[wanted.len_utf8()..];
                    rest = &rest[found.len_utf8()..];
                }
                _ => {
                    let Some((after, from)) = star else { return false };
                    let Some(taken) = from.chars().next() else { return false };
                    let from = &from[taken.len_utf8()..];
                    star = Some((after, from));
                    (pattern, rest) = (after, from);
                }
            }
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Selection {
    /// Whether `text` is let through.
    pub fn selects(&self, text: &str) -> bool {
        let included = self.include.is_empty() || self.include.iter().any(|pattern| pattern.matches(text));
        included && !self.exclude.iter().any(|pattern| pattern.matches(text))
    }

    /// Whether it lets everything through.
    pub fn is_everything(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Whether it lets through the URI of a resource that nobody lists. Where anything is held back, a URI must be written in
    /// its normal form: a server may well take `notes://a/../b` or `notes://%62` for the `notes://b` that is not to be read. What
    /// must be escaped in it may stand in `exclude` as it is, as servers list it, or escaped.
    pub fn selects_unlisted(&self, uri: &str) -> bool {
        if self.is_everything() {
            return true;
        }
        let meant = unescaped(uri);
        let is_excluded = |pattern: &Pattern| Pattern::new(&unescaped(pattern.as_str())).matches(&meant);
        is_normal(uri) && self.selects(uri) && !self.exclude.iter().any(is_excluded)
    }

    /// Whether it lets nothing through, whatever there is.
    pub fn is_nothing(&self) -> bool {
        self.exclude.iter().any(|pattern| !pattern.0.is_empty() && pattern.0.bytes().all(|byte| byte == b'*'))
    }
}

/// Whether a URI is written as RFC 3986, section 6.2, would write it: no other characters than that allows, scheme and host in lower
/// case, escapes in upper case and of nothing that needs none, no `.` and `..` in the path, nothing empty around the host. Nor is the
/// host one of the two: who has no hosts reads `notes://../b` as a path. (Whether two normal URIs mean one thing to a server, only that
/// server knows.)
fn is_normal(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let (before_query, _) = rest.split_once(['?', '#']).unwrap_or((rest, ""));
    let authority = before_query.strip_prefix("//").map_or("", |rest| rest.split('/').next().unwrap_or_default());
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let is_lower = |text: &str| !text.bytes().any(|byte| byte.is_ascii_uppercase());
    uri.bytes().all(is_of_uris)
        && is_lower(scheme)
        && is_lower(host)
        && !host.ends_with(':')
        && user.is_none_or(|user| !user.is_empty() && !user.ends_with(':'))
        && !before_query.split('/').any(|segment| matches!(segment, "." | ".."))
        && !escapes_needlessly(uri)
}

/// Whether a URI may hold this byte (RFC 3986, section 2).
fn is_of_uris(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
}

/// Whether a `%` stands before anything but the code, in upper case, of a character that must be escaped.
fn escapes_needlessly(uri: &str) -> bool {
    uri.split('%').skip(1).any(|after| {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
        let code = after.get(..2).filter(|code| code.bytes().all(is_digit));
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        byte.is_none_or(|byte| byte.is_ascii_alphanumeric() || b"-._~/\\".contains(&byte))
    })
}

/// `text` with the characters that its escapes stand for; what is no escape stays.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
        let code = digit(0).zip(digit(1)).filter(|_| first == b'%');
        let byte = code.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(pattern: &str, text: &str, expected: bool) {
        assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern} {text}");
    }

    #[test]
    fn a_star_is_any_text_and_a_question_mark_one_character() {
        check("", "", true);
        check("", "a", false);
        check("*", "", true);
        check("get_*", "get_", true);
        check("get_*", "forget_it", false);
        check("*_*", "a_b", true);
        check("a?c", "aéc", true);
        check("a?c", "ac", false);
        check("?", "", false);
        check("*ab", "aab", true);
        check("*ab*ab", "abcab", true);
        check("*ab*ab", "cab", false);
        check("a*b?", "a*b?", true);
        check("Get", "get", false);
        check("notes://{id}", "notes://{id}", true);
    }

    #[test]
    fn a_pattern_of_many_stars_is_soon_done() {
        check(&"*a".repeat(200), &"a".repeat(100_000), true);
        check(&["*a".repeat(200).as_str(), "b"].concat(), &"a".repeat(10_000), false);
    }

    #[test]
    fn what_is_excluded_is_out_whatever_includes_it() {
        let patterns = |texts: &[&str]| texts.iter().map(|text| Pattern::new(text)).collect::<Vec<_>>();
        let selects = |include: &[&str], exclude: &[&str], text: &str| {
            Selection { include: patterns(include), exclude: patterns(exclude) }.selects(text)
        };
        assert!(selects(&[], &[], "anything"));
        assert!(selects(&["get_*", "list_*"], &[], "list_all"));
        assert!(!selects(&["get_*"], &[], "list_all"));
        assert!(!selects(&["get_*"], &["*secret*"], "get_secrets"));
        assert!(!selects(&[], &["*"], "anything"));
    }

    #[test]
    fn an_unlisted_uri_is_let_through_in_its_normal_form_alone() {
        let held_back = Selection { include: Vec::new(), exclude: vec![Pattern::new("notes://secret*")] };
        let check = |uri: &str, expected: bool| assert_eq!(held_back.selects_unlisted(uri), expected, "{uri}");
        check("notes://7", true);
        check("notes://a/b%20c?q=../x#%41", false);
        check("notes://a/b%20c?q=../x", true);
        check("notes://secret", false);
        check("notes://%73ecret", false);
        check("NOTES://secret", false);
        check("notes://a/../secret", false);
        check("notes://a/%2e%2E/secret", false);
        check("notes://../secret", false);
        check("notes://./secret", false);
        check("notes://.../7", true);
        check("notes://Secret", false);
        check("file:///a\\..\\secret", false);
        check("file:///a/./b", false);
        check("file:///a/.b..c", true);
        check("notes://a%", false);
        check("notes://a%2Fb", false);
        check("notes://a b", false);
        check("no uri", false);
        check("notes://a%c3%a9", false);
        check("notes://a\u{e9}", false);
        check("notes://@b", false);
        check("notes://:@b", false);
        check("notes://u:@b", false);
        check("notes://b:", false);
        check("notes://u@b:7/c", true);
        assert!(Selection::default().selects_unlisted("NOTES://%73ecret"));
    }

    /// Servers list URIs that RFC 3986 would write otherwise, and read them however they are written.
    #[test]
    fn what_is_excluded_is_so_escaped_or_not() {
        for written in
            ["notes://my plan*", "notes://my%20plan*", "notes://*\u{e9}", "notes://*%C3%A9", "notes://*%c3%a9"]
        {
            let held_back = Selection { include: Vec::new(), exclude: vec![Pattern::new(written)] };
            for uri in ["notes://my%20plan%C3%A9", "notes://my plan\u{e9}"] {
                assert!(!held_back.selects_unlisted(uri), "{written} {uri}");
            }
            assert!(held_back.selects_unlisted("notes://my%20other"), "{written}");
        }
    }

    #[test]
    fn everything_is_excluded_by_a_star_alone() {
        let is_nothing = |text: &str| Selection { include: Vec::new(), exclude: vec![Pattern::new(text)] }.is_nothing();
        assert!(is_nothing("*") && is_nothing("**"));
        assert!(!is_nothing("") && !is_nothing("a*") && !is_nothing("?*") && !Selection::default().is_nothing());
    }

    /// The same by trying every way to divide the text.
    fn matches_slowly(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => (0..=text.len()).any(|taken| matches_slowly(rest, &text[taken..])),
            (['?', pattern @ ..], [_, text @ ..]) => matches_slowly(pattern, text),
            ([wanted, pattern @ ..], [found, text @ ..]) => wanted == found && matches_slowly(pattern, text),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn the_quick_way_finds_what_the_slow_one_does(pattern in "[ab*?]{0,8}", text in "[abé]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(Pattern::new(&pattern).matches(&text), matches_slowly(&chars(&pattern), &chars(&text)));
        }
    }
}
