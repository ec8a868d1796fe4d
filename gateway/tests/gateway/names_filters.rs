//! Filters, other names and other descriptions of one target's lists, as clients of both eras meet them.

use std::sync::Arc;

use causeway::config::Target;
use causeway_core::{
    catalog::{Edit, Edits, Kind, Names},
    name::{Pattern, Selection},
};
use causeway_servers::Sample;
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    caller::Caller,
    fake_target::Speaks,
    harness::Gateway,
    offering::{ERAS, Offering},
    sample::child,
};

const LISTS: [(Kind, &str); 4] = [
    (
        Kind::Tools,
        r#"[{"name":"get_it","v":1e2,"description":"old","inputSchema":{"type":"object"}},{"name":"get_secret"},{"name":"drop"}]"#,
    ),
    (Kind::Prompts, r#"[{"name":"greet"},{"name":"draft"}]"#),
    (Kind::Resources, r#"[{"uri":"one:open"},{"uri":"one:secret"}]"#),
    (Kind::Templates, r#"[{"uriTemplate":"one:{id}"}]"#),
];

fn selection(include: &[&str], exclude: &[&str]) -> Selection {
    let patterns = |texts: &[&str]| texts.iter().map(|text| Pattern::new(text)).collect();
    Selection { include: patterns(include), exclude: patterns(exclude) }
}

/// `target` with these changes to what it lists.
fn edited(target: Target, edits: Edits) -> Target {
    Target { edits: Arc::new(edits), ..target }
}

fn texts(own: &str, text: &str) -> std::collections::BTreeMap<String, String> {
    [(own.to_owned(), text.to_owned())].into()
}

/// What a user would call a tidy view of [`LISTS`].
fn tidy() -> Edits {
    Edits {
        tools: Edit {
            selection: selection(&["get_*"], &["*secret"]),
            rename: texts("get_it", "fetch"),
            describe: texts("get_it", "Gets it."),
            ..Edit::default()
        },
        prompts: Edit { selection: selection(&[], &["draft"]), rename: texts("greet", "welcome"), ..Edit::default() },
        resources: selection(&[], &["*secret*"]),
    }
}

/// A client of each era.
async fn clients(gateway: &Gateway) -> [Caller; 2] {
    [gateway.caller("alice").in_session().await, gateway.caller("alice").modern()]
}

fn error_of(answer: &Answer) -> Value {
    answer.message()["error"].clone()
}

#[tokio::test]
async fn what_is_left_out_is_not_there_and_the_rest_is_as_it_was_sent() {
    for speaks in ERAS {
        let one = Offering::start("one", speaks, &LISTS);
        let gateway = Gateway::start([edited(one.target(), tidy())]).await;
        for client in clients(&gateway).await {
            let tools = client.request("tools/list", json!({})).await;
            let expected =
                r#""tools":[{"name":"one___fetch","v":1e2,"description":"Gets it.","inputSchema":{"type":"object"}}]"#;
            assert!(tools.text().contains(expected), "{tools:?}");
            let prompts = client.request("prompts/list", json!({})).await.result();
            assert_eq!(prompts["prompts"], json!([{"name": "one___welcome"}]));
            let resources = client.request("resources/list", json!({})).await.result();
            assert_eq!(resources["resources"], json!([{"uri": "one:open"}]));

            let called = client.call("one___fetch", json!({"n": 1})).await;
            assert_eq!((&called["asked"]["name"], &called["asked"]["arguments"]["n"]), (&json!("get_it"), &json!(1)));
            let prompt = client.request("prompts/get", json!({"name": "one___welcome"})).await.result();
            assert_eq!(prompt["asked"]["name"], "greet");
            for tool in ["one___get_it", "one___get_secret", "one___drop", "one___nothing"] {
                let error = error_of(&client.try_call(tool, json!({})).await);
                assert_eq!(error, json!({"code": -32602, "message": format!("Unknown tool: {tool}")}));
            }
            let error = error_of(&client.request("prompts/get", json!({"name": "one___draft"})).await);
            assert_eq!(error["message"], "Unknown prompt: one___draft");
        }
        let called: Vec<String> = one.fake.asked("tools/call").iter().map(|asked| asked.params.clone()).collect();
        assert_eq!(called.len(), 2, "nothing that is left out reached the target: {called:?}");
    }
}

#[tokio::test]
async fn a_completion_is_asked_for_under_the_prompts_own_name() {
    for speaks in ERAS {
        let one = Offering::start("one", speaks, &LISTS);
        let gateway = Gateway::start([edited(one.target(), tidy())]).await;
        for client in clients(&gateway).await {
            let complete = async |reference: Value| {
                let argument = json!({"name": "a", "value": ""});
                client.request("completion/complete", json!({"ref": reference, "argument": argument})).await
            };
            let result = complete(json!({"type": "ref/prompt", "name": "one___welcome"})).await.result();
            assert_eq!(result["asked"]["ref"]["name"], "greet");
            let error = error_of(&complete(json!({"type": "ref/prompt", "name": "one___greet"})).await);
            assert_eq!(error["message"], "Unknown prompt: one___greet");
            let error = error_of(&complete(json!({"type": "ref/resource", "uri": "one:secret"})).await);
            assert_eq!(error["message"], "Unknown resource template: one:secret");
        }
    }
}

#[tokio::test]
async fn a_resource_that_is_held_back_is_neither_read_nor_subscribed_to() {
    for speaks in ERAS {
        let one = Offering::start("one", speaks, &LISTS);
        let gateway = Gateway::start([edited(one.target(), tidy())]).await;
        let [legacy, modern] = clients(&gateway).await;
        for client in [&legacy, &modern] {
            for uri in ["one:open", "one:7"] {
                assert_eq!(client.request("resources/read", json!({"uri": uri})).await.result()["of"], "one", "{uri}");
            }
            for uri in ["one:secret", "one:%73ecret", "ONE:secret", "one:a/secret/b", "other:secret"] {
                let error = error_of(&client.request("resources/read", json!({"uri": uri})).await);
                assert_eq!(error["message"], format!("Resource not found: {uri}"));
            }
        }
        let read: Vec<String> = one.fake.asked("resources/read").iter().map(|asked| asked.params.clone()).collect();
        assert!(!read.iter().any(|params| params.contains("ecret")), "{read:?}");
        let error = error_of(&legacy.request("resources/subscribe", json!({"uri": "one:secret"})).await);
        assert_eq!(error["message"], "Resource not found: one:secret");
        let wanted = json!({"notifications": {"resourceSubscriptions": ["one:secret"]}});
        let mut stream = modern.open("subscriptions/listen", wanted).await;
        assert_eq!(stream.next().await["params"]["notifications"], json!({}), "nothing of it is honoured");
        assert!(one.fake.asked("resources/subscribe").is_empty());
        assert!(!one.fake.asked("subscriptions/listen").iter().any(|asked| asked.params.contains("secret")));
    }
}

#[tokio::test]
async fn what_is_left_out_altogether_is_not_declared() {
    let one = Offering::start("one", Speaks::Modern, &LISTS);
    let edits = Edits {
        prompts: Edit { selection: selection(&[], &["greet", "draft"]), ..Edit::default() },
        resources: selection(&[], &["*"]),
        ..Edits::default()
    };
    let gateway = Gateway::start([edited(one.target(), edits)]).await;
    let discovered = gateway.caller("alice").modern().request("server/discover", json!({})).await.result();
    let initialized = gateway.caller("alice").initialize("2025-11-25").await.result();
    for said in [discovered, initialized] {
        assert_eq!(said["capabilities"], json!({"tools": {"listChanged": true}}));
    }
}

/// A child process, names without targets in them, the official client.
#[tokio::test]
async fn a_real_server_is_called_by_its_new_name() {
    let edits = Edits {
        tools: Edit {
            selection: selection(&["add_*"], &[]),
            rename: texts("add_numbers", "add"),
            title: texts("add_numbers", "Sum"),
            ..Edit::default()
        },
        ..Edits::default()
    };
    let calculator = edited(child(Sample::Calculator), edits);
    let gateway = Gateway::start_with([calculator], |config| config.gateway.names = Names::Plain).await;
    for client in [gateway.caller("alice"), gateway.caller("alice").modern()] {
        let peer = client.rmcp().await;
        let tools = peer.list_all_tools().await.unwrap();
        let seen: Vec<_> = tools.iter().map(|tool| (tool.name.as_ref(), tool.title.as_deref())).collect();
        assert_eq!(seen, [("add", Some("Sum"))]);
        let params = serde_json::from_value(json!({"name": "add", "arguments": {"a": 2, "b": 40}})).unwrap();
        let result = serde_json::to_value(peer.call_tool(params).await.unwrap()).unwrap();
        assert_eq!(result["content"][0]["text"], "42", "{result}");
        peer.cancel().await.unwrap();
    }
}

/// What a list said of a target's news is compared after the filter: clients hear of what they see.
#[tokio::test]
async fn a_change_of_what_is_left_out_is_no_news() {
    let one = Offering::start("one", Speaks::Modern, &LISTS);
    let two = Offering::start("two", Speaks::Modern, &[(Kind::Prompts, "[]")]);
    let gateway = Gateway::start([edited(one.target(), tidy()), two.target()]).await;
    let before = gateway.view_where(|_| true).await;
    let digest = |kind| before.catalog.list(kind).digest();
    assert_eq!(before.catalog.list(Kind::Tools).len(), 1);
    drop(gateway);
    one.list(Kind::Tools, r#"[{"name":"get_it","v":1e2,"description":"new","inputSchema":{"type":"object"}},{"name":"get_secret","v":2}]"#);
    let gateway = Gateway::start([edited(one.target(), tidy()), two.target()]).await;
    let after = gateway.view_where(|_| true).await;
    assert_eq!(after.catalog.list(Kind::Tools).digest(), digest(Kind::Tools));
}
