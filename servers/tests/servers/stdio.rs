//! The servers as children that speak over stdin and stdout.

use std::process::Stdio;

use rmcp::{ClientServiceExt, transport::TokioChildProcess};
use serde_json::json;

use crate::{
    child::{CALCULATOR, CLOUDWATCH, HELLO, command},
    running::{Client, ERAS, Era, Listener, lifecycle, text},
};

async fn client(program: &str, era: Era) -> Client {
    let mut command = command(program, &[]);
    command.arg("--stdio");
    let transport = TokioChildProcess::new(command).unwrap();
    Client::new(Listener::default().serve_with_lifecycle(transport, lifecycle(era)).await.unwrap())
}

#[tokio::test]
async fn every_server_in_both_eras() {
    for era in ERAS {
        let calculator = client(CALCULATOR, era).await;
        let sum = calculator.call("add_numbers", json!({"a": 40, "b": 2})).await;
        assert_eq!(text(&sum), "42");
        calculator.close().await;
        let hello = client(HELLO, era).await;
        assert_eq!(text(&hello.call("greet_user", json!({"name": "Bo"})).await), "Hello, Bo! Nice to meet you.");
        hello.close().await;
        let insights = client(CLOUDWATCH, era).await;
        assert_eq!(insights.tools().await.len(), 3);
        insights.close().await;
    }
}

#[tokio::test]
async fn a_client_that_leaves_at_once_is_no_failure() {
    let mut command = command(HELLO, &[]);
    command.arg("--stdio").stdin(Stdio::null()).stdout(Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().await.unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout, b"");
}
