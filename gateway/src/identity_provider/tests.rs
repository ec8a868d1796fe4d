//! The identity provider over real sockets, read by an independent eye: its tokens are taken apart by hand.

mod people;

use std::net::Ipv4Addr;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use causeway_core::authorizer::Authorizer;
use causeway_oidc::{TokenError, Verifier};
use reqwest::{Client, StatusCode};
use serde_json::json;
use tokio::net::TcpListener;

use super::*;
use crate::{
    config::{self, ClientAuthentication, TokenEndpoint},
    credentials::Credential,
    inbound::Inbound,
};

const NOW: Duration = Duration::from_secs(1_800_000_000);
const SECRET: &str = "s3cr:t&+ %=é";
const CALLBACK: &str = "https://gateway.example/login/callback";

struct Running {
    provider: IdentityProvider,
    base_url: Url,
    http: Client,
}

impl Running {
    async fn start() -> Self {
        let extra_claims = json!({"tenant": "blue"}).as_object().unwrap().clone();
        let client = |id: &str, secret: &str| PoolClient {
            id: id.into(),
            secret: Secret::new(secret),
            scopes: vec!["mcp/read".into(), "mcp/write".into()],
            extra_claims: extra_claims.clone(),
        };
        let clients = vec![client("alice", SECRET), client("plain", "plain-secret")];
        let public = PublicClient {
            id: "people".into(),
            callback_urls: vec![CALLBACK.into()],
            scopes: vec!["mcp/read".into(), "openid".into()],
            extra_claims: extra_claims.clone(),
        };
        let (password, temporary_password) = (Secret::new("Password-1"), Secret::new("Temporary-1"));
        let users = vec![User { name: "carol".into(), password, temporary_password }];
        let pool = Pool { id: "pool_1".into(), clients, public_clients: vec![public], users };
        let provider = IdentityProvider::new(vec![pool], Clock::from_fn(|| NOW));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let base_url = base_url(listener.local_addr().unwrap());
        tokio::spawn(provider.clone().run(listener, std::future::pending()));
        let http = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { provider, base_url, http }
    }

    /// POSTs a form as `curl -d` does, with the header `Authorization` if it is not empty.
    async fn ask(&self, authorization: &str, form: &str) -> (StatusCode, Value) {
        let mut request = self
            .http
            .post(token_url(&self.base_url, "pool_1"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned());
        if !authorization.is_empty() {
            request = request.header("authorization", authorization);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }

    async fn token(&self) -> String {
        let (_, body) = self.ask(&basic("alice", SECRET), "grant_type=client_credentials").await;
        body["access_token"].as_str().unwrap().to_owned()
    }

    async fn document(&self, url: Url) -> Value {
        let text = self.http.get(url).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn verifier(&self) -> Verifier {
        let url = discovery_url(&self.base_url, "pool_1");
        Verifier::new(url, self.http.clone(), Clock::from_fn(|| NOW), Duration::ZERO)
    }
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_token_has_the_claims_of_cognito() {
    let running = Running::start().await;
    let (status, mut body) = running.ask(&basic("alice", SECRET), "grant_type=client_credentials").await;
    assert_eq!(status, StatusCode::OK);
    let token = body["access_token"].take();
    assert_eq!(body, json!({"access_token": null, "expires_in": 3600, "token_type": "Bearer"}));

    let mut claims = part(token.as_str().unwrap(), 1);
    assert_eq!(claims["jti"].take().as_str().unwrap().len(), 36);
    let expected = json!({
        "sub": "alice", "token_use": "access", "scope": "mcp/read mcp/write", "auth_time": NOW.as_secs(),
        "iss": format!("{}pool_1", running.base_url), "exp": NOW.as_secs() + 3600, "iat": NOW.as_secs(),
        "version": 2, "jti": null, "client_id": "alice", "tenant": "blue",
    });
    assert_eq!(claims, expected);

    let header = part(token.as_str().unwrap(), 0);
    let jwks = running.document(jwks_url(&running.base_url, "pool_1")).await;
    assert_eq!(header, json!({"kid": jwks["keys"][0]["kid"], "alg": "RS256"}));
}

#[tokio::test]
async fn the_discovery_document_leads_to_keys_and_tokens() {
    let running = Running::start().await;
    let document = running.document(discovery_url(&running.base_url, "pool_1")).await;
    let base = running.base_url.as_str();
    assert_eq!(document["issuer"], format!("{base}pool_1"));
    assert_eq!(document["jwks_uri"], format!("{base}pool_1/.well-known/jwks.json"));
    assert_eq!(document["token_endpoint"], format!("{base}pool_1/oauth2/token"));
    assert_eq!(document["scopes_supported"], json!(["mcp/read", "mcp/write", "openid"]));
    assert_eq!(document["authorization_endpoint"], format!("{base}pool_1/oauth2/authorize"));
    let unlike_cognito = ["registration_endpoint", "code_challenge_methods_supported"];
    assert!(unlike_cognito.iter().all(|member| document.get(member).is_none()), "{document}");
    let missing = running.http.get(discovery_url(&running.base_url, "other")).send().await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_client_proves_itself_in_three_ways() {
    let running = Running::start().await;
    let encoded: String = form_urlencoded(SECRET);
    let grant = "grant_type=client_credentials";
    let post = format!("{grant}&client_id=alice&client_secret={encoded}");
    let cases = [
        (basic("alice", SECRET), grant.to_owned()),
        (basic("alice", &encoded), grant.to_owned()),
        (basic("plain", "plain-secret").replace("Basic", "basic"), grant.to_owned()),
        (String::new(), post),
    ];
    for (authorization, form) in cases {
        let (status, body) = running.ask(&authorization, &form).await;
        assert_eq!(status, StatusCode::OK, "{form}: {body}");
    }
}

fn form_urlencoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn scopes_are_those_asked_for() {
    let running = Running::start().await;
    let (_, body) = running.ask(&basic("alice", SECRET), "grant_type=client_credentials&scope=mcp%2Fread").await;
    assert_eq!(part(body["access_token"].as_str().unwrap(), 1)["scope"], "mcp/read");
}

#[tokio::test]
async fn bad_requests_are_refused_as_rfc_6749_says() {
    let running = Running::start().await;
    let grant = "grant_type=client_credentials";
    let good = basic("alice", SECRET);
    let cases = [
        (basic("alice", "wrong"), grant, "invalid_client"),
        (basic("bob", SECRET), grant, "invalid_client"),
        (String::new(), grant, "invalid_client"),
        (String::new(), "grant_type=client_credentials&client_id=alice", "invalid_client"),
        ("Bearer x".into(), grant, "invalid_client"),
        ("Basic !!".into(), grant, "invalid_client"),
        (good.clone(), "grant_type=client_credentials&scope=mcp/read+mcp/admin", "invalid_scope"),
        (good.clone(), "grant_type=password&username=carol", "unsupported_grant_type"),
        (good.clone(), "grant_type=authorization_code&code=x", "invalid_client"),
        (good.clone(), "grant_type=client_credentials&resource=https://a.example", "invalid_request"),
        (good, "scope=mcp/read", "invalid_request"),
    ];
    for (authorization, form, error) in cases {
        let answer = running.ask(&authorization, form).await;
        assert_eq!(answer, (StatusCode::BAD_REQUEST, json!({"error": error})), "{authorization} {form}");
    }
}

/// The whole way: a credential as the gateway has one for a target, and a target's check as Runtime has one.
#[tokio::test]
async fn a_credential_opens_what_trusts_the_pool() {
    let running = Running::start().await;
    let discovery = discovery_url(&running.base_url, "pool_1");
    let clock = || Clock::from_fn(|| NOW);
    let rules = Authorizer {
        allowed_clients: vec!["alice".into()],
        allowed_scopes: vec!["mcp/read".into()],
        ..Authorizer::default()
    };
    let jwt = config::CustomJwt { discovery_url: discovery.clone(), clock_skew: Duration::ZERO, rules };
    let identity = causeway_aws::Identity::new(causeway_aws::identity::Settings::default(), clock());
    let endpoints = causeway_aws::endpoint::Endpoints::public();
    let aws = causeway_aws::Aws::new(running.http.clone(), identity, endpoints, clock());
    let (http, secret_refresh) = (running.http.clone(), Duration::from_secs(300));
    let sources =
        crate::stored::Sources { http, aws, secret_refresh, shared: crate::shared::Shared::none(), clock: clock() };
    let inbound = Inbound::new(&config::Authorizer::CustomJwt(jwt), &sources);
    for client_authentication in [ClientAuthentication::Basic, ClientAuthentication::Post] {
        let oauth = config::ClientCredentials {
            token_endpoint: TokenEndpoint::Discovery(discovery.clone()),
            client_id: "alice".into(),
            client_secret: Secret::new(SECRET).into(),
            scopes: vec!["mcp/read".into()],
            client_authentication,
            custom_parameters: BTreeMap::new(),
        };
        let config = config::Credential::ClientCredentials(oauth);
        let credential = Credential::new(&"logs".parse().unwrap(), &config, &sources);
        let mut request = http::Request::new(()).into_parts().0;
        credential.apply(&mut request, b"").await.unwrap();
        let caller = inbound.authenticate(&request).await.unwrap().prove(&request, b"").await;
        assert_eq!(caller.unwrap().id, "alice");
    }
}

#[tokio::test]
async fn a_retired_key_verifies_until_it_is_dropped() {
    let running = Running::start().await;
    let old = running.token().await;
    running.provider.rotate("pool_1");
    let new = running.token().await;
    assert_ne!(part(&old, 0)["kid"], part(&new, 0)["kid"]);
    let verifier = running.verifier();
    verifier.verify(&old).await.unwrap();
    verifier.verify(&new).await.unwrap();

    running.provider.drop_old_keys("pool_1");
    let verifier = running.verifier();
    verifier.verify(&new).await.unwrap();
    let refused = verifier.verify(&old).await;
    assert!(matches!(refused, Err(TokenError::UnknownKey(_))), "{refused:?}");
}

#[tokio::test]
async fn others_than_this_machine_are_not_served() {
    let provider = IdentityProvider::new(vec![], Clock::from_fn(|| NOW));
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
    let refused = provider.run(listener, std::future::pending()).await;
    assert!(matches!(refused, Err(ServeError::NotLoopback(_))), "{refused:?}");
}
