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
    assert!(calls[1].starts_with("plan ") && calls[1].contains(&file), "{calls:?}");
    assert!(here.read("told/directory").trim().ends_with(".causeway/tools/terraform/self-hosted"));
    let variables = here.json(".causeway/tools/terraform/self-hosted/causeway.auto.tfvars.json");
    assert_eq!(variables, json!({"name": "tools", "region": "us-east-1", "config_toml": CONFIG}));
    assert_eq!(ended.json()["gateway_id"], "my-gateway-a1b2c3d4e5");
    let status = here.run(&["status", "--offline"]).await;
    assert!(status.code == Some(0) && status.stdout.contains("deployed, in us-east-1\n"), "{status:?}");
    assert_eq!(here.run(&["destroy", "--gateway-name", "tools", "--yes"]).await.code, Some(0));
    let calls = here.calls();
    assert!(calls[0].contains("-destroy") && calls[0].contains(&file), "{calls:?}");
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
