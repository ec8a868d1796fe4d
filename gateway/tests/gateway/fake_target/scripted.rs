//! What a script answers with: messages, bodies, event streams, and the ways in which they break. Serves nothing.

use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use bytes::Bytes;
use causeway_core::wire::ObjectEdit;
use futures::{
    Stream, StreamExt,
    channel::mpsc::{UnboundedSender, unbounded},
    stream,
};

/// The progress token of a call, JSON text.
pub(crate) fn progress_token(params: &str) -> Option<String> {
    let params = ObjectEdit::parse(params).unwrap();
    ObjectEdit::parse(params.get("_meta")?).unwrap().get("progressToken").map(ToOwned::to_owned)
}

pub(crate) fn progress_message(token: &str, step: usize) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":{step},"v":1e400}}}}"#
    )
}

pub(crate) fn success(id: &str, result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
}

pub(crate) fn json(code: u16, body: impl Into<Body>) -> Response<Body> {
    typed(code, "application/json", body)
}

pub(crate) fn typed(code: u16, kind: &str, body: impl Into<Body>) -> Response<Body> {
    Response::builder().status(code).header("content-type", kind).body(body.into()).unwrap()
}

pub(crate) fn status(code: u16) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response
}

pub(crate) fn error(code: u16, id: &str, rpc: i64, text: &str) -> Response<Body> {
    json(code, format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{rpc},"message":"{text}"}}}}"#))
}

/// An event stream of these messages; an error among them breaks the connection off.
pub(crate) fn events(
    messages: impl IntoIterator<Item = std::io::Result<String>, IntoIter: Send + 'static>,
) -> Response<Body> {
    event_stream(stream::iter(messages))
}

/// The same, from a stream that may wait.
pub(crate) fn event_stream(messages: impl Stream<Item = std::io::Result<String>> + Send + 'static) -> Response<Body> {
    let lines = messages.map(|message| {
        message.map(|text| {
            let data: String = text.split('\n').map(|line| format!("data: {line}\n")).collect();
            Bytes::from(format!("event: message\n{data}\n"))
        })
    });
    typed(200, "text/event-stream", Body::from_stream(lines))
}

/// A stream that a test writes while it is read, event by event. It ends when the sender is dropped.
pub(crate) fn written() -> (UnboundedSender<String>, Response<Body>) {
    let (sender, events) = unbounded();
    let body = Body::from_stream(events.map(|event: String| Ok::<_, std::io::Error>(Bytes::from(event))));
    (sender, typed(200, "text/event-stream", body))
}

/// One event with this message; with an id, a reader can come back for what follows it.
pub(crate) fn event(id: Option<&str>, message: &str) -> String {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!("{id}data: {message}\n\n")
}

/// What a connection that breaks looks like in a stream.
pub(crate) fn broken<T>() -> std::io::Result<T> {
    Err(std::io::Error::other("the script breaks the connection"))
}

/// An answer that never comes.
pub(crate) async fn hang() -> Response<Body> {
    std::future::pending().await
}
