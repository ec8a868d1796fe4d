//! Periods of `bin`, `datefloor` and `dateceil`: `5m`, `1h`. Fixed lengths only: weeks, months, quarters and years are
//! refused, because the user guide does not say where they begin.
//!
//! Source: the section on datetime functions of the page `CWL_QuerySyntax-operations-functions` of the CloudWatch Logs
//! user guide, for names and most counts.

/// Names of a unit, its milliseconds, the most of it that CloudWatch counts, the next larger unit.
struct Unit {
    names: [&'static str; 3],
    millis: i64,
    most: i64,
}

const UNITS: [Unit; 5] = [
    Unit { names: ["ms", "msec", "millisecond"], millis: 1, most: 1000 },
    Unit { names: ["s", "sec", "second"], millis: 1000, most: 60 },
    Unit { names: ["m", "min", "minute"], millis: 60_000, most: 60 },
    Unit { names: ["h", "hr", "hour"], millis: 3_600_000, most: 24 },
    Unit { names: ["d", "day", "day"], millis: 86_400_000, most: 365 },
];

const CALENDAR: [&str; 14] =
    ["w", "week", "weeks", "mo", "mon", "month", "months", "q", "qtr", "quarter", "quarters", "y", "yr", "year"];

/// Milliseconds of `number` `unit`s, or what is wrong with them.
pub(super) fn millis(number: &str, unit: &str) -> Result<i64, String> {
    let lower = unit.to_ascii_lowercase();
    if CALENDAR.contains(&lower.as_str()) || lower == "years" {
        return Err(format!("periods in `{unit}` are not available with local log files; write days: `7d`"));
    }
    let singular = if lower.len() > 2 { lower.strip_suffix('s').unwrap_or(&lower) } else { &lower };
    let Some(Unit { millis, most, .. }) = UNITS.iter().find(|known| known.names.contains(&singular)) else {
        let hint = "a period is a number with `ms`, `s`, `m`, `h` or `d`, and a field that starts with a digit is \
                    written in backticks";
        return Err(format!("`{number}{unit}` is no value: {hint}"));
    };
    match number.parse::<i64>() {
        Ok(count) if (1..=*most).contains(&count) => Ok(count * millis),
        Ok(count) if count > *most => {
            // CloudWatch cuts the count off without a word.
            Err(format!(
                "`{number}{unit}` is more than the {most} that CloudWatch counts of `{unit}`; take a larger unit"
            ))
        }
        _ => Err(format!("`{number}{unit}` is no period; write a whole number from 1 to {most}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        for (number, unit, expected) in [
            ("5", "m", 300_000),
            ("1", "Hrs", 3_600_000),
            ("500", "ms", 500),
            ("2", "days", 172_800_000),
            ("30", "sec", 30_000),
        ] {
            assert_eq!(millis(number, unit), Ok(expected), "{number}{unit}");
        }
        for (number, unit) in
            [("300", "s"), ("0", "m"), ("1.5", "h"), ("1", "w"), ("2", "years"), ("1", "x"), ("1", "ss")]
        {
            assert!(millis(number, unit).is_err(), "{number}{unit}");
        }
    }
}
