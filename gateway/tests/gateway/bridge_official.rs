//! The official client, of both eras, answers what targets of both eras ask: through the gateway it does so as it would
//! directly.
#![expect(deprecated, reason = "sampling and roots are deprecated in 2026-07-28 and still to be relayed")]

use rmcp::{
    ClientHandler, ErrorData, RoleClient,
    model::*,
    service::{RequestContext, RunningService},
};
use serde_json::{Value, json};

use crate::{
    bridge_fixture::{Fixture, Kind, runs_of},
    bridge_talk::{answer_to, everything},
    harness::Gateway,
};

/// Answers everything.
struct Answering;

fn typed<T: serde::de::DeserializeOwned>(method: &str, params: Value) -> Result<T, ErrorData> {
    Ok(serde_json::from_value(answer_to(&json!({"method": method, "params": params}))).unwrap())
}

impl ClientHandler for Answering {
    fn get_info(&self) -> ClientConfig {
        let capabilities = serde_json::from_value(everything()).unwrap();
        ClientConfig::new(capabilities, Implementation::new("official", "1"))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        typed("elicitation/create", json!(request))
    }

    async fn create_message(
        &self,
        request: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        typed("sampling/createMessage", json!(request))
    }

    async fn list_roots(&self, _: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        typed("roots/list", json!({}))
    }
}

async fn call(client: &RunningService<RoleClient, Answering>, tool: &str) -> String {
    let result = client.call_tool(CallToolRequestParams::new(format!("f___{tool}"))).await;
    let result = result.unwrap_or_else(|error| panic!("`{tool}`: {error}"));
    result.content[0].as_text().unwrap().text.clone()
}

async fn check(kind: Kind) {
    let fixture = Fixture::start(kind).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let alice = gateway.caller("alice");
    let outcomes = [
        ("test_input_required_result_elicitation", "Hello, name!"),
        ("visit_page", "The visit: action=accept"),
        ("test_sampling", "LLM response: Paris"),
        ("test_input_required_result_list_roots", r#"Roots: [{"uri":"file:///root"}]"#),
        ("ask_twice", "name likes color."),
        ("ask_two_at_once", "name likes color."),
    ];
    for (caller, all) in [(alice.clone(), 1), (alice.clone().modern(), 2)] {
        let client = caller.rmcp_as(Answering).await;
        for (tool, outcome) in outcomes {
            assert_eq!(call(&client, tool).await, outcome, "{kind:?} `{tool}`");
            assert_eq!(runs_of(&alice, tool).await, json!({"begun": all, "ended": all}), "{kind:?} `{tool}`");
        }
        client.cancel().await.unwrap();
    }
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn of_targets_over_http() {
    for kind in [Kind::LegacyHttp, Kind::ModernHttp] {
        check(kind).await;
    }
}

#[tokio::test]
async fn of_targets_that_are_children() {
    for kind in [Kind::LegacyChild, Kind::ModernChild] {
        check(kind).await;
    }
}
