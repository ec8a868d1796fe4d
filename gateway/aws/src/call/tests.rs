//! What is retried and what is not, over real sockets. What AWS itself thinks of these calls is asked in `interop/aws`.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, future},
};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::request::Parts,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket};

use super::*;

/// Answers each call with the next of its answers and remembers what was asked.
#[derive(Clone, Default)]
struct Scripted(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    answers: VecDeque<(u16, &'static str, &'static str)>,
    seen: Vec<(Parts, Bytes)>,
}

/// Another access key each time.
#[derive(Debug, Default)]
struct Rotating(Mutex<u32>);

impl ProvideCredentials for Rotating {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let mut count = self.0.lock().unwrap();
        *count += 1;
        future::ProvideCredentials::ready(Ok(Credentials::new(format!("KEY{count}"), "secret", None, None, "test")))
    }
}

impl Scripted {
    async fn start(answers: &[(u16, &'static str, &'static str)]) -> (Self, Aws) {
        let service = Self::default();
        service.0.lock().unwrap().answers = answers.iter().copied().collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/base", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(service.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (service, aws(url))
    }

    fn seen(&self) -> Vec<(Parts, Bytes)> {
        self.0.lock().unwrap().seen.clone()
    }
}

async fn answer(State(service): State<Scripted>, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let mut script = service.0.lock().unwrap();
    script.seen.push((parts, body));
    let (status, kind, body) = script.answers.pop_front().expect("a call more than the test foresees");
    let status = StatusCode::from_u16(status).unwrap();
    if kind.is_empty() {
        (status, body).into_response()
    } else {
        (status, [("x-amzn-errortype", kind)], body).into_response()
    }
}

fn aws(url: String) -> Aws {
    let clock = Clock::from_fn(|| Duration::from_secs(1_700_000_000));
    let identity = Identity::from_provider(Rotating::default(), Some("eu-west-1".to_owned()), clock.clone());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    Aws::new(http, identity, Endpoints::new(move |name| (name == "AWS_ENDPOINT_URL").then(|| url.clone())), clock)
}

/// How `operation` ends, and how many requests it took.
async fn outcome(operation: &str, answers: &[(u16, &'static str, &'static str)]) -> (String, usize) {
    let (service, aws) = Scripted::start(answers).await;
    let result: Result<Value, _> = aws.api(Service::SSM, None).json(operation, &json!({})).await;
    let text = result.map_or_else(|error| error.to_string(), |value| value.to_string());
    let port = service.seen()[0].0.headers["host"].to_str().unwrap().to_owned();
    (text.replace(&port, "HOST"), service.seen().len())
}

#[tokio::test]
async fn json_calls_are_posts_with_a_target() {
    let (service, aws) = Scripted::start(&[(200, "", r#"{"a":1}"#)]).await;
    let input = json!({"Name": "n"});
    let answer: Value = aws.api(Service::SSM, Some("us-east-2")).json("GetParameter", &input).await.unwrap();
    assert_eq!(answer, json!({"a": 1}));
    let (parts, body) = &service.seen()[0];
    assert_eq!((parts.method.as_str(), parts.uri.path(), &body[..]), ("POST", "/base", &br#"{"Name":"n"}"#[..]));
    assert_eq!(parts.headers["x-amz-target"], "AmazonSSM.GetParameter");
    assert_eq!(parts.headers["content-type"], "application/x-amz-json-1.1");
    let authorization = parts.headers["authorization"].to_str().unwrap();
    assert!(authorization.contains("KEY1/20231114/us-east-2/ssm/aws4_request"), "{authorization}");
}

#[tokio::test]
async fn rest_calls_have_their_path_and_no_body_of_their_own() {
    let (service, aws) = Scripted::start(&[(200, "", "")]).await;
    let api = aws.api(Service::BEDROCK_AGENTCORE_CONTROL, None);
    let path = format!("/gateways/{}/targets/?maxResults=2&nextToken={}", label("arn:a/b"), label("a+b="));
    let answer: Value = api.rest("ListGatewayTargets", Method::GET, &path, None::<&()>).await.unwrap();
    assert_eq!(answer, json!({}));
    let (parts, body) = &service.seen()[0];
    let expected = "/base/gateways/arn%3Aa%2Fb/targets/?maxResults=2&nextToken=a%2Bb%3D";
    assert_eq!((parts.uri.to_string().as_str(), body.len()), (expected, 0));
    let authorization = parts.headers["authorization"].to_str().unwrap();
    assert!(authorization.contains("/eu-west-1/bedrock-agentcore/aws4_request"), "{authorization}");
}

#[tokio::test]
async fn faults_that_may_pass_are_retried_for_reads() {
    let good = (200, "", "{}");
    assert_eq!(outcome("GetX", &[(500, "InternalServerError", ""), (502, "", "<html>"), good]).await, ("{}".into(), 3));
    let (error, calls) = outcome("GetX", &[(503, "Down", ""); 3]).await;
    assert_eq!((error.as_str(), calls), ("`GetX` was refused by AWS with `Down` (503 Service Unavailable): ", 3));
    let (error, calls) = outcome("PutX", &[(503, "Down", "")]).await;
    assert_eq!((error.as_str(), calls), ("`PutX` was refused by AWS with `Down` (503 Service Unavailable): ", 1));
}

#[tokio::test]
async fn throttled_calls_are_retried_whatever_they_do() {
    let body = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
    assert_eq!(outcome("PutX", &[(400, "", body), (429, "", ""), (200, "", "{}")]).await, ("{}".into(), 3));
}

#[tokio::test]
async fn refusals_are_told_at_once() {
    let body = r#"{"__type":"ParameterNotFound","message":"no such parameter"}"#;
    let expected = "`GetX` was refused by AWS with `ParameterNotFound` (400 Bad Request): no such parameter";
    assert_eq!(outcome("GetX", &[(400, "", body)]).await, (expected.into(), 1));
    let expected =
        "`GetX` got 404 Not Found from `http://HOST/base`, but no answer that it knows: check that it is AWS";
    assert_eq!(outcome("GetX", &[(404, "", "not here")]).await, (expected.into(), 1));
    let expected = "`GetX` got 200 OK from `http://HOST/base`, but no answer that it knows: check that it is AWS";
    assert_eq!(outcome("GetX", &[(200, "", "<html>")]).await, (expected.into(), 1));
}

#[tokio::test]
async fn refused_credentials_are_read_again_once() {
    let stale = (400, "ExpiredTokenException", r#"{"message":"expired"}"#);
    let (service, aws) = Scripted::start(&[stale, (200, "", "{}"), stale]).await;
    let api = aws.api(Service::SSM, None);
    api.json::<Value>("PutX", &json!({})).await.unwrap();
    let keys: Vec<_> = service.seen().iter().map(|(parts, _)| parts.headers["authorization"].clone()).collect();
    let key = |at: usize| keys[at].to_str().unwrap().split(['=', '/']).nth(1).unwrap();
    assert_eq!((key(0), key(1)), ("KEY1", "KEY2"));
    let error = api.json::<Value>("PutX", &json!({})).await.unwrap_err();
    assert_eq!(error.code(), Some("ExpiredTokenException"));
    assert_eq!(service.seen().len(), 3, "not again so soon");
}

#[tokio::test]
async fn nobody_there_is_said_with_the_url() {
    // Nobody listens, and the port is nobody else's.
    let port = TcpSocket::new_v4().unwrap();
    port.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/", port.local_addr().unwrap());
    let error = aws(url.clone()).api(Service::SSM, None).json::<Value>("PutX", &json!({})).await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with(&format!("`PutX` cannot reach `{url}` (")), "{text}");
}
