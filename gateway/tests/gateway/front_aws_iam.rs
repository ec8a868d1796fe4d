//! Callers that are AWS principals: whose signatures and whose tokens open the gateway, and what the others get to see. The STS
//! here says only what a test scripts: whether AWS would accept a token, a check with AWS's own signer shows.

use std::{net::Ipv4Addr, time::Duration};

use aws_credential_types::Credentials;
use axum::{Router, http::StatusCode as Status, routing::get};
use causeway::config::{AccessKey, Authorizer, AwsIam, CallerIdentity};
use causeway_aws::caller_identity::{AUDIENCE, present};
use http::{HeaderMap, StatusCode};
use tokio::net::TcpListener;
use url::Url;

use crate::{
    caller::{Caller, Signer},
    harness::Gateway,
    issuer::Issuer,
};

const LIST: &str = r#"{"jsonrpc":"2.0","id":"list","method":"tools/list"}"#;
const INVALID: (u16, i64) = (401, -32001);
const ALICE: (&str, &str) = ("AKIAALICE", "alice's secret");
const BOB: (&str, &str) = ("AKIABOB", "bob's secret");
const SERVICE: &str = "bedrock-agentcore";
const GATEWAY_ID: &str = "tools.example.com";
const ROLE: &str = "arn:aws:iam::111122223333:role/developers";

fn key((id, secret): (&str, &str), user: &str) -> AccessKey {
    AccessKey {
        access_key_id: id.into(),
        secret_access_key: causeway::secret::Secret::new(secret).into(),
        principal: format!("arn:aws:iam::111122223333:user/{user}"),
    }
}

/// A gateway that takes signatures of Alice and Bob, and tokens of STS at `endpoint`.
async fn gateway(endpoint: Option<Url>) -> Gateway {
    gateway_with(endpoint, |_| ()).await
}

async fn gateway_with(endpoint: Option<Url>, change: impl FnOnce(&mut AwsIam)) -> Gateway {
    let gateway = Gateway::launch(Issuer::start().await, [], |config| {
        let mut iam = AwsIam {
            region: "us-east-1".into(),
            service: SERVICE.into(),
            clock_skew: Duration::from_secs(300),
            host: None,
            access_keys: vec![key(ALICE, "alice"), key(BOB, "bob")],
            caller_identity: endpoint.map(|endpoint| CallerIdentity {
                gateway_id: GATEWAY_ID.into(),
                allowed_principals: vec![ROLE.into()],
                endpoint,
            }),
        };
        change(&mut iam);
        config.authorizer = Authorizer::AwsIam(iam);
    });
    gateway.await
}

fn signer(gateway: &Gateway, access_key: (&'static str, &'static str)) -> Signer {
    Signer { access_key, service: SERVICE, clock: gateway.clock.clone() }
}

fn signing(gateway: &Gateway, access_key: (&'static str, &'static str)) -> Caller {
    gateway.anonymous().signing(signer(gateway, access_key))
}

#[tokio::test]
async fn who_signs_is_let_in_in_both_eras_and_on_every_method() {
    let gateway = gateway(None).await;
    let alice = signing(&gateway, ALICE);
    assert_eq!(alice.post(LIST).await.status, StatusCode::OK);
    assert_eq!(alice.clone().modern().request("tools/list", serde_json::json!({})).await.status, StatusCode::OK);
    let session = alice.in_session().await;
    drop(session.listen().await);
    assert_eq!(session.send(http::Method::DELETE, "").await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_session_is_its_principals_alone() {
    let gateway = gateway(None).await;
    let alice = signing(&gateway, ALICE).in_session().await;
    assert_eq!(alice.request("ping", serde_json::json!({})).await.status, StatusCode::OK);
    let stolen = alice.signing(signer(&gateway, BOB));
    assert_eq!(stolen.request("ping", serde_json::json!({})).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn without_a_signature() {
    let gateway = gateway(None).await;
    insta::assert_snapshot!(gateway.anonymous().post(LIST).await.whole(), @r#"
    401
    content-type: application/json
    www-authenticate: AWS4-HMAC-SHA256

    {"jsonrpc":"2.0","id":"list","error":{"code":-32001,"message":"Authentication error - The request is not signed"}}
    "#);
    let metadata = gateway.anonymous().get("/.well-known/oauth-protected-resource").await;
    assert_eq!(metadata.status, StatusCode::NOT_FOUND, "there is no issuer to find");
}

#[tokio::test]
async fn with_a_wrong_signature() {
    let gateway = gateway(None).await;
    let answer = signing(&gateway, (ALICE.0, BOB.1)).post(LIST).await;
    insta::assert_snapshot!(answer.whole(), @r#"
    401
    content-type: application/json
    www-authenticate: AWS4-HMAC-SHA256

    {"jsonrpc":"2.0","id":"list","error":{"code":-32001,"message":"Authentication error - Invalid credentials"}}
    "#);
    assert_eq!(signing(&gateway, ("AKIANOBODY", ALICE.1)).post(LIST).await.refusal(), INVALID);
    let other = Signer { service: "execute-api", ..signer(&gateway, ALICE) };
    assert_eq!(gateway.anonymous().signing(other).post(LIST).await.refusal(), INVALID);
    let bearer = gateway.anonymous().header("authorization", "Bearer causeway-aws-v1.e30");
    assert_eq!(bearer.post(LIST).await.refusal(), INVALID, "tokens are off");
}

#[tokio::test]
async fn a_signature_for_another_host_is_not_taken() {
    let gateway = gateway_with(None, |iam| iam.host = Some("tools.example.com".into())).await;
    let alice = signing(&gateway, ALICE);
    assert_eq!(alice.post(LIST).await.refusal(), INVALID);
}

#[tokio::test]
async fn a_signature_grows_old() {
    let gateway = gateway(None).await;
    let then = crate::harness::TestClock::new();
    let alice = gateway.anonymous().signing(Signer { clock: then, ..signer(&gateway, ALICE) });
    assert_eq!(alice.post(LIST).await.status, StatusCode::OK);
    gateway.clock.advance(Duration::from_secs(302));
    assert_eq!(alice.post(LIST).await.refusal(), INVALID);
}

/// An STS that knows whoever comes as a session of this role.
async fn sts(role: &'static str) -> Url {
    answering(Status::OK, role).await
}

/// An STS that refuses whoever comes, with this code.
async fn refusing(status: Status, code: &'static str) -> Url {
    answering(status, code).await
}

/// An STS that answers with this status: a session of the role `name`, or the error `name`.
async fn answering(status: Status, name: &'static str) -> Url {
    let answer = move |headers: HeaderMap| async move {
        let asked_for = headers.get(AUDIENCE).is_some_and(|audience| audience == GATEWAY_ID);
        assert!(asked_for, "the gateway asks in its own name");
        let arn = format!("arn:aws:sts::111122223333:assumed-role/{name}/alice");
        let identity = serde_json::json!({"Arn": arn, "Account": "111122223333", "UserId": "AROA:alice"});
        let body = match status {
            Status::OK => serde_json::json!({"GetCallerIdentityResponse": {"GetCallerIdentityResult": identity}}),
            _ => serde_json::json!({"Error": {"Code": name, "Message": "No."}}),
        };
        (status, body.to_string())
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", get(answer))).await });
    url.parse().unwrap()
}

fn token(gateway: &Gateway, endpoint: &Url) -> Caller {
    let credentials = Credentials::new("ASIAEXAMPLE", "secret", Some("token".into()), None, "test");
    let now = gateway.clock.now();
    let token = present(&credentials, "us-east-1", endpoint, GATEWAY_ID, Duration::from_secs(60), now).unwrap();
    gateway.with_token(&token)
}

#[tokio::test]
async fn whom_sts_knows_and_the_list_allows_is_let_in_until_the_token_ends() {
    let endpoint = sts("developers").await;
    let gateway = gateway(Some(endpoint.clone())).await;
    let alice = token(&gateway, &endpoint);
    assert_eq!(alice.post(LIST).await.status, StatusCode::OK);
    assert_eq!(alice.post(LIST).await.status, StatusCode::OK, "remembered");
    gateway.clock.advance(Duration::from_secs(61));
    assert_eq!(alice.post(LIST).await.refusal(), INVALID);
    assert_eq!(signing(&gateway, BOB).post(LIST).await.status, StatusCode::OK, "signatures are taken too");
}

#[tokio::test]
async fn whom_the_list_does_not_allow() {
    let endpoint = sts("visitors").await;
    let gateway = gateway(Some(endpoint.clone())).await;
    insta::assert_snapshot!(token(&gateway, &endpoint).post(LIST).await.whole(), @r#"
    403
    content-type: application/json

    {"jsonrpc":"2.0","id":"list","error":{"code":-32002,"message":"Authorization error - Insufficient permissions"}}
    "#);
}

#[tokio::test]
async fn a_token_that_sts_refuses_or_cannot_judge() {
    let endpoint = refusing(Status::FORBIDDEN, "SignatureDoesNotMatch").await;
    let gateway_of = async |endpoint: &Url| gateway(Some(endpoint.clone())).await;
    assert_eq!(token(&gateway_of(&endpoint).await, &endpoint).post(LIST).await.refusal(), INVALID);
    // Its own troubles say nothing of the token, and neither does a proxy between.
    let troubles = [
        (Status::SERVICE_UNAVAILABLE, "ServiceUnavailable"),
        (Status::BAD_REQUEST, "Throttling"),
        (Status::FORBIDDEN, ""),
        (Status::FOUND, "Moved"),
    ];
    for (status, code) in troubles {
        let endpoint = refusing(status, code).await;
        let answer = token(&gateway_of(&endpoint).await, &endpoint).post(LIST).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after").as_str()), (503, "5"), "{status} {code}");
    }
}

#[tokio::test]
async fn a_token_for_another_sts_is_not_asked_about() {
    let endpoint = sts("developers").await;
    let elsewhere = sts("developers").await;
    let gateway = gateway(Some(endpoint)).await;
    assert_eq!(token(&gateway, &elsewhere).post(LIST).await.refusal(), INVALID);
}
