//! What clients of a toolset hear: of its lists when its part of them changed, of resources that it shows.

use causeway_core::catalog::Kind;
use serde_json::{Value, json};

use crate::{
    bridge_fixture::{Fixture, KINDS},
    bridge_talk::{Era, everything},
    caller::Caller,
    fake_target::Speaks,
    harness::{Gateway, toolsets},
    offering::Offering,
    stream::Stream,
};

/// A client of alice's at a toolset that listens for all lists, and these resources.
async fn listening(gateway: &Gateway, toolset: &str, era: Era, uris: &[&str]) -> (Caller, Stream) {
    let alice = gateway.caller("alice").declaring(everything()).toolset(toolset);
    match era {
        Era::Legacy => {
            let alice = alice.in_session().await;
            let stream = alice.listen().await;
            for uri in uris {
                assert_eq!(alice.request("resources/subscribe", json!({"uri": uri})).await.result(), json!({}));
            }
            (alice, stream)
        }
        Era::Modern => {
            let alice = alice.modern();
            let lists = json!({"toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true, "resourceSubscriptions": uris});
            let mut stream = alice.open("subscriptions/listen", json!({"notifications": lists})).await;
            stream.next().await;
            (alice, stream)
        }
    }
}

fn method(message: &Value) -> &str {
    message["method"].as_str().unwrap_or_else(|| panic!("no notification: {message}"))
}

/// The target lists anew with a changed tool; of the two toolsets only the one that shows it has news.
#[tokio::test]
async fn a_toolset_hears_of_a_list_when_its_part_of_it_changed() {
    futures::future::join_all([Era::Legacy, Era::Modern].map(hears_of_its_part)).await;
}

async fn hears_of_its_part(era: Era) {
    let t = Offering::start("t", Speaks::Sessions, &[(Kind::Tools, r#"[{"name":"a"},{"name":"b"}]"#)]);
    let gateway = Gateway::start_with([t.target()], |config| {
        config.limits.refresh = std::time::Duration::from_secs(1);
        config.toolsets = toolsets(
            "[[toolsets]]\nname = \"a\"\ntools.include = [\"t___a\"]\n[[toolsets]]\nname = \"b\"\ntools.include = [\"t___b\"]\n",
        );
    })
    .await;
    let (_alice, mut of_a) = listening(&gateway, "a", era, &[]).await;
    let (_bob, mut of_b) = listening(&gateway, "b", era, &[]).await;
    t.list(Kind::Tools, r#"[{"name":"a"},{"name":"b","v":2}]"#);
    assert_eq!(method(&of_b.next().await), "notifications/tools/list_changed");
    t.list(Kind::Tools, r#"[{"name":"a","v":3},{"name":"b","v":2}]"#);
    assert_eq!(method(&of_a.next().await), "notifications/tools/list_changed");
    // Had the first change been news for it, that would have come before: the list that it finds now is of the second.
    let alice = gateway.caller("alice").toolset("a");
    assert_eq!(alice.request("tools/list", json!({})).await.result()["tools"], json!([{"name": "t___a", "v": 3}]));
    gateway.stop().await.unwrap();
    let rest = [of_a.rest().await, of_b.rest().await].concat();
    let news: Vec<&Value> = rest.iter().filter(|message| message.get("method").is_some()).collect();
    assert!(news.is_empty(), "each heard of one change: {news:?}");
}

#[tokio::test]
async fn a_toolset_hears_of_resources_that_it_shows() {
    for way in KINDS {
        let fixture = Fixture::start(way).await;
        let gateway = Gateway::start_with([fixture.target()], |config| {
            config.toolsets = toolsets(
                "[[toolsets]]\nname = \"r\"\ntools.include = [\"*touch*\"]\nresources.include = [\"test://watched*\"]\n",
            );
        })
        .await;
        for era in [Era::Legacy, Era::Modern] {
            let (alice, mut stream) = listening(&gateway, "r", era, &["test://watched-resource"]).await;
            alice.call("f___touch_resource", json!({"uri": "test://watched-resource"})).await;
            let heard = stream.next().await;
            assert_eq!(method(&heard), "notifications/resources/updated", "{way:?} {era:?}");
            assert_eq!(heard["params"]["uri"], "test://watched-resource");
        }
        gateway.stop().await.unwrap();
    }
}

/// Questions in the middle of a call reach the client that made it at a toolset, and only what it shows can be called.
#[tokio::test]
async fn calls_that_ask_work_at_a_toolset() {
    for way in KINDS {
        let fixture = Fixture::start(way).await;
        let gateway = Gateway::start_with([fixture.target()], |config| {
            config.toolsets = toolsets("[[toolsets]]\nname = \"r\"\ntools.include = [\"*test_elicitation\"]\n");
        })
        .await;
        for era in [Era::Legacy, Era::Modern] {
            let alice = gateway.caller("alice").declaring(everything()).toolset("r");
            let alice = if era == Era::Legacy { alice.in_session().await } else { alice.modern() };
            let talk = crate::bridge_talk::talk(&alice, "f___test_elicitation", json!({"message": "?"})).await;
            assert_eq!(talk.asked.len(), 1, "{way:?} {era:?}: {talk:?}");
            assert_eq!(alice.try_call("f___test_sampling", json!({"prompt": "?"})).await.refusal(), (200, -32602));
        }
        gateway.stop().await.unwrap();
    }
}
