"""The MCP Inspector's command line against `causeway dev`."""

import json
import subprocess
import tempfile

import pytest

from harness.gateway import HERE, Gateway, dev
from harness.process import CLEAN, node


@pytest.fixture(scope="module")
def gateway():
    with dev() as running_gateway:
        yield running_gateway


def inspect(gateway: Gateway, *args: str) -> dict:
    program = [node(), str(HERE / "node_modules" / ".bin" / "mcp-inspector"), "--cli", gateway.endpoint]
    authorization = ["--transport", "http", "--header", f"Authorization: Bearer {gateway.token}"]
    with tempfile.TemporaryDirectory() as home:
        env = CLEAN | {"HOME": home}
        ran = subprocess.run(
            [*program, *authorization, *args], env=env, capture_output=True, text=True, timeout=60, check=False
        )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return json.loads(ran.stdout)


def test_it_lists_the_tools(gateway: Gateway) -> None:
    names = [tool["name"] for tool in inspect(gateway, "--method", "tools/list")["tools"]]
    assert "hello___greet_user" in names and len(names) == sum(target["tools"] for target in gateway.targets)


def test_it_calls_a_tool(gateway: Gateway) -> None:
    call = ["--method", "tools/call", "--tool-name", "hello___greet_user", "--tool-arg", "name=Alice"]
    assert inspect(gateway, *call)["content"][0]["text"] == "Hello, Alice! Nice to meet you."
