"""`causeway import` from end to end: gateways made with AWS's own client in the double of the control plane, imported, checked,
served, and compared with the live gateway, which is another Causeway here."""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aws.doubles.control_plane import ControlPlane, control_plane
from aws.doubles.signature import Identity
from aws.gateways import Maker, open_to_all, server
from harness.gateway import PEERS, Gateway, causeway, serve
from harness.process import CLEAN, Process
from harness.tls import Authority, authority

#: The status of a command that did what it should and found a difference.
DIFFERENT = 3


@pytest.fixture
def plane():
    with control_plane() as running:
        yield running


@pytest.fixture(scope="module")
def trusted():
    with authority() as made:
        yield made


def run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    """A command of the program under test."""
    argv = [causeway(), *arguments]
    return subprocess.run(argv, env=CLEAN | (env or {}), capture_output=True, text=True, timeout=120, check=False)


@contextmanager
def told(tools: dict[str, str], *key: str) -> Iterator[str]:
    """A server that has these tools; gives its URL."""
    argv = [sys.executable, str(PEERS / "told_target.py"), json.dumps(tools), *key]
    with Process(argv) as process:
        yield json.loads(process.first_line("it served"))["url"]


@contextmanager
def live(targets: dict[str, str]) -> Iterator[Gateway]:
    """A gateway that pages as AgentCore does, before these targets and without asking for tokens."""
    tables = [f'[[targets]]\nname = "{name}"\nhttp.endpoint = "{url}"\n' for name, url in targets.items()]
    head = 'authorizer = "none"\n[gateway]\nlisten = "127.0.0.1:0"\nlist_page = "target"\n'
    with serve(head + "".join(tables)) as gateway:
        yield gateway


# ---------------------------------------------------------------------------------------------------- what import writes


def test_a_gateway_that_is_mirrored_whole(plane: ControlPlane) -> None:
    gateway = open_to_all(plane)
    ran = run("import", f"arn:aws:bedrock-agentcore:us-east-1:123456789012:gateway/{gateway}", env=plane.environment())
    assert (ran.returncode, "different" in ran.stderr) == (0, False), ran.stderr
    assert [target["name"] for target in tomllib.loads(ran.stdout)["targets"]] == ["time"]


def test_no_file_is_replaced_unasked(plane: ControlPlane, tmp_path: Path) -> None:
    gateway, path = open_to_all(plane), tmp_path / "config.toml"
    path.write_text("mine")
    refused = run("import", gateway, "--output", str(path), env=plane.environment())
    assert (refused.returncode, path.read_text(), plane.asked[1:]) == (1, "mine", ["CreateGatewayTarget"])
    assert "--force" in refused.stderr
    forced = run("import", gateway, "--output", str(path), "--force", env=plane.environment())
    assert forced.returncode == 0 and "mine" not in path.read_text()


# ---------------------------------------------------------------------------------------------------- what goes wrong


def test_throttling_is_waited_out(plane: ControlPlane) -> None:
    gateway = open_to_all(plane)
    for operation in ["GetGateway", "ListGatewayTargets", "GetGatewayTarget"]:
        plane.fail(operation, "ThrottlingException", times=2)
    assert run("import", gateway, env=plane.environment()).returncode == 0


@pytest.mark.parametrize("operation", ["GetGateway", "ListGatewayTargets", "GetGatewayTarget"])
def test_a_refusal_is_said(plane: ControlPlane, tmp_path: Path, operation: str) -> None:
    gateway, path = open_to_all(plane), tmp_path / "config.toml"
    plane.fail(operation, "AccessDeniedException", "not yours")
    ran = run("import", gateway, "--output", str(path), env=plane.environment())
    assert (ran.returncode, ran.stdout, path.exists()) == (1, "", False)
    assert f"`{operation}` was refused by AWS with `AccessDeniedException`" in ran.stderr


def test_a_stranger_is_refused(plane: ControlPlane) -> None:
    stranger = plane.environment() | Identity(secret_key="wrong").environment()
    ran = run("import", open_to_all(plane), env=stranger)
    assert ran.returncode == 1 and "InvalidSignatureException" in ran.stderr


def test_temporary_credentials_do() -> None:
    with control_plane(identity=Identity(token="session")) as plane:
        assert run("import", open_to_all(plane), env=plane.environment()).returncode == 0


def test_a_gateway_that_is_not_there(plane: ControlPlane) -> None:
    ran = run("import", "nothing-0123456789", env=plane.environment())
    assert ran.returncode == 1 and "ResourceNotFoundException" in ran.stderr
    ran = run("import", "arn:aws:s3:::bucket", env=plane.environment())
    assert ran.returncode == 2 and "no ARN of an AgentCore Gateway" in ran.stderr


def test_the_gateway_of_another_account_is_not_taken_for_it(plane: ControlPlane) -> None:
    gateway = open_to_all(plane)
    ran = run("import", f"arn:aws:bedrock-agentcore:us-east-1:210987654321:gateway/{gateway}", env=plane.environment())
    assert ran.returncode == 1 and "the AWS credentials lead to" in ran.stderr


# ---------------------------------------------------------------------------------------------------------------- drift

TOOLS = {"same": "Stays.", "other": "Differs."}


@pytest.mark.parametrize(
    ("there", "expected", "as_json"),
    [
        (TOOLS, [], {}),
        (TOOLS | {"new": "Is new."}, ["+ tool tools___new"], {"onlyLive": ["tools___new"]}),
        ({"same": "Stays."}, ["- tool tools___other"], {"onlyLocal": ["tools___other"]}),
        (TOOLS | {"other": "Is different."}, ["~ tool tools___other: description"], {"changed": ["tools___other"]}),
    ],
    ids=["same", "added", "removed", "changed"],
)
def test_drift_is_found(plane: ControlPlane, trusted: Authority, there: dict, expected: list[str], as_json: dict) -> None:
    with told(TOOLS) as url, told(there) as moved, trusted.front(url) as front, live({"tools": moved}) as there_gateway:
        make = Maker(plane)
        gateway = make.gateway("Drifting")
        make.target(gateway, "tools", server(front))
        plane.move(gateway, there_gateway.endpoint)
        environment = plane.environment() | trusted.environment
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "config.toml")
            assert run("import", gateway, "--output", path, env=environment).returncode == 0
            ran = run("import", "--check", gateway, "--config", path, env=environment)
            assert (ran.returncode, ran.stdout.splitlines()) == (DIFFERENT if expected else 0, expected), ran.stderr
            ran = run("import", "--check", gateway, "--config", path, "--json", env=environment)
            drift = json.loads(ran.stdout)
            found = {kind: [item["key"] for item in items] for kind, items in drift.items() if items}
            assert (ran.returncode, found) == (DIFFERENT if expected else 0, as_json), ran.stderr


def test_a_gateway_that_cannot_be_listed_is_no_drift(plane: ControlPlane, trusted: Authority) -> None:
    with told(TOOLS) as url, live({"tools": url}) as running:
        gateway = Maker(plane).gateway("Gone")
        plane.move(gateway, "http://127.0.0.1:1/mcp")
        ran = run("import", "--check", gateway, "--local", running.endpoint, env=plane.environment())
        assert (ran.returncode, ran.stdout) == (1, "") and "the live gateway cannot be listed" in ran.stderr
        plane.move(gateway, running.endpoint)
        ran = run("import", "--check", gateway, "--local", "http://127.0.0.1:1/mcp", env=plane.environment())
        assert (ran.returncode, ran.stdout) == (1, "") and "the local gateway cannot be listed" in ran.stderr
