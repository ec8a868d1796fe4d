//! Log messages and progress around a question: they come in order, before it and after it, and each under the progress
//! token of the request that the client waits on then.

use causeway_core::era;
use serde_json::{Value, json};

use crate::{
    bridge_fixture::{Fixture, KINDS, Kind},
    bridge_talk::{Era, able, ask, retry},
    caller::Caller,
    harness::Gateway,
    stream::Stream,
};

/// What the target logged and reported.
#[derive(Debug, Default)]
struct Notes {
    logs: Vec<Value>,
    /// Token and step.
    progress: Vec<(Value, Value)>,
}

impl Notes {
    fn of(notes: &[Value]) -> Self {
        let of = |method: &str| notes.iter().filter(|note| note["method"] == method).collect::<Vec<_>>();
        let progress = of("notifications/progress").into_iter();
        Self {
            logs: of("notifications/message").into_iter().map(|note| note["params"]["data"].clone()).collect(),
            progress: progress
                .map(|note| (note["params"]["progressToken"].clone(), note["params"]["progress"].clone()))
                .collect(),
        }
    }
}

fn params(token: &str) -> Value {
    let meta = json!({"progressToken": token, era::META_LOG_LEVEL: "info"});
    json!({"name": "f___notes_around_asking", "arguments": {}, "_meta": meta})
}

fn steps(tokens: &[(&str, f64)]) -> Vec<(Value, Value)> {
    tokens.iter().map(|(token, step)| (json!(token), json!(step))).collect()
}

#[tokio::test]
async fn a_legacy_client_hears_them_on_the_stream_of_its_call() {
    for kind in KINDS {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        let alice = able(&gateway, Era::Legacy).await;
        let params = json!({"name": "f___notes_around_asking", "_meta": {"progressToken": "p"}});
        let talk = ask(&alice, "tools/call", params).await;
        assert_eq!(talk.text(), "You like color.");
        let notes = Notes::of(&talk.notes);
        assert_eq!(notes.progress, steps(&[("p", 1.0), ("p", 2.0)]), "{kind:?}");
        check_logs(kind, &notes.logs);
    }
}

/// Over legacy HTTP the fixture logs beside its replies: what it logs last may come when its answer is there already.
fn check_logs(kind: Kind, logs: &[Value]) {
    let logs: Vec<&str> = logs.iter().map(|text| text.as_str().unwrap()).collect();
    match kind {
        Kind::LegacyHttp => assert!(["about to ask", "asked"].starts_with(&logs), "{kind:?} {logs:?}"),
        _ => assert_eq!(logs, ["about to ask", "asked"], "{kind:?}"),
    }
}

#[tokio::test]
async fn a_modern_client_hears_them_on_the_streams_of_its_two_requests() {
    for kind in KINDS {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        let alice = able(&gateway, Era::Modern).await;
        let before = alice.open("tools/call", params("first")).await.rest().await;
        let asked = before.last().unwrap()["result"].clone();
        assert_eq!(asked["resultType"], "input_required", "{kind:?}");
        let after = alice.under(2).open("tools/call", retry(&params("second"), &asked)).await.rest().await;
        assert_eq!(after.last().unwrap()["id"], 2, "{kind:?}");
        assert_eq!(after.last().unwrap()["result"]["content"][0]["text"], "You like color.", "{kind:?}");
        let (before, after) = (Notes::of(&before), Notes::of(&after));
        assert_eq!(before.progress, steps(&[("first", 1.0)]), "{kind:?}");
        assert_eq!(after.progress, steps(&[("second", 2.0)]), "{kind:?}");
        check_logs(kind, &[before.logs, after.logs].concat());
    }
}

/// Its second request asks for no reports, so it gets none, whatever the first one asked for.
#[tokio::test]
async fn a_retry_without_a_token_hears_no_progress() {
    for kind in KINDS {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        let alice = able(&gateway, Era::Modern).await;
        let asked = last(alice.open("tools/call", params("first")).await).await["result"].clone();
        let bare = json!({"name": "f___notes_around_asking", "arguments": {}});
        let after = alice.open("tools/call", retry(&bare, &asked)).await.rest().await;
        assert!(Notes::of(&after).progress.is_empty(), "{kind:?} {after:?}");
        assert_eq!(after.last().unwrap()["result"]["content"][0]["text"], "You like color.", "{kind:?}");
    }
}

/// A client that reads no events gets the answer alone.
#[tokio::test]
async fn a_modern_client_that_reads_json_is_asked_all_the_same() {
    for kind in KINDS {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        let alice: Caller = able(&gateway, Era::Modern).await.header("accept", "application/json");
        let talk = ask(&alice, "tools/call", params("p")).await;
        assert_eq!((talk.text(), talk.notes.len(), talk.asked.len()), ("You like color.", 0, 1), "{kind:?}");
    }
}

async fn last(stream: Stream) -> Value {
    stream.rest().await.pop().unwrap()
}
