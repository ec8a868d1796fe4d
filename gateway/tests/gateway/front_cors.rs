//! Web pages: those of this machine and of the configured origins may call the gateway and read its answers.

use causeway::config::Config;
use http::Method;
use serde_json::json;

use crate::{answer::Answer, caller::Caller, harness::Gateway, issuer::Issuer};

const INSPECTOR: &str = "https://inspector.example";

async fn gateway() -> Gateway {
    let allow = |config: &mut Config| config.gateway.allowed_origins = vec![INSPECTOR.parse().unwrap()];
    Gateway::launch(Issuer::start().await, [], allow).await
}

async fn preflight(gateway: &Gateway, origin: &str) -> Answer {
    let asking = Caller::new(&gateway.url).header("origin", origin).header("access-control-request-method", "POST");
    let wanted = "authorization,mcp-protocol-version,mcp-param-region";
    asking.header("access-control-request-headers", wanted).send(Method::OPTIONS, "").await
}

fn header(answer: &Answer, name: &str) -> Option<String> {
    answer.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_browser_is_told_what_its_page_may_send() {
    let gateway = gateway().await;
    for origin in [INSPECTOR, "http://localhost:6274"] {
        let answer = preflight(&gateway, origin).await;
        assert_eq!(answer.status, 200);
        assert_eq!(header(&answer, "access-control-allow-origin").as_deref(), Some(origin));
        assert_eq!(header(&answer, "access-control-allow-methods").as_deref(), Some("POST,GET,DELETE"));
        let headers = header(&answer, "access-control-allow-headers").unwrap();
        assert_eq!(headers, "authorization,mcp-protocol-version,mcp-param-region");
    }
    let answer = preflight(&gateway, "https://evil.example").await;
    assert_eq!(header(&answer, "access-control-allow-origin"), None);
}

#[tokio::test]
async fn a_page_reads_the_session_and_the_challenge() {
    let gateway = gateway().await;
    let alice = gateway.caller("alice").header("origin", INSPECTOR);
    for answer in [alice.initialize("2025-11-25").await, alice.without("authorization").post("{}").await] {
        assert_eq!(header(&answer, "access-control-allow-origin").as_deref(), Some(INSPECTOR));
        let exposed = header(&answer, "access-control-expose-headers").unwrap();
        assert_eq!(exposed, "mcp-session-id,www-authenticate,retry-after,x-causeway-path,x-request-id");
        assert!(header(&answer, "mcp-session-id").is_some() || header(&answer, "www-authenticate").is_some());
    }
}

#[tokio::test]
async fn the_page_of_a_stranger_calls_nothing() {
    let gateway = gateway().await;
    let answer = gateway.caller("alice").header("origin", "https://evil.example").request("ping", json!({})).await;
    assert_eq!(answer.status, 403);
    assert_eq!(header(&answer, "access-control-allow-origin"), None);
}
