//! A stand-in for CloudWatch Logs that counts requests and answers as a test scripts it: states of a query, refusals,
//! throttling. That real requests are understood is shown against an emulator of AWS, not here.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};

/// A request that was made: operation and parameters.
pub(crate) type Request = (String, Value);

/// The fake service. Every answer but the last of an operation is given once.
pub(crate) struct FakeLogs {
    pub(crate) url: String,
    requests: watch::Receiver<Vec<Request>>,
    script: Arc<Script>,
}

struct Script {
    answers: Mutex<HashMap<String, VecDeque<Answer>>>,
    requests: watch::Sender<Vec<Request>>,
    authorizations: Mutex<Vec<String>>,
}

/// In place of a status: the request is never answered.
pub(crate) const SILENCE: u16 = 0;

/// HTTP status and body.
pub(crate) type Answer = (u16, Value);

impl FakeLogs {
    pub(crate) async fn start(script: &[(&str, Answer)]) -> Self {
        let mut answers: HashMap<String, VecDeque<Answer>> = HashMap::new();
        for (operation, answer) in script {
            answers.entry((*operation).to_owned()).or_default().push_back(answer.clone());
        }
        let (sender, requests) = watch::channel(Vec::new());
        let script =
            Arc::new(Script { answers: Mutex::new(answers), requests: sender, authorizations: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, requests, script }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.borrow().clone()
    }

    pub(crate) fn operations(&self) -> Vec<String> {
        self.requests.borrow().iter().map(|(operation, _)| operation.clone()).collect()
    }

    /// The header `authorization` of each request.
    pub(crate) fn authorizations(&self) -> Vec<String> {
        self.script.authorizations.lock().unwrap().clone()
    }

    /// Waits until `operation` has been asked for.
    pub(crate) async fn asked(&self, operation: &str) {
        let mut requests = self.requests.clone();
        requests.wait_for(|requests| requests.iter().any(|(name, _)| name == operation)).await.unwrap();
    }
}

async fn answer(State(script): State<Arc<Script>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let target = headers.get("x-amz-target").map_or("?", |target| target.to_str().unwrap());
    let authorization = headers.get("authorization").map_or("", |value| value.to_str().unwrap());
    script.authorizations.lock().unwrap().push(authorization.to_owned());
    let operation = target.rsplit('.').next().unwrap().to_owned();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    script.requests.send_modify(|requests| requests.push((operation.clone(), body)));
    let (status, body) = {
        let mut answers = script.answers.lock().unwrap();
        match answers.get_mut(&operation) {
            Some(queue) if queue.len() > 1 => queue.pop_front().unwrap(),
            Some(queue) => queue[0].clone(),
            None => refusal("UnknownOperationException", "not in the script"),
        }
    };
    if status == SILENCE {
        return std::future::pending().await;
    }
    let response = Response::builder().status(status).header("content-type", "application/x-amz-json-1.1");
    response.body(Body::from(body.to_string())).unwrap()
}

pub(crate) fn started() -> Answer {
    (200, json!({"queryId": "q-1"}))
}

pub(crate) fn state(status: &str) -> Answer {
    (200, json!({"status": status, "results": []}))
}

pub(crate) fn complete(rows: &[&[(&str, &str)]]) -> Answer {
    let cell = |(field, value): &(&str, &str)| json!({"field": field, "value": value});
    let rows: Vec<Value> = rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    let statistics = json!({"recordsMatched": 2.0, "recordsScanned": 1000.0, "bytesScanned": 65_536.0});
    (200, json!({"status": "Complete", "results": rows, "statistics": statistics}))
}

pub(crate) fn refusal(code: &str, message: &str) -> Answer {
    (400, json!({"__type": code, "message": message}))
}
