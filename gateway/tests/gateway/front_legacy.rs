//! Clients of the legacy era: handshake, sessions, methods, answers as JSON and as events, batches.

use std::time::Duration;

use causeway::config::{SessionMode, Target};
use causeway_core::era::headers::{SESSION, VERSION};
use causeway_servers::Sample;
use http::Method;
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    caller::Caller,
    controlled_target::ControlledTarget,
    harness::Gateway,
    sample::{Server, child},
};

const INVALID_REQUEST: i64 = -32600;
const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;

async fn with_sessions(mode: SessionMode) -> Gateway {
    Gateway::start_with([controlled().await], |config| config.sessions.mode = mode).await
}

async fn controlled() -> Target {
    ControlledTarget::start().await.target("lab")
}

async fn ping(caller: &Caller) -> Answer {
    caller.request("ping", json!({})).await
}

#[tokio::test]
async fn initialize_settles_on_a_version() {
    let gateway = with_sessions(SessionMode::Off).await;
    let alice = gateway.caller("alice");
    for version in ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] {
        assert_eq!(alice.initialize(version).await.result()["protocolVersion"], version);
    }
    for version in ["2026-07-28", "1900-01-01", "", "latest"] {
        assert_eq!(alice.initialize(version).await.result()["protocolVersion"], "2025-11-25", "asked for {version}");
    }
}

#[tokio::test]
async fn initialize_answers_with_what_the_gateway_is() {
    let target = controlled().await;
    let gateway = Gateway::start_with([target], |config| {
        config.gateway.name = "Tools \"R\" us".into();
        config.gateway.instructions = Some("Line 1\nLine 2".into());
        config.sessions.mode = SessionMode::Off;
    })
    .await;
    let answer = gateway.caller("alice").initialize("2025-06-18").await;
    insta::assert_snapshot!(answer.whole().replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r#"
    200
    content-type: application/json

    {"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{"listChanged":true}},"instructions":"Line 1\nLine 2","serverInfo":{"name":"Tools \"R\" us","version":"VERSION"}}}
    "#);
}

#[tokio::test]
async fn initialize_without_what_it_needs_is_refused() {
    let gateway = with_sessions(SessionMode::Optional).await;
    let alice = gateway.caller("alice");
    for params in [json!({}), json!({"protocolVersion": 7}), json!([]), json!("x"), Value::Null] {
        assert_eq!(alice.request("initialize", params.clone()).await.refusal(), (200, INVALID_PARAMS), "{params}");
    }
    let minimal = alice.request("initialize", json!({"protocolVersion": "2025-11-25"})).await;
    assert_eq!(minimal.result()["protocolVersion"], "2025-11-25");
}

#[tokio::test]
async fn a_session_is_given_and_used() {
    let gateway = with_sessions(SessionMode::Optional).await;
    let alice = gateway.caller("alice");
    let (one, other) = (alice.initialize("2025-06-18").await, alice.initialize("2025-06-18").await);
    assert_ne!(one.header(SESSION), other.header(SESSION));
    assert!(one.header(SESSION).len() < 1024, "it fits every proxy's header limit");
    let in_session = alice.clone().header(SESSION, &one.header(SESSION));
    assert_eq!(ping(&in_session).await.result(), json!({}));
    assert_eq!(ping(&in_session.clone().header(VERSION, "2025-06-18")).await.result(), json!({}));
    assert_eq!(in_session.tools().await, ["lab___echo", "lab___wait", "lab___watch", "lab___progress"]);
    let second = ping(&in_session).await;
    assert!(second.headers.get(SESSION).is_none(), "it is given once");
}

#[tokio::test]
async fn a_long_client_description_does_not_make_a_long_session_id() {
    let gateway = with_sessions(SessionMode::Optional).await;
    let alice = gateway.caller("alice");
    let info = json!({"name": "n".repeat(100_000), "version": "1"});
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {"x": "y".repeat(1000)}, "clientInfo": info});
    let answer = alice.request("initialize", params).await;
    assert!(answer.header(SESSION).len() < 1024);
    assert_eq!(ping(&alice.header(SESSION, &answer.header(SESSION))).await.result(), json!({}));
}

#[tokio::test]
async fn a_session_is_its_callers_alone() {
    let gateway = with_sessions(SessionMode::Optional).await;
    let alice = gateway.caller("alice").in_session().await;
    let stolen = gateway.caller("bob").header(SESSION, alice.header_value(SESSION));
    let answer = ping(&stolen).await;
    insta::assert_snapshot!(answer.whole(), @r#"
    404
    content-type: application/json

    {"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"no such session: it has expired, or it is not yours; send `initialize` again"}}
    "#);
    assert_eq!(ping(&alice).await.result(), json!({}));
}

#[tokio::test]
async fn a_session_ends_with_its_time_whatever_happens_in_between() {
    let gateway = with_sessions(SessionMode::Optional).await;
    let alice = gateway.caller("alice").in_session().await;
    gateway.clock.advance(Duration::from_secs(1800));
    assert_eq!(ping(&alice).await.result(), json!({}));
    gateway.clock.advance(Duration::from_secs(1799));
    assert_eq!(ping(&alice).await.result(), json!({}));
    gateway.clock.advance(Duration::from_secs(2));
    let with_new_token = gateway.caller("alice").header(SESSION, alice.header_value(SESSION));
    assert_eq!(ping(&with_new_token).await.refusal(), (404, INVALID_REQUEST));
}

#[tokio::test]
async fn garbage_is_no_session() {
    let gateway = with_sessions(SessionMode::Optional).await;
    let alice = gateway.caller("alice");
    let id = alice.initialize("2025-11-25").await.header(SESSION);
    let cut = &id[..id.len() - 1];
    let flipped: String = id.chars().rev().collect();
    for garbage in ["", "x", "00000000-0000-0000-0000-000000000000", cut, &flipped, &"A".repeat(4000)] {
        let refusal = ping(&alice.clone().header(SESSION, garbage)).await.refusal();
        assert_eq!(refusal, (404, INVALID_REQUEST), "{garbage}");
    }
    let twice = alice.header(SESSION, &id).again(SESSION, &id);
    assert_eq!(ping(&twice).await.refusal(), (404, INVALID_REQUEST));
}

#[tokio::test]
async fn where_a_session_is_required_nothing_goes_without() {
    let gateway = with_sessions(SessionMode::Required).await;
    let alice = gateway.caller("alice");
    assert_eq!(ping(&alice).await.refusal(), (400, INVALID_REQUEST));
    assert_eq!(alice.try_call("lab___echo", json!({})).await.refusal(), (400, INVALID_REQUEST));
    let alice = alice.in_session().await;
    assert_eq!(ping(&alice).await.result(), json!({}));
    alice.call("lab___echo", json!({})).await;
    gateway.caller("alice").modern().call("lab___echo", json!({})).await;
}

#[tokio::test]
async fn where_sessions_are_off_none_is_given_and_none_is_looked_at() {
    let gateway = with_sessions(SessionMode::Off).await;
    let alice = gateway.caller("alice");
    assert!(alice.initialize("2025-11-25").await.headers.get(SESSION).is_none());
    assert_eq!(ping(&alice.header(SESSION, "whatever")).await.result(), json!({}));
}

#[tokio::test]
async fn replicas_with_the_same_key_share_sessions() {
    let key = || vec![causeway::secret::Secret::new("a-key-of-32-bytes-or-more-for-it").into()];
    let one = Gateway::start_with([controlled().await], |config| config.sessions.keys = key()).await;
    let two = Gateway::start_with([controlled().await], |config| config.sessions.keys = key()).await;
    let three = Gateway::start([controlled().await]).await;
    let alice = one.caller("alice").in_session().await;
    let at = |gateway: &Gateway| gateway.caller("alice").header(SESSION, alice.header_value(SESSION));
    assert_eq!(ping(&at(&two)).await.result(), json!({}));
    assert_eq!(ping(&at(&three)).await.refusal(), (404, INVALID_REQUEST));
}

#[tokio::test]
async fn without_any_handshake_requests_are_answered() {
    let calculator = Server::start(Sample::Calculator).await;
    let gateway = Gateway::start([calculator.target()]).await;
    let alice = gateway.caller("alice");
    for alice in [alice.clone(), alice.clone().header(VERSION, "2025-03-26"), alice.header(VERSION, "2025-11-25")] {
        assert_eq!(ping(&alice).await.result(), json!({}));
        assert_eq!(alice.tools().await.len(), 2);
        let sum = alice.call("calculator___add_numbers", json!({"a": 1, "b": 2})).await;
        assert_eq!(sum["content"][0]["text"], "3");
        assert!(sum.get("resultType").is_none(), "that member is modern: {sum}");
    }
}

#[tokio::test]
async fn an_unknown_version_in_the_header_is_refused_with_those_that_are_known() {
    let gateway = with_sessions(SessionMode::Optional).await;
    let answer = ping(&gateway.caller("alice").header(VERSION, "2099-01-01")).await;
    insta::assert_snapshot!(answer.whole(), @r#"
    400
    content-type: application/json

    {"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"Unsupported protocol version","data":{"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"requested":"2099-01-01"}}}
    "#);
}

#[tokio::test]
async fn notifications_are_accepted_and_responses_to_nothing_are_not() {
    let gateway = with_sessions(SessionMode::Optional).await;
    let alice = gateway.caller("alice").in_session().await;
    for method in ["notifications/initialized", "notifications/cancelled", "notifications/anything"] {
        let answer = alice.post(json!({"jsonrpc": "2.0", "method": method}).to_string()).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (202, ""), "{method}");
    }
    let unasked = json!({"jsonrpc": "2.0", "id": 5, "result": {}}).to_string();
    let answer = alice.post(unasked).await;
    assert_eq!(answer.refusal(), (400, INVALID_REQUEST));
    assert_eq!(answer.json()["id"], Value::Null, "5 may be the number of a request of the client's own");
}

#[tokio::test]
async fn unknown_methods_are_refused_with_status_200() {
    let gateway = with_sessions(SessionMode::Optional).await;
    let alice = gateway.caller("alice");
    for method in ["server/discover", "server/nothing", "tools/List", "", "vendor/x"] {
        assert_eq!(alice.request(method, json!({})).await.refusal(), (200, METHOD_NOT_FOUND), "{method}");
    }
}

#[tokio::test]
async fn the_list_is_one_page() {
    let gateway = with_sessions(SessionMode::Optional).await;
    let alice = gateway.caller("alice");
    let result = alice.request("tools/list", json!({})).await.result();
    assert!(result.get("nextCursor").is_none());
    assert_eq!(result.as_object().unwrap().keys().collect::<Vec<_>>(), ["tools"]);
    assert_eq!(alice.request("tools/list", json!({"cursor": null})).await.result(), result);
    assert_eq!(alice.request("tools/list", json!({"cursor": "x"})).await.refusal(), (200, INVALID_PARAMS));
    let without_params = alice.post(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#).await;
    assert_eq!(without_params.result(), result);
}

#[tokio::test]
async fn a_call_with_progress_is_a_stream_for_who_reads_streams() {
    let gateway = with_sessions(SessionMode::Optional).await;
    let alice = gateway.caller("alice");
    let params = json!({"name": "lab___progress", "arguments": {}, "_meta": {"progressToken": "p-1"}});
    let streamed = alice.request("tools/call", params.clone()).await;
    insta::assert_snapshot!(streamed.whole(), @r#"
    200
    cache-control: no-store
    content-type: text/event-stream
    transfer-encoding: chunked
    x-accel-buffering: no

    event: message
    data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p-1","progress":1}}

    event: message
    data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p-1","progress":2}}

    event: message
    data: {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"done"}]}}
    "#);
    let whole = alice.clone().header("accept", "application/json").request("tools/call", params).await;
    insta::assert_snapshot!(whole.whole(), @r#"
    200
    content-type: application/json

    {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"done"}]}}
    "#);
    let plain = alice.try_call("lab___echo", json!({})).await;
    assert_eq!(plain.header("content-type"), "application/json", "one message needs no stream");
}

#[tokio::test]
async fn where_streaming_is_off_everyone_gets_one_answer() {
    let gateway = Gateway::start_with([controlled().await], |config| config.gateway.streaming = false).await;
    let answer = gateway.caller("alice").try_call("lab___progress", json!({})).await;
    assert_eq!(answer.json()["result"]["content"][0]["text"], "done");
}

#[tokio::test]
async fn tools_of_a_child_process_are_called_in_a_session() {
    let gateway = Gateway::start([child(Sample::Hello)]).await;
    let alice = gateway.caller("alice").in_session().await;
    let greeting = alice.call("hello___greet_user", json!({"name": "Bob"})).await;
    assert_eq!(greeting["content"][0]["text"], "Hello, Bob! Nice to meet you.");
}

#[tokio::test]
async fn a_batch_is_answered_in_the_one_version_that_has_it() {
    let gateway = with_sessions(SessionMode::Optional).await;
    let alice = gateway.caller("alice").header(VERSION, "2025-03-26");
    let batch = r#"[
        {"jsonrpc":"2.0","id":"a","method":"ping"},
        {"jsonrpc":"2.0","method":"notifications/initialized"},
        {"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"lab___progress","arguments":{}}},
        {"jsonrpc":"2.0","id":3,"method":"nothing"},
        {"jsonrpc":"2.0","id":4,"method":"initialize","params":{"protocolVersion":"2025-03-26"}},
        {"jsonrpc":"1.0","id":5,"method":"ping"},
        7,
        [{"jsonrpc":"2.0","id":6,"method":"ping"}],
        {"jsonrpc":"2.0","id":7,"result":{}},
        {"jsonrpc":"2.0","id":8,"method":"tools/list","params":{"cursor":"x"}}
    ]"#;
    let answer = alice.post(batch).await;
    assert_eq!(answer.status, 200);
    insta::assert_snapshot!(one_a_line(&answer), @r#"
    {"jsonrpc":"2.0","id":"a","result":{}}
    {"jsonrpc":"2.0","id":2,"result":{"content":[{"type":"text","text":"done"}]}}
    {"jsonrpc":"2.0","id":3,"error":{"code":-32601,"message":"Method not found: nothing"}}
    {"jsonrpc":"2.0","id":4,"error":{"code":-32602,"message":"`initialize` must not be part of a batch"}}
    {"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"the body is no JSON-RPC 2.0 message: `jsonrpc` must be \"2.0\""}}
    {"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"the body is no JSON-RPC 2.0 message: it is no object"}}
    {"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"the body is a batch of messages"}}
    {"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no request of the gateway waits for this response"}}
    {"jsonrpc":"2.0","id":8,"error":{"code":-32602,"message":"`cursor` is unknown, or out of date because the list has changed: list anew, without a cursor"}}
    "#);
    let without_header = gateway.caller("alice").post(r#"[{"jsonrpc":"2.0","id":"a","method":"ping"}]"#).await;
    assert_eq!(without_header.json(), json!([{"jsonrpc": "2.0", "id": "a", "result": {}}]));
}

fn one_a_line(answer: &Answer) -> String {
    answer.json().as_array().unwrap().iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_batch_of_notifications_is_accepted_and_an_empty_one_is_not() {
    let gateway = with_sessions(SessionMode::Optional).await;
    let alice = gateway.caller("alice").header(VERSION, "2025-03-26");
    let accepted = alice.post(r#"[{"jsonrpc":"2.0","method":"notifications/initialized"}]"#).await;
    assert_eq!((accepted.status.as_u16(), accepted.text()), (202, ""));
    assert_eq!(alice.post("[]").await.refusal(), (400, INVALID_REQUEST));
}

#[tokio::test]
async fn a_batch_is_refused_in_every_other_version() {
    let gateway = with_sessions(SessionMode::Optional).await;
    let alice = gateway.caller("alice");
    let batch = r#"[{"jsonrpc":"2.0","id":"a","method":"ping"}]"#;
    for version in ["2026-07-28", "2025-11-25", "2025-06-18", "2024-11-05"] {
        let answer = alice.clone().header(VERSION, version).post(batch).await;
        assert_eq!(answer.refusal(), (400, INVALID_REQUEST), "{version}");
    }
    let session = alice.initialize("2025-11-25").await.header(SESSION);
    assert_eq!(alice.header(SESSION, &session).post(batch).await.refusal(), (400, INVALID_REQUEST), "by its session");
}

#[tokio::test]
async fn nothing_but_post_is_served_without_a_session() {
    let gateway = with_sessions(SessionMode::Optional).await;
    for caller in [gateway.caller("alice"), gateway.caller("alice").modern()] {
        for method in [Method::GET, Method::DELETE] {
            let answer = caller.send(method.clone(), "").await;
            assert_eq!((answer.status.as_u16(), answer.header("allow").as_str()), (405, "POST"), "{method}");
        }
    }
    for caller in [gateway.caller("alice").in_session().await, gateway.anonymous()] {
        for method in [Method::PUT, Method::PATCH] {
            let answer = caller.send(method.clone(), "").await;
            assert_eq!(answer.status, 405, "{method}");
            assert_eq!(answer.header("allow"), "POST, GET, DELETE", "{method}");
        }
    }
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(gateway.anonymous().send(method, "").await.status, 401);
    }
}

#[tokio::test]
async fn ids_of_calls_under_way_may_be_the_same() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start([lab.target("lab")]).await;
    let alice = gateway.caller("alice").in_session().await;
    let calls = futures::future::join(
        alice.call("lab___wait", json!({"call": "one"})),
        alice.call("lab___wait", json!({"call": "two"})),
    );
    let release = async {
        for _ in 0..2 {
            lab.arrival().await;
        }
        for _ in 0..2 {
            lab.release();
        }
    };
    let ((one, two), ()) = futures::future::join(calls, release).await;
    assert_eq!((&one["content"][0]["text"], &two["content"][0]["text"]), (&json!("waited"), &json!("waited")));
}
