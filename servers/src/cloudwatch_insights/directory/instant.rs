//! Points in time as logs write them and as rows show them: milliseconds since the Unix epoch, UTC. Knows no time zone
//! but those written out.

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Numbers below this are seconds, from this on milliseconds: as seconds it is the year 5138, as milliseconds 1973.
const FIRST_MILLIS: f64 = 1e11;

/// The time at the very begin of a line: RFC 3339, or `YYYY-MM-DD HH:MM:SS` with a fraction after `.` or `,`; UTC without
/// an offset. It may stand in square brackets.
pub(super) fn leading(line: &str) -> Option<i64> {
    let text = line.strip_prefix('[').unwrap_or(line);
    let bytes = text.as_bytes();
    let form = |at: usize, expected: &[u8]| bytes.get(at).is_some_and(|byte| expected.contains(byte));
    if !(form(4, b"-") && form(7, b"-") && form(10, b"T ") && form(13, b":") && form(16, b":")) {
        return None;
    }
    let number = |from: usize, to: usize| digits(text.get(from..to)?);
    let days = days(number(0, 4)?, number(5, 7)?, number(8, 10)?)?;
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (millis, rest) = fraction(&text[19..]);
    let local = days * DAY + ((hour * 60 + minute) * 60 + second) * 1000 + millis;
    Some(local - offset_minutes(rest) * 60_000)
}

/// A time that JSON holds as a number: seconds, also with a fraction, or milliseconds.
pub(super) fn from_epoch(number: f64) -> Option<i64> {
    let millis = if number.abs() < FIRST_MILLIS { number * 1000.0 } else { number };
    #[expect(clippy::cast_possible_truncation, reason = "in range, and parts of a millisecond are of no use")]
    let whole = (millis.abs() < 1e15).then(|| millis.round() as i64);
    whole
}

/// `YYYY-MM-DD HH:MM:SS.mmm`, as CloudWatch shows times.
pub(super) fn shown(millis: i64) -> String {
    let (days, rest) = (millis.div_euclid(DAY), millis.rem_euclid(DAY));
    let (year, month, day) = date(days);
    let (seconds, millis) = (rest / 1000, rest % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millis:03}")
}

fn digits(text: &str) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Milliseconds of a fraction, and what follows it.
fn fraction(text: &str) -> (i64, &str) {
    let Some(after) = text.strip_prefix(['.', ',']) else { return (0, text) };
    let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    let millis = after[..end].bytes().chain(std::iter::repeat(b'0')).take(3);
    (millis.fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0')), &after[end..])
}

/// `Z`, nothing, `+09:00` or `+0900`.
fn offset_minutes(text: &str) -> i64 {
    let sign = match text.as_bytes().first() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return 0,
    };
    let (hours, rest) = (text.get(1..3), text.get(3..).unwrap_or_default());
    let minutes = rest.strip_prefix(':').unwrap_or(rest).get(..2);
    match (hours.and_then(digits), minutes.and_then(digits)) {
        (Some(hours @ 0..=23), Some(minutes @ 0..=59)) => sign * (hours * 60 + minutes),
        _ => 0,
    }
}

/// Days since the epoch. After `days_from_civil` of Howard Hinnant's "chrono-compatible low-level date algorithms".
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (shifted_year.div_euclid(400), shifted_year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    // A day that the month does not have comes back as another one.
    (date(days) == (year, month, day)).then_some(days)
}

fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let (day, month) = (day_of_year - (153 * shifted_month + 2) / 5 + 1, (shifted_month + 2) % 12 + 1);
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_lines() {
        let check = |line: &str, time: &str| assert_eq!(leading(line).map(shown).as_deref(), Some(time), "{line}");
        check("2026-01-31T12:00:00Z INFO", "2026-01-31 12:00:00.000");
        check("2026-01-31T12:00:00.5Z", "2026-01-31 12:00:00.500");
        check("[2026-01-31 12:00:00,123] x", "2026-01-31 12:00:00.123");
        check("2026-01-31 12:00:00.123456 x", "2026-01-31 12:00:00.123");
        check("2026-01-31T12:00:00+09:00 x", "2026-01-31 03:00:00.000");
        check("2026-01-31T12:00:00-0330 x", "2026-01-31 15:30:00.000");
        check("2024-02-29 00:00:00 leap", "2024-02-29 00:00:00.000");
        check("1969-12-31 23:59:59.999", "1969-12-31 23:59:59.999");
    }

    #[test]
    fn no_times() {
        for line in ["", "INFO", "2026-02-29 12:00:00", "2026-13-01 12:00:00", "2026-01-31", "2026-01-31 25:00:00", "ü"]
        {
            assert_eq!(leading(line), None, "{line}");
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(from_epoch(1_769_860_800.0), Some(1_769_860_800_000));
        assert_eq!(from_epoch(1_769_860_800_123.0), Some(1_769_860_800_123));
        assert_eq!(from_epoch(1_769_860_800.25), Some(1_769_860_800_250));
        assert_eq!(from_epoch(1e18), None);
    }
}
