//! An issuer with a token endpoint, a discovery document and a secret that AWS keeps, on a real socket. What it answers, and
//! when, a test says.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use causeway_aws::{Aws, Identity, endpoint::Endpoints};
use causeway_oidc::clock::Clock;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};
use url::Url;

use crate::{
    config::{self, ClientAuthentication, TokenEndpoint},
    credentials::{Credential, CredentialError},
    secret::Secret,
    stored::Sources,
};

const START: u64 = 1_800_000_000;
pub(super) const SECRET: &str = "hunter2:+/%&=é ";

/// What the endpoint answers.
pub(super) enum Behaviour {
    /// `token-1`, `token-2`, ... with this `expires_in`.
    Grant(Value),
    Answer(StatusCode, &'static str, String),
}

pub(super) struct FakeIssuer {
    pub(super) url: Url,
    behaviour: Mutex<Behaviour>,
    /// Header `Authorization` and form of each token request.
    pub(super) requests: Mutex<Vec<(String, BTreeMap<String, String>)>>,
    /// What AWS keeps: it refuses to tell if it is none.
    pub(super) kept: Mutex<Option<&'static str>>,
    /// How often it was asked for that.
    pub(super) read: AtomicU64,
    /// How many token requests have arrived.
    pub(super) arrived: watch::Sender<usize>,
    /// Answers wait until it is false.
    pub(super) held: watch::Sender<bool>,
    now: Arc<AtomicU64>,
}

impl FakeIssuer {
    pub(super) async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = Arc::new(Self {
            url: format!("http://{}", listener.local_addr().unwrap()).parse().unwrap(),
            behaviour: Behaviour::Grant(json!(3600)).into(),
            requests: Mutex::default(),
            kept: Mutex::default(),
            read: AtomicU64::new(0),
            arrived: watch::Sender::new(0),
            held: watch::Sender::new(false),
            now: Arc::new(AtomicU64::new(START)),
        });
        let router = Router::new()
            .route("/token", post(token))
            .route("/aws", post(aws))
            .route("/.well-known/openid-configuration", get(discovery))
            .with_state(issuer.clone());
        tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        issuer
    }

    pub(super) fn config(&self) -> config::ClientCredentials {
        config::ClientCredentials {
            token_endpoint: TokenEndpoint::Url(self.url.join("/token").unwrap()),
            client_id: "client".into(),
            client_secret: Secret::new(SECRET).into(),
            scopes: vec![],
            client_authentication: ClientAuthentication::Basic,
            custom_parameters: BTreeMap::new(),
        }
    }

    pub(super) fn credential(&self) -> Credential {
        self.credential_by(self.config())
    }

    pub(super) fn credential_by(&self, config: config::ClientCredentials) -> Credential {
        let config = config::Credential::ClientCredentials(config);
        Credential::new(&"logs".parse().unwrap(), &config, &self.sources())
    }

    /// Whoever asks AWS for something is answered like those who ask for tokens.
    pub(super) fn sources(&self) -> Sources {
        let clock = self.clock();
        let identity = causeway_aws::Credentials::new("AKID", "hunter2", None, None, "test");
        let identity = Identity::from_provider(identity, Some("us-east-1".into()), clock.clone());
        let url = self.url.clone();
        let endpoints = Endpoints::new(move |_| Some(url.join("/aws").unwrap().into()));
        let aws = Aws::new(http(), identity, endpoints, clock.clone());
        Sources {
            http: http(),
            aws,
            secret_refresh: Duration::from_secs(300),
            shared: crate::shared::Shared::none(),
            clock,
        }
    }

    fn clock(&self) -> Clock {
        let now = self.now.clone();
        Clock::from_fn(move || Duration::from_secs(now.load(Ordering::SeqCst)))
    }

    pub(super) fn becomes(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    pub(super) fn breaks(&self) {
        self.becomes(Behaviour::Answer(StatusCode::BAD_GATEWAY, "text/html", "<html>".into()));
    }

    pub(super) fn at(&self, seconds: u64) {
        self.now.store(START + seconds, Ordering::SeqCst);
    }

    pub(super) fn asked(&self) -> usize {
        *self.arrived.borrow()
    }

    /// Until so many token requests have arrived.
    pub(super) async fn has_been_asked(&self, times: usize) {
        self.arrived.subscribe().wait_for(|arrived| *arrived >= times).await.unwrap();
    }

    /// `error` as text, with a host that does not change.
    pub(super) fn text(&self, error: &CredentialError) -> String {
        error.to_string().replace(self.url.as_str(), "http://issuer/")
    }
}

async fn discovery(State(issuer): State<Arc<FakeIssuer>>) -> String {
    json!({"issuer": "https://issuer.example", "token_endpoint": issuer.url.join("/token").unwrap()}).to_string()
}

async fn aws(State(issuer): State<Arc<FakeIssuer>>) -> Response {
    issuer.read.fetch_add(1, Ordering::SeqCst);
    match *issuer.kept.lock().unwrap() {
        Some(secret) => json!({"SecretString": json!({"value": secret}).to_string()}).to_string().into_response(),
        None => (StatusCode::BAD_REQUEST, r#"{"__type":"ResourceNotFoundException","Message":"gone"}"#).into_response(),
    }
}

async fn token(State(issuer): State<Arc<FakeIssuer>>, headers: HeaderMap, body: Bytes) -> Response {
    let authorization = headers.get("authorization").map_or("", |value| value.to_str().unwrap()).to_owned();
    let form = url::form_urlencoded::parse(&body).into_owned().collect();
    issuer.requests.lock().unwrap().push((authorization, form));
    let mut number = 0;
    issuer.arrived.send_modify(|arrived| {
        *arrived += 1;
        number = *arrived;
    });
    issuer.held.subscribe().wait_for(|held| !held).await.unwrap();
    match &*issuer.behaviour.lock().unwrap() {
        Behaviour::Grant(expires_in) => {
            let name = format!("token-{number}");
            let granted = json!({"access_token": name, "token_type": "Bearer", "expires_in": expires_in});
            ([(CONTENT_TYPE, "application/json")], granted.to_string()).into_response()
        }
        Behaviour::Answer(status, content_type, body) => {
            (*status, [(CONTENT_TYPE, *content_type)], body.clone()).into_response()
        }
    }
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}
