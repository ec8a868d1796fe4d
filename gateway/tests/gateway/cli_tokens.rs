//! `causeway token` with the issuer of these tests: what is shown, what is not, and what comes of mistakes.

use causeway::{
    identity_provider::{self, IdentityProvider, Pool, PoolClient, PublicClient, User},
    secret::Secret,
};
use causeway_oidc::clock::Clock;
use serde_json::{Map, json};
use tokio::net::TcpListener;

use crate::command::{run, run_with};

const POOL: &str = "people";

/// An issuer with a client, `alice`, and a user, `bob`; gives its token endpoint.
async fn issuer() -> String {
    let client = PoolClient {
        id: "alice".into(),
        secret: Secret::new("alice-secret"),
        scopes: vec!["tools/invoke".into()],
        extra_claims: Map::new(),
    };
    let cli = PublicClient { id: "cli".into(), callback_urls: vec![], scopes: vec![], extra_claims: Map::new() };
    let bob = User {
        name: "bob".into(),
        password: Secret::new("not known to anybody"),
        temporary_password: Secret::new("Temporary-1"),
    };
    let pool = Pool { id: POOL.into(), clients: vec![client], public_clients: vec![cli], users: vec![bob] };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = identity_provider::base_url(listener.local_addr().unwrap());
    let router = IdentityProvider::new(vec![pool], Clock::system()).router(base.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    identity_provider::token_url(&base, POOL).into()
}

#[tokio::test]
async fn a_token_is_told_and_shown_only_when_asked_for() {
    let endpoint = issuer().await;
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
async fn a_temporary_password_is_changed_for_one_of_the_users_own() {
    let endpoint = issuer().await;
    let endpoint = endpoint.rsplit_once(POOL).unwrap().0;
    let ask = async |more: &[&str], variables: &[(&str, &str)]| {
        let mut arguments =
            vec!["token", "password", "--endpoint", endpoint, "--client-id", "cli", "--username", "bob"];
        arguments.extend(more);
        run_with(&arguments, variables, "").await
    };
    let first = ("COGNITO_PASSWORD", "Temporary-1");
    let unsaid = ask(&[], &[first]).await;
    assert_eq!(unsaid.code, Some(1));
    assert!(unsaid.stderr.contains("say where it is, with `--new-password-env NAME`"), "{unsaid:?}");
    let changed = ask(&["--json", "--debug", "--new-password-env", "NEW"], &[first, ("NEW", "Own-password-2")]).await;
    assert_eq!(changed.json()["claims"]["username"], "bob", "{changed:?}");
    assert!(
        changed.stderr.contains("RespondToAuthChallenge") && !changed.stderr.contains("Own-password-2"),
        "{changed:?}"
    );
    assert_eq!(ask(&[], &[first]).await.code, Some(1), "it was for once");
    assert_eq!(ask(&["--json"], &[("COGNITO_PASSWORD", "Own-password-2")]).await.json()["claims"]["username"], "bob");
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let none = run(&["token", "client-credentials", "--client-id", "a", "--client-secret-env", "UNSET_VARIABLE"]).await;
    assert_eq!(none.code, Some(2));
    insta::assert_snapshot!(none.stderr, @"error: the variable `UNSET_VARIABLE` is not set; put the client's secret into it");
    let arguments = ["token", "client-credentials", "--client-id", "a", "--client-secret-env", "S"];
    let nowhere = run_with(&arguments, &[("S", "hunter2")], "").await;
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
