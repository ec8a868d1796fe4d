//! A closed loop: so many clients, each of which sends its next request when the answer to the one before has come whole. Every
//! answer is checked.

mod check;
mod connection;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use tokio::{
    task::{JoinHandle, JoinSet},
    time::sleep,
};

pub use self::{
    check::{Checker, Expected},
    connection::{Connection, Entrance},
};
use crate::form::{Mark, Request, Speaks};

/// What is sent over and over, and what must come back.
#[derive(Clone, Debug)]
pub struct Work {
    pub entrance: Entrance,
    pub ask: Ask,
    pub expected: Expected,
}

/// A request.
#[derive(Clone, Debug)]
pub enum Ask {
    /// POST of a message, in a session of each client's own where that is the form.
    Message(Speaks, Request),
    /// GET.
    File,
}

/// How hard, and how long.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Clients at once.
    pub clients: usize,
    /// Until what comes is counted: connections, caches and clocks of processors settle.
    pub warm: Duration,
    /// What is counted.
    pub length: Duration,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Came {
    /// Answers that were right.
    pub calls: u64,
    /// Answers that were wrong, and requests without one.
    pub failures: u64,
    /// What was wrong with the first of them.
    pub failure: Option<String>,
    /// The time was over before so many requests had ended as figures need.
    pub too_few: bool,
    /// In which they came.
    pub elapsed: Duration,
    /// From the first byte of a request to the last of its answer, in order.
    pub latencies: Vec<Duration>,
}

/// Not counted, counted, over.
const WARMING: u8 = 0;
const COUNTING: u8 = 1;
const OVER: u8 = 2;

/// At a slow pace the count goes on until so many requests a client have ended, but not longer than so many times its length, and then
/// they were too few; it begins once there is one a client, within the same bound.
const LEAST_ANSWERS: u64 = 2;
const LONGEST: u32 = 8;
/// For the first answer of all: whoever is slow has not failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const BREATH: Duration = Duration::from_millis(10);

/// A client gives up after so many failures: all that follow would be the same.
const MOST_FAILURES: u64 = 20;

/// Sends `work` at `pace`. `look` is called when counting begins and when it ends.
///
/// # Errors
/// Clients cannot connect, or open no session.
pub async fn run<T>(work: &Work, pace: Pace, look: impl Fn() -> T) -> anyhow::Result<(Came, T, T)> {
    let (phase, ended) = (Arc::new(AtomicU8::new(WARMING)), Arc::new(AtomicU64::new(0)));
    let mut clients = JoinSet::new();
    let checker = Checker::new(work.expected.clone());
    for number in 0..pace.clients {
        let client = Client::with(number, work, checker.clone()).await.context("a client cannot begin")?;
        clients.spawn(client.run(Arc::clone(&phase), Arc::clone(&ended)));
    }
    let each = pace.clients as u64;
    until(&ended, each, pace.warm).await;
    let before = look();
    let begun = Instant::now();
    ended.store(0, Ordering::Relaxed);
    phase.store(COUNTING, Ordering::Relaxed);
    until(&ended, LEAST_ANSWERS * each, pace.length).await;
    phase.store(OVER, Ordering::Relaxed);
    let elapsed = begun.elapsed();
    let after = look();
    let too_few = ended.load(Ordering::Relaxed) < LEAST_ANSWERS * each;
    let mut came = Came { elapsed, too_few, ..Came::default() };
    while let Some(client) = clients.join_next().await {
        let client = client.context("a client has panicked")?;
        came.calls += client.latencies.len() as u64;
        came.failures += client.failures;
        came.failure = came.failure.or(client.failure);
        came.latencies.extend(client.latencies);
    }
    came.latencies.sort_unstable();
    Ok((came, before, after))
}

/// Waits for `length`, and longer until so many requests have `ended`, well or not.
async fn until(ended: &AtomicU64, enough: u64, length: Duration) {
    let begun = Instant::now();
    sleep(length).await;
    let lacks = || match ended.load(Ordering::Relaxed) {
        0 => begun.elapsed() < PATIENCE,
        some => some < enough && begun.elapsed() < length * LONGEST,
    };
    while lacks() {
        sleep(BREATH).await;
    }
}

/// Sends `work` once.
///
/// # Errors
/// It is not answered, or wrongly.
pub async fn once(work: &Work) -> anyhow::Result<()> {
    body(work).await.map(|_| ())
}

/// Sends `work` once and gives the whole body of the answer.
///
/// # Errors
/// It is not answered, or wrongly.
pub async fn body(work: &Work) -> anyhow::Result<Bytes> {
    let mut client = Client::open(0, work).await?;
    client.exchange(Mark::new(0, 0)).await?;
    Ok(client.body.into())
}

/// Sends `work` once: how many bytes of the answer have come, as they come, and what becomes of it.
///
/// # Errors
/// No client can begin.
pub async fn watched(work: &Work) -> anyhow::Result<(Arc<AtomicUsize>, JoinHandle<anyhow::Result<()>>)> {
    let mut client = Client::open(0, work).await?;
    let came = Arc::clone(&client.came);
    Ok((came, tokio::spawn(async move { client.exchange(Mark::new(0, 0)).await.map(|_| ()) })))
}

impl Came {
    /// Right answers a second.
    pub fn rate(&self) -> f64 {
        if self.elapsed.is_zero() { 0.0 } else { self.calls as f64 / self.elapsed.as_secs_f64() }
    }

    /// It worked, but answers came too slowly for figures: those that came in time would pass for all of them.
    pub fn is_too_slow(&self) -> bool {
        self.too_few && self.calls > 0 && self.failures == 0
    }

    /// The latency that this share of the answers did not exceed.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let last = self.latencies.len().checked_sub(1)?;
        self.latencies.get((last as f64 * share).round() as usize).copied()
    }
}

/// One of many.
#[derive(Debug)]
pub struct Client {
    number: usize,
    work: Work,
    connection: Connection,
    checker: Checker,
    /// Of the last answer.
    body: Vec<u8>,
    /// Its bytes so far.
    came: Arc<AtomicUsize>,
    latencies: Vec<Duration>,
    failures: u64,
    failure: Option<String>,
}

impl Client {
    /// Connects; in a session where that is the form. No other client of the load has this `number`.
    ///
    /// # Errors
    /// Nobody listens, or no session is opened.
    pub async fn open(number: usize, work: &Work) -> anyhow::Result<Self> {
        Self::with(number, work, Checker::new(work.expected.clone())).await
    }

    async fn with(number: usize, work: &Work, checker: Checker) -> anyhow::Result<Self> {
        Ok(Self {
            number,
            work: work.clone(),
            connection: connect(work).await?,
            checker,
            body: Vec::new(),
            came: Arc::default(),
            latencies: Vec::new(),
            failures: 0,
            failure: None,
        })
    }

    /// Sends its work so often.
    ///
    /// # Errors
    /// What is wrong with the first answer that is.
    pub async fn send(&mut self, times: u64) -> anyhow::Result<()> {
        for number in 0..times {
            self.exchange(Mark::new(self.number, number)).await?;
        }
        Ok(())
    }

    async fn run(mut self, phase: Arc<AtomicU8>, ended: Arc<AtomicU64>) -> Self {
        let mut sent = 0;
        while phase.load(Ordering::Relaxed) != OVER && self.failures < MOST_FAILURES {
            sent += 1;
            let outcome = self.exchange(Mark::new(self.number, sent)).await;
            ended.fetch_add(1, Ordering::Relaxed);
            match outcome {
                Ok(latency) => {
                    if phase.load(Ordering::Relaxed) == COUNTING {
                        self.latencies.push(latency);
                    }
                }
                Err(error) => {
                    self.failures += 1;
                    self.failure.get_or_insert_with(|| format!("{error:#}"));
                }
            }
        }
        self
    }

    /// One request and its answer.
    async fn exchange(&mut self, mark: Mark) -> anyhow::Result<Duration> {
        if !self.connection.is_open() {
            self.connection = connect(&self.work).await?;
        }
        let begun = Instant::now();
        let sent = match &self.work.ask {
            Ask::Message(_, request) => self.connection.send(Method::POST, &request.headers, request.body(mark)).await,
            Ask::File => self.connection.send(Method::GET, &http::HeaderMap::new(), Bytes::new()).await,
        };
        let mut response = sent?;
        self.body.clear();
        while let Some(frame) = response.frame().await {
            if let Ok(data) = frame.context("the answer broke off")?.into_data() {
                self.body.extend_from_slice(&data);
                self.came.store(self.body.len(), Ordering::Relaxed);
            }
        }
        let latency = begun.elapsed();
        let status = response.status();
        ensure!(status == StatusCode::OK, "{status}: {}", connection::shown(&self.body));
        self.checker.check(mark, &self.body)?;
        Ok(latency)
    }
}

async fn connect(work: &Work) -> anyhow::Result<Connection> {
    let mut connection = Connection::open(&work.entrance).await?;
    if let Ask::Message(Speaks::Session, _) = &work.ask {
        connection.initialize().await?;
    }
    Ok(connection)
}
