//! What a `[login]` becomes: its defaults, and where it may be.

use causeway::config::{ClientDocuments, Environment, Login, LoginProxy};

use super::{environment, resolve};

/// The login of a file with these lines below `[gateway]` and `[login]`.
fn login(gateway: &str, login: &str) -> Result<LoginProxy, String> {
    login_in(&environment(), gateway, login)
}

fn login_in(environment: &Environment, gateway: &str, login: &str) -> Result<LoginProxy, String> {
    let text = format!(
        r#"
        [gateway]
        {gateway}

        [authorizer.custom_jwt]
        discovery_url = "https://issuer.example.com/.well-known/openid-configuration"
        allowed_scopes = ["tools/read", "tools/call"]

        [login]
        {login}

        [[targets]]
        name = "a"
        http.endpoint = "https://a.example.com/mcp"
        "#
    );
    match resolve(&text, environment)?.login {
        Some(Login::Proxy(proxy)) => Ok(*proxy),
        other => panic!("no proxy: {other:?}"),
    }
}

#[test]
fn a_client_is_all_that_it_needs() {
    let least = LoginProxy {
        client_id: "people".into(),
        scopes: vec!["tools/read".into(), "tools/call".into()],
        redirect_uris: vec![],
        client_documents: ClientDocuments::Public,
        authorization_endpoint: None,
        token_endpoint: None,
        revocation_endpoint: None,
    };
    assert_eq!(login("", "client_id = \"people\""), Ok(least));
    let chosen = login("", "client_id = \"people\"\nscopes = [\"tools/read\", \"openid\"]").unwrap();
    assert_eq!(chosen.scopes, ["tools/read", "openid"]);
}

/// What a stranger names is not asked of a proxy, which would look for the address itself.
#[test]
fn behind_a_proxy_no_documents_are_read_unless_they_are_asked_for() {
    let check = |variable: &str, more: &str, documents: ClientDocuments| {
        let environment = Environment::of([(variable, "http://proxy.example.com:3128")]);
        let login = login_in(&environment, "", &format!("client_id = \"people\"\n{more}")).unwrap();
        assert_eq!(login.client_documents, documents, "{variable} {more}");
    };
    check("HTTPS_PROXY", "", ClientDocuments::Off);
    check("all_proxy", "", ClientDocuments::Off);
    check("HTTP_PROXY", "", ClientDocuments::Public);
    check("HTTPS_PROXY", "client_documents = \"public\"", ClientDocuments::Public);
}

#[test]
fn people_must_find_back_to_it_in_safety() {
    let check = |gateway: &str, good: bool| {
        assert_eq!(login(gateway, "client_id = \"people\"").is_ok(), good, "{gateway}");
    };
    check("", true);
    check("listen = \"[::1]:8080\"", true);
    check("listen = \"0.0.0.0:8080\"", false);
    check("listen = \"0.0.0.0:8080\"\npublic_url = \"https://tools.example.com/mcp\"", true);
    check("listen = \"0.0.0.0:8080\"\npublic_url = \"http://tools.example.com/mcp\"", false);
    check("public_url = \"http://localhost:8080/mcp\"", true);
    check("public_url = \"http://localhost.example.com/mcp\"", false);
}

/// A login rides in sealed tokens, with sessions or without.
#[test]
fn keys_have_an_effect_without_sessions() {
    let keys = "[sessions]\nmode = \"off\"\nkey_env = [\"SESSION_KEY\"]";
    assert!(login(keys, "client_id = \"people\"").is_ok());
}

#[test]
fn logins_end_where_the_file_says() {
    let with = |uri: &str| login("", &format!("client_id = \"people\"\nredirect_uris = [\"{uri}\"]"));
    for good in [
        "https://claude.ai/api/mcp/auth_callback",
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "com.example.app:/back",
    ] {
        assert_eq!(with(good).unwrap().redirect_uris, [good]);
    }
    for bad in ["file:///etc/passwd", "data:text/html,x", "ws://a.example/", "https://a.example/ b", "about:blank", ""]
    {
        assert!(with(bad).is_err(), "{bad}");
    }
}
