//! Trying a tool from the dashboard: called for real, asked back, cancelled, and only by the dashboard's own page.

use causeway::config::Admin;
use causeway_servers::Sample;

use crate::{
    bridge_fixture::{Fixture, Kind},
    browser::Page,
    dashboard_pages::browser,
    fake_target::{FakeTarget, Speaks},
    harness::{Gateway, http_target},
    sample::Server,
    targets_child::scripted,
};

async fn submit(gateway: &Gateway, tool: &str, form: &[(&str, &str)]) -> Page {
    browser(gateway).submit(&format!("{}/tools/{tool}", gateway.admin), form).await
}

/// How often a tool was called, and in whose name the last time.
fn calls(gateway: &Gateway) -> (usize, Option<String>) {
    let all: Vec<_> = gateway.calls.recent().into_iter().filter(|call| &*call.method == "tools/call").collect();
    (all.len(), all.last().and_then(|call| Some(call.caller.as_ref()?.id.clone())))
}

#[tokio::test]
async fn a_tool_is_called_and_its_result_shown() {
    let calculator = Server::start(Sample::Calculator).await;
    let gateway = Gateway::start([calculator.target()]).await;
    let page = submit(&gateway, "calculator___add_numbers", &[("a.=a", "2"), ("a.=b", "40.5"), ("do", "call")]).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("42.5") && page.text.contains("value=\"40.5\""), "{}", page.text);
    assert!(page.text.trim_end().ends_with("</html>"), "{}", page.text);
    assert_eq!(calls(&gateway), (1, Some("admin-port".into())));
    let record = gateway.calls.recent().pop().unwrap();
    assert_eq!((record.outcome.word(), &*record.endpoint), ("ok", "/tools"));
}

#[tokio::test]
async fn what_is_wrong_is_not_sent_and_not_lost() {
    let calculator = Server::start(Sample::Calculator).await;
    let gateway = Gateway::start([calculator.target()]).await;
    let page = submit(&gateway, "calculator___add_numbers", &[("a.=a", "2"), ("a.=b", "many"), ("do", "call")]).await;
    assert_eq!(page.status, 422);
    for said in ["value=\"2\"", "value=\"many\"", "It takes a number, not `many`", "Nothing was sent"] {
        assert!(page.text.contains(said), "`{said}` is not in {}", page.text);
    }
    let back = submit(&gateway, "calculator___add_numbers", &[("a.=a", "2"), ("a.=b", "many"), ("do", "edit")]).await;
    assert!(back.status == 200 && back.text.contains("value=\"many\""), "{}", back.text);
    assert_eq!(calls(&gateway), (0, None));
}

#[tokio::test]
async fn a_tool_that_asks_back_gets_an_answer() {
    for kind in [Kind::ModernHttp, Kind::LegacyHttp] {
        let fixture = Fixture::start(kind).await;
        let gateway = Gateway::start([fixture.target()]).await;
        let asked = submit(&gateway, "f___test_elicitation", &[("a.=message", "Who <are> you?"), ("do", "call")]).await;
        assert!(asked.text.contains("Who &lt;are&gt; you?"), "{}", asked.text);
        let questions = unescaped(&asked.field("asked"));
        // A modern server need not give any.
        let state = asked.text.contains("name=\"state\"").then(|| unescaped(&asked.field("state")));
        let mut said = vec![("a.=message", "Who <are> you?"), ("asked", questions.as_str())];
        said.extend(state.as_deref().map(|state| ("state", state)));
        let missing = submit(&gateway, "f___test_elicitation", &[&said[..], &[("do", "accept")]].concat()).await;
        assert!(missing.status == 422 && missing.text.contains("It is needed"), "{}", missing.text);
        let answers = [("q0.=username", "eve"), ("q0.=email", "eve@example.org"), ("do", "accept")];
        let page = submit(&gateway, "f___test_elicitation", &[&said[..], &answers].concat()).await;
        let shown = "Elicitation completed: action=accept";
        assert!(page.text.contains(shown) && page.text.contains("eve@example.org"), "{kind:?} {}", page.text);
    }
}

#[tokio::test]
async fn what_a_tool_says_on_its_way_is_shown() {
    let fixture = Fixture::start(Kind::ModernHttp).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let page = submit(&gateway, "f___test_tool_with_progress", &[("do", "call")]).await;
    assert!(page.text.contains("50 of 100") && page.text.contains("Reported progress."), "{}", page.text);
    let page = submit(&gateway, "f___test_tool_with_logging", &[("do", "call")]).await;
    assert!(page.text.contains("Tool processing data"), "{}", page.text);
    assert!(gateway.calls.recent().iter().all(|call| call.outcome.word() == "ok"));
}

#[tokio::test]
async fn a_target_that_fails_is_told_from_a_tool_that_does() {
    let gateway = Gateway::start([scripted("t", "legacy", &["exit"])]).await;
    let page = submit(&gateway, "t___exit", &[("do", "call")]).await;
    assert!(page.text.contains("The target failed") && page.text.contains("broke off its answer"), "{}", page.text);
    let fixture = Fixture::start(Kind::ModernHttp).await;
    let gateway = Gateway::start([fixture.target()]).await;
    let page = submit(&gateway, "f___test_error_handling", &[("do", "call")]).await;
    assert!(page.text.contains("The tool reports an error"), "{}", page.text);
}

#[tokio::test]
async fn leaving_the_page_cancels_the_call() {
    let fake = FakeTarget::start(Speaks::Modern);
    fake.on("tools/call", |_| std::future::pending());
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let request = client().post(format!("{}/tools/t___echo", gateway.admin)).header("origin", &gateway.admin);
    let mut page = request.body("do=call").send().await.unwrap();
    let begun = page.chunk().await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&begun).contains("The call runs."));
    let asked = fake.until_asked(|asked| asked.method == "tools/call").await;
    drop(page);
    fake.until_dropped(&asked.id).await;
}

#[tokio::test]
async fn no_page_of_a_stranger_calls_a_tool() {
    let calculator = Server::start(Sample::Calculator).await;
    let gateway = Gateway::start([calculator.target()]).await;
    let url = format!("{}/tools/calculator___add_numbers", gateway.admin);
    let form = [("a.=a", "2"), ("a.=b", "3"), ("do", "call")];
    for origin in ["https://evil.example", "http://localhost:1", "null"] {
        assert_eq!(browser(&gateway).submit_from(origin, &url, &form).await.status, 403, "{origin}");
    }
    let by_hand = client().post(&url).body("a.=a=2&a.=b=3&do=call").send().await.unwrap();
    assert_eq!(by_hand.status(), 403);
    assert_eq!(calls(&gateway), (0, None));
}

#[tokio::test]
async fn who_runs_the_gateway_can_forbid_it() {
    let calculator = Server::start(Sample::Calculator).await;
    let listen = "127.0.0.1:0".parse().unwrap();
    let gateway = Gateway::start_with([calculator.target()], |config| {
        config.admin = Some(Admin { listen, open_metrics: false, try_tools: false });
    })
    .await;
    let page = submit(&gateway, "calculator___add_numbers", &[("a.=a", "2"), ("a.=b", "3"), ("do", "call")]).await;
    assert!(page.status == 403 && page.text.contains("admin.try_tools"), "{}", page.text);
    let catalog = browser(&gateway).open(&format!("{}/catalog", gateway.admin)).await;
    assert!(!catalog.text.contains("/tools/"), "{}", catalog.text);
    assert_eq!(calls(&gateway), (0, None));
}

/// A program, not a browser.
fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
