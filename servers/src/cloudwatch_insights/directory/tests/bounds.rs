//! What keeps a query within its bounds, and what its text cannot do.

use std::{ops::ControlFlow, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{WEB, ask, hour, lines, logs, never};
use crate::cloudwatch_insights::directory::{
    Directory, DirectoryError, Interrupted, Watch, engine::Engine, events, parser, plan,
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
    let file = logs().streams(WEB).unwrap().0.remove(0);
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
    let ended = engine.run(&plan).unwrap_err().sqlite_error_code();
    assert_eq!(ended, Some(rusqlite::ErrorCode::OperationInterrupted));
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

fn error(query: &str) -> String {
    ask(&[WEB], query).unwrap_err().to_string()
}

#[test]
fn no_function_makes_a_text_of_any_length() {
    let too_long =
        "a function of the query makes a text longer than 1 MiB; shorten its arguments, for example with `substr`";
    let doubled = " | fields concat(a, a) as a".repeat(30);
    assert_eq!(error(&format!("fields 'xx' as a{doubled}")), too_long);
    let grown = " | fields replace(a, 'x', 'xxxxxxxxxxxxxxxx') as a".repeat(12);
    assert_eq!(error(&format!("fields 'x' as a{grown}")), too_long);
    // What is used twice at each step is planned once at each.
    let twice = " | fields a + a as a".repeat(40);
    let found = ask(&[WEB], &format!("fields 1 as a{twice} | limit 1")).unwrap();
    assert_eq!(lines(&found), ["a=1099511627776"]);
}

#[test]
fn an_answer_does_not_hold_what_nobody_can_read() {
    let long = "fields 'x' as a".to_owned() + &" | fields replace(a, 'x', 'xxxxxxxx') as a".repeat(6);
    let found = ask(&[WEB], &format!("{long} | display concat(a, a, a) as b")).unwrap();
    // Three of them are more than an answer holds.
    assert_eq!(found.rows.len(), 3);
}

#[test]
fn columns_and_fields_have_a_bound_with_a_place() {
    let columns = |count: usize| {
        let columns: Vec<_> = (0..count).map(|n| format!("latency + {n} as c{n}")).collect();
        format!("filter status = 200\n| fields {}", columns.join(", "))
    };
    assert_eq!(ask(&[WEB], &columns(100)).unwrap().rows.len(), 2);
    assert_eq!(error(&columns(101)), "line 2, column 3: the query computes more than 100 columns; compute fewer");
    let fields = |count: usize| (0..count).map(|n| format!("f{n}")).collect::<Vec<_>>().join(", ");
    assert_eq!(ask(&[WEB], &format!("fields {}", fields(200))).unwrap().rows.len(), 6);
    let refused = "line 1, column 1: the query names more than 200 fields; name fewer";
    assert_eq!(error(&format!("fields {}", fields(201))), refused);
}

#[test]
fn functions_look_at_the_clock_themselves() {
    let text = "fields strlen(@message)";
    let mut plan = plan::plan(text, parser::parse(text).unwrap(), 0, 1).unwrap();
    let cancelled = CancellationToken::new();
    let engine = Engine::new(&mut plan, &Watch::new(Duration::from_secs(600), cancelled.clone())).unwrap();
    let (files, _) = logs().streams(WEB).unwrap();
    let mut loading = engine.loading().unwrap();
    // One event: SQLite itself would not look at the clock.
    let loaded = events::each(WEB, &files[0], |event| ControlFlow::Break(loading.insert(&event)));
    assert!(matches!(loaded.unwrap(), ControlFlow::Break(Ok(()))));
    drop(loading);
    cancelled.cancel();
    assert!(engine.run(&plan).unwrap_err().to_string().contains("interrupted"));
}

#[test]
fn a_regular_expression_looks_at_so_much_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("g")).unwrap();
    let line = format!("2026-01-31 12:00:00 {}end\n", "x".repeat(70_000));
    std::fs::write(folder.path().join("g/a.log"), line).unwrap();
    let directory = Directory::open(folder.path(), logs().clock).unwrap();
    let found = directory.query(&hour("filter @message like /end/ | stats count(*) as n", &["/g"]), &never()).unwrap();
    assert_eq!(lines(&found), ["n=0"]);
    let note = "1 time(s) a regular expression or glob looked at the first 64 KiB of a longer text";
    assert_eq!(found.notes, [note]);
}
