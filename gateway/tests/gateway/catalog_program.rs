//! `causeway targets` as a person or a script runs it.

use std::process::Stdio;

use causeway_core::catalog::Kind;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{fake_target::Speaks, offering::Offering, sample::CAUSEWAY};

/// Exit code, standard output, standard error of `causeway targets` before these targets (tables of a config.toml).
async fn targets(tables: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    std::fs::write(&path, format!("authorizer = \"none\"\n{tables}")).unwrap();
    let mut command = Command::new(CAUSEWAY);
    command.arg("targets").args(["--config", path.to_str().unwrap()]).args(arguments).stdin(Stdio::null());
    let output = command.env_remove("RUST_LOG").kill_on_drop(true).output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn http(name: &str, endpoint: &str) -> String {
    format!("[[targets]]\nname = \"{name}\"\nhttp.endpoint = \"{endpoint}\"\n")
}

fn offering(name: &'static str, speaks: Speaks) -> Offering {
    let lists = [(Kind::Tools, r#"[{"name":"x"}]"#), (Kind::Resources, r#"[{"uri":"a:"},{"uri":"b:"}]"#)];
    Offering::start(name, speaks, &lists)
}

#[tokio::test]
async fn each_target_has_a_line() {
    let (one, two) = (offering("one", Speaks::Modern), offering("number-two", Speaks::Sessions));
    let stdio =
        format!("[[targets]]\nname = \"child\"\nstdio.command = {:?}\n", [CAUSEWAY, "sample", "calculator", "--stdio"]);
    let tables = [http("one", &one.fake.endpoint()), http("number-two", &two.fake.endpoint()), stdio].concat();
    let (code, stdout, stderr) = targets(&tables, &[]).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let lines = stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let lines: Vec<String> = lines.collect();
    insta::assert_snapshot!(lines.join("\n").replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r#"
    NAME STATE ERA VERSION SERVER TOOLS PROMPTS RESOURCES TEMPLATES CAPABILITIES
    one listed modern 2026-07-28 - 1 0 2 0 tools resources
    number-two listed legacy 2025-11-25 f 1 1 0 2 0 tools resources
    child listed modern 2026-07-28 calculator VERSION 2 0 0 0 tools

    warning: targets `one` and `number-two` both list the resource `a:` and have the same `resource_priority`: `one`, which comes first, serves it; give one of them a lower number to choose

    warning: targets `one` and `number-two` both list the resource `b:` and have the same `resource_priority`: `one`, which comes first, serves it; give one of them a lower number to choose
    "#);
}

#[tokio::test]
async fn a_target_that_does_not_answer_is_an_error_after_all_others_were_shown() {
    let mut gone = offering("gone", Speaks::Modern);
    gone.fake.down();
    let one = offering("one", Speaks::Sessions);
    let tables = [http("gone", &gone.fake.endpoint()), http("one", &one.fake.endpoint())].concat();
    let (code, stdout, stderr) = targets(&tables, &["--json"]).await;
    assert_eq!((code, stderr.as_str()), (Some(1), "error: 1 of 2 targets did not answer as they should\n"));
    let shown: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&shown[0]["state"], &shown[1]["state"]), (&json!("failed"), &json!("listed")));
    assert!(shown[0]["error"].as_str().unwrap().starts_with("target `gone` could not be reached: "), "{shown}");
    assert_eq!(shown[1]["counts"], json!({"tools": 1, "prompts": 0, "resources": 2, "resourceTemplates": 0}));
    assert_eq!(shown[1]["serverInfo"], json!({"name": "f", "version": "1"}));
    let (code, stdout, _) = targets(&tables, &[]).await;
    assert_eq!(code, Some(1));
    assert!(stdout.contains("\nerror: target `gone` could not be reached: "), "{stdout}");
}

#[tokio::test]
async fn a_bad_config_is_reported_as_ever() {
    let (code, stdout, stderr) = targets("[[targets]]\nname = \"a b\"\n", &[]).await;
    assert_eq!((code, stdout.as_str()), (Some(64), ""));
    assert!(stderr.contains("is no target name"), "{stderr}");
}

#[tokio::test]
async fn each_place_of_a_target_has_a_line_and_who_stands_by_is_named() {
    let (one, two) = (offering("one", Speaks::Modern), offering("two", Speaks::Sessions));
    let places = format!(
        "[[targets]]\nname = \"both\"\nhttp.endpoints = [\"{}\", \"{}\"]\n",
        one.fake.endpoint(),
        two.fake.endpoint()
    );
    let far = "kind = \"agentcore-gateway\"\nstandby = [\"both\"]\n";
    let (code, stdout, _) = targets(&[&places, &http("far", &one.fake.endpoint()), far].concat(), &[]).await;
    assert_eq!(code, Some(0));
    let lines = stdout.lines().map(|line| line.split_whitespace().take(4).collect::<Vec<_>>().join(" "));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"
    NAME STATE ERA VERSION
    both/1 listed modern 2026-07-28
    both/2 listed legacy 2025-11-25
    far listed modern 2026-07-28

    where `far` does not
    ");
}

#[tokio::test]
async fn what_clients_do_not_get_as_it_is_meant_is_a_warning() {
    let one = offering("one", Speaks::Modern);
    let tables = [&http("one", &one.fake.endpoint()), "tools.exclude = [\"drop_*\"]\n"].concat();
    let (code, stdout, stderr) = targets(&tables, &[]).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let (_, warnings) = stdout.split_once("\n\n").unwrap();
    insta::assert_snapshot!(warnings, @"warning: `tools.exclude` of target `one` says `drop_*`, and the target lists no such tool: correct it, or take it out");
    let (code, stdout, stderr) = targets(&tables, &["--json", "--strict"]).await;
    assert_eq!((code, stderr.as_str()), (Some(1), "error: there are warnings\n"));
    let shown: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(shown[0]["warnings"].as_array().unwrap().len(), 1);
}
