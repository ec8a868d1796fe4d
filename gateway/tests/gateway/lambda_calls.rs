//! The gateway as a Lambda function behind API Gateway: both formats of events, both eras of clients, JSON alone, and what cannot
//! be answered said in time.

use std::time::Duration;

use causeway_servers::Sample;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::{
    command::run_with,
    fake_target::{FakeTarget, Speaks, hang},
    issuer::Issuer,
    lambda_function::{
        Asked, Came, Format,
        Format::{Http, Rest},
        Function,
    },
    sample::Server,
};

/// What a user's config.toml says, with one target.
fn config(issuer: &Issuer, target: &str, more: &str) -> String {
    format!(
        r#"
        [gateway]
        public_url = "https://abc123.execute-api.us-east-1.amazonaws.com/prod/mcp"

        [authorizer.custom_jwt]
        discovery_url = "{}"
        allowed_clients = ["alice"]
        allowed_scopes = ["gateway/call"]

        [[targets]]
        name = "target"
        http.endpoint = "{target}"

        {more}
        "#,
        issuer.discovery_url()
    )
}

async fn function(config: &str) -> Function {
    Function::start(&[("CAUSEWAY_CONFIG_TOML", config)]).await
}

fn legacy(format: Format, method: &str, params: Value) -> Asked<'static> {
    Asked::message(format, json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
        .with("mcp-protocol-version", "2025-11-25")
}

fn modern(format: Format, method: &str, mut params: Value) -> Asked<'static> {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let name = params["name"].as_str().map(ToOwned::to_owned);
    let asked = Asked::message(format, json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
        .with("mcp-protocol-version", "2026-07-28")
        .with("mcp-method", method);
    name.into_iter().fold(asked, |asked, name| asked.with("mcp-name", name))
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[tokio::test]
async fn clients_of_both_eras_call_through_both_formats() {
    let (issuer, calculator) = (Issuer::start().await, Server::start(Sample::Calculator).await);
    let function = function(&config(&issuer, &calculator.url, "")).await;
    let token = bearer(&issuer.token("alice"));
    let sum = json!({"name": "target___add_numbers", "arguments": {"a": 2, "b": 3}, "_meta": {"progressToken": 7}});
    for format in [Rest, Http] {
        // The first request of all finds the lists complete.
        for era in [legacy, modern] {
            let (status, listed) =
                function.ask(&era(format, "tools/list", json!({})).with("authorization", &token)).await;
            assert!(status == 200 && listed.contains(r#""name":"target___add_numbers""#), "{format:?} {listed}");
            let (status, called) =
                function.ask(&era(format, "tools/call", sum.clone()).with("authorization", &token)).await;
            assert!(status == 200 && called.contains(r#""result":5"#), "{format:?} {called}");
        }
        let hello =
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let (status, headers, hello) =
            function.ask_whole(&legacy(format, "initialize", hello).with("authorization", &token)).await;
        assert!(status == 200 && hello.contains(r#""protocolVersion":"2025-11-25""#), "{hello}");
        assert!(headers.get("mcp-session-id").is_none(), "a session would be one process's: {headers}");
    }
}

#[tokio::test]
async fn who_brings_no_good_token_is_refused_here_too() {
    let (issuer, calculator) = (Issuer::start().await, Server::start(Sample::Calculator).await);
    let function = function(&config(&issuer, &calculator.url, "")).await;
    let ping = legacy(Rest, "ping", json!({}));
    let (status, headers, _) = function.ask_whole(&ping).await;
    assert_eq!(status, 401);
    insta::assert_snapshot!(headers["www-authenticate"][0].as_str().unwrap(), @r#"Bearer scope="gateway/call", resource_metadata="https://abc123.execute-api.us-east-1.amazonaws.com/prod/.well-known/oauth-protected-resource""#);
    for bad in [bearer(&issuer.token("mallory")), bearer(&unsigned(&issuer.token("alice")))] {
        let claims = Some(issuer.claims("alice", json!({})));
        // What API Gateway says of it does not help.
        let asked = Asked { claims, ..ping.clone().with("authorization", bad) };
        assert!([401, 403].contains(&function.ask(&asked).await.0));
    }
    let twice = ping.clone().with("authorization", bearer(&issuer.token("alice"))).with("authorization", "Bearer x");
    assert_eq!(function.ask(&twice).await.0, 401);
    let metadata = Asked { method: "GET", path: "/.well-known/oauth-protected-resource", body: String::new(), ..ping };
    let (status, metadata) = function.ask(&metadata).await;
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    assert_eq!(
        (status, metadata["resource"].as_str()),
        (200, Some("https://abc123.execute-api.us-east-1.amazonaws.com/prod/mcp"))
    );
}

/// The same token with a signature that nobody made.
fn unsigned(token: &str) -> String {
    let (signed, _) = token.rsplit_once('.').unwrap();
    [signed, ".", &"A".repeat(342)].concat()
}

#[tokio::test]
async fn the_word_of_api_gateway_is_taken_for_a_signature_and_nothing_else() {
    let (issuer, calculator) = (Issuer::start().await, Server::start(Sample::Calculator).await);
    let function = function(&config(&issuer, &calculator.url, "[lambda]\ntrust_api_gateway_authorizer = true")).await;
    // A function in a private subnet reaches no issuer.
    issuer.set_down(true);
    let ask = async |client: &str, verified: Option<Value>, changes: Value| {
        let token = unsigned(&issuer.token_with(client, changes));
        let asked = legacy(Rest, "ping", json!({})).with("authorization", bearer(&token));
        let (rest, _) = function.ask(&Asked { claims: verified.clone(), ..asked.clone() }).await;
        let (http, _) = function.ask(&Asked { claims: verified, format: Http, ..asked }).await;
        assert_eq!(rest, http);
        rest
    };
    let claims = |client: &str| Some(issuer.claims(client, json!({})));
    assert_eq!(ask("alice", claims("alice"), json!({})).await, 200);
    assert_eq!(ask("alice", claims("bob"), json!({})).await, 401, "it verified another token");
    assert_eq!(ask("bob", claims("bob"), json!({})).await, 401, "`bob` is none of `allowed_clients`");
    let other = || json!({"scope": "gateway/other"});
    assert_eq!(ask("alice", Some(issuer.claims("alice", other())), other()).await, 403);
    assert_eq!(
        ask("alice", Some(issuer.claims("alice", other())), json!({})).await,
        401,
        "somebody added to the token"
    );
    assert_eq!(ask("alice", claims("alice"), json!({"exp": 1})).await, 401);
    assert_eq!(ask("alice", claims("alice"), json!({"iss": "https://elsewhere.example"})).await, 401);
    assert_eq!(ask("alice", None, json!({})).await, 503, "nobody vouches for it, and the issuer is down");
}

#[tokio::test]
async fn there_are_no_streams() {
    let (issuer, fake) = (Issuer::start().await, FakeTarget::streaming(Speaks::Modern));
    let function = function(&config(&issuer, &fake.endpoint(), "")).await;
    let token = bearer(&issuer.token("alice"));
    let call = json!({"name": "target___echo", "arguments": {}, "_meta": {"progressToken": 7}});
    let (_, called) = function.ask(&legacy(Rest, "tools/call", call).with("authorization", &token)).await;
    assert!(called.contains(r#""result":"#) && !called.contains("notifications/progress"), "{called}");
    let stream = Asked { method: "GET", body: String::new(), ..legacy(Rest, "", json!({})) };
    assert_eq!(function.ask(&stream.with("authorization", &token)).await.0, 405);
    let listen = modern(Http, "subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}));
    assert_eq!(function.ask(&listen.with("authorization", &token)).await.0, 406);
}

#[tokio::test]
async fn what_takes_too_long_is_said_in_time() {
    let (issuer, fake) = (Issuer::start().await, FakeTarget::start(Speaks::Modern));
    fake.on("tools/call", |_| hang());
    let function = function(&config(&issuer, &fake.endpoint(), "")).await;
    let token = bearer(&issuer.token("alice"));
    let call =
        legacy(Rest, "tools/call", json!({"name": "target___echo", "arguments": {}})).with("authorization", &token);
    let Came::Answer(answer) = function.invoke_within(call.document(), Duration::from_secs(2)).await else {
        panic!("no error of the function")
    };
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!((&answer["statusCode"], &body["id"]), (&json!(200), &json!(1)));
    let said = body["error"]["message"].as_str().unwrap();
    assert!(said.starts_with("there was no answer within the 1."), "{said}");
    // The target is let go, and the next request is answered.
    fake.until_dropped(&fake.asked("tools/call")[0].id).await;
    assert_eq!(function.ask(&legacy(Rest, "ping", json!({})).with("authorization", &token)).await.0, 200);
}

#[tokio::test]
async fn what_happened_while_it_stood_still_is_no_concern_of_the_next_call() {
    let (issuer, mut fake) = (Issuer::start().await, FakeTarget::start(Speaks::Sessions));
    let function = function(&config(&issuer, &fake.endpoint(), "")).await;
    let token = bearer(&issuer.token("alice"));
    let call =
        legacy(Rest, "tools/call", json!({"name": "target___echo", "arguments": {}})).with("authorization", &token);
    for _ in 0..3 {
        let (status, called) = function.ask(&call).await;
        assert!(status == 200 && called.contains(r#""result":"#) && !called.contains("isError"), "{called}");
        // Lambda stops the process between two events; meanwhile the target ends all connections and forgets its sessions.
        function.signal(Signal::SIGSTOP);
        fake.restart();
        function.signal(Signal::SIGCONT);
    }
}

#[tokio::test]
async fn an_event_of_something_else_is_an_error_and_no_end() {
    let (issuer, calculator) = (Issuer::start().await, Server::start(Sample::Calculator).await);
    let function = function(&config(&issuer, &calculator.url, "")).await;
    let Came::Error(error) = function.invoke(json!({"Records": [{"eventSource": "aws:sqs"}]})).await else {
        panic!("it answered")
    };
    insta::assert_snapshot!(error, @r#"{"errorType":"BadEvent","errorMessage":"this function answers requests of API Gateway and of function URLs, and the event is none: missing field `requestContext` at line 1 column 39"}"#);
    assert_eq!(function.ask(&legacy(Rest, "ping", json!({}))).await.0, 401);
}

#[tokio::test]
async fn the_config_is_a_file_beside_the_program() {
    let (issuer, calculator) = (Issuer::start().await, Server::start(Sample::Calculator).await);
    let package = tempfile::tempdir().unwrap();
    std::fs::write(package.path().join("config.toml"), config(&issuer, &calculator.url, "")).unwrap();
    let function = Function::start(&[("LAMBDA_TASK_ROOT", package.path().to_str().unwrap())]).await;
    assert_eq!(function.ask(&legacy(Http, "ping", json!({}))).await.0, 401);
}

#[tokio::test]
async fn a_sample_server_may_be_the_function() {
    let function = Function::start(&[("_HANDLER", "sample.calculator")]).await;
    let call = json!({"name": "add_numbers", "arguments": {"a": 2, "b": 3}});
    for asked in [legacy(Rest, "tools/call", call.clone()), modern(Http, "tools/call", call)] {
        let (status, body) = function.ask(&asked).await;
        assert!(status == 200 && body.contains(r#""result":5"#), "{status} {body}");
    }
}

#[tokio::test]
async fn nobody_serves_everyone_by_mistake() {
    let text = "authorizer = \"none\"\n[[targets]]\nname = \"t\"\nhttp.endpoint = \"http://127.0.0.1:1/mcp\"\n";
    let mut function = function(text).await;
    let status = function.process.wait().await.unwrap();
    assert_eq!(status.code(), Some(1));
    let open = format!("{text}\n[gateway]\nlisten = \"0.0.0.0:8080\"\nallow_unauthenticated = true\n");
    let function = Function::start(&[("CAUSEWAY_CONFIG_TOML", &open)]).await;
    assert_eq!(function.ask(&legacy(Rest, "ping", json!({}))).await.0, 200);
}

#[tokio::test]
async fn who_starts_it_by_hand_is_told() {
    let ended = run_with(&["lambda"], &[], "").await;
    assert_eq!(ended.code, Some(2));
    insta::assert_snapshot!(ended.stderr, @"error: it is AWS Lambda that starts this command, and `AWS_LAMBDA_RUNTIME_API` is not set: use `causeway serve` to serve here");
}
