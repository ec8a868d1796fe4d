//! What is recorded of calls, whatever way they end: one record each, right about who, what, where, how it ended and how long.

use std::{sync::Arc, time::Duration};

use causeway::{calls::CallRecord, config::Config};
use causeway_servers::Sample;
use serde_json::{Value, json};
use tokio::{sync::broadcast::Receiver, time::timeout};

use crate::{
    controlled_target::ControlledTarget,
    fake_target::{FakeTarget, Speaks, error, success},
    harness::{Gateway, http_target},
    issuer::Issuer,
    sample::Server,
};

/// What does not happen within so long does not happen: better a test that says so than one that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// The next record of a call of `method`.
async fn next(records: &mut Receiver<Arc<CallRecord>>, method: &str) -> Arc<CallRecord> {
    loop {
        let record = timeout(PATIENCE, records.recv()).await.expect("the call ends");
        let record = record.expect("the gateway runs, and a test reads faster than it calls");
        if &*record.method == method {
            return record;
        }
    }
}

/// What of a record does not change from run to run.
fn steady(record: &CallRecord) -> Value {
    let mut json = record.json();
    for key in ["time", "request_id", "issuer", "first_byte_ms", "duration_ms", "execution_ms"] {
        json.shift_remove(key);
    }
    json.into()
}

#[tokio::test]
async fn a_tool_that_answers() {
    let calculator = Server::start(Sample::Calculator).await;
    let gateway = Gateway::start([calculator.target()]).await;
    let mut records = gateway.calls.follow();
    let alice = gateway.caller("alice").header("x-request-id", "mine-1");
    let answer = alice.try_call("calculator___add_numbers", json!({"a": 2, "b": 3})).await;
    assert_eq!((answer.header("x-request-id"), answer.header("x-amzn-requestid")), ("mine-1".into(), "mine-1".into()));
    let record = next(&mut records, "tools/call").await;
    assert_eq!(&*record.request_id, "mine-1");
    assert_eq!(record.bytes_out as usize, answer.body.len());
    let first_byte = record.first_byte.expect("it has a body");
    assert!(record.execution > Duration::ZERO && record.execution <= record.duration, "{record:?}");
    assert!(first_byte <= record.duration, "{record:?}");
    insta::assert_snapshot!(steady(&record), @r#"{"caller":"alice","client":"alice","endpoint":"/mcp","method":"tools/call","name":"calculator___add_numbers","target":"calculator","tool":"add_numbers","outcome":"ok","status":200,"attempts":1,"bytes_in":117,"bytes_out":123}"#);
    let known = gateway.calls.recent();
    assert!(known.iter().any(|known| Arc::ptr_eq(known, &record)));
}

#[tokio::test]
async fn an_id_is_made_where_the_client_brings_none_that_is_fit() {
    let gateway = Gateway::launch(Issuer::start().await, [], |_| ()).await;
    let alice = gateway.caller("alice");
    let one = alice.request("tools/list", json!({})).await.header("x-request-id");
    let bad = "no \"good\"";
    let other = alice.header("x-request-id", bad).request("tools/list", json!({})).await.header("x-request-id");
    assert!(one.len() == 32 && other.len() == 32 && one != other, "{one} {other}");
}

#[tokio::test]
async fn who_is_not_let_in_is_recorded_with_what_he_wanted() {
    let gateway = Gateway::launch(Issuer::start().await, [], |_| ()).await;
    let mut records = gateway.calls.follow();
    let answer = gateway.anonymous().try_call("calculator___add_numbers", json!({"password": "hunter2"})).await;
    assert_eq!(answer.status, 401);
    let record = next(&mut records, "tools/call").await;
    insta::assert_snapshot!(steady(&record), @r#"{"endpoint":"/mcp","method":"tools/call","name":"calculator___add_numbers","outcome":"refused","detail":"missing_token","status":401,"attempts":0,"bytes_in":126,"bytes_out":81}"#);
}

#[tokio::test]
async fn each_way_to_end() {
    let fake = FakeTarget::start(Speaks::Modern);
    let gateway = Gateway::start([http_target("fake", &fake.endpoint())]).await;
    let mut records = gateway.calls.follow();
    let alice = gateway.caller("alice").modern();
    let mut ends = Vec::new();
    let mut end = async |tool: &str| {
        alice.try_call(tool, json!({})).await;
        let record = next(&mut records, "tools/call").await;
        let (target, tool) = (record.target.clone().unwrap_or_default(), record.tool.clone().unwrap_or_default());
        ends.push(format!("{} {:?} {} {target}/{tool}", record.outcome.word(), record.outcome.detail(), record.status));
    };
    end("fake___echo").await;
    end("fake___nothing").await;
    fake.on("tools/call", |asked| async move {
        success_of(&asked.id, r#"{"resultType":"complete","content":[],"isError":true}"#)
    });
    end("fake___echo").await;
    fake.on("tools/call", |asked| async move { error(200, &asked.id, -32602, "no") });
    end("fake___echo").await;
    fake.on("tools/call", |_| async move { crate::fake_target::status(500) });
    end("fake___echo").await;
    insta::assert_snapshot!(ends.join("\n"), @r#"
    ok None 200 fake/echo
    error Some("-32602") 200 /
    tool_error None 200 fake/echo
    error Some("-32602") 200 fake/echo
    target_fault Some("status") 200 fake/echo
    "#);
}

fn success_of(id: &str, result: &str) -> axum::http::Response<axum::body::Body> {
    crate::fake_target::json(200, success(id, result))
}

#[tokio::test]
async fn a_streamed_answer_ends_with_its_last_byte() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start([lab.target("lab")]).await;
    let mut records = gateway.calls.follow();
    let mut stream = gateway.caller("alice").open("tools/call", json!({"name": "lab___watch", "arguments": {}})).await;
    stream.next().await;
    assert!(records.try_recv().is_err(), "it is not over");
    lab.release();
    stream.rest().await;
    let record = next(&mut records, "tools/call").await;
    assert_eq!((record.outcome.word(), record.status, record.target.as_deref()), ("ok", 200, Some("lab")));
    assert!(record.first_byte.unwrap() < record.duration, "{record:?}");
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_its_call() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start([lab.target("lab")]).await;
    let mut records = gateway.calls.follow();
    let alice = gateway.caller("alice");
    let mut stream = alice.open("tools/call", json!({"name": "lab___watch", "arguments": {}})).await;
    lab.arrival().await;
    stream.next().await;
    drop(stream);
    let streaming = next(&mut records, "tools/call").await;
    assert_eq!((streaming.outcome.word(), streaming.status), ("cancelled", 200));
    let waiting = tokio::spawn(async move { alice.try_call("lab___wait", json!({})).await });
    lab.arrival().await;
    waiting.abort();
    let before = next(&mut records, "tools/call").await;
    assert_eq!((before.outcome.word(), before.status, before.target.as_deref()), ("cancelled", 0, Some("lab")));
}

#[tokio::test]
async fn messages_of_a_batch_are_calls_of_their_own() {
    let gateway = Gateway::launch(Issuer::start().await, [], |_| ()).await;
    let mut records = gateway.calls.follow();
    let alice = gateway.caller("alice").header("mcp-protocol-version", "2025-03-26").header("x-request-id", "b");
    let ping = |id| json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
    alice.post(json!([ping(1), ping(2)]).to_string()).await;
    let mut methods = Vec::new();
    for _ in 0..3 {
        let record = records.recv().await.unwrap();
        methods.push(format!("{} {}", record.request_id, record.method));
    }
    assert_eq!(methods, ["b ping", "b ping", "b batch"]);
}

#[tokio::test]
async fn a_bound_that_is_met_is_a_throttle() {
    let lab = ControlledTarget::start().await;
    let change = |config: &mut Config| (config.limits.target_calls, config.limits.target_queue) = (1, 0);
    let gateway = Gateway::start_with([lab.target("lab")], change).await;
    let mut records = gateway.calls.follow();
    let alice = gateway.caller("alice");
    let first = alice.open("tools/call", json!({"name": "lab___watch", "arguments": {}})).await;
    alice.try_call("lab___watch", json!({})).await;
    let record = next(&mut records, "tools/call").await;
    assert_eq!((record.outcome.word(), record.outcome.detail()), ("throttled", Some("target_calls".into())));
    drop(first);
}

/// Whose tools nobody knows yet.
#[tokio::test]
async fn a_call_to_a_target_that_was_never_listed_is_that_targets() {
    let gateway = Gateway::start([http_target("gone", "http://127.0.0.1:1/mcp")]).await;
    let mut records = gateway.calls.follow();
    gateway.caller("alice").try_call("gone___echo", json!({})).await;
    let record = next(&mut records, "tools/call").await;
    insta::assert_snapshot!(steady(&record), @r#"{"caller":"alice","client":"alice","endpoint":"/mcp","method":"tools/call","name":"gone___echo","target":"gone","outcome":"target_fault","detail":"unreachable","status":200,"attempts":0,"bytes_in":93,"bytes_out":264}"#);
}

#[tokio::test]
async fn what_a_client_asks_about_is_recorded_whatever_comes_of_it() {
    let gateway = Gateway::launch(Issuer::start().await, [], |_| ()).await;
    let mut records = gateway.calls.follow();
    let [legacy, modern] = [gateway.caller("alice").in_session().await, gateway.caller("alice").modern()];
    let mut named = Vec::new();
    let mut of = async |caller: &crate::caller::Caller, method: &str, params: Value| {
        caller.request(method, params).await;
        let record = next(&mut records, method).await;
        named.push(format!("{method} {} {}", record.name.as_deref().unwrap_or("-"), record.outcome.word()));
    };
    of(&legacy, "resources/subscribe", json!({"uri": "x:one"})).await;
    of(&legacy, "resources/unsubscribe", json!({"uri": "x:one"})).await;
    for caller in [&legacy, &modern] {
        let argument = json!({"name": "a", "value": ""});
        let reference = json!({"type": "ref/prompt", "name": "t___p"});
        of(caller, "completion/complete", json!({"ref": reference, "argument": argument})).await;
        let reference = json!({"type": "ref/resource", "uri": "x:{y}"});
        of(caller, "completion/complete", json!({"ref": reference, "argument": argument})).await;
    }
    of(&modern.clone().header("mcp-name", "another"), "tools/call", json!({"name": "t___x", "arguments": {}})).await;
    insta::assert_snapshot!(named.join("\n"), @"
    resources/subscribe x:one error
    resources/unsubscribe x:one ok
    completion/complete t___p error
    completion/complete x:{y} error
    completion/complete t___p error
    completion/complete x:{y} error
    tools/call t___x error
    ");
}
