//! Clients that cannot be asked, or answer with an error: the refusal says which side cannot do what, and no target is left
//! waiting.

use causeway_core::era::headers::VERSION;
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    bridge_asking::AskingTarget,
    bridge_fixture::{Fixture, Kind, runs_of},
    bridge_talk::{ERAS, Era, able, declaring, everything},
    caller::Caller,
    fake_target::{self, FakeTarget, Speaks, success},
    harness::{Gateway, http_target},
    stream::Stream,
};

const UNDECLARED: &str = "the client cannot be asked for `elicitation/create`: it declared no capability for it";

/// A gateway before a modern target that wants input for each call, whoever the client is.
async fn modern_that_asks() -> (FakeTarget, Gateway) {
    let fake = FakeTarget::start(Speaks::Modern);
    fake.on("tools/call", |asked| async move {
        let question = r#"{"method":"elicitation/create","params":{"message":"?","requestedSchema":{}}}"#;
        let result = format!(r#"{{"resultType":"input_required","inputRequests":{{"q":{question}}}}}"#);
        fake_target::json(200, success(&asked.id, &result))
    });
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    (fake, gateway)
}

async fn call(caller: &Caller) -> Answer {
    caller.try_call("t___echo", json!({})).await
}

/// A call's first message, which is a question, and the stream that goes on after it.
async fn asked(caller: &Caller, tool: &str) -> (Value, Stream) {
    let mut stream = caller.open("tools/call", json!({"name": tool, "arguments": {}})).await;
    let question = stream.next().await;
    assert_eq!(question["method"], "elicitation/create", "{question}");
    (question, stream)
}

/// Answers a question with an error.
async fn decline(caller: &Caller, question: &Value) {
    let error = json!({"code": -1, "message": "the user is away", "data": [1]});
    let answer = json!({"jsonrpc": "2.0", "id": question["id"], "error": error});
    assert_eq!(caller.post(answer.to_string()).await.status, 202);
}

#[tokio::test]
async fn a_client_without_the_capability_is_not_asked_by_a_modern_target() {
    let (fake, gateway) = modern_that_asks().await;
    for capabilities in [json!({}), json!({"sampling": {}, "roots": {}})] {
        let alice = declaring(&gateway, Era::Legacy, capabilities).await;
        let refused = call(&alice).await.message();
        insta::allow_duplicates! {
            insta::assert_snapshot!(refused, @r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"the call needs input (`elicitation/create`) that this client cannot give: it declared no capability for it"}}"#);
        }
    }
    assert_eq!(fake.asked("tools/call").len(), 2, "no call was repeated");
}

#[tokio::test]
async fn a_legacy_client_that_cannot_be_reached_is_not_asked() {
    let (fake, gateway) = modern_that_asks().await;
    let in_session = able(&gateway, Era::Legacy).await;
    let unable = [
        gateway.caller("alice").declaring(everything()),
        in_session.clone().header("accept", "application/json"),
        in_session.without("accept"),
    ];
    for (number, client) in unable.into_iter().enumerate() {
        let refused = call(&client).await.message();
        insta::allow_duplicates! {
            insta::assert_snapshot!(refused, @r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"the call needs input (`elicitation/create`) that this client cannot give: it has no session, or it reads no event streams"}}"#);
        }
        assert_eq!(fake.asked("tools/call").len(), number + 1, "no call was repeated");
    }
    let last = &fake.asked("tools/call")[0];
    assert!(last.params.contains(r#""io.modelcontextprotocol/clientCapabilities":{}"#), "{}", last.params);
}

#[tokio::test]
async fn a_client_is_not_asked_in_a_batch() {
    let (fake, gateway) = modern_that_asks().await;
    let alice = gateway.caller("alice").declaring(everything());
    let session = alice.initialize("2025-03-26").await.header("mcp-session-id");
    let alice = alice.header("mcp-session-id", &session).header(VERSION, "2025-03-26");
    let (_, body) = alice.framed("tools/call", json!({"name": "t___echo", "arguments": {}}));
    let answers = alice.post(json!([body]).to_string()).await.json();
    assert_eq!(answers[0]["error"]["code"], -32603, "{answers}");
    assert_eq!(fake.asked("tools/call").len(), 1, "no call was repeated");
}

#[tokio::test]
async fn a_legacy_target_that_asks_a_client_without_the_capability_is_told_so() {
    for era in ERAS {
        let asking = AskingTarget::start();
        let gateway = Gateway::start([asking.target()]).await;
        let alice = declaring(&gateway, era, json!({"sampling": {}})).await;
        let told = call(&alice).await.result()["content"][0]["text"].take();
        let told: Value = serde_json::from_str(told.as_str().unwrap()).unwrap();
        assert_eq!(told, json!({"code": -32601, "message": UNDECLARED}), "{era:?}");
        assert_eq!(asking.fake.asked("tools/call").len(), 1, "{era:?}");
    }
}

/// The fixture looks at what was declared itself, where it can: a child serves clients of all kinds at once.
#[tokio::test]
async fn a_target_sees_what_its_client_declared() {
    for kind in [Kind::LegacyHttp, Kind::ModernHttp, Kind::ModernChild] {
        for era in ERAS {
            let fixture = Fixture::start(kind).await;
            let gateway = Gateway::start([fixture.target()]).await;
            let alice = declaring(&gateway, era, json!({"roots": {}})).await;
            let refused = alice.try_call("f___ask_twice", json!({})).await.message();
            assert_eq!(refused["error"]["code"], -32021, "{kind:?} {era:?} {refused}");
            let needed = json!({"elicitation": {"form": {}}});
            assert_eq!(refused["error"]["data"]["requiredCapabilities"], needed, "{kind:?} {era:?}");
            assert_eq!(runs_of(&alice, "ask_twice").await, json!({"begun": 1, "ended": 1}), "{kind:?} {era:?}");
        }
    }
}

#[tokio::test]
async fn an_error_of_the_client_reaches_the_legacy_target_as_it_is() {
    let asking = AskingTarget::start();
    let gateway = Gateway::start([asking.target()]).await;
    let alice = able(&gateway, Era::Legacy).await;
    let (question, stream) = asked(&alice, "t___echo").await;
    decline(&alice, &question).await;
    let answer = stream.rest().await.pop().unwrap();
    let told = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert_eq!(told, r#"{"code":-1,"message":"the user is away","data":[1]}"#);
}

#[tokio::test]
async fn an_error_of_the_client_ends_the_call_of_a_modern_target() {
    let (fake, gateway) = modern_that_asks().await;
    let alice = able(&gateway, Era::Legacy).await;
    let (question, stream) = asked(&alice, "t___echo").await;
    decline(&alice, &question).await;
    let answer = stream.rest().await.pop().unwrap();
    assert_eq!(answer["error"]["code"], -32603, "{answer}");
    let text = answer["error"]["message"].as_str().unwrap();
    assert!(text.starts_with("the client answered `elicitation/create` with an error: "), "{text}");
    assert!(text.contains("the user is away"), "{text}");
    assert_eq!(fake.asked("tools/call").len(), 1, "the call was not repeated");
}

/// An answer counts once, from the session that was asked, under the id that the gateway gave.
#[tokio::test]
async fn answers_of_others_are_not_taken() {
    let asking = AskingTarget::start();
    let gateway = Gateway::start([asking.target()]).await;
    let alice = able(&gateway, Era::Legacy).await;
    let other_session = able(&gateway, Era::Legacy).await;
    let (question, stream) = asked(&alice, "t___echo").await;
    let answer = json!({"action": "accept", "content": {"name": "eve"}});
    assert_eq!(other_session.respond(&question["id"], answer.clone()).await.refusal(), (400, -32600));
    let bob = gateway.caller("bob").header("mcp-session-id", alice.header_value("mcp-session-id"));
    assert_eq!(bob.respond(&question["id"], answer.clone()).await.refusal(), (404, -32600));
    assert_eq!(alice.respond(&json!("q-1"), answer).await.refusal(), (400, -32600));
    let own = json!({"action": "cancel"});
    assert_eq!(alice.respond(&question["id"], own.clone()).await.status, 202);
    assert_eq!(stream.rest().await[0]["result"]["content"][0]["text"], own.to_string());
    assert_eq!(alice.respond(&question["id"], own).await.refusal(), (400, -32600), "it was answered");
}
