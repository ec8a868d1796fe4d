//! What clients should not send, and what they get for it: always an answer, never a hang, never a crash.

use causeway_core::era::headers::VERSION;
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    controlled_target::ControlledTarget,
    harness::Gateway,
    raw::{exchange, post},
};

const PARSE_ERROR: (u16, i64) = (400, -32700);
const INVALID_REQUEST: (u16, i64) = (400, -32600);
const INVALID_PARAMS: (u16, i64) = (200, -32602);
const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

async fn lab() -> (Gateway, ControlledTarget, Caller) {
    let target = ControlledTarget::start().await;
    let gateway = Gateway::start([target.target("lab")]).await;
    let alice = gateway.caller("alice");
    (gateway, target, alice)
}

#[tokio::test]
async fn what_is_no_json() {
    let (_gateway, _target, alice) = lab().await;
    for body in ["", " ", "{", "nonsense", "[", "[{]", r#"{"jsonrpc":"2.0","id":1,"method":"ping"} x"#, "{'a':1}"] {
        let answer = alice.post(body).await;
        assert_eq!((answer.refusal(), &answer.json()["id"]), (PARSE_ERROR, &Value::Null), "{body}");
    }
    let bytes: [&'static [u8]; 3] = [b"\xff\xfe", b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"p\xffng\"}", b"\0"];
    for body in bytes {
        assert_eq!(alice.post(body).await.refusal(), PARSE_ERROR, "{body:?}");
    }
}

#[tokio::test]
async fn what_is_json_and_no_message() {
    let (_gateway, _target, alice) = lab().await;
    let bodies = [
        "7",
        "null",
        r#""ping""#,
        "{}",
        r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
        r#"{"id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
        r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","id":2}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}"#,
    ];
    for body in bodies {
        assert_eq!(alice.post(body).await.refusal(), INVALID_REQUEST, "{body}");
        let modern = alice.clone().modern().post(body).await;
        assert_eq!(modern.refusal(), INVALID_REQUEST, "{body}");
    }
}

#[tokio::test]
async fn ids_come_back_as_they_were_written() {
    let (_gateway, _target, alice) = lab().await;
    let ids = [
        "1.50",
        "-0",
        "1e400",
        "123456789012345678901234567890",
        r#""""#,
        r#""\u0041\ud83d\ude00\n\"/\/""#,
        r#""\ud800""#,
        "\"\u{1f600}\"",
    ];
    for id in ids {
        for method in ["ping", "tools/list", "nothing"] {
            let answer = alice.post(format!(r#"{{"jsonrpc":"2.0","id": {id} ,"method":"{method}"}}"#)).await;
            assert!(answer.text().starts_with(&format!(r#"{{"jsonrpc":"2.0","id":{id},"#)), "{}", answer.text());
        }
        let params = r#"{"name":"lab___echo","arguments":{}}"#;
        let call = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{params}}}"#);
        let answer = alice.post(call).await;
        assert!(answer.text().contains(&format!(r#""id":{id},"result""#)), "{}", answer.text());
    }
}

#[tokio::test]
async fn the_wrong_type_of_content() {
    let (_gateway, _target, alice) = lab().await;
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "", "multipart/form-data"] {
        assert_eq!(alice.clone().header("content-type", kind).post(PING).await.refusal(), (415, -32600), "{kind}");
    }
    for kind in ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=utf-8"] {
        assert_eq!(alice.clone().header("content-type", kind).post(PING).await.result(), json!({}), "{kind}");
    }
    assert_eq!(alice.without("content-type").post(PING).await.result(), json!({}));
}

#[tokio::test]
async fn whatever_the_client_accepts_it_gets_an_answer() {
    let (_gateway, _target, alice) = lab().await;
    let call = |caller: Caller| async move { caller.try_call("lab___progress", json!({})).await };
    for accept in ["application/json", "*/*", "text/html", "", "application/*", "text/*"] {
        let answer = call(alice.clone().header("accept", accept)).await;
        assert_eq!(answer.json()["result"]["content"][0]["text"], "done", "{accept}");
    }
    assert_eq!(call(alice.clone().without("accept")).await.json()["result"]["content"][0]["text"], "done");
    for accept in ["text/event-stream", "application/json;q=0.5, TEXT/Event-Stream;q=1", "text/event-stream,*/*"] {
        assert_eq!(call(alice.clone().header("accept", accept)).await.events().len(), 3, "{accept}");
    }
    let two_lines = alice.clone().header("accept", "application/json").again("accept", "text/event-stream");
    assert_eq!(call(two_lines).await.events().len(), 3);
    let ping = alice.header("accept", "text/event-stream").post(PING).await;
    assert_eq!(ping.json()["result"], json!({}), "one message needs no stream");
}

#[tokio::test]
async fn a_body_over_the_limit() {
    let target = ControlledTarget::start().await;
    let gateway = Gateway::start_with([target.target("lab")], |config| config.limits.request_bytes = 1000).await;
    let alice = gateway.caller("alice");
    let padded = |length: usize| [PING, &" ".repeat(length - PING.len())].concat();
    assert_eq!(alice.post(padded(1000)).await.result(), json!({}));
    let answer = alice.post(padded(1001)).await;
    insta::assert_snapshot!(answer.whole(), @r#"
    413
    content-type: application/json

    {"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"the body is over 1000 bytes (`limits.request_bytes`)"}}
    "#);
    let headers = format!("Authorization: {}\r\n", alice.header_value("authorization"));
    let chunked = |body: &str| {
        let headers = format!("{headers}Transfer-Encoding: chunked\r\n");
        post(&headers, &format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()))
    };
    let fits = exchange(&gateway.origin, chunked(&padded(1000))).await;
    assert!(fits.starts_with("HTTP/1.1 200 "), "{fits}");
    let too_long = exchange(&gateway.origin, chunked(&padded(1001))).await;
    assert!(too_long.starts_with("HTTP/1.1 413 "), "{too_long}");
}

#[tokio::test]
async fn a_body_that_announces_more_than_the_limit_is_not_waited_for() {
    let target = ControlledTarget::start().await;
    let gateway = Gateway::start_with([target.target("lab")], |config| config.limits.request_bytes = 1000).await;
    let bearer = gateway.caller("alice").header_value("authorization").to_owned();
    // Of the announced bytes not one is sent.
    let request = post(&format!("Authorization: {bearer}\r\nContent-Length: 1001\r\n"), "");
    let answer = exchange(&gateway.origin, request).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn a_request_by_hand_without_any_optional_header() {
    let (gateway, _target, alice) = lab().await;
    let bearer = alice.header_value("authorization");
    let request = post(&format!("Authorization: {bearer}\r\nContent-Length: {}\r\n", PING.len()), PING);
    let answer = exchange(&gateway.origin, request).await;
    assert!(answer.ends_with(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#), "{answer}");
}

#[tokio::test]
async fn tools_that_nobody_offers() {
    let (_gateway, target, alice) = lab().await;
    for name in
        ["nothing", "lab___nothing", "other___echo", "echo", "lab__echo", "lab___echo ", "LAB___ECHO", "", "___"]
    {
        let answer = alice.try_call(name, json!({})).await;
        assert_eq!(answer.refusal(), INVALID_PARAMS, "{name}");
        assert_eq!(answer.json()["error"]["message"], format!("Unknown tool: {name}"));
    }
    assert_eq!(target.seen(), [""; 0]);
}

#[tokio::test]
async fn calls_without_a_name() {
    let (_gateway, _target, alice) = lab().await;
    let all = [json!({}), json!({"arguments": {}}), json!({"name": 7}), json!({"name": null}), json!({"name": ["x"]})];
    for params in all {
        assert_eq!(alice.request("tools/call", params.clone()).await.refusal(), INVALID_PARAMS, "{params}");
        let modern = alice.clone().modern().request("tools/call", params.clone()).await;
        assert_eq!(modern.refusal(), (400, -32602), "{params}");
    }
}

#[tokio::test]
async fn parameters_that_are_no_object() {
    let (_gateway, _target, alice) = lab().await;
    for method in ["ping", "tools/list", "tools/call"] {
        for params in ["[]", "7", "null", r#""x""#] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
            assert_eq!(alice.post(body).await.refusal(), INVALID_PARAMS, "{method} {params}");
        }
    }
}

#[tokio::test]
async fn a_key_that_stands_twice_is_refused() {
    let (_gateway, target, alice) = lab().await;
    let call = |params: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
    for params in [
        r#"{"name":"lab___nothing","name":"lab___echo","arguments":{}}"#,
        r#"{"name":"lab___echo","n\u0061me":"lab___nothing"}"#,
        r#"{"name":"lab___echo","_meta":{"a":1,"a":2}}"#,
    ] {
        assert_eq!(alice.post(call(params)).await.refusal(), INVALID_PARAMS, "{params}");
    }
    assert!(target.seen().is_empty(), "no target is asked to choose");
    alice.post(call(r#"{"name":"lab___echo","arguments":{"a":1,"a":2}}"#)).await.result();
}

#[tokio::test]
async fn a_web_page_of_a_stranger_is_refused() {
    let (_gateway, target, alice) = lab().await;
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let stranger = alice.clone().header("origin", "https://evil.example").post(list).await;
    assert_eq!(stranger.refusal(), (403, -32600));
    let rebound = alice.clone().header("host", "evil.example").post(list).await;
    assert_eq!(rebound.refusal(), (403, -32600));
    alice.clone().header("origin", "http://localhost:6274").post(list).await.result();
    assert!(target.seen().is_empty());
}

#[tokio::test]
async fn a_batch_has_a_bound() {
    let (_gateway, _target, alice) = lab().await;
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let batch = |count: usize| format!("[{}]", vec![ping; count].join(","));
    assert_eq!(alice.post(batch(100)).await.json().as_array().map(Vec::len), Some(100));
    assert_eq!(alice.post(batch(101)).await.refusal(), (400, -32600));
}

#[tokio::test]
async fn arguments_are_passed_on_unread_however_deep() {
    let (_gateway, target, alice) = lab().await;
    const DEPTH: usize = 100_000;
    let deep = ["[".repeat(DEPTH), "]".repeat(DEPTH)].concat();
    let call = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"lab___echo","arguments":{{"deep":{deep}}}}}}}"#
    );
    let answer = alice.post(call).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains(&deep), "they came back, {} bytes", answer.body.len());
    assert!(target.seen()[0].contains(&deep));
    let batch = alice.post(deep.clone()).await.json();
    assert_eq!(batch[0]["error"]["code"], -32600, "a batch in a batch in a batch: {batch}");
    assert_eq!(alice.post("[".repeat(DEPTH)).await.refusal(), PARSE_ERROR);
    let id = format!(r#"{{"jsonrpc":"2.0","id":{deep},"method":"ping"}}"#);
    assert_eq!(alice.post(id).await.refusal(), INVALID_REQUEST);
}

#[tokio::test]
async fn headers_that_stand_twice() {
    let (_gateway, _target, alice) = lab().await;
    let twice = alice.header(VERSION, "2025-11-25").again(VERSION, "2025-06-18");
    assert_eq!(twice.post(PING).await.refusal(), (400, -32020));
}

#[tokio::test]
async fn requests_that_are_no_http_do_not_end_the_gateway() {
    let (gateway, _target, alice) = lab().await;
    for bytes in ["\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "POST /mcp HTTP/1.1\r\nContent-Length: x\r\n\r\n"] {
        let answer = exchange(&gateway.origin, bytes).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    assert_eq!(alice.post(PING).await.result(), json!({}));
}

#[tokio::test]
async fn paths_that_are_not_there() {
    let (_gateway, _target, alice) = lab().await;
    for path in ["/", "/mcp/", "/mcp/x", "/MCP", "/.well-known/openid-configuration", "/sse"] {
        assert_eq!(alice.get(path).await.status, 404, "{path}");
    }
}
