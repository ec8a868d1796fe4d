//! The verifier against an issuer on a real socket, with time moved by hand and faults injected by that issuer.

use std::sync::{
    Mutex as StdMutex,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use serde_json::{Value, json};

use super::*;
use crate::forge::{Forge, jwks};

const DISCOVERY: &str = "/.well-known/openid-configuration";
/// Elsewhere than the test's issuer listens, as with a proxy before it.
const NAME: &str = "https://issuer.example/pool";
const START: u64 = 1_800_000_000;

/// What the issuer answers to a request for its keys.
enum Behaviour {
    Keys(Value),
    Body(String),
    Down,
    Hang,
}

struct FakeIssuer {
    url: Url,
    behaviour: StdMutex<Behaviour>,
    /// Requests for keys.
    asked: AtomicUsize,
    now: Arc<AtomicU64>,
}

impl FakeIssuer {
    async fn start(behaviour: Behaviour) -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let now = Arc::new(AtomicU64::new(START));
        let issuer = Arc::new(Self { url, behaviour: behaviour.into(), asked: 0.into(), now });
        let router =
            Router::new().route(DISCOVERY, get(discovery)).route("/keys", get(keys)).with_state(issuer.clone());
        tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        issuer
    }

    fn verifier(&self) -> Verifier {
        self.verifier_with(fetch::TIMEOUT)
    }

    fn verifier_with(&self, timeout: Duration) -> Verifier {
        let now = self.now.clone();
        let clock = Clock::from_fn(move || Duration::from_secs(now.load(Ordering::SeqCst)));
        let http = Client::builder().no_proxy().build().unwrap();
        Verifier::with_timeout(self.url.join(DISCOVERY).unwrap(), http, clock, Duration::ZERO, timeout)
    }

    fn becomes(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    fn publishes(&self, forges: &[&Forge]) {
        self.becomes(Behaviour::Keys(jwks(forges)));
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn pass(&self, time: Duration) {
        self.now.fetch_add(time.as_secs(), Ordering::SeqCst);
    }
}

async fn discovery(State(issuer): State<Arc<FakeIssuer>>) -> String {
    json!({"issuer": NAME, "jwks_uri": issuer.url.join("/keys").unwrap()}).to_string()
}

async fn keys(State(issuer): State<Arc<FakeIssuer>>) -> impl IntoResponse {
    issuer.asked.fetch_add(1, Ordering::SeqCst);
    let answer = match &*issuer.behaviour.lock().unwrap() {
        Behaviour::Keys(keys) => Some((StatusCode::OK, keys.to_string())),
        Behaviour::Body(body) => Some((StatusCode::OK, body.clone())),
        Behaviour::Down => Some((StatusCode::BAD_GATEWAY, String::new())),
        Behaviour::Hang => None,
    };
    match answer {
        Some(answer) => answer,
        None => std::future::pending().await,
    }
}

fn token(forge: &Forge) -> String {
    forge.sign("ES256", &json!({"iss": NAME, "sub": "alice", "exp": START + 1_000_000}))
}

#[track_caller]
fn unavailable_for(result: Result<Claims, TokenError>) -> Duration {
    match result {
        Err(TokenError::IssuerUnavailable(error)) => error.retry_after,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_calls_share_one_fetch() {
    let key = Forge::p256("a");
    let issuer = FakeIssuer::start(Behaviour::Keys(jwks(&[&key]))).await;
    let verifier = issuer.verifier();
    assert_eq!(issuer.asked(), 0, "nothing is fetched before it is needed");
    let calls: Vec<_> = (0..100).map(|_| (verifier.clone(), token(&key))).collect();
    let calls = calls.into_iter().map(|(verifier, token)| tokio::spawn(async move { verifier.verify(&token).await }));
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().unwrap()["sub"], "alice");
    }
    assert_eq!(issuer.asked(), 1);
    assert_eq!(verifier.issuer().await.unwrap(), NAME);
}

#[tokio::test]
async fn a_token_that_no_key_makes_good_costs_no_fetch() {
    let issuer = FakeIssuer::start(Behaviour::Down).await;
    let refused = issuer.verifier().verify("no.token.").await;
    assert!(matches!(refused, Err(TokenError::Malformed(_))), "{refused:?}");
    assert_eq!(issuer.asked(), 0);
}

#[tokio::test]
async fn an_issuer_down_at_start_is_asked_again_after_the_cool_down() {
    let key = Forge::p256("a");
    let issuer = FakeIssuer::start(Behaviour::Down).await;
    let verifier = issuer.verifier();
    for _ in 0..10 {
        assert_eq!(unavailable_for(verifier.verify(&token(&key)).await), COOL_DOWN);
    }
    issuer.publishes(&[&key]);
    issuer.pass(COOL_DOWN - Duration::from_secs(1));
    assert_eq!(unavailable_for(verifier.verify(&token(&key)).await), Duration::from_secs(1));
    assert_eq!(issuer.asked(), 1);
    issuer.pass(Duration::from_secs(1));
    verifier.verify(&token(&key)).await.unwrap();
}

#[tokio::test]
async fn keys_are_kept_while_the_issuer_is_down() {
    let (key, unknown) = (Forge::p256("a"), Forge::p256("b"));
    let issuer = FakeIssuer::start(Behaviour::Keys(jwks(&[&key]))).await;
    let verifier = issuer.verifier();
    verifier.verify(&token(&key)).await.unwrap();
    issuer.becomes(Behaviour::Down);
    for _ in 0..5 {
        issuer.pass(MAX_AGE);
        verifier.verify(&token(&key)).await.unwrap();
    }
    // Whether this token is good cannot be said now.
    unavailable_for(verifier.verify(&token(&unknown)).await);
    issuer.publishes(&[&key, &unknown]);
    issuer.pass(COOL_DOWN);
    verifier.verify(&token(&unknown)).await.unwrap();
}

#[tokio::test]
async fn rotation_fails_no_call() {
    let (old, new) = (Forge::p256("old"), Forge::p256("new"));
    let issuer = FakeIssuer::start(Behaviour::Keys(jwks(&[&old]))).await;
    let verifier = issuer.verifier();
    verifier.verify(&token(&old)).await.unwrap();
    issuer.publishes(&[&new, &old]);
    for key in [&new, &old, &new] {
        verifier.verify(&token(key)).await.unwrap();
    }
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn unknown_keys_are_looked_for_at_a_bounded_rate() {
    let (key, new) = (Forge::p256("a"), Forge::p256("new"));
    let issuer = FakeIssuer::start(Behaviour::Keys(jwks(&[&key]))).await;
    let verifier = issuer.verifier();
    for stranger in (0..20).map(|n| Forge::p256(&format!("stranger-{n}"))) {
        let refused = verifier.verify(&token(&stranger)).await;
        assert!(matches!(refused, Err(TokenError::UnknownKey(_))), "{refused:?}");
    }
    assert_eq!(issuer.asked(), 2);
    issuer.publishes(&[&key, &new]);
    issuer.pass(UNKNOWN_KEY_INTERVAL);
    verifier.verify(&token(&new)).await.unwrap();
    assert_eq!(issuer.asked(), 3);
}

#[tokio::test]
async fn a_withdrawn_key_goes_by_age() {
    let (withdrawn, key) = (Forge::p256("a"), Forge::p256("b"));
    let issuer = FakeIssuer::start(Behaviour::Keys(jwks(&[&withdrawn, &key]))).await;
    let verifier = issuer.verifier();
    verifier.verify(&token(&withdrawn)).await.unwrap();
    issuer.publishes(&[&key]);
    issuer.pass(MAX_AGE);
    // The calls until the renewal is done still see the old keys.
    while verifier.verify(&token(&withdrawn)).await.is_ok() {
        tokio::task::yield_now().await;
    }
    verifier.verify(&token(&key)).await.unwrap();
}

#[tokio::test]
async fn a_caller_who_goes_away_takes_nothing_along() {
    let key = Forge::p256("a");
    let issuer = FakeIssuer::start(Behaviour::Keys(jwks(&[&key]))).await;
    let verifier = issuer.verifier();
    let (first, second) = (verifier.clone(), token(&key));
    // Polled once, which starts the fetch, and dropped.
    let _ = poll_once(first.verify(&second)).await;
    verifier.verify(&token(&key)).await.unwrap();
    assert_eq!(issuer.asked(), 1);
}

/// Polls `future` once.
async fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        std::task::Poll::Ready(value) => std::task::Poll::Ready(Some(value)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}

#[tokio::test]
async fn a_bad_issuer_is_named_with_what_is_wrong() {
    let text = |result: Result<Claims, TokenError>, issuer: &FakeIssuer| {
        result.unwrap_err().to_string().replace(issuer.url.as_str(), "http://issuer/")
    };
    let cases = [
        (Behaviour::Down, "`http://issuer/keys` answered 502 Bad Gateway: check the URL"),
        (
            Behaviour::Body("<html>".into()),
            "`http://issuer/keys` answered with something else than a JWK set (JSON with `keys`): check the URL",
        ),
        (
            Behaviour::Body(" ".repeat(fetch::MAX_BYTES + 1)),
            "`http://issuer/keys` answered with more than 1048576 bytes: check the URL",
        ),
        (
            Behaviour::Keys(json!({"keys": [{"kty": "oct", "k": "AAAA"}]})),
            "the key set at `http://issuer/keys` holds no usable key: RSA from 2048 bits, P-256, P-384 or Ed25519 for \
             signatures",
        ),
    ];
    for (behaviour, expected) in cases {
        let issuer = FakeIssuer::start(behaviour).await;
        let refused = issuer.verifier().verify(&token(&Forge::p256("a"))).await;
        assert_eq!(text(refused, &issuer), format!("the issuer's keys cannot be had: {expected}"));
    }
}

#[tokio::test]
async fn an_issuer_that_hangs_is_given_up() {
    let issuer = FakeIssuer::start(Behaviour::Hang).await;
    let verifier = issuer.verifier_with(Duration::from_millis(500));
    let refused = verifier.verify(&token(&Forge::p256("a"))).await;
    let text = refused.unwrap_err().to_string();
    assert!(text.ends_with("did not answer within 0.5s: check that it is healthy"), "{text}");
}
