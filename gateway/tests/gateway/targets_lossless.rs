//! What a target wrote is what the client reads, byte for byte, outside the members that the protocol obliges the gateway to
//! change; and the same for arguments on their way to the target.

use std::sync::LazyLock;

use proptest::{prelude::*, test_runner::TestRunner};
use tokio::runtime::Runtime;

use crate::{
    fake_target::{self, FakeTarget, event_stream, json},
    harness::{Gateway, http_target},
    targets_child::{scripted, with_env},
    targets_client::{Client, Speaks},
};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// White space that may stand between tokens; a carriage return cannot pass through events or lines.
fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![6 => Just(""), 1 => Just(" "), 1 => Just("\n  "), 1 => Just("\t")]
}

/// JSON strings as text, escapes included that no Rust string can hold.
fn string() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[a-zA-Z0-9 _/-]{0,8}",
        Just(r"\u0000".to_owned()),
        Just(r"\ud83d\ude00".to_owned()),
        Just(r"\ud800".to_owned()),
        Just(r"\udc00x".to_owned()),
        Just(r#"\"\\\/\b\f\n\r\t"#.to_owned()),
        Just("日本語 é \u{2028}\u{7f}".to_owned()),
    ];
    proptest::collection::vec(part, 0..4).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        string(),
        prop_oneof![
            Just("null"),
            Just("true"),
            Just("1e400"),
            Just("-0"),
            Just("-0.0"),
            Just("1E+2"),
            Just("0.1000000000000000055"),
            Just("18446744073709551616"),
            Just("123456789012345678901234567890"),
        ]
        .prop_map(str::to_owned),
        any::<i64>().prop_map(|number| number.to_string()),
    ]
}

/// Any JSON value as text: keys in any order and any number of times.
fn value() -> impl Strategy<Value = String> {
    scalar().prop_recursive(4, 40, 6, |inner| {
        let list = proptest::collection::vec((space(), inner.clone(), space()), 0..5).prop_map(|items| {
            format!("[{}]", items.iter().map(|(a, value, b)| format!("{a}{value}{b}")).collect::<Vec<_>>().join(","))
        });
        prop_oneof![list, object_of(inner)]
    })
}

fn object_of(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let key = prop_oneof![
        string(),
        Just(r#""content""#.to_owned()),
        Just(r#""structuredContent""#.to_owned()),
        Just(r#""_meta""#.to_owned()),
        Just(r#""error""#.to_owned()),
        Just(r#""id""#.to_owned()),
        Just(r#""n\u0061me""#.to_owned()),
    ];
    proptest::collection::vec((space(), key, space(), value), 0..5).prop_map(|members| {
        let members: Vec<_> = members.iter().map(|(a, key, b, value)| format!("{a}{key}{b}:{value}{a}")).collect();
        format!("{{{}}}", members.join(","))
    })
}

/// A result object that says nothing of its type.
fn result() -> impl Strategy<Value = String> {
    object_of(value())
}

/// A gateway before targets that answer a call with what the test puts there.
struct World {
    gateway: Gateway,
    json: FakeTarget,
    events: FakeTarget,
    /// Where the child finds its answer.
    file: tempfile::NamedTempFile,
}

impl World {
    async fn start(speaks: fake_target::Speaks) -> Self {
        let (json, events) = (FakeTarget::start(speaks), FakeTarget::start(speaks));
        let file = tempfile::NamedTempFile::new().unwrap();
        let era = if speaks == fake_target::Speaks::Modern { "modern" } else { "legacy" };
        let child = with_env(scripted("child", era, &["file", "echo"]), "RESULT", file.path().to_str().unwrap());
        let targets = [http_target("json", &json.endpoint()), http_target("events", &events.endpoint()), child];
        Self { gateway: Gateway::start(targets).await, json, events, file }
    }

    /// From now on each target answers with `result`, between these other members of the message.
    fn answer_with(&self, result: &str) {
        let message = |id: &str, result: &str| {
            format!("{{ \"vendor\":1e400,\"result\": {result},\n\"id\":{id},\"jsonrpc\":\"2.0\" }}")
        };
        let kept = result.to_owned();
        self.json.on("tools/call", move |asked| {
            let message = message(&asked.id, &kept);
            async move { json(200, message) }
        });
        let kept = result.to_owned();
        self.events.on("tools/call", move |asked| {
            let message = message(&asked.id, &kept);
            async move { event_stream(futures::stream::iter([Ok(message)])) }
        });
        std::fs::write(self.file.path(), result.replace('\n', " ")).unwrap();
    }

    /// The client reads `expected` from each target.
    async fn check(&self, client: &Client, result: &str, expected: &str) {
        self.answer_with(result);
        let whole = format!("{{ \"vendor\":1e400,\"result\": {expected},\n\"id\":7,\"jsonrpc\":\"2.0\" }}");
        for tool in ["json___echo", "events___echo"] {
            let answer = client.call(tool, "{}").await.answer;
            assert!(answer == whole, "{tool}: {answer:.500}\n{whole:.500}");
        }
        let answer = client.call("child___file", "{}").await.answer;
        let whole = format!(r#"{{"jsonrpc":"2.0","id":7,"result":{}}}"#, expected.replace('\n', " "));
        assert!(answer == whole, "child: {answer:.500}\n{whole:.500}");
    }
}

/// `result` as the modern era wants it.
fn completed(result: &str) -> String {
    let rest = &result[1..];
    let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
    format!(r#"{{"resultType":"complete"{comma}{rest}"#)
}

fn check_results(speaks: fake_target::Speaks, client: Speaks) {
    RUNTIME.block_on(async {
        let world = World::start(speaks).await;
        let modern_target = speaks == fake_target::Speaks::Modern;
        let client_is_modern = client == Speaks::Modern;
        let client = Client::new(&world.gateway, client).await;
        let handle = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| {
            let mut runner =
                TestRunner::new(ProptestConfig { cases: 40, failure_persistence: None, ..Default::default() });
            runner
                .run(&result(), |plain| {
                    let (sent, expected) = match (modern_target, client_is_modern) {
                        (true, true) => (completed(&plain), completed(&plain)),
                        // The white space after the comma of a member that is taken out goes with it.
                        (true, false) => (completed(&plain), format!("{{{}", plain[1..].trim_start())),
                        (false, true) => (plain.clone(), completed(&plain)),
                        (false, false) => (plain.clone(), plain),
                    };
                    handle.block_on(world.check(&client, &sent, &expected));
                    Ok(())
                })
                .unwrap();
        });
        // A type that both eras let through, except the one that the modern era has for itself.
        let kind = if modern_target { "complete" } else { "vendor" };
        let huge = format!(
            r#"{{"resultType":"{kind}","x":"{}\ud800","y":{}1{}}}"#,
            "é\\n".repeat(1_300_000),
            "[".repeat(20_000),
            "]".repeat(20_000)
        );
        let expected = match (modern_target, client_is_modern) {
            (true, false) => huge.replacen(r#""resultType":"complete","#, "", 1),
            _ => huge.clone(),
        };
        world.check(&client, &huge, &expected).await;
    });
}

#[test]
fn results_of_modern_targets_for_modern_clients() {
    check_results(fake_target::Speaks::Modern, Speaks::Modern);
}

#[test]
fn results_of_modern_targets_for_legacy_clients() {
    check_results(fake_target::Speaks::Modern, Speaks::Session);
}

#[test]
fn results_of_legacy_targets_for_modern_clients() {
    check_results(fake_target::Speaks::Stateless, Speaks::Modern);
}

#[test]
fn results_of_legacy_targets_for_legacy_clients() {
    check_results(fake_target::Speaks::Sessions, Speaks::NoSession);
}

/// Errors, too: with all that stands in them, under the client's id.
#[tokio::test]
async fn errors_pass_as_they_are() {
    let fake = FakeTarget::start(fake_target::Speaks::Modern);
    fake.on("tools/call", |asked| async move {
        json(200, format!(r#"{{"error": {{"data":{{"x":1e400}},"code":-32602.0,"message":"\ud800","v":0.10}},"jsonrpc":"2.0","id":{}}}"#, asked.id))
    });
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    for speaks in [Speaks::Modern, Speaks::Session] {
        let got = Client::new(&gateway, speaks).await.call("t___echo", "{}").await;
        let expected =
            r#"{"error": {"data":{"x":1e400},"code":-32602.0,"message":"\ud800","v":0.10},"jsonrpc":"2.0","id":7}"#;
        assert_eq!(got.answer, expected);
    }
}

#[test]
fn arguments_reach_the_target_as_they_are() {
    RUNTIME.block_on(async {
        for speaks in [fake_target::Speaks::Modern, fake_target::Speaks::Sessions] {
            let world = World::start(speaks).await;
            for kind in [Speaks::Modern, Speaks::Session] {
                let client = Client::new(&world.gateway, kind).await;
                let handle = tokio::runtime::Handle::current();
                tokio::task::block_in_place(|| {
                    let mut runner =
                        TestRunner::new(ProptestConfig { cases: 40, failure_persistence: None, ..Default::default() });
                    let run = |arguments: String| {
                        handle.block_on(async {
                            for tool in ["json___echo", "child___echo"] {
                                let answer = client.call(tool, &arguments).await.ok().answer;
                                let reads = |arguments: &str| {
                                    answer.contains(&format!(r#""name":"echo","arguments":{arguments}"#))
                                };
                                assert!(
                                    reads(&arguments) || reads(&arguments.replace('\n', " ")),
                                    "{tool} {arguments}\n{answer}"
                                );
                            }
                        });
                        Ok(())
                    };
                    runner.run(&object_of(value()), run).unwrap();
                });
            }
        }
    });
}

#[test]
fn tools_keep_all_but_their_names() {
    RUNTIME.block_on(async {
        let mut runner = TestRunner::new(ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() });
        let handle = tokio::runtime::Handle::current();
        let entries = proptest::collection::vec((space(), value(), space(), value()), 1..5);
        tokio::task::block_in_place(|| {
            runner
                .run(&entries, |entries| {
                    let list = |prefix: &str| {
                        let entry = |(at, (a, x, b, y)): (usize, &(&str, String, &str, String))| {
                            format!(r#"{{{a}"x":{x},"name"{b}:{b}"{prefix}tool___{at}","execution":{y}{a}}}"#)
                        };
                        format!("[{}]", entries.iter().enumerate().map(entry).collect::<Vec<_>>().join(","))
                    };
                    handle.block_on(check_tools(&list(""), |target| list(&format!("{target}___"))));
                    Ok(())
                })
                .unwrap();
        });
    });
}

async fn check_tools(tools: &str, merged: impl Fn(&str) -> String) {
    let (json, events) =
        (FakeTarget::start(fake_target::Speaks::Modern), FakeTarget::streaming(fake_target::Speaks::Sessions));
    json.offer(tools);
    events.offer(tools);
    let child = with_env(scripted("child", "legacy", &[]), "TOOLS", &tools.replace('\n', " "));
    let targets = [http_target("json", &json.endpoint()), http_target("events", &events.endpoint()), child];
    let gateway = Gateway::start(targets).await;
    let lists = [merged("json"), merged("events"), merged("child").replace('\n', " ")];
    let all: Vec<_> = lists.iter().map(|list| &list[1..list.len() - 1]).collect();
    let expected = format!("[{}]", all.join(","));
    let legacy = Client::new(&gateway, Speaks::Session).await.ask("tools/list", "{}").await.answer;
    assert_eq!(legacy, format!(r#"{{"jsonrpc":"2.0","id":7,"result":{{"tools":{expected}}}}}"#));
    let modern = Client::new(&gateway, Speaks::Modern).await.ask("tools/list", "{}").await.answer;
    assert!(modern.contains(&format!(r#""tools":{expected},"ttlMs""#)), "{modern}");
    gateway.stop().await.unwrap();
}
