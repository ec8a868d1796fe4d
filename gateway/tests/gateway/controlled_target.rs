//! A modern target whose calls the test holds back and lets go: for what happens while a call is under way. Everything
//! that needs no such control is tested against real servers.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use causeway::config::Target;
use causeway_core::{
    era,
    wire::{Envelope, ObjectEdit, error_message, json, result_message, sse},
};
use futures::{StreamExt, stream};
use http::header::CONTENT_TYPE;
use tokio::{net::TcpListener, sync::Semaphore};

use crate::harness::http_target;

/// A running target with the tools `echo`, which answers with the arguments as they came, `wait`, which answers once it
/// is let go, `watch`, which reports once and then does the same, and `progress`, which reports twice before it answers.
pub(crate) struct ControlledTarget {
    url: String,
    shared: Arc<Shared>,
}

struct Shared {
    /// One for each call of `wait` or `watch` that has arrived and was not asked about.
    arrived: Semaphore,
    /// One for each of them that may answer.
    released: Semaphore,
    /// One for each `tools/list` that may be answered.
    listing: Semaphore,
    /// The parameters of calls, as they came.
    seen: Mutex<Vec<String>>,
}

impl ControlledTarget {
    pub(crate) async fn start() -> Self {
        let target = Self::that_holds_its_list().await;
        target.let_list();
        target
    }

    /// It answers no `tools/list` until [`ControlledTarget::let_list`].
    pub(crate) async fn that_holds_its_list() -> Self {
        let closed = || Semaphore::new(0);
        let shared =
            Arc::new(Shared { arrived: closed(), released: closed(), listing: closed(), seen: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let router = Router::new().route("/mcp", post(answer)).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// It as a target named `name`.
    pub(crate) fn target(&self, name: &str) -> Target {
        http_target(name, &self.url)
    }

    /// From now on it answers `tools/list`.
    pub(crate) fn let_list(&self) {
        self.shared.listing.add_permits(Semaphore::MAX_PERMITS);
    }

    /// Waits for the next call of `wait` or `watch`.
    pub(crate) async fn arrival(&self) {
        self.shared.arrived.acquire().await.unwrap().forget();
    }

    /// Lets one of them answer.
    pub(crate) fn release(&self) {
        self.shared.released.add_permits(1);
    }

    /// The parameters of the calls so far, as they came.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().clone()
    }
}

async fn answer(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let message = Envelope::parse(body).unwrap();
    let id = message.id().unwrap_or("null");
    let params = message.params().unwrap_or("{}");
    match message.method() {
        "server/discover" => {
            let versions = json(&[era::MODERN]);
            let result = format!(
                r#"{{"resultType":"complete","supportedVersions":{versions},"capabilities":{{"tools":{{}}}},"ttlMs":0,"cacheScope":"public"}}"#
            );
            one(result_message(id, &result))
        }
        "tools/list" => {
            shared.listing.acquire().await.unwrap().forget();
            one(result_message(id, LIST))
        }
        "tools/call" => {
            shared.seen.lock().unwrap().push(params.to_owned());
            call(&shared, id, params).await
        }
        method => one(error_message(id, -32601, method, None)),
    }
}

const LIST: &str = r#"{"resultType":"complete","tools":[{"name":"echo","inputSchema":{"type":"object"}},{"name":"wait","inputSchema":{"type":"object"}},{"name":"watch","inputSchema":{"type":"object"}},{"name":"progress","inputSchema":{"type":"object"}}],"ttlMs":0,"cacheScope":"public"}"#;

async fn call(shared: &Arc<Shared>, id: &str, params: &str) -> Response {
    let edit = ObjectEdit::parse(params).unwrap();
    let token = edit.get("_meta").and_then(|meta| ObjectEdit::parse(meta).unwrap().get("progressToken"));
    let step = |step| progress(token.unwrap_or("null"), step);
    match edit.get("name") {
        Some(r#""wait""#) => {
            shared.wait().await;
            one(result_message(id, &text("waited")))
        }
        Some(r#""watch""#) => {
            let (shared, answer) = (shared.clone(), sse::encode(&result_message(id, &text("waited"))));
            let last = stream::once(async move {
                shared.wait().await;
                answer
            });
            let events = stream::iter([step(1)]).chain(last).map(Ok::<_, Infallible>);
            ([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response()
        }
        Some(r#""progress""#) => {
            let last = sse::encode(&result_message(id, &text("done")));
            ([(CONTENT_TYPE, "text/event-stream")], [step(1), step(2), last].concat()).into_response()
        }
        Some(r#""echo""#) => {
            let arguments = edit.get("arguments").unwrap_or("null");
            one(result_message(id, &format!(r#"{{"resultType":"complete","content":[],"echo":{arguments}}}"#)))
        }
        _ => one(error_message(id, -32602, "Unknown tool", None)),
    }
}

impl Shared {
    async fn wait(&self) {
        self.arrived.add_permits(1);
        self.released.acquire().await.unwrap().forget();
    }
}

/// One event that says so.
fn progress(token: &str, step: u8) -> String {
    sse::encode(&format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":{step}}}}}"#
    ))
}

fn text(text: &str) -> String {
    format!(r#"{{"resultType":"complete","content":[{{"type":"text","text":{}}}]}}"#, json(&text))
}

fn one(message: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], message).into_response()
}
