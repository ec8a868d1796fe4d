//! `causeway destroy` and `causeway status`: what is left, what is known, and what is said of it.

use nix::sys::signal::Signal;
use serde_json::json;

use crate::stand_in::{GATEWAY, StandIn, credentials, ended, signal};

#[tokio::test]
async fn what_was_deployed_is_removed_and_forgotten() {
    let here = StandIn::new().await;
    here.deploy().await;
    here.calls();
    let refused = here.run(&["destroy", "--gateway-name", GATEWAY]).await;
    assert_eq!((refused.code, here.calls().len()), (Some(2), 0), "nobody can be asked: {refused:?}");
    let done = here.run(&["destroy", "--gateway-name", GATEWAY, "--confirm"]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    let calls = here.calls();
    assert!(calls[0].starts_with("plan ") && calls[0].contains(" -destroy"), "{calls:?}");
    assert!(calls.len() == 2 && calls[1].starts_with("apply "), "{calls:?}");
    assert!(!here.path(".causeway").exists() && here.path(&credentials()).exists());
    assert!(done.stderr.contains(&credentials()), "it is said where the credentials file is: {done:?}");
    let again = here.run(&["destroy", "--gateway-name", GATEWAY, "--confirm"]).await;
    assert!(again.code == Some(2) && again.stderr.contains("nothing was"), "{again:?}");
}

#[tokio::test]
async fn the_credentials_file_goes_if_that_is_asked_for() {
    let here = StandIn::new().await;
    here.deploy().await;
    let done = here.run(&["destroy", "--gateway-name", GATEWAY, "--confirm", "--credentials"]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(!here.path(&credentials()).exists());
}

#[tokio::test]
async fn what_is_interrupted_is_known_and_goes_on() {
    let here = StandIn::new().await;
    here.deploy().await;
    here.stop_at("apply");
    let run = here.run(&["status", "--offline", "--json"]).await.json();
    assert_eq!((&run["gateways"][0]["step"], &run["ok"]), (&json!("finished"), &json!(true)), "{run}");
    let arguments = ["destroy", "--gateway-name", GATEWAY, "--confirm"];
    let destroy = here.start(&arguments);
    here.stopped_at("apply").await;
    signal(&destroy, Signal::SIGTERM);
    let first = ended(destroy).await;
    assert_eq!((first.code, here.step().as_str()), (Some(130), "destroying"), "{first:?}");
    let known = here.run(&["status", "--offline"]).await;
    assert!(known.stdout.contains("being destroyed: Terraform did not end what it began"), "{known:?}");
    let second = here.run(&arguments).await;
    assert!(second.code == Some(0) && second.stderr.contains("an earlier `causeway destroy` has ended"), "{second:?}");
}

#[tokio::test]
async fn what_was_never_made_is_forgotten_without_terraform() {
    let here = StandIn::new().await;
    here.fail_at("plan");
    here.deploy().await;
    here.calls();
    let done = here.run(&["destroy", "--gateway-name", GATEWAY, "--yes"]).await;
    assert_eq!((done.code, here.calls().len()), (Some(0), 0), "{done:?}");
    assert!(done.stderr.contains("nothing of it was made at AWS") && !here.path(".causeway").exists(), "{done:?}");
}

#[tokio::test]
async fn what_terraform_does_not_find_is_not_forgotten() {
    let here = StandIn::new().await;
    here.deploy().await;
    here.write("told/no-changes", "");
    let arguments = ["destroy", "--gateway-name", GATEWAY, "--confirm"];
    let kept = here.run(&arguments).await;
    assert!(kept.code == Some(1) && kept.stderr.contains("credentials of another account"), "{kept:?}");
    assert!(here.path(&here.home("terraform/agentcore/terraform.tfstate")).exists());
    // It is otherwise where a run before had begun to remove it.
    std::fs::remove_file(here.path("told/no-changes")).unwrap();
    here.fail_at("apply");
    assert_eq!(here.run(&arguments).await.code, Some(1));
    here.write("told/no-changes", "");
    assert_eq!(here.run(&arguments).await.code, Some(0));
    assert!(!here.path(".causeway").exists());
}

#[tokio::test]
async fn what_deploying_needed_is_not_needed_to_destroy() {
    let here = StandIn::new().await;
    here.deploy().await;
    for gone in ["calculator", &here.home("sources")] {
        std::fs::remove_dir_all(here.path(gone)).unwrap();
    }
    here.write(".env", "COGNITO_PASSWORD='hunter\n");
    here.write(&credentials(), "{");
    here.fail_at("apply");
    let arguments = ["destroy", "--gateway-name", GATEWAY, "--confirm"];
    assert_eq!(here.run(&arguments).await.code, Some(1));
    let variables = here.json(&here.home("terraform/agentcore/causeway.auto.tfvars.json"));
    for server in variables["servers"].as_object().unwrap().values() {
        let source = std::path::Path::new(server["source_directory"].as_str().unwrap());
        assert!(source.join("Dockerfile").is_file(), "the root takes no other: {server}");
    }
    assert!(here.environment("plan").contains("TF_VAR_account_id=123456789012\n"));
    assert_eq!(here.run(&arguments).await.code, Some(0));
}

#[tokio::test]
async fn one_gateway_that_is_unknown_hides_no_other() {
    let here = StandIn::new().await;
    here.deploy().await;
    here.write(".causeway/broken/state.json", "{\"vers");
    here.write(".agentcore-credentials-broken.json", "{");
    let status = here.run(&["status", "--offline", "--update-token"]).await;
    assert_eq!(status.code, Some(1), "{status:?}");
    assert!(status.stdout.contains("there is a new one"), "{status:?}");
    assert!(status.stdout.contains("remove it and deploy again"), "{status:?}");
}

#[tokio::test]
async fn who_cannot_be_asked_has_kept_nobody_out() {
    let here = StandIn::new().await;
    here.deploy().await;
    let mut state = here.json(&here.home("state.json"));
    state["outputs"]["gateway_url"] = json!("http://127.0.0.1:1/401/mcp");
    here.write(&here.home("state.json"), &state.to_string());
    let status = here.run(&["status", "--offline", "--test-auth"]).await;
    assert!(status.code == Some(1) && !status.stdout.contains("lets nobody in"), "{status:?}");
}

#[tokio::test]
async fn a_new_token_is_put_into_the_credentials_file() {
    let here = StandIn::new().await;
    here.deploy().await;
    let mut file = here.json(&credentials());
    file.as_object_mut().unwrap().remove("access_token");
    here.write(&credentials(), &file.to_string());
    let without = here.run(&["status", "--offline", "--gateway-name", GATEWAY]).await;
    assert!(without.code == Some(0) && without.stdout.contains("holds no access token"), "{without:?}");
    let with = here.run(&["status", "--offline", "--gateway-name", GATEWAY, "--update-token"]).await;
    assert!(with.code == Some(0) && with.stdout.contains("there is a new one"), "{with:?}");
    let token = here.json(&credentials())["access_token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("eyJ") && !with.stdout.contains(&token));
    assert_eq!(here.mode(&credentials()), 0o600);
    let other = here.run(&["status", "--gateway-name", "other"]).await;
    assert!(other.code == Some(2) && other.stderr.contains("`my-gateway` was"), "{other:?}");
}

#[tokio::test]
async fn what_has_not_ended_is_not_said_to_be_good() {
    let here = StandIn::new().await;
    let planned = here.deploy_asking(&["--plan-only"]).await;
    assert!(planned.stderr.contains("nothing was changed; the same command without `--plan-only` asks"), "{planned:?}");
    let status = here.run(&["status"]).await;
    insta::assert_snapshot!(status.stdout, @"
        gateway my-gateway
          warning here: planned for us-east-1, nothing made at AWS
                  → `causeway deploy` makes it, without `--plan-only`; `causeway destroy --gateway-name
                  my-gateway` forgets it

        1 warning
        ");
    here.fail_at("apply");
    assert_eq!(here.deploy().await.code, Some(1));
    let status = here.run(&["status"]).await;
    insta::assert_snapshot!(status.stdout, @"
        gateway my-gateway
          warning here: being made: Terraform did not end what it began, in us-east-1
                  → go on with the command that was interrupted, or remove it with `causeway destroy
                  --gateway-name my-gateway`
          warning credentials: `./.agentcore-credentials-my-gateway.json` holds no client of the gateway
                  yet, because the deployment has not ended
                  → give the same `causeway deploy` again, which ends it and completes the file

        2 warnings
        ");
    here.deploy().await;
    let status = here.run(&["status", "--offline"]).await;
    assert!(status.code == Some(0) && status.stdout.contains("nothing was asked at AWS"), "{status:?}");
    assert!(!status.stdout.contains("everything is well"), "{status:?}");
}

#[tokio::test]
async fn a_gateway_that_takes_signatures_needs_no_client() {
    let here = StandIn::new().await;
    let config = "authorizer = \"none\"\ndeploy = { gateway_name = \"my-gateway\", authorizer = \"iam\" }\n[[targets]]\n\
                  name = \"a\"\nhttp.endpoint = \"https://a.example.com/mcp\"\n";
    here.write("config.toml", config);
    here.give(json!({"gateway_url": "https://g.example/mcp"}));
    here.fail_at("output");
    assert_eq!(here.run(&["deploy", "--yes"]).await.code, Some(1));
    let status = here.run(&["status", "--offline", "--json"]).await;
    assert!(status.stdout.contains("the deployment has not ended"), "{status:?}");
    assert_eq!(here.run(&["deploy", "--yes"]).await.code, Some(0));
    let status = here.run(&["status", "--offline", "--json"]).await;
    assert!(status.stdout.contains("holds no client: the gateway takes signatures"), "{status:?}");
}

#[tokio::test]
async fn of_the_gateway_itself_nothing_is_asked_at_aws() {
    let here = StandIn::new().await;
    assert_eq!(here.run(&["deploy", "lambda", "--name", "tools", "--yes"]).await.code, Some(0));
    let status = here.run(&["status", "--test-auth"]).await;
    assert_eq!(status.code, Some(0), "{status:?}");
    insta::assert_snapshot!(status.stdout, @"
        gateway tools
          ok      here: deployed, in us-east-1
          unknown AWS: nothing was asked at AWS, as for every deployment of this kind
                  → list its tools with `causeway tools URL`; see what has changed with `causeway deploy
                  lambda … --plan-only`

        no problem is known, and not everything was looked at
        ");
}
