"""The clients: the programs of `peers/play` and the Rust one, each in each of its eras. Judges nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from harness.gateway import HERE, PEERS, Gateway
from harness.process import CLEAN, node
from matrix.script import Step

LEGACY = "2025-11-25"
MODERN = "2026-07-28"
#: A run that takes longer than this hangs. In seconds.
TIMEOUT = 180


@dataclass(frozen=True)
class Client:
    """One client in one of its modes."""

    name: str
    mode: str
    #: The version of MCP that it and the gateway settle on.
    protocol: str
    #: The command line without its arguments.
    program: Callable[[], list[str]]
    #: The features that it has no means for.
    cannot: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} {self.mode}"

    def play(self, gateway: Gateway, steps: list[Step], command: list[str] | None = None) -> tuple[str, list[dict]]:
        """The version that it settled on, and its line for each step. With a command it starts that, and knows no gateway."""
        script = json.dumps([step.do for step in steps])
        argv = [*self.program(), "-" if command else gateway.endpoint, self.mode, script]
        env = CLEAN | {"TOKEN": gateway.token, "PYTHONPATH": str(HERE)}
        env |= {"COMMAND": json.dumps(command)} if command else {}
        ran = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        assert ran.returncode == 0, f"the client failed:\n{ran.stdout[-500:]}{ran.stderr[-2000:]}"
        first, *lines = [json.loads(line) for line in ran.stdout.splitlines()]
        return first["protocol"], lines


def python(name: str) -> Callable[[], list[str]]:
    return lambda: [sys.executable, str(PEERS / "play" / name)]


def typescript() -> list[str]:
    return [node(), str(PEERS / "play/typescript_client.mjs")]


def rust() -> list[str]:
    return [os.environ["CAUSEWAY_RMCP_CLIENT_BIN"]]


#: Nobody can cancel or listen, and no progress is printed.
COMMANDS_CANNOT = ("progress", "cancel", "sample", "list changed", "updated")
#: One command is one request, so that nobody is there to answer either.
COMMAND_CANNOT = ("progress", "complete", "cancel", "elicit", "visit", "sample", "roots", "list changed", "updated")

CLIENTS = [
    Client("python mcp", "legacy", LEGACY, python("mcp_client.py")),
    Client("python mcp", "auto", MODERN, python("mcp_client.py")),
    Client("python mcp", MODERN, MODERN, python("mcp_client.py")),
    Client("fastmcp", "legacy", LEGACY, python("fastmcp_client.py")),
    Client("fastmcp", "auto", MODERN, python("fastmcp_client.py")),
    Client("typescript sdk", "v1", LEGACY, typescript),
    Client("typescript client", "legacy", LEGACY, typescript),
    Client("typescript client", "auto", MODERN, typescript),
    Client("rmcp", "legacy", LEGACY, rust),
    Client("rmcp", MODERN, MODERN, rust),
    Client("inspector", "legacy", LEGACY, python("inspector_client.py"), COMMAND_CANNOT),
    Client("inspector", "modern", MODERN, python("inspector_client.py"), COMMAND_CANNOT),
    Client("inspector mcpdo", "legacy", LEGACY, python("mcpdo_client.py"), COMMANDS_CANNOT),
    Client("inspector mcpdo", "modern", MODERN, python("mcpdo_client.py"), COMMANDS_CANNOT),
]
