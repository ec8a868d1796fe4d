//! A hundred configurations, one after the other, while clients call without a pause: not one call fails.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use causeway::reload::Outcome;
use causeway_core::catalog::Kind;
use serde_json::json;

use crate::{
    caller::Caller,
    controlled_target::ControlledTarget,
    fake_target::Speaks,
    harness::{Gateway, toolsets},
    offering::Offering,
};

const RELOADS: usize = 100;

/// Calls until it is `over`, with a list in between; how often.
async fn calls(alice: Caller, over: Arc<AtomicBool>, made: Arc<AtomicUsize>) {
    for number in 0.. {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let arguments = json!({"n": number});
        let answer = alice.call("lab___echo", arguments.clone()).await;
        assert_eq!(answer["echo"], arguments, "{answer}");
        let tools = alice.tools().await;
        assert!(tools.contains(&"lab___echo".to_owned()) && tools.contains(&"old___x".to_owned()), "{tools:?}");
        made.fetch_add(1, Ordering::Relaxed);
    }
}

/// One configuration after the other: what is called stays, everything else comes, goes and changes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_call_fails_while_configurations_come_and_go() {
    let tool = [(Kind::Tools, r#"[{"name":"x"}]"#)];
    let (old, other) = (Offering::start("old", Speaks::Sessions, &tool), Offering::start("b", Speaks::Modern, &tool));
    let (lab, hidden) = (ControlledTarget::start().await, ControlledTarget::start().await);
    let gateway = Gateway::start([lab.target("lab"), old.target()]).await;
    let (over, made) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let alice = gateway.caller("alice");
    // Of each era, with a session and without.
    let callers = [alice.clone(), alice.clone().modern(), alice.clone().in_session().await, alice];
    let calling: Vec<_> =
        callers.into_iter().map(|alice| tokio::spawn(calls(alice, Arc::clone(&over), Arc::clone(&made)))).collect();
    for number in 0..RELOADS {
        let before = made.load(Ordering::Relaxed);
        let outcome = gateway
            .reload(|config| match number % 5 {
                0 => config.targets.insert(number % 2, hidden.target("other")),
                1 => config.targets.push(other.target()),
                2 => {
                    config.targets.retain(|target| ["lab", "old"].contains(&target.name.as_str()));
                    config.toolsets = toolsets("[[toolsets]]\nname = \"part\"\ntools.include = [\"lab___*\"]\n");
                }
                3 => {
                    config.limits.target_calls = 100 + number;
                    config.limits.request_bytes = 1_000_000 + number;
                }
                _ => {
                    config.toolsets.clear();
                    let causeway::config::Authorizer::CustomJwt(jwt) = &mut config.authorizer else {
                        panic!("by tokens")
                    };
                    jwt.rules.allowed_clients.push(format!("client-{number}"));
                }
            })
            .await;
        assert_eq!(outcome, Outcome::Applied, "{number}");
        // So that each of them meets calls.
        while made.load(Ordering::Relaxed) == before && !calling.iter().any(|calling| calling.is_finished()) {
            tokio::task::yield_now().await;
        }
    }
    over.store(true, Ordering::Relaxed);
    for calling in calling {
        calling.await.expect("no call fails");
    }
    assert_eq!(gateway.standing.borrow().generation, 1 + u64::try_from(RELOADS).unwrap());
    gateway.stop().await.unwrap();
}
