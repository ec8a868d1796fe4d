//! Names that do not fit the clients which people use: what is said of them, and the short ones in their place.

use causeway_core::{
    catalog::Kind,
    name::{Audience, Profile},
};
use serde_json::json;

use crate::{
    fake_target::Speaks,
    harness::Gateway,
    offering::{ERAS, Offering},
};

const LONG: &str = "query_cloudwatch_insights_of_all_accounts";
/// The digest was made with `sha256sum` and `base32`.
const SHORT: &str = "t___query_cloudwatch_insights_2ol5bgqg";

const TOOLS: [(Kind, &str); 1] = [(
    Kind::Tools,
    r#"[{"name":"query_cloudwatch_insights_of_all_accounts","v":1e2,"inputSchema":{"properties":{"r":{"type":"string","x-mcp-header":"R"}}}},{"name":"ok"}]"#,
)];

/// Of clients that know the gateway by a long name.
fn audience() -> Audience {
    Audience { server: "causeway-of-example".into(), profiles: vec![Profile::ClaudeCode, Profile::Cursor] }
}

#[tokio::test]
async fn a_long_name_is_listed_short_and_both_are_called() {
    for speaks in ERAS {
        let t = Offering::start("t", speaks, &TOOLS);
        let gateway = Gateway::start_with([t.target()], |config| {
            config.clients.audience = audience();
            config.clients.shorten = true;
        })
        .await;
        for client in [gateway.caller("alice").in_session().await, gateway.caller("alice").modern()] {
            let list = client.request("tools/list", json!({})).await;
            assert!(list.text().contains(&format!(r#"[{{"name":"{SHORT}","v":1e2,"#)), "{list:?}");
            assert_eq!(client.tools().await, [SHORT, "t___ok"]);
            for name in [SHORT, &format!("t___{LONG}")] {
                // What a client of the modern era repeats in headers is checked by either name.
                let caller =
                    if client.is_modern() { client.clone().header("mcp-param-r", "x") } else { client.clone() };
                let result = caller.call(name, json!({"r": "x"})).await;
                assert_eq!(result["asked"]["name"], LONG);
                if client.is_modern() {
                    let wrong = client.clone().header("mcp-param-r", "y").try_call(name, json!({"r": "x"})).await;
                    assert_eq!(wrong.message()["error"]["code"], -32020, "{wrong:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn without_it_the_name_stays_and_the_view_says_what_is_wrong() {
    let t = Offering::start("t", Speaks::Modern, &TOOLS);
    let gateway = Gateway::start_with([t.target()], |config| config.clients.audience = audience()).await;
    assert_eq!(gateway.caller("alice").tools().await, [format!("t___{LONG}").as_str(), "t___ok"]);
    let view = gateway.view_where(|_| true).await;
    let problems: Vec<String> = view.catalog.problems().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(problems.join("\n"), @"the gateway lists tools under names that are too long: `t___query_cloudwatch_insights_of_all_accounts` (45 characters, in short `t___query_cloudwatch_insights_2ol5bgqg`); Claude Code has room for 38 after `mcp__causeway-of-example__` (the whole conversation fails), Cursor has room for 40 after `causeway-of-example` (it leaves the tool out); rename such a tool with `tools.rename` of its target, or set `clients.shorten_names = true` to have it listed short");
}
