"""The commands that terraform/agentcore prints, run by a shell with the program itself; those for tokens before ministack's Cognito, in
which the same user pool is made."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from deploy.agentcore import PASSWORD, Deployment, deployment
from deploy.agentcore_pools import ids, made_alike

from harness.gateway import causeway
from harness.ministack import ministack
from harness.process import CLEAN
from harness.terraform import TERRAFORM

#: The status of a command that cannot be understood.
USAGE = 2
FAILED = 1
#: Where nobody listens.
NOBODY = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def deployed(tmp_path_factory) -> Iterator[Deployment]:
    with deployment(tmp_path_factory.mktemp("commands")) as one:
        one.apply()
        yield one


@pytest.fixture(scope="module")
def programs(tmp_path_factory) -> str:
    """A PATH with `causeway` and `terraform`."""
    directory = tmp_path_factory.mktemp("programs")
    (directory / "causeway").symlink_to(causeway())
    (directory / "terraform").symlink_to(TERRAFORM)
    return f"{directory}:{os.environ['PATH']}"


def shell(deployed: Deployment, programs: str, command: str, **env: str) -> subprocess.CompletedProcess:
    """What somebody gets who pastes it in the root's directory."""
    given = CLEAN | deployed.provider.env | {"PATH": programs} | env
    ran = ["bash", "-c", command]
    return subprocess.run(ran, cwd=deployed.root.path, env=given, capture_output=True, text=True, timeout=120, check=False)


def replaced(command: str, values: dict[str, str]) -> str:
    """With others for what the stand-in made up."""
    for value, by in values.items():
        assert value
        command = command.replace(value, by)
    return command


def to_nobody(deployed: Deployment) -> dict[str, str]:
    """The hosts of commands that name one, as somewhere where nobody listens; all others go where AWS_ENDPOINT_URL says. For `replaced`."""
    outputs = deployed.root.outputs()
    # Terraform leaves out what is null.
    tokens = {outputs["token_endpoint"]: f"{NOBODY}/oauth2/token"} if "token_endpoint" in outputs else {}
    # Nobody can be asked either.
    return tokens | {outputs["gateway_url"]: f"{NOBODY}/mcp", "--write": "--write --yes"}


def test_all_commands_are_understood(deployed: Deployment, programs: str, tmp_path: Path) -> None:
    given = {"AWS_ENDPOINT_URL": NOBODY, "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "HOME": str(tmp_path)}
    given |= {"COGNITO_PASSWORD": PASSWORD}
    commands = deployed.root.outputs()["commands"]
    assert {"get_token", "get_user_token", "list_tools", "configure_vscode", "configure_amazon_q"} <= commands.keys()
    assert {"list_tools_hello", "list_tools_my-calculator", "get_user_token_my-calculator"} <= commands.keys()
    for name, command in commands.items():
        ran = shell(deployed, programs, replaced(command, to_nobody(deployed)), **given)
        # Nobody answers; clients' files are written without asking anybody.
        wanted = 0 if name.startswith("configure_") else FAILED
        assert ran.returncode == wanted, f"{name}: {command}\n{ran.stdout}{ran.stderr}"


def test_a_gateway_that_wants_signatures_has_commands_that_sign(programs: str, tmp_path: Path) -> None:
    with deployment(tmp_path) as deployed:
        deployed.vary(gateway_authorizer="iam", servers={}, targets={}, test_user={"create": False})
        deployed.apply()
        commands = deployed.root.outputs()["commands"]
        assert set(commands) == {"list_tools", "configure_vscode", "configure_amazon_q"}
        given = {"AWS_ENDPOINT_URL": NOBODY, "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "HOME": str(tmp_path)}
        for name, command in commands.items():
            ran = shell(deployed, programs, replaced(command, to_nobody(deployed)), **given)
            assert ran.returncode == (FAILED if name == "list_tools" else 0), f"{command}\n{ran.stdout}{ran.stderr}"
            if name == "configure_vscode":
                assert "--region" in ran.stdout and "sigv4" in ran.stdout


def test_commands_are_shown_as_they_are_typed(deployed: Deployment) -> None:
    shown = deployed.root.run("output", "-no-color", "commands").ok().out
    for name, command in deployed.root.outputs()["commands"].items():
        # Terraform escapes what it shows in quotes, and somebody would paste that.
        assert f'"{name}" = "{command}"' in shown, shown


def test_no_command_holds_a_secret(deployed: Deployment) -> None:
    outputs = deployed.root.outputs()
    assert outputs["client_secret"]
    for command in outputs["commands"].values():
        assert outputs["client_secret"] not in command and PASSWORD not in command


def test_the_commands_get_tokens_of_such_a_pool(deployed: Deployment, programs: str) -> None:
    outputs = deployed.root.outputs()
    with ministack() as aws:
        pool = made_alike(aws, deployed, "team-tools")
        values = ids(deployed, "team-tools", pool) | {outputs["token_endpoint"]: f"{aws.url}/oauth2/token"}
        # The secret is Cognito's; the one of the state is made up.
        secret = "$(terraform output -raw client_secret)"
        get_token = outputs["commands"]["get_token"]
        assert secret in get_token
        ran = shell(deployed, programs, replaced(get_token, values | {secret: pool.secret}), **aws.environment())
        assert ran.returncode == 0, ran.stderr
        of_program = inspected(deployed, programs, ran.stdout)
        assert of_program["scope"] == outputs["scope"] == "team-tools-id/invoke" and of_program["client_id"] == pool.program

        get_user_token = replaced(outputs["commands"]["get_user_token"], values)
        ran = shell(deployed, programs, get_user_token, COGNITO_PASSWORD=PASSWORD, **aws.environment())
        assert ran.returncode == 0, ran.stderr
        of_user = inspected(deployed, programs, ran.stdout)
        assert of_user["username"] == "testuser" and of_user["client_id"] == pool.people


def inspected(deployed: Deployment, programs: str, token: str) -> dict:
    """What is in a token."""
    ran = shell(deployed, programs, "causeway token inspect --token-env CAUSEWAY_TOKEN --json", CAUSEWAY_TOKEN=token.strip())
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)["claims"]
