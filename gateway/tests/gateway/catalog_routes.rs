//! Where requests for prompts, resources and completions lead, and what clients of each era get when nobody has what they
//! ask for.

use std::time::Duration;

use causeway_core::catalog::Kind;
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    caller::Caller,
    controlled_target::ControlledTarget,
    fake_target::{self, FakeTarget, Speaks, error, hang, progress_message, success},
    harness::Gateway,
    issuer::Issuer,
    offering::{ERAS, Offering},
};

const ONE: [(Kind, &str); 3] = [
    (Kind::Prompts, r#"[{"name":"greet"}]"#),
    (Kind::Resources, r#"[{"uri":"one://listed"},{"uri":"both://x"}]"#),
    (Kind::Templates, r#"[{"uriTemplate":"notes://{id}"}]"#),
];

/// A client of each era.
async fn clients(gateway: &Gateway) -> [Caller; 2] {
    [gateway.caller("alice").in_session().await, gateway.caller("alice").modern()]
}

/// Who read `uri` for the client.
async fn reader(client: &Caller, uri: &str) -> Value {
    client.request("resources/read", json!({ "uri": uri })).await.result()["of"].clone()
}

/// The error of an answer.
fn error_of(answer: &Answer) -> Value {
    answer.message()["error"].clone()
}

#[tokio::test]
async fn a_prompt_is_asked_for_under_its_own_name() {
    for speaks in ERAS {
        let one = Offering::start("one", speaks, &ONE);
        let gateway = Gateway::start([one.target()]).await;
        for client in clients(&gateway).await {
            let params = json!({"name": "one___greet", "arguments": {"who": "é"}, "_meta": {"x.com/y": 1}});
            let result = client.request("prompts/get", params).await.result();
            let asked = &result["asked"];
            assert_eq!(
                (&result["of"], &asked["name"], &asked["arguments"]["who"]),
                (&json!("one"), &json!("greet"), &json!("é"))
            );
            assert_eq!(asked["_meta"]["x.com/y"], 1);
            let unknown = client.request("prompts/get", json!({"name": "greet"})).await;
            assert_eq!(error_of(&unknown), json!({"code": -32602, "message": "Unknown prompt: greet"}));
        }
        let sent = fake_name(&one.fake, "prompts/get");
        assert_eq!(sent, vec![(speaks == Speaks::Modern).then_some("greet".to_owned()); 2]);
    }
}

/// The header `Mcp-Name` of each request of `method` that reached a target.
fn fake_name(fake: &FakeTarget, method: &str) -> Vec<Option<String>> {
    let name = |asked: &fake_target::Asked| Some(asked.headers.get("mcp-name")?.to_str().unwrap().to_owned());
    fake.asked(method).iter().map(name).collect()
}

#[tokio::test]
async fn a_listed_resource_is_read_where_the_lowest_priority_lists_it() {
    let (one, two) = (Offering::start("one", Speaks::Modern, &ONE), Offering::start("two", Speaks::Sessions, &ONE));
    let gateway = Gateway::start([one.of_priority(9), two.of_priority(8)]).await;
    for client in clients(&gateway).await {
        assert_eq!(reader(&client, "both://x").await, "two");
    }
    assert!(one.fake.asked("resources/read").is_empty(), "who lists it alone is asked");
}

#[tokio::test]
async fn what_was_read_has_caching_hints_for_modern_clients() {
    for (speaks, ttl) in [(Speaks::Modern, json!(7)), (Speaks::Sessions, json!(0))] {
        let one = Offering::start("one", speaks, &ONE);
        if speaks == Speaks::Modern {
            one.fake.on("resources/read", |asked| async move {
                let result = r#"{"resultType":"complete","contents":[],"ttlMs":7,"cacheScope":"private"}"#;
                fake_target::json(200, success(&asked.id, result))
            });
        }
        let gateway = Gateway::start([one.target()]).await;
        let [legacy, modern] = clients(&gateway).await;
        let hints = async |client: Caller| {
            let result = client.request("resources/read", json!({"uri": "one://listed"})).await.result();
            (result.get("ttlMs").cloned(), result.get("cacheScope").cloned())
        };
        assert_eq!(hints(modern).await, (Some(ttl), Some(json!("private"))));
        assert_eq!(hints(legacy).await, (None, None));
    }
}

#[tokio::test]
async fn an_unlisted_resource_is_looked_for_by_template_and_then_everywhere() {
    let one = Offering::start("one", Speaks::Modern, &ONE);
    let two = Offering::start("two", Speaks::Sessions, &[(Kind::Resources, "[]")]);
    let tools = Offering::start("tools", Speaks::Modern, &[(Kind::Tools, "[]")]);
    one.fake.on("resources/read", |asked| async move {
        match asked.params.contains("notes://7") {
            true => fake_target::json(200, success(&asked.id, r#"{"resultType":"complete","of":"one"}"#)),
            false => error(200, &asked.id, -32602, "no"),
        }
    });
    let gateway = Gateway::start([one.target(), tools.target(), two.of_priority(1)]).await;
    for client in clients(&gateway).await {
        assert_eq!(reader(&client, "notes://7").await, "one");
        assert!(two.fake.asked("resources/read").is_empty(), "the template comes before the priority");
        assert_eq!(reader(&client, "two:anything").await, "two");
        assert_eq!(one.fake.asked("resources/read").len(), 1, "by priority");
        one.fake.forget();
        two.fake.forget();
    }
    assert!(tools.fake.asked("resources/read").is_empty(), "it has no resources");
}

#[tokio::test]
async fn a_resource_that_nobody_has_is_not_found_in_the_code_of_the_clients_era() {
    for speaks in ERAS {
        let (one, two) = (Offering::start("one", speaks, &ONE), Offering::start("two", Speaks::Modern, &ONE));
        let alone = Gateway::start([one.target()]).await;
        let both = Gateway::start([one.target(), two.target()]).await;
        let none = Gateway::start([Offering::start("three", speaks, &[(Kind::Tools, "[]")]).target()]).await;
        for (at, code) in [(0, -32002), (1, -32602)] {
            let read = async |gateway: &Gateway, uri: &str| {
                error_of(&clients(gateway).await[at].request("resources/read", json!({ "uri": uri })).await)
            };
            let of_target = json!({"code": code, "message": "its own words", "data": {"uri": "x:y", "own": 1}});
            assert_eq!(read(&alone, "x:y").await, of_target, "one target's own words");
            let of_gateway = json!({"code": code, "message": "Resource not found: x:y", "data": {"uri": "x:y"}});
            assert_eq!(read(&both, "x:y").await, of_gateway);
            assert_eq!(read(&none, "x:y").await, of_gateway);
        }
    }
}

#[tokio::test]
async fn a_listed_resource_that_is_gone_has_the_code_of_the_clients_era() {
    for speaks in ERAS {
        let one = Offering::start("one", speaks, &ONE);
        let code = if speaks == Speaks::Modern { -32602 } else { -32002 };
        one.fake.on("resources/read", move |asked| async move { error(200, &asked.id, code, "gone") });
        let gateway = Gateway::start([one.target()]).await;
        for (client, code) in clients(&gateway).await.iter().zip([-32002, -32602]) {
            let gone = client.request("resources/read", json!({"uri": "one://listed"})).await;
            assert_eq!(error_of(&gone), json!({"code": code, "message": "gone"}), "{speaks:?}");
        }
    }
}

#[tokio::test]
async fn who_cannot_be_asked_is_named_unless_another_knows() {
    let mut one = Offering::start("one", Speaks::Modern, &ONE);
    let mut two = Offering::start("two", Speaks::Sessions, &[(Kind::Resources, "[]")]);
    two.fake.on("resources/read", |asked| async move { error(200, &asked.id, 0, "Unknown resource") });
    // Each request is to find out for itself.
    let gateway = Gateway::start_with([one.target(), two.target()], |config| config.failover.failures = 1000).await;
    one.fake.down();
    for client in clients(&gateway).await {
        for uri in ["notes://1", "one://listed"] {
            let failed = client.request("resources/read", json!({ "uri": uri })).await;
            let error = error_of(&failed);
            assert_eq!(
                (&error["code"], &error["data"]),
                (&json!(-32603), &json!({"target": "one", "kind": "unreachable"}))
            );
        }
        let prompt = error_of(&client.request("prompts/get", json!({"name": "one___greet"})).await);
        assert_eq!(prompt["code"], -32603);
        let call =
            json!({"ref": {"type": "ref/prompt", "name": "one___greet"}, "argument": {"name": "a", "value": ""}});
        assert_eq!(error_of(&client.request("completion/complete", call).await)["code"], -32603);
    }
    one.fake.up();
    one.fake.on("resources/read", |asked| async move { error(200, &asked.id, -32602, "no") });
    two.fake.down();
    let client = &clients(&gateway).await[1];
    let denied = error_of(&client.request("resources/read", json!({"uri": "notes://1"})).await);
    assert_eq!(denied["message"], "Resource not found: notes://1", "whoever has the template knows");
}

#[tokio::test]
async fn a_target_that_is_asked_on_suspicion_has_not_for_ever() {
    let one = Offering::start("one", Speaks::Modern, &[(Kind::Resources, "[]")]);
    let two = Offering::start("two", Speaks::Modern, &[(Kind::Resources, "[]")]);
    one.fake.on("resources/read", |_| hang());
    let quickly = Duration::from_millis(300);
    let gateway = Gateway::start_with([one.target(), two.target()], |config| config.limits.discovery = quickly).await;
    // On a busy machine the first listing may have taken too long as well.
    for name in ["one", "two"] {
        gateway.target_where(name, |state| state.listed.is_some()).await;
    }
    assert_eq!(reader(&gateway.caller("alice").modern(), "two:x").await, "two");
}

#[tokio::test]
async fn a_resource_found_elsewhere_keeps_its_notifications() {
    let one = Offering::start("one", Speaks::Modern, &[(Kind::Resources, "[]")]);
    let two = Offering::start("two", Speaks::Modern, &[(Kind::Resources, "[]")]);
    one.fake.on("resources/read", |asked| async move {
        fake_target::events([Ok(format!(
            r#"{{"jsonrpc":"2.0","id":{},"error":{{"code":-32602,"message":"no"}}}}"#,
            asked.id
        ))])
    });
    two.fake.on("resources/read", |asked| async move {
        let token = fake_target::progress_token(&asked.params).unwrap();
        let answer = success(&asked.id, r#"{"resultType":"complete","contents":[]}"#);
        fake_target::events([progress_message(&token, 1), progress_message(&token, 2), answer].map(Ok))
    });
    let gateway = Gateway::start([one.target(), two.target()]).await;
    for client in clients(&gateway).await {
        let params = json!({"uri": "x:y", "_meta": {"progressToken": "p"}});
        let answer = client.request("resources/read", params).await;
        let steps: Vec<Value> =
            answer.text().lines().filter(|line| line.contains("progressToken")).map(Value::from).collect();
        assert_eq!(steps.len(), 2, "{answer:?}");
        assert!(answer.text().contains(r#""contents":[]"#), "{answer:?}");
    }
}

#[tokio::test]
async fn what_a_client_brings_is_seen_by_the_target_alone_that_asked_for_it() {
    let one = Offering::start("one", Speaks::Modern, &[(Kind::Resources, "[]")]);
    let two = Offering::start("two", Speaks::Modern, &[(Kind::Resources, "[]")]);
    two.fake.on("resources/read", |asked| async move {
        let result = match asked.params.contains("inputResponses") {
            true => r#"{"resultType":"complete","contents":[],"ttlMs":0,"cacheScope":"private"}"#,
            false => {
                r#"{"resultType":"input_required","inputRequests":{"q":{"method":"roots/list"}},"requestState":"s"}"#
            }
        };
        fake_target::json(200, success(&asked.id, result))
    });
    let gateway = Gateway::start([one.target(), two.target()]).await;
    let alice = gateway.caller("alice").modern();
    let first = alice.request("resources/read", json!({"uri": "x:y"})).await.result();
    assert_eq!(first["resultType"], "input_required");
    let brought = json!({"uri": "x:y", "requestState": "s", "inputResponses": {"q": {"roots": []}}});
    let second = alice.request("resources/read", brought).await.result();
    assert_eq!(second["contents"], json!([]));
    let seen = one.fake.asked("resources/read");
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|asked| !asked.body.contains("inputResponses") && !asked.body.contains("requestState")));
    assert!(two.fake.asked("resources/read")[2].params.contains(r#""requestState":"s""#));
}

#[tokio::test]
async fn a_completion_goes_where_its_reference_leads() {
    let argument = json!({"name": "a", "value": "x"});
    for speaks in ERAS {
        let one = Offering::start("one", speaks, &ONE);
        let two = Offering::start("two", speaks, &[(Kind::Resources, r#"[{"uri":"two://listed"}]"#)]);
        let gateway = Gateway::start([two.target(), one.target()]).await;
        for client in clients(&gateway).await {
            let complete = async |reference: Value| {
                let params = json!({"ref": reference, "argument": argument, "context": {"arguments": {"b": "y"}}});
                client.request("completion/complete", params).await
            };
            let prompt = json!({"type": "ref/prompt", "title": "T", "name": "one___greet"});
            let result = complete(prompt).await.result();
            assert_eq!(result["asked"]["ref"], json!({"type": "ref/prompt", "title": "T", "name": "greet"}));
            assert_eq!(
                (&result["asked"]["argument"], &result["asked"]["context"]["arguments"]["b"]),
                (&argument, &json!("y"))
            );
            for (uri, target) in [("notes://{id}", "one"), ("notes://7", "one"), ("two://listed", "two")] {
                let reference = json!({"type": "ref/resource", "uri": uri});
                let result = complete(reference.clone()).await.result();
                assert_eq!((&result["of"], &result["asked"]["ref"]), (&json!(target), &reference));
            }
            for (reference, message) in [
                (json!({"type": "ref/prompt", "name": "greet"}), "Unknown prompt: greet"),
                (json!({"type": "ref/resource", "uri": "x:y"}), "Unknown resource template: x:y"),
                (
                    json!({"type": "ref/tool", "name": "x"}),
                    "`params.ref` must be a `ref/prompt` with a `name` or a `ref/resource` with a `uri`",
                ),
                (json!(7), "`params.ref` must be a `ref/prompt` with a `name` or a `ref/resource` with a `uri`"),
            ] {
                assert_eq!(error_of(&complete(reference).await), json!({"code": -32602, "message": message}));
            }
        }
    }
}

#[tokio::test]
async fn what_a_target_says_of_what_it_does_not_declare_is_passed_on() {
    let one = Offering::start("one", Speaks::Sessions, &ONE);
    one.fake.on("completion/complete", |asked| async move { error(200, &asked.id, -32601, "no completions here") });
    let gateway = Gateway::start([one.target()]).await;
    let params = json!({"ref": {"type": "ref/prompt", "name": "one___greet"}, "argument": {"name": "a", "value": ""}});
    for client in clients(&gateway).await {
        let answer = client.request("completion/complete", params.clone()).await;
        assert_eq!(error_of(&answer), json!({"code": -32601, "message": "no completions here"}));
    }
}

#[tokio::test]
async fn parameters_that_name_nothing_are_refused() {
    let one = Offering::start("one", Speaks::Modern, &ONE);
    let gateway = Gateway::start([one.target()]).await;
    let alice = gateway.caller("alice");
    for (method, params, message) in [
        ("prompts/get", json!({}), "`params.name` must be the name of a prompt"),
        ("tools/call", json!({"name": 7}), "`params.name` must be the name of a tool"),
        ("resources/read", json!({"uri": null}), "`params.uri` must be the URI of a resource"),
        (
            "completion/complete",
            json!({}),
            "`params.ref` must be a `ref/prompt` with a `name` or a `ref/resource` with a `uri`",
        ),
    ] {
        let answer = alice.request(method, params).await;
        assert_eq!(error_of(&answer), json!({"code": -32602, "message": message}));
    }
}

/// A client that knows a name from before the gateway was started anew does not hear that there is no such tool only because
/// its target was not asked yet.
#[tokio::test]
async fn a_name_of_a_target_that_was_not_listed_yet_is_waited_for() {
    let target = ControlledTarget::that_holds_its_list().await;
    let gateway = Gateway::launch(Issuer::start().await, [target.target("t")], |_| ()).await;
    let clients = [gateway.caller("alice"), gateway.caller("alice").modern()];
    let calls = clients.map(|alice| tokio::spawn(async move { alice.call("t___echo", json!({"n": 1})).await }));
    target.let_list();
    for call in calls {
        assert_eq!(call.await.unwrap()["echo"]["n"], 1);
    }
}
