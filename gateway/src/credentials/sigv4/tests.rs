//! What is signed for which region, and when credentials are read again. That the signatures are right is checked against
//! AWS's vectors in `causeway-aws`, and against botocore in `interop/aws`.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use causeway_aws::{
    Credentials,
    identity::{NoCredentials, Settings},
};
use http::Request;

use super::*;
use crate::credentials::Credential;

/// A credential whose identity, in `home`, has a new access key each time it is asked: `AKID1`, `AKID2`, ...
fn credential(region: Option<&str>, home: Option<&str>) -> Credential {
    let asked = AtomicUsize::new(0);
    let provider = Numbered(asked);
    let clock = Clock::from_fn(|| Duration::from_secs(1_800_000_000));
    let identity = Identity::from_provider(provider, home.map(str::to_owned), clock.clone());
    let config = config::Sigv4 {
        service: "bedrock-agentcore".into(),
        region: region.map(str::to_owned),
        identity: Settings::default(),
    };
    Credential::Sigv4(Sigv4::with_identity(&"logs".parse().unwrap(), &config, identity, clock))
}

#[derive(Debug)]
struct Numbered(AtomicUsize);

impl causeway_aws::ProvideCredentials for Numbered {
    fn provide_credentials<'a>(&'a self) -> causeway_aws::FutureCredentials<'a>
    where
        Self: 'a,
    {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        let credentials = Credentials::new(format!("AKID{number}"), "hunter2", Some("TOKEN".into()), None, "test");
        causeway_aws::FutureCredentials::ready(Ok(credentials))
    }
}

fn request(uri: &str) -> Parts {
    Request::post(uri).header("authorization", "from elsewhere").body(()).unwrap().into_parts().0
}

/// Access key, date, region and service of the signature that a request to `uri` gets.
async fn scope(credential: &Credential, uri: &str) -> String {
    let mut request = request(uri);
    credential.apply(&mut request, b"{}").await.unwrap();
    let authorization = request.headers["authorization"].to_str().unwrap();
    let scope = authorization.strip_prefix("AWS4-HMAC-SHA256 Credential=").unwrap();
    scope.split(',').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_region_is_the_configs_else_the_hosts_else_the_identitys() {
    let (aws, other) = ("https://bedrock-agentcore.eu-west-1.amazonaws.com/mcp", "https://tools.example.com/mcp");
    for (region, uri, expected) in
        [(Some("us-west-2"), aws, "us-west-2"), (None, aws, "eu-west-1"), (None, other, "ap-south-1")]
    {
        let credential = credential(region, Some("ap-south-1"));
        let scope = scope(&credential, uri).await;
        assert_eq!(scope, format!("AKID1/20270115/{expected}/bedrock-agentcore/aws4_request"), "{region:?} {uri}");
    }
    let error = credential(None, None).apply(&mut request(other), b"").await.unwrap_err();
    insta::assert_snapshot!(error, @"no credential for target `logs`, stage `identity`: there is no AWS region: set `AWS_REGION`, for example `us-east-1`; or write `credential.sigv4.region`");
}

#[tokio::test]
async fn a_request_carries_token_and_hash_and_no_older_header() {
    let mut request = request("https://tools.example.com/mcp");
    credential(Some("us-east-1"), None).apply(&mut request, b"").await.unwrap();
    assert_eq!(request.headers["x-amz-security-token"], "TOKEN");
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(request.headers["x-amz-content-sha256"], empty);
    let values: Vec<_> = request.headers.get_all("authorization").iter().collect();
    assert_eq!(values.len(), 1);
    assert!(values[0].is_sensitive());
}

#[tokio::test]
async fn refused_credentials_are_read_again_once() {
    let credential = credential(Some("us-east-1"), None);
    let uri = "https://tools.example.com/mcp";
    let first = credential.apply(&mut request(uri), b"").await.unwrap();
    assert!(credential.renew(&first).await.unwrap());
    assert!(scope(&credential, uri).await.starts_with("AKID2/"));
    let second = credential.apply(&mut request(uri), b"").await.unwrap();
    assert!(!credential.renew(&second).await.unwrap(), "too soon after the last time");
    assert!(credential.renew(&first).await.unwrap(), "late news of the first");
}

#[test]
fn what_refuses_credentials_and_what_does_not() {
    for (status, name, refused) in [
        (401, None, true),
        (403, None, true),
        (403, Some("ExpiredTokenException"), true),
        (403, Some("UnrecognizedClientException:http://internal.amazon.com/x"), true),
        (403, Some("AccessDeniedException"), false),
        (400, Some("ExpiredTokenException"), false),
        (200, None, false),
    ] {
        let mut headers = HeaderMap::new();
        name.map(|name| headers.insert("x-amzn-errortype", name.parse().unwrap()));
        assert_eq!(is_refused_by(StatusCode::from_u16(status).unwrap(), &headers), refused, "{status} {name:?}");
    }
}

#[test]
fn debug_shows_no_secret() {
    assert!(!format!("{:?}", credential(None, None)).contains("hunter2"));
    let error = NoCredentials::None;
    assert!(error.to_string().contains("AWS_ACCESS_KEY_ID"));
}
