//! Names for clients that take only some.

use super::*;
use crate::name::{Audience, Profile};

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
