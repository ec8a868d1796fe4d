//! `cloudwatch-insights` as a process, over the log files in `servers/tests/logs` and over its sample logs. What the query
//! language does is tested beside the engine.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::{
    child::{CLOUDWATCH, Server, command},
    running::{Client, ERAS, Era, connect, text},
};

const QUERY: &str = "query_cloudwatch_insights";
const LOGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/logs");

/// A server over these logs, and a client of it.
struct Local {
    client: Client,
    _server: Server,
}

impl Local {
    async fn start(env: &[(&str, &str)], era: Era) -> Self {
        let server = Server::start(CLOUDWATCH, env).await;
        Self { client: connect(&server.url, era, &[]).await.unwrap(), _server: server }
    }

    async fn logs(more_env: &[(&str, &str)]) -> Self {
        let env = [&[("LOG_SOURCE", "directory"), ("LOG_DIRECTORY", LOGS)], more_env].concat();
        Self::start(&env, Era::Modern).await
    }

    async fn found(&self, tool: &'static str, arguments: Value) -> Value {
        let result = self.client.call(tool, arguments).await;
        assert_ne!(result.is_error, Some(true), "{}", text(&result));
        result.structured_content.unwrap()
    }

    async fn error(&self, tool: &'static str, arguments: Value) -> String {
        let result = self.client.call(tool, arguments).await;
        assert_eq!(result.is_error, Some(true), "{result:?}");
        text(&result).to_owned()
    }
}

fn noon(query: &str) -> Value {
    json!({"query": query, "start": "2026-01-31T12:00:00Z", "end": "2026-01-31T13:00:00Z"})
}

#[tokio::test]
async fn a_query_has_rows_and_a_table() {
    let local = Local::logs(&[]).await;
    let mut arguments = noon("stats count(*) as n, max(latency) as slowest by level");
    arguments["log_groups"] = json!(["/app/web"]);
    let result = local.client.call(QUERY, arguments).await;
    insta::assert_snapshot!(text(&result), @r"
    3 row(s) from /app/web, 2026-01-31T12:00:00Z to 2026-01-31T13:00:00Z

    level | n | slowest
    ----- | - | -------
    ERROR | 2 | 250.5
    INFO  | 3 | 110
    WARN  | 1 | 8

    matched 6 of 6 records scanned (790 bytes)
    ");
    let found = result.structured_content.unwrap();
    assert_eq!(found["rows"][0], json!({"level": "ERROR", "n": 2, "slowest": 250.5}));
    assert_eq!(found.get("queryId"), None);
}

#[tokio::test]
async fn every_group_is_queried_where_none_is_named() {
    let local = Local::logs(&[]).await;
    let found = local.found(QUERY, noon("stats count(*) as n by @log")).await;
    assert_eq!(found["rows"], json!([{"@log": "local:/app/web", "n": 6}, {"@log": "local:/app/worker", "n": 7}]));
    let narrow = Local::logs(&[("ALLOWED_LOG_GROUPS", "/app/work*")]).await;
    let found = narrow.found(QUERY, noon("stats count(*) as n by @log")).await;
    assert_eq!(found["logGroups"], json!(["/app/worker"]));
}

#[tokio::test]
async fn the_list_of_groups_holds_here_too() {
    let local = Local::logs(&[("ALLOWED_LOG_GROUPS", "/app/web,/app/gone")]).await;
    let found = local.found("list_log_groups", json!({})).await;
    assert_eq!((&found["logGroups"][0]["name"], &found["notFound"]), (&json!("/app/web"), &json!(["/app/gone"])));
    let asked = json!({"query": "limit 1", "log_groups": ["/app/worker"]});
    let refused = "this server may not read `/app/worker`; it may read `/app/web`, `/app/gone` (`ALLOWED_LOG_GROUPS` in \
                   its environment)";
    assert_eq!(local.error(QUERY, asked).await, refused);
    assert_eq!(local.error("get_log_fields", json!({"log_group": "/app/worker"})).await, refused);
}

#[tokio::test]
async fn groups_and_fields_are_listed() {
    let local = Local::logs(&[]).await;
    let found = local.found("list_log_groups", json!({"limit": 1})).await;
    let group = &found["logGroups"][0];
    assert_eq!((&group["name"], &group["storedBytes"]), (&json!("/app/web"), &json!(796)));
    assert_eq!(found["limitReached"], json!(true));
    let found = local.found("get_log_fields", json!({"log_group": "/app/web"})).await;
    assert!(found["fields"].as_array().unwrap().contains(&json!({"name": "user.name", "percent": 50})), "{found}");
}

/// A directory of logs with these files, each of one line at noon.
fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "2026-01-31 12:00:00 hello\n").unwrap();
    }
    folder
}

#[tokio::test]
async fn ordinary_directories_are_queried_without_naming_groups() {
    let mut files: Vec<_> = (0..60).map(|n| format!("app-{n}/a.log")).collect();
    files.extend(["my app/a.log".to_owned(), "app-1/old.log.gz".to_owned()]);
    let folder = folder(&files.iter().map(String::as_str).collect::<Vec<_>>());
    let local = Local::logs(&[("LOG_DIRECTORY", folder.path().to_str().unwrap())]).await;
    let result = local.client.call(QUERY, noon("stats count(*) as n")).await;
    let found = result.structured_content.clone().unwrap();
    assert_eq!((&found["rows"], found["logGroups"].as_array().unwrap().len()), (&json!([{"n": 60}]), 60));
    let notes = json!([
        "1 packed file(s) are not read; unpack them",
        "1 folder(s) have a name that no log group has (letters, digits and `.-_#`) and are not read",
    ]);
    assert_eq!(found["notes"], notes);
    assert!(text(&result).contains(" and 10 more, 2026"), "{}", text(&result));
    assert!(text(&result).ends_with("`.-_#`) and are not read\n"), "{}", text(&result));
    assert_eq!(local.found("list_log_groups", json!({})).await["notes"], notes);
}

#[tokio::test]
async fn nothing_to_query_is_an_error_of_its_own() {
    let folder = folder(&[]);
    let local = Local::logs(&[("LOG_DIRECTORY", folder.path().to_str().unwrap())]).await;
    insta::assert_snapshot!(local.error(QUERY, noon("limit 1")).await, @"there is no log group to query: no folder that this server may read holds log files; `list_log_groups` says what it found");
}

#[tokio::test]
async fn a_misspelt_argument_is_refused() {
    let local = Local::logs(&[]).await;
    let mut asked = noon("limit 1");
    asked["logGroups"] = json!(["/app/web"]);
    let errors = [
        local.error(QUERY, asked).await,
        local.error("list_log_groups", json!({"prefx": "/"})).await,
        local.error("get_log_fields", json!({"log_group": "/app/web", "limit": 1})).await,
    ];
    insta::assert_snapshot!(errors.join("\n"), @"
    failed to deserialize parameters: unknown field `logGroups`, expected one of `query`, `log_groups`, `start`, `end`, `limit`
    failed to deserialize parameters: unknown field `prefx`, expected `prefix` or `limit`
    failed to deserialize parameters: unknown field `limit`, expected `log_group`
    ");
}

#[tokio::test]
async fn times_come_as_models_write_them() {
    let local = Local::logs(&[]).await;
    let query = "stats count(*) as n";
    for (start, end) in [
        (json!("2026-01-31 12:00"), json!("2026-01-31T12:59Z")),
        (json!(1_769_860_800), json!(1_769_864_400_000_i64)),
        (json!("1769860800"), json!("1769864400000")),
    ] {
        let found = local.found(QUERY, json!({"query": query, "start": start, "end": end})).await;
        assert_eq!(found["rows"], json!([{"n": 13}]), "{start} {end}");
    }
    let found = local.found(QUERY, json!({"query": query, "start": null, "end": null})).await;
    assert_eq!(found["rows"], json!([{"n": 0}]));
}

#[tokio::test]
async fn what_takes_its_time_from_elsewhere_is_said() {
    let local = Local::logs(&[]).await;
    let mut asked = noon("display level, nothing | limit 1");
    asked["log_groups"] = json!(["/app/worker"]);
    let found = local.found(QUERY, asked).await;
    // The columns are there without a value.
    assert_eq!(found["columns"], json!(["level", "nothing"]));
    let note = "1 event(s) without a readable time of their own have that of the event before them in their file";
    assert_eq!(found["notes"], json!([note]));
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_leads_nowhere_and_no_path_is_told() {
    let (folder, outside) = (folder(&["app/a.log"]), folder(&["secret/s.log"]));
    std::os::unix::fs::symlink(outside.path().join("secret"), folder.path().join("link")).unwrap();
    let local = Local::logs(&[("LOG_DIRECTORY", folder.path().to_str().unwrap())]).await;
    let mut asked = noon("limit 1");
    asked["log_groups"] = json!(["/link"]);
    let error = local.error(QUERY, asked).await;
    assert_eq!(error, "there is no log group `/link` here; `list_log_groups` names those that are there");
    let found = local.found("list_log_groups", json!({})).await;
    let note = "1 symbolic link(s) are not followed; mount or copy what they lead to";
    assert_eq!((&found["logGroups"][0]["name"], &found["notes"]), (&json!("/app"), &json!([note])));
    std::fs::remove_dir_all(folder.path()).unwrap();
    let error = local.error("list_log_groups", json!({})).await;
    assert!(error.starts_with("the server's folder of log groups cannot be read: "), "{error}");
    assert!(!error.contains(folder.path().to_str().unwrap()), "{error}");
}

#[tokio::test]
async fn what_the_engine_lacks_is_a_tool_error() {
    let local = Local::logs(&[]).await;
    insta::assert_snapshot!(local.error(QUERY, noon("fields @message\n| pattern @message")).await, @"line 2, column 3: the command `pattern` is not available with local log files; the commands are `fields`, `display`, `filter`, `parse`, `stats`, `sort`, `limit` and `dedup`");
    insta::assert_snapshot!(local.error("get_log_fields", json!({"log_group": "/app/none"})).await, @"there is no log group `/app/none` here; `list_log_groups` names those that are there");
    insta::assert_snapshot!(local.error("get_log_fields", json!({"log_group": "/app/../app/web"})).await, @"there is no log group `/app/../app/web` here; `list_log_groups` names those that are there");
}

#[tokio::test]
async fn the_samples_are_always_of_the_last_hour() {
    for (era, env) in ERAS.into_iter().zip([[("LOG_SOURCE", "samples")], [("DEFAULT_LOG_SOURCE", "samples")]]) {
        let local = Local::start(&env, era).await;
        let found = local.found("list_log_groups", json!({})).await;
        let names: Vec<_> = found["logGroups"].as_array().unwrap().iter().map(|group| group["name"].clone()).collect();
        assert_eq!(names, ["/shop/orders", "/shop/payments", "/shop/web"]);
        let asked = json!({"query": "filter level = 'ERROR' | stats count(*) as n", "log_groups": ["/shop/web"], "start": "1h"});
        let found = local.found(QUERY, asked).await;
        assert!(found["rows"][0]["n"].as_u64().unwrap() > 0, "{found}");
        assert_eq!(found["statistics"]["recordsScanned"], json!(170));
    }
}

#[tokio::test]
async fn a_directory_that_is_not_there_ends_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let gone = directory.path().join("gone").display().to_string();
    let env = [("LOG_SOURCE", "directory"), ("LOG_DIRECTORY", gone.as_str())];
    let ended =
        command(CLOUDWATCH, &env).args(["--listen", "127.0.0.1:0"]).stderr(Stdio::piped()).output().await.unwrap();
    let error = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(error.contains(&format!("the folder of log groups `{gone}` cannot be read: ")), "{error}");
    assert!(error.contains("set `LOG_DIRECTORY` to one"), "{error}");
}
