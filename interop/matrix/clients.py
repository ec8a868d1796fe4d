"""The clients: programs of `peers/play`, the Rust one, and the Inspector's command line, each in each of its eras. Judges
nothing."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

from harness.gateway import HERE, PEERS, Gateway
from harness.process import CLEAN, node
from matrix.script import Step

LEGACY = "2025-11-25"
MODERN = "2026-07-28"
#: A run that takes longer than this hangs. In seconds.
TIMEOUT = 180

#: What a client saw: the version that it settled on, and a line for each step; absent where the client cannot do the step.
Seen = tuple[str, list[dict | None]]


@dataclass(frozen=True)
class Client:
    """One client in one of its modes."""

    name: str
    mode: str
    #: The version of MCP that it and the gateway settle on.
    protocol: str
    run: Callable[["Client", Gateway, list[Step]], Seen]
    #: The features that it has no means for.
    cannot: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} {self.mode}"


def program(*argv: str) -> Callable[[Client, Gateway, list[Step]], Seen]:
    """A client that plays a whole script."""

    def play(client: Client, gateway: Gateway, steps: list[Step]) -> Seen:
        script = json.dumps([step.do for step in steps])
        out = run([*argv, gateway.endpoint, client.mode, script], {"TOKEN": gateway.token})
        first, *lines = [json.loads(line) for line in out.splitlines()]
        return first["protocol"], lines

    return play


def inspector(client: Client, gateway: Gateway, steps: list[Step]) -> Seen:
    """The Inspector's command line: a process for each step that it has a method for."""
    with tempfile.TemporaryDirectory() as home:
        base = [node(), str(HERE / "node_modules/.bin/mcp-inspector"), "--cli", gateway.endpoint, "--transport", "http"]
        base += ["--protocol-era", client.mode, "--header", f"Authorization: Bearer {gateway.token}"]
        ask = lambda *words: json.loads(run([*base, "--method", *words], {"HOME": home}))  # noqa: E731
        return client.protocol, [inspected(ask, step) for step in steps]


def inspected(ask: Callable[..., dict], step: Step) -> dict | None:
    do = step.do
    match step.feature:
        case "list":
            return {
                "tools": [tool["name"] for tool in ask("tools/list")["tools"]],
                "prompts": [prompt["name"] for prompt in ask("prompts/list")["prompts"]],
                "resources": [resource["uri"] for resource in ask("resources/list")["resources"]],
                "templates": [one["uriTemplate"] for one in ask("resources/templates/list")["resourceTemplates"]],
            }
        case "call":
            arguments = json.dumps(do["arguments"])
            result = ask("tools/call", "--tool-name", do["tool"], "--tool-args-json", arguments)
            text = words(result["content"])
            return {"isError": result.get("isError", False), "text": text, "structured": result.get("structuredContent")}
        case "read":
            return {"text": words(ask("resources/read", "--uri", do["uri"])["contents"])} if plain(do["uri"]) else None
        case "prompt":
            pairs = [f"{name}={value}" for name, value in do["arguments"].items()]
            got = ask("prompts/get", "--prompt-name", do["name"], "--prompt-args", *pairs)
            return {"text": words([message["content"] for message in got["messages"]])}
    return None


def plain(uri: str) -> bool:
    """Whether a resource can be read without an answer of the client."""
    return uri != "test://asks"


def words(blocks: list[dict]) -> str:
    return "\n".join(block["text"] for block in blocks if "text" in block)


def run(argv: list[str], env: dict[str, str]) -> str:
    ran = subprocess.run(argv, env=CLEAN | env, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    # The Inspector's status says that a tool failed, which is an answer.
    said = ran.stdout.strip()
    assert said, f"the client failed:\n{ran.stderr[-2000:]}"
    return said


def python(name: str) -> Callable[[Client, Gateway, list[Step]], Seen]:
    return program(sys.executable, str(PEERS / "play" / name))


def typescript(client: Client, gateway: Gateway, steps: list[Step]) -> Seen:
    return program(node(), str(PEERS / "play/typescript_client.mjs"))(client, gateway, steps)


def rust(client: Client, gateway: Gateway, steps: list[Step]) -> Seen:
    return program(os.environ["CAUSEWAY_RMCP_CLIENT_BIN"])(client, gateway, steps)


#: One command is one request: nobody is there to answer, to cancel or to listen, and progress is not printed.
INSPECTOR_CANNOT = (
    "progress",
    "complete",
    "cancel",
    "elicit",
    "visit",
    "sample",
    "roots",
    "list changed",
    "updated",
)

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
    Client("inspector", "legacy", LEGACY, inspector, INSPECTOR_CANNOT),
    Client("inspector", "modern", MODERN, inspector, INSPECTOR_CANNOT),
]
