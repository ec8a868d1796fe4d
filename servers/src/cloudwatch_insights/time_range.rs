//! Time ranges as a model writes them: durations before now and ISO 8601. Knows no time zone but those written out.

use std::{fmt, time::Duration};

use aws_sdk_cloudwatchlogs::primitives::{DateTime, DateTimeFormat};

/// Digits of a count since the epoch, at least: as seconds it is 1973.
const SHORTEST_EPOCH: usize = 9;

/// Counts below this are seconds, from this on milliseconds: as seconds it is the year 5138, as milliseconds 1973.
const FIRST_MILLIS: i64 = 100_000_000_000;

/// From one second to another, both inclusive, as StartQuery has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeRange {
    /// Seconds since the Unix epoch.
    pub(super) start: i64,
    /// Seconds since the Unix epoch.
    pub(super) end: i64,
}

/// A range that cannot be queried.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadRange {
    #[error(
        "`{name}` is `{text}`; write how long ago (`30m`, `1h`, `7d`), `now`, ISO 8601 (`2026-01-31T12:00:00Z`), or \
         seconds or milliseconds since the epoch"
    )]
    Unreadable { name: &'static str, text: String },
    #[error("`start` ({start}) is not before `end` ({end})")]
    Empty { start: String, end: String },
}

impl TimeRange {
    /// `now` is the time since the Unix epoch.
    pub(super) fn parse(start: &str, end: &str, now: Duration) -> Result<Self, BadRange> {
        let read = |name, text: &str| {
            instant(text.trim(), now)
                .ok_or_else(|| BadRange::Unreadable { name, text: text.chars().take(80).collect() })
        };
        let range = Self { start: read("start", start)?, end: read("end", end)? };
        if range.start < range.end {
            Ok(range)
        } else {
            Err(BadRange::Empty { start: iso8601(range.start), end: iso8601(range.end) })
        }
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", iso8601(self.start), iso8601(self.end))
    }
}

/// A second in UTC, for example `2026-01-31T12:00:00Z`.
pub(super) fn iso8601(seconds: i64) -> String {
    let time = DateTime::from_secs(seconds);
    time.fmt(DateTimeFormat::DateTime).unwrap_or_else(|_| format!("second {seconds}"))
}

/// One or more counts with a unit (`ms`, `s`, `m`, `h`, `d`, `w`), largest first or not: `90s`, `1h30m`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    while !rest.is_empty() || total.is_zero() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (count, unit_on) = rest.split_at(digits);
        let unit_len = unit_on.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit_on.len());
        let (unit, next) = unit_on.split_at(unit_len);
        let part = unit_millis(unit)?.checked_mul(count.parse().ok()?)?;
        total = total.checked_add(Duration::from_millis(part))?;
        rest = next;
        if rest.is_empty() {
            break;
        }
    }
    Some(total)
}

fn unit_millis(unit: &str) -> Option<u64> {
    // `M` may be meant for months.
    Some(match unit {
        "ms" => 1,
        "s" | "S" => 1000,
        "m" => 60 * 1000,
        "h" | "H" => 3600 * 1000,
        "d" | "D" => 24 * 3600 * 1000,
        "w" | "W" => 7 * 24 * 3600 * 1000,
        _ => return None,
    })
}

/// Seconds since the epoch, not before it.
fn instant(text: &str, now: Duration) -> Option<i64> {
    if text == "now" {
        return i64::try_from(now.as_secs()).ok();
    }
    if let Some(ago) = duration(text) {
        return i64::try_from(now.checked_sub(ago)?.as_secs()).ok();
    }
    if text.len() >= SHORTEST_EPOCH && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let count = text.parse().ok()?;
        return Some(if count < FIRST_MILLIS { count } else { count / 1000 });
    }
    let seconds = date_time(text)?.secs();
    (seconds >= 0).then_some(seconds)
}

/// RFC 3339, or without an offset, or without seconds, or a date alone; without an offset in UTC.
fn date_time(text: &str) -> Option<DateTime> {
    let mut text = text.replacen(' ', "T", 1);
    // After `2026-01-31T12:00` there are seconds or an offset.
    let form = |at: usize, byte| text.as_bytes().get(at) == Some(&byte);
    if form(10, b'T') && form(13, b':') && text.is_ascii() && text.len() >= 16 && !form(16, b':') {
        text.insert_str(16, ":00");
    }
    let with_zone = format!("{text}Z");
    let with_time = format!("{text}T00:00:00Z");
    [text, with_zone, with_time]
        .iter()
        .find_map(|candidate| DateTime::from_str(candidate, DateTimeFormat::DateTimeWithOffset).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-31T12:00:00Z
    const NOW: Duration = Duration::from_secs(1_769_860_800);

    fn parse(start: &str, end: &str) -> Result<String, String> {
        TimeRange::parse(start, end, NOW).map(|range| range.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn ranges() {
        let check = |start, end, range: &str| assert_eq!(parse(start, end).as_deref(), Ok(range));
        check("1h", "now", "2026-01-31T11:00:00Z to 2026-01-31T12:00:00Z");
        check("1h30m", "30m", "2026-01-31T10:30:00Z to 2026-01-31T11:30:00Z");
        check("1H", "now", "2026-01-31T11:00:00Z to 2026-01-31T12:00:00Z");
        check("2026-01-30 11:51", "2026-01-30T20:52+09:00", "2026-01-30T11:51:00Z to 2026-01-30T11:52:00Z");
        check("2026-01-30T11:51Z", "2026-01-30T11:52:01", "2026-01-30T11:51:00Z to 2026-01-30T11:52:01Z");
        check("1769857200", "1769860800000", "2026-01-31T11:00:00Z to 2026-01-31T12:00:00Z");
        check("2w", "7d", "2026-01-17T12:00:00Z to 2026-01-24T12:00:00Z");
        check("2026-01-01", "2026-01-02T03:04:05", "2026-01-01T00:00:00Z to 2026-01-02T03:04:05Z");
        check("2026-01-01 00:00:00", "2026-01-01T09:00:01+09:00", "2026-01-01T00:00:00Z to 2026-01-01T00:00:01Z");
        check("2026-01-01T00:00:00.5Z", "2026-01-01T10:00:00+09:00", "2026-01-01T00:00:00Z to 2026-01-01T01:00:00Z");
    }

    #[test]
    fn mistakes() {
        insta::assert_snapshot!(parse("yesterday", "now").unwrap_err(), @"`start` is `yesterday`; write how long ago (`30m`, `1h`, `7d`), `now`, ISO 8601 (`2026-01-31T12:00:00Z`), or seconds or milliseconds since the epoch");
        insta::assert_snapshot!(parse("1h", "2h").unwrap_err(), @"`start` (2026-01-31T11:00:00Z) is not before `end` (2026-01-31T10:00:00Z)");
        for bad in [
            "",
            "1",
            "h",
            "1y",
            "1M",
            "2026-01-30T1:51",
            "-1h",
            "1h-",
            "99999999999999999999s",
            "9999w",
            "1969-12-31",
            "2026-13-01",
        ] {
            assert!(parse(bad, "now").is_err(), "{bad}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(duration("0s"), Some(Duration::ZERO));
        assert_eq!(duration("1m30"), None);
    }
}
