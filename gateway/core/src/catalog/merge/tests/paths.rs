//! Names that several paths serve: a gateway and who stands by for it, and places.

use super::*;

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
