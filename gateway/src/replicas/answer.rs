//! What one replica answers another: first that it has begun, as a head on the wire before anything is done, so that whoever gets no
//! head knows that nothing was; then one line with status and headers of the client's answer, and then its body as it comes.

use axum::{
    body::{Body, BodyDataStream},
    response::Response,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::{Bytes, BytesMut};
use causeway_core::wire::sse;
use futures::{StreamExt, stream};
use http::{HeaderName, HeaderValue, StatusCode, header};
use memchr::memchr;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

/// Stands on the answer of a replica that has begun.
pub(super) const BEGUN: HeaderName = HeaderName::from_static("x-causeway-begun");
/// Bytes of the line with status and headers: the gateway's own headers are few.
const MOST: usize = 64 * 1024;

#[derive(Deserialize, Serialize)]
struct Head {
    #[serde(rename = "s")]
    status: u16,
    /// Values in Base64.
    #[serde(rename = "h")]
    headers: Vec<(String, String)>,
}

/// The body of another replica's answer, after its first line.
struct Rest<F> {
    body: BodyDataStream,
    /// What a stream of events ends with where it breaks off.
    broken: Option<String>,
    /// Told if it does.
    broke_off: Option<F>,
    /// How the bytes so far end.
    last: [u8; 2],
    /// Set when this replica has no more time for it.
    closing: CancellationToken,
}

/// The answer to another replica that carries what `answer` gives. Nothing of that is done before the head is on its way.
pub(crate) fn begun(answer: impl Future<Output = Response> + Send + 'static) -> Response {
    let first = async {
        // The server writes what it has once the body has nothing to give.
        tokio::task::yield_now().await;
        let (parts, body) = answer.await.into_parts();
        let headers = parts.headers.iter();
        let headers = headers.map(|(name, value)| (name.to_string(), URL_SAFE_NO_PAD.encode(value.as_bytes())));
        let head = Head { status: parts.status.as_u16(), headers: headers.collect() };
        let mut line = serde_json::to_string(&head).expect("numbers and texts serialize");
        line.push('\n');
        stream::iter([Ok(Bytes::from(line))]).chain(body.into_data_stream())
    };
    let mut response = Response::new(Body::from_stream(stream::once(first).flatten()));
    response.headers_mut().insert(BEGUN, HeaderValue::from_static("1"));
    response
}

/// The answer for the client that `begun`, a replica's, carries; `None` where that breaks off before it says anything. `broken` ends
/// a stream of events that breaks off, or that has no more time (`closing`), and `broke_off` is told of either but the last.
pub(super) async fn received(
    begun: reqwest::Response,
    broken: String,
    closing: CancellationToken,
    broke_off: impl FnOnce() + Send + 'static,
) -> Option<Response> {
    let mut body = Body::new(reqwest::Body::from(begun)).into_data_stream();
    let mut read = BytesMut::new();
    let end = loop {
        if let Some(end) = memchr(b'\n', &read) {
            break end;
        }
        if read.len() > MOST {
            return None;
        }
        let piece = tokio::select! {
            piece = body.next() => piece,
            () = closing.cancelled() => None,
        };
        read.extend_from_slice(&piece?.ok()?);
    };
    let line = read.split_to(end + 1);
    let head: Head = serde_json::from_slice(&line[..end]).ok()?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(head.status).ok()?;
    for (name, value) in head.headers {
        let value = HeaderValue::from_bytes(&URL_SAFE_NO_PAD.decode(value).ok()?).ok()?;
        response.headers_mut().append(name.parse::<HeaderName>().ok()?, value);
    }
    let events = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
    let first = read.freeze();
    let broken = events.then_some(broken);
    let mut rest = Rest { body, broken, broke_off: Some(broke_off), last: *b"\n\n", closing };
    rest.ends_with(&first);
    let first = stream::iter((!first.is_empty()).then_some(Ok(first)));
    *response.body_mut() = Body::from_stream(first.chain(stream::unfold(Some(rest), Rest::next)));
    Some(response)
}

impl<F: FnOnce()> Rest<F> {
    async fn next(rest: Option<Self>) -> Option<(Result<Bytes, axum::Error>, Option<Self>)> {
        let mut rest = rest?;
        let piece = tokio::select! {
            piece = rest.body.next() => piece?,
            () = rest.closing.cancelled() => {
                rest.broke_off = None;
                Err(axum::Error::new("there is no more time for it"))
            }
        };
        match piece {
            Ok(bytes) => {
                rest.ends_with(&bytes);
                Some((Ok(bytes), Some(rest)))
            }
            Err(error) => {
                if let Some(tell) = rest.broke_off.take() {
                    tell();
                }
                // In the middle of an event it would end that, as if it were whole.
                let broken = rest.broken.take().filter(|_| rest.last == *b"\n\n");
                Some((broken.map_or(Err(error), |broken| Ok(sse::encode(&broken).into())), None))
            }
        }
    }

    fn ends_with(&mut self, bytes: &[u8]) {
        match bytes {
            [] => (),
            [one] => self.last = [self.last[1], *one],
            [.., before, last] => self.last = [*before, *last],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use axum::{Router, response::IntoResponse, routing::get};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
        sync::Notify,
    };

    use super::*;

    async fn served(router: Router) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    async fn asked(address: &str) -> reqwest::Response {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        http.get(format!("http://{address}/")).send().await.unwrap()
    }

    #[tokio::test]
    async fn the_head_is_there_before_anything_is_done() {
        let (go, done) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
        let (wait, doing) = (Arc::clone(&go), Arc::clone(&done));
        let address = served(Router::new().route(
            "/",
            get(move || async move {
                begun(async move {
                    wait.notified().await;
                    doing.store(true, Ordering::SeqCst);
                    "done".into_response()
                })
            }),
        ))
        .await;
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!((&head, done.load(Ordering::SeqCst)), (b"HTTP/1.1 200", false));
        go.notify_one();
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
        assert!(rest.contains(BEGUN.as_str()) && rest.contains("done"), "{rest}");
    }

    #[tokio::test]
    async fn an_answer_arrives_as_it_was_given() {
        let address = served(Router::new().route(
            "/",
            get(|| async {
                begun(async {
                    let value = HeaderValue::from_bytes(b"\xff").unwrap();
                    (StatusCode::NOT_FOUND, [(HeaderName::from_static("x-a"), value)], "a\nb\n").into_response()
                })
            }),
        ))
        .await;
        let response = received(asked(&address).await, String::new(), CancellationToken::new(), || {
            panic!("it does not break off")
        })
        .await
        .unwrap();
        assert_eq!((response.status(), response.headers()["x-a"].as_bytes()), (StatusCode::NOT_FOUND, &b"\xff"[..]));
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert_eq!(body, "a\nb\n");
    }

    #[tokio::test]
    async fn a_stream_of_events_that_breaks_off_between_two_ends_with_a_message() {
        assert_eq!(broken_off("data: 1\n\n").await.unwrap(), "data: 1\n\nevent: message\ndata: {\"b\":1}\n\n");
        assert!(broken_off("data: 1\n\ndata: 2").await.is_err(), "half an event must not look like a whole one");
        assert!(broken_off("data: 1\n").await.is_err());
    }

    /// What arrives of a stream of events that breaks off once `text` has arrived.
    async fn broken_off(text: &'static str) -> Result<String, axum::Error> {
        let arrived = Arc::new(Notify::new());
        let breaks = Arc::clone(&arrived);
        let answer = move || {
            let breaks = Arc::clone(&breaks);
            async move {
                begun(async move {
                    let gone = async move {
                        breaks.notified().await;
                        Err("gone")
                    };
                    let pieces = stream::iter([Ok(text)]).chain(stream::once(gone));
                    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(pieces)).into_response()
                })
            }
        };
        let address = served(Router::new().route("/", get(answer))).await;
        let (told, tell) = tokio::sync::oneshot::channel();
        let broke_off = move || told.send(()).unwrap();
        let response =
            received(asked(&address).await, r#"{"b":1}"#.into(), CancellationToken::new(), broke_off).await.unwrap();
        let mut body = response.into_body().into_data_stream();
        let mut read = Vec::new();
        while let Some(piece) = body.next().await {
            read.extend_from_slice(&piece?);
            if read == text.as_bytes() {
                arrived.notify_one();
            }
        }
        tell.await.unwrap();
        Ok(String::from_utf8(read).unwrap())
    }
}
