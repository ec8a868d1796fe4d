//! What the configuration leaves out, renames and describes anew.

use super::*;
use crate::{
    catalog::Edit,
    name::{Pattern, Selection},
};

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| Pattern::new(text)).collect()
}

fn selection(include: &[&str], exclude: &[&str]) -> Selection {
    Selection { include: patterns(include), exclude: patterns(exclude) }
}

/// New texts by own names.
fn texts(pairs: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    pairs.iter().map(|(own, text)| ((*own).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn what_is_filtered_out_is_neither_listed_nor_routed() {
    let tools = r#"[{"name":"get_a"},{"name":"get_secret"},{"name":"put_a"}]"#;
    let t = target("t", 0, &[(Kind::Tools, tools), (Kind::Prompts, r#"[{"name":"p"},{"name":"q"}]"#)]);
    let catalog = merged(
        Names::Prefixed,
        &[t.edited(|edits| {
            edits.tools.selection = selection(&["get_*"], &["*secret"]);
            edits.prompts.selection = selection(&[], &["q"]);
        })],
    );
    assert_eq!(catalog.list(Kind::Tools).json(), r#"[{"name":"t___get_a"}]"#);
    assert_eq!(catalog.list(Kind::Prompts).json(), r#"[{"name":"t___p"}]"#);
    for (kind, key) in [(Kind::Tools, "t___get_secret"), (Kind::Tools, "t___put_a"), (Kind::Prompts, "t___q")] {
        assert!(catalog.route(kind, key).is_err(), "{key}");
    }
    assert_eq!(problems(&catalog), "");
}

#[test]
fn a_renamed_entry_keeps_every_other_byte_and_its_own_name_on_its_way() {
    let tools = r#"[{ "v":1e2, "name" : "query_it", "description":"old" },{"name":"other"}]"#;
    for (names, merged_name) in [(Names::Prefixed, "t___query"), (Names::Plain, "query")] {
        let t = target("t", 0, &[(Kind::Tools, tools)]).edited(|edits| {
            edits.tools.rename = texts(&[("query_it", "query")]);
            edits.tools.describe = texts(&[("query_it", "new \"text\"")]);
            edits.tools.title = texts(&[("query_it", "Query")]);
        });
        let catalog = merged(names, &[t]);
        let first = format!(r#"{{ "v":1e2, "name" : "{merged_name}", "description":"new \"text\"","title":"Query" }}"#);
        let list = String::from_utf8(catalog.list(Kind::Tools).json().to_vec()).unwrap();
        assert!(list.starts_with(&format!("[{first},")), "{list}");
        assert_eq!(paths(&catalog, Kind::Tools, merged_name), "t:query_it");
        assert!(catalog.route(Kind::Tools, &merged_name.replace("query", "query_it")).is_err());
        assert_eq!(problems(&catalog), "");
    }
}

#[test]
fn a_description_alone_leaves_the_name() {
    let t = target("t", 0, &[(Kind::Tools, r#"[{"name":"a"},{"description":"x","name":"b"}]"#)]);
    let catalog = merged(Names::Plain, &[t.edited(|edits| edits.tools.describe = texts(&[("a", "A."), ("b", "B.")]))]);
    let expected = r#"[{"name":"a","description":"A."},{"description":"B.","name":"b"}]"#;
    assert_eq!(catalog.list(Kind::Tools).json(), expected);
}

#[test]
fn of_a_gateways_names_what_follows_the_target_is_renamed() {
    let far = r#"[{"name":"calc___add_two_numbers"},{"name":"search"}]"#;
    let far = target("far", 0, &[(Kind::Tools, far)]).backed_by(&["calc"]).edited(|edits| {
        edits.tools.rename = texts(&[("calc___add_two_numbers", "add"), ("search", "find")]);
    });
    let calc = target("calc", 0, &[(Kind::Tools, r#"[{"name":"add_two_numbers"}]"#)])
        .edited(|edits| edits.tools.rename = texts(&[("add_two_numbers", "add")]));
    let catalog = merged(Names::Prefixed, &[far, calc]);
    assert_eq!(catalog.list(Kind::Tools).json(), r#"[{"name":"calc___add"},{"name":"find"}]"#);
    assert_eq!(paths(&catalog, Kind::Tools, "calc___add"), "far:calc___add_two_numbers calc:add_two_numbers");
}

#[test]
fn a_name_that_the_target_has_itself_is_not_taken_from_it() {
    let renamed = |rename: &[(&str, &str)], exclude: &[&str]| {
        let t = target("t", 0, &[(Kind::Tools, r#"[{"name":"a"},{"name":"b"},{"name":"c"}]"#)]);
        let catalog = merged(
            Names::Plain,
            &[t.edited(|edits| {
                edits.tools.rename = texts(rename);
                edits.tools.selection = selection(&[], exclude);
            })],
        );
        let routes = ["a", "b", "c", "d"].map(|name| match catalog.route(Kind::Tools, name) {
            Ok(route) => route.first().name.to_string(),
            Err(_) => "-".into(),
        });
        (routes.join(" "), problems(&catalog))
    };
    assert_eq!(renamed(&[("a", "b"), ("b", "a")], &[]), ("b a c -".into(), String::new()), "they change places");
    assert_eq!(renamed(&[("a", "b")], &["b"]), ("- a c -".into(), String::new()), "nobody else is called so");
    assert_eq!(renamed(&[("a", "a")], &[]), ("a b c -".into(), String::new()));
    let (routes, problems) = renamed(&[("a", "b"), ("c", "a")], &[]);
    assert_eq!(routes, "a b c -", "one that stays is in the way of the next");
    insta::assert_snapshot!(problems, @"
    target `t` lists a tool that is called `b` already: `a` keeps its name; rename it to something else, or exclude or rename the other
    target `t` lists a tool that is called `a` already: `c` keeps its name; rename it to something else, or exclude or rename the other
    ");
}

#[test]
fn a_setting_that_names_nothing_is_a_problem_once_the_target_was_listed() {
    let edits = |edits: &mut Edits| {
        edits.tools = Edit {
            selection: selection(&["a*"], &["secret"]),
            rename: texts(&[("gone", "x")]),
            title: texts(&[("a", "A")]),
            describe: texts(&[("gone", "y")]),
        };
        edits.prompts.selection = selection(&["p"], &["*"]);
        edits.resources = selection(&["x://1", "y://*"], &["z://*"]);
    };
    assert_eq!(problems(&merged(Names::Prefixed, &[target("t", 0, &[]).edited(edits)])), "");
    let t = target("t", 0, &[(Kind::Tools, r#"[{"name":"a"}]"#), (Kind::Prompts, "[]")]).edited(edits);
    insta::assert_snapshot!(problems(&merged(Names::Prefixed, &[t])), @"
    `tools.exclude` of target `t` says `secret`, and the target lists no such tool: correct it, or take it out
    `tools.rename` of target `t` says `gone`, and the target lists no such tool: correct it, or take it out
    `tools.describe` of target `t` says `gone`, and the target lists no such tool: correct it, or take it out
    `prompts.include` of target `t` says `p`, and the target lists no such prompt: correct it, or take it out
    ");
    let resources = [(Kind::Resources, r#"[{"uri":"x://1"}]"#), (Kind::Templates, r#"[{"uriTemplate":"y://{i}"}]"#)];
    let catalog = merged(Names::Prefixed, &[target("t", 0, &resources).edited(edits)]);
    insta::assert_snapshot!(problems(&catalog), @"`resources.exclude` of target `t` says `z://*`, and the target lists no such resource: correct it, or take it out");
    assert!(catalog.problems()[0].is_intended(), "it may know more than it lists");
}

#[test]
fn a_resource_that_is_held_back_is_read_from_nobody_who_holds_it_back() {
    let lists = [
        (Kind::Resources, r#"[{"uri":"x://open"},{"uri":"x://secret"}]"#),
        (Kind::Templates, r#"[{"uriTemplate":"x://t/{id}"}]"#),
    ];
    let one = || target("one", 0, &lists).edited(|edits| edits.resources = selection(&[], &["*secret*"]));
    let catalog = merged(Names::Prefixed, &[one()]);
    assert_eq!(catalog.list(Kind::Resources).json(), r#"[{"uri":"x://open"}]"#);
    for uri in ["x://secret", "x://t/secret", "x://t/%73ecret", "other://secret"] {
        assert_eq!(readers(&catalog, uri), [], "{uri}");
        assert!(catalog.reference(uri).is_err(), "{uri}");
    }
    assert_eq!(readers(&catalog, "x://t/1"), [("one".into(), Because::Template)]);
    assert_eq!(readers(&catalog, "other://1"), [("one".into(), Because::Guess)]);
    assert!(catalog.reference("x://t/{id}").is_ok());
    // Another target may give what this one does not.
    let two = target("two", 1000, &[(Kind::Resources, r#"[{"uri":"x://secret"}]"#)]);
    let catalog = merged(Names::Prefixed, &[one(), two]);
    assert_eq!(readers(&catalog, "x://secret"), [("two".into(), Because::Listed)]);
    assert_eq!(readers(&catalog, "x://t/secret"), [("two".into(), Because::Guess)]);
    assert_eq!(problems(&catalog), "");
}

#[test]
fn who_stands_by_serves_no_more_than_its_own_settings_let_through() {
    let gateway = || {
        let tools = r#"[{"name":"calc___add"},{"name":"calc___sub"}]"#;
        let resources = [(Kind::Tools, tools), (Kind::Resources, "[]")];
        target("far", 0, &resources).backed_by(&["calc"])
    };
    let calc = target("calc", 0, &[(Kind::Tools, r#"[{"name":"add"},{"name":"sub"}]"#), (Kind::Resources, "[]")]);
    let calc = calc.edited(|edits| {
        edits.tools.selection = selection(&["add"], &[]);
        edits.resources = selection(&["x://*"], &[]);
    });
    let catalog = merged(Names::Prefixed, &[gateway(), calc]);
    assert_eq!(paths(&catalog, Kind::Tools, "calc___add"), "far:calc___add calc:add");
    assert_eq!(paths(&catalog, Kind::Tools, "calc___sub"), "far:calc___sub");
    assert_eq!(readers(&catalog, "x://1"), [("far calc".into(), Because::Guess)]);
    assert_eq!(readers(&catalog, "y://1"), [("far".into(), Because::Guess)]);
}

#[test]
fn places_may_differ_in_what_does_not_count() {
    let tools = |tools: &'static str| [(Kind::Tools, tools)];
    let t = target("t", 0, &tools(r#"[{"name":"a"}]"#)).and_at(&tools(r#"[{"name":"a"},{"name":"debug"}]"#));
    let t = t.edited(|edits| edits.tools.selection = selection(&[], &["debug"]));
    let catalog = merged(Names::Prefixed, &[t]);
    assert!(!catalog.problems().iter().any(|problem| matches!(problem, Problem::Uneven { .. })));
}
