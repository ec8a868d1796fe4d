//! `calculator` and `hello` through MCP.

use causeway_servers::Sample;
use rmcp::model::ProtocolVersion;
use serde_json::json;

use crate::running::{ERAS, Era, Running, text};

#[tokio::test]
async fn the_calculator_in_both_eras() {
    let server = Running::start(Sample::Calculator).await;
    for era in ERAS {
        let client = server.client(era).await;
        assert_eq!(client.version() == ProtocolVersion::V_2026_07_28, era == Era::Modern);
        let names: Vec<_> = client.tools().await.into_iter().map(|tool| tool.name).collect();
        assert_eq!(names, ["add_numbers", "multiply_numbers"]);
        let sum = client.call("add_numbers", json!({"a": 2, "b": 3})).await;
        assert_eq!((text(&sum), sum.structured_content.as_ref()), ("5", Some(&json!({"result": 5}))), "{era:?}");
        assert_eq!(sum.is_error, Some(false));
        let product = client.call("multiply_numbers", json!({"a": 1.5, "b": -3})).await;
        assert_eq!(product.structured_content, Some(json!({"result": -4.5})));
    }
}

#[tokio::test]
async fn the_calculator_describes_its_tools() {
    let server = Running::start(Sample::Calculator).await;
    let tools = server.client(Era::Modern).await.tools().await;
    insta::assert_snapshot!(serde_json::to_string_pretty(&tools[0]).unwrap(), @r#"
    {
      "name": "add_numbers",
      "title": "Add numbers",
      "description": "Adds two numbers and returns their sum.",
      "inputSchema": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "required": [
          "a",
          "b"
        ],
        "type": "object",
        "properties": {
          "a": {
            "description": "First summand, integer or decimal",
            "type": "number"
          },
          "b": {
            "description": "Second summand, integer or decimal",
            "type": "number"
          }
        }
      },
      "outputSchema": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "required": [
          "result"
        ],
        "type": "object",
        "properties": {
          "result": {
            "description": "The result; an integer where the exact result is one and fits 64 bits",
            "type": "number"
          }
        }
      },
      "annotations": {
        "readOnlyHint": true,
        "destructiveHint": false,
        "idempotentHint": true,
        "openWorldHint": false
      }
    }
    "#);
}

#[tokio::test]
async fn wrong_arguments_are_a_tool_error_that_a_model_can_read() {
    let server = Running::start(Sample::Calculator).await;
    let client = server.client(Era::Modern).await;
    for arguments in [json!({"a": 1}), json!({"a": "one", "b": 2})] {
        let result = client.call("add_numbers", arguments).await;
        assert_eq!(result.is_error, Some(true));
    }
    let result = client.call("multiply_numbers", json!({"a": 1e308, "b": 10})).await;
    assert_eq!(result.is_error, Some(true));
    assert!(text(&result).starts_with("the result is beyond the range"), "{}", text(&result));
}

#[tokio::test]
async fn hello_greets_in_both_eras() {
    let server = Running::start(Sample::Hello).await;
    for era in ERAS {
        let client = server.client(era).await;
        let result = client.call("greet_user", json!({"name": "Alice"})).await;
        assert_eq!(text(&result), "Hello, Alice! Nice to meet you.");
    }
    let tools = server.client(Era::Legacy).await.tools().await;
    insta::assert_snapshot!(serde_json::to_string_pretty(&tools).unwrap(), @r#"
    [
      {
        "name": "greet_user",
        "title": "Greet user",
        "description": "Greets a person by name and returns the greeting.",
        "inputSchema": {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "required": [
            "name"
          ],
          "type": "object",
          "properties": {
            "name": {
              "description": "Name of the person to greet, for example `Alice`",
              "type": "string"
            }
          }
        },
        "annotations": {
          "readOnlyHint": true,
          "destructiveHint": false,
          "idempotentHint": true,
          "openWorldHint": false
        }
      }
    ]
    "#);
}
