//! `causeway token` with the issuer of these tests: what is shown, what is not, and what comes of mistakes.

use causeway::identity_provider;
use serde_json::json;

use crate::{
    command::{run, run_with},
    issuer::Issuer,
};

const POOL: &str = "callers";

#[tokio::test]
async fn a_token_is_told_and_shown_only_when_asked_for() {
    let issuer = Issuer::start().await;
    let endpoint = identity_provider::token_url(&issuer.base, POOL).to_string();
    let ask = |more: &'static [&'static str]| {
        let mut arguments = vec!["token", "client-credentials", "--client-id", "alice", "--client-secret-env", "S"];
        arguments.extend(["--token-endpoint", endpoint.as_str()]);
        arguments.extend(more);
        let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        async move {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            run_with(&arguments, &[("S", "alice-secret")], "").await
        }
    };
    let told = ask(&[]).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.stdout.starts_with("an access token\n") && told.stdout.contains("client       alice"), "{told:?}");
    assert!(!told.stdout.replace("eyJ…", "").contains("eyJ"), "{told:?}");
    let raw = ask(&["--raw"]).await.stdout;
    assert_eq!((raw.matches('.').count(), raw.lines().count()), (2, 1));
    let looked = run_with(&["token", "inspect", "--json"], &[], &format!("Bearer {raw}")).await.json();
    assert_eq!((&looked["claims"]["client_id"], &looked["warnings"]), (&json!("alice"), &json!([])));
    let debug = ask(&["--debug"]).await;
    assert!(debug.stderr.contains(r#""access_token": "<redacted>""#), "{debug:?}");
    assert!(!debug.stderr.contains(raw.trim()) && !debug.stderr.contains("alice-secret"), "{debug:?}");
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let none = run(&["token", "client-credentials", "--client-id", "a", "--client-secret-env", "UNSET_VARIABLE"]).await;
    assert_eq!(none.code, Some(2));
    insta::assert_snapshot!(none.stderr, @"error: the variable `UNSET_VARIABLE` is not set; put the client's secret into it");
    let nowhere = run_with(
        &["token", "client-credentials", "--client-id", "a", "--client-secret-env", "S"],
        &[("S", "hunter2")],
        "",
    );
    let nowhere = nowhere.await;
    assert_eq!(nowhere.code, Some(2));
    assert!(nowhere.stderr.contains("--token-endpoint") && !nowhere.stderr.contains("hunter2"), "{nowhere:?}");
    let empty = run(&["token", "inspect"]).await;
    assert_eq!(empty.code, Some(2), "{empty:?}");
    let several = run_with(&["token", "inspect"], &[], "two words").await;
    assert_eq!(several.code, Some(2), "{several:?}");
    let dev = run_with(&["token", "dev"], &[("HOME", "/nonexistent")], "").await;
    assert_eq!(dev.code, Some(1));
    insta::assert_snapshot!(dev.stderr, @"error: no `causeway dev` of yours runs here whose gateway takes tokens; start one");
}
