//! The state under which a modern client's call waits at a legacy target: it opens once, for the same caller and the same
//! call, in its time. Whatever else comes with one, the call is never begun a second time.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    bridge_fixture::{Fixture, Kind, once, runs_of},
    bridge_talk::{Era, able, everything, retry, talk},
    caller::Caller,
    harness::Gateway,
};

const UNKNOWN_STATE: &str = "`requestState` is unknown or has expired: send the call anew, without `requestState` and \
                             `inputResponses`";

/// A call that waits.
struct Waiting {
    gateway: Gateway,
    alice: Caller,
    kind: Kind,
    /// What asks for its input.
    asked: Value,
    _fixture: Fixture,
}

impl Waiting {
    async fn start(kind: Kind, tool: &str) -> Self {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        let alice = able(&gateway, Era::Modern).await;
        let asked = alice.request("tools/call", params(tool)).await.result();
        assert_eq!(asked["resultType"], "input_required");
        Self { gateway, alice, kind, asked, _fixture: fixture }
    }

    /// A call of `ask_two_at_once` whose questions came in one round. The gateway waits a moment for the second, which a machine with
    /// much else to do may let pass.
    async fn start_with_both(kind: Kind) -> Self {
        for _ in 0..20 {
            let waiting = Self::start(kind, "ask_two_at_once").await;
            if waiting.asked["inputRequests"].as_object().unwrap().len() == 2 {
                return waiting;
            }
        }
        panic!("{kind:?}: the second question came in a round of its own, twenty times");
    }

    /// The retry with everything that was asked for.
    fn retry(&self, tool: &str) -> Value {
        retry(&params(tool), &self.asked)
    }

    /// `params` of `caller` are refused, and the call of `ask_twice` waits as before.
    async fn refuses(&self, caller: &Caller, params: Value, why: &str) {
        let answer = caller.request("tools/call", params).await;
        assert_eq!(answer.refusal(), (200, -32602), "{why}: {answer:?}");
        assert_eq!(answer.json()["error"]["message"], UNKNOWN_STATE, "{why}");
        let runs = runs_of(&self.alice, "ask_twice").await;
        assert_eq!(runs, json!({"begun": 1, "ended": 0}), "{why} {:?}", self.kind);
    }
}

fn params(tool: &str) -> Value {
    json!({"name": format!("f___{tool}"), "arguments": {"a": 1, "b": 2}})
}

const LEGACY: [Kind; 2] = [Kind::LegacyHttp, Kind::LegacyChild];

#[tokio::test]
async fn a_state_opens_for_its_call_alone() {
    for kind in LEGACY {
        let waiting = Waiting::start(kind, "ask_twice").await;
        let good = waiting.retry("ask_twice");
        let with = |key: &str, value: Value| {
            let mut params = good.clone();
            params[key] = value;
            params
        };
        let state = good["requestState"].as_str().unwrap();
        let flipped = if state.ends_with('A') { "B" } else { "A" };
        let tampered = [&state[..state.len() - 1], flipped].concat();
        let alice = &waiting.alice;
        waiting.refuses(alice, with("requestState", json!(tampered)), "tampered").await;
        waiting.refuses(alice, with("requestState", json!("causeway.")), "nothing behind the mark").await;
        waiting.refuses(alice, with("requestState", json!("of somebody else")), "not of the gateway").await;
        waiting.refuses(alice, with("requestState", json!(7)), "no text").await;
        waiting.refuses(alice, with("arguments", json!({"a": 1, "b": 3})), "other arguments").await;
        waiting.refuses(alice, with("arguments", json!({})), "no arguments").await;
        waiting.refuses(alice, with("name", json!("f___ask_two_at_once")), "another tool").await;
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove("requestState");
        waiting.refuses(alice, without, "answers without a state").await;
        let bob = waiting.gateway.caller("bob").modern().declaring(everything());
        waiting.refuses(&bob, good.clone(), "another caller").await;
        // All of that took nothing from whose call it is; the order of arguments is no difference.
        let second = alice.request("tools/call", with("arguments", json!({"b": 2, "a": 1}))).await.result();
        assert_eq!(second["inputRequests"].as_object().unwrap().len(), 1, "the second question: {second}");
        waiting.refuses(alice, good.clone(), "used twice").await;
        let done = alice.request("tools/call", retry(&params("ask_twice"), &second)).await.result();
        assert_eq!(done["content"][0]["text"], "name likes color.");
        assert_eq!(runs_of(alice, "ask_twice").await, once());
        assert_eq!(runs_of(alice, "ask_two_at_once").await, json!({"begun": 0, "ended": 0}));
    }
}

#[tokio::test]
async fn a_state_expires() {
    for kind in LEGACY {
        let waiting = Waiting::start(kind, "ask_twice").await;
        waiting.gateway.clock.advance(Duration::from_secs(601));
        let alice = able(&waiting.gateway, Era::Modern).await;
        waiting.refuses(&alice, waiting.retry("ask_twice"), "expired").await;
    }
}

/// Two questions were asked at once; the first retry answers one of them.
#[tokio::test]
async fn what_a_retry_leaves_out_is_asked_again() {
    for kind in LEGACY {
        let waiting = Waiting::start_with_both(kind).await;
        let asked = waiting.asked["inputRequests"].as_object().unwrap();
        let left_out = asked.keys().next().unwrap();
        let mut half = waiting.retry("ask_two_at_once");
        half["inputResponses"].as_object_mut().unwrap().remove(left_out);
        let again = waiting.alice.request("tools/call", half.clone()).await.result();
        let still: Vec<&String> = again["inputRequests"].as_object().unwrap().keys().collect();
        assert_eq!(still, [left_out], "{kind:?}");
        assert_eq!(again["inputRequests"][left_out], asked[left_out], "{kind:?}");
        assert_eq!(waiting.alice.request("tools/call", half).await.refusal(), (200, -32602), "its state was used");
        let whole = retry(&params("ask_two_at_once"), &again);
        let done = waiting.alice.request("tools/call", whole).await.result();
        assert_eq!(done["content"][0]["text"], "name likes color.", "{kind:?}");
        assert_eq!(runs_of(&waiting.alice, "ask_two_at_once").await, once(), "{kind:?}");
    }
}

#[tokio::test]
async fn a_retry_without_any_answer_is_asked_for_all_again() {
    for kind in LEGACY {
        let waiting = Waiting::start_with_both(kind).await;
        let mut params = params("ask_two_at_once");
        params["requestState"] = waiting.asked["requestState"].clone();
        let again = waiting.alice.request("tools/call", params.clone()).await.result();
        assert_eq!(again["inputRequests"], waiting.asked["inputRequests"], "{kind:?}");
        assert_ne!(again["requestState"], waiting.asked["requestState"], "{kind:?}");
        params.as_object_mut().unwrap().remove("requestState");
        let done = waiting.alice.request("tools/call", retry(&params, &again)).await.result();
        assert_eq!(done["content"][0]["text"], "name likes color.", "{kind:?}");
        assert_eq!(runs_of(&waiting.alice, "ask_two_at_once").await, once(), "{kind:?}");
    }
}

/// A state of a modern target is between it and the client: its own refusal comes through.
#[tokio::test]
async fn states_of_modern_targets_pass_unread() {
    let fixture = Fixture::start(Kind::ModernHttp).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let alice = able(&gateway, Era::Modern).await;
    let mut params = params("test_input_required_result_tampered_state");
    let asked = alice.request("tools/call", params.clone()).await.result();
    params = retry(&params, &asked);
    params["requestState"] = json!(format!("{}-TAMPERED", asked["requestState"].as_str().unwrap()));
    let refused = alice.request("tools/call", params).await;
    assert_eq!(refused.message()["error"]["code"], -32602);
    assert!(!refused.text().contains(UNKNOWN_STATE), "the target's own words: {}", refused.text());
    let done = talk(&alice, "f___test_input_required_result_tampered_state", json!({})).await;
    assert_eq!(done.text(), "state-ok, confirmed: true");
}
