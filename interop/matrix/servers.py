"""The servers behind the gateway, each a target of its own. Starts them; asks none."""

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from harness.gateway import HERE, PEERS, ROOT, Gateway, dev
from harness.process import Process, free_port, node, until

EVERYTHING = str(HERE / "node_modules/@modelcontextprotocol/server-everything/dist/index.js")
#: It takes no port 0, and somebody may have taken the one that was free.
TRIES = 3


@contextmanager
def behind_one_gateway() -> Iterator[Gateway]:
    """`causeway dev` with its samples and all the other servers, once it has listed them."""
    with ExitStack() as started:
        modern = fixture(started, "modern")
        fastmcp = python(started, "fastmcp_target.py")
        tables = [
            http("fixture-modern", modern),
            http("fixture-legacy", fixture(started, "legacy")),
            stdio("fixture-stdio", [os.environ["CAUSEWAY_FIXTURE_BIN"], "--stdio"]),
            http("fastmcp", fastmcp),
            http("fastmcp-legacy", fastmcp, era="legacy"),
            http("everything", everything(started)),
            stdio("everything-stdio", [node(), EVERYTHING, "stdio"]),
        ]
        # Clients have to follow the pages of each list.
        base = (ROOT / "config.toml").read_text().replace("#list_page = 100", "list_page = 7")
        config = "\n".join([base, *tables])
        yield started.enter_context(dev(config, {"ALLOWED_LOG_GROUPS": "/interop/app"}))


def http(name: str, url: str, era: str = "auto") -> str:
    """The config of a target over HTTP."""
    return f"[[targets]]\nname = {json.dumps(name)}\nhttp.endpoint = {json.dumps(url)}\nhttp.era = {json.dumps(era)}\n"


def stdio(name: str, command: list[str]) -> str:
    """The config of a target over standard streams."""
    return f"[[targets]]\nname = {json.dumps(name)}\nstdio.command = {json.dumps(command)}\n"


def fixture(started: ExitStack, era: str) -> str:
    argv = [os.environ["CAUSEWAY_FIXTURE_BIN"], "--listen", "127.0.0.1:0", "--era", era]
    return started.enter_context(Process(argv)).first_line("it served").removeprefix("listening on ")


def python(started: ExitStack, program: str, *arguments: str) -> str:
    process = started.enter_context(Process([sys.executable, str(PEERS / program), *arguments]))
    return json.loads(process.first_line("it served"))["url"]


def everything(started: ExitStack) -> str:
    """The URL of server-everything, which says where it listens on its standard error."""
    for _ in range(TRIES):
        process = started.enter_context(Process([node(), EVERYTHING, "streamableHttp"], {"PORT": str(free_port())}))
        until(lambda process=process: process.ended() or listening(process.errors), "server-everything listens")
        if not process.ended():
            return f"http://127.0.0.1:{listening(process.errors)}/mcp"
    raise AssertionError(f"server-everything ended:\n{process.log()}")


def listening(lines: list[str]) -> str | None:
    return next((found[1] for line in lines if (found := re.search(r"listening on port (\d+)", line))), None)
