//! Inbound authorization with a real issuer on a real socket and time moved by hand.

use std::{
    net::Ipv4Addr,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::hmac;
use axum::{Router, routing::post};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use causeway_aws::{
    Aws, Credentials, Identity,
    endpoint::Endpoints,
    sign::{Scope, sign},
};
use causeway_core::authorizer::{Authorizer, ClaimMatch, CustomClaim};
use causeway_oidc::clock::Clock;
use http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use tokio::{net::TcpListener, sync::oneshot};
use url::Url;

use super::*;
use crate::{
    config::{AccessKey, AwsIam, CustomJwt, SecretSource},
    identity_provider::{self, IdentityProvider, Pool, discovery_url},
};

const START: u64 = 1_800_000_000;
const POOL: &str = "gateway";

/// An issuer and a gateway's authorizer that trusts it.
struct Setup {
    provider: IdentityProvider,
    base_url: Url,
    inbound: Inbound,
    now: Arc<AtomicU64>,
    /// Dropped, it stops the issuer.
    stop: oneshot::Sender<()>,
}

impl Setup {
    async fn new(rules: Authorizer) -> Self {
        let now = Arc::new(AtomicU64::new(START));
        let read = now.clone();
        let clock = Clock::from_fn(move || Duration::from_secs(read.load(Ordering::SeqCst)));
        let provider = IdentityProvider::new(vec![Pool { id: POOL.into(), ..Pool::default() }], clock.clone());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let base_url = identity_provider::base_url(listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(provider.clone().run(listener, async { drop(stopped.await) }));
        let inbound = inbound(discovery_url(&base_url, POOL), rules, clock);
        Self { provider, base_url, inbound, now, stop }
    }

    /// A token with the claims of a good one and these over them.
    fn token(&self, over: Value) -> String {
        let issuer = identity_provider::issuer(&self.base_url, POOL);
        let mut claims = json!({
            "sub": "alice", "client_id": "client", "token_use": "access", "scope": "mcp/read", "iss": issuer,
            "exp": START + 3600,
        });
        for (name, value) in over.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.provider.sign(POOL, &claims)
    }

    async fn call(&self, token: &str) -> Result<Arc<Caller>, Refusal> {
        authenticate(&self.inbound, bearer(token)).await
    }

    async fn reason(&self, over: Value) -> Result<String, Reason> {
        match self.call(&self.token(over)).await {
            Ok(caller) => Ok(caller.id.clone()),
            Err(refusal) => Err(refusal.reason()),
        }
    }
}

fn inbound(discovery_url: Url, rules: Authorizer, clock: Clock) -> Inbound {
    let jwt = CustomJwt { discovery_url, clock_skew: Duration::ZERO, rules };
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    Inbound::new(&config::Authorizer::CustomJwt(jwt), &sources(http, clock))
}

fn sources(http: reqwest::Client, clock: Clock) -> Sources {
    sources_at(Endpoints::public(), http, clock)
}

fn sources_at(endpoints: Endpoints, http: reqwest::Client, clock: Clock) -> Sources {
    let identity = Credentials::new("AKID", "hunter2", None, None, "test");
    let identity = Identity::from_provider(identity, None, clock.clone());
    let aws = Aws::new(http.clone(), identity, endpoints, clock.clone());
    Sources { http, aws, secret_refresh: Duration::from_secs(300), shared: crate::shared::Shared::none(), clock }
}

/// What comes of a request without a body.
async fn authenticate(inbound: &Inbound, headers: HeaderMap) -> Result<Arc<Caller>, Refusal> {
    let (mut head, ()) = http::Request::new(()).into_parts();
    head.headers = headers;
    inbound.authenticate(&head).await?.prove(&head, b"").await
}

fn bearer(token: &str) -> HeaderMap {
    HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {token}").parse().unwrap())])
}

fn rules() -> Authorizer {
    Authorizer {
        allowed_clients: vec!["client".into()],
        allowed_scopes: vec!["mcp/read".into(), "mcp/write".into()],
        custom_claims: vec![CustomClaim { name: "dept".into(), matches: ClaimMatch::Equals("it".into()) }],
        ..Authorizer::default()
    }
}

#[tokio::test]
async fn a_good_token_makes_a_caller() {
    let setup = Setup::new(Authorizer { custom_claims: vec![], ..rules() }).await;
    let caller = setup.call(&setup.token(json!({}))).await.unwrap();
    assert_eq!(caller.id, "alice");
    assert_eq!(caller.scopes().collect::<Vec<_>>(), ["mcp/read"]);
    assert_eq!(caller.claims()["client_id"], "client");
    assert_eq!(format!("{caller:?}"), r#"Caller { id: "alice", .. }"#);
    assert_eq!(setup.reason(json!({"sub": null})).await, Ok("client".into()));
}

#[tokio::test]
async fn each_bad_token_has_its_refusal() {
    let setup = Setup::new(rules()).await;
    let cases = [
        (json!({"dept": "it"}), Ok("alice".into())),
        (json!({"dept": "it", "exp": START}), Err(Reason::InvalidToken)),
        (json!({"dept": "it", "exp": null}), Err(Reason::InvalidToken)),
        (json!({"dept": "it", "nbf": START + 60}), Err(Reason::InvalidToken)),
        (json!({"dept": "it", "iss": "https://other.example"}), Err(Reason::InvalidToken)),
        (json!({"dept": "it", "client_id": "other"}), Err(Reason::InvalidToken)),
        (json!({"dept": "it", "token_use": "id"}), Err(Reason::InvalidToken)),
        (json!({"dept": "hr"}), Err(Reason::InvalidToken)),
        (json!({"dept": "hr", "scope": "mcp/admin"}), Err(Reason::InvalidToken)),
        (json!({"dept": "it", "scope": "mcp/admin"}), Err(Reason::InsufficientScope)),
        (json!({"dept": "it", "scope": null}), Err(Reason::InsufficientScope)),
    ];
    for (over, expected) in cases {
        assert_eq!(setup.reason(over.clone()).await, expected, "{over}");
    }
}

#[tokio::test]
async fn no_token_and_no_jwt_are_told_apart() {
    let setup = Setup::new(rules()).await;
    let missing = authenticate(&setup.inbound, HeaderMap::new()).await.unwrap_err();
    assert_eq!(missing.reason(), Reason::MissingToken);
    let challenge = missing.challenge("https://gateway.example/metadata").unwrap();
    let expected = r#"Bearer scope="mcp/read mcp/write", resource_metadata="https://gateway.example/metadata""#;
    assert_eq!(challenge, expected);
    for token in ["garbage", "a.b.c", ""] {
        assert_eq!(setup.call(token).await.unwrap_err().reason(), Reason::InvalidToken, "{token}");
    }
    let mut twice = bearer(&setup.token(json!({"dept": "it"})));
    twice.append(AUTHORIZATION, "Bearer x".parse().unwrap());
    assert_eq!(authenticate(&setup.inbound, twice).await.unwrap_err().reason(), Reason::InvalidToken);
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    let setup = Setup::new(Authorizer::default()).await;
    let good = setup.token(json!({}));
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let with_alg = |alg: &str| {
        let mut header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
        header["alg"] = json!(alg);
        URL_SAFE_NO_PAD.encode(header.to_string())
    };
    let keys = setup.base_url.join("gateway/.well-known/jwks.json").unwrap();
    let keys = reqwest::Client::builder().no_proxy().build().unwrap().get(keys).send().await.unwrap();
    let keys: Value = serde_json::from_str(&keys.text().await.unwrap()).unwrap();
    let public = URL_SAFE_NO_PAD.decode(keys["keys"][0]["n"].as_str().unwrap()).unwrap();
    let message = format!("{}.{payload}", with_alg("HS256"));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &public), message.as_bytes());
    let stranger = IdentityProvider::new(vec![Pool { id: POOL.into(), ..Pool::default() }], Clock::system());
    let issuer = identity_provider::issuer(&setup.base_url, POOL);
    let forged = [
        format!("{}.{payload}.", with_alg("none")),
        format!("{}.{payload}.{signature}", with_alg("none")),
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag)),
        format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode([0; 256])),
        stranger.sign(POOL, &json!({"sub": "alice", "iss": issuer, "exp": START + 3600})),
    ];
    for token in forged {
        assert_eq!(setup.call(&token).await.unwrap_err().reason(), Reason::InvalidToken, "{token}");
    }
    setup.call(&good).await.unwrap();
}

#[tokio::test]
async fn a_verified_token_is_remembered_until_it_expires() {
    let setup = Setup::new(Authorizer::default()).await;
    let token = setup.token(json!({"exp": START + 10}));
    let first = setup.call(&token).await.unwrap();
    setup.now.store(START + 9, Ordering::SeqCst);
    let second = setup.call(&token).await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    setup.now.store(START + 10, Ordering::SeqCst);
    assert_eq!(setup.call(&token).await.unwrap_err().reason(), Reason::InvalidToken);
}

#[tokio::test]
async fn keys_rotate_while_calls_run() {
    let setup = Setup::new(Authorizer::default()).await;
    let old = setup.token(json!({}));
    setup.call(&old).await.unwrap();
    setup.provider.rotate(POOL);
    setup.call(&setup.token(json!({}))).await.unwrap();
    setup.call(&old).await.unwrap();
}

#[tokio::test]
async fn a_dead_issuer_is_not_the_callers_fault() {
    // Whoever connects is hung up on.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            drop(connection);
        }
    });
    let url = discovery_url(&identity_provider::base_url(address), POOL);
    let inbound = inbound(url, rules(), Clock::from_fn(|| Duration::from_secs(START)));
    let setup = Setup::new(rules()).await;
    let refusal = authenticate(&inbound, bearer(&setup.token(json!({"dept": "it"})))).await.unwrap_err();
    assert_eq!(refusal.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refusal.retry_after().unwrap(), "5");
    assert_eq!(refusal.challenge("https://gateway.example/metadata"), None);
    // What cannot be good is refused all the same.
    assert_eq!(authenticate(&inbound, bearer("garbage")).await.unwrap_err().reason(), Reason::InvalidToken);
    let metadata = inbound.resource_metadata("https://gateway.example/mcp", None).await.unwrap();
    let issuer = identity_provider::issuer(&identity_provider::base_url(address), POOL);
    assert_eq!(metadata["authorization_servers"], json!([issuer]));
}

#[tokio::test]
async fn an_issuer_that_dies_later_stops_nobody_it_let_in() {
    let setup = Setup::new(Authorizer::default()).await;
    setup.call(&setup.token(json!({}))).await.unwrap();
    let other = setup.token(json!({"sub": "bob"}));
    drop(setup.stop);
    setup.now.store(START + 3599, Ordering::SeqCst);
    assert_eq!(authenticate(&setup.inbound, bearer(&other)).await.unwrap().id, "bob");
}

#[tokio::test]
async fn metadata_names_issuer_resource_and_scopes() {
    let resource = "https://gateway.example/mcp";
    let setup = Setup::new(rules()).await;
    let issuer = identity_provider::issuer(&setup.base_url, POOL);
    let expected = json!({
        "authorization_servers": [issuer], "resource": resource, "scopes_supported": ["mcp/read", "mcp/write"],
    });
    assert_eq!(setup.inbound.resource_metadata(resource, None).await, Some(expected));
    let setup = Setup::new(Authorizer::default()).await;
    let issuer = identity_provider::issuer(&setup.base_url, POOL);
    let expected = json!({"authorization_servers": [issuer], "resource": resource});
    assert_eq!(setup.inbound.resource_metadata(resource, None).await, Some(expected));
}

#[tokio::test]
async fn without_an_authorizer_everyone_is_anonymous() {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let inbound = Inbound::new(&config::Authorizer::None, &sources(http, Clock::system()));
    let caller = authenticate(&inbound, bearer("whatever")).await.unwrap();
    assert_eq!(*caller, Caller::anonymous());
    assert_eq!(caller.id, "anonymous");
    assert_eq!(inbound.resource_metadata("https://gateway.example/mcp", None).await, None);
}

/// A gateway that takes the signatures of Carol, whose secret AWS keeps.
struct Kept {
    inbound: Inbound,
    now: Arc<AtomicU64>,
    /// What AWS has; it has none if it is empty.
    secret: Arc<Mutex<&'static str>>,
}

impl Kept {
    async fn new(secret: &'static str) -> Self {
        let (now, secret) = (Arc::new(AtomicU64::new(START)), Arc::new(Mutex::new(secret)));
        let (read, kept) = (now.clone(), secret.clone());
        let answer = move || async move {
            match *kept.lock().unwrap() {
                "" => (StatusCode::BAD_REQUEST, json!({"__type": "AccessDeniedException"}).to_string()),
                "deleted" => (StatusCode::BAD_REQUEST, json!({"__type": "ResourceNotFoundException"}).to_string()),
                secret => (StatusCode::OK, json!({"SecretString": secret}).to_string()),
            }
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, Router::new().route("/", post(answer))).await });
        let reference = "arn:aws:secretsmanager:us-east-1:123456789012:secret:carol".parse().unwrap();
        let carol = AccessKey {
            access_key_id: "AKIACAROL".into(),
            secret_access_key: SecretSource::Aws { reference, json_key: None },
            principal: "arn:aws:iam::123456789012:user/carol".into(),
        };
        let iam = AwsIam {
            region: "us-east-1".into(),
            service: "bedrock-agentcore".into(),
            clock_skew: Duration::from_secs(300),
            host: None,
            access_keys: vec![carol],
            caller_identity: None,
        };
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let clock = Clock::from_fn(move || Duration::from_secs(read.load(Ordering::SeqCst)));
        let sources = sources_at(Endpoints::new(move |_| Some(url.clone())), http, clock);
        Self { inbound: Inbound::new(&config::Authorizer::AwsIam(iam), &sources), now, secret }
    }

    /// What comes of a request that is signed now with `secret`.
    async fn status(&self, secret: &str) -> u16 {
        let mut head = http::Request::get("https://tools.example.com/mcp").body(()).unwrap().into_parts().0;
        let (carol, scope) = (
            Credentials::new("AKIACAROL", secret, None, None, "test"),
            Scope { service: "bedrock-agentcore", region: "us-east-1" },
        );
        sign(&mut head, b"", &carol, scope, Duration::from_secs(self.now.load(Ordering::SeqCst))).unwrap();
        let claim = self.inbound.authenticate(&head).await.unwrap();
        claim.prove(&head, b"").await.map_or_else(|refusal| refusal.status().as_u16(), |_| 200)
    }
}

#[tokio::test]
async fn a_secret_that_changed_while_nobody_called_is_not_taken_once_more() {
    let kept = Kept::new("first").await;
    assert_eq!(kept.status("first").await, 200);
    *kept.secret.lock().unwrap() = "second";
    kept.now.store(START + 300, Ordering::SeqCst);
    assert_eq!(kept.status("first").await, 401);
    assert_eq!(kept.status("second").await, 200);
    *kept.secret.lock().unwrap() = "";
    kept.now.store(START + 900, Ordering::SeqCst);
    assert_eq!(kept.status("second").await, 200, "the secret of before serves while AWS does not give another");
    *kept.secret.lock().unwrap() = "deleted";
    kept.now.store(START + 1500, Ordering::SeqCst);
    assert_eq!(kept.status("second").await, 503, "and not once AWS says that there is none");
}

/// Whatever an issuer calls people, and whatever toolsets are called.
#[test]
fn no_two_endpoints_share_the_key_of_a_caller() {
    let called = |id: &str| Caller::from_claims(Map::from_iter([("sub".to_owned(), json!(id))]));
    let toolset = |name: &str| name.parse().unwrap();
    let alice = called("alice");
    assert_eq!((alice.id.as_str(), alice.key.as_str()), ("alice", "alice"));
    let at_ops = alice.at(&toolset("ops"));
    assert_eq!(at_ops.id, "alice");
    let impostors = ["\0ops\0alice", "\0\0ops\0alice", "ops\0alice", "\0"].map(called);
    let keys = [alice.key.clone(), at_ops.key, alice.at(&toolset("dev")).key, called("lice").at(&toolset("opsa")).key];
    let keys: Vec<String> = keys.into_iter().chain(impostors.map(|caller| caller.key)).collect();
    let different: std::collections::HashSet<&String> = keys.iter().collect();
    assert_eq!(different.len(), keys.len(), "{keys:?}");
}
