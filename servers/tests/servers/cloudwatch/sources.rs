//! Where the server has its settings from.

use std::{fs, path::Path, process::Stdio};

use serde_json::json;
use tempfile::tempdir;

use super::TOOL;
use crate::{
    child::{CLOUDWATCH, Server, command},
    fake_logs::{FakeLogs, complete, started},
    running::{Era, connect, text},
};

async fn refused(dir: &Path, env: &[(&str, &str)]) -> String {
    let mut command = command(CLOUDWATCH, env);
    let output = command.args(["--listen", "127.0.0.1:0"]).current_dir(dir).stderr(Stdio::piped()).output().await;
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn a_file_in_the_working_directory_is_enough() {
    let script = [("StartQuery", started()), ("GetQueryResults", complete(&[&[("n", "1")]]))];
    let logs = FakeLogs::start(&script).await;
    let dir = tempdir().unwrap();
    let lines = [
        "# for local runs",
        "AWS_REGION=eu-central-1",
        "AWS_ACCESS_KEY_ID=AKIAFILE",
        "AWS_SECRET_ACCESS_KEY='not-a-secret'",
        "ALLOWED_LOG_GROUPS=/of/the/file",
        &format!("AWS_ENDPOINT_URL={}", logs.url),
    ];
    fs::write(dir.path().join(".env"), lines.join("\n")).unwrap();
    let server = Server::start_in(dir.path(), CLOUDWATCH, &[]).await;
    let client = connect(&server.url, Era::Modern, &[]).await.unwrap();
    let result = client.call(TOOL, json!({"query": "display n"})).await;
    assert!(text(&result).starts_with("1 row(s) from /of/the/file, "), "{}", text(&result));
    let scope = "Credential=AKIAFILE/";
    assert!(
        logs.authorizations().iter().all(|header| header.contains(scope) && header.contains("/eu-central-1/logs/"))
    );
}

/// The first two sources say who asks AWS for the others, and where: what the secret says is for the queries.
#[tokio::test]
async fn what_the_secret_says_is_not_how_the_parameter_is_read() {
    let elsewhere = FakeLogs::start(&[]).await;
    let secret = json!({"AWS_ENDPOINT_URL_SSM": elsewhere.url, "ALLOWED_LOG_GROUPS": "/of/the/secret"}).to_string();
    let script = [
        ("GetSecretValue", (200, json!({"SecretString": secret}))),
        ("GetParameter", (200, json!({"Parameter": {"Value": "QUERY_TIMEOUT=5s"}}))),
    ];
    let aws = FakeLogs::start(&script).await;
    let env = [
        ("AWS_ENDPOINT_URL", aws.url.as_str()),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "not-a-secret"),
        ("RUNTIME_CONFIG_SECRET_ID", "runtime"),
        ("RUNTIME_CONFIG_SSM_PARAMETER_NAME", "/runtime"),
    ];
    Server::start(CLOUDWATCH, &env).await;
    assert_eq!(aws.operations(), ["GetSecretValue", "GetParameter"]);
    assert_eq!(elsewhere.operations(), [""; 0]);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_ends_the_start_and_is_not_quoted() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join(".env"), "QUERY_TIMEOUT=5s\nhidden words\n").unwrap();
    insta::assert_snapshot!(refused(dir.path(), &[]).await, @"error: `.env` holds no settings: it is neither a JSON object nor lines `NAME=value`: line 2 cannot be read; write a JSON object or lines `NAME=value`");
    let dir = tempdir().unwrap();
    fs::create_dir(dir.path().join(".env")).unwrap();
    let error = refused(dir.path(), &[]).await;
    assert!(error.starts_with("error: cannot read `.env` in the working directory; "), "{error}");
}
