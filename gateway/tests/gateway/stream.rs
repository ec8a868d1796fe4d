//! An answer of the gateway that a test reads message by message, while it can still act on what it read. Asserts nothing
//! but that the gateway goes on.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use causeway_core::wire::sse::Decoder;
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use tokio::time::timeout;

/// What does not happen within so long does not happen: better a test that says so than one that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A response whose body is read as it comes. Dropped, its connection closes.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Incoming,
    /// Absent for a body that is one JSON message.
    decoder: Option<Decoder>,
    ready: VecDeque<Value>,
    ended: bool,
}

impl Stream {
    pub(crate) fn new(response: http::Response<Incoming>) -> Self {
        let (parts, body) = response.into_parts();
        let kind = parts.headers.get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap());
        let decoder = (kind == Some("text/event-stream")).then(|| Decoder::new(usize::MAX));
        let (status, headers, ready) = (parts.status, parts.headers, VecDeque::new());
        Self { status, headers, body, decoder, ready, ended: false }
    }

    /// Whether it is an event stream.
    pub(crate) fn is_events(&self) -> bool {
        self.decoder.is_some()
    }

    /// The next message, which must come.
    pub(crate) async fn next(&mut self) -> Value {
        self.try_next().await.expect("another message comes")
    }

    /// The next message; `None` at the end of the body.
    pub(crate) async fn try_next(&mut self) -> Option<Value> {
        let read = timeout(PATIENCE, self.read()).await;
        read.unwrap_or_else(|_| panic!("no message comes, and the stream does not end"))
    }

    /// The messages from here to the end.
    pub(crate) async fn rest(mut self) -> Vec<Value> {
        let mut rest = Vec::new();
        while let Some(message) = self.try_next().await {
            rest.push(message);
        }
        rest
    }

    /// The next bytes of the body as they are, or how it breaks off; `None` at its end.
    pub(crate) async fn part(&mut self) -> Option<Result<Bytes, hyper::Error>> {
        let frame = timeout(PATIENCE, self.body.frame()).await.expect("more comes, or the body ends");
        frame.map(|frame| frame.map(|frame| frame.into_data().unwrap_or_default()))
    }

    async fn read(&mut self) -> Option<Value> {
        let mut whole = Vec::new();
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Some(message);
            }
            if self.ended {
                return None;
            }
            match self.body.frame().await {
                Some(frame) => {
                    let data = frame.expect("the body does not break off").into_data().unwrap_or_default();
                    match &mut self.decoder {
                        Some(decoder) => decoder.push(&data).unwrap(),
                        None => whole.extend_from_slice(&data),
                    }
                }
                None => self.ended = true,
            }
            match &mut self.decoder {
                Some(decoder) => self.ready.extend(events(decoder)),
                None if self.ended && !whole.is_empty() => self.ready.extend(serde_json::from_slice::<Value>(&whole)),
                None => (),
            }
        }
    }
}

fn events(decoder: &mut Decoder) -> impl Iterator<Item = Value> {
    std::iter::from_fn(|| decoder.next_event()).map(|event| serde_json::from_str(&event.data).unwrap())
}
