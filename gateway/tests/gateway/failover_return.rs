//! Paths that go down and come back: who is asked meanwhile, who finds out, and what operators see of it.

use std::{sync::Arc, time::Duration};

use causeway::config::{Config, Failover};
use causeway_core::wire;
use tokio::sync::Semaphore;

use crate::{
    failover_pair::{Arranged, BOTH, PATIENT, Pair, call, hosted},
    fake_target::{FakeTarget, Speaks, json, status, success, typed},
    targets_client::{self, Client},
};

/// Takes a path out of use at once, and for good.
const STRICT: Failover = Failover { failures: 2, ..PATIENT };

/// Tries a path again almost at once.
const QUICK: Failover =
    Failover { cool_down: Duration::from_millis(20), longest_cool_down: Duration::from_millis(50), ..STRICT };

async fn client(pair: &Pair) -> Client {
    Client::new(&pair.gateway, targets_client::Speaks::Modern).await
}

/// Waits until the first path gives its lists again.
async fn until_on_probation(pair: &Pair) {
    while pair.states().await[0].0 != "probation" {
        tokio::task::yield_now().await;
    }
}

/// Has the first path answer no call yet, and calls `tool` until a call tries it: while that one waits, all others go on to the
/// second path, and once it is answered they go to the first.
async fn one_tries_the_first_path(pair: &Pair, client: &Client, tool: &'static str) {
    let [first, second] = pair.paths().map(Some);
    pair.first.forget();
    let answers = Arc::new(Semaphore::new(0));
    let may_answer = answers.clone();
    pair.first_does(move |runs, asked| {
        let may_answer = may_answer.clone();
        async move {
            may_answer.acquire().await.unwrap().forget();
            runs.carried_out(&asked)
        }
    });
    let mut number = 100;
    let trial = loop {
        number += 1;
        let (caller, this) = (client.clone(), number);
        let mut calling = tokio::spawn(async move { call(&caller, tool, this).await });
        tokio::select! {
            got = &mut calling => assert_eq!(got.unwrap().ok().path.as_deref(), second),
            _ = pair.first.until_asked(|asked| asked.method == "tools/call") => break calling,
        }
    };
    for other in 1000..1010 {
        let tool = if other % 2 == 0 { "act" } else { "look" };
        assert_eq!(call(client, tool, other).await.ok().path.as_deref(), second);
    }
    assert_eq!((pair.first.asked("tools/call").len(), pair.states().await[0].0.as_str()), (1, "trying"));
    answers.add_permits(1000);
    assert_eq!(trial.await.unwrap().ok().path.as_deref(), first);
    assert_eq!(pair.states().await[0].0, "up");
    assert_eq!(call(client, "act", 2000).await.ok().path.as_deref(), first);
}

fn up() -> String {
    "up".into()
}

#[tokio::test]
async fn a_path_that_failed_in_a_row_is_asked_no_more() {
    for arranged in BOTH {
        let pair = Pair::start(arranged, Speaks::Modern, STRICT).await;
        let client = client(&pair).await;
        call(&client, "act", 1).await.ok();
        pair.first_does(|runs, asked| async move {
            runs.note(&asked);
            status(500)
        });
        // Its own error, for it may have been carried out; and one that goes on.
        assert_eq!(call(&client, "act", 2).await.fault(), "status");
        assert_eq!(pair.states().await, [(up(), 1, 0), (up(), 0, 0)]);
        call(&client, "look", 3).await.ok();
        assert_eq!(pair.states().await, [("down".into(), 1, 1), (up(), 1, 0)]);
        for number in 4..8 {
            let got = call(&client, if number % 2 == 0 { "act" } else { "look" }, number).await.ok();
            assert_eq!((got.path.as_deref(), pair.runs.of(number)), (Some(pair.paths()[1]), 1));
        }
        assert_eq!(pair.first.asked("tools/call").len(), 3);
        assert_eq!(pair.states().await, [("down".into(), 1, 1), (up(), 5, 0)]);
    }
}

/// One that is down is better than none.
#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_down_is_asked_where_no_other_serves() {
    for arranged in BOTH {
        let mut pair = Pair::start(arranged, Speaks::Modern, STRICT).await;
        let client = client(&pair).await;
        pair.first_does(|_, _| async { status(429) });
        for number in 0..2 {
            call(&client, "act", number).await.ok();
        }
        assert_eq!(pair.states().await[0].0, "down");
        pair.first_works();
        tokio::task::block_in_place(|| pair.second.down());
        let got = call(&client, "act", 3).await.ok();
        assert_eq!((got.path.as_deref(), pair.runs.of(3)), (Some(pair.paths()[0]), 1));
        assert_eq!(pair.states().await[0].0, "up", "it answered");
    }
}

/// It is listed again as soon as it has cooled down: no request has to find out.
#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_comes_back_is_used_again() {
    for (arranged, speaks) in BOTH.into_iter().zip([Speaks::Modern, Speaks::Sessions]) {
        let mut pair = Pair::start(arranged, speaks, QUICK).await;
        let client = client(&pair).await;
        tokio::task::block_in_place(|| pair.first.down());
        for number in 0..2 {
            assert_eq!(call(&client, "act", number).await.ok().path.as_deref(), Some(pair.paths()[1]));
        }
        assert_ne!(pair.states().await[0].0, "up");
        tokio::task::block_in_place(|| pair.first.up());
        until_on_probation(&pair).await;
        // Calls that are all of the kind that may be lost find out too, if there is no other.
        let mut number = 9;
        while call(&client, "act", number).await.ok().path.as_deref() != Some(pair.paths()[0]) {
            number += 1;
        }
        assert_eq!((pair.runs.of(number), pair.states().await[0].0.as_str()), (1, "up"));
    }
}

/// A request that nothing is lost with finds out whether a path is up, and one at a time: all others go on to the second.
#[tokio::test]
async fn one_request_tries_a_path_while_the_others_go_on() {
    for arranged in BOTH {
        let pair = Pair::start(arranged, Speaks::Modern, QUICK).await;
        let client = client(&pair).await;
        // It gives no list either, so that only requests can find out.
        pair.first.on("*", |_| async { status(500) });
        pair.first_does(|_, _| async { status(429) });
        for number in 0..2 {
            call(&client, "act", number).await.ok();
        }
        one_tries_the_first_path(&pair, &client, "look").await;
    }
}

/// Lists say nothing of calls: a path that gives them again gets one call at a time, whatever that is, until one was answered.
#[tokio::test]
async fn a_path_on_probation_gets_one_call_at_a_time() {
    for arranged in BOTH {
        let pair = Pair::start(arranged, Speaks::Modern, QUICK).await;
        let client = client(&pair).await;
        pair.first_does(|_, _| async { status(429) });
        for number in 0..2 {
            call(&client, "act", number).await.ok();
        }
        until_on_probation(&pair).await;
        one_tries_the_first_path(&pair, &client, "act").await;
    }
}

/// Where no other path can serve, all calls go to one that is on probation.
#[tokio::test(flavor = "multi_thread")]
async fn a_path_on_probation_gets_all_calls_in_need() {
    for arranged in BOTH {
        let mut pair = Pair::start(arranged, Speaks::Modern, QUICK).await;
        let client = client(&pair).await;
        pair.first_does(|_, _| async { status(429) });
        for number in 0..2 {
            call(&client, "act", number).await.ok();
        }
        until_on_probation(&pair).await;
        tokio::task::block_in_place(|| pair.second.down());
        let together = Arc::new(tokio::sync::Barrier::new(8));
        pair.first_does(move |runs, asked| {
            let together = together.clone();
            async move {
                together.wait().await;
                runs.carried_out(&asked)
            }
        });
        let calls = (10..18).map(|number| call(&client, if number % 2 == 0 { "act" } else { "look" }, number));
        for got in futures::future::join_all(calls).await {
            assert_eq!(got.ok().path.as_deref(), Some(pair.paths()[0]));
        }
    }
}

/// One tool that fails whatever it is asked is no reason to leave the path, which is listed at once to make sure.
#[tokio::test]
async fn one_tool_that_fails_does_not_take_its_path_from_the_others() {
    for (arranged, is_hosted) in BOTH.into_iter().flat_map(|arranged| [(arranged, false), (arranged, true)]) {
        let behind_runtime = |config: &mut Config| {
            if is_hosted {
                hosted(config);
            }
        };
        let pair = Pair::start_with(arranged, Speaks::Modern, STRICT, |_, _| (), behind_runtime).await;
        let client = client(&pair).await;
        pair.first_does(|runs, asked| async move {
            match asked.params.contains("look") {
                true => typed(404, "text/html", "<html>no such page</html>"),
                false => runs.carried_out(&asked),
            }
        });
        pair.first.forget();
        for number in 0..8 {
            call(&client, "look", number).await.ok();
        }
        pair.first.until_asked(|asked| asked.method == "tools/list").await;
        assert_eq!(pair.states().await[0].0, "up");
        assert_eq!(call(&client, "act", 9).await.ok().path.as_deref(), Some(pair.paths()[0]));
    }
}

/// A path that gives no list either is down, whatever was asked.
#[tokio::test]
async fn one_tool_that_fails_is_enough_where_lists_fail_too() {
    for arranged in BOTH {
        let pair = Pair::start(arranged, Speaks::Modern, STRICT).await;
        let client = client(&pair).await;
        pair.first.on("*", |_| async { status(500) });
        pair.first_does(|_, _| async { status(500) });
        for number in 0..2 {
            call(&client, "look", number).await.ok();
        }
        while pair.states().await[0].0 != "down" {
            tokio::task::yield_now().await;
        }
    }
}

/// A slow path is not given up for one that is down: the call would be lost.
#[tokio::test]
async fn a_slow_path_is_waited_for_where_the_other_is_down() {
    for arranged in BOTH {
        let failover = Failover { first_byte: Duration::from_millis(1), ..STRICT };
        let pair = Pair::start(arranged, Speaks::Modern, failover).await;
        let client = client(&pair).await;
        pair.first_does(|_, _| async { status(429) });
        for number in 0..2 {
            call(&client, "act", number).await.ok();
        }
        let slow = Arc::new(Semaphore::new(0));
        let (runs, answers) = (pair.runs.clone(), slow.clone());
        pair.second.on("tools/call", move |asked| {
            let (runs, answers) = (runs.clone(), answers.clone());
            async move {
                answers.acquire().await.unwrap().forget();
                runs.carried_out(&asked)
            }
        });
        pair.second.forget();
        let caller = client.clone();
        let looking = tokio::spawn(async move { call(&caller, "look", 5).await });
        pair.second.until_asked(|asked| asked.method == "tools/call").await;
        // Other requests take their time, more than the path has.
        for _ in 0..20 {
            pair.states().await;
        }
        slow.add_permits(1);
        looking.await.unwrap().ok();
        assert_eq!(pair.runs.of(5), 1);
    }
}

/// A retry that brings what a path asked for goes to that path, though another is preferred by now.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_path_asked_for_goes_back_to_it() {
    for arranged in BOTH {
        let mut pair = Pair::start(arranged, Speaks::Modern, PATIENT).await;
        let client = client(&pair).await;
        pair.second.on("tools/call", |asked| async move {
            let result = match asked.params.contains(r#""requestState":"own""#) {
                true => r#"{"resultType":"complete","content":[]}"#,
                false => r#"{"resultType":"input_required","inputRequests":{"a":{"method":"roots/list"}},"requestState":"own"}"#,
            };
            json(200, success(&asked.id, result))
        });
        tokio::task::block_in_place(|| pair.first.down());
        let asked = call(&client, "act", 1).await;
        let answer: serde_json::Value = serde_json::from_str(&asked.answer).unwrap();
        let state = answer["result"]["requestState"].as_str().unwrap();
        tokio::task::block_in_place(|| pair.first.up());
        pair.first.forget();
        let params = |state: &str| {
            format!(
                r#"{{"name":"t___act","arguments":{{"n":1}},"inputResponses":{{"a":{{}}}},"requestState":{}}}"#,
                wire::json(&state)
            )
        };
        let got = client.ask("tools/call", &params(state)).await.ok();
        assert_eq!(got.path.as_deref(), Some(pair.paths()[1]));
        assert!(pair.first.asked("tools/call").is_empty());
        let elsewhere = client.ask("tools/call", &params("causeway-path.gone/7.x")).await.answer;
        assert!(elsewhere.contains("`requestState` is unknown or has expired"), "{elsewhere}");
        // What goes down in between is not replaced: the other path does not know what it asked.
        tokio::task::block_in_place(|| pair.second.down());
        assert_eq!(client.ask("tools/call", &params(state)).await.fault(), "unreachable");
        assert!(pair.first.asked("tools/call").is_empty());
    }
}

/// A task is where it began.
#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_asked_about_where_it_runs() {
    let about = r#""capabilities":{"tools":{},"extensions":{"io.modelcontextprotocol/tasks":{}}}"#;
    let gives_tasks = |first: &mut FakeTarget, second: &mut FakeTarget| {
        first.describe(about);
        second.describe(about);
        second.on("tools/call", |asked| async move {
            let task = r#"{"resultType":"task","taskId":"t1","status":"working","ttlMs":null,"pollIntervalMs":1}"#;
            json(200, success(&asked.id, task))
        });
        second.on("tasks/get", |asked| async move {
            let task = r#"{"resultType":"complete","taskId":"t1","status":"completed","result":{"content":[]}}"#;
            json(200, success(&asked.id, task))
        });
    };
    for arranged in BOTH {
        let mut pair = Pair::start_with(arranged, Speaks::Modern, PATIENT, gives_tasks, |_| ()).await;
        let alice = pair
            .gateway
            .caller("alice")
            .modern()
            .declaring(serde_json::json!({"extensions": {"io.modelcontextprotocol/tasks": {}}}));
        tokio::task::block_in_place(|| pair.first.down());
        let task = alice.call("t___act", serde_json::json!({"n": 1})).await;
        tokio::task::block_in_place(|| pair.first.up());
        let state = alice.request("tasks/get", serde_json::json!({"taskId": task["taskId"]})).await;
        assert_eq!(state.header("x-causeway-path"), pair.paths()[1]);
        assert_eq!(state.result()["status"], "completed");
        assert!(pair.first.asked("tasks/get").is_empty());
    }
}

/// Where there is one path alone, nothing is said of paths.
#[tokio::test]
async fn a_target_in_one_place_has_no_paths() {
    let pair = Pair::start(Arranged::Standby, Speaks::Modern, PATIENT).await;
    let ready = pair.gateway.anonymous().get("/readyz").await.json();
    assert_eq!(ready["targets"][1].get("paths"), None, "it stands by, and is in one place");
    let lone = FakeTarget::start(Speaks::Modern);
    let gateway = crate::harness::Gateway::start([crate::harness::http_target("t", &lone.endpoint())]).await;
    let client = Client::new(&gateway, targets_client::Speaks::Modern).await;
    assert_eq!(client.call("t___echo", "{}").await.ok().path, None);
    assert_eq!(gateway.anonymous().get("/readyz").await.json()["targets"][0].get("paths"), None);
}
