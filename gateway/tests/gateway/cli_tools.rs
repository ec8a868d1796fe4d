//! `causeway tools` and `causeway call` with real servers: both eras, typed arguments, statuses, and what `--debug` shows.

use causeway::config::Transport;
use causeway_servers::Sample;
use serde_json::json;

use crate::{
    bridge_fixture::{Fixture, Kind},
    command::{run, run_with},
    harness::Gateway,
    sample::{Server, child},
};

fn url(fixture: &Fixture) -> String {
    match fixture.target().transport {
        Transport::Http(http) => http.endpoint.into(),
        Transport::Stdio(_) => panic!("it is reached over HTTP"),
    }
}

#[tokio::test]
async fn a_tool_is_listed_and_called() {
    let calculator = Server::start(Sample::Calculator).await;
    let listed = run(&["tools", &calculator.url]).await;
    assert_eq!((listed.code, listed.stderr.as_str()), (Some(0), ""));
    assert!(listed.stdout.contains("add_numbers") && listed.stdout.contains("a  number  required"), "{listed:?}");
    let sum = run(&["call", &calculator.url, "add_numbers", "-a", "a=40", "--arg", "b=2"]).await;
    assert_eq!((sum.code, sum.stdout.as_str()), (Some(0), "42\n"));
    let whole = ["call", &calculator.url, "add_numbers", "--args-file", "-", "--json"];
    let sum = run_with(&whole, &[], r#"{"a":1,"b":2}"#).await;
    assert_eq!(sum.json()["structuredContent"], json!({"result": 3}));
    calculator.stop().await;
}

#[tokio::test]
async fn what_cannot_be_meant_is_not_sent() {
    let calculator = Server::start(Sample::Calculator).await;
    let missing = run(&["call", &calculator.url, "add_number"]).await;
    assert_eq!(missing.code, Some(2));
    insta::assert_snapshot!(missing.stderr, @"error: the server has no tool `add_number`; did you mean `add_numbers`?");
    let wrong = run(&["call", &calculator.url, "add_numbers", "-a", "a=one", "-a", "bb=2"]).await;
    assert_eq!(wrong.code, Some(2));
    insta::assert_snapshot!(wrong.stderr, @"
    error: `add_numbers` was not called:
      `a` takes a number, not `one`
      it takes no `bb`; did you mean `b`?
      `b` (number) is missing
    it takes a (number, required), b (number, required)
    ");
    calculator.stop().await;
}

#[tokio::test]
async fn what_a_tool_did_is_shown_whatever_becomes_of_files() {
    let directory = tempfile::tempdir().unwrap();
    // Below a file there is no file, whoever asks.
    let path = directory.path().join("file/x").display().to_string();
    std::fs::write(directory.path().join("file"), "").unwrap();
    let calculator = Server::start(Sample::Calculator).await;
    let nothing = run(&["call", &calculator.url, "add_numbers", "-a", "a=40", "-a", "b=2", "-o", &path]).await;
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(1), "42\n"));
    assert_eq!(nothing.stderr, "error: the tool gave nothing to write to `--output`\n");
    calculator.stop().await;
    let fixture = Fixture::start(Kind::ModernHttp).await;
    let unwritable = run(&["call", &url(&fixture), "test_image_content", "-o", &path]).await;
    assert_eq!(unwritable.code, Some(1));
    assert!(unwritable.stdout.starts_with("[image image/png"), "{unwritable:?}");
    assert!(unwritable.stderr.contains(&format!("`{path}` cannot")), "{unwritable:?}");
    let failed = run(&["call", &url(&fixture), "test_error_handling", "-o", &path]).await;
    assert_eq!(failed.code, Some(4), "{failed:?}");
    for (tool, says) in [("test_sampling", "asks for `sampling`, which"), ("failing_job", "only as a task")] {
        let refused = run(&["call", &url(&fixture), tool, "--no-check"]).await;
        assert_eq!(refused.code, Some(1));
        assert!(refused.stderr.contains(says), "{refused:?}");
    }
}

#[tokio::test]
async fn a_tool_that_fails_and_one_that_asks_have_their_own_ends() {
    for kind in [Kind::LegacyHttp, Kind::ModernHttp] {
        let fixture = Fixture::start(kind).await;
        let failed = run(&["call", &url(&fixture), "test_error_handling"]).await;
        let said = "This tool intentionally returns an error for testing\n";
        assert_eq!((failed.code, failed.stdout.as_str()), (Some(4), said), "{kind:?}");
        // Nobody is there who could be asked.
        let asking = run(&["call", &url(&fixture), "test_elicitation", "-a", "message=who"]).await;
        assert!(matches!(asking.code, Some(1 | 4)), "{kind:?}: {asking:?}");
        let logged = run(&["call", &url(&fixture), "test_tool_with_logging"]).await;
        assert!(logged.stderr.contains("Tool execution started"), "{kind:?}: {logged:?}");
    }
}

#[tokio::test]
async fn a_gateway_wants_a_token() {
    let gateway = Gateway::start([child(Sample::Hello)]).await;
    let bare = run(&["tools", &gateway.url]).await;
    assert_eq!(bare.code, Some(1));
    assert!(bare.stderr.contains("did not let us in (HTTP 401)") && bare.stderr.contains("--auth bearer"), "{bare:?}");
    let token = gateway.issuer.token("alice");
    let variables = [("CAUSEWAY_TOKEN", token.as_str())];
    let greeted = run_with(&["call", &gateway.url, "hello___greet_user", "-a", "name=Alice"], &variables, "").await;
    assert_eq!((greeted.code, greeted.stdout.as_str()), (Some(0), "Hello, Alice! Nice to meet you.\n"));
    let piped = run_with(&["tools", &gateway.url, "--token-file", "-"], &[], &format!("{token}\n")).await;
    assert!(piped.stdout.contains("hello___greet_user"), "{piped:?}");
    let debug = run_with(&["tools", &gateway.url, "--debug"], &variables, "").await;
    assert!(debug.stderr.contains("authorization: Bearer <redacted>"), "{debug:?}");
    assert!(debug.stderr.contains(r#""method": "tools/list""#) && !debug.stderr.contains(&token), "{debug:?}");
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn an_error_of_the_server_is_told_in_its_words() {
    let fixture = Fixture::start(Kind::ModernHttp).await;
    let refused = run(&["call", &url(&fixture), "no_such_tool", "--no-check"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("refused `no_such_tool`: ") && refused.stderr.contains("(-32602)"), "{refused:?}");
    let gone = run(&["tools", "http://127.0.0.1:1/mcp"]).await;
    assert_eq!(gone.code, Some(1));
    assert!(gone.stderr.contains("`http://127.0.0.1:1/mcp` could not be reached"), "{gone:?}");
    let nowhere = run(&["tools", "127.0.0.1:1/mcp"]).await;
    assert_eq!(nowhere.code, Some(2));
    assert!(nowhere.stderr.contains("has no scheme"), "{nowhere:?}");
}
