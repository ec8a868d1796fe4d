//! The `requestState` under which a path waits for input: it goes back to that path as the path gave it, and nobody but the
//! gateway can write one.

use causeway_core::wire::ObjectEdit;
use serde_json::{Value, json};

use crate::{
    bridge_talk::{Era, able, everything, talk},
    caller::Caller,
    failover_pair::{BOTH, PATIENT, Pair},
    fake_target::{FakeTarget, Speaks, json as answer, success},
};

const UNKNOWN: &str = "`requestState` is unknown or has expired";
/// Of the path that asks: with white space and more, which must stay as they are.
const OWN: &str = r#""own \u0041" "#;

/// Answers calls only with its own state, and else asks for input.
fn asks(fake: &FakeTarget) {
    fake.on("tools/call", |asked| async move {
        let state = ObjectEdit::parse(&asked.params).unwrap().get("requestState").map(ToOwned::to_owned);
        let result = match state.as_deref() {
            Some(state) if state == OWN.trim() => r#"{"resultType":"complete","content":[]}"#.to_owned(),
            Some(other) => panic!("another state: {other}"),
            None => format!(
                r#"{{"resultType":"input_required","inputRequests":{{"a":{{"method":"roots/list"}}}},"requestState":{OWN}}}"#
            ),
        };
        answer(200, success(&asked.id, &result))
    });
}

fn params(state: &Value) -> Value {
    json!({"name": "t___act", "arguments": {"n": 1}, "inputResponses": {"a": {"roots": []}}, "requestState": state})
}

async fn refused(caller: &Caller, state: &Value) {
    let answer = caller.request("tools/call", params(state)).await;
    assert_eq!(answer.refusal(), (200, -32602), "{state}: {answer:?}");
    assert!(answer.text().contains(UNKNOWN), "{answer:?}");
}

/// What a client writes into a state does not become part of a message.
#[tokio::test]
async fn nobody_writes_a_state_but_the_gateway() {
    for arranged in BOTH {
        let pair = Pair::start(arranged, Speaks::Modern, PATIENT).await;
        asks(&pair.first);
        let alice = able(&pair.gateway, Era::Modern).await;
        let asked = alice.request("tools/call", json!({"name": "t___act", "arguments": {"n": 1}})).await.result();
        let good = asked["requestState"].as_str().unwrap();
        pair.first.forget();
        let [path, _] = pair.paths();
        for written in [
            format!(r#"causeway-path.{path}."x"}},"method":"tasks/list","params":{{}}"#),
            format!(r#"causeway-path.{path}."own A""#),
            format!("causeway-path.{path}."),
            "causeway-path.".to_owned(),
            good[..good.len() - 1].to_owned(),
            format!("{good}."),
        ] {
            refused(&alice, &json!(written)).await;
        }
        let bob = pair.gateway.caller("bob").modern().declaring(everything());
        refused(&bob, &asked["requestState"]).await;
        assert!(pair.first.asked("tools/call").is_empty() && pair.first.asked("tasks/list").is_empty());
        let done = alice.request("tools/call", params(&asked["requestState"])).await;
        assert_eq!(
            (done.result()["resultType"].as_str(), done.header("x-causeway-path")),
            (Some("complete"), path.into())
        );
    }
}

/// A client of the legacy era knows no states: the gateway makes its retry, on the path that asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_legacy_client_is_asked_by_the_second_path_too() {
    for arranged in BOTH {
        let mut pair = Pair::start(arranged, Speaks::Modern, PATIENT).await;
        asks(&pair.first);
        asks(&pair.second);
        for _ in 0..2 {
            for era in [Era::Legacy, Era::Modern] {
                let caller = able(&pair.gateway, era).await;
                let done = talk(&caller, "t___act", json!({"n": 1})).await;
                assert_eq!(done.result()["content"], json!([]), "{arranged:?} {era:?}");
            }
            tokio::task::block_in_place(|| pair.first.down());
        }
    }
}
