//! Lists of several targets, and what clients get of them.

use proptest::prelude::*;

use super::{
    super::{Because, Reader},
    *,
};
use crate::{
    catalog::{Edit, Page},
    name::{Audience, Pattern, Profile, Selection},
};

struct Target {
    name: TargetName,
    priority: u16,
    /// Set for a gateway.
    standby: Option<Vec<TargetName>>,
    edits: Edits,
    lists: Lists,
    places: Vec<Lists>,
}

impl Target {
    /// The same with these changes to what it lists.
    fn edited(self, change: impl FnOnce(&mut Edits)) -> Self {
        let mut edits = Edits::default();
        change(&mut edits);
        Self { edits, ..self }
    }

    /// The same as a gateway that these targets stand by for.
    fn backed_by(self, standby: &[&str]) -> Self {
        Self { standby: Some(standby.iter().map(|name| name.parse().unwrap()).collect()), ..self }
    }

    /// The same, also in a further place, where it lists this.
    fn and_at(mut self, listed: &[(Kind, &str)]) -> Self {
        if self.places.is_empty() {
            self.places.push(self.lists.clone());
        }
        self.places.push(target("t", 0, listed).lists);
        self
    }
}

/// A target that lists these JSON arrays.
fn target(name: &str, priority: u16, listed: &[(Kind, &str)]) -> Target {
    let mut lists = Lists::default();
    for (kind, list) in listed {
        let page = Page::parse(*kind, &format!(r#"{{"{}":{list}}}"#, kind.member())).unwrap();
        lists[*kind] = Some([page].into());
    }
    let (standby, edits, places) = Default::default();
    Target { name: name.parse().unwrap(), priority, standby, edits, lists, places }
}

fn merged(naming: impl Into<Naming>, targets: &[Target]) -> Catalog {
    let offers: Vec<Offer<'_>> = targets
        .iter()
        .map(|Target { name, priority, standby, edits, lists, places }| Offer {
            target: name,
            resource_priority: *priority,
            has_resources: lists[Kind::Resources].is_some() || lists[Kind::Templates].is_some(),
            is_gateway: standby.is_some(),
            standby: standby.as_deref().unwrap_or_default(),
            edits,
            lists,
            places,
        })
        .collect();
    merge(naming, &offers)
}

fn problems(catalog: &Catalog) -> String {
    let lines: Vec<String> = catalog.problems().iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn readers(catalog: &Catalog, uri: &str) -> Vec<(String, Because)> {
    let readers = catalog.readers(uri).into_iter();
    let names = |targets: Vec<TargetName>| targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    readers.map(|Reader { targets, because }| (names(targets), because)).collect()
}

#[test]
fn lists_are_joined_in_order_and_only_names_change() {
    for kind in [Kind::Tools, Kind::Prompts] {
        let b = target("b", 0, &[(kind, r#"[{"name":"z","execution":{"vendor":0.1}},{"name":"y"}]"#)]);
        let a = target("a", 0, &[(kind, r#"[{ "title":"T","name" : "x___y" }]"#)]);
        let catalog = merged(Names::Prefixed, &[b, a]);
        assert_eq!(
            catalog.list(kind).json(),
            r#"[{"name":"b___z","execution":{"vendor":0.1}},{"name":"b___y"},{ "title":"T","name" : "a___x___y" }]"#
        );
        let (name, header_params) = ("x___y".into(), HeaderParams::default());
        let path = Path { target: "a".parse().unwrap(), name, header_params, wants_task: false };
        let route = Route { paths: vec![path], repeatable: kind == Kind::Prompts };
        assert_eq!(catalog.route(kind, "a___x___y"), Ok(&route));
        assert_eq!(catalog.route(kind, "b___x").unwrap_err().to_string(), format!("Unknown {kind}: b___x"));
        assert_eq!(catalog.list(kind).len(), 3);
    }
}

#[test]
fn what_is_left_out_is_said() {
    let tools = r#"[{"name":"a","v":1},{"name":"a","v":2},{}]"#;
    let templates = r#"[{"uriTemplate":"x://{"},{"uri":"x"}]"#;
    let catalog = merged(Names::Prefixed, &[target("t", 0, &[(Kind::Tools, tools), (Kind::Templates, templates)])]);
    assert_eq!(catalog.list(Kind::Tools).json(), r#"[{"name":"t___a","v":1}]"#);
    assert_eq!(catalog.list(Kind::Templates).json(), r#"[{"uriTemplate":"x://{"}]"#);
    insta::assert_snapshot!(problems(&catalog), @"
    target `t` lists a tool without a `name`: it is left out
    target `t` lists the tool `a` more than once: the first one counts
    target `t` lists a resource template without a `uriTemplate`: it is left out
    target `t` lists `x://{`, which is no URI template: no URI is routed by it
    ");
}

#[test]
fn a_tool_with_invalid_headers_stays_and_is_said() {
    let tools = r#"[{"name":"good","inputSchema":{"properties":{"r":{"type":"string","x-mcp-header":"R"}}}},{"name":"bad","inputSchema":{"properties":{"r":{"type":"string","x-mcp-header":"R"},"n":{"type":"number","x-mcp-header":"N"}}}},{"name":"plain"}]"#;
    let catalog = merged(Names::Plain, &[target("t", 0, &[(Kind::Tools, tools)])]);
    assert_eq!(catalog.list(Kind::Tools).json(), tools);
    let headers = |tool| catalog.route(Kind::Tools, tool).unwrap().first().header_params.headers(r#"{"r":"x","n":1}"#);
    assert_eq!(headers("good"), [("mcp-param-r".to_owned(), "x".to_owned())]);
    assert_eq!((headers("bad"), headers("plain")), (Vec::new(), Vec::new()));
    insta::assert_snapshot!(problems(&catalog), @"target `t` lists the tool `bad` with an invalid `x-mcp-header` (`properties/n/x-mcp-header` stands at a parameter whose `type` is neither `string` nor `integer` nor `boolean`): it is called without such headers, and clients of MCP 2026-07-28 leave it out");
    assert!(!catalog.problems().iter().any(Problem::is_intended));
}

#[test]
fn plain_names_are_those_of_the_target_and_collide() {
    let one = target("one", 0, &[(Kind::Tools, r#"[{"name": "x","v":1},{"name":"y"}]"#)]);
    let two = target("two", 0, &[(Kind::Tools, r#"[{"name":"z"},{"name":"x","v":2}]"#)]);
    let catalog = merged(Names::Plain, &[one, two]);
    assert_eq!(catalog.list(Kind::Tools).json(), r#"[{"name": "x","v":1},{"name":"y"},{"name":"z"}]"#);
    let route = |name| catalog.route(Kind::Tools, name).unwrap().first().target.to_string();
    assert_eq!((route("x"), route("z")), ("one".into(), "two".into()));
    insta::assert_snapshot!(problems(&catalog), @r#"targets `one` and `two` both list the tool `x`: that of `one` counts, that of `two` is left out; set `gateway.names = "prefixed"` to have both, or take it out of one of the two"#);
}

/// The paths of a route: targets and the names that they know.
fn paths(catalog: &Catalog, kind: Kind, key: &str) -> String {
    let paths = catalog.route(kind, key).unwrap().paths.iter();
    paths.map(|path| format!("{}:{}", path.target, path.name)).collect::<Vec<_>>().join(" ")
}

#[test]
fn who_stands_by_for_a_gateway_serves_the_same_names() {
    let far = r#"[{"name":"search"},{"name":"calc___add","at":"far"},{"name":"hello___greet","at":"far"},{"name":"calc___far"}]"#;
    for (names, standby_first) in [(Names::Prefixed, false), (Names::Plain, false), (Names::Prefixed, true)] {
        let calc = target("calc", 0, &[(Kind::Tools, r#"[{"name":"add","at":"near"},{"name":"near"}]"#)]);
        let hello = target("hello", 0, &[(Kind::Tools, r#"[{"name":"greet","at":"near"}]"#)]);
        let gateway = target("far", 0, &[(Kind::Tools, far)]).backed_by(&["hello", "calc"]);
        let all = if standby_first { [calc, hello, gateway] } else { [gateway, calc, hello] };
        let catalog = merged(names, &all);
        let near = r#"{"name":"calc___near"}"#;
        let far = &far[1..far.len() - 1];
        let expected = if standby_first { format!("[{near},{far}]") } else { format!("[{far},{near}]") };
        assert_eq!(catalog.list(Kind::Tools).json(), expected.as_str());
        let paths = |key| paths(&catalog, Kind::Tools, key);
        assert_eq!(
            (paths("calc___add"), paths("hello___greet")),
            ("far:calc___add calc:add".into(), "far:hello___greet hello:greet".into())
        );
        assert_eq!(
            (paths("calc___far"), paths("calc___near"), paths("search")),
            ("far:calc___far".into(), "calc:near".into(), "far:search".into())
        );
        assert_eq!(problems(&catalog), "");
    }
}

#[test]
fn a_gateway_that_lists_nothing_yet_is_stood_in_for() {
    let gateway = target("far", 0, &[]).backed_by(&["calc"]);
    let catalog = merged(Names::Plain, &[gateway, target("calc", 0, &[(Kind::Tools, r#"[{"name":"add"}]"#)])]);
    assert_eq!(catalog.list(Kind::Tools).json(), r#"[{"name":"calc___add"}]"#);
    assert_eq!(paths(&catalog, Kind::Tools, "calc___add"), "calc:add");
}

#[test]
fn gateways_stand_by_for_each_other_under_their_own_names() {
    let far = || target("far", 0, &[(Kind::Tools, r#"[{"name":"c___a"},{"name":"s"}]"#)]);
    let farther = target("farther", 0, &[(Kind::Tools, r#"[{"name":"c___a"}]"#)]).backed_by(&[]);
    let catalog = merged(
        Names::Prefixed,
        &[far().backed_by(&["farther", "c"]), farther, target("c", 0, &[(Kind::Tools, r#"[{"name":"a"}]"#)])],
    );
    assert_eq!(paths(&catalog, Kind::Tools, "c___a"), "far:c___a farther:c___a c:a");
    assert_eq!(catalog.list(Kind::Tools).json(), r#"[{"name":"c___a"},{"name":"s"}]"#);
}

#[test]
fn a_gateway_and_a_stranger_of_one_name_are_said() {
    let gateway = || target("far", 0, &[(Kind::Tools, r#"[{"name":"calc___add"}]"#)]).backed_by(&[]);
    let calc = || target("calc", 0, &[(Kind::Tools, r#"[{"name":"add"}]"#)]);
    let first = merged(Names::Prefixed, &[gateway(), calc()]);
    assert_eq!(paths(&first, Kind::Tools, "calc___add"), "far:calc___add");
    insta::assert_snapshot!(problems(&first), @"targets `far` and `calc` both offer the tool `calc___add`, because a gateway's names stay as they are: that of `far` counts, that of `calc` is left out; if it is the same tool, name the one target in the `standby` of the other, else rename one of them");
    let second = merged(Names::Prefixed, &[calc(), gateway()]);
    assert_eq!(paths(&second, Kind::Tools, "calc___add"), "calc:add");
    assert!(!second.problems()[0].is_intended());
}

#[test]
fn resources_go_to_the_gateway_first_and_to_who_stands_by_for_it_next() {
    let both = &[(Kind::Resources, r#"[{"uri":"x://1"}]"#), (Kind::Templates, r#"[{"uriTemplate":"x://t/{id}"}]"#)][..];
    let gateway = target("far", 1000, both).backed_by(&["calc"]);
    // Its priority says nothing here: it stands by.
    let catalog =
        merged(Names::Prefixed, &[target("calc", 1, both), gateway, target("other", 500, &[(Kind::Resources, "[]")])]);
    assert_eq!(problems(&catalog), "");
    assert_eq!(readers(&catalog, "x://1"), [("far calc".into(), Because::Listed)]);
    let guess = ("other".to_owned(), Because::Guess);
    assert_eq!(readers(&catalog, "x://t/7"), [("far calc".to_owned(), Because::Template), guess.clone()]);
    assert_eq!(readers(&catalog, "y:"), [guess, ("far calc".to_owned(), Because::Guess)]);
}

#[test]
fn a_tool_is_repeatable_if_it_says_so() {
    let check = |annotations: &str, expected| {
        let tools = format!(r#"[{{"name":"x"{annotations}}}]"#);
        let catalog = merged(Names::Plain, &[target("t", 0, &[(Kind::Tools, &tools)])]);
        assert_eq!(catalog.route(Kind::Tools, "x").unwrap().repeatable, expected, "{annotations}");
    };
    check("", false);
    check(r#","annotations":{}"#, false);
    check(r#","annotations":null"#, false);
    check(r#","annotations":{"readOnlyHint":false,"idempotentHint":"true","destructiveHint":false}"#, false);
    check(r#","annotations":{"readOnlyHint": true}"#, true);
    check(r#","annotations":{"readOnlyHint":false,"idempotentHint":true}"#, true);
}

const SAFE: &str = r#"[{"name":"x","annotations":{"readOnlyHint":true}}]"#;

/// A call goes on to another path as it is: it must be safe there too.
#[test]
fn a_tool_is_repeatable_if_it_says_so_on_every_path() {
    let there = |tools: &'static str| [(Kind::Tools, tools)];
    let says = |targets: &[Target]| merged(Names::Prefixed, targets).route(Kind::Tools, "t___x").unwrap().repeatable;
    for (second, expected) in [(SAFE, true), (r#"[{"name":"x"}]"#, false), ("[]", true)] {
        assert_eq!(says(&[target("t", 0, &there(SAFE)).and_at(&there(second))]), expected, "{second}");
        let far = r#"[{"name":"t___x","annotations":{"idempotentHint":true}}]"#;
        let far = target("far", 0, &there(far)).backed_by(&["t"]);
        assert_eq!(says(&[far, target("t", 0, &there(second))]), expected, "{second}");
    }
}

#[test]
fn places_that_do_not_list_the_same_are_a_problem() {
    let tools = |tools: &'static str| [(Kind::Tools, tools)];
    let one = || target("t", 0, &tools(r#"[{"name":"a"},{"name":"b"},{"name":"c"}]"#));
    assert_eq!(problems(&merged(Names::Prefixed, &[one().and_at(&[])])), "", "one that never gave a list");
    let same = one().and_at(&tools(r#"[{"name":"c"},{"name":"b","more":1},{"name":"a"}]"#));
    assert_eq!(problems(&merged(Names::Prefixed, &[same])), "");
    let other = one().and_at(&tools(r#"[{"name":"a"},{"name":"d"}]"#));
    insta::assert_snapshot!(problems(&merged(Names::Prefixed, &[other])), @"the endpoints of target `t` do not list the same: 3 of a kind (tool), such as `b`, are not at all of them and fail where they are not; serve the same everywhere");
}

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

const LONG: &str = "query_cloudwatch_insights_of_all_accounts";

fn shortening(most: usize) -> Naming {
    Naming { names: Names::Prefixed, shorten: Some(Fit { most }) }
}

#[test]
fn a_long_name_is_listed_short_and_goes_by_both() {
    let tools = format!(r#"[{{"name":"{LONG}"}},{{"name":"ok"}},{{"name":"a.b"}}]"#);
    let t = || target("t", 0, &[(Kind::Tools, &tools), (Kind::Prompts, &tools)]);
    let catalog = merged(shortening(30), &[t()]);
    let expected = r#"[{"name":"t___query_cloudwatch_2ol5bgqg"},{"name":"t___ok"},{"name":"t___a_b_wcvtqjnt"}]"#;
    assert_eq!(catalog.list(Kind::Tools).json(), expected);
    for name in ["t___query_cloudwatch_2ol5bgqg", &format!("t___{LONG}")] {
        assert_eq!(paths(&catalog, Kind::Tools, name), format!("t:{LONG}"));
    }
    assert_eq!(paths(&catalog, Kind::Tools, "t___a_b_wcvtqjnt"), "t:a.b");
    // Only tools have budgets.
    assert!(String::from_utf8_lossy(catalog.list(Kind::Prompts).json()).contains(LONG));
    // The same beside others, and in another order.
    let others = r#"[{"name":"x"},{"name":"query_cloudwatch_insights_of_one_account_alone"}]"#;
    let catalog = merged(shortening(30), &[target("a", 0, &[(Kind::Tools, others)]), t()]);
    assert_eq!(paths(&catalog, Kind::Tools, "t___query_cloudwatch_2ol5bgqg"), format!("t:{LONG}"));
    assert_eq!(problems(&catalog), "");
}

#[test]
fn a_short_name_that_is_anothers_is_left_to_it() {
    let tools = format!(r#"[{{"name":"{LONG}"}},{{"name":"query_cloudwatch_2ol5bgqg"}}]"#);
    let catalog = merged(shortening(30), &[target("t", 0, &[(Kind::Tools, &tools)])]);
    let expected = format!(r#"[{{"name":"t___{LONG}"}},{{"name":"t___query_cloudwatch_2ol5bgqg"}}]"#);
    assert_eq!(catalog.list(Kind::Tools).json(), expected.as_str());
    assert_eq!(paths(&catalog, Kind::Tools, "t___query_cloudwatch_2ol5bgqg"), "t:query_cloudwatch_2ol5bgqg");
    insta::assert_snapshot!(problems(&catalog), @"the tool `t___query_cloudwatch_insights_of_all_accounts` of target `t` is listed under its long name, because `t___query_cloudwatch_2ol5bgqg`, which would be short for it, is the name of another; rename one of the two");
}

#[test]
fn clients_say_what_they_will_not_take() {
    let tools = format!(r#"[{{"name":"{LONG}","description":"d"}},{{"name":"a.b"}},{{"name":"ok","description":""}}]"#);
    let t = || target("t", 0, &[(Kind::Tools, &tools)]);
    let judged = |naming: Naming, profiles: &[Profile]| {
        let audience = Audience { server: "causeway".into(), profiles: profiles.into() };
        problems(&merged(naming, &[t()]).judged("the gateway", &audience))
    };
    insta::assert_snapshot!(judged(Names::Prefixed.into(), &[Profile::ClaudeCode, Profile::VsCode]), @"the gateway lists tools under names with characters that models refuse: `t___a.b` (7 characters, in short `t___a_b_wcvtqjnt`); with Claude Code all tools fail because of it; rename such a tool with `tools.rename` of its target, or set `clients.shorten_names = true` to have it listed short");
    let all = [Profile::ClaudeCode, Profile::Cursor, Profile::AmazonQ];
    let audience = Audience { server: "causeway-of-example".into(), profiles: all.into() };
    insta::assert_snapshot!(problems(&merged(Names::Prefixed, &[t()]).judged("the gateway", &audience)), @"
    the gateway lists tools under names that are too long: `t___query_cloudwatch_insights_of_all_accounts` (45 characters, in short `t___query_cloudwatch_insights_2ol5bgqg`); Claude Code has room for 38 after `mcp__causeway-of-example__` (the whole conversation fails), Cursor has room for 40 after `causeway-of-example` (it leaves the tool out), Amazon Q Developer has room for 44 after `causewayofexample___` (it leaves the tool out); rename such a tool with `tools.rename` of its target, or set `clients.shorten_names = true` to have it listed short
    the gateway lists tools under names with characters that models refuse: `t___a.b` (7 characters, in short `t___a_b_wcvtqjnt`); with Claude Code, Cursor all tools fail because of it; rename such a tool with `tools.rename` of its target, or set `clients.shorten_names = true` to have it listed short
    the gateway lists tools without a description: `t___a.b`, `t___ok`; Amazon Q Developer leaves them out; give them one with `tools.describe` of their targets
    ");
    let shortened = Naming { names: Names::Prefixed, shorten: audience.fit() };
    insta::assert_snapshot!(problems(&merged(shortened, &[t()]).judged("the gateway", &audience)), @"the gateway lists tools without a description: `t___a_b_wcvtqjnt`, `t___ok`; Amazon Q Developer leaves them out; give them one with `tools.describe` of their targets");
    assert_eq!(judged(Names::Prefixed.into(), &[]), "");
}

/// However many tools it is about, and wherever they come from.
#[test]
fn one_thing_that_is_wrong_is_said_once() {
    let tools: Vec<String> = (0..300).map(|at| format!(r#"{{"name":"{LONG}_{at}"}}"#)).collect();
    let both = ["t", "u"].map(|name| target(name, 0, &[(Kind::Tools, &format!("[{}]", tools.join(",")))]));
    let audience = Audience { server: "causeway".into(), profiles: vec![Profile::AmazonQ] };
    let catalog = merged(Names::Prefixed, &both).judged("toolset `ops`", &audience);
    insta::assert_snapshot!(problems(&catalog), @"toolset `ops` lists tools without a description: `t___query_cloudwatch_insights_of_all_accounts_0`, `t___query_cloudwatch_insights_of_all_accounts_1`, `t___query_cloudwatch_insights_of_all_accounts_2`, `t___query_cloudwatch_insights_of_all_accounts_3`, `t___query_cloudwatch_insights_of_all_accounts_4` and 595 more; Amazon Q Developer leaves them out; give them one with `tools.describe` of their targets");
    assert!(["t", "u"].iter().all(|name| catalog.problems()[0].concerns(&name.parse().unwrap())));
    assert!(!catalog.problems()[0].concerns(&"v".parse().unwrap()));
}

#[test]
fn more_tools_than_a_client_takes_are_a_problem_of_the_endpoint() {
    let tools = |count: usize| {
        let tools: Vec<String> = (0..count).map(|at| format!(r#"{{"name":"x{at}"}}"#)).collect();
        let t = target("t", 0, &[(Kind::Tools, &format!("[{}]", tools.join(",")))]);
        let profiles = vec![Profile::VsCode, Profile::Cursor, Profile::ClaudeCode];
        let audience = Audience { server: "causeway".into(), profiles };
        problems(&merged(Names::Prefixed, &[t]).judged("the gateway", &audience))
    };
    assert_eq!(tools(80), "");
    insta::assert_snapshot!(tools(129), @"
    the gateway lists 129 tools, and VS Code takes 128: a request with more fails; choose among them with `tools.include` and `tools.exclude` of the targets, or make `[[toolsets]]` of them
    the gateway lists 129 tools, and Cursor takes 80: it warns of more, and older versions leave them out; choose among them with `tools.include` and `tools.exclude` of the targets, or make `[[toolsets]]` of them
    ");
}

#[test]
fn of_one_uri_the_lowest_priority_serves_list_and_read() {
    let list = |v| format!(r#"[{{"uri":"x://both","v":{v}}},{{"uri":"x://{v}"}}]"#);
    let targets = |one, two| {
        let listed = |v| target(["one", "two"][v], [one, two][v], &[(Kind::Resources, &list(v))]);
        merged(Names::Prefixed, &[listed(0), listed(1)])
    };
    let catalog = targets(1000, 5);
    assert_eq!(catalog.list(Kind::Resources).json(), r#"[{"uri":"x://0"},{"uri":"x://both","v":1},{"uri":"x://1"}]"#);
    assert_eq!(readers(&catalog, "x://both"), [("two".into(), Because::Listed)]);
    insta::assert_snapshot!(problems(&catalog), @"targets `two` and `one` both list the resource `x://both`: `two` serves it, by its `resource_priority`");
    assert!(catalog.problems().iter().all(Problem::is_intended));
    let catalog = targets(7, 7);
    assert_eq!(readers(&catalog, "x://both"), [("one".into(), Because::Listed)]);
    insta::assert_snapshot!(problems(&catalog), @"targets `one` and `two` both list the resource `x://both` and have the same `resource_priority`: `one`, which comes first, serves it; give one of them a lower number to choose");
    assert!(!catalog.problems().iter().any(Problem::is_intended));
}

#[test]
fn an_unlisted_uri_goes_by_template_and_then_to_all_that_have_resources() {
    let a = target("a", 1000, &[(Kind::Templates, r#"[{"uriTemplate":"x://{+all}"},{"uriTemplate":"x://{a}/z"}]"#)]);
    let b = target("b", 1000, &[(Kind::Templates, r#"[{"uriTemplate":"x://y/{id}"},{"uriTemplate":"x://y/{id}"}]"#)]);
    let c = target("c", 3, &[(Kind::Resources, "[]")]);
    let d = target("d", 0, &[(Kind::Tools, "[]")]);
    let e = target("e", 1000, &[(Kind::Templates, r#"[{"uriTemplate":"x://y/{id}"}]"#)]);
    let catalog = merged(Names::Prefixed, &[a, b, c, d, e]);
    let (template, guess) = (Because::Template, Because::Guess);
    let all = |first: &[(&str, Because)]| -> Vec<(String, Because)> {
        first.iter().map(|(name, because)| ((*name).to_owned(), *because)).collect()
    };
    assert_eq!(readers(&catalog, "x://y/1"), all(&[("b", template), ("a", template), ("c", guess), ("e", guess)]));
    assert_eq!(readers(&catalog, "x://k/z"), all(&[("a", template), ("c", guess), ("b", guess), ("e", guess)]));
    assert_eq!(readers(&catalog, "other:"), all(&[("c", guess), ("a", guess), ("b", guess), ("e", guess)]));
    assert_eq!(catalog.reference("x://y/{id}").unwrap().first().target.as_str(), "b");
    assert_eq!(catalog.reference("x://y/7").unwrap().first().target.as_str(), "b");
    assert_eq!(&*catalog.reference("x://y/7").unwrap().first().name, "x://y/{id}");
    assert!(catalog.reference("other:").is_err());
}

#[test]
fn a_list_is_as_fresh_as_its_oldest_part_and_private_if_one_is() {
    let mut targets = ["a", "b"].map(|name| target(name, 0, &[(Kind::Tools, "[]"), (Kind::Prompts, "[]")]));
    let page = |ttl_ms, private| Page { ttl_ms, private, ..Page::default() };
    targets[0].lists[Kind::Tools] = Some([page(Some(9), false), page(None, false)].into());
    targets[1].lists[Kind::Tools] = Some([page(Some(8), true)].into());
    let catalog = merged(Names::Plain, &targets);
    let hints = |kind| (catalog.list(kind).ttl_ms(), catalog.list(kind).is_private());
    assert_eq!(hints(Kind::Tools), (Some(8), true));
    assert_eq!(hints(Kind::Prompts), (None, false));
}

proptest! {
    /// Whatever targets list, each entry of the merged lists can be asked for, and each key stands there once.
    #[test]
    fn what_is_listed_is_routed(
        targets in proptest::collection::btree_map("[a-c]", (0u16..3, proptest::collection::vec(("[p-s]", any::<bool>()), 0..5)), 0..4),
        plain: bool,
    ) {
        let targets: Vec<Target> = targets.iter().map(|(name, (priority, keys))| {
            let list = |kind: Kind| {
                let keys: Vec<String> = keys.iter().filter(|(_, in_all)| *in_all || kind == Kind::Resources)
                    .map(|(key, _)| format!(r#"{{"{}":"{key}"}}"#, kind.key())).collect();
                format!("[{}]", keys.join(","))
            };
            let lists = Kind::ALL.map(|kind| (kind, list(kind)));
            target(name, *priority, &lists.each_ref().map(|(kind, list)| (*kind, list.as_str())))
        }).collect();
        let catalog = merged(if plain { Names::Plain } else { Names::Prefixed }, &targets);
        for kind in Kind::ALL {
            let list: Vec<serde_json::Value> = serde_json::from_slice(catalog.list(kind).json()).unwrap();
            let mut keys: Vec<&str> = list.iter().map(|entry| entry[kind.key()].as_str().unwrap()).collect();
            let offered: usize = targets.iter().map(|target| target.lists[kind].as_ref().unwrap()[0].entries.len()).sum();
            let refused = catalog.problems().iter().filter(|problem| match problem {
                Problem::Duplicate { kind: of, .. } | Problem::Collision { kind: of, .. } => *of == kind,
                Problem::Tie { kind: of, .. } | Problem::Outranked { kind: of, .. } => *of == kind,
                _ => false,
            }).count();
            prop_assert_eq!(keys.len() + refused, offered, "nothing is lost without a word");
            for key in &keys {
                let route = catalog.route(kind, key).unwrap();
                prop_assert!(targets.iter().any(|target| target.name == route.first().target));
            }
            let count = keys.len();
            keys.sort_unstable();
            keys.dedup();
            prop_assert_eq!(keys.len(), count);
        }
    }
}
