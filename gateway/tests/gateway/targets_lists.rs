//! Lists of targets: all pages, bounds, what is left out, what is kept when a listing fails, and who waits for whom.

use std::time::Duration;

use causeway_core::{catalog::Kind, wire::ObjectEdit};
use causeway_servers::Sample;
use tokio_util::sync::CancellationToken;

use crate::{
    fake_target::{Asked, FakeTarget, Speaks, events, json, status, success},
    harness::{Gateway, http_target},
    sample::Server,
    targets_child::scripted,
    targets_client::{self, Client},
};

/// The page after `cursor`, a number; `next` gives the cursor after it.
fn page(asked: &Asked, next: impl Fn(usize) -> Option<String>) -> axum::http::Response<axum::body::Body> {
    let params = ObjectEdit::parse(&asked.params).unwrap();
    let cursor: Option<String> = params.get("cursor").map(|cursor| serde_json::from_str(cursor).unwrap());
    let at: usize = cursor.map_or(0, |cursor| cursor.strip_prefix("page é").unwrap().parse().unwrap());
    let next = next(at).map(|cursor| format!(r#","nextCursor":"{cursor}""#)).unwrap_or_default();
    json(200, success(&asked.id, &format!(r#"{{"tools":[{{"name":"tool{at}"}}]{next}}}"#)))
}

#[tokio::test]
async fn all_pages_are_followed() {
    for speaks in [Speaks::Modern, Speaks::Sessions] {
        let fake = FakeTarget::start(speaks);
        fake.on("tools/list", |asked| async move { page(&asked, |at| (at < 9).then(|| format!("page é{}", at + 1))) });
        let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
        let tools = Client::new(&gateway, targets_client::Speaks::Session).await.list().await;
        assert_eq!(tools, (0..10).map(|at| format!("t___tool{at}")).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn lists_without_an_end_are_given_up() {
    let fake = FakeTarget::start(Speaks::Modern);
    let error = async |next: fn(usize) -> Option<String>| {
        fake.on("tools/list", move |asked| async move { page(&asked, next) });
        let gateway =
            Gateway::start_with([http_target("t", &fake.endpoint())], |config| config.limits.catalog_pages = 20).await;
        gateway.target_where("t", |target| target.tried).await.error_text().unwrap()
    };
    assert_eq!(
        error(|at| Some(format!("page é{}", at + 1))).await,
        "target `t` sent a list without an end: it has more than 20 pages (`limits.catalog_pages`)"
    );
    assert_eq!(
        error(|at| Some(format!("page é{}", (at + 1) % 3))).await,
        "target `t` sent a list without an end: a cursor came twice"
    );
}

#[tokio::test]
async fn a_failed_listing_keeps_the_last_list() {
    let fake = FakeTarget::start(Speaks::Sessions);
    let gateway = Gateway::start_with([http_target("t", &fake.endpoint())], |config| {
        config.limits.refresh = Duration::from_secs(1)
    })
    .await;
    let client = Client::new(&gateway, targets_client::Speaks::Modern).await;
    assert_eq!(client.list().await, ["t___echo"]);
    fake.on("tools/list", |_| async { status(500) });
    gateway.target_where("t", |target| target.error.is_some()).await;
    assert_eq!(client.list().await, ["t___echo"]);
    client.call("t___echo", "{}").await.ok();
    fake.offer(r#"[{"name":"other"}]"#);
    fake.usual("tools/list");
    gateway.target_where("t", |target| target.error.is_none()).await;
    assert_eq!(client.list().await, ["t___other"]);
    let got = client.call("t___echo", "{}").await;
    assert!(got.answer.contains("Unknown tool: t___echo"), "{}", got.answer);
}

#[tokio::test]
async fn strange_names_are_reached_and_tools_without_one_left_out() {
    let fake = FakeTarget::start(Speaks::Modern);
    fake.offer(r#"[{"name":"a___b"},{"name":"___"},{"name":"日本 é"},{"x":1},7,{"name":"a___b","twice":1},{"name":""},{"name":"q\"\\ "}]"#);
    let other = FakeTarget::start(Speaks::Sessions);
    other.offer(r#"[{"name":"a___b"}]"#);
    let gateway = Gateway::start([http_target("t", &fake.endpoint()), http_target("a", &other.endpoint())]).await;
    let names = ["t___a___b", "t______", "t___日本 é", "t___", "t___q\"\\ ", "a___a___b"];
    for speaks in [targets_client::Speaks::Modern, targets_client::Speaks::Session] {
        let client = Client::new(&gateway, speaks).await;
        assert_eq!(client.list().await, names);
        for name in names {
            let got = client.call(name, "{}").await.ok();
            let own = serde_json::Value::from(name.split_once("___").unwrap().1);
            assert!(got.answer.contains(&format!(r#""name":{own}"#)), "{}", got.answer);
        }
    }
    let encoded = fake
        .asked("tools/call")
        .iter()
        .map(|asked| asked.headers["mcp-name"].to_str().unwrap().to_owned())
        .collect::<Vec<_>>();
    assert!(encoded.contains(&"=?base64?5pel5pysIMOp?=".to_owned()), "{encoded:?}");
}

#[tokio::test]
async fn a_slow_target_delays_nobody() {
    let fake = FakeTarget::start(Speaks::Modern);
    let gate = CancellationToken::new();
    let closed = gate.clone();
    fake.on("tools/list", move |asked| {
        let gate = closed.clone();
        async move {
            gate.cancelled().await;
            json(200, success(&asked.id, r#"{"tools":[{"name":"late"}]}"#))
        }
    });
    let server = Server::start(Sample::Hello).await;
    let issuer = crate::issuer::Issuer::start().await;
    let targets = [http_target("slow", &fake.endpoint()), server.target()];
    let gateway = Gateway::launch(issuer, targets, |_| ()).await;
    gateway.target_where("hello", |target| target.tried).await;
    fake.until_asked(|asked| asked.method == "tools/list").await;
    let client = Client::new(&gateway, targets_client::Speaks::Session).await;
    assert_eq!(client.list().await, ["hello___greet_user"]);
    client.call("hello___greet_user", r#"{"name":"Alice"}"#).await.ok();
    let ready = gateway.anonymous().get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["targets"][0]["state"], "pending");
    gate.cancel();
    gateway.ready().await;
    assert_eq!(client.list().await, ["slow___late", "hello___greet_user"]);
}

const LOG: &str = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}"#;
const CHANGED: &str = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;

/// News of lists is for the gateway; log messages are for clients that get them in their era.
#[tokio::test]
async fn what_a_target_says_besides_its_answer_goes_to_whom_it_concerns() {
    for speaks in [Speaks::Modern, Speaks::Sessions] {
        let fake = FakeTarget::start(speaks);
        fake.on("tools/call", |asked| async move {
            let answer = success(&asked.id, r#"{"content":[]}"#);
            events([LOG, CHANGED, &answer].map(|message| Ok(message.to_owned())))
        });
        let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
        fake.offer(r#"[{"name":"new"}]"#);
        let legacy = Client::new(&gateway, targets_client::Speaks::Session).await;
        assert_eq!(legacy.call("t___echo", "{}").await.ok().notifications, [LOG]);
        gateway.view_where(|view| view.catalog.route(Kind::Tools, "t___new").is_ok()).await;
        let modern = Client::new(&gateway, targets_client::Speaks::Modern).await;
        let nothing: [&str; 0] = [];
        assert_eq!(modern.call("t___new", "{}").await.ok().notifications, nothing, "it asked for none");
    }
}

#[tokio::test]
async fn a_child_that_says_so_is_listed_again() {
    let gateway = Gateway::start([scripted("t", "legacy", &["more_tools"])]).await;
    let client = Client::new(&gateway, targets_client::Speaks::Session).await;
    assert_eq!(client.list().await, ["t___more_tools"]);
    client.call("t___more_tools", "{}").await.ok();
    gateway.target_where("t", |target| target.count(Kind::Tools) == Some(2)).await;
    assert_eq!(client.list().await, ["t___one", "t___new"]);
}
