//! A configuration in the place of the one before, as the targets meet it: who is kept, who comes, who goes, and when.

use std::{path::Path, time::Duration};

use causeway::{
    config::{Target, Transport},
    reload::Outcome,
};
use causeway_core::catalog::Kind;
use causeway_servers::Sample;
use nix::{errno::Errno, sys::signal::kill, unistd::Pid};
use serde_json::json;

use crate::{
    controlled_target::ControlledTarget,
    fake_target::Speaks,
    harness::{Gateway, http_target, stdio_target},
    offering::Offering,
    sample::CAUSEWAY,
};

const ONE_TOOL: [(Kind, &str); 1] = [(Kind::Tools, r#"[{"name":"x"}]"#)];

fn offering(name: &'static str) -> Offering {
    Offering::start(name, Speaks::Sessions, &ONE_TOOL)
}

#[tokio::test]
async fn what_is_the_same_is_kept_as_it_is() {
    let (kept, other) = (offering("kept"), offering("other"));
    let gateway = Gateway::start([kept.target()]).await;
    let alice = gateway.caller("alice");
    alice.call("kept___x", json!({})).await;
    let sessions = || kept.fake.asked("initialize").len();
    let opened = sessions();
    let outcome = gateway.reload(|config| config.targets.push(other.target())).await;
    assert_eq!(outcome, Outcome::Applied);
    assert_eq!(alice.tools().await, ["kept___x", "other___x"]);
    alice.call("other___x", json!({})).await;
    // Another name for clients, another bound: it is the same server in the same session.
    gateway
        .reload(|config| {
            config.limits.target_calls = 7;
            config.targets[0].resource_priority = 3;
            config.targets[0].edits = edits("tools.rename = { x = \"y\" }");
        })
        .await;
    assert_eq!(alice.tools().await, ["kept___y", "other___x"]);
    alice.call("kept___y", json!({})).await;
    assert_eq!(sessions(), opened, "no session was opened anew");
    assert!(kept.fake.asked("DELETE").is_empty(), "and none ended");
    assert_eq!(gateway.reload(|_| ()).await, Outcome::Unchanged);
    assert_eq!(gateway.standing.borrow().generation, 3);
}

/// Which of its lists clients see, as this part of a target's table says.
fn edits(text: &str) -> std::sync::Arc<causeway_core::catalog::Edits> {
    let target = format!("name = \"t\"\nhttp.endpoint = \"http://127.0.0.1:1/mcp\"\n{text}");
    crate::harness::resolve(&format!("authorizer = \"none\"\n[[targets]]\n{target}")).targets[0].edits.clone()
}

#[tokio::test]
async fn targets_come_and_go_and_change_their_names_and_places() {
    let (one, two) = (offering("one"), offering("two"));
    let gateway = Gateway::start([one.target()]).await;
    let alice = gateway.caller("alice");
    gateway.reload(|config| config.targets = vec![two.target(), one.target()]).await;
    assert_eq!(alice.tools().await, ["two___x", "one___x"], "in the order of the file");
    gateway.reload(|config| config.targets[1].name = "renamed".parse().unwrap()).await;
    assert_eq!(alice.tools().await, ["two___x", "renamed___x"]);
    alice.call("renamed___x", json!({})).await;
    let asked = two.fake.asked("tools/call").len();
    gateway.reload(|config| config.targets[1] = http_target("renamed", &two.fake.endpoint())).await;
    alice.call("renamed___x", json!({})).await;
    assert_eq!(two.fake.asked("tools/call").len(), asked + 1, "the name leads elsewhere");
    gateway.reload(|config| drop(config.targets.remove(1))).await;
    assert_eq!(alice.tools().await, ["two___x"]);
    let gone = alice.try_call("renamed___x", json!({})).await;
    assert_eq!(gone.refusal(), (200, -32602), "nobody knows it any more");
    one.fake.until_asked(|asked| asked.method == "DELETE").await;
}

/// While the new target keeps its list to itself, clients see what they saw.
#[tokio::test]
async fn lists_are_complete_at_every_moment() {
    let (old, new) = (offering("old"), ControlledTarget::that_holds_its_list().await);
    let gateway = Gateway::start([old.target()]).await;
    let alice = gateway.caller("alice");
    let mut standing = gateway.standing.clone();
    let target = new.target("new");
    gateway.want(|config| config.targets.insert(0, target)).await;
    // It was asked for its list by then, and the configuration of before is in effect.
    gateway.want(|config| config.gateway.instructions = Some("later".into())).await;
    assert_eq!((alice.tools().await, standing.borrow().generation), (vec!["old___x".to_owned()], 1));
    new.let_list();
    standing.wait_for(|standing| standing.generation >= 2).await.unwrap();
    assert_eq!(alice.tools().await[..2], ["new___echo", "new___wait"]);
    standing.wait_for(|standing| standing.generation == 3).await.unwrap();
}

#[tokio::test]
async fn a_new_target_that_is_down_keeps_no_change_from_taking_effect() {
    let (old, mut down) = (offering("old"), offering("down"));
    down.fake.down();
    let gateway = Gateway::start([old.target()]).await;
    gateway.reload(|config| config.targets.push(down.target())).await;
    let view = gateway.view_where(|view| view.targets.len() == 2).await;
    assert!(view.is_complete(), "it was asked, and could not be listed");
    assert_eq!(gateway.caller("alice").tools().await, ["old___x"]);
    down.fake.up();
    gateway.target_where("down", |target| target.word() == "listed").await;
    assert_eq!(gateway.caller("alice").tools().await, ["old___x", "down___x"]);
}

/// With another credential it is the same server; at another place it is another one.
#[tokio::test]
async fn a_changed_target_keeps_its_lists_only_if_it_is_the_same_server() {
    let mut t = offering("t");
    let gateway = Gateway::start([t.target()]).await;
    let alice = gateway.caller("alice");
    t.fake.down();
    let key = causeway::config::ApiKey {
        key: causeway::secret::Secret::new("k").into(),
        location: causeway::config::ApiKeyLocation::Header("x-api-key".parse().unwrap()),
        prefix: String::new(),
    };
    gateway.reload(|config| config.targets[0].credential = causeway::config::Credential::ApiKey(key)).await;
    assert_eq!(alice.tools().await, ["t___x"]);
    let other = {
        let mut other = offering("other");
        other.fake.down();
        other
    };
    gateway.reload(|config| move_to(&mut config.targets[0], &other.fake.endpoint())).await;
    assert!(alice.tools().await.is_empty(), "of the server that is there now nothing is known");
}

fn move_to(target: &mut Target, endpoint: &str) {
    let Transport::Http(http) = &mut target.transport else { panic!("by HTTP") };
    http.endpoint = endpoint.parse().unwrap();
}

/// Both targets are gone from the configuration while a call runs in each; the child process ends with its call.
#[tokio::test]
async fn calls_under_way_end_normally_on_a_target_that_is_taken_out() {
    let lab = ControlledTarget::start().await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pid");
    // The shell becomes the server, so that the id it wrote is the server's.
    let script = format!("echo $$ > '{}'; exec '{CAUSEWAY}' sample {} --stdio", file.display(), Sample::Hello);
    let hello = stdio_target("hello", &["sh", "-c", &script]);
    let gateway = Gateway::start([lab.target("lab"), hello, lab.target("other")]).await;
    let alice = gateway.caller("alice");
    alice.call("hello___greet_user", json!({"name": "Alice"})).await;
    let (calls, child) = ([alice.clone(), alice.clone()], pid(&file));
    let [whole, stream] = calls;
    let whole = tokio::spawn(async move { whole.call("lab___wait", json!({})).await });
    let stream = tokio::spawn(async move { stream.call("lab___watch", json!({})).await });
    lab.arrival().await;
    lab.arrival().await;
    gateway.reload(|config| drop(config.targets.drain(..2))).await;
    assert_eq!(alice.try_call("lab___wait", json!({})).await.refusal(), (200, -32602), "no new calls");
    lab.release();
    lab.release();
    for call in [whole, stream] {
        assert_eq!(call.await.unwrap()["content"][0]["text"], "waited");
    }
    while kill(child, None) != Err(Errno::ESRCH) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn pid(file: &Path) -> Pid {
    Pid::from_raw(std::fs::read_to_string(file).unwrap().trim().parse().unwrap())
}

/// A bound that shrinks counts for what comes next.
#[tokio::test]
async fn bounds_of_targets_change() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start([lab.target("lab")]).await;
    let alice = gateway.caller("alice");
    let (mut running, waits) =
        (Vec::new(), |caller: crate::caller::Caller| async move { caller.call("lab___wait", json!({})).await });
    for _ in 0..2 {
        running.push(tokio::spawn(waits(alice.clone())));
        lab.arrival().await;
    }
    gateway
        .reload(|config| {
            config.limits.target_calls = 1;
            config.limits.target_queue = 0;
        })
        .await;
    running.push(tokio::spawn(waits(alice.clone())));
    lab.arrival().await;
    let refused = alice.call("lab___wait", json!({})).await;
    assert_eq!(refused["_meta"]["causeway/error"]["kind"], "busy", "{refused}");
    for call in running {
        lab.release();
        assert_eq!(call.await.unwrap()["content"][0]["text"], "waited");
    }
}
