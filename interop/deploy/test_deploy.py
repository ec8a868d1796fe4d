"""`causeway deploy`, `status` and `destroy` with real Terraform, the repository's own root and a stand-in for the AWS provider: from two
Python servers to a gateway and back, interrupted, refused, resumed, asked on a terminal."""

import json
import shutil
import signal
import stat
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from harness.command import Ended, run
from harness.gateway import causeway
from harness.process import Process
from harness.terminal import on_terminal
from harness.terraform import DEPLOY, REPOSITORY, TERRAFORM, Aws, aws

NAME = "my-gateway"
BUILD = "aws_codebuild_start_build"
HADOLINT = DEPLOY / ".venv/bin/hadolint"
PASSWORD = "Hunter2-of-the-test-user"
INTERRUPTED = 130
SERVER = "mcp.run(transport='streamable-http', host='0.0.0.0', port=8000)\n"


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Aws]:
    with aws(tmp_path / "aws") as provider:
        yield provider


class Desk:
    """A directory that somebody deploys from."""

    def __init__(self, path: Path, provider: Aws) -> None:
        self.path = path
        self.env = provider.env | {"CAUSEWAY_TERRAFORM": str(TERRAFORM), "COGNITO_PASSWORD": PASSWORD}
        for name in ["calculator", "hello"]:
            (path / name).mkdir(parents=True)
            (path / name / "server.py").write_text(SERVER)
            (path / name / "requirements.txt").write_text("mcp\n")
            (path / name / ".env").write_text("TOKEN=hunter3\n")

    def deploy(self, *more: str) -> list[str]:
        configs = [
            {
                "name": f"my-{name}",
                "description": f"The server {name}",
                "entrypoint": f"{name}/server.py",
                "requirements_file": f"{name}/requirements.txt",
            }
            for name in ["calculator", "hello"]
        ]
        return ["deploy", "--gateway-name", NAME, "--runtime-configs", json.dumps(configs), *more]

    def run(self, *arguments: str) -> Ended:
        return run(*arguments, env=self.env, cwd=str(self.path))

    def start(self, *arguments: str) -> Process:
        return Process([causeway(), *arguments], self.env, cwd=str(self.path))

    def step(self) -> str:
        return json.loads((self.path / ".causeway" / NAME / "state.json").read_text())["step"]

    @property
    def credentials(self) -> Path:
        return self.path / f".agentcore-credentials-{NAME}.json"

    def mode(self, path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def desk(tmp_path: Path, provider: Aws) -> Desk:
    return Desk(tmp_path / "desk", provider)


def made(provider: Aws) -> dict[str, int]:
    """How many of each type are there."""
    there: dict[str, int] = {}
    for change in provider.changes():
        step = {"create": 1, "delete": -1}.get(change["change"], 0)
        there[change["type"]] = there.get(change["type"], 0) + step
    return {kind: many for kind, many in there.items() if many}


def test_two_servers_are_deployed_although_somebody_interrupts_and_then_destroyed(desk: Desk, provider: Aws):
    provider.hold("aws_bedrockagentcore_gateway")
    first = desk.start(*desk.deploy("--yes"))
    provider.until_asked("aws_bedrockagentcore_gateway")
    first.signal(signal.SIGINT)
    first.wait_for(lambda: any("a second Ctrl-C" in line for line in first.errors) or None, "it says that it waits")
    provider.hold()
    assert first.wait(300) == INTERRUPTED, first.log()
    assert desk.step() == "applying" and not desk.credentials.with_suffix(".new").exists()
    before = made(provider)

    second = desk.run(*desk.deploy("--yes")).ok()
    assert "Terraform did not end what it began" in second.err
    after = made(provider)
    assert after["aws_bedrockagentcore_gateway"] == 1, first.log()
    assert after["aws_bedrockagentcore_agent_runtime"] == 2
    assert after["aws_cognito_user_pool"] == 3, "one of the gateway, one of each runtime"
    assert all(after[kind] >= many for kind, many in before.items()), "what was made stays"
    assert desk.step() == "finished"

    # Connection information without secrets, and the file with them.
    credentials = json.loads(desk.credentials.read_text())
    assert desk.mode(desk.credentials) == 0o600 and desk.mode(desk.path / ".causeway" / NAME) == 0o700
    assert credentials["test_user"] == {"username": "testuser", "password": PASSWORD}
    for secret in [credentials["client_secret"], PASSWORD, "hunter3"]:
        assert secret not in second.out + second.err
    assert "Client Secret  <redacted>" in second.out and credentials["gateway_url"] in second.out

    # The Dockerfile that was made is a good one.
    dockerfile = desk.path / ".causeway" / NAME / "sources/my-calculator/Dockerfile"
    subprocess.run([HADOLINT, dockerfile], check=True, timeout=60)

    # Nothing is to be done a second time.
    changes = len(provider.changes())
    again = desk.run(*desk.deploy("--yes")).ok()
    assert "No changes" in again.err and len(provider.changes()) == changes

    status = desk.run("status", "--offline", "--json").ok().json
    assert status["gateways"][0]["step"] == "finished" and len(status["gateways"][0]["outputs"]["runtimes"]) == 2

    desk.run("destroy", "--gateway-name", NAME, "--confirm", "--credentials").ok()
    assert made(provider) == {} and not (desk.path / ".causeway").exists() and not desk.credentials.exists()


def test_what_is_interrupted_while_it_builds_loses_nothing_but_the_build(desk: Desk, provider: Aws):
    # Terraform 1.15 crashes at the first news of an action after an interrupt, and forgets what else it was making.
    provider.hold(BUILD)
    first = desk.start(*desk.deploy("--yes"))
    provider.until_asked(BUILD)
    first.signal(signal.SIGINT)
    first.wait_for(lambda: any("a second Ctrl-C" in line for line in first.errors) or None, "it says that it waits")
    provider.hold()
    assert first.wait(300) == INTERRUPTED, first.log()
    assert made(provider)["aws_bedrockagentcore_gateway"] == 1 and "aws_bedrockagentcore_agent_runtime" not in made(provider)

    desk.run(*desk.deploy("--yes")).ok()
    assert made(provider)["aws_bedrockagentcore_agent_runtime"] == 2
    creations = [json.dumps(change) for change in provider.changes() if change["change"] == "create"]
    assert [twice for twice, many in Counter(creations).items() if many > 1] == []
    builds = [change["config"]["project_name"] for change in provider.changes() if change["type"] == BUILD]
    assert set(builds) == {"my-calculator-build", "my-hello-build"}


def test_what_aws_refuses_is_said_and_the_same_command_goes_on(desk: Desk, provider: Aws):
    provider.refuse("aws_bedrockagentcore_gateway_target")
    refused = desk.run(*desk.deploy("--yes"))
    assert refused.status == 1 and "what was done stays" in refused.err and desk.step() == "applying"
    status = desk.run("status", "--offline")
    assert status.status == 0 and "being made: Terraform did not end what it began" in status.out
    provider.refuse()
    desk.run(*desk.deploy("--yes")).ok()
    assert made(provider)["aws_bedrockagentcore_gateway_target"] == 2
    # A destruction that AWS refuses goes on as well: `refuse` is for what is made, so it is interrupted instead.
    desk.run("destroy", "--gateway-name", NAME, "--yes").ok()
    assert made(provider) == {} and desk.credentials.exists()


def test_only_a_yes_on_the_terminal_changes_anything(desk: Desk, provider: Aws):
    def ask(answer):
        argv = ["sh", "-c", 'cd "$0" && exec "$@"', str(desk.path), causeway(), *desk.deploy()]
        return on_terminal(argv, [("Only `yes` is taken: ", answer)], desk.env)

    def interrupt() -> None:
        [asking] = [child for child in psutil.Process().children() if NAME in child.cmdline()]
        asking.send_signal(signal.SIGINT)

    refused = ask("y\n")
    assert refused.status == 1 and "nothing was changed, because the answer was not `yes`" in refused.text
    assert provider.changes() == [] and not (desk.path / ".causeway" / NAME / "plan").exists()
    interrupted = ask(interrupt)
    assert interrupted.status == INTERRUPTED and provider.changes() == []
    agreed = ask("yes\n")
    assert agreed.status == 0, agreed.text
    assert made(provider)["aws_bedrockagentcore_gateway"] == 1


def test_one_file_serves_here_and_deploys_there(desk: Desk, provider: Aws):
    (desk.path / "config.toml").write_text(
        """
        authorizer = "none"
        [deploy]
        gateway_name = "my-gateway"
        tags = { team = "tools" }
        [[targets]]
        name = "calculator"
        stdio.command = ["python3", "calculator/server.py"]
        deploy.entrypoint = "calculator/server.py"
        deploy.requirements_file = "calculator/requirements.txt"
        deploy.log_groups = ["/aws/lambda/orders"]
        deploy.authorization = "iam"
        [[targets]]
        name = "orders"
        http.endpoint = "https://orders.example.com/mcp"
        credential.client_credentials.discovery_url = "https://issuer.example.com/.well-known/openid-configuration"
        credential.client_credentials.client_id = "causeway"
        credential.client_credentials.client_secret_env = "ORDERS_SECRET"
        """
    )
    desk.env["ORDERS_SECRET"] = "hunter4"
    desk.run("check").ok()
    desk.run("deploy", "--yes").ok()
    targets = [change["config"] for change in provider.changes() if change["type"] == "aws_bedrockagentcore_gateway_target"]
    assert sorted(target["name"] for target in targets) == ["calculator-target", "orders"]
    files = [path for path in (desk.path / ".causeway").rglob("*") if path.is_file()]
    assert all(b"hunter4" not in path.read_bytes() for path in files), "write-only all the way"
    # Without the secret it is removed all the same.
    del desk.env["ORDERS_SECRET"]
    desk.run("destroy", "--gateway-name", NAME, "--yes").ok()
    assert made(provider) == {}


def test_it_is_destroyed_wherever_it_lies_by_now_but_in_its_own_account_alone(desk: Desk, provider: Aws):
    desk.run(*desk.deploy("--yes")).ok()
    state = desk.path / ".causeway" / NAME / "state.json"
    known = state.read_text()
    state.write_text(known.replace("123456789012", "999999999999"))
    changes = len(provider.changes())
    for command in [["destroy", "--gateway-name", NAME, "--yes"], desk.deploy("--yes")]:
        refused = desk.run(*command)
        assert refused.status == 1 and "AWS account ID not allowed" in refused.err and len(provider.changes()) == changes
    state.write_text(known)
    desk.path = desk.path.rename(desk.path.with_name("moved"))
    shutil.rmtree(desk.path / "calculator")
    desk.run("destroy", "--gateway-name", NAME, "--yes").ok()
    assert made(provider) == {} and not (desk.path / ".causeway").exists()


def test_secrets_do_not_reach_a_repository_unsaid(desk: Desk, provider: Aws):
    todo = "put the line `.agentcore-credentials-*.json` into .gitignore"
    assert todo not in desk.run(*desk.deploy("--plan-only")).ok().err, "nobody keeps it in git"
    subprocess.run(["git", "init", "--quiet", desk.path], check=True, timeout=60)
    assert todo in desk.run(*desk.deploy("--plan-only")).ok().err
    (desk.path / ".gitignore").write_text(".agentcore-credentials-*.json\n")
    assert todo not in desk.run(*desk.deploy("--plan-only")).ok().err


def test_the_check_itself_finds_a_root_that_takes_something_else(desk: Desk, provider: Aws):
    desk.run(*desk.deploy("--plan-only")).ok()
    variables = desk.path / ".causeway" / NAME / "terraform/agentcore/variables.tf"
    text = variables.read_text()
    variables.write_text(text.replace('variable "gateway_authorizer"', 'variable "gateway_authoriser"'))
    # What this program carries comes back, so a mistake in it is made where it stays: in a file beside it.
    desk.run(*desk.deploy("--plan-only")).ok()
    assert variables.read_text() == text
    (variables.parent / "mistake.tf").write_text('output "gateway_urn" { value = module.gateway.urn }\n')
    wrong = desk.run(*desk.deploy("--plan-only"))
    assert wrong.status == 1 and "nothing was changed at AWS by this run" in wrong.err


def test_the_gateway_itself_is_deployed_by_the_same_steps(desk: Desk, provider: Aws):
    (desk.path / "config.toml").write_text(
        """
        [gateway]
        listen = "0.0.0.0:8080"
        public_url = "https://gateway.example.com/mcp"
        [sessions]
        key_env = ["CAUSEWAY_SESSION_KEY"]
        [authorizer.custom_jwt]
        discovery_url = "https://issuer.example.com/.well-known/openid-configuration"
        allowed_clients = ["causeway"]
        [[targets]]
        name = "orders"
        http.endpoint = "https://orders.example.com/mcp"
        """
    )
    example = (REPOSITORY / "terraform/self-hosted/terraform.tfvars.example").read_text()
    said = [line for line in example.splitlines() if not line.startswith(("name ", "region ", "config_toml "))]
    # What is said with the command counts more than a file; what is said there alone is as good.
    (desk.path / "prod.tfvars").write_text("\n".join([*said, 'name = "other"', 'region = "eu-west-1"', 'config_toml = "none"']))
    arguments = ["deploy", "self-hosted", "--name", NAME, "--var-file", "prod.tfvars", "--config", "config.toml", "--yes"]
    desk.run(*arguments).ok()
    definition = [change["config"] for change in provider.changes() if change["type"] == "aws_ecs_task_definition"]
    assert "https://orders.example.com/mcp" in json.dumps(definition)
    kept = json.loads((desk.path / ".causeway" / NAME / "state.json").read_text())
    assert kept["region"] == "eu-west-1" and '"awslogs-region":"eu-west-1"' in definition[0]["container_definitions"].replace(" ", "")
    assert {change["config"]["family"] for change in provider.changes() if change["type"] == "aws_ecs_task_definition"} == {NAME}
    elsewhere = desk.run(*arguments, "--region", "us-east-1")
    assert elsewhere.status == 2 and "is deployed in `eu-west-1`" in elsewhere.err
    again = desk.run(*arguments).ok()
    assert "No changes" in again.err
    desk.run("destroy", "--gateway-name", NAME, "--yes").ok()
    assert made(provider) == {}


def test_a_function_serves_a_text_that_terraform_fills_in(desk: Desk, provider: Aws):
    package = desk.path / "function.zip"
    package.write_bytes(b"PK")
    text = """
        [gateway]
        public_url = "${public_url}"
        [authorizer.custom_jwt]
        discovery_url = "${discovery_url}"
        allowed_clients = ["${client_id}"]
        allowed_scopes = ["${scope}"]
        [lambda]
        trust_api_gateway_authorizer = true
        [[targets]]
        name = "orders"
        http.endpoint = "https://orders.example.com/mcp"
        """
    (desk.path / "dev.tfvars").write_text(f'package_path = "{package}"\nname = "other"\nregion = "eu-west-1"\n')
    arguments = ["deploy", "lambda", "--name", NAME, "--var-file", "dev.tfvars", "--config", "config.toml", "--yes"]
    (desk.path / "config.toml").write_text(text + "colour = 1\n")
    wrong = desk.run(*arguments)
    assert wrong.status == 64 and "unknown key `colour`" in wrong.err and provider.changes() == []
    (desk.path / "config.toml").write_text(text)
    shown = desk.run(*arguments).ok().out
    assert "\n  follow_log\n    aws logs tail" in shown and "--region eu-west-1" in shown, shown
    [function] = [change["config"] for change in provider.changes() if change["type"] == "aws_lambda_function"]
    assert function["function_name"] == NAME and "${" not in json.dumps(function["environment"])
    desk.run("destroy", "--gateway-name", NAME, "--yes").ok()
    assert made(provider) == {}
