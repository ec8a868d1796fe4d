"""terraform/agentcore with real Terraform and the AWS provider's schema: formatted, valid, applied, destroyed, and what is built when."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from deploy.agentcore import CLIENT_SECRET, IMAGES, LOG_GROUPS, PASSWORD, ROOTS, WHOLE, Deployment, bare, deployment

from harness.terraform import checkov

BUILD, RUNTIME, OBJECT = "aws_codebuild_start_build", "aws_bedrockagentcore_agent_runtime", "aws_s3_object"
TARGET = "aws_bedrockagentcore_gateway_target"


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Deployment]:
    with deployment(tmp_path) as one:
        yield one


def names(changes: list[dict], kind: str) -> list[str]:
    """Which of this type were changed, by the argument that names them."""
    key = {OBJECT: "key", RUNTIME: "agent_runtime_name", BUILD: "project_name"}.get(kind, "name")
    return sorted(change["config"][key] for change in changes if change["type"] == kind and change["config"])


def test_it_is_formatted_and_valid(deployed: Deployment) -> None:
    deployed.root.run("fmt", "-check", "-recursive", "-diff", "..").ok()
    deployed.root.run("validate", "-no-color").ok()


def test_its_own_tests_pass(tmp_path: Path) -> None:
    with bare(tmp_path) as deployed:
        ran = deployed.root.run("test", "-no-color").ok()
        assert "0 failed" in ran.out and "skip" not in ran.out


def test_it_is_applied_once_and_destroyed_whole(deployed: Deployment) -> None:
    made = deployed.apply()
    assert names(made, RUNTIME) == ["cloudwatch_insights", "hello", "my_calculator"]
    assert names(made, TARGET) == ["cloudwatch-insights-target", "hello-target", "my-calculator-target", "open", "orders"]
    assert names(made, "aws_cognito_user_pool") == ["cloudwatch-insights-pool", "my-calculator-pool", "team-tools-pool"]
    # 0: nothing to do. 2 would be a change.
    assert deployed.root.run("plan", "-detailed-exitcode", "-no-color").status == 0
    assert deployed.apply() == []
    deployed.root.run("destroy", "-auto-approve", "-no-color").ok()
    changes = deployed.provider.changes()
    kinds = {kind: [change["change"] for change in changes if change["type"] == kind] for kind in {it["type"] for it in changes}}
    assert all(of.count("create") == of.count("delete") for of in kinds.values()), kinds


def test_no_secret_is_in_the_plan_or_the_state(deployed: Deployment) -> None:
    deployed.root.run("plan", "-out=plan", "-no-color").ok()
    deployed.root.run("apply", "-no-color", "plan").ok()
    sent = deployed.of("aws_bedrockagentcore_oauth2_credential_provider", "team-tools-orders-identity")
    [config] = sent["oauth2_provider_config"][0]["custom_oauth2_provider_config"]
    assert config["client_secret_wo"] == CLIENT_SECRET
    shown = deployed.root.run("show", "-json", "plan").ok().out + (deployed.root.path / "terraform.tfstate").read_text()
    assert CLIENT_SECRET not in shown and "30s" not in (deployed.root.path / "terraform.tfstate").read_text()
    # The provider has no write-only argument for a user's password.
    assert PASSWORD in (deployed.root.path / "terraform.tfstate").read_text()
    ran = deployed.root.run("plan", "-no-color").ok()
    assert PASSWORD not in ran.out and CLIENT_SECRET not in ran.out


def test_nothing_private_is_built(deployed: Deployment) -> None:
    server = deployed.root.path / "sample-server"
    private = [".env", ".env.production", "terraform.tfstate", "terraform.tfstate.backup", "prod.tfvars", "prod.auto.tfvars.json"]
    private += [".terraform/providers/x", "infra/.terraform/x", "infra/terraform.tfstate", ".git/HEAD", "lib/.git/HEAD", "lib/.env"]
    private += [".aws/credentials", ".ssh/id_ed25519", ".agentcore-credentials-team-tools.json", "node_modules/x/index.js", "target/a"]
    wanted = [".env.example", ".dockerignore", "lib/app.py", "environment.py", "lib/target/it.py", ".github/x"]
    for path in private + wanted:
        (server / path).parent.mkdir(parents=True, exist_ok=True)
        (server / path).write_text("x")
    sent = names(deployed.apply(), OBJECT)
    assert sent == sorted(f"my-calculator/{path}" for path in [*wanted, "Dockerfile", "requirements.txt", "server.py"])


def test_a_runtime_waits_for_its_image_and_the_image_for_its_source(deployed: Deployment) -> None:
    changes = deployed.apply()
    kinds = [change["type"] for change in changes]
    build = kinds.index(BUILD)
    [runtime] = [
        at for at, change in enumerate(changes) if change["type"] == RUNTIME and change["config"]["agent_runtime_name"] == "my_calculator"
    ]
    assert build < runtime
    [role] = [
        at
        for at, change in enumerate(changes)
        if change["type"] == "aws_iam_role_policy" and change["config"]["name"] == "build"
    ]
    before = [role, kinds.index("aws_ecr_repository"), kinds.index("aws_s3_bucket_versioning")]
    before += [at for at, kind in enumerate(kinds) if kind == OBJECT]
    assert max(before) < build
    [tag] = changes[build]["config"]["environment_variables_override"]
    artifact = changes[runtime]["config"]["agent_runtime_artifact"][0]["container_configuration"][0]
    assert tag["name"] == "IMAGE_TAG" and artifact["container_uri"].endswith(f":{tag['value']}")


def test_a_build_that_fails_makes_no_runtime_and_is_made_again(deployed: Deployment) -> None:
    deployed.provider.refuse(BUILD)
    failed = deployed.root.run("apply", "-auto-approve", "-no-color")
    assert failed.status == 1 and f"{BUILD} was refused" in failed.text
    assert "my_calculator" not in names(deployed.provider.changes(), RUNTIME)
    deployed.provider.refuse()
    changes = deployed.apply()
    assert names(changes, BUILD) == ["my-calculator-build"] and "my_calculator" in names(changes, RUNTIME)
    assert names(changes, OBJECT) == []


def test_a_pool_has_its_domain_before_anybody_gets_tokens_of_it(deployed: Deployment) -> None:
    # The gateway lists a target while it is made, with a token of the pool; without a domain there is nowhere to get one.
    domain, identity = "aws_cognito_user_pool_domain", "aws_bedrockagentcore_oauth2_credential_provider"
    deployed.provider.refuse(domain)
    failed = deployed.root.run("apply", "-auto-approve", "-no-color")
    assert failed.status == 1 and f"{domain} was refused" in failed.text
    made = deployed.provider.changes()
    assert "my-calculator-identity" not in names(made, identity) and "my-calculator-target" not in names(made, TARGET)
    assert "aws_bedrockagentcore_gateway" not in {change["type"] for change in made}
    deployed.provider.refuse()
    assert "my-calculator-target" in names(deployed.apply(), TARGET)


def test_what_a_runtime_is_not_told_is_for_aws_to_say(deployed: Deployment) -> None:
    deployed.apply()
    # An empty list would be an answer of its own, and AWS's another.
    told = {name: deployed.of(RUNTIME, "", agent_runtime_name=name)["lifecycle_configuration"] for name in ["hello", "cloudwatch_insights"]}
    assert told == {"hello": None, "cloudwatch_insights": [{"idle_runtime_session_timeout": 600, "max_lifetime": 7200}]}


def test_another_source_is_another_image_and_listed_anew(deployed: Deployment) -> None:
    deployed.apply()
    before = deployed.of(TARGET, "my-calculator-target")["description"]
    (deployed.root.path / "sample-server/server.py").write_text("print('changed')\n")
    changes = deployed.apply()
    assert names(changes, OBJECT) == ["my-calculator/server.py"]
    assert names(changes, BUILD) == ["my-calculator-build"] and names(changes, RUNTIME) == ["my_calculator"]
    assert names(changes, TARGET) == ["my-calculator-target"]
    after = deployed.of(TARGET, "my-calculator-target")["description"]
    assert before != after and after.startswith("Adds and multiplies (revision ")
    # What was there before is the image that was there before.
    (deployed.root.path / "sample-server/server.py").write_text((ROOTS[0] / "sample-server/server.py").read_text())
    deployed.apply()
    assert deployed.of(TARGET, "my-calculator-target")["description"] == before


def test_another_setting_is_another_version_of_the_runtime(deployed: Deployment) -> None:
    deployed.apply()
    servers = WHOLE["servers"] | {"hello": WHOLE["servers"]["hello"] | {"runtime_config": {"GREETING": "Good day"}}}
    deployed.vary(servers=servers)
    changes = deployed.apply()
    assert [change["type"] for change in changes] == ["aws_secretsmanager_secret_version", RUNTIME]
    assert changes[0]["config"]["secret_string_wo"] == '{"GREETING":"Good day"}'


def test_a_server_that_is_gone_leaves_nothing(deployed: Deployment) -> None:
    deployed.apply()
    deployed.vary(servers={name: server for name, server in WHOLE["servers"].items() if name != "hello"})
    gone = deployed.apply()
    kinds = sorted(change["type"] for change in gone if change["change"] == "delete")
    secret = ["aws_secretsmanager_secret", "aws_secretsmanager_secret_version"]
    assert kinds == sorted([RUNTIME, TARGET, "aws_iam_role", "aws_iam_role_policy", *secret])
    # The gateway's role may call it no longer.
    assert [change["type"] for change in gone if change["change"] != "delete"] == ["aws_iam_role_policy"]


def test_the_example_is_one(tmp_path: Path) -> None:
    with bare(tmp_path) as deployed:
        shutil.copy(deployed.root.path / "terraform.tfvars.example", deployed.root.path / "terraform.tfvars")
        deployed.apply()
        assert deployed.root.outputs()["gateway_url"]


def test_opentofu_takes_images_and_says_what_it_cannot_build(deployed: Deployment) -> None:
    # OpenTofu reads a .tofu file in the place of the .tf file of the same name; here Terraform does.
    module = deployed.root.path / "../modules/server-build"
    (module / "start.tofu").rename(module / "start.tf")
    deployed.root.run("validate", "-no-color").ok()
    refused = deployed.root.run("plan", "-no-color")
    assert refused.status == 1 and "OpenTofu cannot build `./sample-server`" in refused.text and "image_uri" in refused.text
    deployed.vary(servers={"given": {"image_uri": f"{IMAGES}/given:1", "log_groups": LOG_GROUPS}})
    deployed.apply()


def test_checkov_has_nothing_left_to_say() -> None:
    for directory in ROOTS:
        ran = checkov("terraform", "--directory", directory)
        assert ran.status == 0 and "Parsing errors" not in ran.out, ran.out


@pytest.mark.parametrize(
    ("file", "text", "by", "command", "said"),
    [
        ("main.tf", "gateway_id  = module.gateway.id", "gatewayid   = module.gateway.id", "validate", "gatewayid"),
        ("../modules/gateway/main.tf", "allowed_clients =", "allowed_client =", "validate", "allowed_client"),
        ("../modules/gateway/main.tf", '"bedrock-agentcore:InvokeAgentRuntime"', '"logs:GetLogEvents"', "test", "reads no logs"),
        ("../modules/runtime-config/main.tf", 'join(",", var.log_groups)', '"/everything"', "test", "the list that the role's policy"),
        ("../modules/cognito-m2m/main.tf", '"${var.name}-pool"', '"${var.name}-users"', "test", "NAME-pool"),
        ("variables-targets.tf", "(server.image_uri == null) !=", "(server.image_uri == null) ==", "test", "without_image_and_source"),
    ],
)
def test_a_mistake_is_found(tmp_path: Path, file: str, text: str, by: str, command: str, said: str) -> None:
    with bare(tmp_path) as deployed:
        deployed.root.replace(file, text, by)
        ran = deployed.root.run(command, "-no-color")
        assert ran.status == 1 and said in ran.text, ran.text


def test_checkov_finds_a_mistake(deployed: Deployment) -> None:
    deployed.root.replace("../modules/private-bucket/main.tf", "block_public_acls       = true", "block_public_acls       = false")
    ran = checkov("terraform", "--directory", deployed.root.path / "../modules/private-bucket")
    assert ran.status == 1 and "CKV_AWS_53" in ran.out
