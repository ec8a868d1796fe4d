//! A target that refuses a call until the user was on a page: an older one says so with an error, which a modern client gets as
//! a question, and an older client as it is.

use serde_json::{Value, json};

use crate::{
    bridge_fixture::{Fixture, KINDS, Kind},
    bridge_talk::{Era, able, declaring, retry, talk},
    harness::Gateway,
};

const TOOL: &str = "f___visit_page_first";

#[tokio::test]
async fn a_modern_client_is_asked_to_go_there() {
    for kind in KINDS {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        let talk = talk(&able(&gateway, Era::Modern).await, TOOL, json!({})).await;
        let [(method, params)] = &talk.asked[..] else { panic!("{kind:?}: {:?}", talk.asked) };
        assert_eq!((method.as_str(), &params["mode"]), ("elicitation/create", &json!("url")), "{kind:?}");
        assert_eq!(params["url"], "https://example.org/sign-in");
        if matches!(kind, Kind::LegacyHttp | Kind::LegacyChild) {
            assert_eq!(params.get("elicitationId"), None, "nobody will be told of its end");
        }
        assert_eq!(talk.text(), "The user was there.", "{kind:?}");
    }
}

#[tokio::test]
async fn a_legacy_client_gets_the_error() {
    let fixture = Fixture::start(Kind::LegacyHttp).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let alice = able(&gateway, Era::Legacy).await;
    let refused = talk(&alice, TOOL, json!({})).await.answer;
    assert_eq!(refused["error"]["code"], -32042);
    assert_eq!(refused["error"]["data"]["elicitations"][0]["elicitationId"], "visit-1");
    assert_eq!(talk(&alice, TOOL, json!({})).await.text(), "The user was there.");
}

#[tokio::test]
async fn who_does_not_go_there_or_cannot_is_refused() {
    let fixture = Fixture::start(Kind::LegacyHttp).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let alice = able(&gateway, Era::Modern).await;
    let params = json!({"name": TOOL, "arguments": {}});
    let asked = alice.request("tools/call", params.clone()).await.result();
    let mut declined = retry(&params, &asked);
    for (_, answer) in declined["inputResponses"].as_object_mut().unwrap() {
        *answer = json!({"action": "decline"});
    }
    let answer: Value = alice.request("tools/call", declined).await.json();
    assert_eq!(answer["error"]["code"], -32603, "{answer}");
    let foreign = retry(&json!({"name": TOOL, "arguments": {"x": 1}}), &asked);
    assert_eq!(alice.request("tools/call", foreign).await.json()["error"]["code"], -32602, "the state of another call");
    let unable = declaring(&gateway, Era::Modern, json!({})).await;
    assert_eq!(unable.request("tools/call", params).await.refusal(), (400, -32021));
}
