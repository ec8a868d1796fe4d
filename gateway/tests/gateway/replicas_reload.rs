//! Replicas of which each takes another configuration while it serves: what lives in one is found by the others as before.

use causeway::{
    config::{Config, SecretSource},
    secret::Secret,
};
use causeway_core::{catalog::Kind, era::headers::SESSION};
use serde_json::{Value, json};

use crate::{
    bridge_asking::AskingTarget,
    bridge_talk::{Era, answer_to, retry},
    fake_target::Speaks,
    harness::toolsets,
    offering::Offering,
    replicas::{KEY, Pair},
};

fn params(number: usize) -> Value {
    json!({"name": "t___echo", "arguments": {"n": number}})
}

fn offering(name: &'static str) -> Offering {
    Offering::start(name, Speaks::Sessions, &[(Kind::Tools, r#"[{"name":"x"}]"#)])
}

fn with_keys(config: &mut Config) {
    config.sessions.keys = vec![SecretSource::Here(Secret::new(KEY))];
}

#[tokio::test]
async fn what_lives_in_one_goes_on_and_hears_of_the_new_lists() {
    let (asking, other) = (AskingTarget::start(), offering("other"));
    let pair = Pair::start([asking.target()]).await;
    let (here, there) = pair.alice(Era::Legacy).await;
    let mut stream = there.listen().await;
    let mut call = there.open("tools/call", params(1)).await;
    let question = call.next().await;
    let (modern, modern_there) = pair.alice(Era::Modern).await;
    let asked = modern.request("tools/call", params(2)).await.result();
    for replica in [&pair.one, &pair.other] {
        replica.reload(|config| config.targets.push(other.target())).await;
    }
    assert_eq!(stream.next().await["method"], "notifications/tools/list_changed");
    assert_eq!([here.tools().await, there.tools().await], [["t___echo", "other___x"], ["t___echo", "other___x"]]);
    assert_eq!(here.respond(&question["id"], answer_to(&question)).await.status, 202);
    assert_eq!(call.rest().await.len(), 1);
    let done = modern_there.request("tools/call", retry(&params(2), &asked)).await.result();
    assert_eq!(done["resultType"], "complete", "{done}");
    // What begins now finds its way too.
    let mut call = there.open("tools/call", params(3)).await;
    let question = call.next().await;
    assert_eq!(there.respond(&question["id"], answer_to(&question)).await.status, 202);
    assert_eq!(call.rest().await.len(), 1);
    assert_eq!(asking.fake.asked("tools/call").len(), 3, "nothing was made twice");
}

#[tokio::test]
async fn replicas_are_what_has_common_keys_at_the_moment() {
    let asking = AskingTarget::start();
    let pair = Pair::start_with([asking.target()], |config| config.sessions.keys.clear()).await;
    let (before, before_there) = pair.alice(Era::Legacy).await;
    for replica in [&pair.one, &pair.other] {
        replica.reload(with_keys).await;
    }
    assert_eq!(before.request("ping", json!({})).await.result(), json!({}), "its key is known where it was made");
    assert_eq!(before_there.request("ping", json!({})).await.refusal(), (404, -32600));
    let (_, there) = pair.alice(Era::Legacy).await;
    let mut call = there.open("tools/call", params(1)).await;
    let question = call.next().await;
    pair.other.reload(|config| config.sessions.keys.clear()).await;
    assert_eq!(there.respond(&question["id"], answer_to(&question)).await.refusal(), (404, -32600));
    pair.other.reload(with_keys).await;
    assert_eq!(there.respond(&question["id"], answer_to(&question)).await.status, 202);
    assert_eq!(call.rest().await.len(), 1);
}

/// While a configuration goes round, one replica has an endpoint that another has not.
#[tokio::test]
async fn a_toolset_that_one_of_them_has_not_yet_keeps_nothing_else_from_it() {
    const PART: &str = "[[toolsets]]\nname = \"part\"\ntools.include = [\"t___*\"]\n";
    let asking = AskingTarget::start();
    let pair = Pair::start_with([asking.target()], |config| config.toolsets = toolsets(PART)).await;
    let in_part = pair.one.caller("alice").toolset("part").in_session().await;
    let there = pair.other.caller("alice").toolset("part").header(SESSION, in_part.header_value(SESSION));
    pair.one.reload(|config| config.toolsets.clear()).await;
    assert_eq!(there.request("ping", json!({})).await.result(), json!({}), "it is answered where it came");
    let (modern, modern_there) = pair.alice(Era::Modern).await;
    let asked = modern.request("tools/call", params(1)).await.result();
    let done = modern_there.request("tools/call", retry(&params(1), &asked)).await.result();
    assert_eq!(done["resultType"], "complete", "the replica is there: {done}");
}
