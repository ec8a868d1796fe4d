//! Lists that outlive the process: what a gateway starts with that has served before, and what of it does not count.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use causeway::config::{Config, Snapshot};
use causeway_core::catalog::Kind;
use http::Method;
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    fake_target::Speaks,
    harness::{Gateway, http_target},
    offering::Offering,
    serving::{self, Serve},
};

const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// Keeps lists in `directory`.
fn keep(config: &mut Config, directory: &Path) {
    config.state.snapshot = Some(Snapshot { directory: directory.to_owned(), max_age: WEEK });
}

/// A target with entries of all kinds, with spaces where nobody would write them.
fn offering(name: &'static str, speaks: Speaks) -> Offering {
    let lists = [
        (Kind::Tools, r#"[{"name":"x","inputSchema":{ "type":"object" },"vendor":0.10}]"#),
        (Kind::Prompts, r#"[{"name":"p" }]"#),
        (Kind::Resources, r#"[{"uri":"x:one","name":"one"}]"#),
        (Kind::Templates, r#"[{"uriTemplate":"x:{id}","name":"t"}]"#),
    ];
    Offering::start(name, speaks, &lists)
}

/// Everything that a client sees in lists and of the gateway itself, byte for byte.
async fn seen(gateway: &Gateway) -> Vec<String> {
    let mut seen = Vec::new();
    for alice in [gateway.caller("alice"), gateway.caller("alice").modern()] {
        for kind in Kind::ALL {
            seen.push(alice.request(kind.method(), json!({})).await.text().to_owned());
        }
        let about = if alice.is_modern() { "server/discover" } else { "initialize" };
        let params =
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}});
        seen.push(alice.request(about, if alice.is_modern() { json!({}) } else { params }).await.text().to_owned());
    }
    seen
}

fn file(directory: &Path) -> PathBuf {
    let mut files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let file = files.next().expect("there is a file");
    assert_eq!(files.next(), None, "and no other");
    file
}

async fn ready(gateway: &Gateway) -> (u16, Value) {
    let answer = Caller::new(&format!("{}/readyz", gateway.admin)).send(Method::GET, "").await;
    (answer.status.as_u16(), answer.json()["targets"].take())
}

#[tokio::test]
async fn lists_are_complete_from_the_start_though_every_target_is_down() {
    let state = tempfile::tempdir().unwrap();
    let directory = state.path().join("not/there/yet");
    let (mut one, mut two) = (offering("one", Speaks::Modern), offering("two", Speaks::Sessions));
    two.fake.describe(
        r#""capabilities":{"tools":{},"prompts":{},"resources":{"subscribe":true}},"instructions":"Ask twice.""#,
    );
    let targets = [one.target(), two.target()];
    let gateway = Gateway::start_with(targets.clone(), |config| keep(config, &directory)).await;
    let before = seen(&gateway).await;
    gateway.stop().await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file(&directory)), mode(&directory)), (0o600, 0o700));
    one.fake.down();
    two.fake.down();
    let gateway =
        Gateway::launch(crate::issuer::Issuer::start().await, targets, |config| keep(config, &directory)).await;
    assert_eq!(seen(&gateway).await, before);
    let (status, targets) = ready(&gateway).await;
    assert_eq!((status, &targets[0]["restored"], &targets[1]["restored"]), (200, &json!(true), &json!(true)));
    assert!(targets[0]["listedSecondsAgo"].is_u64());
    gateway.target_where("one", |target| target.word() == "failed").await;
    gateway.target_where("two", |target| target.word() == "failed").await;
    assert_eq!(seen(&gateway).await, before, "that they cannot be listed now changes nothing");
    let failed = gateway.caller("alice").call("one___x", json!({})).await;
    assert_eq!(failed["_meta"]["causeway/error"]["target"], "one", "{failed}");
    // It is back, with something else.
    one.list(Kind::Tools, r#"[{"name":"y"}]"#);
    one.fake.up();
    gateway.target_where("one", |target| target.word() == "listed" && !target.restored).await;
    assert_eq!(gateway.caller("alice").tools().await, ["one___y", "two___x"]);
    gateway.stop().await.unwrap();
    let text = fs::read_to_string(file(&directory)).unwrap();
    assert!(text.contains(r#"{"name":"y"}"#) && text.contains(r#""vendor":0.10"#), "{text}");
}

#[tokio::test]
async fn lists_count_for_the_same_server_alone() {
    let state = tempfile::tempdir().unwrap();
    let (one, two) = (offering("one", Speaks::Modern), offering("two", Speaks::Modern));
    let gateway = Gateway::start_with([one.target(), two.target()], |config| keep(config, state.path())).await;
    gateway.stop().await.unwrap();
    let (mut held, mut other) = (one, offering("other", Speaks::Modern));
    held.fake.down();
    other.fake.down();
    // The first is the same under another bound and with other names, the second is elsewhere, the third is new.
    let targets = [held.target(), http_target("two", &other.fake.endpoint()), http_target("new", &two.fake.endpoint())];
    let gateway = Gateway::start_with(targets, |config| {
        keep(config, state.path());
        config.limits.target_calls = 3;
        config.targets[0].resource_priority = 4;
    })
    .await;
    gateway.target_where("new", |target| target.word() == "listed").await;
    assert_eq!(gateway.caller("alice").tools().await, ["one___x", "new___x"]);
}

#[tokio::test]
async fn what_is_too_old_or_for_one_caller_alone_counts_for_nothing() {
    let state = tempfile::tempdir().unwrap();
    let mut t = Offering::start(
        "t",
        Speaks::Modern,
        &[(Kind::Tools, r#"[{"name":"x"}]"#), (Kind::Prompts, r#"[{"name":"p"}]"#)],
    );
    t.list_with(Kind::Prompts, r#"[{"name":"p"}]"#, r#","cacheScope":"private""#);
    let gateway = Gateway::start_with([t.target()], |config| keep(config, state.path())).await;
    gateway.stop().await.unwrap();
    t.fake.down();
    let tools_after = async |age: Duration| {
        let issuer = crate::issuer::Issuer::start().await;
        issuer.clock.advance(age);
        let gateway = Gateway::launch(issuer, [t.target()], |config| keep(config, state.path())).await;
        gateway.target_where("t", |target| target.error.is_some()).await;
        let (tools, alice) = (gateway.caller("alice").tools().await.len(), gateway.caller("alice"));
        let prompts = alice.request("prompts/list", json!({})).await;
        assert!(!prompts.text().contains(r#""name""#), "{}", prompts.text());
        // Not in order, so that it writes nothing.
        drop(gateway);
        tools
    };
    assert_eq!(tools_after(WEEK / 2).await, 1);
    assert_eq!(tools_after(WEEK + Duration::from_secs(60)).await, 0);
}

/// A program whose lists were kept, or are to be kept, in a way that does not work: it says so once and serves.
#[tokio::test]
async fn a_file_that_is_no_good_is_said() {
    let a = serving::offering("a");
    let text = serving::text(&["state.directory = \"state\"\n", &serving::target("a", &a.fake.endpoint())].concat());
    let start = async |prepare: &dyn Fn(&Path)| {
        Serve::start(|directory| {
            prepare(directory);
            let file = directory.join("config.toml");
            fs::write(&file, &text).unwrap();
            file
        })
        .await
    };
    // Where the directory should be is a file.
    let mut serve = start(&|directory| fs::write(directory.join("state"), "").unwrap()).await;
    serve.line("what the targets list cannot be kept in").await;
    assert_eq!(serve.tools().await, ["a___x"]);
    let mut serve = start(&|_| ()).await;
    assert_eq!(serve.until_listed().await, ["a___x"]);
    serve.end().await;
    let kept = file(&serve.directory.path().join("state"));
    for (content, why) in
        [("{\"form", "it is broken"), (r#"{"format":"x","version":1}"#, "it is none of this program's")]
    {
        fs::write(&kept, content).unwrap();
        let mut again = serve.again().await;
        again.line(why).await;
        assert_eq!(again.until_listed().await, ["a___x"]);
        again.end().await;
        assert!(fs::read_to_string(&kept).unwrap().contains(r#"{"name":"x"}"#), "it is whole again");
    }
}
