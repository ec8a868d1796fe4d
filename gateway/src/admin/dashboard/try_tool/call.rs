//! A call of a tool, made in this process as a client of MCP 2026-07-28 would make it over HTTP: through the front, recorded like any
//! other. Shows nothing.
//!
//! Source: MCP 2026-07-28, basic/transports/streamable-http; basic/patterns/mrtr.

use std::{pin::Pin, sync::Arc};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use causeway_core::{
    catalog::Kind,
    era::{self, headers},
    wire::{Envelope, json, request_message, sse::Decoder},
};
use futures::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use http_body_util::{BodyExt, Limited};

use crate::{admin::Admin, calls, front::Post, inbound::Caller};

/// What the record of such a call says in place of the path that clients call.
const ENDPOINT: &str = "/tools";

/// One call, not made yet.
#[derive(Clone, Debug)]
pub(super) struct Try {
    tool: String,
    /// JSON text.
    arguments: String,
    /// Members of the parameters that a retry has, each with a comma before it.
    brought: String,
}

/// What is heard of a call.
#[derive(Clone, Debug)]
pub(super) enum Message {
    /// A notification on the way.
    Note(Envelope),
    /// The answer: a result or an error. Nothing follows.
    Answer(Envelope),
    /// There was no answer, because of this. Nothing follows.
    Nothing(String),
}

type Messages = Pin<Box<dyn Stream<Item = Message> + Send>>;

impl Try {
    /// A call of `tool` with `arguments`, a JSON text.
    pub(super) fn new(tool: &str, arguments: String) -> Self {
        Self { tool: tool.to_owned(), arguments, brought: String::new() }
    }

    /// It brings answers (JSON text) to what the tool asked, under the state (JSON text) that came with the questions.
    pub(super) fn brings(&mut self, answers: String, state: Option<&str>) {
        let state = state.map(|state| format!(r#","requestState":{state}"#)).unwrap_or_default();
        self.brought = format!(r#","inputResponses":{answers}{state}"#);
    }

    /// All that is heard of it, as it comes. Dropped, it is cancelled.
    pub(super) fn messages(self, admin: &Arc<Admin>, caller: &Arc<Caller>) -> Messages {
        let (admin, caller) = (Arc::clone(admin), Arc::clone(caller));
        Box::pin(stream::once(async move { self.begin(&admin, caller).await }).flatten())
    }

    async fn begin(self, admin: &Admin, caller: Arc<Caller>) -> Messages {
        let (served, limit) = (&admin.served, admin.served.limits.response_bytes);
        let body = self.body();
        let post = Post { caller, headers: self.headers(admin), body, in_pieces: false, passed_on: false };
        let call = match served.calls.begin(&post.headers, ENDPOINT.into()) {
            Ok(call) => call,
            Err(unaudited) => return Box::pin(stream::iter([Message::Nothing(unaudited.to_string())])),
        };
        let answer = async {
            calls::note(|call| call.took(&post.body));
            calls::note(|call| call.called_by(&post.caller));
            served.gateway.front.answer(post).await
        };
        read(call.watch(answer).await, limit).await
    }

    fn body(&self) -> Bytes {
        let Self { tool, arguments, brought } = self;
        let meta = format!(
            r#"{{"{}":"{}","{}":{{"name":"causeway-dashboard","version":"{}"}},"{}":{{"elicitation":{{"form":{{}},"url":{{}}}}}},"{}":"debug","progressToken":"dashboard"}}"#,
            era::META_VERSION,
            era::MODERN,
            era::META_CLIENT_INFO,
            env!("CARGO_PKG_VERSION"),
            era::META_CAPABILITIES,
            era::META_LOG_LEVEL,
        );
        let params = format!(r#"{{"name":{},"arguments":{arguments}{brought},"_meta":{meta}}}"#, json(tool));
        request_message("\"dashboard\"", "tools/call", &params).into()
    }

    /// Those that every client sends, and those that repeat arguments where the tool wants it.
    fn headers(&self, admin: &Admin) -> HeaderMap {
        let view = admin.served.gateway.front.gateway.view();
        let route = view.catalog.route(Kind::Tools, &self.tool).ok();
        let repeated = route.map(|route| route.first().header_params.headers(&self.arguments)).unwrap_or_default();
        let named = headers::encode(&self.tool).into_owned();
        let fixed = [
            (header::CONTENT_TYPE.as_str(), "application/json"),
            (header::ACCEPT.as_str(), "application/json, text/event-stream"),
            (headers::VERSION, era::MODERN),
            (headers::METHOD, "tools/call"),
            (headers::NAME, &named),
        ];
        let fixed = fixed.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let lines = fixed
            .into_iter()
            .chain(repeated)
            .filter_map(|(name, value)| Some((name.parse::<HeaderName>().ok()?, HeaderValue::from_str(&value).ok()?)));
        lines.collect()
    }
}

/// The messages of a response, which is one message or a stream of them.
async fn read(response: Response, limit: usize) -> Messages {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("text/event-stream") {
        return events(response.into_body(), limit);
    }
    let status = response.status();
    let body = Limited::new(response.into_body(), limit).collect().await;
    let message = match body.map(|body| Envelope::parse(body.to_bytes())) {
        Ok(Ok(envelope)) => Message::Answer(envelope),
        Ok(Err(_)) => Message::Nothing(format!("the gateway answered HTTP {status} without a message")),
        Err(_) => Message::Nothing(format!("the answer broke off, or is longer than {limit} bytes")),
    };
    Box::pin(stream::iter([message]))
}

fn events(body: Body, limit: usize) -> Messages {
    let reading = Some((body.into_data_stream(), Decoder::new(limit)));
    Box::pin(stream::unfold(reading, |reading| async move {
        let (mut chunks, mut decoder) = reading?;
        loop {
            if let Some(event) = decoder.next_event() {
                let Ok(envelope) = Envelope::parse(event.data.into()) else { continue };
                if !envelope.method().is_empty() {
                    return Some((Message::Note(envelope), Some((chunks, decoder))));
                }
                // Left before its end, it would count as given up.
                while chunks.next().await.is_some() {}
                return Some((Message::Answer(envelope), None));
            }
            let read = match chunks.next().await {
                Some(Ok(chunk)) => decoder.push(&chunk).map_err(|error| error.to_string()),
                _ => Err("the answer broke off".to_owned()),
            };
            if let Err(why) = read {
                return Some((Message::Nothing(why), None));
            }
        }
    }))
}
