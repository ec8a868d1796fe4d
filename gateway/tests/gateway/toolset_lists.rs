//! What a toolset shows: its part of the lists, what can be called, read and completed there, and what it says about itself.

use causeway_core::catalog::{Kind, Paging};
use causeway_servers::Sample;
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    caller::Caller,
    fake_target::Speaks,
    harness::{Gateway, toolsets},
    offering::{ERAS, Offering},
    sample::child,
};

const ONE: [(Kind, &str); 4] = [
    (Kind::Tools, r#"[{"name":"get","v":1e2},{"name":"put"}]"#),
    (Kind::Prompts, r#"[{"name":"greet"}]"#),
    (Kind::Resources, r#"[{"uri":"one:open"},{"uri":"one:secret"}]"#),
    (Kind::Templates, r#"[{"uriTemplate":"one:notes/{id}"}]"#),
];
const TWO: [(Kind, &str); 2] = [(Kind::Tools, r#"[{"name":"get"}]"#), (Kind::Resources, r#"[{"uri":"two:open"}]"#)];

const READ: &str = r#"
    [[toolsets]]
    name = "read"
    description = "What changes nothing"
    tools.include = ["*___get"]
    resources.include = ["one:*"]
    resources.exclude = ["one:secret"]

    [[toolsets]]
    name = "words"
    prompts = {}
    instructions = "Words, words."
"#;

/// A gateway with two targets and two toolsets.
async fn gateway(one: &Offering, two: &Offering) -> Gateway {
    Gateway::start_with([one.target(), two.target()], |config| {
        config.gateway.instructions = Some("Everything.".into());
        config.toolsets = toolsets(READ);
    })
    .await
}

/// A client of each era at a toolset.
async fn clients(gateway: &Gateway, toolset: &str) -> [Caller; 2] {
    let alice = || gateway.caller("alice").toolset(toolset);
    [alice().in_session().await, alice().modern()]
}

/// The keys of a list.
async fn keys(caller: &Caller, kind: Kind) -> Vec<String> {
    let result = caller.request(kind.method(), json!({})).await.result();
    let entries = result[kind.member()].as_array().unwrap();
    entries.iter().map(|entry| entry[kind.key()].as_str().unwrap().to_owned()).collect()
}

fn error_of(answer: &Answer) -> Value {
    answer.message()["error"]["message"].clone()
}

#[tokio::test]
async fn a_toolset_lists_its_part_and_nothing_else_is_known_there() {
    for speaks in ERAS {
        let (one, two) = (Offering::start("one", speaks, &ONE), Offering::start("two", speaks, &TWO));
        let gateway = gateway(&one, &two).await;
        for client in clients(&gateway, "read").await {
            let tools = client.request("tools/list", json!({})).await;
            assert!(
                tools.text().contains(r#""tools":[{"name":"one___get","v":1e2},{"name":"two___get"}]"#),
                "{tools:?}"
            );
            assert_eq!(keys(&client, Kind::Prompts).await, [""; 0]);
            assert_eq!(keys(&client, Kind::Resources).await, ["one:open"]);
            assert_eq!(keys(&client, Kind::Templates).await, ["one:notes/{id}"]);
            assert_eq!(client.call("two___get", json!({"n": 1})).await["asked"]["arguments"]["n"], 1);
            let unknown = client.try_call("one___put", json!({})).await;
            assert_eq!(error_of(&unknown), "Unknown tool: one___put");
            let unknown = client.request("prompts/get", json!({"name": "one___greet"})).await;
            assert_eq!(error_of(&unknown), "Unknown prompt: one___greet");
        }
        for client in clients(&gateway, "words").await {
            assert_eq!(keys(&client, Kind::Tools).await, [""; 0]);
            assert_eq!(keys(&client, Kind::Prompts).await, ["one___greet"]);
            let got = client.request("prompts/get", json!({"name": "one___greet"})).await.result();
            assert_eq!(got["asked"]["name"], "greet");
            assert_eq!(error_of(&client.try_call("one___get", json!({})).await), "Unknown tool: one___get");
        }
        let alice = gateway.caller("alice");
        assert_eq!(
            keys(&alice, Kind::Tools).await,
            ["one___get", "one___put", "two___get"],
            "at `/mcp` all is as ever"
        );
        assert_eq!(one.fake.asked("tools/call").len(), 0, "what is not shown did not reach it");
    }
}

#[tokio::test]
async fn only_what_it_shows_is_read_completed_and_subscribed_to() {
    for speaks in ERAS {
        let (one, two) = (Offering::start("one", speaks, &ONE), Offering::start("two", speaks, &TWO));
        let gateway = gateway(&one, &two).await;
        let [legacy, modern] = clients(&gateway, "read").await;
        for client in [&legacy, &modern] {
            let read = async |uri: &str| client.request("resources/read", json!({ "uri": uri })).await;
            for uri in ["one:open", "one:notes/7", "one:unlisted"] {
                assert_eq!(read(uri).await.result()["of"], "one", "{uri}");
            }
            for uri in ["one:secret", "one:%73ecret", "two:open", "two:unlisted"] {
                assert_eq!(error_of(&read(uri).await), format!("Resource not found: {uri}"));
            }
            let complete = async |reference: Value| {
                let argument = json!({"name": "id", "value": ""});
                client.request("completion/complete", json!({"ref": reference, "argument": argument})).await
            };
            let template = json!({"type": "ref/resource", "uri": "one:notes/{id}"});
            assert_eq!(complete(template).await.result()["of"], "one");
            let prompt = complete(json!({"type": "ref/prompt", "name": "one___greet"})).await;
            assert_eq!(error_of(&prompt), "Unknown prompt: one___greet");
        }
        let refused = legacy.request("resources/subscribe", json!({"uri": "two:open"})).await;
        assert_eq!(error_of(&refused), "Resource not found: two:open");
        let wanted = json!({"notifications": {"resourceSubscriptions": ["two:open", "one:secret"]}});
        let mut stream = modern.open("subscriptions/listen", wanted).await;
        assert_eq!(stream.next().await["params"]["notifications"], json!({}));
        for fake in [&one.fake, &two.fake] {
            let asked =
                ["resources/read", "subscriptions/listen", "resources/subscribe"].map(|method| fake.asked(method));
            assert!(!asked.iter().flatten().any(|asked| asked.params.contains("ecret")), "it came through");
        }
    }
}

#[tokio::test]
async fn it_declares_what_it_shows_and_says_what_it_is_for() {
    let (one, two) = (Offering::start("one", Speaks::Modern, &ONE), Offering::start("two", Speaks::Modern, &TWO));
    one.fake.describe(r#""capabilities":{"tools":{},"prompts":{},"resources":{"subscribe":true},"completions":{},"logging":{},"extensions":{"e.com/x":{}}},"instructions":"One.""#);
    two.fake
        .describe(r#""capabilities":{"tools":{},"resources":{},"extensions":{"e.com/y":{}}},"instructions":"Two.""#);
    let gateway = gateway(&one, &two).await;
    let about = async |toolset: &str| {
        let client = gateway.caller("alice").toolset(toolset);
        let initialized = client.initialize("2025-11-25").await.result();
        let discovered = client.modern().request("server/discover", json!({})).await.result();
        assert_eq!(discovered["capabilities"], initialized["capabilities"]);
        assert_eq!(discovered["instructions"], initialized["instructions"]);
        json!([initialized["serverInfo"], initialized["capabilities"], initialized["instructions"]]).to_string()
    };
    let version = env!("CARGO_PKG_VERSION");
    insta::assert_snapshot!(about("read").await.replace(version, "V"), @r##"[{"name":"read","version":"V","description":"What changes nothing"},{"tools":{"listChanged":true},"resources":{"subscribe":true,"listChanged":true},"completions":{},"logging":{},"extensions":{"e.com/x":{},"e.com/y":{}}},"# one\n\nOne.\n\n# two\n\nTwo."]"##);
    insta::assert_snapshot!(about("words").await.replace(version, "V"), @r#"[{"name":"words","version":"V"},{"tools":{"listChanged":true},"prompts":{"listChanged":true},"completions":{},"logging":{},"extensions":{"e.com/x":{}}},"Words, words."]"#);
    // The method of an extension goes to who declares it, if that has anything in it.
    for toolset in ["read", "words"] {
        gateway.caller("alice").toolset(toolset).request("y/do", json!({})).await;
    }
    assert_eq!((one.fake.asked("y/do").len(), two.fake.asked("y/do").len()), (1, 1));
}

#[tokio::test]
async fn its_pages_are_its_own() {
    let (one, two) = (Offering::start("one", Speaks::Modern, &ONE), Offering::start("two", Speaks::Modern, &TWO));
    let gateway = Gateway::start_with([one.target(), two.target()], |config| {
        config.gateway.paging = Paging::Entries(1);
        config.toolsets = toolsets(READ);
    })
    .await;
    let whole = gateway.caller("alice").modern();
    let read = gateway.caller("alice").toolset("read").modern();
    let first = read.request("tools/list", json!({})).await.result();
    assert_eq!(first["tools"][0]["name"], "one___get");
    let cursor = json!({"cursor": first["nextCursor"]});
    let second = read.request("tools/list", cursor.clone()).await.result();
    assert_eq!((&second["tools"][0]["name"], &second["nextCursor"]), (&json!("two___get"), &Value::Null));
    for elsewhere in [whole.clone(), gateway.caller("alice").toolset("words").modern()] {
        assert_eq!(elsewhere.request("tools/list", cursor.clone()).await.refusal(), (400, -32602));
    }
    let of_whole = whole.request("tools/list", json!({})).await.result();
    let cursor = json!({"cursor": of_whole["nextCursor"]});
    assert_eq!(read.request("tools/list", cursor).await.refusal(), (400, -32602));
}

#[tokio::test]
async fn the_official_client_works_at_a_toolset() {
    let calculator = child(Sample::Calculator);
    let gateway = Gateway::start_with([calculator], |config| {
        config.toolsets = toolsets("[[toolsets]]\nname = \"sums\"\ntools.include = [\"*add*\"]\n");
    })
    .await;
    for client in [gateway.caller("alice"), gateway.caller("alice").modern()] {
        let peer = client.toolset("sums").rmcp().await;
        let tools = peer.list_all_tools().await.unwrap();
        assert_eq!(tools.iter().map(|tool| tool.name.as_ref()).collect::<Vec<_>>(), ["calculator___add_numbers"]);
        let call = async |name: &str| {
            peer.call_tool(serde_json::from_value(json!({"name": name, "arguments": {"a": 2, "b": 40}})).unwrap()).await
        };
        let sum = serde_json::to_value(call("calculator___add_numbers").await.unwrap()).unwrap();
        assert_eq!(sum["content"][0]["text"], "42", "{sum}");
        assert!(call("calculator___multiply_numbers").await.is_err());
        peer.cancel().await.unwrap();
    }
}

/// A target that was never listed may have what a toolset is to show; who is down is said only where it would be shown.
#[tokio::test]
async fn a_target_that_is_gone_is_named_where_it_would_be_shown() {
    let mut one = Offering::start("one", Speaks::Modern, &ONE);
    one.fake.down();
    let gateway = Gateway::start_with([one.target()], |config| config.toolsets = toolsets(READ)).await;
    let shown = gateway.caller("alice").toolset("read").try_call("one___get", json!({})).await;
    assert_eq!(shown.result()["_meta"]["causeway/error"]["target"], "one", "{shown:?}");
    let hidden = gateway.caller("alice").toolset("read").try_call("one___put", json!({})).await;
    assert_eq!(error_of(&hidden), "Unknown tool: one___put");
}

#[tokio::test]
async fn readiness_names_what_toolsets_show() {
    let (one, two) = (Offering::start("one", Speaks::Modern, &ONE), Offering::start("two", Speaks::Modern, &TWO));
    let gateway = gateway(&one, &two).await;
    let expected = json!([
        {"name": "read", "tools": 2, "prompts": 0, "resources": 1, "templates": 1},
        {"name": "words", "tools": 0, "prompts": 1, "resources": 0, "templates": 0},
    ]);
    let admin = Caller::new(&format!("{}/mcp", gateway.admin));
    for caller in [gateway.anonymous(), admin] {
        assert_eq!(caller.get("/readyz").await.json()["toolsets"], expected);
    }
}
