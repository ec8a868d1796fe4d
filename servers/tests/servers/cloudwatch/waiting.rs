//! Queries that take their time: progress, back-off, deadlines, and that nothing runs on which nobody waits for.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rmcp::model::CallToolResult;
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt as _, net::TcpListener};

use super::{Setup, TOOL};
use crate::{
    fake_logs::{Answer, SILENCE, complete, refusal, started, state},
    http::http,
    running::{ERAS, connect, text},
};

fn query() -> Value {
    json!({"query": "limit 1"})
}

fn too_many() -> Answer {
    refusal("LimitExceededException", "Account maximum query concurrency limit of [30] reached.")
}

fn running(scanned: f64) -> Answer {
    let statistics = json!({"recordsMatched": 1.0, "recordsScanned": scanned, "bytesScanned": 0.0});
    (200, json!({"status": "Running", "results": [], "statistics": statistics}))
}

fn stopped() -> Answer {
    (200, json!({"success": true}))
}

fn ok(result: &CallToolResult) -> bool {
    result.is_error == Some(false)
}

#[tokio::test]
async fn progress_is_told_while_the_query_runs() {
    let script = [
        ("StartQuery", started()),
        ("GetQueryResults", state("Scheduled")),
        ("GetQueryResults", running(1000.0)),
        ("GetQueryResults", state("Unknown")),
        ("GetQueryResults", complete(&[&[("n", "1")]])),
    ];
    for era in ERAS {
        let setup = Setup::new(&script, &[]).await;
        let client = connect(&setup.server.url, era, &[]).await.unwrap();
        assert!(ok(&client.call(TOOL, query()).await));
        let told = client.progress(3).await;
        let expected = ["Scheduled", "Running: 1 records matched, 1000 scanned", "Unknown"];
        let expected: Vec<_> = [1.0, 2.0, 3.0].into_iter().zip(expected.map(str::to_owned)).collect();
        assert_eq!(told, expected, "{era:?}");
    }
}

#[tokio::test]
async fn a_caller_that_asks_for_no_progress_gets_one_json_answer() {
    let script = [("StartQuery", started()), ("GetQueryResults", running(1.0)), ("GetQueryResults", complete(&[]))];
    let setup = Setup::new(&script, &[]).await;
    let response = call(&setup, json!({})).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    let answer: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(answer["result"]["isError"], json!(false));
}

#[tokio::test]
async fn too_many_queries_and_throttling_are_waited_for() {
    let throttled = refusal("ThrottlingException", "Rate exceeded");
    let script = [
        ("StartQuery", too_many()),
        ("StartQuery", throttled.clone()),
        ("StartQuery", started()),
        ("GetQueryResults", throttled),
        ("GetQueryResults", complete(&[])),
    ];
    let setup = Setup::new(&script, &[]).await;
    let result = setup.query(query()).await;
    assert!(ok(&result), "{}", text(&result));
    let asked = ["StartQuery", "StartQuery", "StartQuery", "GetQueryResults", "GetQueryResults"];
    assert_eq!(setup.logs.operations(), asked);
    let told: Vec<_> = setup.client.progress(3).await.into_iter().map(|(_, message)| message).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    StartQuery is asked again: LimitExceededException
    StartQuery is asked again: ThrottlingException
    GetQueryResults is asked again: ThrottlingException
    ");
}

#[tokio::test]
async fn waiting_for_a_slot_ends_with_the_call() {
    let setup = Setup::new(&[("StartQuery", too_many())], &[("QUERY_TIMEOUT", "2s")]).await;
    insta::assert_snapshot!(setup.error(query()).await, @"AWS refused StartQuery with `LimitExceededException`: Account maximum query concurrency limit of [30] reached; too many are under way in this account and region: ask again when some are done");
    assert!(setup.logs.operations().len() > 1);
}

#[tokio::test]
async fn a_start_that_is_never_answered_holds_nobody_up() {
    let setup = Setup::new(&[("StartQuery", (SILENCE, Value::Null))], &[("QUERY_TIMEOUT", "2s")]).await;
    insta::assert_snapshot!(setup.error(query()).await, @"the query was not even started after 2s, because nothing answers; it is stopped should it start");
}

#[tokio::test]
async fn a_query_whose_rows_cannot_be_fetched_in_time_is_stopped() {
    let throttled = refusal("ThrottlingException", "Rate exceeded");
    let script = [("StartQuery", started()), ("GetQueryResults", throttled), ("StopQuery", stopped())];
    let setup = Setup::new(&script, &[("QUERY_TIMEOUT", "2s")]).await;
    insta::assert_snapshot!(setup.error(query()).await, @"AWS refused GetQueryResults with `ThrottlingException`: Rate exceeded; the account is asked too often: ask again later");
    assert_eq!(setup.logs.operations().last().unwrap(), "StopQuery");
}

#[tokio::test]
async fn a_fault_of_aws_is_borne_twice() {
    let fault = (503, json!({"__type": "ServiceUnavailableException", "message": "down"}));
    let bare = (502, Value::Null);
    let script = [("StartQuery", fault.clone()), ("StartQuery", fault.clone()), ("StartQuery", started())];
    let results = [("GetQueryResults", bare), ("GetQueryResults", fault), ("StopQuery", stopped())];
    let script = [&script[..], &results].concat();
    let setup = Setup::new(&script, &[]).await;
    insta::assert_snapshot!(setup.error(query()).await, @"AWS refused GetQueryResults with `ServiceUnavailableException`: down; AWS has a fault of its own: ask again later");
    let asked = setup.logs.operations();
    assert_eq!(asked[..3], ["StartQuery"; 3]);
    assert_eq!(asked[3..], ["GetQueryResults", "GetQueryResults", "GetQueryResults", "StopQuery"]);
}

/// A listener that takes requests and hangs up without an answer, and how many it took.
async fn hanging_up() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut some = [0; 1];
            if stream.read_exact(&mut some).await.is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    (url, taken)
}

#[tokio::test]
async fn a_query_that_may_run_already_is_not_started_again() {
    for answer in [(500, Value::Null), (502, Value::Null), (504, json!({"__type": "X", "message": "y"}))] {
        let setup = Setup::new(&[("StartQuery", answer)], &[]).await;
        setup.error(query()).await;
        assert_eq!(setup.logs.operations(), ["StartQuery"]);
    }
    let (url, taken) = hanging_up().await;
    let setup = Setup::new(&[], &[("AWS_ENDPOINT_URL", &url)]).await;
    let error = setup.error(query()).await;
    assert!(error.starts_with("StartQuery was sent to AWS and not answered: dispatch failure: "), "{error}");
    assert!(error.ends_with("; it may have been carried out, so look at the network, and ask again later"), "{error}");
    assert_eq!(taken.load(Ordering::SeqCst), 1);
    // To read twice does no harm.
    let error = setup.error_of("get_log_fields", json!({"log_group": "/app/web"})).await;
    assert!(error.starts_with("GetLogGroupFields was sent to AWS and not answered: "), "{error}");
    assert_eq!(taken.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_query_that_ends_otherwise_has_no_rows() {
    let mut errors = Vec::new();
    for end in ["Failed", "Timeout", "Cancelled"] {
        let setup = Setup::new(&[("StartQuery", started()), ("GetQueryResults", state(end))], &[]).await;
        errors.push(setup.error(query()).await);
        assert_eq!(setup.logs.operations(), ["StartQuery", "GetQueryResults"]);
    }
    insta::assert_snapshot!(errors.join("\n"), @"
    the query `q-1` ended as `Failed` and has no rows; check the query, or narrow its time range
    the query `q-1` ended as `Timeout` and has no rows; it ran for the hour that CloudWatch allows: narrow its time range
    the query `q-1` ended as `Cancelled` and has no rows; somebody else stopped it: ask again
    ");
}

#[tokio::test]
async fn a_query_past_its_deadline_is_stopped() {
    let script = [("StartQuery", started()), ("GetQueryResults", state("Running")), ("StopQuery", stopped())];
    let setup = Setup::new(&script, &[("QUERY_TIMEOUT", "2s")]).await;
    insta::assert_snapshot!(setup.error(json!({"query": "limit 1"})).await, @"the query was not complete after 2s and is stopped; narrow the time range or the log groups, or raise `QUERY_TIMEOUT` in the server's environment");
    assert_eq!(setup.logs.requests().last().unwrap(), &("StopQuery".to_owned(), json!({"queryId": "q-1"})));
}

/// What kept its rows back may keep back its end too.
#[tokio::test]
async fn a_query_is_stopped_though_aws_is_asked_too_often() {
    let throttled = refusal("ThrottlingException", "Rate exceeded");
    let script = [
        ("StartQuery", started()),
        ("GetQueryResults", state("Running")),
        ("StopQuery", throttled.clone()),
        ("StopQuery", throttled),
        ("StopQuery", stopped()),
    ];
    let setup = Setup::new(&script, &[("QUERY_TIMEOUT", "2s")]).await;
    let error = setup.error(query()).await;
    assert!(error.starts_with("the query was not complete after 2s and is stopped; "), "{error}");
    assert_eq!(setup.logs.operations().iter().filter(|asked| *asked == "StopQuery").count(), 3);
}

#[tokio::test]
async fn a_query_that_cannot_be_stopped_is_not_said_to_be() {
    let denied = refusal("AccessDeniedException", "no");
    let script = [("StartQuery", started()), ("GetQueryResults", state("Running")), ("StopQuery", denied)];
    let setup = Setup::new(&script, &[("QUERY_TIMEOUT", "2s")]).await;
    insta::assert_snapshot!(setup.error(query()).await, @"the query was not complete after 2s and could not be stopped, so it goes on for up to an hour; narrow the time range or the log groups, or raise `QUERY_TIMEOUT` in the server's environment");
}

#[tokio::test]
async fn a_query_that_nobody_waits_for_is_stopped() {
    let script = [("StartQuery", started()), ("GetQueryResults", state("Running")), ("StopQuery", stopped())];
    let setup = Setup::new(&script, &[]).await;
    tokio::select! {
        _ = call(&setup, json!({})).send() => panic!("the query never completes"),
        () = setup.logs.asked("GetQueryResults") => {}
    }
    setup.logs.asked("StopQuery").await;
}

#[tokio::test]
async fn a_caller_that_leaves_after_some_progress_stops_the_query() {
    let script = [("StartQuery", started()), ("GetQueryResults", running(1.0)), ("StopQuery", stopped())];
    let setup = Setup::new(&script, &[]).await;
    let mut response = call(&setup, json!({"progressToken": "p"})).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let told = String::from_utf8(response.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(told.contains("notifications/progress"), "{told}");
    drop(response);
    setup.logs.asked("StopQuery").await;
}

#[tokio::test]
async fn a_server_that_stops_stops_its_queries() {
    let script = [("StartQuery", started()), ("GetQueryResults", state("Running")), ("StopQuery", stopped())];
    let Setup { logs, mut server, client } = Setup::new(&script, &[]).await;
    // The client stays until the end: it is not its leaving that stops the query.
    let call = tokio::spawn(async move { client.try_call(TOOL, json!({"query": "limit 1"})).await });
    logs.asked("GetQueryResults").await;
    server.close_stdin();
    logs.asked("StopQuery").await;
    assert!(server.ended().await.success());
    assert!(call.await.unwrap().is_err());
}

/// One legacy tools/call without a handshake, with this `_meta`.
fn call(setup: &Setup, meta: Value) -> reqwest::RequestBuilder {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": TOOL, "arguments": query(), "_meta": meta}});
    http()
        .post(&setup.server.url)
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .body(body.to_string())
}
