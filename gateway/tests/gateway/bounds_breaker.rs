//! A target that nobody stands in for, and that does not work: its calls fail at once and say so, it is tried by one of them at a time,
//! and whatever one caller or one tool makes it answer takes it from nobody.

use std::{sync::Arc, time::Duration};

use causeway::config::{Config, Failover};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::{
    caller::Caller,
    fake_target::{FakeTarget, Speaks, hang, json, status, success},
    harness::{Gateway, http_target},
    targets_calls,
    targets_client::{self, Client, Got},
};

const SPEAKS: [Speaks; 2] = [Speaks::Modern, Speaks::Sessions];

/// So short that a test need not wait for it to be over, and so long that it is not over between two calls.
fn quick(config: &mut Config) {
    let cool_down = Duration::from_millis(700);
    config.failover = Failover { failures: 2, cool_down, longest_cool_down: cool_down, ..config.failover };
}

async fn gateway(fake: &FakeTarget, change: impl FnOnce(&mut Config)) -> (Gateway, Client) {
    let gateway = Gateway::start_with([http_target("t", &fake.endpoint())], change).await;
    let client = Client::new(&gateway, targets_client::Speaks::Modern).await;
    client.call("t___echo", "{}").await.ok();
    (gateway, client)
}

fn error(got: &Got) -> Value {
    serde_json::from_str::<Value>(&got.answer).unwrap()["result"]["_meta"]["causeway/error"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_target_fails_at_once_and_is_back_with_its_lists() {
    for speaks in SPEAKS {
        let (mut fake, well) = (FakeTarget::start(speaks), FakeTarget::start(speaks));
        let targets = [http_target("t", &fake.endpoint()), http_target("well", &well.endpoint())];
        let gateway = Gateway::start_with(targets, |config| {
            // For as long as the test looks.
            let cool_down = Duration::from_secs(1000);
            config.failover = Failover { failures: 2, cool_down, longest_cool_down: cool_down, ..config.failover };
        })
        .await;
        let client = Client::new(&gateway, targets_client::Speaks::Modern).await;
        client.call("t___echo", "{}").await.ok();
        tokio::task::block_in_place(|| fake.down());
        for _ in 0..2 {
            assert_eq!(client.call("t___echo", "{}").await.fault(), "unreachable");
        }
        let got = client.call("t___echo", "{}").await;
        let (said, text) = (error(&got), &got.answer);
        assert_eq!((said["kind"].as_str(), said["target"].as_str()), (Some("down"), Some("t")), "{text}");
        // At most 5 s, whatever the configuration says: nobody else serves what it may serve by now.
        let after = said["retryAfterSeconds"].as_u64().unwrap();
        assert!((1..=5).contains(&after), "{text}");
        let told = format!("is asked again in {after}s: it could not be reached; retry then; if it stays");
        assert!(text.contains("target `t` is down since ") && text.contains(&told), "{text}");
        client.call("well___echo", "{}").await.ok();
        let ready = gateway.anonymous().get("/readyz").await.json();
        assert_eq!(
            (&ready["targets"][0]["path"], &ready["targets"][1]["path"]),
            (&"down".into(), &Value::Null),
            "{ready}"
        );
        let metrics = Caller::new(&format!("{}/mcp", gateway.admin)).get("/metrics").await;
        for line in
            [r#"causeway_path_state{target="t",path="t",state="down"} 1"#, r#"causeway_target_up{target="t"} 0"#]
        {
            assert!(metrics.text().contains(line), "{}", metrics.text());
        }
        tokio::task::block_in_place(|| fake.up());
        // No call has to find out: it is listed as soon as it has cooled down.
        while gateway.anonymous().get("/readyz").await.json()["targets"][0]["path"] != Value::Null {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        client.call("t___echo", "{}").await.ok();
    }
}

/// Neither its lists nor its calls come: calls wait in vain as often as it takes to know, and from then on one at a time.
#[tokio::test]
async fn a_target_that_hangs_is_waited_for_by_one_call_at_a_time() {
    let fake = FakeTarget::start(Speaks::Modern);
    let (gateway, client) = gateway(&fake, |config| {
        quick(config);
        config.limits.first_byte = Duration::from_millis(300);
        config.limits.discovery = Duration::from_millis(300);
    })
    .await;
    fake.on("*", |_| hang());
    for _ in 0..2 {
        assert_eq!(client.call("t___echo", "{}").await.fault(), "timeout");
    }
    while gateway.anonymous().get("/readyz").await.json()["targets"][0]["path"] == Value::Null {
        tokio::task::yield_now().await;
    }
    fake.forget();
    let mut kinds = Vec::new();
    while fake.asked("tools/call").is_empty() {
        kinds.extend(targets_calls::all(&client, "t___echo", 20).await.iter().map(Got::fault));
    }
    let timeouts = kinds.iter().filter(|kind| *kind == "timeout").count();
    assert!(timeouts <= 2 && kinds.iter().all(|kind| kind == "down" || kind == "timeout"), "{kinds:?}");
    assert!(fake.asked("tools/call").len() <= 2, "one of twenty at a time");
}

/// While lists fail, only calls can find out, and the first that is answered lets all others in again.
#[tokio::test]
async fn one_call_tries_it_and_its_answer_lets_the_others_in() {
    let fake = FakeTarget::start(Speaks::Modern);
    let (gateway, client) = gateway(&fake, quick).await;
    fake.on("*", |_| async { status(500) });
    fake.on("server/discover", |_| async { status(500) });
    for _ in 0..2 {
        assert_eq!(client.call("t___echo", "{}").await.fault(), "status");
    }
    while gateway.anonymous().get("/readyz").await.json()["targets"][0]["path"] == Value::Null {
        tokio::task::yield_now().await;
    }
    let may_answer = Arc::new(Semaphore::new(0));
    let answers = Arc::clone(&may_answer);
    fake.on("tools/call", move |asked| {
        let answers = Arc::clone(&answers);
        async move {
            answers.acquire().await.unwrap().forget();
            json(200, success(&asked.id, r#"{"resultType":"complete","content":[]}"#))
        }
    });
    fake.forget();
    let trial = loop {
        let mut calling = targets_calls::start(&client, "t___echo");
        tokio::select! {
            got = &mut calling => assert_eq!(got.unwrap().fault(), "down"),
            _ = fake.until_asked(|asked| asked.method == "tools/call") => break calling,
        }
    };
    assert_eq!(client.call("t___echo", "{}").await.fault(), "down", "one at a time");
    may_answer.add_permits(1000);
    trial.await.unwrap().ok();
    for got in targets_calls::all(&client, "t___echo", 20).await {
        got.ok();
    }
}

/// What a server answers, if only an error, it may do for one tool and not for another; its lists tell that it is there.
#[tokio::test]
async fn tools_that_fail_do_not_take_it_from_the_others() {
    for speaks in SPEAKS {
        let fake = FakeTarget::start(speaks);
        fake.offer(
            r#"[{"name":"echo","inputSchema":{}},{"name":"bad","inputSchema":{}},{"name":"worse","inputSchema":{}}]"#,
        );
        let (_gateway, client) = gateway(&fake, quick).await;
        fake.on("tools/call", |asked| async move {
            match asked.params.contains(r#""name":"echo""#) {
                true => json(200, success(&asked.id, r#"{"resultType":"complete","content":[]}"#)),
                false => status(500),
            }
        });
        fake.forget();
        for _ in 0..5 {
            assert_eq!(client.call("t___bad", "{}").await.fault(), "status");
            assert_eq!(client.call("t___worse", "{}").await.fault(), "status");
        }
        fake.until_asked(|asked| asked.method == "tools/list").await;
        client.call("t___echo", "{}").await.ok();
        assert_eq!(client.call("t___bad", "{}").await.fault(), "status");
    }
}

/// One that takes no calls for now says so at once, perhaps to one caller alone.
#[tokio::test]
async fn a_target_that_says_not_now_is_not_down() {
    let fake = FakeTarget::start(Speaks::Modern);
    let (_gateway, client) = gateway(&fake, quick).await;
    fake.on("tools/call", |_| async { status(429) });
    for _ in 0..6 {
        assert_eq!(client.call("t___echo", "{}").await.fault(), "status");
    }
    fake.usual("tools/call");
    client.call("t___echo", "{}").await.ok();
}

/// A target whose lists fail may answer calls all the same: they keep nobody out who comes but now and then.
#[tokio::test]
async fn lists_that_fail_keep_no_call_out() {
    let fake = FakeTarget::start(Speaks::Modern);
    let (gateway, client) = gateway(&fake, |config| {
        quick(config);
        config.limits.refresh = Duration::from_millis(50);
    })
    .await;
    fake.on("tools/list", |_| async { status(500) });
    gateway.target_where("t", |target| target.error.is_some()).await;
    fake.forget();
    // Four listings fail in a row, with the pauses that are between them.
    fake.until_asked(|asked| asked.method == "tools/list" && asked.earlier == 1).await;
    client.call("t___echo", "{}").await.ok();
}
