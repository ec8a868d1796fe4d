//! The one connection to the Redis: kept in the background, tried again with growing pauses, and taken away from those who ask as
//! soon as it fails, so that nobody waits for it. What is asked means nothing here.

use std::{
    sync::{
        Mutex, PoisonError, RwLock,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use causeway_aws::{
    Identity,
    elasticache::{self, Login},
};
use causeway_oidc::clock::Clock;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, FromRedisValue, IntoConnectionInfo, RedisError,
    ScriptInvocation, aio::MultiplexedConnection,
};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout},
};

use url::Url;

use super::{BadUrl, Standing};

/// The parameter of the URL that names a cache of ElastiCache.
const IAM_CACHE: &str = "aws_iam_cache";

/// Whoever asks waits no longer than this; a Redis nearby answers in less than a millisecond.
const PATIENCE: Duration = Duration::from_millis(50);
/// So many answers in a row that do not come in time, and nobody is let to wait any more.
const SLOW: u32 = 3;
/// To connect and sign in.
const CONNECT: Duration = Duration::from_secs(2);
/// Between two looks whether it is still there.
const LOOK: Duration = Duration::from_secs(2);
/// Before it is tried again: doubled from the first to the last.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// What it refuses is said so often at most.
const SAID: Duration = Duration::from_secs(60);

pub(super) struct Link {
    place: ConnectionInfo,
    /// Who signs in with a password of IAM, made for each connection.
    iam: Option<(Login, RwLock<Identity>, Clock)>,
    /// Absent while it is down.
    connection: RwLock<Option<MultiplexedConnection>>,
    slow: AtomicU32,
    /// Why it is down from now on.
    lost: Mutex<Option<String>>,
    losing: Notify,
    asked: AtomicU64,
    failed: AtomicU64,
    refused: Mutex<Option<Instant>>,
    /// Whether it is still to be found out for the first time if it is there.
    beginning: watch::Sender<bool>,
}

impl Link {
    /// To the Redis at `url`, which may say `?aws_iam_cache=NAME`: then it is a cache of ElastiCache, and the password is made with the
    /// credentials of `identity`.
    pub(super) fn new(url: &str, identity: &Identity, clock: &Clock) -> Result<Self, BadUrl> {
        let mut url = Url::parse(url).map_err(|_| BadUrl)?;
        let cache = url.query_pairs().find(|(name, _)| name == IAM_CACHE).map(|(_, cache)| cache.into_owned());
        let login = cache.map(|cache| {
            let is_serverless = url.host_str().is_some_and(|host| host.contains(".serverless."));
            Login { cache, is_serverless, user: url.username().to_owned() }
        });
        let rest: Vec<(String, String)> =
            url.query_pairs().filter(|(name, _)| name != IAM_CACHE).map(|(a, b)| (a.into(), b.into())).collect();
        url.set_query(None);
        if !rest.is_empty() {
            url.query_pairs_mut().extend_pairs(rest);
        }
        Ok(Self {
            place: url.as_str().into_connection_info().map_err(|_| BadUrl)?,
            iam: login.map(|login| (login, RwLock::new(identity.clone()), clock.clone())),
            connection: RwLock::default(),
            slow: AtomicU32::default(),
            lost: Mutex::default(),
            losing: Notify::new(),
            asked: AtomicU64::default(),
            failed: AtomicU64::default(),
            refused: Mutex::default(),
            beginning: watch::channel(false).0,
        })
    }

    /// The next connection is `identity`'s.
    pub(super) fn sign_in_as(&self, identity: &Identity) {
        if let Some((_, signing, _)) = &self.iam {
            *signing.write().unwrap_or_else(PoisonError::into_inner) = identity.clone();
        }
    }

    pub(super) fn standing(&self) -> Standing {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Standing { up: self.connection().is_some(), asked: count(&self.asked), failed: count(&self.failed) }
    }

    /// From now on somebody will soon see to it that it is connected.
    pub(super) fn begin(&self) {
        self.beginning.send_replace(true);
    }

    /// Waits for the first try to connect, if that is under way.
    pub(super) async fn settled(&self) {
        let mut beginning = self.beginning.subscribe();
        let _ = timeout(CONNECT, beginning.wait_for(|beginning| !beginning)).await;
    }

    /// The answer to one command, if there is one soon.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Option<T> {
        let mut connection = self.connection()?;
        self.answered(command.query_async(&mut connection)).await
    }

    /// What a script gives, if it does so soon.
    pub(super) async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Option<T> {
        let mut connection = self.connection()?;
        self.answered(script.invoke_async(&mut connection)).await
    }

    async fn answered<T>(&self, answer: impl Future<Output = Result<T, RedisError>>) -> Option<T> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let failed = match timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => {
                self.slow.store(0, Ordering::Relaxed);
                return Some(answer);
            }
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        self.failed.fetch_add(1, Ordering::Relaxed);
        match failed {
            None if self.slow.fetch_add(1, Ordering::Relaxed) + 1 >= SLOW => {
                self.lose(format!("it does not answer within {PATIENCE:?}"));
            }
            None => (),
            Some(error) if error.is_io_error() || error.is_connection_dropped() || error.is_unrecoverable_error() => {
                self.lose(error.to_string());
            }
            Some(error) => self.say_refused(&error),
        }
        None
    }

    /// It is there, and does not do what it is asked: full, read-only, without the right to.
    fn say_refused(&self, error: &RedisError) {
        let mut said = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_none_or(|said| said.elapsed() >= SAID) {
            *said = Some(Instant::now());
            tracing::warn!(%error, "the Redis that replicas share refuses something: this replica goes on with what it knows");
        }
    }

    fn lose(&self, why: String) {
        *self.connection.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        self.losing.notify_one();
    }

    fn connection(&self) -> Option<MultiplexedConnection> {
        self.connection.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Connects, and connects again, for as long as it runs. Says once that it is down, and once that it is up.
    pub(super) async fn keep_up(&self) {
        let mut said = None;
        let mut pause = PAUSE.0;
        loop {
            let connected = self.connect().await.map(|connection| self.publish(connection));
            self.beginning.send_replace(false);
            match connected {
                Ok(connection) => {
                    tracing::info!("the Redis that replicas share is reached");
                    let since = Instant::now();
                    let why = self.serve(connection).await;
                    tracing::warn!(%why, "the Redis that replicas share is lost: this replica goes on with what it knows");
                    said = Some(why);
                    if since.elapsed() > PAUSE.1 {
                        pause = PAUSE.0;
                    }
                }
                Err(why) => {
                    if said.is_none() {
                        tracing::warn!(%why, "the Redis that replicas share is not reached: this replica goes on with what it knows");
                    } else if said.as_ref() != Some(&why) {
                        tracing::debug!(%why, "the Redis that replicas share is still not reached");
                    }
                    said = Some(why);
                }
            }
            // Replicas that lost it together do not come back together.
            sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    /// A connection over which an answer came in time.
    async fn connect(&self) -> Result<MultiplexedConnection, String> {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(CONNECT));
        let client = Client::open(self.signed_in().await?).map_err(|error| error.to_string())?;
        let connecting = client.get_multiplexed_async_connection_with_config(&config);
        let connected = timeout(CONNECT * 2, connecting).await.map_err(|_| "it does not answer".to_owned())?;
        let mut connection = connected.map_err(|error| error.to_string())?;
        look(&mut connection).await?;
        Ok(connection)
    }

    /// Where it is, with a password that is good now.
    async fn signed_in(&self) -> Result<ConnectionInfo, String> {
        let Some((login, identity, clock)) = &self.iam else { return Ok(self.place.clone()) };
        let identity = identity.read().unwrap_or_else(PoisonError::into_inner).clone();
        let credentials = identity.credentials().await.map_err(|error| error.to_string())?;
        let region = identity.region().await.map_err(|error| error.to_string())?;
        let password = elasticache::password(&credentials.value, &region, login, clock.now());
        let password = password.map_err(|error| error.to_string())?;
        let settings = self.place.redis_settings().clone().set_password(password);
        Ok(self.place.clone().set_redis_settings(settings))
    }

    /// From now on everyone asks over `connection`.
    fn publish(&self, connection: MultiplexedConnection) -> MultiplexedConnection {
        self.slow.store(0, Ordering::Relaxed);
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.connection.write().unwrap_or_else(PoisonError::into_inner) = Some(connection.clone());
        connection
    }

    /// Looks after `connection` until it is lost; why it is.
    async fn serve(&self, mut connection: MultiplexedConnection) -> String {
        loop {
            tokio::select! {
                () = self.losing.notified() => (),
                () = sleep(LOOK) => {
                    // One that is late may be chance.
                    if look(&mut connection).await.is_err() && let Err(why) = look(&mut connection).await {
                        self.lose(why);
                    }
                }
            }
            let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(why) = lost {
                return why;
            }
        }
    }
}

/// Whether it answers in time.
async fn look(connection: &mut MultiplexedConnection) -> Result<(), String> {
    let ping = redis::cmd("PING");
    match timeout(PATIENCE, ping.query_async::<String>(connection)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it does not answer within {PATIENCE:?}")),
    }
}
