//! Many calls while the first path dies and comes back, again and again: none is carried out twice that must not be, and none is
//! lost that could be served. Counted by the servers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{body::Body, http::Response};
use causeway::config::{Config, Failover};
use futures::future::join_all;

use crate::{
    failover_pair::{BOTH, PATIENT, Pair, Runs, call},
    fake_target::{Asked, Speaks, broken, event_stream, hang, status},
    targets_client::{self, Client},
};

const WORKERS: u64 = 16;
const CALLS: u64 = 40;
/// How often the first path dies.
const DEATHS: u64 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_runs_twice_and_nothing_safe_is_lost() {
    for (arranged, speaks) in BOTH.into_iter().zip([Speaks::Sessions, Speaks::Modern]) {
        let failover = Failover {
            failures: 3,
            cool_down: Duration::from_millis(5),
            longest_cool_down: Duration::from_millis(20),
            ..PATIENT
        };
        let mut pair = Pair::start(arranged, speaks, failover).await;
        let client = Client::new(&pair.gateway, targets_client::Speaks::Modern).await;
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let client = client.clone();
                tokio::spawn(async move {
                    let mut got = Vec::new();
                    for number in worker * CALLS..(worker + 1) * CALLS {
                        let tool = if number.is_multiple_of(2) { "act" } else { "look" };
                        got.push((number, tool, call(&client, tool, number).await));
                    }
                    got
                })
            })
            .collect();
        for round in 1..=2 * DEATHS {
            let most = usize::try_from(round * WORKERS * CALLS / 10).unwrap();
            let answered = async {
                while pair.states().await.iter().map(|(_, served, _)| *served).sum::<u64>() < most as u64 {
                    tokio::task::yield_now().await;
                }
            };
            answered.await;
            tokio::task::block_in_place(|| if round % 2 == 1 { pair.first.down() } else { pair.first.up() });
        }
        let got: Vec<_> = join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
        let (mut lost, mut by_path) = (0, [0, 0]);
        for (number, tool, got) in got {
            let runs = pair.runs.of(number);
            let Some(path) = got.path.clone() else {
                // The first path broke off in the middle of it, so that nobody can know.
                assert_eq!((tool, got.fault().as_str()), ("act", "broken_off"), "{}", got.answer);
                assert!(runs <= 1, "call {number} ran {runs} times");
                lost += 1;
                continue;
            };
            by_path[usize::from(path == pair.paths()[1])] += 1;
            got.ok();
            assert!(runs == 1 || (tool == "look" && runs > 1), "call {number} of `{tool}` ran {runs} times");
        }
        assert!(by_path[0] > 0 && by_path[1] > 0, "both served: {by_path:?}");
        assert!(lost <= WORKERS * DEATHS, "no more than those that ran when it died: {lost}");
    }
}

/// A first path that gives its lists and answers no calls costs one call for each time that it seemed to be back, at most.
#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_can_only_be_listed_costs_one_call_a_probation() {
    only_listed(|_, _| async { status(500) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_listed_and_hangs_costs_one_call_a_probation() {
    only_listed(hang_on).await;
}

/// What may be asked elsewhere is given up by the gateway. What may not hangs while others are served, and comes to nothing: how long
/// the gateway would wait for it must not bound what a busy machine makes of the calls that work.
async fn hang_on(runs: Runs, asked: Asked) -> Response<Body> {
    if asked.params.contains("look") {
        hang().await
    } else {
        runs.until_more(4).await;
        event_stream(futures::stream::iter([broken()]))
    }
}

async fn only_listed<F>(script: impl Fn(Runs, Asked) -> F + Copy + Send + Sync + 'static)
where
    F: Future<Output = Response<Body>> + Send + 'static,
{
    for (arranged, speaks) in BOTH.into_iter().zip([Speaks::Sessions, Speaks::Modern]) {
        let failover = Failover {
            failures: 2,
            first_byte: Duration::from_millis(50),
            cool_down: Duration::from_millis(5),
            longest_cool_down: Duration::from_millis(20),
        };
        // Of the last call that hangs: nobody is left then who is served meanwhile.
        let limit = |config: &mut Config| config.limits.first_byte = Duration::from_secs(3);
        let pair = Pair::start_with(arranged, speaks, failover, |_, _| (), limit).await;
        pair.first_does(script);
        let client = Client::new(&pair.gateway, targets_client::Speaks::Modern).await;
        call(&client, "act", 1_000_000).await.fault();
        call(&client, "look", 1_000_001).await.ok();
        assert_ne!(pair.states().await[0].0, "up");
        let numbers = Arc::new(AtomicU64::new(0));
        let until_listed_often = async |tool: fn(u64) -> &'static str| {
            let mut lost = 0;
            let from = pair.first.asked("tools/list").len();
            while pair.first.asked("tools/list").len() < from + 8 {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                let got = call(&client, tool(number), number).await;
                match got.path.as_deref() {
                    Some(path) => assert_eq!((path, pair.runs.of(number)), (pair.paths()[1], 1)),
                    None => {
                        assert_eq!((tool(number), pair.runs.of(number)), ("act", 0), "{}", got.answer);
                        lost += 1;
                    }
                }
            }
            lost
        };
        let mixed = |number: u64| if number.is_multiple_of(2) { "act" } else { "look" };
        let mut lost: usize = 0;
        for tool in [mixed, |_| "act"] {
            lost += join_all((0..WORKERS).map(|_| until_listed_often(tool))).await.into_iter().sum::<usize>();
        }
        // The first listing was before it failed.
        let probations = pair.first.asked("tools/list").len() - 1;
        assert!(lost <= probations, "{lost} calls lost in {probations} probations");
        assert!(lost > 0, "calls that may be lost do try it if no others come");
    }
}
