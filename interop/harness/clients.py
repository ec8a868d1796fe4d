"""The SDKs' clients, run as programs of their own. Reports what they saw; judges nothing."""

import json
import subprocess
import sys
from dataclasses import dataclass

from harness.gateway import PEERS
from harness.process import CLEAN, node

MODERN = "2026-07-28"
LEGACY = "2025-11-25"


@dataclass(frozen=True)
class Client:
    """One SDK in one of its modes."""

    sdk: str
    mode: str
    #: The version of MCP that it and the gateway settle on.
    protocol: str

    def __str__(self) -> str:
        return f"{self.sdk} {self.mode}"

    def command(self, endpoint: str, calls: list[tuple[str, dict]]) -> list[str]:
        """The command line of a run."""
        python = self.sdk == "python"
        program = [sys.executable, PEERS / "python_client.py"] if python else [node(), PEERS / "typescript_client.mjs"]
        named = [f"{name}={json.dumps(arguments)}" for name, arguments in calls]
        return [str(word) for word in program] + [endpoint, self.mode, *named]

    def run(self, endpoint: str, token: str | None, *calls: tuple[str, dict]) -> "Seen":
        """Connects, lists, calls."""
        env = CLEAN | ({"TOKEN": token} if token else {})
        ran = subprocess.run(
            self.command(endpoint, list(calls)), env=env, capture_output=True, text=True, timeout=120, check=False
        )
        assert ran.returncode == 0, f"the client `{self}` failed:\n{ran.stdout}{ran.stderr}"
        lines = [json.loads(line) for line in ran.stdout.splitlines()]
        return Seen(
            protocol=lines[0]["protocol"],
            tools=[line["tool"] for line in lines if "tool" in line],
            calls=[line for line in lines if "call" in line],
        )


@dataclass
class Seen:
    """What a client saw."""

    protocol: str
    tools: list[str]
    #: One for each call: `isError`, `text`, `structured`, `progress` as [at, total, message].
    calls: list[dict]


CLIENTS = [
    Client("python", "legacy", LEGACY),
    Client("python", "auto", MODERN),
    Client("python", MODERN, MODERN),
    Client("typescript", "v1", LEGACY),
    Client("typescript", "legacy", LEGACY),
    Client("typescript", "auto", MODERN),
    Client("typescript", MODERN, MODERN),
]
