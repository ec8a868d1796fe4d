//! The standard streams: one client that started this process, one message a line. Turns each line into a request for the
//! [`Front`] and each answer into lines, so that a client here meets the same gateway as over HTTP. Knows of the eras only what a
//! transport must: where they keep their session, and how a request is cancelled.
//!
//! Source: MCP 2025-11-25 and 2026-07-28, basic/transports, "stdio".

mod headers;
pub(crate) mod line;
mod running;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::response::Response;
use bytes::Bytes;
use causeway_core::{
    era::{Era, headers::SESSION},
    wire::{Envelope, Kind, ObjectEdit, error_message, sse},
};
use http::{HeaderMap, HeaderValue, header};
use http_body_util::BodyExt;
use tokio::{
    io::{AsyncBufRead, AsyncWrite},
    sync::mpsc,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use self::{
    headers::{Session, of_modern},
    line::Line,
    running::Running,
};
use crate::{
    calls::{self, Calls},
    error::Refused,
    front::{self, Front, Post},
    gateway::Call,
    inbound::Caller,
    targets::Fault,
};

/// What records of calls have in the place of an HTTP path.
const ENDPOINT: &str = "stdio";
/// In the place of the id of what has none, or several.
const NO_ID: &str = "";
/// Lines that wait until the client reads.
const QUEUE: usize = 64;
/// Requests under way get so long to end once the client has closed its side. Clients kill what takes much longer.
const DRAIN: Duration = Duration::from_secs(2);

/// What a client on standard streams is served with.
struct Pipe {
    front: Front,
    caller: Arc<Caller>,
    /// Bytes of one message, either way.
    limits: (usize, usize),
    /// What the client sends first waits so long for the first lists of the targets: many clients ask for them once.
    patience: Duration,
    alone: Option<Explain>,
    /// Told of each message of the client.
    calls: Calls,
    lines: mpsc::Sender<Bytes>,
    /// What `initialize` settled.
    session: Mutex<Option<Session>>,
    running: Running,
}

/// How a pipe works.
pub struct Manner {
    /// Bytes of a message from the client.
    pub request_bytes: usize,
    /// Bytes of a message to it.
    pub response_bytes: usize,
    /// For the targets to be listed first.
    pub patience: Duration,
    /// There is one target, and it is what the client wants to see: when it cannot be reached, nothing begins.
    pub alone: Option<Explain>,
    /// Told of each message of the client.
    pub calls: Calls,
}

/// Says what is wrong with the one target.
pub type Explain = Box<dyn Fn(Fault) -> String + Send + Sync>;

/// Serves one client until it closes `input`, does not read `output` any more, or `shutdown` is ready.
pub async fn serve(
    front: Front,
    manner: Manner,
    stopping: CancellationToken,
    (input, output): (impl AsyncBufRead + Unpin, impl AsyncWrite + Send + Unpin + 'static),
    shutdown: impl Future<Output = ()>,
) {
    let (lines, outgoing) = mpsc::channel(QUEUE);
    let written = tokio::spawn(line::write(output, outgoing));
    let gone = lines.clone();
    let Manner { request_bytes, response_bytes, patience, alone, calls } = manner;
    let caller = Arc::new(Caller::anonymous());
    let (session, running, limits) = (Mutex::default(), Running::default(), (request_bytes, response_bytes));
    let pipe = Arc::new(Pipe { front, caller, limits, patience, alone, calls, lines, session, running });
    tokio::select! {
        () = Arc::clone(&pipe).read(input) => (),
        () = gone.closed() => tracing::debug!("the client does not read any more"),
        () = shutdown => (),
    }
    // Streams without an end of their own end now.
    stopping.cancel();
    pipe.running.drain(DRAIN).await;
    pipe.end_session().await;
    drop((pipe, gone));
    // A client that does not read is not waited for.
    let _ = timeout(DRAIN, written).await;
}

impl std::fmt::Debug for Manner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Manner")
            .field("patience", &self.patience)
            .field("alone", &self.alone.is_some())
            .finish_non_exhaustive()
    }
}

impl Pipe {
    async fn read(self: Arc<Self>, mut input: impl AsyncBufRead + Unpin) {
        loop {
            match line::next(&mut input, self.limits.0).await {
                Ok(Some(Line::Whole(line))) if line.trim_ascii().is_empty() => (),
                Ok(Some(Line::Whole(line))) => Arc::clone(&self).take(line.into()).await,
                Ok(Some(Line::TooLong)) => {
                    self.say(Refused::TooLarge(self.limits.0).face(Era::Legacy, "null").message.into()).await;
                }
                Ok(None) => return,
                Err(error) => return tracing::warn!(%error, "standard input cannot be read"),
            }
        }
    }

    /// Takes one line. What comes after it may rely on that it was taken.
    async fn take(self: Arc<Self>, line: Bytes) {
        let envelope = Envelope::parse(line.clone());
        match envelope.as_ref().map(Envelope::kind) {
            Ok(Kind::Notification) => self.notice(line, &envelope.expect("it is one")).await,
            Ok(Kind::Response) => self.pass_on(line).await,
            Ok(Kind::Request) => self.request(line, envelope.expect("it is one")).await,
            // The front says what is wrong with it, and takes a batch where there may be one, which may take its time.
            Err(_) => {
                let (pipe, post) = (Arc::clone(&self), self.post(line));
                self.running.begin(NO_ID.into(), async move {
                    let answer = pipe.answer(post).await;
                    pipe.relay(answer).await;
                });
            }
        }
    }

    async fn request(self: Arc<Self>, line: Bytes, envelope: Envelope) {
        let opens = matches!(envelope.method(), "initialize" | "server/discover");
        self.listed().await;
        if let Some(refusal) = self.nothing_there().filter(|_| opens) {
            let id = envelope.id().unwrap_or("null");
            return self.say(error_message(id, causeway_core::wire::INTERNAL_ERROR, &refusal, None).into()).await;
        }
        let post = match of_modern(&self.front.gateway, &envelope).await {
            Some(headers) => self.post_with(headers, line),
            None => self.post(line),
        };
        if envelope.method() == "initialize" {
            return self.initialize(post).await;
        }
        // What only the gateway answers is answered in the order of the lines.
        let asks_targets = self.front.gateway.asked_by(envelope.method()).is_some()
            || Call::of_method(envelope.method()).is_some()
            || matches!(envelope.method(), "subscriptions/listen" | "resources/subscribe" | "resources/unsubscribe");
        match asks_targets {
            false => {
                let answer = self.answer(post).await;
                self.relay(answer).await;
            }
            true => {
                let pipe = Arc::clone(&self);
                let id = envelope.id().unwrap_or("null").to_owned();
                self.running.begin(id, async move {
                    let answer = pipe.answer(post).await;
                    pipe.relay(answer).await;
                });
            }
        }
    }

    /// Opens a session; an earlier one of this client has ended with that.
    async fn initialize(&self, post: Post) {
        self.end_session().await;
        let answer = self.answer(post).await;
        let id = answer.headers().get(SESSION).cloned();
        let (head, body) = answer.into_parts();
        let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else { return };
        if let Some(session) = id.and_then(|id| Session::opened(id, &body)) {
            *self.session.lock().expect("no holder of this lock panics") = Some(session);
        }
        self.relay(Response::from_parts(head, body.into())).await;
    }

    async fn notice(self: Arc<Self>, line: Bytes, envelope: &Envelope) {
        match envelope.method() {
            // In either era: nobody reads the answer any more, which is how the front learns that it is not wanted.
            "notifications/cancelled" => {
                let params = envelope.params().and_then(|params| ObjectEdit::parse(params).ok());
                if let Some(id) = params.as_ref().and_then(|params| params.get("requestId")) {
                    self.running.cancel(id);
                }
            }
            "notifications/initialized" => {
                self.pass_on(line).await;
                self.listen();
            }
            _ => self.pass_on(line).await,
        }
    }

    /// What the front answers, watched as any other call of a client.
    async fn answer(&self, post: Post) -> Response {
        let Ok(call) = self.calls.begin(&post.headers, ENDPOINT.into()) else {
            return front::face(Refused::Unaudited.face(Era::Legacy, "null"));
        };
        let answer = async {
            calls::note(|call| {
                call.took(&post.body);
                call.called_by(&post.caller);
            });
            self.front.answer(post).await
        };
        call.watch(answer).await
    }

    /// Gives the front what gets no answer.
    async fn pass_on(&self, line: Bytes) {
        let answer = self.answer(self.post(line)).await;
        if !answer.status().is_success() {
            tracing::debug!(status = %answer.status(), "a message without an answer was not taken");
        }
    }

    /// Passes on what the gateway says beside answers, for as long as the session lasts.
    fn listen(self: Arc<Self>) {
        let post = self.post(Bytes::new());
        let pipe = Arc::clone(&self);
        self.running.attend(async move {
            let stream = pipe.front.listen(post).await;
            if stream.status().is_success() {
                pipe.relay(stream).await;
            }
        });
    }

    async fn end_session(&self) {
        let post = self.post(Bytes::new());
        if self.session.lock().expect("no holder of this lock panics").take().is_some() {
            self.front.end(post).await;
        }
    }

    /// Waits until every target was asked for its lists once, but not too long.
    async fn listed(&self) {
        let mut views = self.front.gateway.views();
        let waited = timeout(self.patience, views.wait_for(|view| view.is_complete())).await;
        if waited.is_err() {
            tracing::warn!("not every target was listed within {:?}; its tools follow when it is", self.patience);
        }
    }

    /// Why there is nothing to begin with.
    fn nothing_there(&self) -> Option<String> {
        let view = self.front.gateway.view();
        let target = view.targets.first().filter(|target| target.about.is_none())?;
        Some(self.alone.as_ref()?(target.error.clone()?))
    }

    /// A message that belongs to the session, if there is one.
    fn post(&self, body: Bytes) -> Post {
        let session = self.session.lock().expect("no holder of this lock panics").clone();
        self.post_with(session.into_iter().flat_map(Session::headers).collect(), body)
    }

    fn post_with(&self, mut headers: HeaderMap, body: Bytes) -> Post {
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        Post { caller: Arc::clone(&self.caller), headers, body, in_pieces: false, passed_on: false }
    }

    /// Writes the messages of an answer, each as soon as it is there.
    async fn relay(&self, answer: Response) {
        let is_stream = answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let mut body = answer.into_body();
        if !is_stream {
            let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            if !body.is_empty() {
                self.say(body).await;
            }
            return;
        }
        let mut events = sse::Decoder::new(self.limits.1);
        while let Some(Ok(frame)) = body.frame().await {
            if let Err(error) = events.push(frame.data_ref().unwrap_or(&Bytes::new())) {
                return tracing::warn!(%error, "an answer is cut off (`limits.response_bytes`)");
            }
            while let Some(event) = events.next_event() {
                self.say(event.data.into()).await;
            }
        }
    }

    async fn say(&self, message: Bytes) {
        // A client that has gone is noticed where lines are read.
        let _ = self.lines.send(message).await;
    }
}
