//! `cloudwatch-insights` as a process, with a scripted CloudWatch. Here: queries, from arguments to rows.

mod groups;
mod sources;
mod waiting;

use rmcp::model::CallToolResult;
use serde_json::{Value, json};

use crate::{
    child::{CLOUDWATCH, Server},
    fake_logs::{Answer, FakeLogs, complete, refusal, started, state},
    running::{Client, ERAS, Era, connect, text},
};

const TOOL: &str = "query_cloudwatch_insights";

/// The fake service, the server that uses it, and a client of the server. The server lives as long as this.
struct Setup {
    logs: FakeLogs,
    server: Server,
    client: Client,
}

impl Setup {
    async fn new(script: &[(&str, Answer)], more_env: &[(&str, &str)]) -> Self {
        let logs = FakeLogs::start(script).await;
        let mut env = vec![
            ("AWS_ENDPOINT_URL", logs.url.as_str()),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "not-a-secret"),
            ("ALLOWED_LOG_GROUPS", "/app/web,/app/worker"),
        ];
        env.extend(more_env);
        let server = Server::start(CLOUDWATCH, &env).await;
        let client = connect(&server.url, Era::Modern, &[]).await.unwrap();
        Self { logs, server, client }
    }

    async fn query(&self, arguments: Value) -> CallToolResult {
        self.client.call(TOOL, arguments).await
    }

    async fn error(&self, arguments: Value) -> String {
        self.error_of(TOOL, arguments).await
    }

    async fn error_of(&self, tool: &'static str, arguments: Value) -> String {
        let result = self.client.call(tool, arguments).await;
        assert_eq!(result.is_error, Some(true), "{result:?}");
        text(&result).to_owned()
    }
}

#[tokio::test]
async fn without_any_aws_setting_it_lists_its_tools_and_says_what_is_missing() {
    let server = Server::start(CLOUDWATCH, &[]).await;
    let client = connect(&server.url, Era::Modern, &[]).await.unwrap();
    let tools = client.tools().await;
    let names: Vec<_> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    assert_eq!(names, ["get_log_fields", "list_log_groups", TOOL]);
    assert!(tools.iter().all(|tool| tool.output_schema.is_some()), "{tools:?}");
    let result = client.call(TOOL, json!({"query": "limit 1"})).await;
    assert_eq!(result.is_error, Some(true));
    insta::assert_snapshot!(text(&result), @"no log group may be read, because the server's list is empty; set `ALLOWED_LOG_GROUPS` in its environment to comma separated names or `prefix*`, for example `/aws/lambda/orders,/ecs/*`");
}

#[tokio::test]
async fn without_credentials_and_region_it_says_what_to_set() {
    let server = Server::start(CLOUDWATCH, &[("ALLOWED_LOG_GROUPS", "/app/web")]).await;
    for era in ERAS {
        let client = connect(&server.url, era, &[]).await.unwrap();
        let result = client.call(TOOL, json!({"query": "limit 1"})).await;
        assert_eq!(result.is_error, Some(true));
        insta::allow_duplicates!(
            insta::assert_snapshot!(text(&result), @"CloudWatch cannot be queried yet: there is no AWS region: set `AWS_REGION`, for example `us-east-1`; there are no AWS credentials: set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` (and `AWS_SESSION_TOKEN` with temporary ones) or `AWS_PROFILE`, or give this machine or container a role")
        );
    }
}

#[tokio::test]
async fn something_else_at_the_address_of_the_metadata_service_is_no_credentials() {
    let not_metadata = FakeLogs::start(&[]).await;
    let env = [("ALLOWED_LOG_GROUPS", "/a"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", not_metadata.url.as_str())];
    let server = Server::start(CLOUDWATCH, &env).await;
    let client = connect(&server.url, Era::Modern, &[]).await.unwrap();
    let result = client.call(TOOL, json!({"query": "limit 1"})).await;
    assert!(text(&result).contains("there are no AWS credentials: set"), "{}", text(&result));
    assert!(!not_metadata.operations().is_empty());
}

#[tokio::test]
async fn nothing_that_is_refused_reaches_aws() {
    let setup = Setup::new(&[("StartQuery", started())], &[]).await;
    let refused = [
        json!({"query": "limit 1", "log_groups": ["/app/web", "/secret"]}),
        json!({"query": "limit 1", "log_groups": ["arn:aws:logs:eu-central-1:1:log-group:/app/web"]}),
        json!({"query": "SOURCE logGroups(namePrefix: ['/secret']) | limit 1"}),
        json!({"query": " "}),
        json!({"query": "limit 1", "start": "tomorrow"}),
        json!({"query": "limit 1", "limit": 0}),
        json!({"query": "limit 1", "limit": 10_001}),
        json!({"query": "limit 1", "log_groups": "/secret"}),
    ];
    let mut errors = Vec::new();
    for arguments in refused {
        errors.push(setup.error(arguments).await);
    }
    assert_eq!(setup.logs.operations(), [""; 0]);
    insta::assert_snapshot!(errors.join("\n"), @r#"
    this server may not read `/secret`; it may read `/app/web`, `/app/worker` (`ALLOWED_LOG_GROUPS` in its environment)
    `arn:aws:logs:eu-central-1:1:log-group:/app/web` is no name of a log group: write names as `list_log_groups` gives them, without `*` and not as ARNs
    the command SOURCE is not available, because it passes the list of log groups that may be read; name them in `log_groups` instead (a field called source is written `` `source` ``, and a comment does without the word)
    `query` is empty; for example `fields @timestamp, @message | sort @timestamp desc`
    `start` is `tomorrow`; write how long ago (`30m`, `1h`, `7d`), `now`, ISO 8601 (`2026-01-31T12:00:00Z`), or seconds or milliseconds since the epoch
    `limit` is `0`; choose 1 to 10000
    `limit` is `10001`; choose 1 to 10000
    failed to deserialize parameters: invalid type: string "/secret", expected a sequence
    "#);
}

#[tokio::test]
async fn rows_come_back_typed_and_readable() {
    let row: &[(&str, &str)] = &[("level", "ERROR"), ("n", "2"), ("@ptr", "abc")];
    let script = [
        ("StartQuery", started()),
        ("GetQueryResults", state("Scheduled")),
        ("GetQueryResults", state("Running")),
        ("GetQueryResults", refusal("ThrottlingException", "Rate exceeded")),
        ("GetQueryResults", complete(&[row, &[("level", "WARN"), ("n", "10"), ("@ptr", "def")]])),
    ];
    let setup = Setup::new(&script, &[]).await;
    let arguments = json!({
        "query": "stats count(*) as n by level",
        "start": "2026-01-01T00:00:00Z",
        "end": "2026-01-02",
        "limit": 10,
    });
    let result = setup.query(arguments).await;
    insta::assert_snapshot!(text(&result), @r#"
    2 row(s) from /app/web, /app/worker, 2026-01-01T00:00:00Z to 2026-01-02T00:00:00Z

    level | n
    ----- | --
    ERROR | 2
    WARN  | 10

    matched 2 of 1000 records scanned (65536 bytes)
    "#);
    insta::assert_snapshot!(serde_json::to_string_pretty(&result.structured_content).unwrap(), @r#"
    {
      "queryId": "q-1",
      "logGroups": [
        "/app/web",
        "/app/worker"
      ],
      "start": "2026-01-01T00:00:00Z",
      "end": "2026-01-02T00:00:00Z",
      "columns": [
        "level",
        "n"
      ],
      "rows": [
        {
          "level": "ERROR",
          "n": 2
        },
        {
          "level": "WARN",
          "n": 10
        }
      ],
      "limitReached": false,
      "notes": [],
      "statistics": {
        "recordsMatched": 2,
        "recordsScanned": 1000,
        "bytesScanned": 65536
      }
    }
    "#);
    let told = setup.client.progress(3).await;
    assert!(told[2].1.starts_with("GetQueryResults is asked again"), "{told:?}");
    let requests = setup.logs.requests();
    insta::assert_snapshot!(requests[0].1, @r#"{"logGroupNames":["/app/web","/app/worker"],"startTime":1767225600,"endTime":1767312000,"queryString":"stats count(*) as n by level","limit":10}"#);
    assert_eq!(requests[1].1, json!({"queryId": "q-1"}));
    assert_eq!(requests.len(), 5);
}

#[tokio::test]
async fn one_group_is_named_alone() {
    let setup = Setup::new(&[("StartQuery", started()), ("GetQueryResults", complete(&[]))], &[]).await;
    let found = setup.query(json!({"query": "limit 1", "log_groups": ["/app/web"]})).await;
    assert!(text(&found).starts_with("0 row(s) from /app/web, "), "{}", text(&found));
    let request = &setup.logs.requests()[0].1;
    assert_eq!((&request["logGroupName"], &request["logGroupNames"]), (&json!("/app/web"), &Value::Null));
}

#[tokio::test]
async fn a_query_that_is_malformed_says_where() {
    let (status, mut malformed) = refusal("MalformedQueryException", "unexpected symbol found");
    malformed["queryCompileError"] = json!({"location": {"startCharOffset": 10, "endCharOffset": 13}, "message": "x"});
    let setup = Setup::new(&[("StartQuery", (status, malformed))], &[]).await;
    insta::assert_snapshot!(setup.error(json!({"query": "limit 1\n| foo bar"})).await, @"AWS does not understand the query (`MalformedQueryException`): unexpected symbol found, at line 2, column 3: `foo`; correct it and ask again");
}

#[tokio::test]
async fn pages_are_followed_up_to_the_limit() {
    let page = |n: &str, next: Option<&str>| {
        let (status, mut body) = complete(&[&[("n", n)]]);
        body["nextToken"] = json!(next);
        (status, body)
    };
    let script = [
        ("StartQuery", started()),
        ("GetQueryResults", page("1", Some("t-1"))),
        ("GetQueryResults", page("2", Some("t-2"))),
    ];
    let setup = Setup::new(&script, &[]).await;
    let result = setup.query(json!({"query": "display n", "limit": 2})).await;
    let found = result.structured_content.unwrap();
    assert_eq!((&found["rows"], &found["limitReached"]), (&json!([{"n": 1}, {"n": 2}]), &json!(true)));
    assert_eq!(setup.logs.requests()[2].1, json!({"queryId": "q-1", "nextToken": "t-1"}));
}

#[tokio::test]
async fn errors_of_aws_keep_their_code() {
    let denied = refusal("AccessDeniedException", "not authorized to perform: logs:StartQuery");
    let setup = Setup::new(&[("StartQuery", denied)], &[]).await;
    let error = setup.error(json!({"query": "limit 1"})).await;
    insta::assert_snapshot!(error, @"AWS refused StartQuery with `AccessDeniedException`: not authorized to perform: logs:StartQuery; allow the identity that the server runs as `logs:StartQuery` on the log groups of `ALLOWED_LOG_GROUPS`");
}

#[tokio::test]
async fn an_endpoint_that_is_down_is_named_as_such() {
    let setup = Setup::new(&[], &[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")]).await;
    let error = setup.error(json!({"query": "limit 1"})).await;
    assert!(error.starts_with("StartQuery was not sent to AWS: dispatch failure: "), "{error}");
    assert!(error.ends_with("; check the region, `AWS_ENDPOINT_URL` and the network"), "{error}");
    assert!(setup.client.progress(2).await[0].1.starts_with("StartQuery is asked again"));
}

#[tokio::test]
async fn an_answer_that_is_not_of_aws_is_named_as_such() {
    for answer in [(404, Value::Null), (200, json!("<html>"))] {
        let setup = Setup::new(&[("StartQuery", answer.clone())], &[]).await;
        let error = setup.error(json!({"query": "limit 1"})).await;
        let status = answer.0;
        assert_eq!(
            error,
            format!(
                "StartQuery was answered with HTTP {status}, but not as AWS does; check `AWS_ENDPOINT_URL`, and what \
                 stands between the server and AWS, such as a proxy"
            )
        );
    }
}
