//! What clients see of a target behind several paths: the same names, whichever path serves them.

use std::time::Duration;

use causeway::config::{Failover, Target, TargetKind, Transport};
use causeway_core::catalog::{Kind, Names, Problem};
use serde_json::json;

use crate::{
    failover_pair::{BOTH, PATIENT, Pair},
    fake_target::{FakeTarget, Speaks},
    harness::{Gateway, http_target},
    offering::{ERAS, Offering},
    targets_client::{self, Client},
};

fn gateway_target(name: &str, endpoint: &str, standby: &[&str]) -> Target {
    let standby = standby.iter().map(|name| name.parse().unwrap()).collect();
    Target { kind: TargetKind::Gateway { standby }, ..http_target(name, endpoint) }
}

fn places(name: &str, endpoints: [&str; 2]) -> Target {
    let mut target = http_target(name, endpoints[0]);
    let Transport::Http(http) = &mut target.transport else { panic!("it is behind a URL") };
    http.further.push(endpoints[1].parse().unwrap());
    target
}

#[tokio::test(flavor = "multi_thread")]
async fn the_names_are_the_same_whichever_path_serves() {
    for arranged in BOTH {
        for (first, second) in [(true, true), (true, false), (false, true)] {
            let prepare = |one: &mut FakeTarget, two: &mut FakeTarget| {
                if !first {
                    tokio::task::block_in_place(|| one.down());
                }
                if !second {
                    tokio::task::block_in_place(|| two.down());
                }
            };
            let mut pair = Pair::start_with(arranged, Speaks::Modern, PATIENT, prepare, |_| ()).await;
            let client = Client::new(&pair.gateway, targets_client::Speaks::Session).await;
            assert_eq!(client.list().await, ["t___act", "t___look"], "{first}, {second}");
            // Down later, they stay, and an answer that is not there says so under its name.
            tokio::task::block_in_place(|| {
                pair.first.down();
                pair.second.down();
            });
            assert_eq!(client.list().await, ["t___act", "t___look"]);
            assert_eq!(client.call("t___act", r#"{"n":1}"#).await.fault(), "unreachable");
        }
    }
}

/// Names that a gateway lists stay as they are, and so do those of who stands by for it, whatever `gateway.names` says; what
/// only one of the two has is its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_keeps_its_names_and_they_stay_when_it_goes() {
    for names in [Names::Prefixed, Names::Plain] {
        let (mut far, near, other) =
            (FakeTarget::start(Speaks::Modern), FakeTarget::start(Speaks::Sessions), FakeTarget::start(Speaks::Modern));
        far.offer(
            r#"[{"name":"x_amz_bedrock_agentcore_search"},{"name":"near___a","at":"far"},{"name":"gone___b","at":"far"}]"#,
        );
        near.offer(r#"[{"name":"a","at":"near"},{"name":"more"}]"#);
        let targets = [
            gateway_target("far", &far.endpoint(), &["near"]),
            http_target("near", &near.endpoint()),
            http_target("other", &other.endpoint()),
        ];
        let gateway = Gateway::start_with(targets, |config| config.gateway.names = names).await;
        let client = Client::new(&gateway, targets_client::Speaks::Modern).await;
        let echo = if names == Names::Plain { "echo" } else { "other___echo" };
        let all = ["x_amz_bedrock_agentcore_search", "near___a", "gone___b", "near___more", echo];
        assert_eq!(client.list().await, all);
        assert!(client.ask("tools/list", "{}").await.answer.contains(r#"{"name":"near___a","at":"far"}"#));
        let asked = |got: targets_client::Got, name: &str, path: Option<&str>| {
            assert!(got.answer.contains(&format!(r#""name":"{name}""#)), "{}", got.answer);
            assert_eq!(got.path.as_deref(), path);
        };
        asked(client.call("near___a", "{}").await.ok(), "near___a", Some("far"));
        asked(client.call("near___more", "{}").await.ok(), "more", Some("near"));
        asked(client.call(echo, "{}").await.ok(), "echo", None);
        tokio::task::block_in_place(|| far.down());
        asked(client.call("near___a", "{}").await.ok(), "a", Some("near"));
        assert_eq!(client.list().await, all);
        assert_eq!(client.call("gone___b", "{}").await.fault(), "unreachable");
    }
}

const LISTS: [(Kind, &str); 3] = [
    (Kind::Prompts, r#"[{"name":"greet"}]"#),
    (Kind::Resources, r#"[{"uri":"x://listed"}]"#),
    (Kind::Templates, r#"[{"uriTemplate":"two:{id}"}]"#),
];
const FAR: [(Kind, &str); 3] = [
    (Kind::Prompts, r#"[{"name":"two___greet"}]"#),
    (Kind::Resources, r#"[{"uri":"x://listed"}]"#),
    (Kind::Templates, r#"[{"uriTemplate":"two:{id}"}]"#),
];

/// What is only read goes on too.
#[tokio::test(flavor = "multi_thread")]
async fn prompts_resources_and_completion_go_on() {
    for (speaks, is_gateway) in ERAS.into_iter().zip([true, false]).chain(ERAS.into_iter().zip([false, true])) {
        let mut one = Offering::start("one", speaks, if is_gateway { &FAR } else { &LISTS });
        let two = Offering::start("two", speaks, &LISTS);
        let targets = match is_gateway {
            true => vec![gateway_target("far", &one.fake.endpoint(), &["two"]), two.target()],
            false => vec![places("two", [&one.fake.endpoint(), &two.fake.endpoint()])],
        };
        let gateway = Gateway::start(targets).await;
        let clients = [gateway.caller("alice").in_session().await, gateway.caller("alice").modern()];
        let reference = json!({"type": "ref/prompt", "name": "two___greet"});
        let requests = [
            ("prompts/get", json!({"name": "two___greet"})),
            ("resources/read", json!({"uri": "x://listed"})),
            ("completion/complete", json!({"ref": reference, "argument": {"name": "x", "value": "y"}})),
        ];
        let of = async |expected: &str| {
            for client in &clients {
                for (method, params) in &requests {
                    let answer = client.request(method, params.clone()).await.result();
                    assert_eq!(answer["of"], expected, "{method}");
                    if *method == "completion/complete" {
                        let own = if is_gateway && expected == "one" { "two___greet" } else { "greet" };
                        assert_eq!(answer["asked"]["ref"]["name"], own);
                    }
                }
            }
        };
        of("one").await;
        tokio::task::block_in_place(|| one.fake.down());
        of("two").await;
        // By template, and nowhere but where it is.
        for client in &clients {
            let read = client.request("resources/read", json!({"uri": "two:7"})).await;
            assert_eq!(read.result()["of"], "two");
            assert_eq!(read.header("x-causeway-path"), if is_gateway { "two" } else { "two/2" });
        }
    }
}

/// A path that changes its tools is heard of, and so is a second one that has to speak for the first.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_place_that_ever_gave_a_list_says_what_there_is() {
    let (mut one, two) = (FakeTarget::start(Speaks::Modern), FakeTarget::start(Speaks::Modern));
    one.offer(r#"[{"name":"a"},{"name":"b"}]"#);
    two.offer(r#"[{"name":"a"}]"#);
    tokio::task::block_in_place(|| one.down());
    let gateway = Gateway::start([places("t", [&one.endpoint(), &two.endpoint()])]).await;
    let client = Client::new(&gateway, targets_client::Speaks::Modern).await;
    assert_eq!(client.list().await, ["t___a"]);
    let state = gateway.target_where("t", |_| true).await;
    assert_eq!((state.word(), state.error_text()), ("listed", None), "one of its places is enough");
    tokio::task::block_in_place(|| one.up());
    gateway.view_where(|view| view.paths.iter().all(|path| path.error.is_none())).await;
    assert_eq!(client.list().await, ["t___a", "t___b"]);
}

/// A place that can be listed no more does not keep what another one offers by now from being seen.
#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_works_says_what_there_is() {
    let (mut one, two) = (FakeTarget::start(Speaks::Modern), FakeTarget::start(Speaks::Modern));
    one.offer(r#"[{"name":"a"},{"name":"b"}]"#);
    two.offer(r#"[{"name":"a"},{"name":"c"}]"#);
    let quick = Duration::from_millis(20);
    let failover = Failover { failures: 1, cool_down: quick, longest_cool_down: quick, ..PATIENT };
    let targets = [places("t", [&one.endpoint(), &two.endpoint()])];
    let gateway = Gateway::start_with(targets, |config| config.failover = failover).await;
    let client = Client::new(&gateway, targets_client::Speaks::Modern).await;
    assert_eq!(client.list().await, ["t___a", "t___b"]);
    let uneven = |problem: &Problem| matches!(problem, Problem::Uneven { kind: Kind::Tools, count: 2, .. });
    assert!(gateway.view_where(|_| true).await.catalog.problems().iter().any(uneven));
    tokio::task::block_in_place(|| one.down());
    client.call("t___a", "{}").await.ok();
    gateway.view_where(|view| view.catalog.route(Kind::Tools, "t___c").is_ok()).await;
    assert_eq!(client.list().await, ["t___a", "t___c"]);
    tokio::task::block_in_place(|| one.up());
    gateway.view_where(|view| view.catalog.route(Kind::Tools, "t___b").is_ok()).await;
    assert_eq!(client.list().await, ["t___a", "t___b"]);
}
