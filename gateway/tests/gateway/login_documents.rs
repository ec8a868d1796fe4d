//! Clients that publish a document about themselves: what is taken of it, and what is not.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use causeway::config::ClientDocuments;
use futures::future::join_all;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    harness::Gateway,
    login_client::{Client, LOOPBACK, WEB, browser, gateway_with, settings},
};

/// A web site on which a client has published a document.
struct Site {
    id: String,
    shown: Arc<Shown>,
}

/// Publishes something else.
type Publish = fn(&Site);

#[derive(Default)]
struct Shown {
    body: Mutex<(StatusCode, String, String)>,
    reads: AtomicUsize,
}

impl Site {
    async fn start() -> Self {
        let shown = Arc::<Shown>::default();
        let router = Router::new().route("/client.json", get(document)).with_state(shown.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let id = format!("http://{}/client.json", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let site = Self { id, shown };
        site.publish(&site.document());
        site
    }

    /// A good one.
    fn document(&self) -> Value {
        json!({
            "client_id": self.id, "client_name": "<b>Editor</b> & more", "redirect_uris": ["http://127.0.0.1/callback", WEB],
            "token_endpoint_auth_method": "none",
        })
    }

    fn publish(&self, document: &Value) {
        self.answer(StatusCode::OK, "application/json", &document.to_string());
    }

    /// The good one with another value of a member.
    fn publish_with(&self, name: &str, value: Value) {
        let mut document = self.document();
        document[name] = value;
        self.publish(&document);
    }

    fn answer(&self, status: StatusCode, kind: &str, body: &str) {
        *self.shown.body.lock().unwrap() = (status, kind.to_owned(), body.to_owned());
    }

    fn reads(&self) -> usize {
        self.shown.reads.load(Ordering::SeqCst)
    }

    fn client(&self, redirect_uri: &str) -> Client {
        Client::new(redirect_uri).with("client_id", &self.id)
    }
}

async fn document(State(shown): State<Arc<Shown>>) -> impl IntoResponse {
    shown.reads.fetch_add(1, Ordering::SeqCst);
    let (status, kind, body) = shown.body.lock().unwrap().clone();
    (status, [("content-type", kind), ("location", "http://127.0.0.1:1/".to_owned())], body)
}

async fn gateway() -> Gateway {
    gateway_with(|config| settings(config).client_documents = ClientDocuments::Local).await
}

#[tokio::test]
async fn a_published_client_logs_its_user_in() {
    let (gateway, site) = (gateway().await, Site::start().await);
    let client = site.client(LOOPBACK);
    let page = client.ask(&mut browser(&gateway)).await;
    let shown = "<dd>A client published by 127.0.0.1</dd><dt>It calls itself</dt>\
                 <dd><bdi>&lt;b&gt;Editor&lt;/b&gt; &amp; more</bdi></dd>";
    assert!(page.text.contains(shown), "{}", page.text);
    assert!(!page.text.contains("<b>Editor"), "{}", page.text);
    let code = client.code(&gateway).await;
    let answer = client.redemption(&code).post(&gateway, "/login/token").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let other = client.redemption(&client.code(&gateway).await).with("client_id", "people");
    assert_eq!(other.post(&gateway, "/login/token").await.status, 400, "it was given to the published client");
}

#[tokio::test]
async fn it_is_read_once_for_all() {
    let (gateway, site) = (gateway().await, Site::start().await);
    let pages =
        join_all((0..20).map(|_| async { site.client(LOOPBACK).ask(&mut browser(&gateway)).await.status })).await;
    assert!(pages.iter().all(|status| *status == 200), "{pages:?}");
    assert_eq!(site.reads(), 1);
}

#[tokio::test]
async fn a_login_ends_only_where_the_document_and_the_gateway_say() {
    let (gateway, site) = (gateway().await, Site::start().await);
    let mut document = site.document();
    document["redirect_uris"].as_array_mut().unwrap().push("https://editor.example/callback".into());
    site.publish(&document);
    for (uri, allowed) in [
        (LOOPBACK, true),
        ("http://127.0.0.1:1/callback", true),
        (WEB, true),
        ("http://127.0.0.1:1/other", false),
        ("http://localhost/callback", false),
        ("https://editor.example/callback", false),
        ("cursor://anysphere.cursor-mcp/oauth/callback", false),
    ] {
        let page = site.client(uri).ask(&mut browser(&gateway)).await;
        assert_eq!(page.status.as_u16(), if allowed { 200 } else { 400 }, "{uri}");
    }
}

#[tokio::test]
async fn a_document_that_is_none_is_not_taken() {
    let cases: [(&str, Publish); 9] = [
        ("of another client", |site| site.publish_with("client_id", json!("http://127.0.0.1/other.json"))),
        ("with a secret", |site| site.publish_with("client_secret", json!("secret"))),
        ("that proves itself", |site| site.publish_with("token_endpoint_auth_method", json!("private_key_jwt"))),
        ("without a place", |site| site.publish_with("redirect_uris", json!("http://127.0.0.1/callback"))),
        ("that is missing", |site| {
            site.answer(StatusCode::NOT_FOUND, "application/json", &site.document().to_string())
        }),
        ("that is elsewhere", |site| site.answer(StatusCode::FOUND, "application/json", &site.document().to_string())),
        ("that is a page", |site| site.answer(StatusCode::OK, "text/html", &site.document().to_string())),
        ("that is no JSON", |site| site.answer(StatusCode::OK, "application/json", "<html>")),
        ("that is long", |site| site.publish_with("client_uri", json!("x".repeat(11_000)))),
    ];
    let gateway = gateway().await;
    for (what, publish) in cases {
        let site = Site::start().await;
        publish(&site);
        let page = site.client(LOOPBACK).ask(&mut browser(&gateway)).await;
        assert!(page.status == 400 && page.text.contains("<code>invalid_client</code>"), "a document {what}: {page:?}");
        assert!(!page.text.contains(&site.id), "what the gateway saw there is not told");
        assert_eq!(site.client(LOOPBACK).ask(&mut browser(&gateway)).await.status, 400);
        assert_eq!(site.reads(), 1, "a document {what} is not asked for again at once");
    }
}

/// A stranger cannot make the gateway reach into its own network: not so much as a connection comes of it.
#[tokio::test]
async fn only_the_internet_is_read() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&connections);
    // It counts and hangs up: who has connected waits for no more, and is counted before it knows.
    tokio::spawn(async move {
        while let Ok(connection) = listener.accept().await {
            counting.fetch_add(1, Ordering::SeqCst);
            drop(connection);
        }
    });
    let ids = [
        "http://127.0.0.1",
        "https://127.0.0.1",
        "https://localhost",
        "https://[::1]",
        "https://localhost.localdomain",
    ];
    for (documents, are_reached) in
        [(ClientDocuments::Public, false), (ClientDocuments::Off, false), (ClientDocuments::Local, true)]
    {
        let gateway = gateway_with(|config| settings(config).client_documents = documents).await;
        for id in &ids[..3] {
            let before = connections.load(Ordering::SeqCst);
            let client = Client::new(LOOPBACK).with("client_id", &format!("{id}:{port}/client.json"));
            assert_eq!(client.ask(&mut browser(&gateway)).await.status, 400);
            assert_eq!(connections.load(Ordering::SeqCst) > before, are_reached, "{documents:?} {id}");
        }
        // Not everywhere do these lead here.
        for id in &ids[3..] {
            let client = Client::new(LOOPBACK).with("client_id", &format!("{id}:{port}/client.json"));
            assert_eq!(client.ask(&mut browser(&gateway)).await.status, 400);
        }
        assert!(are_reached || connections.load(Ordering::SeqCst) == 0, "{documents:?}");
    }
}
