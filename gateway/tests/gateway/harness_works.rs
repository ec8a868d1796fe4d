//! The product's main path through everything that the other tests stand on: a token in, the merged list, a call of each
//! kind of target, in both eras.

use causeway_servers::Sample;
use rmcp::model::CallToolRequestParams;
use serde_json::json;

use crate::{
    harness::Gateway,
    sample::{Server, child},
};

const TOOLS: [&str; 3] = ["calculator___add_numbers", "calculator___multiply_numbers", "hello___greet_user"];

#[tokio::test]
async fn one_endpoint_serves_the_tools_of_all_targets_in_both_eras() {
    let calculator = Server::start(Sample::Calculator).await;
    let gateway = Gateway::start([calculator.target(), child(Sample::Hello)]).await;
    let alice = gateway.caller("alice");
    for alice in [alice.clone(), alice.clone().in_session().await, alice.modern()] {
        assert_eq!(alice.tools().await, TOOLS);
        let sum = alice.call("calculator___add_numbers", json!({"a": 2, "b": 40})).await;
        assert_eq!(sum["content"][0]["text"], "42", "{sum}");
        let greeting = alice.call("hello___greet_user", json!({"name": "Alice"})).await;
        assert_eq!(greeting["content"][0]["text"], "Hello, Alice! Nice to meet you.", "{greeting}");
    }
    gateway.stop().await.unwrap();
    calculator.stop().await;
}

#[tokio::test]
async fn the_official_client_works_in_both_eras() {
    let gateway = Gateway::start([child(Sample::Calculator)]).await;
    let alice = gateway.caller("alice");
    for alice in [alice.clone(), alice.modern()] {
        let client = alice.rmcp().await;
        let tools = client.peer().list_all_tools().await.unwrap();
        assert_eq!(tools.iter().map(|tool| &tool.name[..]).collect::<Vec<_>>(), TOOLS[..2]);
        let json = json!({"a": 6, "b": 7});
        let request = CallToolRequestParams::new(TOOLS[1]).with_arguments(json.as_object().unwrap().clone());
        let product = client.call_tool(request).await.unwrap();
        assert_eq!(product.content[0].as_text().unwrap().text, "42");
        client.cancel().await.unwrap();
    }
}
