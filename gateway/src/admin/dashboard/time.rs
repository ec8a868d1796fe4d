//! Times and durations as people read them: how long ago, with the moment itself beside it. Reads no clock.

use std::time::Duration;

use aws_smithy_types::date_time::{DateTime, Format};
use maud::{Markup, html};

/// How long before `now` something was, both since the Unix epoch.
pub(super) fn ago(now: Duration, at: Duration) -> Markup {
    let moment = moment(at);
    html! { time datetime=(moment) title=(moment) { (since(now.saturating_sub(at))) } }
}

/// RFC 3339, whole seconds, UTC.
fn moment(at: Duration) -> String {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    DateTime::from_secs(seconds).fmt(Format::DateTime).unwrap_or_default()
}

fn since(gone: Duration) -> String {
    let seconds = gone.as_secs();
    let (count, unit) = match seconds {
        0..=1 => return "just now".into(),
        2..=59 => (seconds, "s"),
        60..=3599 => (seconds / 60, "min"),
        3600..=86_399 => (seconds / 3600, "h"),
        _ => (seconds / 86_400, "d"),
    };
    format!("{count} {unit} ago")
}

/// `0.8 ms`, `12 ms`, `1.4 s`, `3 min 20 s`.
pub(super) fn length(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        _ if seconds < 0.01 => format!("{:.1} ms", seconds * 1e3),
        _ if seconds < 1.0 => format!("{:.0} ms", seconds * 1e3),
        _ if seconds < 10.0 => format!("{seconds:.1} s"),
        _ if seconds < 60.0 => format!("{seconds:.0} s"),
        _ => format!("{} min {} s", duration.as_secs() / 60, duration.as_secs() % 60),
    }
}

/// `1 tool`, `2 tools`.
pub(super) fn count(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_in_words() {
        let check = |micros, expected: &str| assert_eq!(length(Duration::from_micros(micros)), expected);
        check(840, "0.8 ms");
        check(12_300, "12 ms");
        check(1_440_000, "1.4 s");
        check(200_000_000, "3 min 20 s");
    }

    #[test]
    fn how_long_ago_with_the_moment_beside_it() {
        let check = |gone, expected: &str| assert_eq!(since(Duration::from_secs(gone)), expected);
        check(0, "just now");
        check(59, "59 s ago");
        check(3599, "59 min ago");
        check(90_000, "1 d ago");
        let shown = ago(Duration::from_secs(1_785_240_090), Duration::from_secs(1_785_240_000)).into_string();
        assert_eq!(shown, r#"<time datetime="2026-07-28T12:00:00Z" title="2026-07-28T12:00:00Z">1 min ago</time>"#);
    }
}
