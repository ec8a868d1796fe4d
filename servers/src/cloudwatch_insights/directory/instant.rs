//! Points in time as logs write them and as rows show them: milliseconds since the Unix epoch, UTC. Knows no time zone
//! but those written out.

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Numbers below this are seconds, from this on milliseconds: as seconds it is the year 5138, as milliseconds 1973. So
/// each thousandfold of it begins the next smaller unit.
const FIRST_MILLIS: f64 = 1e11;

/// Digits that a text has at least to be a count since the epoch.
const SHORTEST_EPOCH: usize = 9;

/// Abbreviations of one meaning, and the minutes east of Greenwich.
const ZONES: [(&str, i64); 30] = [
    ("UTC", 0),
    ("GMT", 0),
    ("UT", 0),
    ("Z", 0),
    ("WET", 0),
    ("WEST", 60),
    ("CET", 60),
    ("CEST", 120),
    ("MEZ", 60),
    ("MESZ", 120),
    ("EET", 120),
    ("EEST", 180),
    ("MSK", 180),
    ("PKT", 300),
    ("WIB", 420),
    ("HKT", 480),
    ("SGT", 480),
    ("AWST", 480),
    ("JST", 540),
    ("KST", 540),
    ("AEST", 600),
    ("AEDT", 660),
    ("NZST", 720),
    ("NZDT", 780),
    ("EST", -300),
    ("EDT", -240),
    ("CDT", -300),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
];

/// Abbreviations that mean several zones, and how names of zones begin.
const UNCLEAR: [&str; 19] = [
    "ACST",
    "ACT",
    "ADT",
    "AMT",
    "ART",
    "AST",
    "BST",
    "CST",
    "GST",
    "IST",
    "MST",
    "SST",
    "Africa/",
    "America/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Europe/",
    "Pacific/",
];

/// The time at the very begin of a line: RFC 3339, or `YYYY-MM-DD HH:MM:SS` with a fraction after `.` or `,`; UTC without
/// an offset. It may stand in square brackets. A time whose offset or zone cannot be read is none.
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
    Some(local - offset_minutes(rest)? * 60_000)
}

/// A count since the epoch, as a text.
pub(super) fn written_epoch(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_count = whole.len() >= SHORTEST_EPOCH && digits(whole).is_some() && digits(fraction).is_some();
    is_count.then(|| text.parse().ok().and_then(from_epoch))?
}

/// A count since the epoch: seconds, also with a fraction, milli-, micro- or nanoseconds, by its magnitude.
pub(super) fn from_epoch(number: f64) -> Option<i64> {
    let unit = [1e3, 1.0, 1e-3, 1e-6].into_iter().zip([1.0, 1e3, 1e6, 1e9]);
    let millis = unit.filter(|(_, more)| number.abs() < FIRST_MILLIS * more).map(|(scale, _)| number * scale).next()?;
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

/// Minutes east of Greenwich of what follows a time: `Z`, `+09:00`, `+0900`, `+09` or an abbreviation, also after a blank;
/// none of them is UTC. `None` for what looks like one of them and cannot be read.
fn offset_minutes(text: &str) -> Option<i64> {
    let after = text.strip_prefix(' ').unwrap_or(text);
    let adjacent = after.len() == text.len();
    let signed = after.strip_prefix(['+', '-']);
    if let Some(offset) = signed.filter(|offset| adjacent || offset.starts_with(|c: char| c.is_ascii_digit())) {
        let minutes = numeric_offset(offset)?;
        return Some(if after.starts_with('-') { -minutes } else { minutes });
    }
    let word = &after[..after.find(|c: char| !c.is_alphanumeric() && c != '/').unwrap_or(after.len())];
    if UNCLEAR.iter().any(|unclear| word == *unclear || unclear.ends_with('/') && word.starts_with(unclear)) {
        return None;
    }
    match ZONES.iter().find(|(name, _)| word.eq_ignore_ascii_case(name) && (adjacent || word == *name)) {
        Some((_, minutes)) => Some(*minutes),
        // A word after a blank begins the message.
        None => (!adjacent || word.is_empty()).then_some(0),
    }
}

/// `09:00`, `0900` or `09`, and no more digits. The farthest zone is 14 hours away.
fn numeric_offset(text: &str) -> Option<i64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(text.len());
    if text[end..].starts_with(char::is_alphanumeric) {
        return None;
    }
    // A colon may also end the time: `+09:00: message`.
    let offset = text[..end].trim_end_matches(':');
    let (hours, minutes) = match offset.len() {
        2 => (offset, "0"),
        4 => offset.split_at(2),
        _ => offset.split_once(':').filter(|(hours, minutes)| hours.len() == 2 && minutes.len() == 2)?,
    };
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    (hours <= 14 && minutes <= 59).then_some(hours * 60 + minutes)
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
        check("2026-01-31T12:00:00+0900", "2026-01-31 03:00:00.000");
        check("2026-01-31 12:00:00+09 x", "2026-01-31 03:00:00.000");
        check("2026-01-31 12:00:00 +09:00 x", "2026-01-31 03:00:00.000");
        check("2026-01-31 12:00:00.5 -0330: x", "2026-01-31 15:30:00.500");
        check("2026-01-31 12:00:00,123 JST INFO", "2026-01-31 03:00:00.123");
        check("[2026-01-31 12:00:00 UTC] x", "2026-01-31 12:00:00.000");
        check("2026-01-31T12:00:00z", "2026-01-31 12:00:00.000");
        check("2026-01-31T12:00:00+09:00[Asia/Tokyo] x", "2026-01-31 03:00:00.000");
        check("2026-01-31 12:00:00 EST", "2026-01-31 17:00:00.000");
        check("2026-01-31 12:00:00,123 - root - INFO", "2026-01-31 12:00:00.123");
        check("2026-01-31 12:00:00 GET /x", "2026-01-31 12:00:00.000");
        check("2026-01-31 12:00:00: x", "2026-01-31 12:00:00.000");
        check("2024-02-29 00:00:00 leap", "2024-02-29 00:00:00.000");
        check("1969-12-31 23:59:59.999", "1969-12-31 23:59:59.999");
    }

    #[test]
    fn no_times() {
        for line in ["", "INFO", "2026-02-29 12:00:00", "2026-13-01 12:00:00", "2026-01-31", "2026-01-31 25:00:00", "ü"]
        {
            assert_eq!(leading(line), None, "{line}");
        }
        for offset in
            ["+9", "+25:00", "+090", "+09:0", "-", " +9 x", " CST", " IST x", " Europe/Berlin", "abc", "+0900x"]
        {
            let line = format!("2026-01-31 12:00:00{offset}");
            assert_eq!(leading(&line), None, "{line}");
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(from_epoch(1_769_860_800.0), Some(1_769_860_800_000));
        assert_eq!(from_epoch(1_769_860_800_123.0), Some(1_769_860_800_123));
        assert_eq!(from_epoch(1_769_860_800.25), Some(1_769_860_800_250));
        assert_eq!(from_epoch(1_769_860_800_123_456.0), Some(1_769_860_800_123));
        assert_eq!(from_epoch(1_769_860_800_123_456_789.0), Some(1_769_860_800_123));
        assert_eq!(from_epoch(1e21), None);
        assert_eq!(written_epoch("1769860800.25"), Some(1_769_860_800_250));
        for text in ["12345678", "", "x", "1769860800.", "-1769860800", "1e9999999999"] {
            assert_eq!(written_epoch(text), None, "{text}");
        }
    }
}
