//! The gateway itself, deployed by the same steps: variable files, the text of config.toml, names that are taken.

use serde_json::json;

use crate::stand_in::{GATEWAY, StandIn};

const CONFIG: &str =
    "authorizer = \"none\"\n[[targets]]\nname = \"a\"\nhttp.endpoint = \"https://a.example.com/mcp\"\n";

fn arguments(kind: &'static str) -> [&'static str; 9] {
    ["deploy", kind, "--name", "tools", "--var-file", "prod.tfvars", "--config", "config.toml", "--yes"]
}

#[tokio::test]
async fn the_gateway_itself_is_deployed_and_removed_with_its_variable_files() {
    let here = StandIn::new().await;
    here.write("prod.tfvars", "image = \"x\"\n");
    here.write("config.toml", CONFIG);
    let ended = here.run(&[&arguments("self-hosted")[..], &["--json"]].concat()).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let file = format!("-var-file={}", std::fs::canonicalize(here.path("prod.tfvars")).unwrap().display());
    let calls = here.calls();
    let files = format!("{file} -var-file=causeway.auto.tfvars.json");
    assert!(calls[1].starts_with("plan ") && calls[1].contains(&files), "what is said here counts more: {calls:?}");
    assert!(here.read("told/directory").trim().ends_with(".causeway/tools/terraform/self-hosted"));
    let variables = here.json(".causeway/tools/terraform/self-hosted/causeway.auto.tfvars.json");
    assert_eq!(variables, json!({"name": "tools", "config_toml": CONFIG}), "nothing that nobody said");
    assert_eq!(ended.json()["gateway_id"], "my-gateway-a1b2c3d4e5");
    let status = here.run(&["status", "--offline"]).await;
    assert!(status.code == Some(0) && status.stdout.contains("deployed, in us-east-1\n"), "{status:?}");
    assert_eq!(here.run(&["destroy", "--gateway-name", "tools", "--yes"]).await.code, Some(0));
    let calls = here.calls();
    assert!(calls[0].contains("-destroy") && calls[0].contains(&files), "{calls:?}");
}

#[tokio::test]
async fn the_region_is_the_one_that_is_planned() {
    let here = StandIn::new().await;
    here.write("told/plan.json", r#"{"variables": {"region": {"value": "eu-west-1"}}}"#);
    let deploy = ["deploy", "lambda", "--name", "tools", "--yes"];
    assert_eq!(here.run(&deploy).await.code, Some(0));
    let state = ".causeway/tools/state.json";
    assert_eq!(here.json(state)["region"], "eu-west-1");
    let elsewhere = here.run(&[&deploy[..], &["--region", "us-east-1"]].concat()).await;
    assert!(elsewhere.code == Some(2) && elsewhere.stderr.contains("is deployed in `eu-west-1`"), "{elsewhere:?}");
    here.write("told/plan.json", r#"{"variables": {"region": {"value": "us-east-1"}}}"#);
    here.calls();
    let moved = here.run(&deploy).await;
    assert!(moved.code == Some(2) && moved.stderr.contains("not in `us-east-1`"), "a file says another: {moved:?}");
    assert_eq!(
        (here.json(state)["region"].as_str(), here.commands().join(" ")),
        (Some("eu-west-1"), "plan show".into())
    );
    assert_eq!(here.run(&["destroy", "--gateway-name", "tools", "--yes"]).await.code, Some(0));
    assert!(here.calls()[0].ends_with("-destroy -var=region=eu-west-1 -no-color"));
}

#[tokio::test]
async fn a_region_that_is_given_counts_and_is_passed_on() {
    let here = StandIn::new().await;
    let deploy = ["deploy", "self-hosted", "--name", "tools", "--region", "eu-west-1", "--plan-only"];
    let ended = here.run(&deploy).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("nothing was changed; the same command without `--plan-only`"), "{ended:?}");
    let variables = here.json(".causeway/tools/terraform/self-hosted/causeway.auto.tfvars.json");
    assert_eq!(variables, json!({"name": "tools", "region": "eu-west-1"}));
    assert_eq!(here.json(".causeway/tools/state.json")["region"], "eu-west-1");
}

#[tokio::test]
async fn commands_are_shown_as_they_are_pasted() {
    let here = StandIn::new().await;
    let commands = json!({"list_tools": "causeway tools https://g.example.com/mcp", "registry_login": null});
    here.give(json!({"url": "https://g.example.com/mcp", "commands": commands}));
    let ended = here.run(&["deploy", "self-hosted", "--name", "tools", "--yes"]).await;
    insta::assert_snapshot!(ended.stdout, @"
        `tools` is deployed
          url                       https://g.example.com/mcp
        Next
          list_tools
            causeway tools https://g.example.com/mcp
        ");
}

#[tokio::test]
async fn what_it_would_serve_is_checked_but_for_what_is_there_alone() {
    let here = StandIn::new().await;
    let config = |more: &str| {
        format!(
            "[gateway]\npublic_url = \"${{public_url}}\"\n[sessions]\nkey_env = [\"CAUSEWAY_SESSION_KEY\"]\n\
             [authorizer.custom_jwt]\ndiscovery_url = \"${{discovery_url}}\"\nallowed_clients = [\"${{client_id}}\"]\n\
             [[targets]]\nname = \"a\"\nhttp.endpoint = \"https://a.example.com/mcp\"\n\
             credential.api_key = {{ key_file = \"/run/secrets/a\", parameter_name = \"X-Api-Key\" }}\n{more}"
        )
    };
    here.write("prod.tfvars", "");
    here.write("config.toml", &config("resource_priority = 5000\n"));
    let wrong = here.run(&arguments("lambda")).await;
    assert_eq!(wrong.code, Some(64), "{wrong:?}");
    insta::assert_snapshot!(wrong.stderr, @"
        config.toml:12: target `a`: `resource_priority` takes 0 to 1000, not 5000; leave it out for the default, 1000
        1 mistake
        ");
    assert!(here.calls().is_empty() && !here.path(".causeway").exists());
    here.write("config.toml", &config(""));
    let taken = here.run(&arguments("lambda")).await;
    assert_eq!(taken.code, Some(0), "{taken:?}");
    let variables = here.json(".causeway/tools/terraform/lambda/causeway.auto.tfvars.json");
    assert_eq!(variables["config_toml"], config(""), "Terraform fills it in");
    let other = here.run(&arguments("self-hosted").map(|it| if it == "tools" { "others" } else { it })).await;
    assert!(other.code == Some(64) && other.stderr.contains("config.toml:2: `gateway.public_url`"), "{other:?}");
}

#[tokio::test]
async fn each_kind_has_a_help_of_its_own() {
    let here = StandIn::new().await;
    for (kind, other) in [("self-hosted", "lambda"), ("lambda", "self-hosted")] {
        let help = here.run(&["deploy", kind, "--help"]).await.stdout;
        assert!(help.contains(&format!("causeway deploy {kind} --name")), "{help}");
        assert!(!help.contains(&format!("deploy {other}")) && !help.contains("shared state"), "{help}");
    }
}

#[tokio::test]
async fn every_mistake_is_said_before_anything_is_written() {
    let here = StandIn::new().await;
    here.write("config.toml", "authorizer = \"none\"\n[gatewy]\n");
    let wrong = here.run(&["deploy", "self-hosted", "--name", "a_b", "--var-file", "prod.json", "--yes"]).await;
    assert_eq!((wrong.code, wrong.stderr.lines().count()), (Some(64), 3), "{wrong:?}");
    here.write("prod.tfvars", "");
    let wrong = here.run(&arguments("self-hosted")).await;
    assert!(wrong.code == Some(64) && wrong.stderr.contains("did you mean `gateway`?"), "{wrong:?}");
    assert!(here.calls().is_empty() && !here.path(".causeway").exists());
}

#[tokio::test]
async fn a_name_stands_for_one_deployment() {
    let here = StandIn::new().await;
    here.deploy().await;
    let taken = here.run(&["deploy", "self-hosted", "--name", GATEWAY, "--yes"]).await;
    assert!(taken.code == Some(2) && taken.stderr.contains("another kind of deployment"), "{taken:?}");
}
