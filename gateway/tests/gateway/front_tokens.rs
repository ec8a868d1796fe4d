//! Which tokens open the gateway, and what the others get to see: the whole response, since clients start their search for
//! an authorization server from it.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use causeway::config::{Authorizer, Config};
use causeway_core::authorizer::{ClaimMatch, CustomClaim, TokenUse};
use serde_json::{Value, json};

use crate::{harness::Gateway, issuer::Issuer};

const LIST: &str = r#"{"jsonrpc":"2.0","id":"list","method":"tools/list"}"#;

/// A token refused for what it is gets this, whatever is wrong with it: AgentCore says no more either.
const INVALID: (u16, i64) = (401, -32001);
const INSUFFICIENT: (u16, i64) = (403, -32002);

async fn refusal(gateway: &Gateway, token: &str) -> (u16, i64) {
    gateway.with_token(token).post(LIST).await.refusal()
}

/// A gateway without targets: who is let in gets an empty list.
async fn gateway() -> Gateway {
    gateway_with(|_| ()).await
}

async fn gateway_with(change: impl FnOnce(&mut Config)) -> Gateway {
    Gateway::launch(Issuer::start().await, [], change).await
}

fn change_rules(config: &mut Config, change: impl FnOnce(&mut causeway_core::authorizer::Authorizer)) {
    let Authorizer::CustomJwt(jwt) = &mut config.authorizer else { panic!("the harness asks for tokens") };
    change(&mut jwt.rules);
}

/// A compact JWS with this header and signature over `claims`.
fn jws(header: Value, claims: &Value, sign: impl Fn(&str) -> Vec<u8>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(&message));
    format!("{message}.{signature}")
}

#[tokio::test]
async fn without_a_token() {
    let gateway = gateway().await;
    let answer = gateway.anonymous().post(LIST).await;
    insta::assert_snapshot!(gateway.masked(&answer.whole()), @r#"
    401
    content-type: application/json
    www-authenticate: Bearer scope="gateway/call", resource_metadata="http://gateway.test/.well-known/oauth-protected-resource"

    {"jsonrpc":"2.0","id":"list","error":{"code":-32001,"message":"Missing Bearer token"}}
    "#);
}

#[tokio::test]
async fn with_a_bad_token() {
    let gateway = gateway().await;
    let answer = gateway.with_token("nonsense").post(LIST).await;
    insta::assert_snapshot!(gateway.masked(&answer.whole()), @r#"
    401
    content-type: application/json
    www-authenticate: Bearer error="invalid_token", scope="gateway/call", resource_metadata="http://gateway.test/.well-known/oauth-protected-resource"

    {"jsonrpc":"2.0","id":"list","error":{"code":-32001,"message":"Invalid Bearer token"}}
    "#);
}

#[tokio::test]
async fn why_is_said_where_errors_carry_their_cause() {
    let gateway = gateway_with(|config| config.gateway.debug_errors = true).await;
    let answer = gateway.with_token("a.b.c").header("x-request-id", "r-1").post(LIST).await;
    insta::assert_snapshot!(answer.json()["error"], @r#"{"code":-32001,"message":"Invalid Bearer token","data":{"cause":"the token is no compact JWS: its header is not base64url of JSON","requestId":"r-1"}}"#);
}

#[tokio::test]
async fn with_a_token_that_lacks_the_scope() {
    let gateway = gateway().await;
    let token = gateway.issuer.token_with("alice", json!({"scope": "gateway/look"}));
    let answer = gateway.with_token(&token).post(LIST).await;
    insta::assert_snapshot!(gateway.masked(&answer.whole()), @r#"
    403
    content-type: application/json
    www-authenticate: Bearer error="insufficient_scope", scope="gateway/call", resource_metadata="http://gateway.test/.well-known/oauth-protected-resource"

    {"jsonrpc":"2.0","id":"list","error":{"code":-32002,"message":"Authorization error - Insufficient permissions"}}
    "#);
}

#[tokio::test]
async fn a_refusal_answers_under_the_id_of_the_request() {
    let gateway = gateway().await;
    let id = async |body: &str| gateway.anonymous().post(body.to_owned()).await.json()["id"].clone();
    assert_eq!(id(r#"{"jsonrpc":"2.0","id":7.5,"method":"ping"}"#).await, json!(7.5));
    assert_eq!(id(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await, Value::Null);
    assert_eq!(id("no json").await, Value::Null);
    assert_eq!(id("").await, Value::Null);
    let long = format!(r#"{{"jsonrpc":"2.0","id":7,"method":"ping","params":{{"a":"{}"}}}}"#, "a".repeat(1 << 20));
    assert_eq!(id(&long).await, Value::Null, "a stranger's long body is not read");
}

#[tokio::test]
async fn a_good_token_opens_until_it_expires() {
    let gateway = gateway().await;
    let alice = gateway.caller("alice");
    assert_eq!(alice.post(LIST).await.result(), json!({"tools": []}));
    gateway.clock.advance(Duration::from_secs(3599));
    assert_eq!(alice.post(LIST).await.result(), json!({"tools": []}));
    gateway.clock.advance(Duration::from_secs(60));
    assert_eq!(alice.post(LIST).await.refusal(), INVALID);
    assert_eq!(gateway.caller("alice").post(LIST).await.result(), json!({"tools": []}), "a new token");
}

#[tokio::test]
async fn claims_decide() {
    let gateway = gateway().await;
    let cases = [
        (json!({"client_id": "mallory"}), INVALID),
        (json!({"client_id": null}), INVALID),
        (json!({"iss": "https://issuer.example"}), INVALID),
        (json!({"iss": null}), INVALID),
        (json!({"exp": null}), INVALID),
        (json!({"exp": 1}), INVALID),
        (json!({"nbf": 4_000_000_000_u64}), INVALID),
        (json!({"token_use": "id"}), INVALID),
        (json!({"client_id": "mallory", "scope": "gateway/look"}), INVALID),
        (json!({"scope": null}), INSUFFICIENT),
        (json!({"scope": "gateway/callous"}), INSUFFICIENT),
    ];
    for (changes, expected) in cases {
        let token = gateway.issuer.token_with("alice", changes.clone());
        assert_eq!(refusal(&gateway, &token).await, expected, "{changes}");
    }
    let good = gateway.issuer.token_with("alice", json!({"scope": "openid gateway/call"}));
    gateway.with_token(&good).post(LIST).await.result();
}

#[tokio::test]
async fn the_audience_decides_where_it_is_asked_for() {
    let audience = |config: &mut Config| change_rules(config, |rules| rules.allowed_audience = vec!["tools".into()]);
    let gateway = gateway_with(audience).await;
    let with = |aud: Value| gateway.issuer.token_with("alice", json!({"aud": aud}));
    assert_eq!(refusal(&gateway, &with(json!("others"))).await, INVALID);
    assert_eq!(refusal(&gateway, &with(Value::Null)).await, INVALID, "a Cognito access token has no `aud`");
    gateway.with_token(&with(json!(["others", "tools"]))).post(LIST).await.result();
}

#[tokio::test]
async fn custom_claims_decide_where_they_are_asked_for() {
    let claim = |name: &str, matches| CustomClaim { name: name.into(), matches };
    let gateway = gateway_with(|config| {
        change_rules(config, |rules| {
            rules.custom_claims = vec![
                claim("department", ClaimMatch::Equals("engineering".into())),
                claim("roles", ClaimMatch::ContainsAny(vec!["reader".into(), "writer".into()])),
            ];
        });
    })
    .await;
    let with = |department: &str, roles: Value| {
        gateway.issuer.token_with("alice", json!({"department": department, "roles": roles}))
    };
    assert_eq!(refusal(&gateway, &with("sales", json!(["reader"]))).await, INVALID);
    assert_eq!(refusal(&gateway, &with("engineering", json!(["owner"]))).await, INVALID);
    assert_eq!(refusal(&gateway, &with("engineering", json!("reader"))).await, INVALID);
    gateway.with_token(&with("engineering", json!(["owner", "writer"]))).post(LIST).await.result();
}

#[tokio::test]
async fn id_tokens_open_only_where_they_are_meant() {
    let gateway = gateway_with(|config| change_rules(config, |rules| rules.token_use = TokenUse::Id)).await;
    assert_eq!(refusal(&gateway, &gateway.issuer.token("alice")).await, INVALID);
    let token = gateway.issuer.token_with("alice", json!({"token_use": "id"}));
    gateway.with_token(&token).post(LIST).await.result();
}

#[tokio::test]
async fn a_token_that_nobody_signed_opens_nothing() {
    let gateway = gateway().await;
    let claims = gateway.issuer.claims("alice", json!({}));
    let key = gateway.issuer.jwks().await["keys"][0].clone();
    for alg in ["none", "None", "NONE", ""] {
        for header in [json!({"alg": alg}), json!({"alg": alg, "kid": key["kid"]})] {
            assert_eq!(refusal(&gateway, &jws(header, &claims, |_| Vec::new())).await, INVALID, "{alg}");
        }
    }
}

#[tokio::test]
async fn a_public_key_is_no_secret() {
    let gateway = gateway().await;
    let claims = gateway.issuer.claims("alice", json!({}));
    let key = gateway.issuer.jwks().await["keys"][0].clone();
    let modulus = URL_SAFE_NO_PAD.decode(key["n"].as_str().unwrap()).unwrap();
    let secrets: [&[u8]; 3] = [&modulus, key["n"].as_str().unwrap().as_bytes(), &key.to_string().into_bytes()];
    for secret in secrets {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let sign = |message: &str| hmac::sign(&secret, message.as_bytes()).as_ref().to_vec();
        for header in [json!({"alg": "HS256"}), json!({"alg": "HS256", "kid": key["kid"]})] {
            assert_eq!(refusal(&gateway, &jws(header, &claims, sign)).await, INVALID);
        }
    }
}

#[tokio::test]
async fn a_changed_token_opens_nothing() {
    let gateway = gateway().await;
    let token = gateway.issuer.token("alice");
    let [header, payload, signature]: [&str; 3] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let forged = URL_SAFE_NO_PAD.encode(gateway.issuer.claims("bob", json!({})).to_string());
    let cases = [
        format!("{header}.{forged}.{signature}"),
        format!("{header}.{payload}."),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!("{header}.{payload}.{}", signature.chars().rev().collect::<String>()),
        format!("{header}.{payload}.{signature} {token}"),
        "a".repeat(20_000),
    ];
    for token in cases {
        assert_eq!(refusal(&gateway, &token).await, INVALID, "{token}");
    }
}

#[tokio::test]
async fn only_the_header_authorization_counts_and_only_once() {
    let gateway = gateway().await;
    let token = gateway.issuer.token("alice");
    let bearer = format!("Bearer {token}");
    let basic = gateway.anonymous().header("authorization", "Basic YWxpY2U6aHVudGVyMg==");
    assert_eq!(basic.post(LIST).await.refusal(), INVALID);
    let twice = gateway.with_token(&token).again("authorization", &bearer);
    assert_eq!(twice.post(LIST).await.refusal(), INVALID);
    gateway.anonymous().header("authorization", &bearer.replace("Bearer", "bearer")).post(LIST).await.result();
}

#[tokio::test]
async fn without_an_authorizer_everyone_is_let_in() {
    let gateway = gateway_with(|config| config.authorizer = Authorizer::None).await;
    assert_eq!(gateway.anonymous().post(LIST).await.result(), json!({"tools": []}));
    assert_eq!(gateway.with_token("nonsense").post(LIST).await.result(), json!({"tools": []}));
    assert_eq!(gateway.issuer.requests(), 0, "nobody is asked about tokens");
}
