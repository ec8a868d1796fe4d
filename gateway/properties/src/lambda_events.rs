//! Events of API Gateway.

use causeway::parsers::invoked;
use serde_json::Value;

use crate::{input, json};

/// The path before the gateway's, in a line, and then the event.
///
/// An event is one request or none; its path begins with a slash, its method and headers are those of the event, and claims are
/// believed only where API Gateway puts those of its own authorizers.
pub fn check(data: &[u8]) {
    let Some(([base], event)) = input::texts(data) else { return };
    if !base.is_empty() && !base.starts_with('/') {
        return;
    }
    let Some((request, is_verified)) = invoked(event, base) else { return };
    assert!(request.uri().path().starts_with('/'), "{} is no path", request.uri());
    assert!(request.uri().host().is_none(), "the event says which host is called");
    let Some(seen) = json::value(event) else { return };
    let context = &seen["requestContext"];
    assert!(context.get("elb").is_none_or(Value::is_null), "a load balancer's event is taken");
    let said = [&context["http"]["method"], &seen["httpMethod"]];
    assert!(said.iter().any(|method| method.as_str() == Some(request.method().as_str())), "another method is called");
    if seen["isBase64Encoded"] != true {
        assert_eq!(request.body(), seen["body"].as_str().unwrap_or_default().as_bytes());
    }
    let authorizer = &context["authorizer"];
    let is_object = authorizer["claims"].is_object() || authorizer["jwt"]["claims"].is_object();
    assert!(!is_verified || is_object, "claims are believed that no authorizer said");
    for name in request.headers().keys() {
        let has = |of: &str| {
            seen[of].as_object().is_some_and(|all| all.keys().any(|key| key.eq_ignore_ascii_case(name.as_str())))
        };
        let is_cookie = name == "cookie" && seen["cookies"].is_array();
        assert!(has("headers") || has("multiValueHeaders") || is_cookie, "`{name}` is in no header of the event");
    }
}
