//! What a field can hold, and how two of them compare: numbers by value also where a log has them as text, the rest by
//! its characters. Knows nothing of fields or queries.

use std::{borrow::Cow, cmp::Ordering};

use rusqlite::types::{Value, ValueRef};

/// Whole numbers up to here are exact as floats.
const EXACT: f64 = 9_007_199_254_740_992.0;

const NUMBERS_SORT_LAST: u8 = 1;
const TEXTS_SORT_FIRST: u8 = 0;

/// The number that a value is or is written as; `None` for everything else.
pub(super) fn number(value: ValueRef<'_>) -> Option<f64> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "counts and times are far below 2^53")]
        ValueRef::Integer(number) => Some(number as f64),
        ValueRef::Real(number) => Some(number),
        ValueRef::Text(text) => written_number(std::str::from_utf8(text).ok()?),
        ValueRef::Null | ValueRef::Blob(_) => None,
    }
}

/// The text of a value as a row shows it; `None` for an absent one.
pub(super) fn text(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    match value {
        ValueRef::Integer(number) => Some(number.to_string().into()),
        ValueRef::Real(number) => Some(shown(number).into()),
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text)),
        ValueRef::Null | ValueRef::Blob(_) => None,
    }
}

/// A number for SQLite: absent rather than infinite or no number.
pub(super) fn finite(number: f64) -> Value {
    if number.is_finite() { Value::Real(number) } else { Value::Null }
}

/// By value if both are numbers, else by characters; `None` if one is absent. Ids of many digits are compared by all of
/// them.
pub(super) fn compare(a: ValueRef<'_>, b: ValueRef<'_>) -> Option<Ordering> {
    if let (Some(a), Some(b)) = (whole(a), whole(b)) {
        return Some(a.cmp(&b));
    }
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a.partial_cmp(&b),
        _ => Some(text(a)?.cmp(&text(b)?)),
    }
}

/// Bytes that sort as the command `sort` does, ascending: texts before numbers; in texts a run of digits by its length,
/// then by its digits, and anything else by code point.
///
/// Source: the page `CWL_QuerySyntax-Sort` of the CloudWatch Logs user guide.
pub(super) fn sort_key(value: ValueRef<'_>) -> Option<Vec<u8>> {
    if let Some(number) = number(value) {
        let bits = number.to_bits();
        // Floats of one sign sort as their bits do; the sign bit turns the order around.
        let ordered = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
        return Some([&[NUMBERS_SORT_LAST][..], &ordered.to_be_bytes()].concat());
    }
    let text = text(value)?;
    let mut key = vec![TEXTS_SORT_FIRST];
    let mut rest = &*text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if end > 0 {
            // Where a digit meets another character, it is compared as a digit.
            key.push(b'0');
            key.extend(u32::try_from(end).unwrap_or(u32::MAX).to_be_bytes());
        }
        let end = end.max(first.len_utf8());
        key.extend(&rest.as_bytes()[..end]);
        rest = &rest[end..];
    }
    Some(key)
}

fn whole(value: ValueRef<'_>) -> Option<i128> {
    match value {
        ValueRef::Integer(number) => Some(number.into()),
        #[expect(clippy::cast_possible_truncation, reason = "whole, and in range")]
        ValueRef::Real(number) => (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i128),
        ValueRef::Text(text) => {
            let text = std::str::from_utf8(text).ok()?;
            all_digits(text.strip_prefix('-').unwrap_or(text)).then(|| text.parse().ok())?
        }
        ValueRef::Null | ValueRef::Blob(_) => None,
    }
}

fn written_number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let number = (all_digits(whole) && all_digits(fraction)).then(|| text.parse::<f64>().ok())?;
    number.filter(|number| number.is_finite())
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn shown(number: f64) -> String {
    // No `-0`.
    let number = if number == 0.0 { 0.0 } else { number };
    number.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> ValueRef<'_> {
        ValueRef::Text(text.as_bytes())
    }

    #[test]
    fn numbers_in_texts() {
        for (text, expected) in [("12", Some(12.0)), ("-0.5", Some(-0.5)), ("007", Some(7.0))] {
            assert_eq!(number(of(text)), expected, "{text}");
        }
        for text in ["", "-", "1e5", "1.", ".5", " 1", "0x1", "NaN", "inf", "1.2.3"] {
            assert_eq!(number(of(text)), None, "{text}");
        }
    }

    #[test]
    fn comparisons() {
        let check = |a: &str, b: &str, expected| assert_eq!(compare(of(a), of(b)), Some(expected), "{a} {b}");
        check("9", "10", Ordering::Less);
        check("1.0", "1", Ordering::Equal);
        check("9a", "10a", Ordering::Greater);
        check("1234567890123456789", "1234567890123456788", Ordering::Greater);
        assert_eq!(compare(ValueRef::Null, of("")), None);
    }

    /// The example of the user guide's page on `sort`, line by line.
    #[test]
    fn the_order_of_the_user_guide() {
        let sorted =
            ["!:", "#", "*%04", "0#", "5A", "111A", "2345_", "@", "@_", "A", "A9876fghj", "a12345hfh", "0", "1"];
        let sorted: Vec<_> = sorted.into_iter().chain(["2", "3", "10"]).collect();
        for pair in sorted.windows(2) {
            assert!(sort_key(of(pair[0])) < sort_key(of(pair[1])), "{pair:?}");
        }
        assert_eq!(sort_key(of("01")), sort_key(of("1")));
        assert!(sort_key(of("-2")) < sort_key(of("-1.5")) && sort_key(of("-1.5")) < sort_key(of("0")));
    }

    #[test]
    fn shown_numbers() {
        let check = |number, expected: &str| assert_eq!(text(ValueRef::Real(number)).as_deref(), Some(expected));
        check(3.0, "3");
        check(-0.0, "0");
        check(0.1, "0.1");
        check(2.5, "2.5");
    }
}
