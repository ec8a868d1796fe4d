//! Many calls while the first path dies and comes back, again and again: none is carried out twice that must not be, and none is
//! lost that could be served. Counted by the servers.

use std::time::Duration;

use causeway::config::Failover;

use crate::{
    failover_pair::{BOTH, PATIENT, Pair, call},
    fake_target::Speaks,
    targets_client::{self, Client},
};

const WORKERS: u64 = 16;
const CALLS: u64 = 40;

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
                        let tool = if number % 2 == 0 { "act" } else { "look" };
                        got.push((number, tool, call(&client, tool, number).await));
                    }
                    got
                })
            })
            .collect();
        for round in 1..=8 {
            let most = usize::try_from(round * WORKERS * CALLS / 10).unwrap();
            let answered = async {
                while pair.states().await.iter().map(|(_, served, _)| *served).sum::<u64>() < most as u64 {
                    tokio::task::yield_now().await;
                }
            };
            answered.await;
            tokio::task::block_in_place(|| if round % 2 == 1 { pair.first.down() } else { pair.first.up() });
        }
        let got: Vec<_> = futures::future::join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
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
        assert!(lost < WORKERS * 8, "no more than those that ran when it died: {lost}");
    }
}
