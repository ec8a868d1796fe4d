//! The program as a Lambda function: the Runtime API, as far as a function uses it, and events as API Gateway writes them. Asserts
//! nothing.
//!
//! Source: Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes"; API Gateway Developer Guide, proxy integrations.

use std::{
    collections::HashMap,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use causeway_oidc::clock::Clock;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::{Mutex, mpsc, oneshot},
    time::timeout,
};

use crate::sample::CAUSEWAY;

/// What does not happen within so long does not happen: better a test that says so than one that hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// What Lambda leaves a function for an event, where no test says otherwise.
const DEADLINE: Duration = Duration::from_secs(29);
const PREFIX: &str = "/2018-06-01/runtime/invocation";

/// A function that runs.
pub(crate) struct Function {
    events: mpsc::UnboundedSender<Event>,
    pub(crate) process: Child,
}

/// What came of an event.
#[derive(Debug)]
pub(crate) enum Came {
    /// The document that the function gave.
    Answer(Value),
    /// What the function says why there is none.
    Error(Value),
}

struct Event {
    document: Value,
    within: Duration,
    came: oneshot::Sender<Came>,
}

struct Api {
    events: Mutex<mpsc::UnboundedReceiver<Event>>,
    under_way: Mutex<HashMap<String, oneshot::Sender<Came>>>,
    begun: AtomicUsize,
}

/// Which of API Gateway's formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Rest,
    Http,
}

/// One request, as API Gateway hands it on.
#[derive(Clone, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) format: Format,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: Vec<(&'a str, String)>,
    pub(crate) body: String,
    /// The claims that its authorizer has verified.
    pub(crate) claims: Option<Value>,
}

impl Function {
    /// Starts the program as Lambda does: without arguments.
    pub(crate) async fn start(variables: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (events, waiting) = mpsc::unbounded_channel();
        let api =
            Arc::new(Api { events: Mutex::new(waiting), under_way: Mutex::default(), begun: AtomicUsize::new(0) });
        let router = Router::new()
            .route(&format!("{PREFIX}/next"), get(next))
            .route(&format!("{PREFIX}/{{id}}/response"), post(answered))
            .route(&format!("{PREFIX}/{{id}}/error"), post(failed))
            .with_state(api);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut command = Command::new(CAUSEWAY);
        command.env_clear().kill_on_drop(true).stdin(Stdio::null());
        let of_lambda = [
            ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "causeway"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("_HANDLER", "bootstrap"),
        ];
        command.envs(of_lambda).envs(variables.iter().copied());
        Self { events, process: command.spawn().unwrap() }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = self.process.id().expect("it runs");
        kill(Pid::from_raw(i32::try_from(id).unwrap()), signal).unwrap();
    }

    /// What comes of `document`.
    pub(crate) async fn invoke(&self, document: Value) -> Came {
        self.invoke_within(document, DEADLINE).await
    }

    /// The same where Lambda leaves so much time.
    pub(crate) async fn invoke_within(&self, document: Value, within: Duration) -> Came {
        let (came, comes) = oneshot::channel();
        assert!(self.events.send(Event { document, within, came }).is_ok(), "the Runtime API runs");
        timeout(PATIENCE, comes).await.expect("the function answers").unwrap()
    }

    /// The status and the body of the answer to `asked`, which is no event stream.
    pub(crate) async fn ask(&self, asked: &Asked<'_>) -> (u16, String) {
        let (status, _, body) = self.ask_whole(asked).await;
        (status, body)
    }

    /// The same with the headers.
    pub(crate) async fn ask_whole(&self, asked: &Asked<'_>) -> (u16, Value, String) {
        let Came::Answer(answer) = self.invoke(asked.document()).await else { panic!("an error for {asked:?}") };
        let headers = match asked.format {
            Format::Rest => &answer["multiValueHeaders"],
            Format::Http => &answer["headers"],
        };
        assert!(!headers.to_string().contains("event-stream"), "{answer}");
        let status = answer["statusCode"].as_u64().unwrap();
        (u16::try_from(status).unwrap(), headers.clone(), answer["body"].as_str().unwrap().to_owned())
    }
}

impl Asked<'_> {
    /// A message for `/mcp`, of a client that takes both JSON and events.
    pub(crate) fn message(format: Format, body: Value) -> Self {
        let headers = [("content-type", "application/json"), ("accept", "application/json, text/event-stream")];
        let headers = headers.map(|(name, value)| (name, value.to_owned())).to_vec();
        Self { format, method: "POST", path: "/mcp", headers, body: body.to_string(), claims: None }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// As API Gateway writes it, with all that it says beside.
    pub(crate) fn document(&self) -> Value {
        match self.format {
            Format::Rest => self.rest(),
            Format::Http => self.http(),
        }
    }

    fn rest(&self) -> Value {
        let mut single = json!({"Host": "abc123.execute-api.us-east-1.amazonaws.com", "X-Forwarded-Proto": "https"});
        let mut several =
            json!({"Host": ["abc123.execute-api.us-east-1.amazonaws.com"], "X-Forwarded-Proto": ["https"]});
        for (name, value) in &self.headers {
            single[name] = value.clone().into();
            match several.get_mut(name).and_then(Value::as_array_mut) {
                Some(values) => values.push(value.clone().into()),
                None => several[name] = json!([value]),
            }
        }
        json!({
            "resource": "/{proxy+}", "path": self.path, "httpMethod": self.method,
            "headers": single, "multiValueHeaders": several,
            "queryStringParameters": null, "multiValueQueryStringParameters": null,
            "pathParameters": {"proxy": self.path.trim_start_matches('/')}, "stageVariables": null,
            "requestContext": {
                "resourceId": "2gxmpl", "resourcePath": "/{proxy+}", "httpMethod": self.method,
                "extendedRequestId": "JJbxmplHYosFVYQ=", "requestTime": "10/Mar/2020:00:03:59 +0000",
                "path": format!("/prod{}", self.path), "accountId": "123456789012", "protocol": "HTTP/1.1", "stage": "prod",
                "domainPrefix": "abc123", "requestTimeEpoch": 1_583_798_639_428_u64,
                "requestId": "77375676-xmpl-4b79-853a-f982474efe18",
                "identity": {"cognitoIdentityPoolId": null, "accountId": null, "sourceIp": "52.255.255.12", "userAgent": "agent", "user": null},
                "domainName": "abc123.execute-api.us-east-1.amazonaws.com", "apiId": "abc123",
                "authorizer": self.claims.as_ref().map(|claims| json!({"claims": texts(claims)})),
            },
            "body": self.body, "isBase64Encoded": false,
        })
    }

    fn http(&self) -> Value {
        let mut headers: serde_json::Map<String, Value> = serde_json::Map::new();
        headers.insert("host".into(), "abc123.execute-api.us-east-1.amazonaws.com".into());
        for (name, value) in &self.headers {
            let before = headers.get(*name).and_then(Value::as_str).map(|before| [before, ","].concat());
            headers.insert((*name).to_owned(), [&before.unwrap_or_default(), value.as_str()].concat().into());
        }
        json!({
            "version": "2.0", "routeKey": "$default", "rawPath": format!("/prod{}", self.path), "rawQueryString": "",
            "headers": headers,
            "requestContext": {
                "accountId": "123456789012", "apiId": "abc123", "domainPrefix": "abc123", "stage": "prod", "routeKey": "$default",
                "domainName": "abc123.execute-api.us-east-1.amazonaws.com", "requestId": "JKJaXmPLvHcESHA=",
                "http": {"method": self.method, "path": format!("/prod{}", self.path), "protocol": "HTTP/1.1", "sourceIp": "205.255.255.176", "userAgent": "agent"},
                "time": "10/Mar/2020:05:16:23 +0000", "timeEpoch": 1_583_817_383_220_u64,
                "authorizer": self.claims.as_ref().map(|claims| json!({"jwt": {"claims": texts(claims), "scopes": ["gateway/call"]}})),
            },
            "body": self.body, "isBase64Encoded": false,
        })
    }
}

/// API Gateway passes claims on as texts, whatever they were.
fn texts(claims: &Value) -> Value {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    claims.as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

async fn next(State(api): State<Arc<Api>>) -> Response {
    let Some(event) = api.events.lock().await.recv().await else { return StatusCode::GONE.into_response() };
    let deadline = Clock::system().now() + event.within;
    let id = api.begin(event.came).await;
    let headers = [
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:causeway".into()),
        ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0".into()),
        ("content-type", "application/json".into()),
    ];
    (headers, event.document.to_string()).into_response()
}

async fn answered(State(api): State<Arc<Api>>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    api.end(&id, Came::Answer(serde_json::from_slice(&body).unwrap())).await
}

async fn failed(State(api): State<Arc<Api>>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    api.end(&id, Came::Error(serde_json::from_slice(&body).unwrap())).await
}

impl Api {
    /// Gives the event that `came` waits for an id.
    async fn begin(&self, came: oneshot::Sender<Came>) -> String {
        let id = format!("event-{}", self.begun.fetch_add(1, Ordering::Relaxed));
        self.under_way.lock().await.insert(id.clone(), came);
        id
    }

    async fn end(&self, id: &str, came: Came) -> StatusCode {
        let waiting = self.under_way.lock().await.remove(id).expect("an event that is under way");
        let _ = waiting.send(came);
        StatusCode::ACCEPTED
    }
}
