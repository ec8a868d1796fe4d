//! The commands with streams that end early, as behind `| head`: they stop, and say nothing of it. Asks nothing of what they print.

use std::{
    io::pipe,
    process::{Command, Stdio},
};

use crate::sample::CAUSEWAY;

#[test]
fn a_reader_that_has_gone_is_no_failure_of_ours() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("config.toml");
    let targets = "[[targets]]\nname = \"a\"\nstdio.command = [\"false\"]\n";
    std::fs::write(&config, format!("authorizer = \"none\"\ngateway.listen = \"127.0.0.1:0\"\n{targets}")).unwrap();
    let (config, file) = (config.to_str().unwrap(), directory.path().join("mcp.json"));
    let commands: [&[&str]; 8] = [
        &["schema"],
        &["man"],
        &["completions", "bash"],
        &["check", "--config", config],
        &["targets", "--config", config],
        &["doctor", "--config", config],
        &["client", "cursor", "--config", config, "--file", file.to_str().unwrap()],
        &["token", "inspect", "--token-env", "T"],
    ];
    for arguments in commands {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let mut command = Command::new(CAUSEWAY);
        command.args(arguments).env_clear().env("T", "opaque").stdin(Stdio::null());
        let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(141), "{arguments:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("error:"), "{arguments:?}: {said}");
    }
}

/// With a log that goes nowhere, the status still says what came of it.
#[test]
fn standard_error_may_end_too() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let mut command = Command::new(CAUSEWAY);
    command.args(["check", "--config", "/nonexistent/config.toml"]).env_clear().stdin(Stdio::null());
    assert_eq!(command.stderr(writer).status().unwrap().code(), Some(64));
}
