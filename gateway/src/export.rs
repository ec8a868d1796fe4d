//! Sends spans and metrics to an OpenTelemetry collector. A collector that is down costs memory within a bound and one line in
//! the log, and no call any time. What a span holds is decided in `calls`, what metrics there are in `admin`.
//!
//! Source: OTLP specification 1.x, "OTLP/HTTP" (binary protobuf encoding, retries).

mod encode;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::{StatusCode, header};
use prost::Message;
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use url::Url;

use self::encode::Encoder;
use crate::{calls::Span, config::Otlp, metrics::Family};

/// Spans of one export.
const BATCH: usize = 512;
/// From a span to its export.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often an export is tried, and the pause after the first try, doubled each time.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);
/// A collector that asks for more patience than this waits for nobody.
const MOST_PAUSE: Duration = Duration::from_secs(30);
/// For what is left once the gateway stops, and for what is under way then.
const FAREWELL: Duration = Duration::from_secs(5);

/// What exports.
#[derive(Debug)]
pub(crate) struct Exporter {
    http: reqwest::Client,
    otlp: Otlp,
    encoder: Encoder,
    /// Spans that were not exported.
    dropped: Arc<AtomicU64>,
}

/// Why an export came to nothing.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the collector could not be asked: {0}")]
    Unasked(String),
    /// And when it wants to be asked again, if it says so.
    #[error("the collector answered HTTP {0}")]
    Status(StatusCode, Option<Duration>),
}

/// One direction of export, and whether it works: only a change of that is news.
struct Line<'a> {
    what: &'static str,
    url: &'a Url,
    failing: bool,
}

impl Exporter {
    /// An exporter to where `otlp` says. `started`: since the Unix epoch. `dropped` counts spans that are not exported.
    pub(crate) fn new(http: reqwest::Client, otlp: Otlp, started: Duration, dropped: Arc<AtomicU64>) -> Self {
        let encoder = Encoder::new(&otlp.resource, started);
        Self { http, otlp, encoder, dropped }
    }

    /// Exports `spans` as they come and what `families` gives from time to time, until `over`; then what is left, for a moment.
    pub(crate) async fn run(
        self,
        spans: mpsc::Receiver<Span>,
        families: impl Fn() -> (Vec<Family>, Duration),
        over: CancellationToken,
    ) {
        let exporting = futures::future::join(self.traces(spans, &over), self.metrics(families, &over));
        let farewell = async {
            over.cancelled().await;
            sleep(FAREWELL).await;
        };
        tokio::select! {
            _ = exporting => (),
            () = farewell => tracing::warn!("the collector did not take what was left within {FAREWELL:?}"),
        }
    }

    async fn traces(&self, mut spans: mpsc::Receiver<Span>, over: &CancellationToken) {
        let Some(url) = &self.otlp.traces else { return };
        let mut line = Line { what: "spans", url, failing: false };
        let mut batch = Vec::new();
        loop {
            let stopping = tokio::select! {
                read = spans.recv_many(&mut batch, BATCH) => read == 0,
                () = over.cancelled() => true,
            };
            if stopping {
                break;
            }
            // More will follow soon.
            let fill = async { while batch.len() < BATCH && spans.recv_many(&mut batch, BATCH).await > 0 {} };
            tokio::select! {
                _ = timeout(PATIENCE, fill) => (),
                () = over.cancelled() => (),
            }
            self.send_spans(&mut line, std::mem::take(&mut batch)).await;
        }
        while let Ok(span) = spans.try_recv() {
            batch.push(span);
        }
        if !batch.is_empty() {
            self.send_spans(&mut line, batch).await;
        }
    }

    async fn send_spans(&self, line: &mut Line<'_>, spans: Vec<Span>) {
        let count = spans.len() as u64;
        if !self.send(line, self.encoder.spans(spans)).await {
            self.dropped.fetch_add(count, Ordering::Relaxed);
        }
    }

    async fn metrics(&self, families: impl Fn() -> (Vec<Family>, Duration), over: &CancellationToken) {
        let Some(url) = &self.otlp.metrics else { return };
        let mut line = Line { what: "metrics", url, failing: false };
        let mut ticks = interval(self.otlp.metrics_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first one is now, and nothing has happened yet.
        ticks.tick().await;
        loop {
            let stopping = tokio::select! {
                _ = ticks.tick() => false,
                () = over.cancelled() => true,
            };
            let (families, now) = families();
            self.send(&mut line, self.encoder.metrics(&families, now)).await;
            if stopping {
                return;
            }
        }
    }

    /// Whether the collector took it.
    async fn send(&self, line: &mut Line<'_>, message: impl Message) -> bool {
        let body: Arc<[u8]> = message.encode_to_vec().into();
        let mut pause = PAUSE;
        for attempt in 1..=TRIES {
            let failure = match self.try_send(line.url, &body).await {
                Ok(()) => {
                    line.works();
                    return true;
                }
                Err(failure) => failure,
            };
            line.fails(&failure);
            let Some(asked) = failure.may_pass_after().filter(|asked| attempt < TRIES && *asked <= MOST_PAUSE) else {
                break;
            };
            sleep(pause.max(asked)).await;
            pause *= 2;
        }
        false
    }

    async fn try_send(&self, url: &Url, body: &[u8]) -> Result<(), Failure> {
        let request = self.http.post(url.clone()).timeout(self.otlp.timeout);
        let request = request.header(header::CONTENT_TYPE, "application/x-protobuf").body(body.to_vec());
        let request = self.otlp.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        // An error of this client may show a URL, and the collector's may hold a key in its query.
        let answer = request.send().await.map_err(|error| Failure::Unasked(error.without_url().to_string()))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => {
                let after =
                    answer.headers().get(header::RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok());
                Err(Failure::Status(status, after.map(Duration::from_secs)))
            }
        }
    }
}

impl Line<'_> {
    fn works(&mut self) {
        if std::mem::take(&mut self.failing) {
            tracing::info!("{} are exported again", self.what);
        }
    }

    fn fails(&mut self, failure: &Failure) {
        match self.failing {
            true => tracing::debug!(%failure, "{} are still not exported", self.what),
            false => {
                tracing::warn!(%failure, "{} are not exported; nothing else suffers, and this is said once", self.what)
            }
        }
        self.failing = true;
    }
}

impl Failure {
    /// After how long at least the same export may work; `None` where it will not.
    fn may_pass_after(&self) -> Option<Duration> {
        match self {
            Self::Unasked(_) => Some(Duration::ZERO),
            Self::Status(status, after) => {
                matches!(status.as_u16(), 429 | 502 | 503 | 504).then(|| after.unwrap_or_default())
            }
        }
    }
}
