//! The consent page: what it says, who may answer it, and what is remembered.

use std::time::Duration;

use serde_json::json;

use crate::{
    browser::Page,
    login_client::{Client, LOOPBACK, PUBLIC, WEB, answer, browser, gateway, gateway_with, log_in_at, register},
};

/// What stands on a page, without its markup.
fn words(page: &Page) -> String {
    let (_, body) = page.text.split_once("<body>").unwrap();
    let pieces = body.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, text)| text.trim());
    pieces.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn it_says_who_asks_for_what_and_where_the_answer_goes() {
    let gateway = gateway().await;
    let page = Client::new(LOOPBACK).ask(&mut browser(&gateway)).await;
    assert_eq!(page.status, 200);
    insta::assert_snapshot!(gateway.masked(&words(&page)), @r#"
        May this client use the tools of causeway in your name?
        Who asks
        A program on this computer
        The answer goes to
        http://127.0.0.1:33418/callback
        It asks for
        gateway/call
        You log in at
        issuer.test
        Which program it is cannot be checked. Go on only if you have just begun to log in, in a program on this computer that you trust.
        Go on and log in
        Cancel
        "#);
    let of_site = Client::new(WEB).ask(&mut browser(&gateway)).await;
    assert!(words(&of_site).contains("Who asks\nThe web site claude.ai\n"), "{}", words(&of_site));
    let of_scheme = Client::new("cursor://anysphere.cursor-mcp/oauth/callback").ask(&mut browser(&gateway)).await;
    assert!(
        words(&of_scheme).contains("The program that opens cursor links on this computer"),
        "{}",
        words(&of_scheme)
    );
}

/// A client may call itself anything, and is shown to do so in a place that its words cannot leave.
#[tokio::test]
async fn what_a_client_calls_itself_is_shown_as_that() {
    let gateway = gateway().await;
    let named = |name: &str| json!({"redirect_uris": [LOOPBACK], "client_name": name});
    let name = "Editor <script>\u{202e}\u{61c}”, which Causeway has checked";
    let id = register(&gateway, &named(name)).await.json()["client_id"].clone();
    let client = Client::new(LOOPBACK).with("client_id", id.as_str().unwrap());
    let page = client.ask(&mut browser(&gateway)).await;
    let shown = "<dd>A program on this computer</dd><dt>It calls itself</dt>\
                 <dd><bdi>Editor &lt;script&gt;”, which Causeway has checked</bdi></dd><dt>";
    assert!(page.text.contains(shown), "{}", page.text);
    let code = client.code(&gateway).await;
    assert_eq!(client.redemption(&code).post(&gateway, "/login/token").await.status, 200);
    for id in ["people~", "people~%%", "people~IA", "people~QQo", "people~QSBwcm9ncmFt=", "peopleQQ", "alice~QQ"] {
        let page = Client::new(LOOPBACK).with("client_id", id).ask(&mut browser(&gateway)).await;
        assert!(page.status == 400 && page.text.contains("<code>invalid_client</code>"), "{id}: {page:?}");
    }
}

#[tokio::test]
async fn no_other_page_can_show_it_and_no_script_runs_in_it() {
    let gateway = gateway().await;
    let page = Client::new(LOOPBACK).ask(&mut browser(&gateway)).await;
    let header = |name: &str| page.headers[name].to_str().unwrap().to_owned();
    let policy = header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(header("x-frame-options"), "DENY");
    assert_eq!(header("cache-control"), "no-store");
    let cookie = header("set-cookie");
    assert!(cookie.starts_with("__Host-causeway-login="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
}

#[tokio::test]
async fn a_no_is_told_to_the_client() {
    let gateway = gateway().await;
    let mut browser = browser(&gateway);
    for no in ["deny", "", "perhaps"] {
        let page = Client::new(LOOPBACK).ask(&mut browser).await;
        let back = answer(&mut browser, &page, no).await;
        assert_eq!(back.status, 303);
        assert_eq!(back.parameter("error").as_deref(), Some("access_denied"));
        assert_eq!(back.parameter("state").as_deref(), Some("the client's & own"));
        assert_eq!(back.parameter("iss").as_deref(), Some(PUBLIC));
        assert!(!back.headers.contains_key("set-cookie"), "nothing is begun");
    }
}

/// What a page of a stranger can send in its visitor's name is no answer.
#[tokio::test]
async fn only_who_saw_the_page_can_answer_it() {
    let gateway = gateway().await;
    let url = format!("{PUBLIC}/login/consent");
    let mut owner = browser(&gateway);
    let page = Client::new(LOOPBACK).ask(&mut owner).await;
    let form = page.field("request");
    let agreed = [("request", form.as_str()), ("answer", "allow")];

    let mut stranger = browser(&gateway);
    refused(&stranger.submit(&url, &agreed).await);
    Client::new(LOOPBACK).ask(&mut stranger).await;
    refused(&stranger.submit(&url, &agreed).await);
    for origin in ["https://evil.example", "null", "http://tools.example.com", "http://localhost:6274"] {
        let page = owner.submit_from(origin, &url, &agreed).await;
        assert!(page.status == 400 && !page.headers.contains_key("location"), "{origin}: {page:?}");
    }
    refused(&owner.submit(&url, &[("request", &form[1..]), ("answer", "allow")]).await);
    refused(&owner.submit(&url, &[("answer", "allow")]).await);
    refused(&owner.open(&format!("{url}?request={form}&answer=allow")).await);
    assert_eq!(owner.submit(&url, &agreed).await.status, 303);
    gateway.clock.advance(Duration::from_secs(600));
    refused(&owner.submit(&url, &agreed).await);
}

fn refused(page: &Page) {
    assert!(matches!(page.status.as_u16(), 400 | 405), "{page:?}");
    assert!(!page.headers.contains_key("location"), "{page:?}");
}

#[tokio::test]
async fn consent_to_a_web_site_is_remembered_by_the_browser() {
    let gateway = gateway_with(|config| {
        let settings = crate::login_client::settings(config);
        settings.redirect_uris.push("https://other.example/callback".into());
        settings.scopes.push("openid".into());
    })
    .await;
    let mut browser = browser(&gateway);
    let client = Client::new(WEB);
    let sent = client.consent(&mut browser).await;
    let back = log_in_at(&mut browser, &sent).await;
    browser.open(back.location().as_str()).await;

    let again = client.ask(&mut browser).await;
    assert!(again.location().as_str().starts_with("http://127.0.0.1"), "to the issuer at once: {again:?}");
    for other in [Client::new("https://other.example/callback"), client.clone().with("scope", "openid")] {
        assert_eq!(other.ask(&mut browser).await.status, 200, "a page: this was not agreed to");
    }
    let mut elsewhere = crate::login_client::browser(&gateway);
    assert_eq!(client.ask(&mut elsewhere).await.status, 200);
    gateway.clock.advance(Duration::from_secs(30 * 24 * 3600));
    assert_eq!(client.ask(&mut browser).await.status, 200);
}
