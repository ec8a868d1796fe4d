"""The sample server of terraform/agentcore: that it is what AgentCore Runtime asks of a container, and that its Dockerfile is sound."""

import subprocess
import sys

import httpx2

from harness.command import run
from harness.gateway import post
from harness.process import CLEAN, Process, free_port, until
from harness.terraform import DEPLOY, REPOSITORY, checkov

SAMPLE = REPOSITORY / "terraform/agentcore/sample-server"
TRIES = 3


def serve(port: int) -> Process:
    return Process([sys.executable, str(SAMPLE / "server.py")], {"PORT": str(port)})


def serves(process: Process, port: int) -> bool:
    def answers() -> bool:
        try:
            return httpx2.get(f"http://127.0.0.1:{port}/", trust_env=False).status_code == 404
        except httpx2.TransportError:
            return False

    until(lambda: process.ended() or answers(), "the sample server answers")
    return not process.ended()


def test_it_speaks_mcp_without_state_whatever_it_is_called() -> None:
    for _ in range(TRIES):
        port = free_port()
        with serve(port) as process:
            if not serves(process, port):
                continue
            url = f"http://127.0.0.1:{port}/mcp"
            assert "add_numbers" in run("tools", url).ok().out
            assert run("call", url, "multiply_numbers", "-a", "a=6", "-a", "b=7").ok().out.strip() == "42.0"
            # Runtime makes up a session for who has none; each request may be the first that a microVM sees.
            headers = {"Host": "10.1.2.3:8000", "Mcp-Session-Id": "0123456789", "Accept": "application/json, text/event-stream"}
            body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
            listed = httpx2.post(url, headers=headers, json=body, trust_env=False)
            assert listed.status_code == 200 and listed.headers["Content-Type"] == "application/json"
            assert post(url).json()["result"]["tools"]
            return
    raise AssertionError("no port was free")


def test_its_dockerfile_is_sound() -> None:
    dockerfile = SAMPLE / "Dockerfile"
    ran = subprocess.run(
        [DEPLOY / ".venv/bin/hadolint", dockerfile], env=CLEAN, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stdout
    checkov("dockerfile", "-f", dockerfile).ok()
