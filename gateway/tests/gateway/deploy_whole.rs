//! A deployment from its beginning to its end: what Terraform is told and what it is not, what is written and for whom, what is shown.

use std::fs;

use serde_json::json;

use crate::stand_in::{GATEWAY, JOINED, PASSWORD, SECRET, StandIn, credentials};

#[tokio::test]
async fn two_servers_become_a_gateway() {
    let here = StandIn::new().await;
    let ended = here.deploy().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("Plan: 3 to add"), "what Terraform says is passed on: {ended:?}");
    assert_eq!(here.commands(), ["init", "plan", "apply", "output"]);
    assert_eq!(
        here.read("told/directory").trim(),
        fs::canonicalize(here.path(&here.home("terraform/agentcore"))).unwrap().to_str().unwrap()
    );
    let variables = here.json(&here.home("terraform/agentcore/causeway.auto.tfvars.json"));
    let source = fs::canonicalize(here.path(&here.home("sources/my-calculator"))).unwrap();
    let server = &variables["servers"]["my-calculator"];
    assert_eq!(server["source_directory"], json!(source));
    assert_eq!((&variables["gateway_name"], &variables["region"]), (&json!(GATEWAY), &json!("us-east-1")));
    assert_eq!(variables["test_user"], json!({"username": "testuser", "create": true}));
    assert_eq!(here.step(), "finished");
    assert!(!here.path(&here.home("plan")).exists(), "a plan may hold secrets");
}

#[tokio::test]
async fn secrets_go_by_the_environment_and_stay_in_one_file() {
    let here = StandIn::new().await;
    let ended = here.deploy().await;
    let token = here.json(&credentials())["access_token"].as_str().unwrap().to_owned();
    let secrets = [SECRET, PASSWORD, token.as_str(), "hunter5-of-the-server"];
    assert!(token.starts_with("eyJ"), "a real one");
    for command in ["init", "plan", "apply"] {
        assert!(here.environment(command).contains(&format!("TF_VAR_test_user_password={PASSWORD}")), "{command}");
    }
    let calls = here.calls().join("\n");
    let written =
        ["state.json", "terraform/agentcore/causeway.auto.tfvars.json"].map(|name| here.read(&here.home(name)));
    for secret in secrets {
        assert!(!calls.contains(secret) && !written.join("").contains(secret), "{secret}");
        assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret), "{secret}: {ended:?}");
    }
    let file = here.json(&credentials());
    assert_eq!((&file["client_secret"], &file["user_pool_id"]), (&json!(SECRET), &json!("us-east-1_Example")));
    assert_eq!(file["test_user"], json!({"username": "testuser", "password": PASSWORD}));
    assert!(file["gateway_url"].as_str().unwrap().ends_with("/mcp"));
    assert_eq!(here.mode(&credentials()), 0o600);
    assert_eq!(here.mode(&here.home("terraform/agentcore/causeway.auto.tfvars.json")), 0o600);
    assert_eq!(here.mode(".causeway/my-gateway"), 0o700);
    assert_eq!(here.read(".causeway/.gitignore"), "*\n");
    assert!(!here.path(&here.home("sources/my-calculator/server/.env")).exists());
}

#[tokio::test]
async fn what_is_shown_leaves_secrets_out() {
    let here = StandIn::new().await;
    let shown = here.deploy().await.stdout.replace(&here.path("").display().to_string(), "…/");
    insta::assert_snapshot!(shown, @r#"
        Gateway connection information
          Gateway URL    https://my-gateway-a1b2c3d4e5.gateway.bedrock-agentcore.us-east-1.amazonaws.com/mcp
          Gateway ID     my-gateway-a1b2c3d4e5
          Region         us-east-1
          User Pool ID   us-east-1_Example
          Client ID      <redacted>
          Client Secret  <redacted>
          Access Token   <redacted>
          Test user      testuser, password <redacted>
          Credentials    .agentcore-credentials-my-gateway.json (for you alone: mode 600)
        Runtimes
          my-calculator  arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my_calculator-a1b2c3d4e5
        Next
          causeway status --gateway-name my-gateway --test-auth
          causeway client vscode --url https://my-gateway-a1b2c3d4e5.gateway.bedrock-agentcore.us-east-1.amazonaws.com/mcp --name my-gateway --auth token-prompt
          causeway destroy --gateway-name my-gateway
          what else there is to do: docs/deploy.md
        "#);
    let machine = here.deploy_with(&["--json"]).await.json();
    assert_eq!((&machine["hasToken"], &machine["outputs"]["client_id"]), (&json!(true), &json!("client")));
}

#[tokio::test]
async fn a_command_that_is_shown_works_as_it_is_shown() {
    let here = StandIn::new().await;
    here.write("my desk/x", "");
    let configs = r#"[{"name": "my-image", "image_uri": "public.ecr.aws/a/b:1"}]"#;
    let desk = here.path("my desk").display().to_string();
    let deploy = ["deploy", "--gateway-name", GATEWAY, "--runtime-configs", configs, "--yes", "--directory", &desk];
    let shown = here.run(&deploy).await;
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let lines = shown.stdout.lines().filter_map(|line| line.trim().strip_prefix("causeway "));
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    for line in lines {
        let words = line.replace(&format!("'{desk}'"), "DESK");
        let words: Vec<&str> =
            words.split_whitespace().map(|word| if word == "DESK" { &*desk } else { word }).collect();
        // The gateway is none, and nobody can be asked.
        let more: &[&str] = match words[0] {
            "status" => &["--offline"],
            "destroy" => &["--yes"],
            _ => &[],
        };
        let ended = here.run(&[&words[..], more].concat()).await;
        let found = if words[0] == "status" { ended.stdout.contains("ok      here") } else { ended.code == Some(0) };
        assert!(found, "{line}: {ended:?}");
    }
}

#[tokio::test]
async fn a_profile_that_is_named_counts_more_than_keys() {
    let here = StandIn::new().await;
    here.deploy_with(&["--profile", "prod"]).await;
    let environment = here.environment("apply");
    let has = |line: &str| environment.lines().any(|found| found == line);
    assert!(has("AWS_PROFILE=prod") && has("AWS_ACCESS_KEY_ID=") && has("AWS_SESSION_TOKEN="), "{environment}");
    here.deploy().await;
    let environment = here.environment("apply");
    assert!(!environment.contains("AWS_ACCESS_KEY_ID"), "{environment}");
    assert!(environment.contains("TF_VAR_account_id=123456789012\n"), "the account is known by now: {environment}");
}

#[tokio::test]
async fn one_file_serves_here_and_deploys_there() {
    let here = StandIn::new().await;
    here.write(
        "config.toml",
        r#"
        authorizer = "none"
        [deploy]
        gateway_name = "my-gateway"
        region = "eu-west-1"
        leave_out = ["time"]
        [[targets]]
        name = "calculator"
        stdio.command = ["python3", "calculator/server.py"]
        deploy.entrypoint = "calculator/server.py"
        deploy.requirements_file = "calculator/requirements.txt"
        deploy.log_groups = ["/aws/lambda/orders"]
        deploy.environment = { LEVEL = "info" }
        [[targets]]
        name = "orders"
        http.endpoint = "https://orders.example.com/mcp"
        [targets.credential.client_credentials]
        token_endpoint = "https://issuer.example.com/token"
        client_id = "causeway"
        client_secret_env = "ORDERS_SECRET"
        scopes = ["orders/invoke"]
        [[targets]]
        name = "time"
        stdio.command = ["uvx", "mcp-server-time"]
        "#,
    );
    let ended = here.run(&["deploy", "--yes"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let variables = here.json(&here.home("terraform/agentcore/causeway.auto.tfvars.json"));
    assert_eq!(variables["region"], "eu-west-1");
    assert_eq!(variables["servers"]["calculator"]["log_groups"], json!(["/aws/lambda/orders"]));
    let client = json!({"token_endpoint": "https://issuer.example.com/token", "client_id": "causeway", "scopes": ["orders/invoke"]});
    assert_eq!(
        variables["targets"],
        json!({"orders": {"endpoint": "https://orders.example.com/mcp", "client_credentials": client}})
    );
    assert_eq!(variables["target_secrets_version"], 1);
    assert!(here.environment("apply").contains(&format!(r#"TF_VAR_target_secrets={{"orders":"{JOINED}"}}"#)));
    assert!(!here.read(&here.home("state.json")).contains(JOINED));
    assert_eq!(here.run(&["check"]).await.code, Some(0), "the same file serves");
}

#[tokio::test]
async fn a_region_that_aws_does_not_have_is_doubted() {
    let here = StandIn::new().await;
    let ended = here.deploy_with(&["--region", "us-esat-1"]).await;
    assert!(ended.code == Some(0) && ended.stderr.contains("did you mean `us-east-1`?"), "{ended:?}");
}

#[tokio::test]
async fn a_token_that_cannot_be_had_is_a_warning() {
    let here = StandIn::new().await;
    here.give(json!({
        "gateway_url": "https://g.example/mcp", "user_pool_id": "us-east-1_Example", "client_id": "client",
        "client_secret": SECRET, "token_endpoint": "http://127.0.0.1:1/token",
    }));
    let ended = here.deploy().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("causeway status --gateway-name my-gateway --update-token"), "{ended:?}");
    let file = here.json(&credentials());
    assert_eq!((&file["client_secret"], file.get("access_token")), (&json!(SECRET), None));
}

#[tokio::test]
async fn a_password_that_nobody_else_has_is_made_once() {
    let here = StandIn::new().await;
    here.write(".env", "COGNITO_USERNAME=alice\n");
    // A variable that is empty is as one that is not there.
    let deploy = || async {
        let arguments = StandIn::arguments();
        let mut command = tokio::process::Command::new(crate::sample::CAUSEWAY);
        command.args(&arguments).current_dir(here.path("")).env("STAND_IN", here.path("told"));
        command.env("CAUSEWAY_TERRAFORM", here.program()).env_remove("COGNITO_PASSWORD").env_remove("COGNITO_USERNAME");
        command.stdin(std::process::Stdio::null()).output().await.unwrap()
    };
    assert!(deploy().await.status.success());
    let user = here.json(&credentials())["test_user"].clone();
    let password = user["password"].as_str().unwrap();
    assert!(user["username"] == "alice" && password.len() >= 20);
    assert!(here.environment("apply").contains(&format!("TF_VAR_test_user_password={password}")));
    assert!(deploy().await.status.success());
    assert_eq!(here.json(&credentials())["test_user"], user, "the next run keeps it");
}

#[tokio::test]
async fn what_has_no_place_at_aws_is_said_by_name() {
    let here = StandIn::new().await;
    here.write(
        "config.toml",
        r#"
        [gateway]
        public_url = "https://gateway.example.com/mcp"
        [authorizer.custom_jwt]
        discovery_url = "https://issuer.example.com/.well-known/openid-configuration"
        allowed_clients = ["alice"]
        [login]
        client_id = "alice"
        [deploy]
        gateway_name = "my-gateway"
        leave_out = ["there", "time"]
        [[targets]]
        name = "calculator"
        http.endpoints = ["http://127.0.0.1:8000/mcp", "http://127.0.0.1:8001/mcp"]
        deploy.image_uri = "public.ecr.aws/a/b:1"
        tools = { exclude = ["div*"] }
        [[targets]]
        name = "orders"
        http.endpoints = ["https://a.example.com/mcp", "https://b.example.com/mcp", "https://c.example.com/mcp"]
        tools = { rename = { a = "b" } }
        resources = { exclude = ["x://*"] }
        [[targets]]
        name = "there"
        kind = "agentcore-gateway"
        standby = ["orders"]
        http.endpoint = "https://g.example.com/mcp"
        [[targets]]
        name = "time"
        stdio.command = ["uvx", "mcp-server-time"]
        tools = { exclude = ["convert*"] }
        [[toolsets]]
        name = "few"
        tools = { include = ["calculator___*"] }
        "#,
    );
    let ended = here.run(&["deploy", "--plan-only"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let warnings: Vec<&str> = ended.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
    insta::assert_snapshot!(warnings.join("\n"), @"
        warning: `[authorizer.custom_jwt]` is not taken to AWS: the gateway there gets a Cognito user pool of its own, and takes nothing that callers show here
        warning: `[login]` is not taken to AWS: who logs in there does so at the user pool of the gateway
        warning: `[[toolsets]]` (`few`) is not taken to AWS: the gateway there has one endpoint for all
        warning: target `calculator`: `tools` is not taken to AWS: the gateway there shows all that the target has, under its own names
        warning: target `orders`: `tools`, `resources` are not taken to AWS: the gateway there shows all that the target has, under its own names
        warning: target `orders`: the first of `http.endpoints` is taken to AWS, and the other 2 are not
        warning: target `there`: `standby` is not taken to AWS: the gateway there has targets, and nothing that stands by for them
        ");
    let checked = here.run(&["check"]).await;
    assert_eq!(checked.code, Some(0), "all of it serves here: {checked:?}");
}

#[tokio::test]
async fn secrets_that_git_would_take_are_warned_of() {
    let here = StandIn::new().await;
    let warned = || async { here.deploy().await.stderr.contains("git would take it into the repository here") };
    assert!(!warned().await, "there is no git");
    // As git-check-ignore(1) has it: not ignored, ignored, no work tree.
    for (status, is_warned) in [(1, true), (0, false), (128, false)] {
        here.program_of("git", &format!("#!/bin/sh\necho \"$@\" > \"$STAND_IN/git\"\nexit {status}\n"));
        assert_eq!(warned().await, is_warned, "{status}");
        assert_eq!(here.read("told/git"), format!("-C . check-ignore -q -- {}\n", credentials()));
    }
}
