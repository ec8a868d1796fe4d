//! What a target asks in the middle of a call reaches every kind of client from every kind of target, in the client's own
//! way, with the same outcome; and the tool runs once.

use serde_json::json;

use crate::{
    bridge_fixture::{Fixture, KINDS, Kind, once, runs_of},
    bridge_talk::{ERAS, Era, able, ask, talk},
    harness::Gateway,
};

/// Each tool that asks: what it says in the end, and what it asks for on the way.
const ASKING: [(&str, &str, &[&str]); 11] = [
    (
        "test_elicitation",
        r#"Elicitation completed: action=accept, content={"username":"username","email":"email"}"#,
        &["elicitation/create"],
    ),
    ("visit_page", "The visit: action=accept", &["elicitation/create"]),
    ("test_sampling", "LLM response: Paris", &["sampling/createMessage"]),
    ("test_missing_capability", "LLM response: Paris", &["sampling/createMessage"]),
    ("test_input_required_result_list_roots", r#"Roots: [{"uri":"file:///root"}]"#, &["roots/list"]),
    ("ask_twice", "name likes color.", &["elicitation/create", "elicitation/create"]),
    ("ask_two_at_once", "name likes color.", &["elicitation/create", "elicitation/create"]),
    ("notes_around_asking", "You like color.", &["elicitation/create"]),
    ("test_input_required_result_request_state", "state-ok, confirmed: true", &["elicitation/create"]),
    ("test_input_required_result_multi_round", "name likes color.", &["elicitation/create", "elicitation/create"]),
    (
        "test_input_required_result_multiple_inputs",
        "Answered: client_roots, greeting, user_name",
        &["elicitation/create", "roots/list", "sampling/createMessage"],
    ),
];

#[tokio::test]
async fn a_legacy_client_of_a_legacy_target() {
    check(Era::Legacy, Kind::LegacyHttp).await;
}

#[tokio::test]
async fn a_legacy_client_of_a_modern_target() {
    check(Era::Legacy, Kind::ModernHttp).await;
}

#[tokio::test]
async fn a_modern_client_of_a_legacy_target() {
    check(Era::Modern, Kind::LegacyHttp).await;
}

#[tokio::test]
async fn a_modern_client_of_a_modern_target() {
    check(Era::Modern, Kind::ModernHttp).await;
}

#[tokio::test]
async fn clients_of_a_legacy_child() {
    for era in ERAS {
        check(era, Kind::LegacyChild).await;
    }
}

#[tokio::test]
async fn clients_of_a_modern_child() {
    for era in ERAS {
        check(era, Kind::ModernChild).await;
    }
}

#[tokio::test]
async fn clients_of_a_server_behind_a_pipe_of_the_legacy_era() {
    for era in ERAS {
        check(era, Kind::LegacyPipe).await;
    }
}

#[tokio::test]
async fn clients_of_a_server_behind_a_pipe_of_the_modern_era() {
    for era in ERAS {
        check(era, Kind::ModernPipe).await;
    }
}

async fn check(era: Era, kind: Kind) {
    let fixture = Fixture::start(kind).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let caller = able(&gateway, era).await;
    for (tool, outcome, questions) in ASKING {
        let talk = talk(&caller, &format!("f___{tool}"), json!({})).await;
        assert_eq!(talk.text(), outcome, "{era:?} {kind:?} `{tool}`");
        let mut asked: Vec<&str> = talk.asked.iter().map(|(method, _)| method.as_str()).collect();
        asked.sort_unstable();
        assert_eq!(asked, questions, "{era:?} {kind:?} `{tool}`");
        assert_eq!(runs_of(&caller, tool).await, once(), "{era:?} {kind:?} `{tool}`");
    }
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_page_to_visit_is_shown_as_the_target_named_it() {
    for kind in [Kind::LegacyHttp, Kind::ModernHttp] {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        for era in ERAS {
            let asked = talk(&able(&gateway, era).await, "f___visit_page", json!({})).await.asked;
            assert_eq!(asked[0].1["mode"], "url", "{era:?} {kind:?}");
            assert_eq!(asked[0].1["url"], "https://example.org/confirm", "{era:?} {kind:?}");
        }
    }
}

#[tokio::test]
async fn prompts_and_resources_ask_too() {
    for kind in KINDS {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        for era in ERAS {
            let caller = able(&gateway, era).await;
            let prompt = json!({"name": "f___test_input_required_result_prompt"});
            let prompt = ask(&caller, "prompts/get", prompt).await;
            let text = &prompt.result()["messages"][0]["content"]["text"];
            assert_eq!(text, "Use this context: context", "{era:?} {kind:?}");
            let resource = ask(&caller, "resources/read", json!({"uri": "test://asks"})).await;
            assert_eq!(resource.result()["contents"][0]["text"], "Read by name.", "{era:?} {kind:?}");
        }
    }
}
