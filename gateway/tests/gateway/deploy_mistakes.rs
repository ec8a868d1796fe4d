//! What is refused before anything is changed: bad input, nobody to ask, no Terraform, another region.

use crate::stand_in::{GATEWAY, StandIn, credentials, ended};

#[tokio::test]
async fn every_mistake_is_said_at_once() {
    let here = StandIn::new().await;
    let configs = r#"[{"name": "1-a", "entrypoint": "../server.py", "requirements_file": "calculator/requirements.toml"},
                      {"name": "my-b", "entrypoint": "nowhere/server.py", "requirements": "x"}]"#;
    let ended = here
        .run(&["deploy", "--gateway-name", "my_gateway", "--region", "us-esat", "--runtime-configs", configs, "--yes"])
        .await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(64), ""));
    insta::assert_snapshot!(ended.stderr, @r#"
        --runtime-configs: `--gateway-name my_gateway` is no name of a gateway: use letters and digits with single hyphens between them, at most 48 in all, for example `my-gateway`
        --runtime-configs: `--region us-esat` is no region; write it like `us-east-1`
        --runtime-configs: runtime `1-a`: `1-a` is no name of a runtime: use a letter, then letters and digits with single hyphens between them, 2 to 48 in all, for example `my-calculator`
        --runtime-configs: runtime `1-a`: `entrypoint` holds `..`, which could lead anywhere; write it in full, or from the directory where it starts
        --runtime-configs: runtime `1-a`: `requirements_file` must end in `.txt`; name the file that does
        --runtime-configs: runtime `my-b`: unknown member `requirements`; did you mean `requirements_file`?
        --runtime-configs: runtime `my-b`: `entrypoint` names `nowhere/server.py`, which is not there
        --runtime-configs: runtime `my-b`: `requirements_file` is missing; name the `.txt` file with what the server needs from PyPI
        8 mistakes
        "#);
    assert!(here.calls().is_empty() && !here.path(".causeway").exists());
}

#[tokio::test]
async fn what_is_no_source_text_is_not_read_and_does_not_steer_the_terminal() {
    let here = StandIn::new().await;
    for name in ["calculator/huge.py", "calculator/huge.txt"] {
        std::fs::File::create(here.path(name)).unwrap().set_len(1 << 40).unwrap();
    }
    let configs =
        r#"[{"name": "a\u001b[31m", "entrypoint": "calculator/huge.py", "requirements_file": "calculator/huge.txt"}]"#;
    let description = "ü".repeat(201);
    let arguments = ["deploy", "--gateway-name", GATEWAY, "--gateway-description", &description, "--yes"];
    let ended = here.run(&[&arguments[..], &["--runtime-configs", configs]].concat()).await;
    assert_eq!(ended.code, Some(64));
    insta::assert_snapshot!(ended.stderr, @r#"
        --runtime-configs: `--gateway-description` takes at most 200 letters
        --runtime-configs: runtime `a�[31m`: `a�[31m` is no name of a runtime: use a letter, then letters and digits with single hyphens between them, 2 to 48 in all, for example `my-calculator`
        --runtime-configs: runtime `a�[31m`: `entrypoint` names `calculator/huge.py`, which is larger than 10 MB; name the source text itself
        --runtime-configs: runtime `a�[31m`: `requirements_file` names `calculator/huge.txt`, which is larger than 10 MB; name the source text itself
        4 mistakes
        "#);
    for name in ["calculator/huge.py", "calculator/huge.txt"] {
        std::fs::remove_file(here.path(name)).unwrap();
    }
    assert_eq!(here.deploy_with(&["--gateway-description", &"ü".repeat(200)]).await.code, Some(0));
}

#[tokio::test]
async fn mistakes_of_a_file_have_lines() {
    let here = StandIn::new().await;
    here.write(
        "config.toml",
        r#"authorizer = "none"
[deploy]
gateway_name = "my--gateway"
leave_out = ["nobody"]
regio = "us-east-1"
[[targets]]
name = "a-b"
http.endpoint = "http://127.0.0.1:8000/mcp"
deploy.entrypoint = "calculator/../server.py"
[[targets]]
name = "local"
http.endpoint = "http://127.0.0.1:8000/mcp"
[[targets]]
name = "keyed"
http.endpoint = "https://keyed.example.com/mcp"
credential.api_key = { key_env = "ORDERS_SECRET", parameter_name = "X-Api-Key" }
[[targets]]
name = "time"
stdio.command = ["uvx", "mcp-server-time"]
"#,
    );
    let ended = here.run(&["deploy", "--yes"]).await;
    assert_eq!(ended.code, Some(64));
    insta::assert_snapshot!(ended.stderr, @r#"
        config.toml:3: `deploy.gateway_name`: `my--gateway` is no name of a gateway: use letters and digits with single hyphens between them, at most 48 in all, for example `my-gateway`
        config.toml:4: `deploy.leave_out` names `nobody`, which is no target of this file
        config.toml:5: unknown key `regio` in `deploy`; did you mean `region`?
        config.toml:9: target `a-b`: `deploy.entrypoint` holds `..`, which could lead anywhere; write it in full, or from the directory where it starts
        config.toml:9: target `a-b`: `deploy.requirements_file` is missing; name the `.txt` file with what the server needs from PyPI
        config.toml:12: target `local`: AgentCore Gateway reaches only `https` URLs: say with `deploy` what is to become a Runtime, or leave it here with `deploy.leave_out`
        config.toml:16: target `keyed`: of an MCP server, AgentCore Gateway is given `client_credentials` or nothing here: use that, or leave it here with `deploy.leave_out`
        config.toml:17: target `time`: AgentCore Gateway starts no programs: say with `deploy.entrypoint`, `deploy.source_directory` or `deploy.image_uri` what is to become a Runtime, or leave it here with `deploy.leave_out`
        8 mistakes
        "#);
    let checked = here.run(&["check"]).await;
    assert!(checked.code == Some(64) && checked.stderr.contains("config.toml:9: target `a-b`"), "{checked:?}");
}

#[tokio::test]
async fn a_target_is_not_called_as_the_gateway() {
    let here = StandIn::new().await;
    let config = "authorizer = \"none\"\ndeploy.gateway_name = \"Tools\"\n[[targets]]\nname = \"tools\"\n\
                  http.endpoint = \"https://a.example.com/mcp\"\ndeploy.image_uri = \"public.ecr.aws/a/b:1\"\n";
    here.write("config.toml", config);
    let ended = here.run(&["deploy", "--yes"]).await;
    assert_eq!(ended.code, Some(64));
    insta::assert_snapshot!(ended.stderr, @"
        config.toml:4: target `tools`: what is made for it would have the same names as what is made for the gateway `Tools`; rename one
        1 mistake
        ");
}

#[tokio::test]
async fn without_a_terminal_somebody_must_have_said_yes() {
    let here = StandIn::new().await;
    let refused = here.deploy_asking(&[]).await;
    assert_eq!((refused.code, here.calls().len()), (Some(2), 0), "{refused:?}");
    assert!(refused.stderr.contains("`--yes`") && !here.path(".causeway").exists(), "{refused:?}");
    let looked = here.deploy_asking(&["--plan-only"]).await;
    assert_eq!((looked.code, here.commands().join(" ").as_str()), (Some(0), "init plan"), "{looked:?}");
    assert!(!here.path(&credentials()).exists() && !here.path(&here.home("plan")).exists());
    assert_eq!(here.json(&here.home("state.json"))["made"], false);
}

#[tokio::test]
async fn terraform_must_be_there_and_new_enough() {
    let here = StandIn::new().await;
    here.write("told/version", "1.9.8");
    let old = here.deploy().await;
    assert_eq!((old.code, here.calls().len()), (Some(1), 0));
    assert!(old.stderr.contains("`terraform` is version 1.9.8, and at least 1."), "{old:?}");
    std::fs::rename(here.program(), here.path("bin/tofu")).unwrap();
    here.write("told/version", "1.15.0");
    assert_eq!(here.deploy().await.code, Some(0), "OpenTofu does as well");
    std::fs::remove_file(here.path("bin/tofu")).unwrap();
    let none = here.deploy().await;
    assert!(none.stderr.contains("neither `terraform` nor `tofu` is on the path"), "{none:?}");
}

#[tokio::test]
async fn a_deployment_stays_in_its_region() {
    let here = StandIn::new().await;
    // One that made nothing binds nobody.
    here.fail_at("plan");
    assert_eq!(here.deploy_with(&["--region", "eu-central-1"]).await.code, Some(1));
    here.deploy().await;
    assert_eq!(here.json(&here.home("state.json"))["region"], "us-east-1");
    assert_eq!(here.json(&credentials())["region"], "us-east-1");
    here.calls();
    let moved = here.deploy_with(&["--region", "eu-west-1"]).await;
    assert_eq!((moved.code, here.calls().len()), (Some(2), 0));
    assert!(moved.stderr.contains(&format!("`{GATEWAY}` is deployed in `us-east-1`, not in `eu-west-1`")), "{moved:?}");
}

#[tokio::test]
async fn a_password_that_cognito_would_refuse_is_a_mistake_among_the_others() {
    let here = StandIn::new().await;
    let configs = r#"[{"name": "1-a", "image_uri": "public.ecr.aws/a/b:1"}]"#;
    let mut command = here.command(&["deploy", "--gateway-name", GATEWAY, "--runtime-configs", configs, "--yes"]);
    let wrong = ended(command.env("COGNITO_PASSWORD", "hunter2").spawn().unwrap()).await;
    assert_eq!((wrong.code, here.calls().len()), (Some(64), 0));
    insta::assert_snapshot!(wrong.stderr, @"
        --runtime-configs: the password in `COGNITO_PASSWORD` is none that the user pool takes, for want of 12 characters, a capital, a symbol; give another, or none, and one is made
        --runtime-configs: runtime `1-a`: `1-a` is no name of a runtime: use a letter, then letters and digits with single hyphens between them, 2 to 48 in all, for example `my-calculator`
        2 mistakes
        ");
    let config = "authorizer = \"none\"\ndeploy = { gateway_name = \"my-gateway\", authorizer = \"iam\" }\n[[targets]]\n\
                  name = \"a\"\nhttp.endpoint = \"https://a.example.com/mcp\"\n";
    here.write("config.toml", config);
    let mut command = here.command(&["deploy", "--plan-only"]);
    let other = ended(command.env("COGNITO_PASSWORD", "hunter2").spawn().unwrap()).await;
    assert_eq!(other.code, Some(0), "no user pool, no user: {other:?}");
}
