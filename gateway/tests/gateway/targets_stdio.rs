//! Targets that are child processes: what happens when they end, crash, write nonsense or flood, and what they inherit.

use causeway::config::Target;
use causeway_servers::Sample;
use nix::{errno::Errno, sys::signal::killpg, unistd::Pid};

use crate::{
    harness::Gateway,
    sample, targets_calls,
    targets_child::{scripted, seen, with_env},
    targets_client::{Client, Speaks},
};

async fn started(target: Target) -> (Gateway, Client) {
    let gateway = Gateway::start_with([target], |config| config.limits.response_bytes = 200_000).await;
    let client = Client::new(&gateway, Speaks::Session).await;
    (gateway, client)
}

/// Calls `tool` until a process answers again.
async fn until_back(client: &Client, tool: &str) {
    loop {
        let got = client.call(tool, "{}").await;
        match got.answer.contains("causeway/error") {
            false => return,
            true => assert!(["not_running", "broken_off", "down"].contains(&got.fault().as_str()), "{}", got.answer),
        }
    }
}

#[tokio::test]
async fn all_who_wait_hear_of_its_end_and_the_next_call_starts_it() {
    for speaks in ["modern", "legacy"] {
        for end in ["exit", "leave_a_descendant"] {
            let (_gateway, client) =
                started(scripted("t", speaks, &["hang", "exit", "leave_a_descendant", "seen"])).await;
            let waiting: Vec<_> = (0..20).map(|_| targets_calls::start(&client, "t___hang")).collect();
            let hanging =
                async || seen(&client, "t").await.iter().filter(|line| line["params"]["name"] == "hang").count();
            while hanging().await < 20 {}
            assert_eq!(client.call(&format!("t___{end}"), "{}").await.fault(), "broken_off");
            for call in waiting {
                assert_eq!(call.await.unwrap().fault(), "broken_off");
            }
            until_back(&client, "t___seen").await;
        }
    }
}

#[tokio::test]
async fn a_crash_loop_does_not_spin() {
    let starts = tempfile::NamedTempFile::new().unwrap();
    let target = with_env(scripted("t", "legacy", &["exit"]), "STARTS", starts.path().to_str().unwrap());
    let (_gateway, client) = started(target).await;
    for _ in 0..300 {
        let fault = client.call("t___exit", "{}").await.fault();
        assert!(["broken_off", "not_running", "down"].contains(&fault.as_str()), "{fault}");
    }
    let before = std::time::Instant::now();
    for _ in 0..300 {
        client.call("t___exit", "{}").await.fault();
    }
    let all = std::fs::read_to_string(starts.path()).unwrap().lines().count();
    // The pause doubles from half a second, so this many starts take longer than the calls did.
    let most = 3 + usize::try_from(before.elapsed().as_secs()).unwrap() + 5;
    assert!(all <= most, "{all} starts");
}

#[tokio::test]
async fn a_program_that_never_serves_is_a_fault_that_says_so() {
    let (gateway, _client) = started(with_env(scripted("t", "legacy", &[]), "CRASH", "yes")).await;
    let state = gateway.target_where("t", |target| target.error.is_some()).await;
    // Also while the next start is waited for.
    let why = "does not run: its process ended: exit status: 3; the last it wrote on standard error: no orders today";
    let error = state.error_text().unwrap();
    assert!(error.starts_with(&format!("target `t` {why}")), "{error}");
    let (gateway, _client) = started(crate::harness::stdio_target("t", &["/no/such/program"])).await;
    let error = gateway.target_where("t", |target| target.error.is_some()).await.error_text().unwrap();
    assert!(error.starts_with("target `t` does not run: `/no/such/program` could not be started"), "{error}");
}

#[tokio::test]
async fn garbage_between_messages_is_passed_over() {
    let (_gateway, client) = started(scripted("t", "legacy", &["garbage"])).await;
    client.call("t___garbage", "{}").await.ok();
    client.call("t___garbage", "{}").await.ok();
}

#[tokio::test]
async fn an_oversized_line_ends_the_process_not_the_gateway() {
    let (_gateway, client) = started(scripted("t", "legacy", &["oversized", "echo"])).await;
    assert_eq!(client.call("t___oversized", "{}").await.fault(), "too_large");
    until_back(&client, "t___echo").await;
}

#[tokio::test]
async fn a_flood_of_errors_stops_nothing() {
    let (_gateway, client) = started(scripted("t", "legacy", &["stderr_flood"])).await;
    client.call("t___stderr_flood", "{}").await.ok();
    client.call("t___stderr_flood", "{}").await.ok();
}

/// Nobody reads the events of one call: others are answered, and that call ends.
#[tokio::test]
async fn a_slow_reader_holds_up_nobody() {
    let (_gateway, client) = started(scripted("t", "legacy", &["flood_of_progress", "echo", "seen"])).await;
    let params =
        r#"{"name":"t___flood_of_progress","_meta":{"progressToken":"a long token: xxxxxxxxxxxxxxxxxxxxxxxx"}}"#;
    let mut slow = client.request("tools/call", "7", params).send().await.unwrap();
    client.call("t___echo", "{}").await.ok();
    let mut all = Vec::new();
    while let Some(chunk) = slow.chunk().await.unwrap() {
        all.extend_from_slice(&chunk);
    }
    let all = String::from_utf8(all).unwrap();
    let last = all.rsplit("data: ").next().unwrap();
    assert!(last.contains(r#""content""#), "an answer or a typed fault ends the stream: {last}");
    client.call("t___echo", "{}").await.ok();
}

#[tokio::test]
async fn what_it_asks_is_answered() {
    let (_gateway, client) = started(scripted("t", "legacy", &["ask_back", "seen"])).await;
    client.call("t___ask_back", "{}").await.ok();
    let lines = loop {
        let lines = seen(&client, "t").await;
        if lines.iter().any(|line| line["id"] == 8) {
            break lines;
        }
    };
    let answer = |id: serde_json::Value| lines.iter().find(|line| line["id"] == id).unwrap().to_string();
    insta::assert_snapshot!(answer("mine".into()), @r#"{"jsonrpc":"2.0","id":"mine","result":{}}"#);
    insta::assert_snapshot!(answer(8.into()), @r#"{"jsonrpc":"2.0","id":8,"error":{"code":-32601,"message":"the client cannot be asked for `roots/list`: it declared no capability for it"}}"#);
}

#[tokio::test]
async fn its_environment_holds_what_its_config_says_and_no_more() {
    let target = with_env(scripted("t", "legacy", &["environment"]), "OWN", "value");
    let (_gateway, client) = started(target).await;
    let answer: serde_json::Value =
        serde_json::from_str(&client.call("t___environment", "{}").await.ok().answer).unwrap();
    let names: Vec<_> =
        answer["result"]["environment"].as_array().unwrap().iter().filter_map(|name| name.as_str()).collect();
    assert!(names.contains(&"OWN") && names.contains(&"PATH"), "{names:?}");
    // Cargo sets this for every test: it stands for all that the gateway's own environment holds.
    assert!(!names.iter().any(|name| name.starts_with("CARGO")), "{names:?}");
}

#[tokio::test]
async fn nothing_of_it_is_left_after_the_stop() {
    let starts = tempfile::NamedTempFile::new().unwrap();
    let target = with_env(scripted("t", "legacy", &["hang", "seen"]), "STARTS", starts.path().to_str().unwrap());
    let (gateway, client) = started(target).await;
    client.call("t___seen", "{}").await.ok();
    let group: i32 = std::fs::read_to_string(starts.path()).unwrap().trim().parse().unwrap();
    assert_eq!(killpg(Pid::from_raw(group), None), Ok(()));
    gateway.stop().await.unwrap();
    assert_eq!(killpg(Pid::from_raw(group), None), Err(Errno::ESRCH));
}

#[tokio::test]
async fn a_sample_server_serves_many_at_once() {
    let gateway = Gateway::start([sample::child(Sample::Calculator)]).await;
    let client = Client::new(&gateway, Speaks::NoSession).await;
    let calls = (0..200).map(|number| {
        let client = client.clone();
        async move {
            let got = client.call("calculator___add_numbers", &format!(r#"{{"a":{number},"b":1}}"#)).await.ok();
            assert!(got.answer.contains(&format!(r#""result":{}"#, number + 1)), "{}", got.answer);
        }
    });
    futures::future::join_all(calls).await;
}
