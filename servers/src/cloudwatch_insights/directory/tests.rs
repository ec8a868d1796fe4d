//! The engine over the logs of `servers/tests/logs`: answers that were worked out by hand, refusals, bounds. What the
//! files of logs and the single parts do is tested beside them.

mod answers;
mod bounds;
mod generated;
mod refusals;

use std::{path::Path, time::Duration};

use causeway_oidc::clock::Clock;
use tokio_util::sync::CancellationToken;

use super::{Directory, DirectoryError, Watch};
use crate::cloudwatch_insights::{found::Found, query::Query, time_range::TimeRange};

/// 2026-01-31T12:00:00Z, the first event.
const NOON: i64 = 1_769_860_800;

const WEB: &str = "/app/web";
const WORKER: &str = "/app/worker";

fn logs() -> Directory {
    // 13:00:00.
    let clock = Clock::from_fn(|| Duration::from_secs(1_769_864_400));
    Directory::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs"), clock).unwrap()
}

fn hour(text: &str, groups: &[&str]) -> Query {
    let log_groups = groups.iter().map(|&group| group.to_owned()).collect();
    Query { text: text.to_owned(), log_groups, range: TimeRange { start: NOON, end: NOON + 3599 }, limit: 1000 }
}

fn never() -> Watch {
    Watch::new(Duration::from_secs(600), CancellationToken::new())
}

fn ask(groups: &[&str], text: &str) -> Result<Found, DirectoryError> {
    logs().query(&hour(text, groups), &never())
}

/// One line a row: `name=value; name=value`.
fn lines(found: &Found) -> Vec<String> {
    let line = |row: &Vec<(String, String)>| {
        row.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    };
    found.rows.iter().map(line).collect()
}
