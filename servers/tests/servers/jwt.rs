//! Who is let in, with tokens that a real issuer signed.

use causeway_servers::{JwtArgs, Sample, ServeArgs};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    http::{http, list},
    issuer::Issuer,
    running::{ERAS, Running, args, connect, text},
};

async fn guarded(issuer: &Issuer) -> Running {
    let jwt = JwtArgs {
        discovery_url: Some(issuer.discovery_url()),
        allowed_clients: vec!["machine".into(), "other".into()],
        allowed_scopes: vec!["tools/call".into()],
        allowed_audience: Vec::new(),
    };
    Running::start_with(Sample::Hello, ServeArgs { jwt, ..args() }).await
}

/// Status, challenge and body of a call with this token; the server's own address is blotted out.
async fn refusal(server: &Running, token: Option<&str>) -> (StatusCode, String, Value) {
    let request = list(&server.url);
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    let response = request.send().await.unwrap();
    let status = response.status();
    let challenge = response.headers().get("www-authenticate").map_or("", |value| value.to_str().unwrap());
    let challenge = challenge.replace(&server.origin, "ORIGIN");
    (status, challenge, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

#[tokio::test]
async fn a_good_token_passes_in_both_eras() {
    let issuer = Issuer::start().await;
    let server = guarded(&issuer).await;
    let authorization = format!("Bearer {}", issuer.token(json!({})));
    for era in ERAS {
        let client = connect(&server.url, era, &[("authorization", &authorization)]).await.unwrap();
        let greeting = client.call("greet_user", json!({"name": "Alice"})).await;
        assert_eq!(text(&greeting), "Hello, Alice! Nice to meet you.");
    }
}

#[tokio::test]
async fn a_bad_token_or_none_is_a_401() {
    let issuer = Issuer::start().await;
    let server = guarded(&issuer).await;
    let stranger = Issuer::start().await;
    let cut = issuer.token(json!({}));
    let tokens = [
        None,
        Some("nonsense".to_owned()),
        Some(issuer.token(json!({"exp": 1_000_000_000}))),
        Some(issuer.token(json!({"iss": "https://elsewhere.example"}))),
        Some(issuer.token(json!({"client_id": "nobody"}))),
        Some(issuer.token(json!({"token_use": "id"}))),
        Some(stranger.token(json!({"iss": issuer.name}))),
        Some(cut[..cut.len() - 8].to_owned()),
    ];
    for token in tokens {
        let (status, challenge, body) = refusal(&server, token.as_deref()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{token:?}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(challenge, @r#"Bearer resource_metadata="ORIGIN/.well-known/oauth-protected-resource""#);
            insta::assert_snapshot!(body, @r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Authentication error - Invalid credentials"}}"#);
        }
    }
}

#[tokio::test]
async fn a_missing_scope_is_a_403() {
    let issuer = Issuer::start().await;
    let server = guarded(&issuer).await;
    let (status, challenge, body) = refusal(&server, Some(&issuer.token(json!({"scope": "other"})))).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    insta::assert_snapshot!(challenge, @r#"Bearer error="insufficient_scope", resource_metadata="ORIGIN/.well-known/oauth-protected-resource""#);
    insta::assert_snapshot!(body, @r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32002,"message":"Authorization error - Insufficient permissions"}}"#);
}

#[tokio::test]
async fn an_issuer_that_is_down_is_not_the_callers_fault() {
    let issuer = Issuer::start().await;
    let jwt = JwtArgs { discovery_url: Some("http://127.0.0.1:1/".into()), ..JwtArgs::default() };
    let server = Running::start_with(Sample::Hello, ServeArgs { jwt, ..args() }).await;
    let response = list(&server.url).bearer_auth(issuer.token(json!({}))).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn the_challenge_leads_to_the_issuer_and_health_needs_no_token() {
    let issuer = Issuer::start().await;
    let server = guarded(&issuer).await;
    for path in ["", "/mcp"] {
        let url = format!("{}/.well-known/oauth-protected-resource{path}", server.origin);
        let metadata: Value =
            serde_json::from_slice(&http().get(url).send().await.unwrap().bytes().await.unwrap()).unwrap();
        let expected = json!({
            "resource": server.url,
            "authorization_servers": [issuer.name],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["tools/call"],
        });
        assert_eq!(metadata, expected);
    }
    let health = http().get(format!("{}/healthz", server.origin)).send().await.unwrap();
    assert_eq!(health.status(), StatusCode::OK);
}
