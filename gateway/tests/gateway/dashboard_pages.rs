//! The pages of the dashboard as a browser gets them: all there, nothing loaded from elsewhere, and whatever targets say is text.

use causeway::config::Transport;
use causeway_core::catalog::Kind;
use causeway_servers::Sample;
use serde_json::json;

use crate::{
    browser::{Browser, Page},
    fake_target::Speaks,
    harness::{Gateway, http_target},
    offering::Offering,
    sample::Server,
};

const PAGES: [&str; 6] = ["/", "/catalog", "/tools/calculator___add_numbers", "/calls", "/clients", "/config"];

/// A browser on this machine.
pub(crate) fn browser(gateway: &Gateway) -> Browser {
    Browser::new(&gateway.admin, &gateway.admin)
}

async fn open(gateway: &Gateway, path: &str) -> Page {
    browser(gateway).open(&[&gateway.admin, path].concat()).await
}

/// The values of `src`, `href` and `action` in a page.
fn links(page: &Page) -> Vec<&str> {
    let of = |name: &'static str| page.text.split(name).skip(1).map(|rest| rest.split('"').next().unwrap());
    [" src=\"", " href=\"", " action=\""].into_iter().flat_map(of).collect()
}

#[tokio::test]
async fn every_page_is_there_and_loads_nothing_from_elsewhere() {
    let calculator = Server::start(Sample::Calculator).await;
    let gateway = Gateway::start([calculator.target(), http_target("gone", "http://127.0.0.1:1/mcp")]).await;
    for path in PAGES {
        let page = open(&gateway, path).await;
        assert_eq!(page.status, 200, "{path}");
        let header = |name: &str| page.headers[name].to_str().unwrap();
        assert_eq!(header("content-type"), "text/html; charset=utf-8");
        assert_eq!((header("cache-control"), header("x-content-type-options")), ("no-store", "nosniff"));
        assert_eq!(
            header("content-security-policy"),
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; media-src data:; connect-src 'self'; \
             form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        );
        let strange: Vec<_> =
            links(&page).into_iter().filter(|link| !link.starts_with(['/', '#']) && *link != "data:,").collect();
        assert!(strange.is_empty(), "{path}: {strange:?}");
        assert!(!page.text.contains(" style=") && !page.text.contains(" onclick="), "{path}");
    }
    for (path, kind) in [("/dashboard.css", "text/css"), ("/dashboard.js", "text/javascript")] {
        let file = open(&gateway, path).await;
        assert!(file.status == 200 && file.headers["content-type"].to_str().unwrap().starts_with(kind), "{path}");
    }
    assert_eq!(open(&gateway, "/nowhere").await.status, 404);
    assert_eq!(open(&gateway, "/tools/calculator___steal").await.status, 404);
}

#[tokio::test]
async fn the_overview_says_what_works_and_what_to_do_about_the_rest() {
    let calculator = Server::start(Sample::Calculator).await;
    let gateway = Gateway::start([calculator.target(), http_target("gone", "http://127.0.0.1:1/mcp")]).await;
    let page = open(&gateway, "/").await;
    for said in ["1 working", "1 not working", "could not be reached", "What to do:", "not called yet", &gateway.url] {
        assert!(page.text.contains(said), "`{said}` is not in {}", page.text);
    }
}

#[tokio::test]
async fn findings_without_number_do_not_bury_the_targets() {
    // Each of them twice.
    let tools: Vec<_> = (0..600).map(|number| json!({"name": format!("{}", number / 2), "inputSchema": {}})).collect();
    let wordy = Offering::start("wordy", Speaks::Modern, &[(Kind::Tools, json!(tools).to_string().leak())]);
    let gateway = Gateway::start([wordy.target()]).await;
    let page = open(&gateway, "/").await;
    assert!(
        page.text.contains(" more</summary>") && page.text.contains(" more: the log has them all"),
        "{}",
        page.text
    );
    assert_eq!(page.text.matches("<li>").count(), 3 + 200);
}

#[tokio::test]
async fn a_target_in_several_places_shows_each() {
    let calculator = Server::start(Sample::Calculator).await;
    let mut target = calculator.target();
    let Transport::Http(http) = &mut target.transport else { unreachable!("it is one over HTTP") };
    http.further.push("http://127.0.0.1:1/mcp".parse().unwrap());
    let gateway = Gateway::start([target]).await;
    let page = open(&gateway, "/").await;
    for said in ["calculator/1", "calculator/2", "Passed on", "could not be reached"] {
        assert!(page.text.contains(said), "`{said}` is not in {}", page.text);
    }
}

const EVIL: &str = r#"[{"name":"</code><script>evil()</script>","title":"\"><img src=x onerror=evil()>","description":"<script>evil()</script>","inputSchema":{"type":"object","properties":{"\"><script>evil()</script>":{"type":"string","description":"<script>evil()</script>","default":"</textarea><script>evil()</script>"}}},"icons":[{"src":"https://evil.example/i.png"}],"annotations":{"title":"<script>evil()</script>"}}]"#;

#[tokio::test]
async fn what_a_target_says_stays_text() {
    let evil = Offering::start("evil", Speaks::Modern, &[(Kind::Tools, EVIL)]);
    evil.fake.describe(r#""capabilities":{"tools":{}},"instructions":"<script>evil()</script>""#);
    let gateway = Gateway::start([evil.target()]).await;
    gateway.caller("alice").try_call("<script>evil()</script>", json!({})).await;
    let name = "evil___</code><script>evil()</script>";
    let tool = format!("/tools/{}", percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC));
    for path in ["/", "/catalog", "/catalog?q=%3Cscript%3Eevil", &tool, "/calls", "/config", "/?x=%3Cscript%3Eevil"] {
        let page = open(&gateway, path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.text.contains("<script>") && !page.text.contains("<img"), "{path}: {}", page.text);
        assert!(!links(&page).iter().any(|link| link.contains("evil.example")), "{path}");
    }
    let catalog = open(&gateway, "/catalog").await;
    assert!(catalog.text.contains("&lt;script&gt;evil()&lt;/script&gt;"), "{}", catalog.text);
}

#[tokio::test]
async fn the_catalog_is_searched_by_words_kinds_and_targets() {
    let calculator = Server::start(Sample::Calculator).await;
    let hello = Server::start(Sample::Hello).await;
    let gateway = Gateway::start([calculator.target(), hello.target()]).await;
    let found = async |query: &str| {
        let page = open(&gateway, &format!("/catalog?{query}")).await;
        let names = page.text.split("<details class=\"entry\" id=\"tools-").skip(1);
        let names: Vec<_> = names.map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
        names.join(" ")
    };
    assert_eq!(found("q=sum+ADDS").await, "calculator___add_numbers");
    assert_eq!(found("target=hello").await, "hello___greet_user");
    assert_eq!(found("kind=prompts").await, "");
    assert_eq!(found("q=numbers").await, "calculator___add_numbers calculator___multiply_numbers");
}

#[tokio::test]
async fn a_call_appears_while_somebody_watches() {
    let calculator = Server::start(Sample::Calculator).await;
    let gateway = Gateway::start([calculator.target()]).await;
    let watching = |query: &str| reqwest::get(format!("{}/calls/live?{query}", gateway.admin));
    let mut all = watching("").await.unwrap();
    let mut failed = watching("show=failed").await.unwrap();
    assert_eq!(all.headers()["content-type"], "text/event-stream");
    let alice = gateway.caller("alice");
    alice.call("calculator___add_numbers", json!({"a": 2, "b": 3})).await;
    alice.try_call("calculator___steal", json!({})).await;
    let seen = until(&mut all, "calculator___steal").await;
    assert!(seen.contains("calculator___add_numbers") && seen.contains("alice"), "{seen}");
    let seen = until(&mut failed, "calculator___steal").await;
    assert!(!seen.contains("add_numbers"), "{seen}");
    gateway.stop().await.unwrap();
    while all.chunk().await.unwrap().is_some() {}
}

/// What came until there was `text` in it.
async fn until(events: &mut reqwest::Response, text: &str) -> String {
    let mut seen = String::new();
    while !seen.contains(text) {
        let chunk = events.chunk().await.unwrap().unwrap_or_else(|| panic!("it ended: {seen}"));
        seen.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    seen
}
