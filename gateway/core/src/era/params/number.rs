//! JSON numbers compared and written by their value, exactly: no floating point, which would make neighbours of large
//! numbers equal.

use std::borrow::Cow;

/// Integers of more digits stay as they were written. Those that the era allows have 16 at most.
const MOST_DIGITS: i64 = 40;

/// A number by its value: `digits * 10^exponent`, digits without zeros at either end, zero without digits and sign.
#[derive(Debug, PartialEq, Eq)]
struct Number {
    negative: bool,
    digits: String,
    exponent: i64,
}

/// Whether both texts are numbers, and of one value.
pub(super) fn equal(one: &str, other: &str) -> bool {
    Number::parse(one).is_some_and(|number| Number::parse(other) == Some(number))
}

/// `json`, a JSON number, in decimal form where it is an integer: `-7` for `-7.0` and `-0.7e1`. Other numbers stay as they
/// are.
pub(super) fn decimal(json: &str) -> Cow<'_, str> {
    let Some(Number { negative, digits, exponent }) = Number::parse(json) else { return json.into() };
    let Some(zeros) = usize::try_from(exponent).ok().filter(|_| exponent <= MOST_DIGITS) else { return json.into() };
    match digits.as_str() {
        "" => "0".into(),
        digits => [if negative { "-" } else { "" }, digits, &"0".repeat(zeros)].concat().into(),
    }
}

impl Number {
    fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, power) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(a, b)| (a, Some(b)));
        let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let fraction = match fraction {
            Some(fraction) => Some(fraction).filter(|digits| all_digits(digits))?,
            None => "",
        };
        if !all_digits(whole) || !all_digits(power.strip_prefix(['+', '-']).unwrap_or(power)) {
            return None;
        }
        let digits = [whole, fraction].concat();
        let trimmed = digits.trim_end_matches('0');
        let moved = i64::try_from(digits.len() - trimmed.len()).ok()? - i64::try_from(fraction.len()).ok()?;
        let exponent = power.parse::<i64>().ok()?.checked_add(moved)?;
        Some(match trimmed.trim_start_matches('0') {
            "" => Self { negative: false, digits: String::new(), exponent: 0 },
            digits => Self { negative, digits: digits.to_owned(), exponent },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_written_in_decimal_form() {
        for (json, written) in [
            ("42", "42"),
            ("-7.0", "-7"),
            ("42.000", "42"),
            ("1e3", "1000"),
            ("-0.7E+1", "-7"),
            ("-0", "0"),
            ("0.00e9", "0"),
            ("9007199254740993", "9007199254740993"),
            ("1.5", "1.5"),
            ("1e-1", "1e-1"),
            ("1e400", "1e400"),
            ("1e99999999999999999999", "1e99999999999999999999"),
        ] {
            assert_eq!(decimal(json), written, "{json}");
        }
    }

    #[test]
    fn numbers_are_compared_by_their_value() {
        for same in [["42.0", "42"], ["4.2e1", "42"], ["-0", "0"], ["100", "1e2"], ["1e400", "10e399"], ["042", "42"]] {
            assert!(equal(same[0], same[1]), "{same:?}");
        }
        for other in [
            ["42.1", "42"],
            ["-42", "42"],
            ["9007199254740993", "9007199254740992"],
            ["0x2a", "42"],
            ["+42", "42"],
            ["", "0"],
            [".", "0"],
            ["42.", "42"],
            [".5", "0.5"],
            ["1e", "1"],
            ["1e+-1", "1"],
            ["４２", "42"],
            ["true", "true"],
        ] {
            assert!(!equal(other[0], other[1]), "{other:?}");
        }
    }
}
