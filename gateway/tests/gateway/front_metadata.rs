//! The protected resource metadata (RFC 9728): where a client that was refused finds the issuer.

use causeway::config::Authorizer;
use causeway_core::authorizer::Authorizer as Rules;

use crate::{caller::Caller, harness::Gateway, issuer::Issuer};

const PATHS: [&str; 2] = ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"];

async fn gateway() -> Gateway {
    Gateway::launch(Issuer::start().await, [], |_| ()).await
}

fn without_headers(gateway: &Gateway) -> Caller {
    gateway.anonymous().without("content-type").without("accept")
}

#[tokio::test]
async fn both_paths_name_the_issuer_to_everyone() {
    let gateway = gateway().await;
    let [bare, suffixed] = PATHS.map(|path| async { without_headers(&gateway).get(path).await });
    let (bare, suffixed) = (bare.await.whole(), suffixed.await.whole());
    assert_eq!(bare, suffixed);
    insta::assert_snapshot!(gateway.masked(&bare), @r#"
    200
    content-type: application/json

    {"authorization_servers":["http://issuer.test/callers"],"resource":"http://gateway.test/mcp","scopes_supported":["gateway/call"]}
    "#);
}

#[tokio::test]
async fn it_names_the_issuer_while_that_is_down() {
    let issuer = Issuer::start().await;
    issuer.set_down(true);
    let gateway = Gateway::launch(issuer, [], |_| ()).await;
    let metadata = without_headers(&gateway).get(PATHS[0]).await.json();
    assert_eq!(metadata["authorization_servers"][0], gateway.issuer.name());
}

#[tokio::test]
async fn without_scopes_it_names_none() {
    let gateway = Gateway::launch(Issuer::start().await, [], |config| {
        let Authorizer::CustomJwt(jwt) = &mut config.authorizer else { panic!("the harness asks for tokens") };
        jwt.rules = Rules { allowed_clients: vec!["alice".into()], ..Rules::default() };
    })
    .await;
    let metadata = without_headers(&gateway).get(PATHS[0]).await;
    insta::assert_snapshot!(gateway.masked(metadata.text()), @r#"{"authorization_servers":["http://issuer.test/callers"],"resource":"http://gateway.test/mcp"}"#);
    let refused = gateway.anonymous().post("{}").await;
    insta::assert_snapshot!(gateway.masked(&refused.header("www-authenticate")), @r#"Bearer resource_metadata="http://gateway.test/.well-known/oauth-protected-resource""#);
}

#[tokio::test]
async fn the_public_url_is_named_where_there_is_one() {
    let gateway = Gateway::launch(Issuer::start().await, [], |config| {
        config.gateway.public_url = Some("https://tools.example.com/mcp".parse().unwrap());
    })
    .await;
    let metadata = without_headers(&gateway).get(PATHS[1]).await.json();
    assert_eq!(metadata["resource"], "https://tools.example.com/mcp");
    let refused = gateway.anonymous().post("{}").await;
    insta::assert_snapshot!(refused.header("www-authenticate"), @r#"Bearer scope="gateway/call", resource_metadata="https://tools.example.com/.well-known/oauth-protected-resource""#);
}

#[tokio::test]
async fn a_prefix_of_the_public_url_stays() {
    let gateway = Gateway::launch(Issuer::start().await, [], |config| {
        config.gateway.public_url = Some("https://example.com/tools/mcp".parse().unwrap());
    })
    .await;
    let metadata = without_headers(&gateway).get(PATHS[0]).await.json();
    assert_eq!(metadata["resource"], "https://example.com/tools/mcp");
    let challenge = gateway.anonymous().post("{}").await.header("www-authenticate");
    assert!(challenge.contains(r#""https://example.com/tools/.well-known/oauth-protected-resource""#), "{challenge}");
}

#[tokio::test]
async fn the_host_that_the_client_used_is_named() {
    let gateway = gateway().await;
    let at = |host: &str| without_headers(&gateway).header("host", host);
    let resource = async |host: &str| at(host).get(PATHS[0]).await.json()["resource"].clone();
    assert_eq!(resource("tools.internal:9000").await, "http://tools.internal:9000/mcp");
    assert_eq!(resource("a\", error=\"b").await, format!("{}/mcp", gateway.origin), "no host at all");
}

/// Over HTTP/2 that name stands elsewhere, and counts the same.
#[tokio::test]
async fn over_http2_the_host_that_the_client_called_is_named_and_checked() {
    let gateway = gateway().await;
    let at = url::Url::parse(&gateway.origin).unwrap().socket_addrs(|| None).unwrap()[0];
    let http = reqwest::Client::builder().no_proxy().http2_prior_knowledge();
    let http = http.resolve("tools.localhost", at).resolve("evil.example", at).build().unwrap();
    for origin in [&gateway.origin, &gateway.admin] {
        let port = url::Url::parse(origin).unwrap().port().unwrap();
        let get = async |host: &str, path: &str| {
            let answer = http.get(format!("http://{host}:{port}{path}")).send().await.unwrap();
            assert_eq!(answer.version(), http::Version::HTTP_2);
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        let (path, what) =
            if *origin == gateway.origin { ("/mcp", "the gateway") } else { ("/metrics", "the admin port") };
        let (status, text) = get("evil.example", path).await;
        assert!(status == 403 && text.contains(&format!("`Host` is `evil.example:{port}`")), "{what}: {status} {text}");
        assert_ne!(get("tools.localhost", path).await.0, 403, "{what}");
    }
    let port = at.port();
    let metadata = http.get(format!("http://tools.localhost:{port}{}", PATHS[1])).send().await.unwrap();
    let metadata: serde_json::Value = serde_json::from_str(&metadata.text().await.unwrap()).unwrap();
    assert_eq!(metadata["resource"], format!("http://tools.localhost:{port}/mcp"));
}

#[tokio::test]
async fn without_an_authorizer_there_is_none() {
    let gateway = Gateway::launch(Issuer::start().await, [], |config| config.authorizer = Authorizer::None).await;
    for path in PATHS {
        assert_eq!(without_headers(&gateway).get(path).await.status, 404);
    }
}
