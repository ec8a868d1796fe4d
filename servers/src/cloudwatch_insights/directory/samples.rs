//! Sample logs that the program brings along, for a machine without logs of its own. Their times are moved: the last one
//! is the begin of the present minute, whenever they are read, so that a query over the last hour finds them.

use std::{sync::LazyLock, time::Duration};

use regex::{Captures, Regex};

use super::{
    files::{self, Content, LogFile},
    instant,
};
use crate::cloudwatch_insights::groups::LogGroup;

/// No event is later: 2026-01-31T12:00:00Z.
const LAST: i64 = 1_769_860_800_000;

const MINUTE: i64 = 60_000;

/// Group, stream, content.
const FILES: [[&str; 3]; 4] = [
    ["/shop/orders", "orders-1.log", include_str!("../../../sample-logs/shop/orders/orders-1.log")],
    ["/shop/payments", "payments-1.log", include_str!("../../../sample-logs/shop/payments/payments-1.log")],
    ["/shop/web", "web-1.log", include_str!("../../../sample-logs/shop/web/web-1.log")],
    ["/shop/web", "web-2.log", include_str!("../../../sample-logs/shop/web/web-2.log")],
];

/// How every time of the samples is written.
static TIME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z").expect("the pattern is well-formed"));

pub(super) fn groups(now: Duration) -> Vec<LogGroup> {
    let mut names: Vec<_> = FILES.iter().map(|[group, ..]| *group).collect();
    names.dedup();
    let group = |name: &&str| files::group(name, &streams(name, now).unwrap_or_default(), None);
    names.iter().map(group).collect()
}

pub(super) fn streams(group: &str, now: Duration) -> Option<Vec<LogFile>> {
    let now = i64::try_from(now.as_millis()).unwrap_or(LAST);
    let last = now - now % MINUTE;
    let files: Vec<_> = FILES.iter().filter(|[of, ..]| *of == group).collect();
    let file = |[_, stream, text]: &[&str; 3]| LogFile {
        content: Content::Text(moved(text, last - LAST)),
        stream: (*stream).to_owned(),
        bytes: text.len() as u64,
        modified: last,
    };
    (!files.is_empty()).then(|| files.into_iter().map(file).collect())
}

fn moved(text: &str, by: i64) -> String {
    let time = |found: &Captures<'_>| match instant::leading(&found[0]) {
        Some(time) => format!("{}Z", instant::shown(time + by).replace(' ', "T")),
        None => found[0].to_owned(),
    };
    TIME.replace_all(text, time).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_end_now() {
        let now = Duration::from_millis(1_800_000_012_345);
        let mut last = Vec::new();
        for [group, _, text] in FILES {
            let files = streams(group, now).unwrap();
            assert!(files.iter().all(|file| file.bytes > 0 && file.modified == 1_800_000_000_000));
            let times = TIME.find_iter(text).map(|time| instant::leading(time.as_str()).unwrap());
            last.extend(times.max());
            // Every event has a time of its own that is moved.
            assert!(text.lines().all(|line| line.starts_with(char::is_whitespace) || TIME.is_match(line)), "{group}");
        }
        assert_eq!(last.into_iter().max(), Some(LAST));
        assert_eq!(
            moved("2026-01-31T12:00:00.000Z {\"t\":\"2026-01-31T11:59:59.999Z\"}", 1001),
            "2026-01-31T12:00:01.001Z {\"t\":\"2026-01-31T12:00:01.000Z\"}"
        );
        let names: Vec<_> = groups(now).into_iter().map(|group| group.name).collect();
        assert_eq!(names, ["/shop/orders", "/shop/payments", "/shop/web"]);
        assert!(streams("/shop", now).is_none());
    }
}
