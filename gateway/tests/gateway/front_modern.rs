//! Clients of the modern era: what a request must say about itself, in its body and again in its headers, and the answers.

use causeway_core::era::{
    META_CAPABILITIES, META_CLIENT_INFO, META_VERSION,
    headers::{METHOD, NAME, SESSION, VERSION},
};
use causeway_servers::Sample;
use serde_json::{Value, json};

use crate::{answer::Answer, caller::Caller, controlled_target::ControlledTarget, harness::Gateway, sample::Server};

const HEADER_MISMATCH: (u16, i64) = (400, -32020);
const UNSUPPORTED_VERSION: (u16, i64) = (400, -32022);
const INVALID_PARAMS: (u16, i64) = (400, -32602);
const METHOD_NOT_FOUND: (u16, i64) = (404, -32601);

/// A gateway before one target, and a caller of it.
async fn lab() -> (Gateway, ControlledTarget, Caller) {
    let target = ControlledTarget::start().await;
    let gateway = Gateway::start([target.target("lab")]).await;
    let alice = gateway.caller("alice").modern();
    (gateway, target, alice)
}

/// The answer to a call of `echo` with `change` made to its headers and its body.
async fn changed(alice: &Caller, change: impl FnOnce(Caller, &mut Value) -> Caller) -> Answer {
    let (caller, mut body) = alice.framed("tools/call", json!({"name": "lab___echo", "arguments": {"a": 1}}));
    let caller = change(caller, &mut body);
    caller.post(body.to_string()).await
}

#[tokio::test]
async fn server_discover_says_what_the_gateway_is() {
    let target = ControlledTarget::start().await;
    let gateway = Gateway::start_with([target.target("lab")], |config| {
        config.gateway.instructions = Some("Look before you leap".into());
    })
    .await;
    let answer = gateway.caller("alice").modern().request("server/discover", json!({})).await;
    insta::assert_snapshot!(answer.whole().replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r#"
    200
    content-type: application/json

    {"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","supportedVersions":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"capabilities":{"tools":{"listChanged":true}},"instructions":"Look before you leap","ttlMs":10000,"cacheScope":"public","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"causeway","version":"VERSION"}}}}
    "#);
}

#[tokio::test]
async fn a_list_says_how_long_it_is_fresh() {
    let (_gateway, _target, alice) = lab().await;
    let answer = alice.request("tools/list", json!({})).await;
    insta::assert_snapshot!(answer.whole(), @r#"
    200
    content-type: application/json

    {"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","tools":[{"name":"lab___echo","inputSchema":{"type":"object"}},{"name":"lab___wait","inputSchema":{"type":"object"}},{"name":"lab___watch","inputSchema":{"type":"object"}},{"name":"lab___progress","inputSchema":{"type":"object"}}],"ttlMs":0,"cacheScope":"public"}}
    "#);
    assert_eq!(alice.request("tools/list", json!({"cursor": "x"})).await.refusal(), INVALID_PARAMS);
}

#[tokio::test]
async fn a_call_is_answered_as_it_came_from_the_target() {
    let (_gateway, target, alice) = lab().await;
    let answer = alice.try_call("lab___echo", json!({"x": [1, null, {"é": "\u{1f600}"}]})).await;
    insta::assert_snapshot!(answer.whole(), @r#"
    200
    content-type: application/json

    {"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[],"echo":{"x":[1,null,{"é":"😀"}]}}}
    "#);
    let seen: Value = serde_json::from_str(&target.seen()[0]).unwrap();
    assert_eq!(seen["name"], "echo");
    assert_eq!(seen["_meta"][META_CLIENT_INFO]["name"], "test", "the client itself, not the gateway");
}

#[tokio::test]
async fn a_call_of_a_real_legacy_or_modern_server_says_that_it_is_complete() {
    let calculator = Server::start(Sample::Calculator).await;
    let gateway = Gateway::start([calculator.target()]).await;
    let sum = gateway.caller("alice").modern().call("calculator___add_numbers", json!({"a": 1, "b": 2})).await;
    assert_eq!((&sum["resultType"], &sum["content"][0]["text"]), (&json!("complete"), &json!("3")));
}

#[tokio::test]
async fn progress_comes_as_events() {
    let (_gateway, _target, alice) = lab().await;
    let params = json!({"name": "lab___progress", "arguments": {}, "_meta": {"progressToken": 7}});
    let answer = alice.request("tools/call", params.clone()).await;
    assert_eq!(answer.header("x-accel-buffering"), "no");
    let events = answer.events();
    let progress = |step: u8| {
        let params = json!({"progressToken": 7, "progress": step});
        json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})
    };
    assert_eq!(events[..2], [progress(1), progress(2)]);
    assert_eq!((events.len(), &events[2]["result"]["resultType"]), (3, &json!("complete")));
    let (caller, body) = alice.framed("tools/call", params);
    let whole = caller.header("accept", "application/json").post(body.to_string()).await;
    assert_eq!(whole.json()["result"], events[2]["result"]);
}

#[tokio::test]
async fn the_name_header_may_be_base64() {
    let (_gateway, _target, alice) = lab().await;
    let named = async |name: &str| changed(&alice, |caller, _| caller.header(NAME, name)).await;
    assert_eq!(named("=?base64?bGFiX19fZWNobw==?=").await.result()["echo"], json!({"a": 1}));
    assert_eq!(named("=?base64?bGFiX19fZWNobw?=").await.refusal(), HEADER_MISMATCH, "broken Base64");
    assert_eq!(named("=?base64?!!!?=").await.refusal(), HEADER_MISMATCH);
    assert_eq!(named("bGFiX19fZWNobw==").await.refusal(), HEADER_MISMATCH, "not marked as Base64");
    let unknown = alice.try_call("lab___エコー", json!({})).await;
    assert_eq!(unknown.refusal(), (200, -32602), "a name that only Base64 can carry gets as far as the catalog");
}

#[tokio::test]
async fn each_header_must_be_there_once_and_say_what_the_body_says() {
    let (_gateway, target, alice) = lab().await;
    for (name, other) in [(VERSION, "2025-11-25"), (METHOD, "tools/list"), (NAME, "lab___wait")] {
        let missing = changed(&alice, |caller, _| caller.without(name)).await;
        assert_eq!(missing.refusal(), HEADER_MISMATCH, "no {name}");
        let disagreeing = changed(&alice, |caller, _| caller.header(name, other)).await;
        assert_eq!(disagreeing.refusal(), HEADER_MISMATCH, "{name}: {other}");
        let empty = changed(&alice, |caller, _| caller.header(name, "")).await;
        assert!([HEADER_MISMATCH, UNSUPPORTED_VERSION].contains(&empty.refusal()), "{name} empty");
        let same = changed(&alice, |caller, _| {
            let value = caller.header_value(name).to_owned();
            caller.again(name, &value)
        });
        assert_eq!(same.await.refusal(), HEADER_MISMATCH, "{name} twice");
    }
    assert_eq!(target.seen(), [""; 0], "nothing of that reached the target");
    let answer = changed(&alice, |caller, _| caller.header(NAME, "lab___wait")).await;
    insta::assert_snapshot!(answer.whole(), @r#"
    400
    content-type: application/json

    {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"Header mismatch: `mcp-name` says `lab___wait`, the body says `lab___echo`"}}
    "#);
}

#[tokio::test]
async fn each_part_of_the_metadata_must_be_there() {
    let (_gateway, target, alice) = lab().await;
    let set = async |value: Value| {
        changed(&alice, |caller, body| {
            body["params"]["_meta"] = value;
            caller
        })
        .await
    };
    for meta in [Value::Null, json!([]), json!("x"), json!({})] {
        assert_eq!(set(meta.clone()).await.refusal(), INVALID_PARAMS, "{meta}");
    }
    for key in [META_VERSION, META_CAPABILITIES] {
        let without = changed(&alice, |caller, body| {
            body["params"]["_meta"].as_object_mut().unwrap().remove(key);
            caller
        });
        assert_eq!(without.await.refusal(), INVALID_PARAMS, "no {key}");
    }
    let without_params = changed(&alice, |caller, body| {
        body.as_object_mut().unwrap().remove("params");
        caller
    });
    assert_eq!(without_params.await.refusal(), INVALID_PARAMS);
    assert_eq!(target.seen(), [""; 0], "nothing of that reached the target");
    let anonymous_client = changed(&alice, |caller, body| {
        body["params"]["_meta"].as_object_mut().unwrap().remove(META_CLIENT_INFO);
        caller
    });
    assert_eq!(anonymous_client.await.result()["echo"], json!({"a": 1}), "who it is a client need not say");
}

#[tokio::test]
async fn an_unknown_version_is_refused_with_those_that_are_known() {
    let (_gateway, _target, alice) = lab().await;
    let answer = changed(&alice, |caller, body| {
        body["params"]["_meta"][META_VERSION] = json!("2027-01-01");
        caller.header(VERSION, "2027-01-01")
    })
    .await;
    insta::assert_snapshot!(answer.whole(), @r#"
    400
    content-type: application/json

    {"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"Unsupported protocol version","data":{"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"requested":"2027-01-01"}}}
    "#);
    let in_header = changed(&alice, |caller, _| caller.header(VERSION, "2027-01-01")).await;
    assert_eq!(in_header.refusal(), HEADER_MISMATCH, "the two must agree before either counts");
    let in_body = changed(&alice, |caller, body| {
        body["params"]["_meta"][META_VERSION] = json!("2027-01-01");
        caller
    });
    assert_eq!(in_body.await.refusal(), HEADER_MISMATCH);
    let no_text = changed(&alice, |caller, body| {
        body["params"]["_meta"][META_VERSION] = json!(20260728);
        caller
    });
    assert_eq!(no_text.await.refusal(), INVALID_PARAMS);
}

#[tokio::test]
async fn unknown_methods_are_not_found() {
    let (_gateway, _target, alice) = lab().await;
    for method in ["ping", "logging/setLevel", "tools/List", "vendor/x"] {
        assert_eq!(alice.request(method, json!({})).await.refusal(), METHOD_NOT_FOUND, "{method}");
    }
    assert_eq!(alice.request("resources/write", json!({"uri": "file:///a"})).await.refusal(), METHOD_NOT_FOUND);
}

#[tokio::test]
async fn notifications_are_accepted() {
    let (_gateway, _target, alice) = lab().await;
    let answer = alice.post(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (202, ""));
    let response = alice.post(r#"{"jsonrpc":"2.0","id":4,"result":{}}"#).await;
    assert_eq!(response.refusal(), (400, -32600));
    assert_eq!(response.json()["id"], Value::Null);
}

#[tokio::test]
async fn sessions_mean_nothing() {
    let (_gateway, _target, alice) = lab().await;
    let answer = alice.header(SESSION, "garbage").request("tools/list", json!({})).await;
    assert!(answer.headers.get(SESSION).is_none());
    assert_eq!(answer.result()["tools"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn unknown_members_and_metadata_reach_the_target() {
    let (_gateway, target, alice) = lab().await;
    let params = json!({
        "name": "lab___echo", "arguments": {}, "vendor": {"x": 1}, "_meta": {"vendor/y": [2], "progressToken": "t"},
    });
    alice.request("tools/call", params).await.result();
    let seen: Value = serde_json::from_str(&target.seen()[0]).unwrap();
    assert_eq!((&seen["vendor"], &seen["_meta"]["vendor/y"]), (&json!({"x": 1}), &json!([2])));
}
