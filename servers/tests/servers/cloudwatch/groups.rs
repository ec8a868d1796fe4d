//! The tools `list_log_groups` and `get_log_fields`.

use serde_json::{Value, json};

use super::Setup;
use crate::{
    fake_logs::{Answer, refusal},
    running::text,
};

const LIST: &str = "list_log_groups";
const FIELDS: &str = "get_log_fields";

fn page(names: &[&str], next: Option<&str>) -> Answer {
    let groups: Vec<_> = names
        .iter()
        .map(|name| json!({"logGroupName": name, "creationTime": 1_769_860_800_000_i64, "storedBytes": 12}))
        .collect();
    (200, json!({"logGroups": groups, "nextToken": next}))
}

fn names(listed: &Value) -> Vec<&str> {
    listed["logGroups"].as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn exactly_the_allowed_groups_are_listed() {
    let mut kept = page(&["/app/web"], None);
    kept.1["logGroups"][0]["retentionInDays"] = json!(14);
    let script = [
        ("DescribeLogGroups", kept),
        // Another group begins with the name of one that is gone.
        ("DescribeLogGroups", page(&["/app/worker-2"], None)),
        ("DescribeLogGroups", page(&["/ecs/a"], Some("t-1"))),
        ("DescribeLogGroups", page(&[], Some("t-2"))),
        ("DescribeLogGroups", page(&["/ecs/b"], None)),
    ];
    let env = [("ALLOWED_LOG_GROUPS", "/ecs/*,/app/web,/app/worker,/ecs/b")];
    let setup = Setup::new(&script, &env).await;
    let result = setup.client.call(LIST, json!({})).await;
    insta::assert_snapshot!(text(&result), @"
    3 log group(s) that this server may read

    log group | stored bytes | retention | created
    --------- | ------------ | --------- | --------------------
    /app/web  | 12           | 14 days   | 2026-01-31T12:00:00Z
    /ecs/a    | 12           | kept      | 2026-01-31T12:00:00Z
    /ecs/b    | 12           | kept      | 2026-01-31T12:00:00Z

    allowed, but there is no such group: /app/worker
    ");
    insta::assert_snapshot!(result.structured_content.unwrap(), @r#"{"logGroups":[{"name":"/app/web","storedBytes":12,"retentionDays":14,"created":"2026-01-31T12:00:00Z"},{"name":"/ecs/a","storedBytes":12,"created":"2026-01-31T12:00:00Z"},{"name":"/ecs/b","storedBytes":12,"created":"2026-01-31T12:00:00Z"}],"notFound":["/app/worker"],"limitReached":false,"notes":[]}"#);
    let asked: Vec<_> = setup.logs.requests().into_iter().map(|(_, body)| body.to_string()).collect();
    insta::assert_snapshot!(asked.join("\n"), @r#"
    {"logGroupNamePrefix":"/app/web","limit":1}
    {"logGroupNamePrefix":"/app/worker","limit":1}
    {"logGroupNamePrefix":"/ecs/"}
    {"logGroupNamePrefix":"/ecs/","nextToken":"t-1"}
    {"logGroupNamePrefix":"/ecs/","nextToken":"t-2"}
    "#);
}

#[tokio::test]
async fn a_list_that_is_cut_off_says_so() {
    let script = [("DescribeLogGroups", page(&["/a", "/b"], Some("t"))), ("DescribeLogGroups", page(&["/c"], None))];
    let setup = Setup::new(&script, &[("ALLOWED_LOG_GROUPS", "*")]).await;
    let result = setup.client.call(LIST, json!({"limit": 2})).await;
    let expected = "2 log group(s) that this server may read\n\
        There are more: `limit` is reached; raise it, or name a longer `prefix`.\n";
    assert!(text(&result).starts_with(expected), "{}", text(&result));
    let listed = result.structured_content.unwrap();
    assert_eq!((names(&listed), &listed["limitReached"]), (vec!["/a", "/b"], &json!(true)));
    // As many as there are is not too many.
    let result = setup.client.call(LIST, json!({"limit": 1})).await.structured_content.unwrap();
    assert_eq!((names(&result), &result["limitReached"]), (vec!["/c"], &json!(false)));
    assert_eq!(setup.logs.requests()[0].1, json!({}));
}

#[tokio::test]
async fn what_is_not_allowed_is_refused_before_aws_is_asked() {
    let setup = Setup::new(&[], &[("ALLOWED_LOG_GROUPS", "/app/web,/ecs/*")]).await;
    let errors = [
        setup.error_of(LIST, json!({"prefix": "/secret"})).await,
        setup.error_of(LIST, json!({"prefix": "a b"})).await,
        setup.error_of(LIST, json!({"limit": 1001})).await,
        setup.error_of(FIELDS, json!({"log_group": "/secret"})).await,
        setup.error_of(FIELDS, json!({"log_group": "/ecs"})).await,
    ];
    assert_eq!(setup.logs.operations(), [""; 0]);
    insta::assert_snapshot!(errors.join("\n"), @"
    this server may not read `/secret*`; it may read `/app/web`, `/ecs/*` (`ALLOWED_LOG_GROUPS` in its environment)
    `prefix` is `a b`, and no name of a log group begins so; names hold letters, digits and `.-_/#`
    `limit` is `1001`; choose 1 to 1000
    this server may not read `/secret`; it may read `/app/web`, `/ecs/*` (`ALLOWED_LOG_GROUPS` in its environment)
    this server may not read `/ecs`; it may read `/app/web`, `/ecs/*` (`ALLOWED_LOG_GROUPS` in its environment)
    ");
}

#[tokio::test]
async fn fields_come_with_their_share() {
    let fields = json!({"logGroupFields": [{"name": "@message", "percent": 100}, {"name": "level", "percent": 37}]});
    let throttled = refusal("ThrottlingException", "Rate exceeded");
    let script = [
        ("GetLogGroupFields", throttled),
        ("GetLogGroupFields", (200, fields)),
        ("GetLogGroupFields", (200, json!({"logGroupFields": []}))),
    ];
    let setup = Setup::new(&script, &[]).await;
    let result = setup.client.call(FIELDS, json!({"log_group": "/app/web"})).await;
    insta::assert_snapshot!(text(&result), @"
    2 field(s) in /app/web, with the percentage of recent log events that have them

    field    | percent
    -------- | -------
    @message | 100
    level    | 37
    ");
    insta::assert_snapshot!(result.structured_content.unwrap(), @r#"{"logGroup":"/app/web","fields":[{"name":"@message","percent":100},{"name":"level","percent":37}],"notes":[]}"#);
    assert_eq!(setup.logs.requests()[1].1, json!({"logGroupName": "/app/web"}));
    let none = setup.client.call(FIELDS, json!({"log_group": "/app/web"})).await;
    assert_eq!(text(&none), "no fields in /app/web: it has no recent log events\n");
}

#[tokio::test]
async fn refusals_keep_their_code_and_say_what_to_do() {
    let script = [
        ("DescribeLogGroups", refusal("AccessDeniedException", "not authorized to perform: logs:DescribeLogGroups")),
        ("GetLogGroupFields", refusal("ResourceNotFoundException", "The specified log group does not exist.")),
    ];
    let setup = Setup::new(&script, &[]).await;
    let errors =
        [setup.error_of(LIST, json!({})).await, setup.error_of(FIELDS, json!({"log_group": "/app/web"})).await];
    insta::assert_snapshot!(errors.join("\n"), @"
    AWS refused DescribeLogGroups with `AccessDeniedException`: not authorized to perform: logs:DescribeLogGroups; allow the identity that the server runs as `logs:DescribeLogGroups` on the log groups of `ALLOWED_LOG_GROUPS`
    AWS refused GetLogGroupFields with `ResourceNotFoundException`: The specified log group does not exist; check the name and the server's region; the tool `list_log_groups` tells which groups there are
    ");
}

#[tokio::test]
async fn a_list_that_takes_too_long_ends() {
    let script = [("DescribeLogGroups", page(&[], Some("again")))];
    let env = [("ALLOWED_LOG_GROUPS", "*"), ("QUERY_TIMEOUT", "200ms")];
    let setup = Setup::new(&script, &env).await;
    insta::assert_snapshot!(setup.error_of(LIST, json!({})).await, @"the call was not complete after 200ms; ask for less, or raise `QUERY_TIMEOUT` in the server's environment");
}
