//! Callers who ask targets for something too often, of one gateway alone: what all replicas count together is tried with a Redis.

use std::time::Duration;

use causeway::config::{Config, Per, RateLimit};
use causeway_core::{catalog::Kind, name::Pattern};
use serde_json::json;

use crate::{
    bridge_talk::{ERAS, Era, able},
    caller::Caller,
    controlled_target::ControlledTarget,
    fake_target::Speaks,
    harness::{Gateway, toolsets},
    offering::Offering,
};

fn limit(calls: u64, per: Per, tools: Option<&str>) -> RateLimit {
    let tools = tools.map(|pattern| vec![Pattern::new(pattern)]);
    RateLimit { calls, period: Duration::from_secs(60), per, tools }
}

fn limited(limits: &[RateLimit]) -> impl FnOnce(&mut Config) {
    let limits = limits.to_vec();
    |config| config.rate_limits = limits
}

async fn call(caller: &Caller) -> u16 {
    caller.try_call("lab___echo", json!({})).await.status.as_u16()
}

#[tokio::test]
async fn who_calls_too_often_is_told_when_to_come_back() {
    for era in ERAS {
        let lab = ControlledTarget::start().await;
        let gateway = Gateway::start_with([lab.target("lab")], limited(&[limit(2, Per::Caller, None)])).await;
        let alice = able(&gateway, era).await;
        assert_eq!([call(&alice).await, call(&alice).await], [200, 200], "{era:?}");
        let refused = alice.try_call("lab___echo", json!({})).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(refused.whole(), @r#"
            429
            content-type: application/json
            retry-after: 30

            {"jsonrpc":"2.0","id":1,"error":{"code":-32003,"message":"Rate limit exceeded - Too many requests: each caller has 2 calls in 60s (`rate_limits`); retry in 30 s","data":{"retryAfterMs":30000}}}
            "#);
        }
        assert_eq!(lab.seen().len(), 2, "the target was not asked");
        gateway.clock.advance(Duration::from_secs(30));
        assert_eq!([call(&alice).await, call(&alice).await], [200, 429], "{era:?}");
        let record = gateway.calls.recent().pop().unwrap();
        assert_eq!((record.outcome.word(), record.outcome.detail().as_deref()), ("throttled", Some("rate_limits")));
    }
}

#[tokio::test]
async fn one_caller_does_not_use_up_what_another_has() {
    let lab = ControlledTarget::start().await;
    let toolsets = toolsets("[[toolsets]]\nname = \"part\"\ntools.include = [\"lab___*\"]\n");
    let gateway = Gateway::start_with([lab.target("lab")], |config| {
        config.rate_limits = vec![limit(1, Per::Caller, None)];
        config.toolsets = toolsets;
    })
    .await;
    let (alice, bob) = (gateway.caller("alice"), gateway.caller("bob"));
    assert_eq!([call(&alice).await, call(&alice).await, call(&bob).await], [200, 429, 200]);
    assert_eq!(call(&alice.toolset("part")).await, 200, "callers of two endpoints are two");
}

#[tokio::test]
async fn calls_of_a_client_or_of_everyone_count_together() {
    let lab = ControlledTarget::start().await;
    for (per, expected) in [(Per::Client, [200, 200]), (Per::Everyone, [200, 429])] {
        let gateway = Gateway::start_with([lab.target("lab")], limited(&[limit(1, per, None)])).await;
        // In this issuer's tokens, each has a client of his own.
        assert_eq!([call(&gateway.caller("alice")).await, call(&gateway.caller("bob")).await], expected, "{per:?}");
    }
}

#[tokio::test]
async fn a_call_that_one_limit_refuses_counts_for_none() {
    let lab = ControlledTarget::start().await;
    let limits = [limit(3, Per::Caller, None), limit(1, Per::Caller, Some("*___echo"))];
    let gateway = Gateway::start_with([lab.target("lab")], limited(&limits)).await;
    let alice = gateway.caller("alice");
    assert_eq!([call(&alice).await, call(&alice).await, call(&alice).await], [200, 429, 429]);
    for expected in [200, 200, 429] {
        let answer = alice.try_call("lab___progress", json!({})).await;
        assert_eq!(answer.status, expected, "{answer:?}");
    }
}

#[tokio::test]
async fn lists_are_no_calls_and_whatever_targets_are_asked_for_is_one() {
    let list = r#"[{"uri":"x:one","name":"one"}]"#;
    let offering = Offering::start("t", Speaks::Modern, &[(Kind::Resources, list)]);
    let gateway = Gateway::start_with([offering.target()], limited(&[limit(1, Per::Caller, None)])).await;
    for era in [Era::Legacy, Era::Modern] {
        let alice = able(&gateway, era).await;
        for _ in 0..5 {
            assert_eq!(alice.request("resources/list", json!({})).await.status, 200);
        }
        gateway.clock.advance(Duration::from_secs(60));
        let read = async || alice.request("resources/read", json!({"uri": "x:one"})).await.status.as_u16();
        assert_eq!([read().await, read().await], [200, 429], "{era:?}");
    }
}

#[tokio::test]
async fn limits_follow_a_reload() {
    let lab = ControlledTarget::start().await;
    let (strict, other) = (limit(2, Per::Caller, None), limit(1, Per::Caller, Some("*___progress")));
    let part = || toolsets("[[toolsets]]\nname = \"part\"\ntools.include = [\"lab___*\"]\n");
    let gateway = Gateway::start_with([lab.target("lab")], |config| {
        config.rate_limits = vec![strict.clone()];
        config.toolsets = part();
    })
    .await;
    for era in [Era::Legacy, Era::Modern] {
        gateway.clock.advance(Duration::from_secs(600));
        let alice = able(&gateway, era).await;
        let at_part = gateway.caller("alice").toolset("part");
        assert_eq!([call(&alice).await, call(&at_part).await], [200, 200], "{era:?}");
        // A limit that stays has counted what was before.
        let (beside, stays) = (other.clone(), strict.clone());
        gateway.reload(|config| config.rate_limits = vec![beside, stays]).await;
        assert_eq!([call(&alice).await, call(&alice).await], [200, 429], "{era:?}");
        assert_eq!([call(&at_part).await, call(&at_part).await], [200, 429], "{era:?}");
        // One that says something else counts anew.
        gateway.reload(|config| config.rate_limits = vec![limit(1, Per::Caller, None)]).await;
        assert_eq!([call(&alice).await, call(&alice).await], [200, 429], "{era:?}");
        assert_eq!([call(&at_part).await, call(&at_part).await], [200, 429], "{era:?}");
        gateway.reload(|config| config.rate_limits.clear()).await;
        assert_eq!([call(&alice).await, call(&alice).await, call(&at_part).await], [200; 3], "{era:?}");
        let again = strict.clone();
        gateway.reload(|config| config.rate_limits = vec![again]).await;
    }
}

#[tokio::test]
async fn nothing_is_let_through_where_none_may_call() {
    let lab = ControlledTarget::start().await;
    let gateway =
        Gateway::start_with([lab.target("lab")], limited(&[limit(0, Per::Everyone, Some("lab___wait"))])).await;
    let alice = gateway.caller("alice");
    let refused = alice.try_call("lab___wait", json!({})).await;
    assert_eq!((refused.refusal(), refused.header("retry-after").as_str()), ((429, -32003), "60"));
    assert_eq!(call(&alice).await, 200);
}
