//! What keeps a query within its bounds, and what its text cannot do.

use std::{ops::ControlFlow, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{WEB, ask, hour, lines, logs, never};
use crate::cloudwatch_insights::directory::{
    Directory, DirectoryError, Interrupted, Watch,
    engine::{self, Engine},
    events, parser, plan,
};

#[test]
fn a_deadline_and_a_cancellation_end_it() {
    let query = hour("stats count(*)", &[WEB]);
    let late = logs().query(&query, &Watch::new(Duration::ZERO, CancellationToken::new()));
    assert!(matches!(late, Err(DirectoryError::Interrupted(Interrupted::Deadline(_)))), "{late:?}");
    let cancelled = CancellationToken::new();
    cancelled.cancel();
    let stop = Watch::new(Duration::from_secs(600), cancelled);
    assert!(matches!(logs().query(&query, &stop), Err(DirectoryError::Interrupted(Interrupted::Cancelled))));
    assert!(matches!(logs().fields(WEB, &stop), Err(DirectoryError::Interrupted(Interrupted::Cancelled))));
}

#[test]
fn sqlite_itself_is_interrupted() {
    let text = "stats count(*)";
    let mut plan = plan::plan(text, parser::parse(text).unwrap(), 0, 1).unwrap();
    let cancelled = CancellationToken::new();
    let engine = Engine::new(&mut plan, &Watch::new(Duration::from_secs(600), cancelled.clone())).unwrap();
    let file = logs().streams(WEB).unwrap().remove(0);
    let mut loading = engine.loading().unwrap();
    for _ in 0..1000 {
        let loaded = events::each(WEB, &file, |event| match loading.insert(&event) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        });
        assert!(loaded.unwrap().is_continue());
    }
    drop(loading);
    cancelled.cancel();
    assert!(engine::is_interrupt(&engine.run(&plan).unwrap_err()));
}

#[test]
fn no_more_than_its_share_of_memory() {
    // Five of the six events fit.
    let directory = Directory { most_bytes: 700, ..logs() };
    let error = directory.query(&hour("limit 1", &[WEB]), &never()).unwrap_err();
    assert!(matches!(error, DirectoryError::TooMuch { bytes: 700 }), "{error}");
    let mut narrower = hour("stats count(*) as n", &[WEB]);
    narrower.range.start += 300;
    assert_eq!(lines(&directory.query(&narrower, &never()).unwrap()), ["n=3"]);
}

#[test]
fn a_query_stays_a_query() {
    let nothing =
        ask(&[WEB], "fields `x\"; DROP TABLE event; --` as y | filter level = \"'; DROP TABLE event; --\"").unwrap();
    assert_eq!(lines(&nothing), [""; 0]);
    let named = ask(&[WEB], "fields level as `a\", (SELECT 1) AS b` | limit 1").unwrap();
    assert_eq!(lines(&named), ["a\", (SELECT 1) AS b=ERROR"]);
    let zero = ask(&[WEB], "fields 'a\0b' as z, @message = '%' as p | limit 1").unwrap();
    assert_eq!(lines(&zero), ["z=a\0b; p=0"]);
}

#[test]
fn long_queries_are_run() {
    let operators = format!("filter latency = 12{} | stats count(*) as n", " or latency = 1".repeat(120));
    assert_eq!(lines(&ask(&[WEB], &operators).unwrap()), ["n=1"]);
    let sum = format!("fields 1{} as n | limit 1", " + 1".repeat(249));
    assert_eq!(lines(&ask(&[WEB], &sum).unwrap()), ["n=250"]);
    let nested = format!("fields {}latency{} as n | limit 1", "abs(".repeat(49), ")".repeat(49));
    assert_eq!(lines(&ask(&[WEB], &nested).unwrap()), ["n=9"]);
    let values: Vec<_> = (0..500).map(|n| n.to_string()).collect();
    let member = format!("filter latency in [{}] | stats count(*) as n", values.join(","));
    assert_eq!(lines(&ask(&[WEB], &member).unwrap()), ["n=5"]);
    let commands = format!("fields latency{}", " | fields latency + 1 as latency".repeat(49));
    assert_eq!(lines(&ask(&[WEB], &commands).unwrap())[0], "latency=58");
}
