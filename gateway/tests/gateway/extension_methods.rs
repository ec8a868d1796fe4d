//! Methods that the gateway does not know: the one target whose extension they belong to gets them, byte for byte, and where
//! two could be meant nobody does.

use serde_json::json;

use crate::{
    answer::Answer,
    caller::Caller,
    fake_target::{FakeTarget, Speaks, error, json as answer, success},
    harness::{Gateway, http_target},
    tasks_talk::legacy,
};

const ERAS: [Speaks; 2] = [Speaks::Modern, Speaks::Sessions];
/// What no reader of numbers or texts would write as it was.
const ODD: &str = r#"{"b":1.0e400 ,"a":[ "\u00e9\/" ],"b2":18446744073709551616}"#;

/// A target with these capabilities that answers every method of an extension oddly.
fn declaring(speaks: Speaks, capabilities: &str) -> FakeTarget {
    let fake = FakeTarget::start(speaks);
    fake.describe(&format!(r#""capabilities":{{"tools":{{}},{capabilities}}}"#));
    for method in ["search/query", "vendor/do"] {
        fake.on(method, move |asked| async move {
            let result_type = if speaks == Speaks::Modern { r#""resultType":"complete","# } else { "" };
            answer(200, success(&asked.id, &format!(r#"{{{result_type}"odd":{ODD}}}"#)))
        });
    }
    fake
}

async fn before(targets: &[&FakeTarget]) -> Gateway {
    let named = ["one", "two", "three"].into_iter().zip(targets);
    let targets: Vec<_> = named.map(|(name, fake)| http_target(name, &fake.endpoint())).collect();
    Gateway::start(targets).await
}

async fn client(gateway: &Gateway, speaks: Speaks) -> Caller {
    match speaks {
        Speaks::Modern => gateway.caller("alice").modern(),
        Speaks::Sessions | Speaks::Stateless => legacy(gateway, "alice").await,
    }
}

/// Sends `method` with odd parameters, and gives what was sent as parameters with the answer.
async fn send(caller: &Caller, method: &str) -> (String, Answer) {
    let (caller, body) = caller.framed(method, json!({"odd": "ODD"}));
    let odd = |text: String| text.replace(r#""ODD""#, ODD);
    (odd(body["params"].to_string()), caller.post(odd(body.to_string())).await)
}

#[tokio::test]
async fn the_target_whose_extension_is_meant_gets_the_request_as_it_was_sent() {
    for speaks in ERAS {
        let meant = declaring(speaks, r#""extensions":{"com.example/search":{}}"#);
        let other = declaring(speaks, r#""extensions":{"com.example/research":{},"io.example/x":{}}"#);
        let plain = declaring(speaks, r#""completions":{}"#);
        let gateway = before(&[&other, &plain, &meant]).await;
        let (sent, answered) = send(&client(&gateway, speaks).await, "search/query").await;
        assert_eq!(answered.status, 200);
        let result_type = if speaks == Speaks::Modern { r#""resultType":"complete","# } else { "" };
        let expected = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{{result_type}"odd":{ODD}}}}}"#);
        assert_eq!(answered.text(), expected, "{speaks:?}");
        let [asked] = &meant.asked("search/query")[..] else { panic!("asked more than once") };
        assert_eq!(asked.params, sent, "{speaks:?}");
        assert!(other.asked("search/query").is_empty() && plain.asked("search/query").is_empty());
    }
}

#[tokio::test]
async fn eras_differ_in_nothing_but_what_they_must() {
    for (client_speaks, speaks) in [(Speaks::Modern, Speaks::Sessions), (Speaks::Sessions, Speaks::Modern)] {
        let meant = declaring(speaks, r#""extensions":{"com.example/search":{}}"#);
        let gateway = before(&[&meant]).await;
        let (_, answered) = send(&client(&gateway, client_speaks).await, "search/query").await;
        let result_type = if client_speaks == Speaks::Modern { r#""resultType":"complete","# } else { "" };
        let expected = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{{result_type}"odd":{ODD}}}}}"#);
        assert_eq!(answered.text(), expected, "{client_speaks:?}");
        assert!(meant.asked("search/query")[0].params.starts_with(&format!(r#"{{"odd":{ODD}"#)));
    }
}

#[tokio::test]
async fn the_only_target_with_extensions_gets_what_no_name_tells() {
    for speaks in ERAS {
        for capabilities in
            [r#""experimental":{"com.example/search":{}}"#, r#""extensions":{"com.example/a":{},"com.example/b":{}}"#]
        {
            let (one, plain) = (declaring(speaks, capabilities), declaring(speaks, r#""completions":{}"#));
            // Tasks are the gateway's own matter.
            let tasks = declaring(speaks, r#""extensions":{"io.modelcontextprotocol/tasks":{}}"#);
            let gateway = before(&[&plain, &one, &tasks]).await;
            let answered = send(&client(&gateway, speaks).await, "vendor/do").await.1;
            assert!(answered.text().contains(ODD), "{answered:?}");
            assert_eq!(one.asked("vendor/do").len(), 1);
            assert!(plain.asked("vendor/do").is_empty() && tasks.asked("vendor/do").is_empty());
        }
    }
}

/// The answer where nobody gets the request.
fn unknown(speaks: Speaks) -> (u16, i64) {
    (if speaks == Speaks::Modern { 404 } else { 200 }, -32601)
}

#[tokio::test]
async fn nobody_gets_what_two_could_be_meant_by() {
    for speaks in ERAS {
        let one = declaring(speaks, r#""extensions":{"com.example/search":{}}"#);
        let two = declaring(speaks, r#""experimental":{"org.example/search":{}}"#);
        let gateway = before(&[&one, &two]).await;
        let caller = client(&gateway, speaks).await;
        for method in ["search/query", "vendor/do"] {
            assert_eq!(send(&caller, method).await.1.refusal(), unknown(speaks), "{method}");
            assert!(one.asked(method).is_empty() && two.asked(method).is_empty(), "{method}");
        }
    }
}

#[tokio::test]
async fn nobody_gets_methods_of_no_extension_at_all() {
    for speaks in ERAS {
        let plain = declaring(speaks, r#""completions":{}"#);
        let gateway = before(&[&plain]).await;
        let answered = send(&client(&gateway, speaks).await, "search/query").await.1;
        assert_eq!(answered.refusal(), unknown(speaks));
        assert!(plain.asked("search/query").is_empty());
    }
}

#[tokio::test]
async fn what_begins_like_methods_of_mcp_is_no_extensions() {
    for speaks in ERAS {
        let one = declaring(speaks, r#""extensions":{"com.example/tools":{},"com.example/tasks":{}}"#);
        let gateway = before(&[&one]).await;
        let caller = client(&gateway, speaks).await;
        for method in ["tools/unknown", "tasks/unknown", "server/unknown", "notifications/unknown", "roots/list"] {
            assert_eq!(send(&caller, method).await.1.refusal(), unknown(speaks), "{method}");
            assert!(one.asked(method).is_empty(), "{method}");
        }
    }
}

#[tokio::test]
async fn a_target_that_does_not_know_its_own_method_is_believed() {
    for speaks in ERAS {
        let one = declaring(speaks, r#""extensions":{"com.example/search":{}}"#);
        one.on("search/query", |asked| async move { error(200, &asked.id, -32601, "its own words") });
        let gateway = before(&[&one]).await;
        let answered = send(&client(&gateway, speaks).await, "search/query").await.1;
        assert_eq!(answered.refusal(), unknown(speaks));
        assert_eq!(answered.json()["error"]["message"], "its own words");
    }
}
