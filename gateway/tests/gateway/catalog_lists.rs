//! The merged lists as clients see them: of all four kinds, in pages, with hints about their freshness, never asking a
//! target.

use std::time::Duration;

use causeway_core::catalog::{Kind, Names, Paging};
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    fake_target::{Speaks, status},
    harness::Gateway,
    offering::{ERAS, Offering},
};

/// Two tools, a prompt, a resource and a template, with members that no typed reader would keep.
const LISTS: [(Kind, &str); 4] = [
    (Kind::Tools, r#"[{"name":"x","v":1e2},{ "name" : "y" }]"#),
    (Kind::Prompts, r#"[{"title":"P","name":"x","arguments":[{"name":"a"}]}]"#),
    (Kind::Resources, r#"[{"uri":"both://x","name":"n","size":12345678901234567890123}]"#),
    (Kind::Templates, r#"[{"uriTemplate":"both://{id}/é","name":"t"}]"#),
];

/// The keys of a list that is one page.
async fn keys(caller: &Caller, kind: Kind) -> Vec<String> {
    pages(caller, kind).await.concat()
}

/// The keys of each page of a list.
async fn pages(caller: &Caller, kind: Kind) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut params = json!({});
    loop {
        let result = caller.request(kind.method(), params).await.result();
        let entries = result[kind.member()].as_array().unwrap_or_else(|| panic!("{result}"));
        pages.push(entries.iter().map(|entry| entry[kind.key()].as_str().unwrap().to_owned()).collect());
        match &result["nextCursor"] {
            Value::Null => return pages,
            cursor => params = json!({ "cursor": cursor }),
        }
    }
}

#[tokio::test]
async fn entries_of_all_kinds_pass_as_they_are_but_for_names() {
    for speaks in ERAS {
        let one = Offering::start("one", speaks, &LISTS);
        let gateway = Gateway::start([one.target()]).await;
        let (legacy, modern) = (gateway.caller("alice").in_session().await, gateway.caller("alice").modern());
        let mut texts = Vec::new();
        for kind in Kind::ALL {
            let text = legacy.request(kind.method(), json!({})).await.text().to_owned();
            let result = text.strip_prefix(r#"{"jsonrpc":"2.0","id":1,"result":{"#).unwrap().trim_end_matches('}');
            let of_modern = modern.request(kind.method(), json!({})).await;
            assert!(of_modern.text().contains(result), "{of_modern:?}");
            texts.push(text);
        }
        insta::allow_duplicates! {
            insta::assert_snapshot!(texts.join("\n"), @r#"
            {"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"one___x","v":1e2},{ "name" : "one___y" }]}}
            {"jsonrpc":"2.0","id":1,"result":{"prompts":[{"title":"P","name":"one___x","arguments":[{"name":"a"}]}]}}
            {"jsonrpc":"2.0","id":1,"result":{"resources":[{"uri":"both://x","name":"n","size":12345678901234567890123}]}}
            {"jsonrpc":"2.0","id":1,"result":{"resourceTemplates":[{"uriTemplate":"both://{id}/é","name":"t"}]}}
            "#);
        }
    }
}

#[tokio::test]
async fn targets_stand_in_config_order_and_one_uri_once() {
    let (one, two) = (Offering::start("one", Speaks::Modern, &LISTS), Offering::start("two", Speaks::Sessions, &LISTS));
    two.list(Kind::Resources, r#"[{"uri":"two://x"},{"uri":"both://x"}]"#);
    let gateway = Gateway::start([two.of_priority(7), one.of_priority(6)]).await;
    let alice = gateway.caller("alice");
    assert_eq!(keys(&alice, Kind::Tools).await, ["two___x", "two___y", "one___x", "one___y"]);
    assert_eq!(keys(&alice, Kind::Prompts).await, ["two___x", "one___x"]);
    assert_eq!(keys(&alice, Kind::Resources).await, ["two://x", "both://x"]);
    assert_eq!(keys(&alice, Kind::Templates).await, ["both://{id}/é"]);
    let entry = alice.request("resources/list", json!({})).await.result();
    assert_eq!(entry["resources"][1]["name"], "n", "that of the target with the lower number");
}

#[tokio::test]
async fn plain_names_are_those_of_the_target_and_the_first_of_two_stays() {
    let (one, two) = (Offering::start("one", Speaks::Modern, &LISTS), Offering::start("two", Speaks::Sessions, &LISTS));
    two.list(Kind::Tools, r#"[{"name":"y"},{"name":"z"}]"#);
    let targets = [one.target(), two.target()];
    let gateway = Gateway::start_with(targets, |config| config.gateway.names = Names::Plain).await;
    let alice = gateway.caller("alice");
    assert_eq!(keys(&alice, Kind::Tools).await, ["x", "y", "z"]);
    assert_eq!(alice.request("prompts/get", json!({"name": "x"})).await.result()["of"], "one");
    let view = gateway.view_where(|view| view.is_complete()).await;
    let problems: Vec<String> = view.catalog.problems().iter().map(ToString::to_string).collect();
    let named = |text: &str| text.starts_with("targets `one` and `two` both list the tool `y`: ");
    assert!(problems.iter().any(|text| named(text) && text.contains("`gateway.names = \"prefixed\"`")), "{problems:?}");
}

#[tokio::test]
async fn lists_come_in_pages_where_the_config_wants_it() {
    let targets = || async {
        let lists = |name, tools| Offering::start(name, Speaks::Modern, &[(Kind::Tools, tools)]);
        [
            lists("a", r#"[{"name":"1"},{"name":"2"},{"name":"3"}]"#),
            lists("b", "[]"),
            lists("c", r#"[{"name":"4"},{"name":"5"}]"#),
        ]
    };
    for (paging, expected) in [
        (Paging::Whole, &[&["a___1", "a___2", "a___3", "c___4", "c___5"][..]][..]),
        (Paging::Target, &[&["a___1", "a___2", "a___3"], &["c___4", "c___5"]]),
        (Paging::Entries(2), &[&["a___1", "a___2"], &["a___3", "c___4"], &["c___5"]]),
    ] {
        let targets = targets().await;
        let all: Vec<_> = targets.iter().map(Offering::target).collect();
        let gateway = Gateway::start_with(all, |config| config.gateway.paging = paging).await;
        for alice in [gateway.caller("alice"), gateway.caller("alice").modern()] {
            assert_eq!(pages(&alice, Kind::Tools).await, expected, "{paging:?}");
            assert_eq!(pages(&alice, Kind::Prompts).await, [[""; 0]], "an empty list is a page");
        }
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_caller_its_list_and_its_time() {
    let one = Offering::start("one", Speaks::Modern, &LISTS);
    one.list(Kind::Prompts, r#"[{"name":"x"},{"name":"y"}]"#);
    one.list(Kind::Tools, r#"[{"name":"x"},{"name":"y"}]"#);
    let gateway = Gateway::start_with([one.target()], |config| {
        config.gateway.paging = Paging::Entries(1);
        config.limits.refresh = Duration::from_millis(50);
    })
    .await;
    let alice = gateway.caller("alice");
    let first = alice.request("tools/list", json!({})).await.result();
    let cursor = json!({"cursor": first["nextCursor"]});
    let second = alice.request("tools/list", cursor.clone()).await.result();
    assert_eq!((&second["tools"][0]["name"], second.get("nextCursor")), (&json!("one___y"), None));
    for (caller, method) in [(&gateway.caller("bob"), "tools/list"), (&alice, "prompts/list")] {
        assert_eq!(caller.request(method, cursor.clone()).await.refusal(), (200, -32602));
    }
    for nonsense in [json!(""), json!("x"), json!(7)] {
        let modern = alice.clone().modern().request("tools/list", json!({"cursor": nonsense})).await;
        assert_eq!(modern.refusal(), (400, -32602), "{nonsense}");
    }
    one.list(Kind::Tools, r#"[{"name":"w"},{"name":"x"},{"name":"y"}]"#);
    gateway.view_where(|view| view.catalog.route(Kind::Tools, "one___w").is_ok()).await;
    let changed = alice.request("tools/list", cursor.clone()).await.result();
    assert_eq!(changed["tools"][0]["name"], "one___y", "it goes on after `x`, which the page before ended with");
    one.list(Kind::Tools, r#"[{"name":"v"},{"name":"x"}]"#);
    gateway.view_where(|view| view.catalog.route(Kind::Tools, "one___v").is_ok()).await;
    let ended = alice.request("tools/list", cursor.clone()).await.result();
    assert_eq!((&ended["tools"], ended.get("nextCursor")), (&json!([]), None));
    one.list(Kind::Tools, r#"[{"name":"v"},{"name":"y"}]"#);
    gateway.view_where(|view| view.catalog.route(Kind::Tools, "one___x").is_err()).await;
    let changed = alice.request("tools/list", cursor).await;
    insta::assert_snapshot!(changed.text(), @r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`cursor` is unknown, or out of date because the list has changed: list anew, without a cursor"}}"#);
    let first = alice.request("tools/list", json!({})).await.result();
    gateway.clock.advance(Duration::from_secs(3600));
    let alice = gateway.caller("alice");
    let expired = alice.request("tools/list", json!({"cursor": first["nextCursor"]})).await;
    assert_eq!(expired.refusal(), (200, -32602));
}

#[tokio::test]
async fn a_list_is_as_fresh_and_as_public_as_the_least_of_its_parts() {
    let (one, two) = (Offering::start("one", Speaks::Modern, &LISTS), Offering::start("two", Speaks::Sessions, &LISTS));
    one.list_with(Kind::Tools, "[]", r#","ttlMs":5000,"cacheScope":"private""#);
    one.list_with(Kind::Prompts, "[]", r#","ttlMs":9000000,"cacheScope":"public""#);
    let gateway = Gateway::start([one.target(), two.target()]).await;
    let alice = gateway.caller("alice").modern();
    let hints = async |kind: Kind| {
        let result = alice.request(kind.method(), json!({})).await.result();
        (result["ttlMs"].clone(), result["cacheScope"].clone())
    };
    assert_eq!(hints(Kind::Tools).await, (json!(5000), json!("private")));
    assert_eq!(hints(Kind::Prompts).await, (json!(10000), json!("public")));
    assert_eq!(hints(Kind::Resources).await, (json!(10000), json!("public")));
    let legacy = gateway.caller("alice").request("tools/list", json!({})).await.result();
    assert_eq!((legacy.get("ttlMs"), legacy.get("cacheScope")), (None, None), "an older client knows no hints");
}

#[tokio::test]
async fn a_list_asks_no_target() {
    let mut one = Offering::start("one", Speaks::Modern, &LISTS);
    let gateway = Gateway::start([one.target()]).await;
    one.fake.down();
    let alice = gateway.caller("alice");
    for kind in Kind::ALL {
        assert!(!keys(&alice, kind).await.is_empty(), "{kind}");
    }
    for kind in Kind::ALL {
        assert_eq!(one.fake.asked(kind.method()).len(), 1, "{kind}");
    }
}

#[tokio::test]
async fn a_target_is_asked_for_what_it_declares_and_a_list_that_it_lacks_is_empty() {
    for speaks in ERAS {
        let tools = Offering::start("tools", speaks, &LISTS[..1]);
        // Declares resources and knows no templates.
        let files = Offering::start("files", speaks, &LISTS[2..3]);
        // Declares nothing, and has a prompt and tools.
        let silent = Offering::start("silent", speaks, &LISTS[..2]);
        silent.fake.describe(r#""capabilities":{}"#);
        let gateway = Gateway::start([tools.target(), files.target(), silent.target()]).await;
        for name in ["tools", "files", "silent"] {
            let state = gateway.target_where(name, |state| state.tried).await;
            assert_eq!(state.error_text(), None, "{speaks:?}");
        }
        let asked = |target: &Offering| Kind::ALL.map(|kind| target.fake.asked(kind.method()).len());
        assert_eq!((asked(&tools), asked(&files), asked(&silent)), ([1, 0, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]));
        let alice = gateway.caller("alice");
        assert_eq!(keys(&alice, Kind::Tools).await, ["tools___x", "tools___y", "silent___x", "silent___y"]);
        assert_eq!(keys(&alice, Kind::Prompts).await, ["silent___x"]);
        assert_eq!(keys(&alice, Kind::Resources).await, ["both://x"]);
    }
}

#[tokio::test]
async fn a_list_that_fails_hides_no_other_and_keeps_what_it_was() {
    let one = Offering::start("one", Speaks::Modern, &LISTS);
    one.fake.on("prompts/list", |asked| async move { crate::fake_target::error(200, &asked.id, -32603, "broken") });
    let gateway = Gateway::start_with([one.target()], |config| config.limits.refresh = Duration::from_millis(50)).await;
    let alice = gateway.caller("alice");
    let state = gateway.target_where("one", |state| state.error.is_some()).await;
    assert_eq!(state.error_text().unwrap(), "target `one` refused: broken (-32603)");
    assert_eq!((state.count(Kind::Prompts), state.count(Kind::Templates), state.listed), (None, Some(1), None));
    assert_eq!(keys(&alice, Kind::Tools).await, ["one___x", "one___y"]);
    one.list(Kind::Prompts, r#"[{"name":"p"}]"#);
    let state = gateway.target_where("one", |state| state.error.is_none()).await;
    assert_eq!(state.listed, Some(gateway.clock.now()));
    one.fake.on("prompts/list", |_| async { status(500) });
    one.list(Kind::Tools, r#"[{"name":"new"}]"#);
    gateway.target_where("one", |state| state.error.is_some() && state.count(Kind::Tools) == Some(1)).await;
    assert_eq!(keys(&alice, Kind::Tools).await, ["one___new"]);
    assert_eq!(keys(&alice, Kind::Prompts).await, ["one___p"]);
}
