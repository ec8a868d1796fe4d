//! The servers as processes: ready line, end of stdin, signals, exit codes.

use std::process::Stdio;

use causeway_servers::Sample;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;

use crate::{
    child::{CALCULATOR, CLOUDWATCH, HELLO, Server, command},
    running::{Era, connect, text},
};

#[tokio::test]
async fn the_ready_line_leads_to_a_server_that_ends_with_stdin() {
    let mut server = Server::start(CALCULATOR, &[]).await;
    let client = connect(&server.url, Era::Modern, &[]).await.unwrap();
    assert_eq!(text(&client.call("add_numbers", json!({"a": 1, "b": 1})).await), "2");
    server.close_stdin();
    assert!(server.ended().await.success());
}

#[tokio::test]
async fn signals_end_it_cleanly() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut server = Server::start(HELLO, &[]).await;
        kill(Pid::from_raw(server.id()), signal).unwrap();
        assert!(server.ended().await.success(), "{signal}");
    }
}

#[tokio::test]
async fn settings_come_from_the_environment_too() {
    let mut command = command(HELLO, &[("LISTEN", "nonsense")]);
    assert_eq!(command.status().await.unwrap().code(), Some(64));
}

#[tokio::test]
async fn settings_that_cannot_be_used_end_it_at_once() {
    let listen = ["--listen", "127.0.0.1:0"];
    let output = command(CLOUDWATCH, &[("ALLOWED_LOG_GROUPS", "a*b")])
        .args(listen)
        .stderr(std::process::Stdio::piped())
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @"error: `ALLOWED_LOG_GROUPS` in the environment is no list of log groups: `a*b` is no log group; write names (letters, digits and `.-_/#`) or `prefix*`, separated by commas");
}

#[tokio::test]
async fn help_names_the_server() {
    for (program, sample) in [(CALCULATOR, Sample::Calculator), (CLOUDWATCH, Sample::CloudwatchInsights)] {
        let output = command(program, &[]).arg("--version").output().await.unwrap();
        assert!(output.status.success());
        let expected = format!("{sample} {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    }
}

/// What the health check of a container runs.
#[tokio::test]
async fn the_program_asks_whether_it_is_well() {
    let mut server = Server::start(HELLO, &[]).await;
    let address = server.url.strip_prefix("http://").unwrap().strip_suffix("/mcp").unwrap();
    let check = |address: String| {
        let mut command = command(HELLO, &[]);
        command.args(["--check-health", "--listen", &address]).stderr(Stdio::piped()).output()
    };
    let well = check(address.to_owned()).await.unwrap();
    assert!(well.status.success(), "{well:?}");
    let everywhere = check(address.replace("127.0.0.1", "0.0.0.0")).await.unwrap();
    assert!(everywhere.status.success(), "{everywhere:?}");
    let address = address.to_owned();
    server.close_stdin();
    assert!(server.ended().await.success());
    let dead = check(address.clone()).await.unwrap();
    let said = String::from_utf8(dead.stderr).unwrap();
    assert!(!dead.status.success() && said.contains(&format!("nothing answers at http://{address}/healthz")), "{said}");
}
