//! More calls than a target gets: they wait in order, for a bounded time and never all of one caller, and where another path can serve
//! them, that one does.

use std::{sync::Arc, time::Duration};

use axum::{body::Body, http::Response};
use causeway::config::Config;
use causeway_core::wire::json;
use serde_json::{Value, json};
use tokio::{sync::Semaphore, task::JoinHandle};

use crate::{
    answer::Answer,
    caller::Caller,
    controlled_target::ControlledTarget,
    failover_pair::{BOTH, PATIENT, Pair, Runs, call},
    fake_target::{Asked, Speaks},
    harness::Gateway,
    targets_client::{self, Client},
};

const LONG: Duration = Duration::from_secs(1000);

/// A target for one call at a time, whose place is taken.
async fn taken(queue: usize, patience: Duration) -> (ControlledTarget, Gateway, JoinHandle<Answer>) {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start_with([lab.target("lab")], |config| {
        config.limits.target_calls = 1;
        (config.limits.target_queue, config.limits.queue) = (queue, patience);
    })
    .await;
    let running = begun(&gateway.caller("alice"), "lab___wait", 0);
    lab.arrival().await;
    (lab, gateway, running)
}

fn begun(caller: &Caller, tool: &'static str, number: usize) -> JoinHandle<Answer> {
    let caller = caller.clone();
    tokio::spawn(async move { caller.try_call(tool, json!({"n": number})).await })
}

/// Waits until so many calls wait for a place.
async fn until_waiting(gateway: &Gateway, count: usize) {
    let admin = Caller::new(&format!("{}/mcp", gateway.admin));
    while admin.get("/readyz").await.json()["targets"][0]["paths"][0]["waiting"] != count {
        tokio::task::yield_now().await;
    }
}

/// What the gateway says of a call for which there was no place.
fn refused(answer: &Answer) -> (String, Value) {
    let result = answer.result();
    assert_eq!(result["_meta"]["causeway/error"]["kind"], "busy", "{result}");
    let text = result["content"][0]["text"].as_str().unwrap().to_owned();
    (text, result["_meta"]["causeway/error"]["retryAfterSeconds"].clone())
}

#[tokio::test]
async fn they_wait_and_are_served_in_order() {
    let (lab, gateway, running) = taken(10, LONG).await;
    let (alice, bob) = (gateway.caller("alice"), gateway.caller("bob"));
    let mut waiting = Vec::new();
    for number in 1..=6 {
        waiting.push(begun(if number % 2 == 0 { &alice } else { &bob }, "lab___echo", number));
        until_waiting(&gateway, number).await;
    }
    assert_eq!(lab.seen().len(), 1);
    let metrics = alice.get("/readyz").await;
    assert_eq!(metrics.status, 200);
    lab.release();
    assert_eq!(running.await.unwrap().result()["content"][0]["text"], "waited");
    for (number, call) in (1..).zip(waiting) {
        assert_eq!(call.await.unwrap().result()["echo"], json!({"n": number}));
    }
    let order: Vec<Value> = lab.seen().iter().map(|params| serde_json::from_str::<Value>(params).unwrap()).collect();
    let order: Vec<_> = order.iter().map(|params| params["arguments"]["n"].as_u64().unwrap()).collect();
    assert_eq!(order, [0, 1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn the_queue_is_bounded_and_one_caller_does_not_fill_it() {
    let (lab, gateway, running) = taken(2, LONG).await;
    let (alice, bob) = (gateway.caller("alice"), gateway.caller("bob"));
    let first = begun(&alice, "lab___echo", 1);
    until_waiting(&gateway, 1).await;
    insta::assert_snapshot!(refused(&alice.try_call("lab___echo", json!({})).await).0, @"target `lab` has 1 calls of this caller waiting for their turn, and the other places are for others (`limits.target_queue`); retry in a moment");
    let second = begun(&bob, "lab___echo", 2);
    until_waiting(&gateway, 2).await;
    let (text, after) = refused(&bob.try_call("lab___echo", json!({})).await);
    insta::assert_snapshot!(text, @"target `lab` has 2 calls waiting for their turn, the most it gets (`limits.target_queue`); retry in a moment");
    assert_eq!(after, 1);
    let metrics = Caller::new(&format!("{}/mcp", gateway.admin)).get("/metrics").await;
    for line in [
        "causeway_target_queue{target=\"lab\",path=\"lab\"} 2",
        "causeway_target_queue_limit{target=\"lab\",path=\"lab\"} 2",
    ] {
        assert!(metrics.text().contains(line), "{line}");
    }
    lab.release();
    for call in [running, first, second] {
        call.await.unwrap().result();
    }
}

#[tokio::test]
async fn none_waits_for_ever() {
    let (lab, gateway, running) = taken(2, Duration::from_millis(100)).await;
    let (text, after) = refused(&gateway.caller("bob").try_call("lab___echo", json!({})).await);
    insta::assert_snapshot!(text, @"target `lab` had no place for the call within 100ms (`limits.queue_seconds`); retry in a moment");
    assert_eq!(after, 1);
    lab.release();
    running.await.unwrap().result();
    assert_eq!(lab.seen().len(), 1, "nobody was sent what was refused");
}

#[tokio::test]
async fn without_a_queue_they_are_refused_at_once() {
    let (lab, gateway, running) = taken(0, LONG).await;
    insta::assert_snapshot!(refused(&gateway.caller("bob").try_call("lab___echo", json!({})).await).0, @"target `lab` has 1 calls running, the most it gets (`limits.target_calls`); retry in a moment");
    lab.release();
    running.await.unwrap().result();
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_its_place() {
    let (lab, gateway, running) = taken(2, LONG).await;
    let alice = gateway.caller("alice");
    let gone = begun(&alice, "lab___echo", 1);
    until_waiting(&gateway, 1).await;
    gone.abort();
    until_waiting(&gateway, 0).await;
    let next = begun(&alice, "lab___echo", 2);
    until_waiting(&gateway, 1).await;
    lab.release();
    running.await.unwrap().result();
    assert_eq!(next.await.unwrap().result()["echo"], json!({"n": 2}));
    assert!(!lab.seen().iter().any(|params| params.contains(r#""n":1"#)));
}

/// Answers once it may.
fn held(
    may_answer: &Arc<Semaphore>,
) -> impl Fn(Runs, Asked) -> futures::future::BoxFuture<'static, Response<Body>> + use<> {
    let may_answer = Arc::clone(may_answer);
    move |runs, asked| {
        let may_answer = Arc::clone(&may_answer);
        Box::pin(async move {
            may_answer.acquire().await.unwrap().forget();
            runs.carried_out(&asked)
        })
    }
}

/// A path without a place is no path that is down: another one serves meanwhile, and where none does, the call waits for the first.
#[tokio::test]
async fn another_path_goes_before_waiting() {
    for arranged in BOTH {
        let one_call = |config: &mut Config| (config.limits.target_calls, config.limits.queue) = (1, LONG);
        let pair = Pair::start_with(arranged, Speaks::Modern, PATIENT, |_, _| (), one_call).await;
        let client = Client::new(&pair.gateway, targets_client::Speaks::Modern).await;
        let (first, second) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        pair.first_does(held(&first));
        let (script, runs) = (held(&second), pair.runs.clone());
        pair.second.on("tools/call", move |asked| script(runs.clone(), asked));
        let begin = |number| {
            let client = client.clone();
            tokio::spawn(async move { call(&client, "act", number).await })
        };
        let calls = [begin(1)];
        pair.first.until_asked(|asked| asked.params.contains(r#""n":1}"#)).await;
        let [one] = calls;
        let two = begin(2);
        pair.second.until_asked(|asked| asked.params.contains(r#""n":2}"#)).await;
        let three = begin(3);
        while pair.gateway.anonymous().get("/readyz").await.json()["targets"][0]["paths"][0]["passedOn"] != 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!([&pair.first, &pair.second].map(|fake| fake.asked("tools/call").len()), [1, 1], "the third waits");
        first.add_permits(2);
        let paths = pair.paths().map(|path| Some(path.to_owned()));
        assert_eq!(
            [one.await.unwrap().ok().path, three.await.unwrap().ok().path],
            [paths[0].clone(), paths[0].clone()]
        );
        second.add_permits(1);
        assert_eq!(two.await.unwrap().ok().path, paths[1]);
        assert_eq!([1, 2, 3].map(|number| pair.runs.of(number)), [1, 1, 1], "{}", json(&"each once"));
    }
}
