//! Finds the outermost members of a JSON object in one pass over its text, as nearly all texts on the wire are: what it takes,
//! `serde_json` takes, and finds at the same places. What it does not take is for `serde_json` to read, or to say what is wrong with.

use std::ops::Range;

/// Objects and arrays in each other beyond this are left to who is slower.
const DEEPEST: u32 = 64;

/// Gives `take` each outermost member of `text`: where its key stands, with quotes, and where its value does. False where `text` is no
/// JSON object, or one that is nested too deeply for this; some members may have been given by then.
pub(super) fn members(text: &str, mut take: impl FnMut(Range<usize>, Range<usize>) -> bool) -> bool {
    object(text.as_bytes(), &mut take).is_some()
}

fn object(text: &[u8], take: &mut impl FnMut(Range<usize>, Range<usize>) -> bool) -> Option<()> {
    let mut at = past_space(text, 0);
    at = past_space(text, past(text, at, b'{')?);
    if text.get(at) != Some(&b'}') {
        loop {
            let key = at..past_text(text, at)?;
            let start = past_colon(text, key.end)?;
            let end = past_value(text, start)?;
            if !take(key, start..end) {
                return None;
            }
            at = past_space(text, end);
            match text.get(at)? {
                b',' => at = past_space(text, at + 1),
                b'}' => break,
                _ => return None,
            }
        }
    }
    (past_space(text, at + 1) == text.len()).then_some(())
}

/// Behind the value that begins at `at`.
fn past_value(text: &[u8], mut at: usize) -> Option<usize> {
    // Of what the value is in, the outermost in the highest bit: whether each is an object.
    let (mut kinds, mut depth) = (0_u64, 0);
    loop {
        match text.get(at)? {
            b'"' => at = past_text(text, at)?,
            b'{' => {
                at = past_space(text, at + 1);
                if text.get(at)? != &b'}' {
                    (kinds, depth) = (kinds << 1 | 1, depth + 1);
                    at = past_key(text, at)?;
                    if depth > DEEPEST {
                        return None;
                    }
                    continue;
                }
                at += 1;
            }
            b'[' => {
                at = past_space(text, at + 1);
                if text.get(at)? != &b']' {
                    (kinds, depth) = (kinds << 1, depth + 1);
                    if depth > DEEPEST {
                        return None;
                    }
                    continue;
                }
                at += 1;
            }
            b't' => at = past_word(text, at, b"true")?,
            b'f' => at = past_word(text, at, b"false")?,
            b'n' => at = past_word(text, at, b"null")?,
            _ => at = past_number(text, at)?,
        }
        loop {
            if depth == 0 {
                return Some(at);
            }
            at = past_space(text, at);
            match (text.get(at)?, kinds & 1) {
                (b',', 1) => {
                    at = past_key(text, past_space(text, at + 1))?;
                    break;
                }
                (b',', _) => {
                    at = past_space(text, at + 1);
                    break;
                }
                (b'}', 1) | (b']', 0) => (at, kinds, depth) = (at + 1, kinds >> 1, depth - 1),
                _ => return None,
            }
        }
    }
}

/// Behind a key and its colon, where the value begins.
fn past_key(text: &[u8], at: usize) -> Option<usize> {
    past_colon(text, past_text(text, at)?)
}

/// Behind the colon that follows the key which ends at `at`, where the value begins.
fn past_colon(text: &[u8], at: usize) -> Option<usize> {
    Some(past_space(text, past(text, past_space(text, at), b':')?))
}

/// Behind the text that begins with a quote at `at`.
pub(super) fn past_text(text: &[u8], at: usize) -> Option<usize> {
    let mut at = past(text, at, b'"')?;
    loop {
        at = at_special(text, at);
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => match text.get(at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                b'u' if text.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => at += 6,
                _ => return None,
            },
            // A control character, which must be escaped.
            _ => return None,
        }
    }
}

/// The first place from `at` on of a quote, a backslash or a control character.
pub(super) fn at_special(text: &[u8], mut at: usize) -> usize {
    const EACH: u64 = u64::MAX / 255;
    const HIGH: u64 = EACH << 7;
    // Eight bytes at a time, as is usual: a byte is below `n` if taking `n` away borrows from above it. What a borrow makes of bytes
    // further up does not matter, for the first one counts.
    let below = |bytes: u64, n: u64| bytes.wrapping_sub(EACH * n) & !bytes & HIGH;
    while let Some(eight) = text.get(at..at + 8) {
        let eight = u64::from_le_bytes(eight.try_into().expect("eight bytes"));
        let found = below(eight, 0x20)
            | below(eight ^ (EACH * u64::from(b'"')), 1)
            | below(eight ^ (EACH * u64::from(b'\\')), 1);
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len())
}

fn past_number(text: &[u8], mut at: usize) -> Option<usize> {
    if text.get(at) == Some(&b'-') {
        at += 1;
    }
    at = match text.get(at)? {
        b'0' => at + 1,
        _ => past_digits(text, at)?,
    };
    if text.get(at) == Some(&b'.') {
        at = past_digits(text, at + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        at = past_digits(text, at + 1 + sign)?;
    }
    Some(at)
}

/// Behind one digit or more.
fn past_digits(text: &[u8], at: usize) -> Option<usize> {
    let digits = text.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0).then_some(at + digits)
}

fn past_word(text: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    text.get(at..)?.starts_with(word).then_some(at + word.len())
}

fn past(text: &[u8], at: usize, byte: u8) -> Option<usize> {
    (text.get(at) == Some(&byte)).then_some(at + 1)
}

fn past_space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\t' | b'\r') = text.get(at) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn scanned(text: &str) -> Option<Vec<(&str, &str)>> {
        let mut found = Vec::new();
        members(text, |key, value| {
            found.push((&text[key], &text[value]));
            true
        })
        .then_some(found)
    }

    #[test]
    fn members_stand_where_they_are() {
        let text = " {\"a\" : [1, {\"b\":[]}, \"]\"] ,\r\n\t\"\\u0061\\\\\":-0.5e+7,\"\u{e4}\u{20ac}\":{}} ";
        let found = [("\"a\"", "[1, {\"b\":[]}, \"]\"]"), ("\"\\u0061\\\\\"", "-0.5e+7"), ("\"\u{e4}\u{20ac}\"", "{}")];
        assert_eq!(scanned(text).unwrap(), found);
        assert_eq!(scanned("{}").unwrap(), []);
    }

    #[test]
    fn values_are_what_serde_json_takes_for_one() {
        let long = format!("\"{}\"", "x".repeat(23));
        let late = format!("\"{}\u{1}\"", "x".repeat(23));
        let good = [
            "0",
            "-0",
            "10",
            "1.5",
            "1E5",
            "1e-05",
            "true",
            "false",
            "null",
            "\"\"",
            "\"\\/\\uABcd\"",
            "[[],{}]",
            &long,
        ];
        let bad = [
            "",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "tru",
            "nul",
            "NaN",
            "\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\t\"",
            "[1,]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":1,}",
            "{a:1}",
            "[}",
            "{]",
            "[1}",
            "{\"a\":1]",
            "1 2",
            "\u{a0}1",
            "\"\\",
            "\"\\u12",
            &late,
        ];
        for (value, is_good) in good.iter().map(|value| (value, true)).chain(bad.iter().map(|value| (value, false))) {
            assert_eq!(serde_json::from_str::<&RawValue>(value).is_ok(), is_good, "{value}");
            assert_eq!(scanned(&format!("{{\"k\":{value}}}")).is_some(), is_good, "{value}");
        }
    }

    #[test]
    fn what_is_no_object_is_none() {
        for text in ["", " ", "[]", "1", "{", "{}{}", "{} x", "{\"a\":1", "{,}", "{\"a\":1,}", "{\"a\" 1}", "{1:1}"] {
            assert!(scanned(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_nested_too_deeply_is_left_to_others() {
        let nested = |depth: usize| format!("{{\"k\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(scanned(&nested(64)).is_some());
        assert!(scanned(&nested(66)).is_none());
        let objects = |depth: usize| format!("{{\"k\":{}1{}}}", "{\"k\":".repeat(depth), "}".repeat(depth));
        assert!(scanned(&objects(64)).is_some());
        assert!(scanned(&objects(65)).is_none());
    }

    #[test]
    fn a_special_character_is_found_wherever_it_stands() {
        for special in ['"', '\\', '\n', '\0'] {
            for before in 0..20 {
                // Bytes that a borrow could make look special.
                for filler in ["x", "!", "#", "[", "]", "\u{7f}", "\u{80}", "\u{ff}"] {
                    let text = format!("{}{special}{}", filler.repeat(before), "!\"".repeat(9));
                    assert_eq!(at_special(text.as_bytes(), 0), filler.len() * before, "{text:?}");
                }
            }
        }
    }
}
