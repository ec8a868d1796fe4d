//! What the gateway says about itself because of its targets: capabilities and instructions, in both eras.

use causeway_core::{
    catalog::{Kind, Names},
    era,
};
use serde_json::{Value, json};

use crate::{
    fake_target::Speaks,
    harness::Gateway,
    issuer::Issuer,
    offering::{ERAS, Offering},
};

/// `capabilities` and `instructions`, as clients of both eras get them.
async fn about(gateway: &Gateway) -> (Value, Value) {
    let alice = gateway.caller("alice");
    let legacy = alice.initialize(era::LEGACY).await.result();
    let modern = alice.modern().request("server/discover", json!({})).await.result();
    assert_eq!(legacy["capabilities"], modern["capabilities"]);
    assert_eq!(legacy["instructions"], modern["instructions"]);
    (legacy["capabilities"].clone(), legacy["instructions"].clone())
}

#[tokio::test]
async fn capabilities_are_the_union_of_what_targets_declare_and_the_gateway_serves() {
    for speaks in ERAS {
        let one = Offering::start("one", speaks, &[(Kind::Tools, "[]")]);
        one.fake.describe(
            r#""capabilities":{"tools":{"listChanged":true},"prompts":{"listChanged":true},"completions":{},"logging":{},"experimental":{"x":{"v":1}}}"#,
        );
        let two = Offering::start("two", speaks, &[(Kind::Resources, "[]")]);
        two.fake.describe(
            r#""capabilities":{"resources":{"subscribe":true},"experimental":{"x":{"v":2},"y":{}},"extensions":{"e.com/x":{"s":[1]}}}"#,
        );
        let gateway = Gateway::start([one.target(), two.target()]).await;
        let (capabilities, instructions) = about(&gateway).await;
        assert_eq!(
            capabilities,
            json!({"tools": {"listChanged": true}, "prompts": {"listChanged": true},
                   "resources": {"subscribe": true, "listChanged": true}, "completions": {}, "logging": {},
                   "experimental": {"x": {"v": 1}, "y": {}}, "extensions": {"e.com/x": {"s": [1]}}})
        );
        assert_eq!(instructions, Value::Null);
    }
}

/// Each era has a form of tasks of its own (SEP-2663, "Backward Compatibility").
#[tokio::test]
async fn tasks_are_declared_in_the_form_of_the_clients_era() {
    for speaks in ERAS {
        let one = Offering::start("one", speaks, &[(Kind::Tools, "[]")]);
        one.fake.describe(
            r#""capabilities":{"tools":{},"tasks":{"cancel":{},"requests":{"tools":{"call":{}}}},"extensions":{"e.com/x":{}}}"#,
        );
        let two = Offering::start("two", speaks, &[(Kind::Tools, "[]")]);
        two.fake.describe(
            r#""capabilities":{"tools":{},"tasks":{"list":{}},"extensions":{"io.modelcontextprotocol/tasks":{}}}"#,
        );
        let gateway = Gateway::start([one.target(), two.target()]).await;
        let alice = gateway.caller("alice");
        let legacy = alice.initialize(era::LEGACY).await.result()["capabilities"].take();
        assert_eq!(legacy["tasks"], json!({"cancel": {}, "requests": {"tools": {"call": {}}}, "list": {}}));
        assert_eq!(legacy["extensions"], json!({"e.com/x": {}}));
        let modern = alice.modern().request("server/discover", json!({})).await.result()["capabilities"].take();
        assert_eq!(modern.get("tasks"), None);
        assert_eq!(modern["extensions"], json!({"e.com/x": {}, "io.modelcontextprotocol/tasks": {}}));
    }
}

#[tokio::test]
async fn before_any_target_was_asked_there_are_tools() {
    let one = Offering::start("one", Speaks::Modern, &[(Kind::Prompts, "[]")]);
    one.fake.on("server/discover", |_| crate::fake_target::hang());
    let gateway = Gateway::launch(Issuer::start().await, [one.target()], |_| ()).await;
    assert_eq!(about(&gateway).await, (json!({"tools": {"listChanged": true}}), Value::Null));
}

#[tokio::test]
async fn instructions_are_the_operators_or_else_those_of_the_targets() {
    let described = |name, speaks, text: &str| {
        let offering = Offering::start(name, speaks, &[(Kind::Tools, "[]")]);
        offering.fake.describe(&format!(r#""capabilities":{{"tools":{{}}}},"instructions":"{text}""#));
        offering
    };
    let one = described("one", Speaks::Modern, "Add.");
    let two = described("two", Speaks::Sessions, "Count.");
    let targets = [one.target(), two.target()];
    let gateway = Gateway::start(targets.clone()).await;
    assert_eq!(about(&gateway).await.1, "# one\n\nAdd.\n\n# two\n\nCount.");
    let own = |config: &mut causeway::config::Config| config.gateway.instructions = Some("Own.".into());
    let gateway = Gateway::start_with(targets, own).await;
    assert_eq!(about(&gateway).await.1, "Own.");
    let gateway = Gateway::start_with([one.target()], |config| config.gateway.names = Names::Plain).await;
    assert_eq!(about(&gateway).await.1, "Add.");
}
