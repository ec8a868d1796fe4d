//! Who may call a toolset: its own authorizer, or the gateway's; where a client that is refused finds the issuer.

use causeway::config::Authorizer;
use causeway_core::catalog::Kind;
use http::Method;
use serde_json::json;

use crate::{
    caller::Caller,
    fake_target::Speaks,
    harness::{Gateway, toolsets},
    issuer::Issuer,
    login_client::{self, Client, LOOPBACK, PUBLIC, browser},
    offering::Offering,
};

const TOOLS: [(Kind, &str); 1] = [(Kind::Tools, r#"[{"name":"x"},{"name":"y"}]"#)];

/// A toolset of one's own issuer, one of the gateway's, one for everybody.
fn three(issuer: &Issuer) -> String {
    format!(
        r#"
        [[toolsets]]
        name = "own"
        tools = {{}}
        [toolsets.authorizer.custom_jwt]
        discovery_url = "{}"
        allowed_clients = ["alice"]

        [[toolsets]]
        name = "same"
        tools = {{}}

        [[toolsets]]
        name = "open"
        tools.include = ["*___x"]
        authorizer = "none"
        "#,
        issuer.discovery_url()
    )
}

/// The gateway, and the issuer of its toolset `own`.
async fn gateway(target: &Offering) -> (Gateway, Issuer) {
    let other = Issuer::with_own_keys().await;
    let text = three(&other);
    let gateway = Gateway::start_with([target.target()], |config| config.toolsets = toolsets(&text)).await;
    (gateway, other)
}

fn without_headers(gateway: &Gateway) -> Caller {
    gateway.anonymous().without("content-type").without("accept")
}

#[tokio::test]
async fn each_endpoint_has_its_own_callers() {
    let t = Offering::start("t", Speaks::Modern, &TOOLS);
    let (gateway, other) = gateway(&t).await;
    let status = async |caller: Caller| caller.request("tools/list", json!({})).await.status.as_u16();
    let alice = || gateway.caller("alice");
    let others_alice = || gateway.with_token(&other.token("alice"));
    let others_bob = || gateway.with_token(&other.token("bob"));
    assert_eq!((status(alice()).await, status(others_alice()).await), (200, 401));
    let own = [alice(), others_alice(), others_bob(), gateway.anonymous()].map(|it| status(it.toolset("own")));
    assert_eq!(futures::future::join_all(own).await, [401, 200, 401, 401]);
    let same = [alice(), others_alice(), gateway.anonymous()].map(|it| status(it.toolset("same")));
    assert_eq!(futures::future::join_all(same).await, [200, 401, 401]);
    let open = [alice(), others_alice(), gateway.anonymous()].map(|it| status(it.toolset("open")));
    assert_eq!(futures::future::join_all(open).await, [200, 200, 200]);
    assert_eq!(gateway.anonymous().toolset("open").tools().await, ["t___x"]);
}

#[tokio::test]
async fn a_client_that_is_refused_is_led_to_the_right_issuer() {
    let t = Offering::start("t", Speaks::Modern, &TOOLS);
    let (gateway, other) = gateway(&t).await;
    let masked = |text: &str| {
        let bare = other.base.as_str().trim_start_matches("http://").trim_end_matches('/').to_owned();
        gateway.masked(&text.replace(&bare, "other.test"))
    };
    let refused =
        async |toolset: &str| masked(&gateway.anonymous().toolset(toolset).post("{}").await.header("www-authenticate"));
    insta::assert_snapshot!(refused("own").await, @r#"Bearer resource_metadata="http://gateway.test/.well-known/oauth-protected-resource/mcp/own""#);
    insta::assert_snapshot!(refused("same").await, @r#"Bearer scope="gateway/call", resource_metadata="http://gateway.test/.well-known/oauth-protected-resource/mcp/same""#);
    let metadata = async |path: &str| {
        let answer = without_headers(&gateway).get(&["/.well-known/oauth-protected-resource", path].concat()).await;
        masked(&format!("{} {}", answer.status.as_u16(), answer.text()))
    };
    insta::assert_snapshot!(metadata("/mcp/own").await, @r#"200 {"authorization_servers":["http://other.test/callers"],"resource":"http://gateway.test/mcp/own"}"#);
    insta::assert_snapshot!(metadata("/tools/mcp/same").await, @r#"200 {"authorization_servers":["http://issuer.test/callers"],"resource":"http://gateway.test/mcp/same","scopes_supported":["gateway/call"]}"#);
    insta::assert_snapshot!(metadata("/mcp").await, @r#"200 {"authorization_servers":["http://issuer.test/callers"],"resource":"http://gateway.test/mcp","scopes_supported":["gateway/call"]}"#);
    for path in ["/mcp/open", "/mcp/nothing", "/mcp/own/more"] {
        assert_eq!(metadata(path).await, "404 ", "{path}");
    }
}

#[tokio::test]
async fn the_public_url_leads_to_toolsets_too() {
    let t = Offering::start("t", Speaks::Modern, &TOOLS);
    let gateway = Gateway::start_with([t.target()], |config| {
        config.gateway.public_url = Some("https://example.com/tools/mcp".parse().unwrap());
        config.toolsets = toolsets("[[toolsets]]\nname = \"all\"\ntools = {}\n");
    })
    .await;
    let metadata = without_headers(&gateway).get("/.well-known/oauth-protected-resource/tools/mcp/all").await.json();
    assert_eq!(metadata["resource"], "https://example.com/tools/mcp/all");
    let challenge = gateway.anonymous().toolset("all").post("{}").await.header("www-authenticate");
    assert!(
        challenge.contains(r#""https://example.com/tools/.well-known/oauth-protected-resource/mcp/all""#),
        "{challenge}"
    );
}

/// People log in by the gateway for what its own issuer guards, and nowhere else.
#[tokio::test]
async fn people_log_in_where_the_callers_are_the_gateways() {
    let other = Issuer::start().await;
    let text = three(&other);
    let gateway = login_client::gateway_with(|config| config.toolsets = toolsets(&text)).await;
    let servers = async |toolset: &str| {
        let path = ["/.well-known/oauth-protected-resource/mcp/", toolset].concat();
        let metadata = without_headers(&gateway).get(&path).await.json();
        assert_eq!(metadata["resource"], format!("{PUBLIC}/mcp/{toolset}"));
        metadata["authorization_servers"].clone()
    };
    assert_eq!(servers("same").await, json!([PUBLIC]));
    assert_eq!(servers("own").await, json!([other.name()]));
    for (path, status) in [("/mcp", 200), ("/mcp/same", 200), ("/mcp/own", 404), ("/mcp/open", 404), ("/mcp/none", 404)]
    {
        for server in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
            assert_eq!(without_headers(&gateway).get(&[server, path].concat()).await.status, status, "{server}{path}");
        }
        let client = Client::new(LOOPBACK).with("resource", &[PUBLIC, path].concat());
        let page = client.ask(&mut browser(&gateway)).await;
        let refused = page.headers.contains_key("location").then(|| page.parameter("error").unwrap());
        assert_eq!(refused.as_deref(), (status == 404).then_some("invalid_target"), "{path}");
        let redeemed = client.redemption("code").with("resource", &[PUBLIC, path].concat());
        let error = redeemed.post(&gateway, "/login/token").await.json()["error"].clone();
        assert_eq!(error, if status == 404 { "invalid_target" } else { "invalid_grant" }, "{path}");
    }
}

/// An authorizer of one's own may want other tokens of the same issuer: where the login gives them, people log in there.
#[tokio::test]
async fn people_log_in_for_other_rules_of_the_same_issuer() {
    let issuer = Issuer::start().await;
    let toolset = |name: &str, rule: &str| {
        let url = issuer.discovery_url();
        format!(
            "[[toolsets]]\nname = \"{name}\"\ntools = {{}}\n[toolsets.authorizer.custom_jwt]\ndiscovery_url = \"{url}\"\n{rule}\n"
        )
    };
    let text = [
        toolset("signed-in", "allowed_scopes = [\"openid\"]"),
        toolset("robots", "allowed_clients = [\"robot\"]"),
        toolset("admins", "allowed_scopes = [\"gateway/admin\"]"),
    ];
    let text = text.concat();
    let gateway = Gateway::launch(issuer, [], |config| {
        login_client::turn_on(config);
        login_client::settings(config).scopes.push("openid".into());
        config.toolsets = toolsets(&text);
    })
    .await;
    let metadata = async |path: &str| {
        let answer = without_headers(&gateway).get(&["/.well-known/oauth-protected-resource", path].concat()).await;
        answer.json()["authorization_servers"][0].as_str().unwrap().to_owned()
    };
    assert_eq!(metadata("/mcp/signed-in").await, PUBLIC);
    for other in ["/mcp/robots", "/mcp/admins"] {
        assert_eq!(metadata(other).await, gateway.issuer.name(), "{other}");
    }
    let resource = format!("{PUBLIC}/mcp/signed-in");
    let client = Client::new(LOOPBACK).with("scope", "openid").with("resource", &resource);
    let redemption = client.redemption(&client.code(&gateway).await).with("resource", &resource);
    let tokens: serde_json::Value =
        serde_json::from_slice(&redemption.post(&gateway, "/login/token").await.body).unwrap();
    let person = || gateway.with_token(tokens["access_token"].as_str().unwrap());
    assert_eq!(person().toolset("signed-in").request("ping", json!({})).await.status, 200);
    assert_eq!(person().request("ping", json!({})).await.status, 403, "the gateway wants another scope");
}

#[tokio::test]
async fn what_is_no_toolset_is_not_found_and_strangers_are_refused_everywhere() {
    let t = Offering::start("t", Speaks::Modern, &TOOLS);
    let (gateway, _other) = gateway(&t).await;
    for toolset in ["nothing", "own/more", "OWN"] {
        for method in [Method::POST, Method::GET, Method::DELETE] {
            assert_eq!(gateway.caller("alice").toolset(toolset).send(method, "").await.status, 404, "{toolset}");
        }
    }
    let page = gateway.anonymous().toolset("open").header("origin", "https://evil.example");
    assert_eq!(page.request("tools/list", json!({})).await.status, 403);
    let page = gateway.anonymous().toolset("open").header("origin", "http://localhost:6274");
    assert_eq!(
        page.request("tools/list", json!({})).await.header("access-control-allow-origin"),
        "http://localhost:6274"
    );
    assert_eq!(gateway.anonymous().toolset("open").send(Method::PUT, "").await.status, 405);
}

/// A gateway without tokens may have a toolset with some.
#[tokio::test]
async fn a_toolset_may_ask_for_more_than_the_gateway() {
    let t = Offering::start("t", Speaks::Modern, &TOOLS);
    let other = Issuer::start().await;
    let text = three(&other);
    let gateway = Gateway::start_with([t.target()], |config| {
        config.authorizer = Authorizer::None;
        config.toolsets = toolsets(&text);
    })
    .await;
    assert_eq!(gateway.anonymous().tools().await.len(), 2);
    assert_eq!(gateway.anonymous().toolset("same").tools().await.len(), 2);
    assert_eq!(gateway.anonymous().toolset("own").request("tools/list", json!({})).await.status, 401);
}
