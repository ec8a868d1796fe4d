//! What clients find: the gateway as the authorization server where it is one, else the issuer's own metadata; and registration.

use causeway::config::Login;
use serde_json::{Value, json};

use crate::{
    harness::Gateway,
    issuer::Issuer,
    login_client::{LOOPBACK, PUBLIC, WEB, gateway, gateway_with, register, settings, turn_on},
};

const PATHS: [&str; 4] = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-authorization-server/mcp",
    "/.well-known/openid-configuration",
    "/.well-known/openid-configuration/tools",
];

#[tokio::test]
async fn the_gateway_is_the_authorization_server() {
    let gateway = gateway().await;
    let resource = gateway.anonymous().get("/.well-known/oauth-protected-resource").await.json();
    assert_eq!(resource["authorization_servers"], json!([PUBLIC]));
    assert_eq!(resource["resource"], format!("{PUBLIC}/mcp"));
    for path in PATHS {
        let metadata = gateway.anonymous().get(path).await.json();
        let metadata = serde_json::to_string_pretty(&metadata).unwrap();
        insta::allow_duplicates! {
            insta::assert_snapshot!(gateway.masked(&metadata), @r#"
        {
          "issuer": "https://tools.example.com",
          "authorization_endpoint": "https://tools.example.com/login/authorize",
          "token_endpoint": "https://tools.example.com/login/token",
          "registration_endpoint": "https://tools.example.com/login/register",
          "response_types_supported": [
            "code"
          ],
          "response_modes_supported": [
            "query"
          ],
          "grant_types_supported": [
            "authorization_code",
            "refresh_token"
          ],
          "code_challenge_methods_supported": [
            "S256"
          ],
          "token_endpoint_auth_methods_supported": [
            "none"
          ],
          "authorization_response_iss_parameter_supported": true,
          "client_id_metadata_document_supported": true,
          "scopes_supported": [
            "gateway/call"
          ],
          "revocation_endpoint": "https://tools.example.com/login/revoke",
          "revocation_endpoint_auth_methods_supported": [
            "none"
          ],
          "jwks_uri": "http://issuer.test/callers/.well-known/jwks.json",
          "subject_types_supported": [
            "public"
          ],
          "id_token_signing_alg_values_supported": [
            "RS256"
          ]
        }
        "#);
        }
    }
}

#[tokio::test]
async fn without_a_public_url_it_is_what_the_client_called() {
    let gateway = gateway_with(|config| config.gateway.public_url = None).await;
    let metadata = gateway.anonymous().get(PATHS[0]).await.json();
    assert_eq!(metadata["issuer"], gateway.origin);
    let host = gateway.origin.replace("http://127.0.0.1", "localhost");
    let metadata = gateway.anonymous().header("host", &host).get(PATHS[0]).await.json();
    assert_eq!(metadata["token_endpoint"], format!("http://{host}/login/token"));
}

#[tokio::test]
async fn a_prefix_of_the_public_url_stays() {
    let gateway = gateway_with(|config| {
        config.gateway.public_url = Some("https://example.com/tools/mcp".parse().unwrap());
    })
    .await;
    let resource = gateway.anonymous().get("/.well-known/oauth-protected-resource").await.json();
    assert_eq!(resource["authorization_servers"], json!(["https://example.com/tools"]));
    let metadata = gateway.anonymous().get("/.well-known/oauth-authorization-server/tools").await.json();
    assert_eq!(metadata["issuer"], "https://example.com/tools");
    assert_eq!(metadata["registration_endpoint"], "https://example.com/tools/login/register");
}

#[tokio::test]
async fn metadata_is_there_while_the_issuer_is_down() {
    let issuer = Issuer::start().await;
    issuer.set_down(true);
    let gateway = Gateway::launch(issuer, [], turn_on).await;
    let metadata = gateway.anonymous().get(PATHS[0]).await.json();
    assert_eq!(metadata["authorization_endpoint"], format!("{PUBLIC}/login/authorize"));
    assert_eq!(metadata.get("jwks_uri"), None);
}

#[tokio::test]
async fn what_is_off_is_not_advertised() {
    let gateway = gateway_with(|config| {
        settings(config).client_documents = causeway::config::ClientDocuments::Off;
        settings(config).scopes.clear();
    })
    .await;
    let metadata = gateway.anonymous().get(PATHS[0]).await.json();
    assert_eq!(metadata["client_id_metadata_document_supported"], false);
    assert_eq!(metadata.get("scopes_supported"), None);
}

#[tokio::test]
async fn an_issuer_that_has_it_all_is_passed_through() {
    let gateway = Gateway::launch(Issuer::start().await, [], |config| config.login = Some(Login::PassThrough)).await;
    let resource = gateway.anonymous().get("/.well-known/oauth-protected-resource").await.json();
    assert_eq!(resource["authorization_servers"], json!([gateway.issuer.name()]));
    let own = reqwest::Client::builder().no_proxy().build().unwrap();
    let own = own.get(gateway.issuer.discovery_url()).send().await.unwrap().text().await.unwrap();
    for path in PATHS {
        assert_eq!(gateway.anonymous().get(path).await.text(), own, "{path}");
    }
    for path in ["/login/authorize", "/login/callback", "/login/token", "/login/register", "/login/consent"] {
        assert_eq!(gateway.anonymous().get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn an_issuer_that_is_down_is_said_to_be() {
    let issuer = Issuer::start().await;
    issuer.set_down(true);
    let gateway = Gateway::launch(issuer, [], |config| config.login = Some(Login::PassThrough)).await;
    let answer = gateway.anonymous().get(PATHS[0]).await;
    assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str().unwrap()), (503, "temporarily_unavailable"));
}

#[tokio::test]
async fn without_a_login_there_is_none_of_it() {
    let gateway = Gateway::launch(Issuer::start().await, [], |_| ()).await;
    for path in PATHS.into_iter().chain(["/login/authorize", "/login/register"]) {
        assert_eq!(gateway.anonymous().get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn everyone_gets_the_one_client() {
    let gateway = gateway().await;
    let wanted = json!({
        "client_name": "A program", "redirect_uris": [LOOPBACK, "https://elsewhere.example/", WEB], "scope": "gateway/call email",
        "grant_types": ["authorization_code", "refresh_token", "implicit"], "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_post", "logo_uri": "https://elsewhere.example/logo.png",
    });
    let answer = register(&gateway, &wanted).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control").as_str()), (201, "no-store"));
    let mut client = answer.json();
    assert_eq!(client["client_id_issued_at"].take(), gateway.clock.now().as_secs());
    let expected = json!({
        "client_id": "people~QSBwcm9ncmFt", "client_id_issued_at": null, "redirect_uris": [LOOPBACK, WEB], "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"], "client_name": "A program",
        "scope": "gateway/call",
    });
    assert_eq!(client, expected);
    let least = register(&gateway, &json!({"redirect_uris": ["http://localhost/"]})).await.json();
    assert_eq!(least["client_id"], "people", "without a name it is just the one");
    assert_eq!(least["grant_types"], json!(["authorization_code", "refresh_token"]));
}

#[tokio::test]
async fn a_registration_that_leads_nowhere_is_refused() {
    let gateway = gateway().await;
    let uris = |uris: Value| json!({"redirect_uris": uris});
    let with = |name: &str, value: Value| json!({"redirect_uris": [LOOPBACK], name: value});
    let cases = [
        (json!({}), "invalid_redirect_uri"),
        (uris(json!([])), "invalid_redirect_uri"),
        (
            uris(json!(["https://evil.example/", "http://127.0.0.1.evil.example/", "javascript:alert(1)"])),
            "invalid_redirect_uri",
        ),
        (uris(json!(vec![LOOPBACK; 51])), "invalid_redirect_uri"),
        (uris(json!("http://localhost/")), "invalid_client_metadata"),
        (json!([]), "invalid_client_metadata"),
        (with("grant_types", json!(["client_credentials"])), "invalid_client_metadata"),
        (with("response_types", json!(["token"])), "invalid_client_metadata"),
        (with("client_name", json!("x".repeat(201))), "invalid_client_metadata"),
        (with("software_statement", json!("x".repeat(70_000))), "invalid_request"),
    ];
    for (metadata, error) in cases {
        let answer = register(&gateway, &metadata).await;
        assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str().unwrap()), (400, error), "{metadata}");
    }
}
